import type { Type, TypeName } from './type.js';

/** The types by name. */
export declare const types: ReadonlyMap<TypeName, Type>;

/** The type; asserts that the name is in the registry. */
export declare function typeNamed(name: string): Type;

/** The type of the OID, or undefined. */
export declare function typeOfOid(oid: number): Type | undefined;

/** As format_type() prints it: `character varying(10)`. */
export declare function printType(name: string, modifier: number): string;
