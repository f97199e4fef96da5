/** Turns the access of a scan into keys and ranges of keys once parameters are known. */
import { must } from '../../base/assert.js';
import { compareBytes, prefixEnd } from '../../base/bytes.js';
import type { Span } from '../../storage/engine.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { Expression } from '../plan/expression.js';
import type { Access, KeyBound } from '../rewrite/index.js';
import { KeyEncoder } from '../storage-format/index.js';
import type { Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { type Scope, scopeOf } from './scope.js';

/** A value brought into a key column's type: `below` and `above` lie outside all of its values. */
type Fitted = { readonly value: Value } | 'below' | 'above';
type FixedValue = (context: ExecutionContext) => Value;

const wholeNumbers: ReadonlyMap<string, readonly [bigint, bigint]> = new Map([
  ['int2', [-0x8000n, 0x7fffn]],
  ['int4', [-0x8000_0000n, 0x7fff_ffffn]],
  ['int8', [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn]],
]);

/**
 * A function that brings values of type `from` into the type of a key column. Whole numbers of
 * another width are converted; other types that may meet here have the same values.
 */
export function keyFitter(from: string, to: string): (value: Value) => Fitted {
  const range = wholeNumbers.get(to);
  if (range === undefined || from === to) return (value) => ({ value });
  const [low, high] = range;
  return (value) => {
    const whole = BigInt(value as number | bigint);
    if (whole < low) return 'below';
    if (whole > high) return 'above';
    return { value: to === 'int8' ? whole : Number(whole) };
  };
}

interface FittedValue {
  readonly evaluate: FixedValue;
  readonly fit: (value: Value) => Fitted;
}

function compileValue(expression: Expression, columnType: string, scope: Scope): FittedValue {
  const evaluate = compileExpression(expression, scope);
  const fit = keyFitter(expression.type.name, columnType);
  return { evaluate: (context) => evaluate([], context), fit };
}

/** Types of the key columns in key order. */
export function keyTypes(table: TableDescriptor): readonly string[] {
  return table.primaryKey.map(
    (position) =>
      must(
        table.columns.find((column) => column.position === position),
        'a key column is no column of the table',
      ).type,
  );
}

/** The keys of `access` in ascending order, each once. */
export function compileKeys(
  table: TableDescriptor,
  access: Extract<Access, { readonly kind: 'keys' }>,
): (context: ExecutionContext) => readonly Uint8Array[] {
  return compileCombinations(table, access.values, new KeyEncoder(table));
}

/** Whole keys, or beginnings of keys, of all combinations of values. */
function compileCombinations(
  table: TableDescriptor,
  lists: readonly (readonly Expression[])[],
  encoder: KeyEncoder,
): (context: ExecutionContext) => readonly Uint8Array[] {
  const scope = scopeOf([], table.database);
  const types = keyTypes(table);
  const columns = lists.map((values, i) =>
    values.map((value) => compileValue(value, must(types[i], 'more values than columns'), scope)),
  );
  return (context) => {
    const values = columns.map((alternatives) =>
      alternatives.flatMap(({ evaluate, fit }) => {
        const value = evaluate(context);
        const fitted = value === null ? 'below' : fit(value);
        return typeof fitted === 'string' ? [] : [fitted.value];
      }),
    );
    return distinctKeys(combinations(values).map((key) => encode(encoder, key)));
  };
}

function encode(encoder: KeyEncoder, values: readonly Value[]): Uint8Array {
  encoder.begin();
  for (const value of values) encoder.add(value);
  return encoder.search();
}

function combinations(columns: readonly (readonly Value[])[]): readonly (readonly Value[])[] {
  let tuples: readonly (readonly Value[])[] = [[]];
  for (const values of columns) {
    tuples = tuples.flatMap((tuple) => values.map((value) => [...tuple, value]));
  }
  return tuples;
}

function distinctKeys(keys: readonly Uint8Array[]): readonly Uint8Array[] {
  const sorted = keys.toSorted(compareBytes);
  return sorted.filter((key, i) => {
    const before = sorted[i - 1];
    return before === undefined || compareBytes(before, key) !== 0;
  });
}

/** The spans of the rows of ranges, in ascending order, apart from each other. */
export function compileRanges(
  table: TableDescriptor,
  access: Extract<Access, { readonly kind: 'range' }>,
): (context: ExecutionContext) => readonly Span[] {
  const encoder = new KeyEncoder(table);
  const prefixes = compileCombinations(table, access.equal, encoder);
  const type = keyTypes(table)[access.equal.length];
  const compileBound = (bound: KeyBound | undefined): CompiledBound | undefined => {
    if (bound === undefined) return undefined;
    const value = compileValue(
      bound.value,
      must(type, 'a bound is on a key column'),
      scopeOf([], table.database),
    );
    return { ...value, inclusive: bound.inclusive };
  };
  const lower = compileBound(access.lower);
  const upper = compileBound(access.upper);
  const given = access.equal.length;
  const spanAt = (prefix: Uint8Array, value: Value): Span =>
    spanOf(encoder.begin(prefix, given).add(value).search());
  return (context) => {
    const low = lower && endOf(lower, 'above', context);
    const high = upper && endOf(upper, 'below', context);
    if (low === 'none' || high === 'none') return [];
    return prefixes(context).flatMap((prefix) => {
      let { from, to } = spanOf(prefix);
      if (low !== undefined) from = spanAt(prefix, low.value)[lower?.inclusive ? 'from' : 'to'];
      if (high !== undefined) to = spanAt(prefix, high.value)[upper?.inclusive ? 'to' : 'from'];
      return compareBytes(from, to) < 0 ? [{ from, to }] : [];
    });
  };
}

interface CompiledBound extends FittedValue {
  readonly inclusive: boolean;
}

/** All keys that begin with `prefix`. */
function spanOf(prefix: Uint8Array): Span {
  return { from: prefix, to: must(prefixEnd(prefix), 'a data prefix has an end') };
}

/**
 * A bound's value; undefined when it lies outside of the column's values and bounds nothing, `none`
 * when there are no rows: it is NULL or lies on the side `empty`.
 */
function endOf(
  bound: CompiledBound,
  empty: 'below' | 'above',
  context: ExecutionContext,
): { readonly value: Value } | undefined | 'none' {
  const value = bound.evaluate(context);
  const fitted = value === null ? empty : bound.fit(value);
  if (fitted === empty) return 'none';
  return typeof fitted === 'string' ? undefined : fitted;
}
