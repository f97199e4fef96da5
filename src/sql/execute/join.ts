/** Joins: nested loop, hash and lookup by primary key. */
import { assert, must } from '../../base/assert.js';
import type { DatabaseId } from '../../base/ids.js';
import type { Expression } from '../plan/expression.js';
import type { JoinKind, RelationColumn } from '../plan/relation.js';
import { columnsOf, type JoinPlan } from '../rewrite/index.js';
import { KeyEncoder } from '../storage-format/index.js';
import type { HashKey, Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression, compileTest } from './expression.js';
import { keyFitter, keyTypes } from './key-values.js';
import { compileRowKey, hasNull, mapEntryBytes } from './row-key.js';
import { evaluateRow } from './row-operators.js';
import { compileReadRow } from './scan.js';
import { scopeOf, type Test } from './scope.js';
import {
  type Batch,
  batchRows,
  Held,
  pause,
  rowSizer,
  rowsPerLook,
  type Source,
  type Stream,
} from './stream.js';

export interface JoinInputs {
  readonly left: Source;
  /** Not used by a lookup, which reads the right table itself. */
  readonly right: Source | undefined;
  readonly database: DatabaseId | undefined;
}

export function compileJoin(plan: JoinPlan, inputs: JoinInputs): Source {
  assert(plan.join !== 'right', 'a rule turns right joins into left joins');
  switch (plan.strategy.kind) {
    case 'nestedLoop':
      return compileMatching(plan, inputs, () => ({ find: (all) => all, keep: undefined }));
    case 'hash':
      return compileHashJoin(plan, plan.strategy.keys, inputs);
    case 'lookup':
      return compileLookup(plan, plan.strategy.key, inputs);
  }
}

/** A row of the right input that is kept, and whether it has met a row of the left one. */
interface KeptRow {
  readonly row: Row;
  matched: boolean;
}

/** Finds the kept rows that a row of the left input may match. */
interface Finder {
  readonly find: (
    all: readonly KeptRow[],
    left: Row,
    context: ExecutionContext,
  ) => readonly KeptRow[];
  /** Sees each kept row first. */
  readonly keep: ((kept: KeptRow, context: ExecutionContext) => void) | undefined;
}

const none: readonly KeptRow[] = [];

function compileHashJoin(
  plan: JoinPlan,
  keys: readonly { readonly left: Expression; readonly right: Expression }[],
  inputs: JoinInputs,
): Source {
  const { database } = inputs;
  const leftScope = scopeOf(columnsOf(plan.left), database);
  const rightScope = scopeOf(columnsOf(plan.right), database);
  const left = keys.map((key) => compileExpression(key.left, leftScope));
  const right = keys.map((key) => compileExpression(key.right, rightScope));
  const leftKey = compileRowKey(keys.map((key) => key.left.type));
  const rightKey = compileRowKey(keys.map((key) => key.right.type));
  return compileMatching(plan, inputs, () => {
    const table = new Map<HashKey | null, KeptRow[]>();
    return {
      keep(kept, context): void {
        const values = evaluateRow(right, kept.row, context);
        if (hasNull(values)) return;
        const key = rightKey(values);
        const same = table.get(key);
        if (same === undefined) table.set(key, [kept]);
        else same.push(kept);
      },
      find(_, row, context): readonly KeptRow[] {
        const values = evaluateRow(left, row, context);
        return hasNull(values) ? none : (table.get(leftKey(values)) ?? none);
      },
    };
  });
}

/** Keeps the rows of the right input, then matches the left's one by one. */
function compileMatching(plan: JoinPlan, inputs: JoinInputs, newFinder: () => Finder): Source {
  const leftColumns = columnsOf(plan.left);
  const rightColumns = columnsOf(plan.right);
  const test = compileCondition(plan.condition, leftColumns, rightColumns, inputs.database);
  const sizeOfRow = rowSizer(rightColumns);
  const { join } = plan;
  const right = must(inputs.right, 'the right input is compiled');
  return function* matching(context): Stream {
    const held = new Held(context);
    const finder = newFinder();
    const kept: KeptRow[] = [];
    try {
      yield* collectRight(right, context, (batch) => {
        let bytes = 0;
        for (const row of batch) {
          const entry = { row, matched: false };
          kept.push(entry);
          finder.keep?.(entry, context);
          bytes += sizeOfRow(row) + mapEntryBytes;
        }
        held.add(bytes);
      });
      if (kept.length === 0 && join === 'inner') return;
      const matcher = { kept, finder, test, join, rightWidth: rightColumns.length };
      for (const batch of inputs.left(context)) {
        if (batch === pause) yield pause;
        else yield* matchBatch(batch, matcher, context);
      }
      if (join === 'full') yield* unmatched(kept, leftColumns.length, context);
    } finally {
      held.free();
    }
  };
}

function* collectRight(
  right: Source,
  context: ExecutionContext,
  keep: (batch: Batch) => void,
): Generator<typeof pause, void, undefined> {
  for (const batch of right(context)) {
    if (batch === pause) yield pause;
    else keep(batch);
  }
}

interface Matcher {
  readonly kept: readonly KeptRow[];
  readonly finder: Finder;
  readonly test: Test | undefined;
  readonly join: JoinKind;
  readonly rightWidth: number;
}

function* matchBatch(batch: Batch, matcher: Matcher, context: ExecutionContext): Stream {
  const { kept, finder, test, join, rightWidth } = matcher;
  let rows: Row[] = [];
  let looked = 0;
  for (const left of batch) {
    let matched = false;
    for (const candidate of finder.find(kept, left, context)) {
      looked += 1;
      if (looked % rowsPerLook === 0 && context.turnIsOver()) {
        if (rows.length > 0) yield rows;
        rows = [];
        yield pause;
      }
      const row = [...left, ...candidate.row];
      if (test !== undefined && !test(row, context)) continue;
      matched = true;
      candidate.matched = true;
      rows.push(row);
      if (rows.length >= batchRows) {
        yield rows;
        rows = [];
      }
    }
    if (!matched && join !== 'inner') rows.push([...left, ...nulls(rightWidth)]);
  }
  if (rows.length > 0) yield rows;
}

/** The rows of the right side of a full join that have met none of the left. */
function* unmatched(
  kept: readonly KeptRow[],
  leftWidth: number,
  context: ExecutionContext,
): Stream {
  for (let from = 0; from < kept.length; from += batchRows) {
    const rows: Row[] = [];
    for (const { row, matched } of kept.slice(from, from + batchRows)) {
      if (!matched) rows.push([...nulls(leftWidth), ...row]);
    }
    if (rows.length > 0) yield rows;
    if (context.turnIsOver()) yield pause;
  }
}

function nulls(count: number): Value[] {
  return new Array<Value>(count).fill(null);
}

function compileCondition(
  condition: Expression | undefined,
  left: readonly RelationColumn[],
  right: readonly RelationColumn[],
  database: DatabaseId | undefined,
): Test | undefined {
  return condition && compileTest(condition, scopeOf([...left, ...right], database));
}

/** Each row of the left input reads at most one row of the right table by its primary key. */
function compileLookup(plan: JoinPlan, key: readonly Expression[], inputs: JoinInputs): Source {
  const { right, join } = plan;
  assert(right.kind === 'scan' && right.access.kind === 'all', 'a lookup reads a whole table');
  assert(join === 'inner' || join === 'left', 'a lookup does not see all rows of the right');
  const leftColumns = columnsOf(plan.left);
  const scope = scopeOf(leftColumns, inputs.database);
  const types = keyTypes(right.table);
  const parts = key.map((expression, i) => ({
    evaluate: compileExpression(expression, scope),
    fit: keyFitter(expression.type.name, must(types[i], 'more values than key columns')),
  }));
  const encoder = new KeyEncoder(right.table);
  const readRow = compileReadRow(right, right.filter);
  const test = compileCondition(plan.condition, leftColumns, right.columns, inputs.database);

  const lookUp = (left: Row, context: ExecutionContext): Row | undefined => {
    encoder.begin();
    for (const { evaluate, fit } of parts) {
      const value = evaluate(left, context);
      const fitted = value === null ? 'below' : fit(value);
      if (typeof fitted === 'string') return undefined;
      encoder.add(fitted.value);
    }
    const found = encoder.view();
    const value = context.buffer.get(found);
    const row = value && readRow(found, value, context);
    if (row === undefined) return undefined;
    const joined = [...left, ...row];
    return test === undefined || test(joined, context) ? joined : undefined;
  };

  return function* lookup(context): Stream {
    for (const batch of inputs.left(context)) {
      if (batch === pause) {
        yield pause;
        continue;
      }
      let rows: Row[] = [];
      for (const [i, left] of batch.entries()) {
        const joined = lookUp(left, context);
        if (joined !== undefined) rows.push(joined);
        else if (join === 'left') rows.push([...left, ...nulls(right.columns.length)]);
        if (i % rowsPerLook === rowsPerLook - 1 && context.turnIsOver()) {
          if (rows.length > 0) yield rows;
          rows = [];
          yield pause;
        }
      }
      if (rows.length > 0) yield rows;
    }
  };
}
