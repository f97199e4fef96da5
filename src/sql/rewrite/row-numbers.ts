/** Lets UPDATE and DELETE see the hidden numbers of the rows of a table without primary key. */
import type { ColumnId, ExpressionType } from '../plan/expression.js';
import { columnsOf, mapInputs, type Plan } from './plan.js';

/** The column of row numbers. Columns that the binder names are not negative. */
export const rowNumberColumn: ColumnId = -1;
const type: ExpressionType = { name: 'int8', modifier: -1 };

/** The plan whose rows also have the row number of the scan that gives `target`. */
export function showRowNumbers(plan: Plan, target: ColumnId | undefined): Plan {
  if (!columnsOf(plan).some(({ column }) => column === target)) return plan;
  if (plan.kind === 'scan') {
    return {
      ...plan,
      columns: [...plan.columns, { column: rowNumberColumn, name: 'row number', type }],
      positions: [...plan.positions, 0],
    };
  }
  const shown = mapInputs(plan, (input) => showRowNumbers(input, target));
  if (shown.kind !== 'project') return shown;
  const expression = { kind: 'column', type, column: rowNumberColumn } as const;
  return {
    ...shown,
    expressions: [
      ...shown.expressions,
      { column: rowNumberColumn, name: 'row number', expression },
    ],
  };
}
