/** `operand operator ANY (subquery)` and ALL, three-valued. */
import type { DatabaseId } from '../../base/ids.js';
import type { Expression } from '../plan/expression.js';
import {
  type Answer,
  type ApplyPlan,
  columnsOf,
  columnsRead,
  conjunctsOf,
  ordersAsKeys,
} from '../rewrite/index.js';
import type { HashKey, Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { nestedOf } from './nested.js';
import { compileRowKey, hasNull, mapEntryBytes } from './row-key.js';
import { evaluateRow } from './row-operators.js';
import { type Evaluate, type Scope, scopeOf } from './scope.js';
import { type Pause, pause, rowSizer, rowsPerLook, type Source, type Stream } from './stream.js';

export type AskValue = (context: ExecutionContext) => Generator<Pause, Value, undefined>;
type Quantified = Extract<Answer, { readonly kind: 'any' | 'all' }>;

/** The operands are set when it is asked. */
export function compileQuantified(
  plan: ApplyPlan,
  { kind, test }: Quantified,
  right: Source,
  database: DatabaseId | undefined,
): AskValue {
  const columns = columnsOf(plan.right);
  const scope = scopeOf(columns, database);
  const evaluate = compileExpression(test, scope);
  const isAll = kind === 'all';
  const { repeats } = plan;
  if (repeats === undefined || repeats.outer.length > 0) {
    return (context) => quantify(right(context), evaluate, isAll, context);
  }
  const keys = isAll ? undefined : compileKeys(test, scope);
  const sizeOf = rowSizer(columns);
  return function* overKept(context) {
    const { kept, tables, working } = nestedOf(context);
    const source = repeats.tables.map((id) => tables.get(id) ?? working.get(id));
    let rows = kept.get(plan) as KeptRows | undefined;
    if (rows?.source.every((one, i) => one === source[i]) !== true) {
      rows = yield* keep(right(context), source, keys, sizeOf, context);
      kept.set(plan, rows);
    }
    return yield* ask(rows, keys, evaluate, isAll, context);
  };
}

/** The rows of a subquery that is the same for all rows around it. */
interface KeptRows {
  /** The tables of WITH that it was read from. */
  readonly source: readonly unknown[];
  readonly rows: Row[];
  /** The keys of rows without NULLs, and the others. */
  readonly keys: Set<HashKey | null>;
  readonly withNull: Row[];
}

/** Equalities, all of which the test is made of. */
interface Keys {
  readonly left: readonly Evaluate[];
  readonly right: readonly Evaluate[];
  readonly leftKey: (values: Row) => HashKey | null;
  readonly rightKey: (values: Row) => HashKey | null;
}

function compileKeys(test: Expression, scope: Scope): Keys | undefined {
  const left: Expression[] = [];
  const right: Expression[] = [];
  for (const condition of conjunctsOf(test)) {
    if (condition.kind !== 'call' || condition.function.comparison !== '=') return undefined;
    const [a, b] = condition.arguments;
    if (a === undefined || b === undefined || !ordersAsKeys(condition.function)) return undefined;
    const isTurned = columnsRead(b).size === 0;
    const [outside, inside] = isTurned ? [b, a] : [a, b];
    if (columnsRead(outside).size > 0 || columnsRead(inside).size === 0) return undefined;
    left.push(outside);
    right.push(inside);
  }
  return {
    left: left.map((one) => compileExpression(one, scope)),
    right: right.map((one) => compileExpression(one, scope)),
    leftKey: compileRowKey(left.map(({ type }) => type)),
    rightKey: compileRowKey(right.map(({ type }) => type)),
  };
}

function* keep(
  stream: Stream,
  source: readonly unknown[],
  keys: Keys | undefined,
  sizeOf: (row: Row) => number,
  context: ExecutionContext,
): Generator<Pause, KeptRows, undefined> {
  const { held } = nestedOf(context);
  const kept: KeptRows = { source, rows: [], keys: new Set(), withNull: [] };
  for (const batch of stream) {
    if (batch === pause) {
      yield pause;
      continue;
    }
    let bytes = 0;
    for (const row of batch) {
      kept.rows.push(row);
      bytes += sizeOf(row) + mapEntryBytes;
      if (keys === undefined) continue;
      const values = evaluateRow(keys.right, row, context);
      if (hasNull(values)) kept.withNull.push(row);
      else kept.keys.add(keys.rightKey(values));
    }
    held.add(bytes);
  }
  return kept;
}

function* ask(
  kept: KeptRows,
  keys: Keys | undefined,
  test: Evaluate,
  isAll: boolean,
  context: ExecutionContext,
): Generator<Pause, Value, undefined> {
  if (keys === undefined) return yield* quantify(inBatches(kept.rows), test, isAll, context);
  const values = evaluateRow(keys.left, [], context);
  if (!hasNull(values)) {
    if (kept.keys.has(keys.leftKey(values))) return true;
    return yield* quantify(inBatches(kept.withNull), test, isAll, context);
  }
  if (values.length === 1) return kept.rows.length > 0 ? null : false;
  return yield* quantify(inBatches(kept.rows), test, isAll, context);
}

function* inBatches(rows: readonly Row[]): Stream {
  for (let from = 0; from < rows.length; from += rowsPerLook) {
    yield rows.slice(from, from + rowsPerLook);
  }
}

function* quantify(
  rows: Stream,
  test: Evaluate,
  isAll: boolean,
  context: ExecutionContext,
): Generator<Pause, Value, undefined> {
  let result: Value = isAll;
  for (const batch of rows) {
    if (batch === pause) {
      yield pause;
      continue;
    }
    for (const row of batch) {
      const value = test(row, context);
      if (value === !isAll) return value;
      if (value === null) result = null;
    }
    if (context.turnIsOver()) yield pause;
  }
  return result;
}
