/** Types by their names in a text at run time: what regtype and pg_input_is_valid() read. */
import { arrayTypeName, typeNamed, types } from './registry.js';
import type { TypeName } from './type.js';

/** SQL's words for types that pg_type calls otherwise. */
const words: ReadonlyMap<string, TypeName> = new Map<string, TypeName>([
  ['boolean', 'bool'],
  ['smallint', 'int2'],
  ['integer', 'int4'],
  ['int', 'int4'],
  ['bigint', 'int8'],
  ['real', 'float4'],
  ['float', 'float8'],
  ['double precision', 'float8'],
  ['decimal', 'numeric'],
  ['dec', 'numeric'],
  ['character varying', 'varchar'],
  ['character', 'bpchar'],
  ['char', 'bpchar'],
  ['"char"', 'char'],
  ['time without time zone', 'time'],
  ['time with time zone', 'timetz'],
  ['timestamp without time zone', 'timestamp'],
  ['timestamp with time zone', 'timestamptz'],
  ['bit varying', 'varbit'],
]);

const pattern =
  /^\s*(?:pg_catalog\.)?("?[a-z_][\w ]*?"?)\s*(?:\(\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\))?((?:\s+with(?:out)?\s+time\s+zone)?)\s*((?:\[\d*\]\s*)*)$/i;

/** Undefined for a text that names no base type or array of one. Raises the errors of modifiers. */
export function typeOfText(
  text: string,
): { readonly name: TypeName; readonly modifier: number } | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, word = '', numbers, zone = '', brackets = ''] = match;
  const written = (word + zone).toLowerCase().replace(/\s+/g, ' ').trim();
  const base = words.get(written) ?? (types.has(written as TypeName) ? (written as TypeName) : '');
  if (base === '') return undefined;
  const given = numbers?.split(',').map(Number) ?? lengthOf(written);
  const { modifierOf } = typeNamed(base);
  if (given !== undefined && modifierOf === undefined) return undefined;
  const modifier = given === undefined ? -1 : (modifierOf?.(given) ?? -1);
  return { name: brackets === '' ? base : arrayTypeName(base), modifier };
}

/** `char` alone is `char(1)`, and so is `bit`. */
function lengthOf(written: string): readonly number[] | undefined {
  return written === 'char' || written === 'character' || written === 'bit' ? [1] : undefined;
}
