/** Rows of a table with their keys, for those who change what they read. */
import { must } from '../../base/assert.js';
import { prefixEnd, successor } from '../../base/bytes.js';
import type { Span } from '../../storage/engine.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import { rowKeyOfEntry, RowReader } from '../storage-format/index.js';
import type { Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { pause, type Pause, rowsPerLook } from './stream.js';
import type { StoredRow } from './table-writer.js';

/** Reads whole rows of one table. */
export class TableRows {
  readonly #table: TableDescriptor;
  readonly #reader: RowReader;

  constructor(table: TableDescriptor) {
    this.#table = table;
    this.#reader = new RowReader(
      table,
      table.columns.map(({ position }) => position),
      table.columns.map((_, slot) => slot),
    );
  }

  /** The row whose value these bytes are. */
  decode(bytes: Uint8Array): Value[] {
    const row: Value[] = new Array(this.#table.columns.length);
    this.#reader.read(bytes, row);
    return row;
  }

  /** The rows of a span of row keys, some at a time. */
  *ofRows(
    span: Span,
    context: ExecutionContext,
  ): Generator<Pause | readonly StoredRow[], void, undefined> {
    for (let rest: Span | undefined = span; rest !== undefined; ) {
      const rows: StoredRow[] = [];
      context.buffer.scan(rest, (key, value) => {
        rows.push({ key: key.slice(), row: this.decode(value) });
        return rows.length < rowsPerLook;
      });
      rest = restAfter(rest, rows.length, rows.at(-1)?.key);
      if (rows.length > 0) yield rows;
      if (context.turnIsOver()) yield pause;
    }
  }

  /** The rows that the entries of a span of an index name. */
  *ofEntries(
    span: Span,
    context: ExecutionContext,
  ): Generator<Pause | readonly StoredRow[], void, undefined> {
    for (let rest: Span | undefined = span; rest !== undefined; ) {
      const keys: Uint8Array[] = [];
      let last: Uint8Array | undefined;
      let seen = 0;
      context.buffer.scan(rest, (key, value) => {
        seen += 1;
        last = key.slice();
        if (value.length > 0) keys.push(rowKeyOfEntry(this.#table, value));
        return seen < rowsPerLook;
      });
      rest = restAfter(rest, seen, last);
      const rows = keys.flatMap((key) => {
        const bytes = context.buffer.get(key);
        return bytes === undefined ? [] : [{ key, row: this.decode(bytes) }];
      });
      if (rows.length > 0) yield rows;
      if (context.turnIsOver()) yield pause;
    }
  }
}

/** What is left of a span after `count` keys up to `last` were seen. */
function restAfter(span: Span, count: number, last: Uint8Array | undefined): Span | undefined {
  return count < rowsPerLook || last === undefined
    ? undefined
    : { from: successor(last), to: span.to };
}

/** All keys that begin with `prefix`. */
export function spanOfPrefix(prefix: Uint8Array): Span {
  return { from: prefix, to: must(prefixEnd(prefix), 'a data prefix has an end') };
}
