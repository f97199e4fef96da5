/** RETURNING: a result row for each changed row. */
import { firstOid, type TableDescriptor } from '../catalogue/index.js';
import type { RelationColumn } from '../plan/relation.js';
import type { Returning } from '../plan/statement.js';
import { NamedOid, type Row } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileProjection } from './row-operators.js';
import { slotOfPosition } from './row-text.js';

/** A changed row: as it counts (of DELETE as it was), before and after the change. */
export interface Change {
  readonly row: Row;
  readonly old: Row | undefined;
  readonly now: Row | undefined;
  /** The leaf of a partitioned table that it lies in. */
  readonly leaf?: TableDescriptor;
}

/** `input` is the row of the statement's input behind the change. */
export type GiveBack = (change: Change, input: Row, context: ExecutionContext) => Row;

/** The expressions may also read the columns of the statement's input, FROM's and USING's. */
export function compileReturning(
  returning: Returning,
  table: TableDescriptor,
  inputColumns: readonly RelationColumn[],
): GiveBack {
  const width = table.columns.length;
  const slots = new Map<number, number>();
  for (const [i, { column }] of inputColumns.entries()) slots.set(column, 3 * width + 1 + i);
  if (returning.leaf !== undefined) slots.set(returning.leaf, 3 * width);
  for (const [i, columns] of [returning.row, returning.old, returning.now].entries()) {
    for (const { column, position } of columns) {
      slots.set(column, i * width + slotOfPosition(table, position));
    }
  }
  const project = compileProjection(returning.expressions, { slots, database: table.database });
  const none: Row = table.columns.map(() => null);
  return ({ row, old, now, leaf }, input, context) => {
    const oid = leaf === undefined ? null : new NamedOid(leaf.object + firstOid, leaf.name);
    return project([...row, ...(old ?? none), ...(now ?? none), oid, ...input], context);
  };
}
