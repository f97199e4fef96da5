/** SET: new values for columns of a row. */
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { Assignment } from '../plan/statement.js';
import { compileExpression } from './expression.js';
import type { Evaluate, Scope } from './scope.js';
import { slotOfPosition } from './row-text.js';

export interface CompiledAssignment {
  /** Where a whole row of the table has the column. */
  readonly slot: number;
  readonly value: Evaluate;
}

export function compileAssignments(
  assignments: readonly Assignment[],
  table: TableDescriptor,
  scope: Scope,
): readonly CompiledAssignment[] {
  return assignments.map(({ position, expression }) => ({
    slot: slotOfPosition(table, position),
    value: compileExpression(expression, scope),
  }));
}
