/** Lets UPDATE and DELETE see the hidden numbers of the rows of a table without primary key. */
import type { ColumnId, ExpressionType } from '../plan/expression.js';
import { mapInputs, type Plan } from './plan.js';

/** The column of row numbers. Columns that the binder names are not negative. */
export const rowNumberColumn: ColumnId = -1;
const type: ExpressionType = { name: 'int8', modifier: -1 };

/** The plan whose rows also have the row numbers of its first scan: the table to be changed. */
export function showRowNumbers(plan: Plan): Plan {
  switch (plan.kind) {
    case 'scan':
      return {
        ...plan,
        columns: [...plan.columns, { column: rowNumberColumn, name: 'row number', type }],
        positions: [...plan.positions, 0],
      };
    case 'join':
    case 'apply':
      return { ...plan, left: showRowNumbers(plan.left) };
    case 'project': {
      const expression = { kind: 'column', type, column: rowNumberColumn } as const;
      const shown = { column: rowNumberColumn, name: 'row number', expression };
      const input = showRowNumbers(plan.input);
      return { ...plan, input, expressions: [...plan.expressions, shown] };
    }
    case 'with':
      return { ...plan, input: showRowNumbers(plan.input) };
    default:
      return mapInputs(plan, showRowNumbers);
  }
}
