/**
 * FOR UPDATE and FOR SHARE. Under "the first committer wins" a lock is a claim that is looked at when
 * the transaction commits: an exclusive one writes the row as it is, so that it conflicts with whoever
 * changes or claims it too; a shared one only asks that nobody has changed it.
 */
import type { DatabaseId } from '../../base/ids.js';
import type { RelationColumn } from '../plan/relation.js';
import type { RowLock } from '../plan/subquery.js';
import { KeyEncoder } from '../storage-format/index.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { scopeOf, slotOf } from './scope.js';
import { pause, rowsPerLook, type Source, type Stream } from './stream.js';

/** One row at a time, so that a LIMIT above claims none that it does not want. */
export function compileLockRows(
  locks: readonly RowLock[],
  input: Source,
  columns: readonly RelationColumn[],
  database: DatabaseId | undefined,
): Source {
  const scope = scopeOf(columns, database);
  const compiled = locks.map(({ table, shared, key }) => ({
    table,
    shared,
    slots: key.map((column) => slotOf(scope, column)),
    encoder: new KeyEncoder(table),
  }));
  const lockRow = (row: Row, context: ExecutionContext): void => {
    for (const { table, shared, slots, encoder } of compiled) {
      encoder.begin();
      for (const slot of slots) encoder.add(row[slot] as Value);
      claim(encoder.finish(), shared, context);
      context.buffer.touch(table.object, table.version);
    }
  };
  return function* lock(context): Stream {
    let locked = 0;
    for (const batch of input(context)) {
      if (batch === pause) {
        yield pause;
        continue;
      }
      for (const row of batch) {
        lockRow(row, context);
        yield [row];
        locked += 1;
        if (locked % rowsPerLook === 0 && context.turnIsOver()) yield pause;
      }
    }
  };
}

function claim(key: Uint8Array, shared: boolean, { buffer }: ExecutionContext): void {
  if (shared) {
    buffer.guard(key);
    return;
  }
  if (buffer.writtenByStatement(key)) return;
  const value = buffer.get(key);
  if (value !== undefined) buffer.put(key, value.slice());
}
