/**
 * Cursors: DECLARE, FETCH, MOVE and CLOSE (https://www.postgresql.org/docs/15/sql-declare.html). A
 * cursor's rows are read when it is declared, from the transaction's snapshot, and kept until it is
 * closed, in memory or in a temporary file: it can be moved in both directions and no change shows in it.
 */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { RowBuffer, rowBufferShape } from '../execute/index.js';
import { as, type ast, fields } from '../parse/index.js';
import type { Row } from '../types/index.js';
import { cursorsMax } from './limits.js';
import { completed } from './command.js';
import { planOf, type Query } from './planning.js';
import type { Plan } from './plan-cache.js';
import { readParameters } from './parameters.js';
import { answerQuestions } from './answer-questions.js';
import { commit, takeNumbers } from './replica.js';
import { execute, isInBlock, type Run, runInTransaction } from './run.js';
import { authorise } from './roles.js';
import type { SessionState } from './state.js';
import type { Transaction } from './transaction.js';
import { ResultWriter, type Work } from './work.js';

export interface Cursor {
  readonly rows: RowBuffer;
  readonly plan: Pick<Plan, 'columns' | 'readsTimeZone'>;
  /** WITH HOLD: it outlives its transaction when that commits. */
  readonly hold: boolean;
  /** False with NO SCROLL. */
  readonly scrolls: boolean;
  /** Savepoints of its transaction when it was declared: going back to one of them closes it. */
  savepoints: number;
  /** The text that declared it, and when, milliseconds since 1970. */
  readonly statement: string;
  readonly declaredMs: number;
  /** The transaction that declared it goes on. */
  isNew: boolean;
  /** The row that it stands on, from 1; 0 before the first, one more than there are behind the last. */
  position: number;
}

/** Bits of DeclareCursorStmt.options (nodes/parsenodes.h). */
const bits = { binary: 0x1, scroll: 0x2, noScroll: 0x4, hold: 0x20 } as const;

export function isCursorStatement(node: ast.Node): boolean {
  return (
    as(node, 'DeclareCursorStmt') !== undefined ||
    as(node, 'FetchStmt') !== undefined ||
    as(node, 'ClosePortalStmt') !== undefined
  );
}

export function* runCursorStatement(run: Run, query: Query): Work<void> {
  const { node, source } = query.parsed();
  const declaration = as(node, 'DeclareCursorStmt');
  if (declaration !== undefined) return yield* declare(run, query, declaration);
  const fetch = as(node, 'FetchStmt');
  if (fetch !== undefined) return yield* move(run, fetch);
  const close = must(as(node, 'ClosePortalStmt'), 'a statement about cursors');
  const { portalname } = fields(source, 'ClosePortalStmt', close, ['portalname']);
  const { cursors } = run.state;
  if (portalname === undefined) {
    for (const name of [...cursors.keys()]) drop(run.state, name);
    return yield* completed(run, 'CLOSE CURSOR ALL');
  }
  cursorNamed(run.state, portalname);
  drop(run.state, portalname);
  return yield* completed(run, 'CLOSE CURSOR');
}

function cursorNamed({ cursors }: SessionState, name: string): Cursor {
  return cursors.get(name) ?? raise('invalid_cursor_name', `cursor "${name}" does not exist`);
}

function drop({ cursors }: SessionState, name: string): void {
  cursors.get(name)?.rows.close();
  cursors.delete(name);
}

/** The transaction has ended: only what it committed WITH HOLD stays. */
export function endCursors(state: SessionState, committed: boolean): void {
  for (const [name, cursor] of [...state.cursors]) {
    if (cursor.isNew && !(cursor.hold && committed)) drop(state, name);
    cursor.isNew = false;
  }
}

/** Back at a savepoint, `count` savepoints are left: cursors declared after it are closed. */
export function rollBackCursors(state: SessionState, count: number): void {
  for (const [name, cursor] of [...state.cursors]) {
    if (cursor.isNew && cursor.savepoints >= count) drop(state, name);
  }
}

/** The session ends. */
export function closeCursors(state: SessionState): void {
  for (const name of [...state.cursors.keys()]) drop(state, name);
}

function* declare(run: Run, query: Query, body: ast.DeclareCursorStmt): Work<void> {
  const { state } = run;
  const parsed = query.parsed();
  const read = fields(parsed.source, 'DeclareCursorStmt', body, ['portalname', 'options', 'query']);
  const name = read.portalname ?? '';
  const has = (bit: number): boolean => ((read.options ?? 0) & bit) !== 0;
  if (has(bits.binary)) raise('feature_not_supported', 'DECLARE BINARY CURSOR is not supported');
  if (!has(bits.hold) && !isInBlock(run)) {
    const text = 'DECLARE CURSOR can only be used in transaction blocks';
    raise('no_active_sql_transaction', text);
  }
  if (state.cursors.has(name)) raise('duplicate_cursor', `cursor "${name}" already exists`);
  if (state.cursors.size >= cursorsMax) {
    raise('configuration_limit_exceeded', `a session has at most ${cursorsMax} cursors`);
  }
  const inner: Query = {
    ...query,
    key: undefined,
    parsed: () => ({ ...parsed, node: must(read.query, 'a cursor has a query') }),
  };
  yield* runInTransaction(run, true, function* (transaction) {
    const plan = planOf(state, inner, transaction);
    authorise(state, plan, transaction);
    if (plan.writes) {
      const text = 'DECLARE CURSOR must not contain data-modifying statements in WITH';
      raise('feature_not_supported', text);
    }
    const cursor: Cursor = {
      rows: yield* collect(run, query, transaction, plan),
      plan,
      hold: has(bits.hold),
      scrolls: !has(bits.noScroll),
      savepoints: transaction.savepoints.length,
      statement: parsed.source.text,
      declaredMs: state.turn.wallMs,
      isNew: true,
      position: 0,
    };
    state.cursors.set(name, cursor);
    return { complete: () => completed(run, 'DECLARE CURSOR'), table: undefined };
  });
}

/** All rows of the query, charged to the session. */
function* collect(run: Run, query: Query, transaction: Transaction, plan: Plan): Work<RowBuffer> {
  const { state } = run;
  const parameters = readParameters(query.parameters, plan.bound.parameters, state.functions);
  const shape = rowBufferShape(
    (plan.columns ?? []).map(({ name, type, typeModifier }, column) => ({
      column,
      name,
      type: { name: type, modifier: typeModifier },
    })),
  );
  const context = { memory: state.memory, spill: state.place.spill };
  for (;;) {
    const rows = new RowBuffer(shape, context);
    let count: number | undefined;
    try {
      count = yield* execute(state, transaction, plan, parameters, {
        isEnough: false,
        *push(batch) {
          for (const row of batch) rows.add(row);
          if (state.turnIsOver()) yield 'turn';
        },
      });
    } finally {
      if (count === undefined) rows.close();
    }
    if (count !== undefined) return rows;
    state.statementMemory.releaseAll();
    yield* takeNumbers(state, run.self, transaction.numbers);
    yield* answerQuestions(state, run.self);
  }
}

/** Rows of a cursor, from the first up to the last, counted from 1; backwards when `from` is larger. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Where it then stands. */
  readonly position: number;
}

const nothing = (position: number): Stretch => ({ from: 1, to: 0, position });

function* move(run: Run, body: ast.FetchStmt): Work<void> {
  const { state } = run;
  const { direction, howMany = 0, portalname = '', ismove } = body;
  const cursor = cursorNamed(state, portalname);
  // FETCH ALL is the largest bigint, which a number does not hold.
  const asked = Number(howMany);
  const count = Math.abs(asked) > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : asked;
  const stretch = stretchOf(cursor, direction ?? 'FETCH_FORWARD', count);
  if (!cursor.scrolls && stretch.position < cursor.position) {
    raise('object_not_in_prerequisite_state', 'cursor can only scan forward', {
      hint: 'Declare it with SCROLL option to enable backward scan.',
    });
  }
  cursor.position = stretch.position;
  const rows = rowsOf(cursor, stretch);
  if (ismove) return yield* completed(run, `MOVE ${stretchLength(stretch)}`);
  const { columns, readsTimeZone } = cursor.plan;
  const timeZone = readsTimeZone ? state.functions.timeZone.name : undefined;
  const writer = new ResultWriter(state, run.request, { columns, timeZone }, false);
  for (const row of rows) yield* writer.push([row]);
  // It ends the cursor.
  if (run.commits && state.transaction?.explicit === false) yield* commit(state, run.self);
  const tag = `FETCH ${stretchLength(stretch)}`;
  yield* writer.end({ tag, status: state.status }, run.last);
}

function* rowsOf({ rows }: Cursor, stretch: Stretch): Generator<Row> {
  const { from, to } = stretch;
  const step = from <= to ? 1 : -1;
  const count = stretchLength(stretch);
  for (let i = 0; i < count; i += 1) yield rows.at(from - 1 + i * step);
}

/** An empty stretch is written 1 to 0. */
function stretchLength({ from, to }: Stretch): number {
  return from === 1 && to === 0 ? 0 : Math.abs(to - from) + 1;
}

/** As DoPortalRunFetch() of PostgreSQL. */
function stretchOf(cursor: Cursor, direction: ast.FetchDirection, count: number): Stretch {
  const { rows, position } = cursor;
  const end = rows.count + 1;
  switch (direction) {
    case 'FETCH_FORWARD':
      return count < 0 ? backward(cursor, -count) : forward(cursor, count);
    case 'FETCH_BACKWARD':
      return count < 0 ? forward(cursor, -count) : backward(cursor, count);
    case 'FETCH_ABSOLUTE':
      return single(count < 0 ? end + count : count, end);
    case 'FETCH_RELATIVE':
      return single(position + count, end);
  }
}

function single(at: number, end: number): Stretch {
  if (at < 1) return nothing(0);
  return at >= end ? nothing(end) : { from: at, to: at, position: at };
}

function forward(cursor: Cursor, count: number): Stretch {
  const { rows, position } = cursor;
  const end = rows.count + 1;
  if (count === 0) return single(position, end);
  const from = position + 1;
  if (from >= end) return nothing(end);
  const to = Math.min(position + count, rows.count);
  return { from, to, position: position + count > rows.count ? end : to };
}

function backward(cursor: Cursor, count: number): Stretch {
  const { position, rows } = cursor;
  if (count === 0) return single(position, rows.count + 1);
  const from = position - 1;
  if (from < 1) return nothing(0);
  const to = Math.max(position - count, 1);
  return { from, to, position: position - count < 1 ? 0 : to };
}
