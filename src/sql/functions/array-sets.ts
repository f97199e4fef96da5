/** Set-returning functions of arrays. */
import type { ArrayValue, Value } from '../types/index.js';
import { split } from './array.js';
import { defineSet, type SetDefinition } from './set-definition.js';

function* subscripts(array: ArrayValue, dimension: number, reverse: boolean): Generator<number> {
  const length = array.dimensions[dimension - 1];
  const lower = array.lowerBounds[dimension - 1];
  if (length === undefined || lower === undefined) return;
  for (let i = 0; i < length; i += 1) yield reverse ? lower + length - 1 - i : lower + i;
}

function texts([text = null, separator = null, nullText = null]: readonly Value[]) {
  if (text === null) return [];
  return split(text as string, separator as string | null, nullText as string | null);
}

export const arraySetFunctions: readonly SetDefinition[] = [
  defineSet('unnest(anyarray): setof anyelement', ([array]) => (array as ArrayValue).elements),
  defineSet('generate_subscripts(anyarray, int4): setof int4', ([array, dimension]) =>
    subscripts(array as ArrayValue, dimension as number, false),
  ),
  defineSet(
    'generate_subscripts(anyarray, int4, bool): setof int4',
    ([array, dimension, reverse]) =>
      subscripts(array as ArrayValue, dimension as number, reverse === true),
  ),
  // Of information_schema: the elements with their numbers from 1, which drivers ask of keys.
  defineSet('_pg_expandarray(anyarray): setof (x anyelement, n int4)', ([array]) =>
    (array as ArrayValue).elements.map((element, i) => [element, i + 1]),
  ),
  defineSet('string_to_table(text, text): setof text', texts, { strict: false }),
  defineSet('string_to_table(text, text, text): setof text', texts, { strict: false }),
];
