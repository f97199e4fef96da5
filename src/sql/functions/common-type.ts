import type { TypeName } from '../types/index.js';

/**
 * The type that the branches of UNION, CASE, COALESCE, VALUES, IN, GREATEST... resolve to (chapter
 * 10.5); `text` when all are unknown. Raises 42804 `${construct} types integer and text cannot be
 * matched`. With `undefined` as construct: undefined instead of an error.
 */
export declare function resolveCommonType(types: readonly TypeName[], construct: string): TypeName;
