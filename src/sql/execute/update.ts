/** UPDATE and DELETE with RETURNING. */
import { must } from '../../base/assert.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { Relation, RelationColumn } from '../plan/relation.js';
import type { DataStatement } from '../plan/statement.js';
import { rowNumberColumn } from '../rewrite/index.js';
import type { Row, Value } from '../types/index.js';
import { compileAssignments } from './assignments.js';
import { compileReturning } from './returning.js';
import { scopeOf, slotOf } from './scope.js';
import type { Source } from './stream.js';
import type { StoredRow, TableWriter } from './table-writer.js';
import { compileChanges, type Write } from './write.js';
import { Writers } from './writers.js';

type UpdateStatement = Extract<DataStatement, { readonly kind: 'update' }>;
type DeleteStatement = Extract<DataStatement, { readonly kind: 'delete' }>;

/** `columns` are those of `input`'s rows, among them all of the table and its row numbers. */
export function compileUpdate(
  statement: UpdateStatement,
  input: Source,
  columns: readonly RelationColumn[],
): Write {
  const { table, returning } = statement;
  const writers = new Writers(statement.rules);
  const writer = writers.target;
  const targetOf = compileTarget(statement, writer, columns);
  const assign = compileAssignments(statement.assignments, table, scopeOf(columns, table.database));
  const giveBack = returning && compileReturning(returning, table, columns);
  return compileChanges(writers, input, (from, context, tally, end) => {
    const target = targetOf(from);
    // A join may meet a row more than once: the first match counts.
    if (context.buffer.writtenByStatement(target.key)) return undefined;
    const changed: Value[] = [...target.row];
    for (const { slot, value } of assign) changed[slot] = value(from, context);
    writer.check(changed, context);
    writer.update(target, changed, context, end);
    tally.count += 1;
    return giveBack?.({ row: changed, old: target.row, now: changed }, from, context);
  });
}

export function compileDelete(
  statement: DeleteStatement,
  input: Source,
  columns: readonly RelationColumn[],
): Write {
  const { table, returning } = statement;
  const writers = new Writers(statement.rules);
  const writer = writers.target;
  const targetOf = compileTarget(statement, writer, columns);
  const giveBack = returning && compileReturning(returning, table, columns);
  return compileChanges(writers, input, (from, context, tally, end) => {
    const target = targetOf(from);
    if (context.buffer.writtenByStatement(target.key)) return undefined;
    writer.delete(target, context, end);
    tally.count += 1;
    return giveBack?.({ row: target.row, old: target.row, now: undefined }, from, context);
  });
}

/**
 * Finds the target's row and its key in a row of the statement's input, which begins with the columns
 * of the table. The row is whole, but for columns that the plan has found nobody to read: those are
 * NULL.
 */
export function compileTarget(
  { table, input }: { readonly table: TableDescriptor; readonly input: Relation },
  writer: TableWriter,
  columns: readonly RelationColumn[],
): (from: Row) => StoredRow {
  const slots = table.columns.map((_, i) => {
    const { column } = must(input.columns[i], 'the input begins with the columns of the table');
    return columns.findIndex((candidate) => candidate.column === column);
  });
  const rowOf = (from: Row): Row => slots.map((slot) => (slot < 0 ? null : (from[slot] as Value)));
  if (writer.hasKey) {
    return (from) => {
      const row = rowOf(from);
      return { row, key: writer.keyOf(row) };
    };
  }
  const numberSlot = slotOf(scopeOf(columns, table.database), rowNumberColumn);
  return (from) => ({
    row: rowOf(from),
    key: writer.keyOfNumber(from[numberSlot] as bigint),
  });
}
