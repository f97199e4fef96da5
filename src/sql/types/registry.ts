/** All types, by name and by OID. */
import { must } from '../../base/assert.js';
import { arrayTypeOf } from './array-type.js';
import { bitTypes } from './bit-string.js';
import { type Collation, collatedTypeName, collatedTypeOf, isCollatable } from './collation.js';
import { datetimeTypes } from './datetime-type.js';
import { floatTypes } from './float.js';
import { integerTypes } from './integer.js';
import { intervalType } from './interval-type.js';
import { jsonTypes } from './json-type.js';
import { madeTypesMax } from './limits.js';
import { numericType } from './numeric-type.js';
import { oneByteCharacterType } from './one-byte-character.js';
import { plainTypes } from './plain.js';
import { recordTypeOf } from './record-type.js';
import { registeredTypes } from './registered.js';
import { systemTypes } from './system-types.js';
import { textTypes } from './text.js';
import type { Type, TypeName } from './type.js';
import { typeOfUserType, userTypeOf } from './user-type.js';
import { zonedTimeType } from './zoned-time.js';

function integerNamed(name: TypeName): Type {
  return must(
    integerTypes.find((type) => type.name === name),
    'a type of whole numbers',
  );
}

const all: readonly Type[] = [
  ...plainTypes,
  ...integerTypes,
  ...floatTypes,
  numericType,
  ...datetimeTypes,
  intervalType,
  ...jsonTypes,
  ...textTypes,
  oneByteCharacterType,
  zonedTimeType,
  ...bitTypes,
  ...registeredTypes,
  recordTypeOf(typeNamed),
  ...systemTypes(integerNamed('int2'), integerNamed('oid')),
];

/** The base types by name. */
export const types: ReadonlyMap<TypeName, Type> = new Map(all.map((type) => [type.name, type]));

const byOid: ReadonlyMap<number, Type> = new Map(all.map((type) => [type.oid, type]));
const byArrayOid: ReadonlyMap<number, Type> = new Map(
  all.filter(({ arrayOid }) => arrayOid !== 0).map((type) => [type.arrayOid, type]),
);

/** Arrays and types of users that were asked for. */
const made = new Map<string, Type>();

/** The type; asserts that there is one of this name. */
export function typeNamed(name: string): Type {
  const known = types.get(name as TypeName) ?? made.get(name);
  if (known !== undefined) return known;
  const type = must(makeType(name), `no type ${name}`);
  if (made.size >= madeTypesMax) made.clear();
  made.set(name, type);
  return type;
}

function makeType(name: string): Type | undefined {
  if (name.startsWith('_')) return arrayTypeOf(typeNamed(name.slice(1)));
  const collated = collatedTypeOf(name, typeNamed);
  if (collated !== undefined) return collated;
  const definition = userTypeOf(name);
  return definition && typeOfUserType(definition, name as TypeName, typeNamed);
}

/** The type of the OID of a base type or of an array of one, or undefined. */
export function typeOfOid(oid: number): Type | undefined {
  const element = byArrayOid.get(oid);
  return byOid.get(oid) ?? (element && typeNamed(`_${element.name}`));
}

/** The type of arrays of a type: for an array the same, as more dimensions change no type. */
export function arrayTypeName(element: TypeName): TypeName {
  const isArray = typeNamed(element).form?.kind === 'array' && element.startsWith('_');
  return isArray ? element : `_${element}`;
}

/** The type of the elements; undefined for a type that is no array (a domain over one is). */
export function elementTypeName(array: TypeName): TypeName | undefined {
  const { form } = typeNamed(baseTypeName(array));
  return form?.kind === 'array' ? form.element : undefined;
}

/** The type under a domain, and that of texts without their collation; any other type itself. */
export function baseTypeName(name: TypeName): TypeName {
  const { form } = typeNamed(name);
  if (form?.kind === 'collated') return baseTypeName(form.base);
  return form?.kind === 'domain' ? form.base : name;
}

/** The collation of texts of a type; undefined for the default one and for other types. */
export function collationOf(name: TypeName): Collation | undefined {
  const { form } = typeNamed(name);
  return form?.kind === 'collated' ? form.collation : undefined;
}

/** A type with a collation, where it can have one; `collation` undefined takes a collation away. */
export function withCollation(name: TypeName, collation: Collation | undefined): TypeName {
  const { form } = typeNamed(name);
  const plain = form?.kind === 'collated' ? form.base : name;
  if (collation === undefined || !isCollatable(typeNamed(plain))) return plain;
  return collatedTypeName(plain, collation);
}

/** As format_type() prints it: `character varying(10)`, `timestamp(3) without time zone`. */
export function printType(name: string, modifier: number): string {
  const type = typeNamed(name);
  if (type.form?.kind === 'array' && name.startsWith('_'))
    return `${printType(type.form.element, modifier)}[]`;
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
