/** Turns the access of a scan into keys and ranges of keys once parameters are known. */
import { must } from '../../base/assert.js';
import { compareBytes, prefixEnd, successor } from '../../base/bytes.js';
import type { Span } from '../../storage/engine.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { Expression } from '../plan/expression.js';
import type { Access, KeyBound } from '../rewrite/index.js';
import { KeyEncoder, rowSpan } from '../storage-format/index.js';
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
  const scope = scopeOf([], table.database);
  const types = keyTypes(table);
  const columns = access.values.map((values, i) =>
    values.map((value) => compileValue(value, must(types[i], 'more values than columns'), scope)),
  );
  const encoder = new KeyEncoder(table);
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
  return encoder.finish();
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

/** The span of the rows of a range; undefined when there can be none. */
export function compileRange(
  table: TableDescriptor,
  access: Extract<Access, { readonly kind: 'range' }>,
): (context: ExecutionContext) => Span | undefined {
  const scope = scopeOf([], table.database);
  const types = keyTypes(table);
  const typeAt = (i: number): string => must(types[i], 'more values than columns');
  const equal = access.equal.map((value, i) => compileValue(value, typeAt(i), scope));
  const compileBound = (bound: KeyBound | undefined): CompiledBound | undefined =>
    bound && {
      ...compileValue(bound.value, typeAt(equal.length), scope),
      inclusive: bound.inclusive,
    };
  const lower = compileBound(access.lower);
  const upper = compileBound(access.upper);
  const encoder = new KeyEncoder(table);
  return (context) => {
    const prefix: Value[] = [];
    for (const { evaluate, fit } of equal) {
      const value = evaluate(context);
      const fitted = value === null ? 'below' : fit(value);
      if (typeof fitted === 'string') return undefined;
      prefix.push(fitted.value);
    }
    const whole = prefix.length === 0 ? rowSpan(table) : spanOf(encode(encoder, prefix));
    const from =
      lower === undefined ? whole.from : lowerEnd(lower, whole, encoder, prefix, context);
    const to = upper === undefined ? whole.to : upperEnd(upper, whole, encoder, prefix, context);
    if (from === undefined || to === undefined) return undefined;
    return compareBytes(from, to) < 0 ? { from, to } : undefined;
  };
}

interface CompiledBound extends FittedValue {
  readonly inclusive: boolean;
}

/** All keys that begin with `prefix`. */
function spanOf(prefix: Uint8Array): Span {
  return { from: prefix, to: prefixEnd(prefix) ?? successor(prefix) };
}

function lowerEnd(
  bound: CompiledBound,
  whole: Span,
  encoder: KeyEncoder,
  prefix: readonly Value[],
  context: ExecutionContext,
): Uint8Array | undefined {
  const value = bound.evaluate(context);
  const fitted = value === null ? 'above' : bound.fit(value);
  if (fitted === 'above') return undefined;
  if (fitted === 'below') return whole.from;
  const span = spanOf(encode(encoder, [...prefix, fitted.value]));
  return bound.inclusive ? span.from : span.to;
}

function upperEnd(
  bound: CompiledBound,
  whole: Span,
  encoder: KeyEncoder,
  prefix: readonly Value[],
  context: ExecutionContext,
): Uint8Array | undefined {
  const value = bound.evaluate(context);
  const fitted = value === null ? 'below' : bound.fit(value);
  if (fitted === 'below') return undefined;
  if (fitted === 'above') return whole.to;
  const span = spanOf(encode(encoder, [...prefix, fitted.value]));
  return bound.inclusive ? span.to : span.from;
}
