/** RETURNING: a result row for each changed row. */
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { RelationColumn } from '../plan/relation.js';
import type { Returning } from '../plan/statement.js';
import type { Row } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileProjection } from './row-operators.js';
import { slotOfPosition } from './table-writer.js';

/** `row` is the changed row, whole; `input` the row of the statement's input behind it. */
export type GiveBack = (row: Row, input: Row, context: ExecutionContext) => Row;

/** The expressions may also read the columns of the statement's input, FROM's and USING's. */
export function compileReturning(
  returning: Returning,
  table: TableDescriptor,
  inputColumns: readonly RelationColumn[],
): GiveBack {
  const slots = new Map<number, number>();
  for (const [i, { column }] of inputColumns.entries()) slots.set(column, table.columns.length + i);
  for (const { column, position } of returning.row) {
    slots.set(column, slotOfPosition(table, position));
  }
  const project = compileProjection(returning.expressions, { slots, database: table.database });
  return (row, input, context) => project([...row, ...input], context);
}
