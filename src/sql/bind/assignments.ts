/** SET of UPDATE, of ON CONFLICT DO UPDATE and of MERGE. */
import { must } from '../../base/assert.js';
import type { ColumnDescriptor, TableDescriptor } from '../catalogue/descriptor.js';
import { as, type ast, fields, locationOf, the } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import type { Assignment } from '../plan/statement.js';
import { assigned, columnNamed, defaultOf, isDefault, refuseGenerated } from './assign.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause, nodeLocation } from './expression.js';
import { bindEntry } from './record.js';
import { bindRowSubquery } from './subquery.js';
import { assignedPart } from './part.js';

/** The value of one column of SET: an expression or DEFAULT. */
type Given = Expression | 'default';

export function bindAssignments(
  context: BindContext,
  table: TableDescriptor,
  clause: Clause,
  nodes: readonly ast.Node[] | undefined,
): Assignment[] {
  const assignments = new Map<number, { expression: Expression; inPart: boolean }>();
  let row: readonly Given[] = [];
  for (const node of nodes ?? []) {
    const body = the(node, 'ResTarget');
    const read = fields(context.source, 'ResTarget', body, ['name', 'val', 'indirection']);
    const { name = '', indirection = [] } = read;
    const at = locationOf(body);
    const column = targetColumn(context, table, clause, {
      name,
      isPart: indirection.length > 0,
      at,
    });
    const value = must(read.val, 'SET has a value');
    const multiple = as(value, 'MultiAssignRef');
    // The tree repeats the row at each of its columns, which come one after the other.
    if (multiple?.colno === 1) row = bindRowSource(context, clause, multiple);
    const given =
      multiple === undefined
        ? isDefault(value)
          ? 'default'
          : bindExpression(context, clause, value)
        : must(row[(multiple.colno ?? 1) - 1], 'a value per column');
    const before = assignments.get(column.position);
    const inPart = indirection.length > 0;
    if (before !== undefined && !(inPart && before.inPart)) {
      const text = `multiple assignments to same column "${name}"`;
      context.raise(undefined, 'syntax_error', text);
    }
    const expression = inPart
      ? assignedPart(context, clause, {
          column,
          path: indirection,
          given,
          before: before?.expression ?? columnNow(context, clause, table, column),
          at,
        })
      : assignedWhole(context, column, given);
    assignments.set(column.position, { expression, inPart });
  }
  return [...assignments].map(([position, { expression }]) => ({ position, expression }));
}

/** The column that SET names. Raises 42703, with a hint where the name of the table stands before it. */
function targetColumn(
  context: BindContext,
  table: TableDescriptor,
  { scope }: Clause,
  { name, isPart, at }: { name: string; isPart: boolean; at: number | undefined },
): ColumnDescriptor {
  const column = table.columns.find((one) => one.name === name);
  if (column === undefined && isPart && scope.relations[0]?.name === name) {
    const text = `column "${name}" of relation "${table.name}" does not exist`;
    const hint = 'SET target columns cannot be qualified with the relation name.';
    context.raise(at, 'undefined_column', text, { hint });
  }
  return column ?? columnNamed(context, table, name, at);
}

function assignedWhole(context: BindContext, column: ColumnDescriptor, given: Given): Expression {
  if (given === 'default') return defaultOf(context, column);
  const value = assigned(context, column, given);
  refuseGenerated(context, column, 'update');
  return value;
}

/** The column of the row that is changed: SET's own table is the first in its scope. */
function columnNow(
  context: BindContext,
  { scope }: Clause,
  table: TableDescriptor,
  column: ColumnDescriptor,
): Expression {
  const target = must(scope.relations[0], 'the table that is changed comes first');
  const found = target.columns[table.columns.indexOf(column)];
  if (found === undefined) {
    context.raise(undefined, 'undefined_column', `column "${column.name}" does not exist`);
  }
  return found.expression;
}

/** `SET (a, b) = (1, 2)` and `= (SELECT ...)` give each column its own value. */
function bindRowSource(
  context: BindContext,
  clause: Clause,
  body: ast.MultiAssignRef,
): readonly Given[] {
  const { source, ncolumns = 1 } = fields(context.source, 'MultiAssignRef', body, [
    'source',
    'colno',
    'ncolumns',
  ]);
  const at = source && nodeLocation(source);
  const subquery = as(source, 'SubLink');
  if (subquery?.subLinkType === 'EXPR_SUBLINK') {
    const columns = bindRowSubquery(context, clause, subquery);
    checkWidth(context, columns.length, ncolumns, at);
    return columns;
  }
  const row = as(source, 'RowExpr');
  if (row === undefined) {
    const text =
      'source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression';
    context.raise(at, 'feature_not_supported', text);
  }
  const { args = [] } = fields(context.source, 'RowExpr', row, ['args', 'row_format']);
  const given = args.flatMap((entry): Given[] =>
    isDefault(entry) ? ['default'] : bindEntry(context, clause, entry),
  );
  checkWidth(context, given.length, ncolumns, at);
  return given;
}

function checkWidth(
  context: BindContext,
  count: number,
  wanted: number,
  at: number | undefined,
): void {
  if (count === wanted) return;
  const text = 'number of columns does not match number of values';
  context.raise(at, 'syntax_error', text);
}
