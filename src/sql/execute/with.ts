/** WITH: tables that are computed once and read by all scans of them. */
import { must, unreachable } from '../../base/assert.js';
import type { QueryPlan, WithTablePlan } from '../rewrite/index.js';
import type { HashKey, Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { nestedOf } from './nested.js';
import { type RowBufferShape, rowBufferShape } from './row-buffer.js';
import { compileRowKey, mapEntryBytes } from './row-key.js';
import { StoredRows } from './stored-rows.js';
import { Held, pause, type Source, type Stream } from './stream.js';
import type { Write } from './write.js';

/** The inputs of a table of WITH, compiled. */
export type WithSource =
  | { readonly kind: 'query'; readonly input: Source }
  | { readonly kind: 'recursive'; readonly first: Source; readonly next: Source }
  | { readonly kind: 'statement'; readonly write: Write };

interface CompiledTable {
  readonly id: number;
  readonly shape: RowBufferShape;
  readonly input: Source;
  /** A statement runs to its end whether or not somebody reads it. */
  readonly isStatement: boolean;
}

export function compileWith(
  tables: readonly (readonly [WithTablePlan, WithSource])[],
  input: Source,
): Source {
  const compiled = tables.map(
    ([table, source]): CompiledTable => ({
      id: table.id,
      shape: rowBufferShape(table.columns),
      input: compileTable(table, source),
      isStatement: source.kind === 'statement',
    }),
  );
  return function* withTables(context): Stream {
    const { tables: stored } = nestedOf(context);
    const own: StoredRows[] = [];
    try {
      for (const table of compiled) {
        const rows = new StoredRows(context, table.shape, table.input(context));
        own.push(rows);
        stored.set(table.id, rows);
      }
      yield* input(context);
      for (const [i, { isStatement }] of compiled.entries()) {
        if (isStatement) yield* must(own[i], 'all tables have begun').finish();
      }
    } finally {
      for (const rows of own) rows.close();
    }
  };
}

export function compileWithScan({
  places,
  table,
  working,
}: Extract<QueryPlan, { readonly kind: 'withScan' }>): Source {
  return function* withScan(context): Stream {
    const nested = nestedOf(context);
    const rows = must((working ? nested.working : nested.tables).get(table), 'WITH comes before');
    for (const batch of rows.read()) {
      yield batch === pause
        ? pause
        : batch.map((row) => places.map((place) => row[place] as Value));
    }
  };
}

function compileTable({ id, columns, source }: WithTablePlan, compiled: WithSource): Source {
  switch (compiled.kind) {
    case 'query':
      return compiled.input;
    case 'recursive': {
      const all = source.kind === 'recursive' && source.all;
      return compileRecursive(id, columns, all, compiled);
    }
    case 'statement':
      return (context) => compiled.write(context, { count: 0 });
    default:
      return unreachable(compiled);
  }
}

/** The rows of `first`, then those that `next` makes of the rows that were new, until there are none. */
function compileRecursive(
  id: number,
  columns: WithTablePlan['columns'],
  all: boolean,
  { first, next }: { readonly first: Source; readonly next: Source },
): Source {
  const shape = rowBufferShape(columns);
  const keyOf = all ? undefined : compileRowKey(columns.map(({ type }) => type));
  return function* recursive(context): Stream {
    const { working } = nestedOf(context);
    const held = new Held(context);
    const seen = new Set<HashKey | null>();
    const fresh = (row: Row): boolean => {
      if (keyOf === undefined) return true;
      const key = keyOf(row);
      if (seen.has(key)) return false;
      seen.add(key);
      held.add(mapEntryBytes);
      return true;
    };
    let rows = new StoredRows(context, shape);
    const open = [rows];
    try {
      yield* gather(first(context), rows, fresh, context);
      while (rows.count > 0) {
        working.set(id, rows);
        const following = new StoredRows(context, shape);
        open.push(following);
        yield* gather(next(context), following, fresh, context);
        rows.close();
        rows = following;
      }
    } finally {
      for (const one of open) one.close();
      held.free();
    }
  };
}

/** Gives the rows that are new and adds them to `rows`. */
function* gather(
  stream: Stream,
  rows: StoredRows,
  fresh: (row: Row) => boolean,
  context: ExecutionContext,
): Stream {
  for (const batch of stream) {
    if (batch === pause) {
      yield pause;
      continue;
    }
    const added = batch.filter(fresh);
    rows.add(added);
    if (added.length > 0) yield added;
    if (context.turnIsOver()) yield pause;
  }
}
