/** Reads rows by the entries of an index, in their order. */
import { successor } from '../../base/bytes.js';
import type { Span } from '../../storage/engine.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import { rowKeyOfEntry } from '../storage-format/index.js';
import type { Row } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import type { ReadRow } from './scan.js';
import { batchRows, pause, rowsPerLook, type Stream } from './stream.js';

/** Entries of the first batch: few, since whoever asked may want no more. */
const firstBatchEntries = 16;

export function* scanIndex(
  table: TableDescriptor,
  span: Span,
  reverse: boolean,
  readRow: ReadRow,
  context: ExecutionContext,
): Stream {
  let rest: Span | undefined = span;
  const { rowByRow } = context;
  let limit = rowByRow === true ? 1 : firstBatchEntries;
  while (rest !== undefined) {
    const { keys, last } = entriesOf(table, rest, reverse, limit, context);
    const rows: Row[] = [];
    for (const key of keys) {
      const value = context.buffer.get(key);
      const row = value && readRow(key, value, context);
      if (row !== undefined) rows.push(row);
    }
    if (rows.length > 0) yield rows;
    rest = last && after(last, rest, reverse);
    if (rest !== undefined && context.turnIsOver()) yield pause;
    if (rowByRow !== true) limit = Math.min(limit * 4, rowsPerLook, batchRows);
  }
}

/** Keys of the rows of the next entries; `last` is undefined when the span has been read to its end. */
function entriesOf(
  table: TableDescriptor,
  span: Span,
  reverse: boolean,
  limit: number,
  context: ExecutionContext,
): { readonly keys: readonly Uint8Array[]; readonly last: Uint8Array | undefined } {
  const keys: Uint8Array[] = [];
  let seen = 0;
  let last: Uint8Array | undefined;
  context.buffer.scan(
    span,
    (key, value) => {
      seen += 1;
      // An empty one names no row: it stands for values that exclude each other only later.
      if (value.length > 0) keys.push(rowKeyOfEntry(table, value));
      if (seen < limit) return true;
      last = key.slice();
      return false;
    },
    reverse,
  );
  return { keys, last };
}

function after(key: Uint8Array, span: Span, reverse: boolean): Span {
  return reverse ? { from: span.from, to: key } : { from: successor(key), to: span.to };
}
