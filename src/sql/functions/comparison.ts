/** The six comparisons of every ordered type, and between the types that PostgreSQL lets mix. */
import { must } from '../../base/assert.js';
import type { TypeName, Value } from '../types/index.js';
import { typeNamed } from '../types/index.js';
import type { Definition, TypedImplementation } from './definition.js';
import { type DefinitionOptions, define } from './definition.js';
import type { Comparison } from './function.js';

const commutators: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

const negators: Readonly<Record<Comparison, Comparison>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};

/** An implementation for each comparison. */
export type Six = Readonly<Record<Comparison, TypedImplementation>>;

export function comparisons(
  left: TypeName,
  right: TypeName,
  six: Six,
  options: DefinitionOptions = {},
): Definition[] {
  return (Object.keys(commutators) as Comparison[]).map((operator) =>
    define(`${left} ${operator} ${right}: bool`, six[operator], {
      ...options,
      commutator: commutators[operator],
      negator: negators[operator],
      comparison: operator,
    }),
  );
}

/** For values that JavaScript compares rightly: whole numbers, bigints, strings of ASCII. */
const native: Six = {
  '=': (a: number, b: number) => a === b,
  '<>': (a: number, b: number) => a !== b,
  '<': (a: number, b: number) => a < b,
  '<=': (a: number, b: number) => a <= b,
  '>': (a: number, b: number) => a > b,
  '>=': (a: number, b: number) => a >= b,
};

/** A number with a bigint: JavaScript orders them exactly but `===` is false. */
const mixed: Six = {
  ...native,
  '=': (a: number | bigint, b: number | bigint) => a <= b && a >= b,
  '<>': (a: number | bigint, b: number | bigint) => a < b || a > b,
};

/** NaN equals NaN and is above all else. */
const floating: Six = {
  '=': (a: number, b: number) => a === b || (Number.isNaN(a) && Number.isNaN(b)),
  '<>': (a: number, b: number) => a !== b && (!Number.isNaN(a) || !Number.isNaN(b)),
  '<': (a: number, b: number) => a < b || (Number.isNaN(b) && !Number.isNaN(a)),
  '<=': (a: number, b: number) => a <= b || Number.isNaN(b),
  '>': (a: number, b: number) => a > b || (Number.isNaN(a) && !Number.isNaN(b)),
  '>=': (a: number, b: number) => a >= b || Number.isNaN(a),
};

/** From an order. */
export function ordered(compare: (a: Value, b: Value) => number): Six {
  return {
    '=': ((a: Value, b: Value) => compare(a, b) === 0) as TypedImplementation,
    '<>': ((a: Value, b: Value) => compare(a, b) !== 0) as TypedImplementation,
    '<': ((a: Value, b: Value) => compare(a, b) < 0) as TypedImplementation,
    '<=': ((a: Value, b: Value) => compare(a, b) <= 0) as TypedImplementation,
    '>': ((a: Value, b: Value) => compare(a, b) > 0) as TypedImplementation,
    '>=': ((a: Value, b: Value) => compare(a, b) >= 0) as TypedImplementation,
  };
}

function byType(name: TypeName): Six {
  const type = typeNamed(name);
  return ordered(must(type.compare, `${name} has no order`));
}

const text: Six = {
  ...byType('text'),
  '=': (a: string, b: string) => a === b,
  '<>': (a: string, b: string) => a !== b,
};

export const comparisonFunctions: readonly Definition[] = [
  ...comparisons('bool', 'bool', native),
  ...comparisons('int2', 'int2', native),
  ...comparisons('int2', 'int4', native),
  ...comparisons('int2', 'int8', mixed),
  ...comparisons('int4', 'int2', native),
  ...comparisons('int4', 'int4', native),
  ...comparisons('int4', 'int8', mixed),
  ...comparisons('int8', 'int2', mixed),
  ...comparisons('int8', 'int4', mixed),
  ...comparisons('int8', 'int8', native),
  ...comparisons('oid', 'oid', native),
  ...comparisons('float4', 'float4', floating),
  ...comparisons('float4', 'float8', floating),
  ...comparisons('float8', 'float4', floating),
  ...comparisons('float8', 'float8', floating),
  ...comparisons('numeric', 'numeric', byType('numeric')),
  ...comparisons('text', 'text', text),
  ...comparisons('name', 'name', text),
  ...comparisons('name', 'text', text),
  ...comparisons('text', 'name', text),
  ...comparisons('bpchar', 'bpchar', byType('bpchar')),
  ...comparisons('bytea', 'bytea', byType('bytea')),
  ...comparisons('uuid', 'uuid', native),
];
