/** Joins: nested loop, hash and lookup by primary key. */
import { assert, must } from '../../base/assert.js';
import type { DatabaseId } from '../../base/ids.js';
import type { Expression } from '../plan/expression.js';
import type { RelationColumn } from '../plan/relation.js';
import { columnsOf, type JoinPlan, type PlannedJoinKind } from '../rewrite/index.js';
import { KeyEncoder } from '../storage-format/index.js';
import type { HashKey, Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression, compileTest } from './expression.js';
import { keyFitter, keyTypes } from './key-values.js';
import { compileRowKey, hasNull, mapEntryBytes } from './row-key.js';
import { evaluateRow } from './row-operators.js';
import { compileReadRow } from './scan.js';
import { scopeOf, type Test } from './scope.js';
import { compileRowCodec, type RowCodec } from './spill.js';
import { spillDepthMax, SpillPartitions } from './spill-partitions.js';
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

/** How rows of one input of a hash join are parted among temporary files. */
interface Side {
  readonly keyOf: (row: Row, context: ExecutionContext) => HashKey | null;
  readonly rows: { readonly codec: RowCodec; readonly sizeOf: (row: Row) => number };
}

function compileHashJoin(
  plan: JoinPlan,
  keys: readonly { readonly left: Expression; readonly right: Expression }[],
  inputs: JoinInputs,
): Source {
  const { database } = inputs;
  const left = compileSide(
    keys.map((key) => key.left),
    columnsOf(plan.left),
    database,
  );
  const right = compileSide(
    keys.map((key) => key.right),
    columnsOf(plan.right),
    database,
  );
  const newFinder = (): Finder => {
    const table = new Map<HashKey, KeptRow[]>();
    return {
      keep(kept, context): void {
        const key = right.keyOf(kept.row, context);
        if (key === null) return;
        const same = table.get(key);
        if (same === undefined) table.set(key, [kept]);
        else same.push(kept);
      },
      find(_, row, context): readonly KeptRow[] {
        const key = left.keyOf(row, context);
        return key === null ? none : (table.get(key) ?? none);
      },
    };
  };
  return compileMatching(plan, inputs, newFinder, { left, right });
}

/** The key is null where a part of it is NULL: such a row matches none. */
function compileSide(
  parts: readonly Expression[],
  columns: readonly RelationColumn[],
  database: DatabaseId | undefined,
): Side {
  const scope = scopeOf(columns, database);
  const values = parts.map((part) => compileExpression(part, scope));
  const keyOf = compileRowKey(parts.map(({ type }) => type));
  return {
    keyOf: (row, context) => {
      const own = evaluateRow(values, row, context);
      return hasNull(own) ? null : keyOf(own);
    },
    rows: { codec: compileRowCodec(columns), sizeOf: rowSizer(columns) },
  };
}

/** What all executions of a join share. */
interface Matching {
  readonly newFinder: () => Finder;
  readonly test: Test | undefined;
  readonly join: PlannedJoinKind;
  readonly leftWidth: number;
  readonly rightWidth: number;
  readonly sizeOfRight: (row: Row) => number;
  /** Set where the join has keys: rows may go to temporary files. */
  readonly sides: { readonly left: Side; readonly right: Side } | undefined;
}

function compileMatching(
  plan: JoinPlan,
  inputs: JoinInputs,
  newFinder: () => Finder,
  sides?: Matching['sides'],
): Source {
  const leftColumns = columnsOf(plan.left);
  const rightColumns = columnsOf(plan.right);
  const right = must(inputs.right, 'the right input is compiled');
  const shape: Matching = {
    newFinder,
    test: compileCondition(plan.condition, leftColumns, rightColumns, inputs.database),
    join: plan.join,
    leftWidth: leftColumns.length,
    rightWidth: rightColumns.length,
    sizeOfRight: rowSizer(rightColumns),
    sides,
  };
  return (context) => matching(inputs.left(context), right(context), shape, context, 0);
}

/**
 * Keeps the rows of the right input, then matches the left's one by one. When the right's rows are more
 * than the join's share of memory, both inputs are parted by their keys into files, whose pairs are
 * joined one after the other. At depth 0 the inputs are whole, below they are such parts.
 */
function* matching(
  left: Stream,
  right: Stream,
  shape: Matching,
  context: ExecutionContext,
  depth: number,
): Stream {
  const { join } = shape;
  const held = new Held(context);
  const finder = shape.newFinder();
  const kept: KeptRow[] = [];
  let parts: JoinParts | undefined;
  try {
    for (const batch of right) {
      if (batch === pause) {
        yield pause;
      } else if (parts !== undefined) {
        parts.addRight(batch);
      } else {
        keep(batch, kept, finder, held, shape, context);
        if (shape.sides === undefined || !held.isFull || depth >= spillDepthMax) continue;
        parts = new JoinParts(shape.sides, context, depth);
        parts.addRight(kept.map(({ row }) => row));
        kept.length = 0;
        held.free();
      }
    }
    if (parts !== undefined) {
      yield* matchParts(left, parts, shape, context, depth);
      return;
    }
    if (kept.length === 0 && (join === 'inner' || join === 'semi')) return;
    for (const batch of left) {
      if (batch === pause) yield pause;
      else yield* matchBatch(batch, { ...shape, kept, finder }, context);
    }
    if (join === 'full') yield* unmatched(kept, shape.leftWidth, context);
  } finally {
    parts?.close();
    held.free();
    left.return();
  }
}

function keep(
  batch: Batch,
  kept: KeptRow[],
  finder: Finder,
  held: Held,
  shape: Matching,
  context: ExecutionContext,
): void {
  let bytes = 0;
  for (const row of batch) {
    const entry = { row, matched: false };
    kept.push(entry);
    finder.keep?.(entry, context);
    bytes += shape.sizeOfRight(row) + mapEntryBytes;
  }
  held.add(bytes);
}

/** Both inputs of a join, parted by their keys. */
class JoinParts {
  readonly left: SpillPartitions;
  readonly right: SpillPartitions;
  readonly #sides: NonNullable<Matching['sides']>;
  readonly #context: ExecutionContext;

  constructor(sides: NonNullable<Matching['sides']>, context: ExecutionContext, depth: number) {
    this.left = new SpillPartitions(sides.left.rows, context, depth);
    this.right = new SpillPartitions(sides.right.rows, context, depth);
    this.#sides = sides;
    this.#context = context;
  }

  addLeft(rows: Batch): void {
    for (const row of rows) this.left.add(this.#sides.left.keyOf(row, this.#context), row);
  }

  addRight(rows: Batch): void {
    for (const row of rows) this.right.add(this.#sides.right.keyOf(row, this.#context), row);
  }

  /** All rows are there. Gives the partitions that have some. */
  finish(): readonly number[] {
    this.left.finish();
    this.right.finish();
    return [...new Set([...this.left.numbers, ...this.right.numbers])];
  }

  drop(number: number): void {
    this.left.drop(number);
    this.right.drop(number);
  }

  close(): void {
    this.left.close();
    this.right.close();
  }
}

function* matchParts(
  left: Stream,
  parts: JoinParts,
  shape: Matching,
  context: ExecutionContext,
  depth: number,
): Stream {
  for (const batch of left) {
    if (batch === pause) yield pause;
    else parts.addLeft(batch);
    if (context.turnIsOver()) yield pause;
  }
  for (const number of parts.finish()) {
    const [own, other] = [parts.left.read(number), parts.right.read(number)];
    yield* matching(own, other, shape, context, depth + 1);
    parts.drop(number);
  }
}

interface Matcher extends Matching {
  readonly kept: readonly KeptRow[];
  readonly finder: Finder;
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
      if (join === 'semi' || join === 'anti') break;
      candidate.matched = true;
      rows.push(row);
      if (rows.length >= batchRows) {
        yield rows;
        rows = [];
      }
    }
    const alone = aloneRow(left, matched, join, rightWidth);
    if (alone !== undefined) rows.push(alone);
  }
  if (rows.length > 0) yield rows;
}

/** What a left row gives by itself, when it is known whether it has met a right one. */
function aloneRow(
  left: Row,
  matched: boolean,
  join: PlannedJoinKind,
  rightWidth: number,
): Row | undefined {
  if (join === 'semi') return matched ? left : undefined;
  if (matched || join === 'inner') return undefined;
  return join === 'anti' ? left : [...left, ...nulls(rightWidth)];
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
  assert(join !== 'full', 'a lookup does not see all rows of the right');
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
        const addsRight = join !== 'semi' && join !== 'anti';
        if (joined !== undefined && addsRight) rows.push(joined);
        const alone = aloneRow(left, joined !== undefined, join, right.columns.length);
        if (alone !== undefined) rows.push(alone);
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
