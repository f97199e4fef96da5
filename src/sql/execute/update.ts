/** UPDATE and DELETE with RETURNING. */
import { must } from '../../base/assert.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { PartitionedTarget } from '../plan/partitions.js';
import type { Relation, RelationColumn } from '../plan/relation.js';
import type { DataStatement } from '../plan/statement.js';
import { rowNumberColumn } from '../rewrite/index.js';
import type { Row, Value } from '../types/index.js';
import { compileAssignments } from './assignments.js';
import type { ExecutionContext } from './execution.js';
import { compileReturning } from './returning.js';
import { scopeOf, slotOf } from './scope.js';
import type { StatementEnd } from './statement-end.js';
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
  const targetOf = compileTarget(statement, writers, columns);
  const assign = compileAssignments(statement.assignments, table, scopeOf(columns, table.database));
  const giveBack = returning && compileReturning(returning, table, columns);
  return compileChanges(writers, input, (from, context, tally, end) => {
    const target = targetOf(from);
    // A join may meet a row more than once: the first match counts.
    if (context.buffer.writtenByStatement(target.stored.key)) return undefined;
    const changed: Value[] = [...target.row];
    for (const { slot, value } of assign) changed[slot] = value(from, context);
    const now = changeRow(writers, target, changed, context, end);
    tally.count += 1;
    return giveBack?.(
      { row: now.row, old: target.row, now: now.row, leaf: now.leaf },
      from,
      context,
    );
  });
}

/**
 * Writes the target's row as it is changed, in its order; in another leaf where it belongs there now.
 * Gives the row as it is written.
 */
export function changeRow(
  writers: Writers,
  { writer, stored }: Target,
  changed: Value[],
  context: ExecutionContext,
  end: StatementEnd,
): { readonly row: Row; readonly leaf: TableDescriptor } {
  const { places } = writers;
  const leaf = writer.table;
  if (places === undefined) {
    writer.check(changed, context);
    writer.update(stored, changed, context, end);
    return { row: changed, leaf };
  }
  const place = places.place(changed, context);
  place.writer.check(place.row, context);
  if (place.writer === writer) {
    writer.update(stored, place.row, context, end);
  } else {
    writer.delete(stored, context, end);
    place.writer.insert(place.row, context, end);
  }
  return { row: places.toTarget(place.writer, place.row), leaf: place.writer.table };
}

export function compileDelete(
  statement: DeleteStatement,
  input: Source,
  columns: readonly RelationColumn[],
): Write {
  const { table, returning } = statement;
  const writers = new Writers(statement.rules);
  const targetOf = compileTarget(statement, writers, columns);
  const giveBack = returning && compileReturning(returning, table, columns);
  return compileChanges(writers, input, (from, context, tally, end) => {
    const { writer, stored, row } = targetOf(from);
    if (context.buffer.writtenByStatement(stored.key)) return undefined;
    writer.delete(stored, context, end);
    tally.count += 1;
    return giveBack?.({ row, old: row, now: undefined, leaf: writer.table }, from, context);
  });
}

/** A row that is changed. */
export interface Target {
  /** Of the table that it lies in. */
  readonly writer: TableWriter;
  /** In the order of that table. */
  readonly stored: StoredRow;
  /** In the order of the statement's table. */
  readonly row: Row;
}

/**
 * Finds the target in a row of the statement's input, which begins with the columns of the table. It
 * is whole, but for columns that the plan has found nobody to read: those are NULL.
 */
export function compileTarget(
  statement: {
    readonly table: TableDescriptor;
    readonly input: Relation;
    readonly partitioned?: PartitionedTarget | undefined;
  },
  writers: Writers,
  columns: readonly RelationColumn[],
): (from: Row) => Target {
  const { table, input, partitioned } = statement;
  const slots = table.columns.map((_, i) => {
    const { column } = must(input.columns[i], 'the input begins with the columns of the table');
    return columns.findIndex((candidate) => candidate.column === column);
  });
  const rowOf = (from: Row): Row => slots.map((slot) => (slot < 0 ? null : (from[slot] as Value)));
  const scope = scopeOf(columns, table.database);
  const { places } = writers;
  if (partitioned !== undefined && places !== undefined) {
    const leafSlot = slotOf(scope, partitioned.leaf);
    const numberSlot = slotOf(scope, partitioned.number);
    return (from) => {
      const row = rowOf(from);
      const writer = places.leaf(from[leafSlot] ?? null);
      const own = places.toLeaf(writer, row);
      const key = writer.hasKey
        ? writer.keyOf(own)
        : writer.keyOfNumber(from[numberSlot] as bigint);
      return { writer, row, stored: { key, row: own } };
    };
  }
  const writer = writers.target;
  if (writer.hasKey) {
    return (from) => {
      const row = rowOf(from);
      return { writer, row, stored: { row, key: writer.keyOf(row) } };
    };
  }
  const numberSlot = slotOf(scope, rowNumberColumn);
  return (from) => {
    const row = rowOf(from);
    const key = writer.keyOfNumber(from[numberSlot] as bigint);
    return { writer, row, stored: { row, key } };
  };
}
