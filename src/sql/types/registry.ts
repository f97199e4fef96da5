/** All types, by name and by OID. */
import { must } from '../../base/assert.js';
import { datetimeTypes } from './datetime-type.js';
import { floatTypes } from './float.js';
import { integerTypes } from './integer.js';
import { intervalType } from './interval-type.js';
import { jsonTypes } from './json-type.js';
import { numericType } from './numeric-type.js';
import { plainTypes } from './plain.js';
import { textTypes } from './text.js';
import type { Type, TypeName } from './type.js';

const all: readonly Type[] = [
  ...plainTypes,
  ...integerTypes,
  ...floatTypes,
  numericType,
  ...datetimeTypes,
  intervalType,
  ...jsonTypes,
  ...textTypes,
];

/** The types by name. */
export const types: ReadonlyMap<TypeName, Type> = new Map(all.map((type) => [type.name, type]));

const byOid: ReadonlyMap<number, Type> = new Map(all.map((type) => [type.oid, type]));

/** The type; asserts that the name is in the registry. */
export function typeNamed(name: string): Type {
  return must(types.get(name as TypeName), `no type ${name}`);
}

/** The type of the OID, or undefined. */
export function typeOfOid(oid: number): Type | undefined {
  return byOid.get(oid);
}

/** As format_type() prints it: `character varying(10)`, `timestamp(3) without time zone`. */
export function printType(name: string, modifier: number): string {
  const type = typeNamed(name);
  if (modifier < 0 || type.printModifier === undefined) {
    // A character without a length is character(1) in SQL, so the unlimited one has another name.
    return name === 'bpchar' ? 'bpchar' : type.sqlName;
  }
  const shown = type.printModifier(modifier);
  const [first = '', ...rest] = type.sqlName.split(' ');
  return rest[0] === 'without' || rest[0] === 'with'
    ? `${first}${shown} ${rest.join(' ')}`
    : `${type.sqlName}${shown}`;
}
