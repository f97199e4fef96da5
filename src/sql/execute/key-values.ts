/** Turns the access of a scan into keys and ranges of keys once parameters are known. */
import { must } from '../../base/assert.js';
import { compareBytes, prefixEnd } from '../../base/bytes.js';
import type { Span } from '../../storage/engine.js';
import type { DatabaseId } from '../../base/ids.js';
import type { IndexDescriptor, TableDescriptor } from '../catalogue/descriptor.js';
import type { Expression } from '../plan/expression.js';
import type { Access, KeyBound } from '../rewrite/index.js';
import { IndexEncoder, KeyEncoder } from '../storage-format/index.js';
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

/** The order in which rows or entries of an index lie: what keys are made by and in what direction. */
interface KeyOrder {
  readonly types: readonly string[];
  readonly encoder: KeyEncoder | IndexEncoder;
  /** Whether a key column's greater values come first. */
  descends(column: number): boolean;
  readonly database: DatabaseId;
}

function orderOfRows(table: TableDescriptor): KeyOrder {
  const encoder = new KeyEncoder(table);
  return { types: keyTypes(table), encoder, descends: () => false, database: table.database };
}

function orderOfIndex({ database }: TableDescriptor, index: IndexDescriptor): KeyOrder {
  return {
    types: index.keys.map(({ type }) => type),
    encoder: new IndexEncoder(database, index),
    descends: (column) => index.keys[column]?.descending === true,
    database,
  };
}

/** The keys of `access` in ascending order, each once. */
export function compileKeys(
  table: TableDescriptor,
  access: Extract<Access, { readonly kind: 'keys' }>,
): (context: ExecutionContext) => readonly Uint8Array[] {
  return compileCombinations(orderOfRows(table), access.values);
}

/** Whole keys, or beginnings of keys, of all combinations of values. */
function compileCombinations(
  { types, encoder, database }: KeyOrder,
  lists: readonly (readonly Expression[])[],
): (context: ExecutionContext) => readonly Uint8Array[] {
  const scope = scopeOf([], database);
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

function encode(encoder: KeyEncoder | IndexEncoder, values: readonly Value[]): Uint8Array {
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

type Range = Pick<Extract<Access, { readonly kind: 'range' }>, 'equal' | 'lower' | 'upper'>;

/** The spans of the rows of ranges, in ascending order, apart from each other. */
export function compileRanges(
  table: TableDescriptor,
  access: Range,
): (context: ExecutionContext) => readonly Span[] {
  return compileSpans(orderOfRows(table), access);
}

/** The spans of the entries of an index, in the same way. */
export function compileIndexRanges(
  table: TableDescriptor,
  access: Extract<Access, { readonly kind: 'index' }>,
): (context: ExecutionContext) => readonly Span[] {
  return compileSpans(orderOfIndex(table, access.index), access);
}

function compileSpans(
  order: KeyOrder,
  access: Range,
): (context: ExecutionContext) => readonly Span[] {
  const { types, encoder, database } = order;
  const prefixes = compileCombinations(order, access.equal);
  const given = access.equal.length;
  const compileBound = (bound: KeyBound | undefined): CompiledBound | undefined => {
    if (bound === undefined) return undefined;
    const type = must(types[given], 'a bound is on a key column');
    const value = compileValue(bound.value, type, scopeOf([], database));
    return { ...value, inclusive: bound.inclusive };
  };
  const lower = compileBound(access.lower);
  const upper = compileBound(access.upper);
  const descends = order.descends(given);
  const spanAt = (prefix: Uint8Array, value: Value): Span =>
    spanOf(encoder.begin(prefix, given).add(value).search());
  const whole = (prefix: Uint8Array): Span => {
    const bounded = lower !== undefined || upper !== undefined;
    // NULLs lie at one end of an index and are within no bounds.
    if (!bounded || !(encoder instanceof IndexEncoder)) return spanOf(prefix);
    return encoder.begin(prefix, given).valueSpan();
  };
  return (context) => {
    const low = lower && endOf(lower, 'above', context);
    const high = upper && endOf(upper, 'below', context);
    if (low === 'none' || high === 'none') return [];
    const [first, last] = descends ? [high, low] : [low, high];
    const [firstBound, lastBound] = descends ? [upper, lower] : [lower, upper];
    return prefixes(context).flatMap((prefix) => {
      let { from, to } = whole(prefix);
      if (first !== undefined) {
        from = spanAt(prefix, first.value)[firstBound?.inclusive ? 'from' : 'to'];
      }
      if (last !== undefined) {
        to = spanAt(prefix, last.value)[lastBound?.inclusive ? 'to' : 'from'];
      }
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
