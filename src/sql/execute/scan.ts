/** Reads rows of tables: whole tables, ranges and given keys. */
import { assert } from '../../base/assert.js';
import { successor } from '../../base/bytes.js';
import type { Span, Visit } from '../../storage/engine.js';
import type { Expression } from '../plan/expression.js';
import { columnsRead, type ScanPlan } from '../rewrite/index.js';
import { decodeRowNumber, RowReader, rowSpan } from '../storage-format/index.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileTest } from './expression.js';
import { scanIndex } from './index-scan.js';
import { compileIndexRanges, compileKeys, compileRanges } from './key-values.js';
import { compileSample } from './sample.js';
import { scopeOf } from './scope.js';
import { batchRows, pause, rowsPerLook, type Source, type Stream } from './stream.js';

/** Rows of the first batch of a scan: few, since whoever asked may want no more. */
const firstBatchRows = 32;

/** The row at a key with its value's bytes, or undefined when the filter refuses it. */
export type ReadRow = (
  key: Uint8Array,
  value: Uint8Array,
  context: ExecutionContext,
) => Row | undefined;

/** Columns that the filter reads are decoded first, the others only for rows that pass. */
export function compileReadRow(
  scan: Pick<ScanPlan, 'table' | 'columns' | 'positions'>,
  filter: Expression | undefined,
): ReadRow {
  const { table, columns, positions } = scan;
  const width = columns.length;
  const numberSlot = positions.indexOf(0);
  const filtered = columnsRead(filter);
  const early: number[] = [];
  const late: number[] = [];
  for (const [slot, { column }] of columns.entries()) {
    if (slot === numberSlot) continue;
    (filtered.has(column) ? early : late).push(slot);
  }
  const reader = (slots: readonly number[]): RowReader =>
    new RowReader(
      table,
      slots.map((slot) => positions[slot] as number),
      slots,
    );
  const lateReader = reader(late);
  const finish = (row: Value[], key: Uint8Array, value: Uint8Array): Row => {
    if (late.length > 0) lateReader.read(value, row);
    if (numberSlot >= 0) row[numberSlot] = decodeRowNumber(key);
    return row;
  };
  if (filter === undefined) return (key, value) => finish(new Array(width), key, value);
  const earlyReader = reader(early);
  const test = compileTest(filter, scopeOf(columns, table.database));
  return (key, value, context) => {
    const row: Value[] = new Array(width);
    earlyReader.read(value, row);
    return test(row, context) ? finish(row, key, value) : undefined;
  };
}

export function compileScan(plan: ScanPlan): Source {
  const { table, access, reverse } = plan;
  const readRow = compileReadRow(plan, plan.filter);
  switch (access.kind) {
    case 'all': {
      const span = rowSpan(table);
      if (plan.sample === undefined) {
        return (context) => scanSpan(span, reverse, readRow, context);
      }
      const sample = compileSample(plan.sample);
      return function* scanSample(context): Stream {
        const takes = sample(context);
        const readSampled: ReadRow = (key, value, inner) =>
          takes(key) ? readRow(key, value, inner) : undefined;
        yield* scanSpan(span, reverse, readSampled, context);
      };
    }
    case 'range': {
      const ranges = compileRanges(table, access);
      return function* scanRanges(context): Stream {
        const spans = ranges(context);
        for (const span of reverse ? spans.toReversed() : spans) {
          yield* scanSpan(span, reverse, readRow, context);
        }
      };
    }
    case 'index': {
      const ranges = compileIndexRanges(table, access);
      return function* scanEntries(context): Stream {
        const spans = ranges(context);
        for (const span of reverse ? spans.toReversed() : spans) {
          yield* scanIndex(table, span, reverse, readRow, context);
        }
      };
    }
    case 'keys': {
      const keys = compileKeys(table, access);
      return (context) => getKeys(keys, reverse, readRow, context);
    }
  }
}

function* scanSpan(
  span: Span,
  reverse: boolean,
  readRow: ReadRow,
  context: ExecutionContext,
): Stream {
  let rest: Span | undefined = span;
  const { rowByRow } = context;
  let limit = rowByRow === true ? 1 : firstBatchRows;
  while (rest !== undefined) {
    const rows: Row[] = [];
    const last = visitSome(rest, reverse, limit, rows, readRow, context);
    if (rows.length > 0) yield rows;
    rest = last && after(last, rest, reverse);
    if (rest !== undefined && context.turnIsOver()) yield pause;
    if (rowByRow !== true) limit = Math.min(limit * 4, batchRows);
  }
}

/**
 * Reads rows of `span` until there are `limit` or the turn is over. Gives the key to go on behind;
 * undefined when the span has been read to its end.
 */
function visitSome(
  span: Span,
  reverse: boolean,
  limit: number,
  rows: Row[],
  readRow: ReadRow,
  context: ExecutionContext,
): Uint8Array | undefined {
  let last: Uint8Array | undefined;
  let visited = 0;
  const visit: Visit = (key, value) => {
    const row = readRow(key, value, context);
    if (row !== undefined) rows.push(row);
    visited += 1;
    const goesOn = rows.length < limit && (visited % rowsPerLook !== 0 || !context.turnIsOver());
    if (!goesOn) last = key.slice();
    return goesOn;
  };
  context.buffer.scan(span, visit, reverse);
  return last;
}

/** What is left of a span behind a key of it. */
function after(key: Uint8Array, span: Span, reverse: boolean): Span {
  return reverse ? { from: span.from, to: key } : { from: successor(key), to: span.to };
}

function* getKeys(
  compiled: (context: ExecutionContext) => readonly Uint8Array[],
  reverse: boolean,
  readRow: ReadRow,
  context: ExecutionContext,
): Stream {
  const keys = compiled(context);
  let rows: Row[] = [];
  for (let i = 0; i < keys.length; i += 1) {
    const key = keys[reverse ? keys.length - 1 - i : i];
    assert(key !== undefined, 'i lies inside');
    const value = context.buffer.get(key);
    const row = value && readRow(key, value, context);
    if (row !== undefined) rows.push(row);
    const isShort = rows.length < (context.rowByRow === true ? 1 : batchRows);
    if (isShort && (i % rowsPerLook !== rowsPerLook - 1 || !context.turnIsOver())) {
      continue;
    }
    if (rows.length > 0) yield rows;
    if (context.turnIsOver()) yield pause;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}
