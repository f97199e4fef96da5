/** Where expressions find columns in rows, and what they are compiled to. */
import { must } from '../../base/assert.js';
import type { DatabaseId } from '../../base/ids.js';
import type { ColumnId } from '../plan/expression.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';

/** The value of an expression for a row. */
export type Evaluate = (row: Row, context: ExecutionContext) => Value;
/** Whether a condition is true for a row: neither false nor NULL. */
export type Test = (row: Row, context: ExecutionContext) => boolean;

/** What the names in an expression stand for. */
export interface Scope {
  /** Where a row has each column. */
  readonly slots: ReadonlyMap<ColumnId, number>;
  /** The database of the statement's sequences. */
  readonly database: DatabaseId | undefined;
}

/** The scope of rows with these columns in this order. */
export function scopeOf(
  columns: readonly { readonly column: ColumnId }[],
  database: DatabaseId | undefined,
): Scope {
  return { slots: new Map(columns.map(({ column }, slot) => [column, slot])), database };
}

export function slotOf(scope: Scope, column: ColumnId): number {
  return must(scope.slots.get(column), `column ${column} is not among the input's columns`);
}
