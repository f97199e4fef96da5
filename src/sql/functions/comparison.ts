/** The six comparisons of every ordered type, and between the types that PostgreSQL lets mix. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { TypeName, Value } from '../types/index.js';
import { elementTypeName, typeNamed } from '../types/index.js';
import type { Definition, TypedImplementation } from './definition.js';
import { type DefinitionOptions, define, specialised } from './definition.js';
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

/** As {@link comparisons} for all types of a family, by the order of the type that it is called with. */
function comparisonsOfAny(family: 'anyarray' | 'anyenum'): Definition[] {
  return (Object.keys(commutators) as Comparison[]).map((operator) =>
    specialised(
      `${family} ${operator} ${family}: bool`,
      ([name]) => comparisonOf(must(name, 'a comparison has operands'), operator),
      {
        commutator: commutators[operator],
        negator: negators[operator],
        comparison: operator,
      },
    ),
  );
}

/** Raises 42883 when a call compares values of a type that has no order. */
function comparisonOf(name: TypeName, operator: Comparison): TypedImplementation {
  const type = typeNamed(name);
  const { compare, equals } = type;
  if (equals !== undefined && operator === '=') return equals as TypedImplementation;
  if (equals !== undefined && operator === '<>') {
    return ((a: Value, b: Value) => !equals(a, b)) as TypedImplementation;
  }
  if (compare !== undefined) return ordered(compare)[operator];
  return () => {
    const element = typeNamed(elementTypeName(name) ?? name).sqlName;
    const wanted =
      operator === '=' || operator === '<>' ? 'an equality operator' : 'a comparison function';
    raise('undefined_function', `could not identify ${wanted} for type ${element}`);
  };
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
  ...comparisons('char', 'char', byType('char')),
  ...comparisons('timetz', 'timetz', byType('timetz')),
  ...comparisons('bit', 'bit', native),
  ...comparisons('varbit', 'varbit', native),
  ...comparisons('record', 'record', byType('record')),
  ...comparisonsOfAny('anyarray'),
  ...comparisonsOfAny('anyenum'),
];
