/** UPDATE and DELETE with RETURNING. */
import { must } from '../../base/assert.js';
import type { RelationColumn } from '../plan/relation.js';
import type { DataStatement } from '../plan/statement.js';
import { rowNumberColumn } from '../rewrite/index.js';
import type { Row, Value } from '../types/index.js';
import { compileAssignments } from './assignments.js';
import type { ExecutionContext } from './execution.js';
import { changeRows, type Write } from './write.js';
import { compileReturning } from './returning.js';
import { scopeOf, slotOf } from './scope.js';
import { Held, pause, rowSizer, rowsPerLook, type Source, type Stream } from './stream.js';
import { TableWriter } from './table-writer.js';

type UpdateStatement = Extract<DataStatement, { readonly kind: 'update' }>;
type DeleteStatement = Extract<DataStatement, { readonly kind: 'delete' }>;

/** A row that gets another key: it is put when the statement has deleted all old ones. */
interface Moved {
  readonly key: Uint8Array;
  readonly row: Row;
}

/** `columns` are those of `input`'s rows, among them all of the table and its row numbers. */
export function compileUpdate(
  statement: UpdateStatement,
  input: Source,
  columns: readonly RelationColumn[],
): Write {
  const { table, returning } = statement;
  const writer = new TableWriter(table);
  const target = compileTarget(statement, writer, columns);
  const assign = compileAssignments(statement.assignments, table, scopeOf(columns, table.database));
  const giveBack = returning && compileReturning(returning, table, columns);
  const sizeOfInput = rowSizer(columns);

  return function* update(context, tally): Stream {
    context.buffer.touch(table.object, table.version);
    const held = new Held(context);
    const moved: Moved[] = [];
    const updateRow = (row: Row): Row | undefined => {
      const old = target.row(row);
      const key = target.key(old, row);
      // A join may meet a row more than once: the first match counts.
      if (context.buffer.writtenByStatement(key)) return undefined;
      const changed = [...old];
      for (const { slot, value } of assign) changed[slot] = value(row, context);
      writer.checkNotNull(changed, context);
      const newKey = writer.hasKey ? writer.keyOf(changed) : key;
      if (sameBytes(key, newKey)) {
        writer.put(key, changed, context);
      } else {
        context.buffer.delete(key);
        held.add(sizeOfInput(row) + newKey.length);
        moved.push({ key: newKey, row: changed });
      }
      tally.count += 1;
      return giveBack?.(changed, row, context);
    };
    try {
      yield* changeRows(input(context), updateRow, context);
      yield* putMoved(moved, writer, context);
    } finally {
      held.free();
    }
  };
}

export function compileDelete(
  statement: DeleteStatement,
  input: Source,
  columns: readonly RelationColumn[],
): Write {
  const { table, returning } = statement;
  const target = compileTarget(statement, new TableWriter(table), columns);
  const giveBack = returning && compileReturning(returning, table, columns);
  return function* remove(context, tally): Stream {
    context.buffer.touch(table.object, table.version);
    const deleteRow = (row: Row): Row | undefined => {
      const old = target.row(row);
      const key = target.key(old, row);
      if (context.buffer.writtenByStatement(key)) return undefined;
      context.buffer.delete(key);
      tally.count += 1;
      return giveBack?.(old, row, context);
    };
    yield* changeRows(input(context), deleteRow, context);
  };
}

/** Finds the target's row and its key in a row of the statement's input. */
interface Target {
  /** Whole, but for columns that the plan has found nobody to read: those are NULL. */
  row(input: Row): Row;
  key(row: Row, input: Row): Uint8Array;
}

function compileTarget(
  { table, input }: UpdateStatement | DeleteStatement,
  writer: TableWriter,
  columns: readonly RelationColumn[],
): Target {
  const slots = table.columns.map((_, i) => {
    const { column } = must(input.columns[i], 'the input begins with the columns of the table');
    return columns.findIndex((candidate) => candidate.column === column);
  });
  const row = (from: Row): Row => slots.map((slot) => (slot < 0 ? null : (from[slot] as Value)));
  if (writer.hasKey) return { row, key: (found) => writer.keyOf(found) };
  const numberSlot = slotOf(scopeOf(columns, table.database), rowNumberColumn);
  return { row, key: (_, from) => writer.keyOfNumber(from[numberSlot] as bigint) };
}

/**
 * Puts rows under their new keys. All old keys are deleted by now, so `SET id = id + 1` collides
 * only with rows that stay.
 */
function* putMoved(
  moved: readonly Moved[],
  writer: TableWriter,
  context: ExecutionContext,
): Stream {
  for (const [i, { key, row }] of moved.entries()) {
    if (context.buffer.getLatest(key) !== undefined) writer.raiseDuplicate(row, context);
    writer.put(key, row, context);
    if (i % rowsPerLook !== rowsPerLook - 1) continue;
    if (context.turnIsOver()) yield pause;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || Buffer.compare(a, b) === 0;
}
