/** UPDATE and DELETE. */
import { must } from '../../base/assert.js';
import type { ColumnDescriptor, TableDescriptor } from '../catalogue/descriptor.js';
import { as, type ast, fields, locationOf, notSupported, the } from '../parse/index.js';
import type { Assignment, DataStatement } from '../plan/statement.js';
import {
  assigned,
  bindReturning,
  columnNamed,
  defaultOf,
  isDefault,
  refuseGenerated,
} from './assign.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause, nodeLocation } from './expression.js';
import { bindFrom, crossJoin, findTable, type From, tableRelation, tableScope } from './from.js';
import { joinScopes } from './scope.js';
import { filtered } from './select.js';

export function bindUpdate(
  context: BindContext,
  body: ast.UpdateStmt,
): Extract<DataStatement, { kind: 'update' }> {
  const read = fields(context.source, 'UpdateStmt', body, [
    'relation',
    'targetList',
    'whereClause',
    'fromClause',
    'returningClause',
  ]);
  const reference = must(read.relation, 'UPDATE names a table');
  const rows = rowsToChange(context, reference, read.fromClause);
  const { table, from } = rows;
  const clause: Clause = { scope: from.scope, name: 'UPDATE', aggregates: undefined };
  const assignments = bindAssignments(context, table, clause, read.targetList);
  const input = filtered(context, from.scope, from.relation, read.whereClause);
  const returning = returningOver(context, reference, rows, read.returningClause);
  return { kind: 'update', table, input, assignments, returning };
}

export function bindDelete(
  context: BindContext,
  body: ast.DeleteStmt,
): Extract<DataStatement, { kind: 'delete' }> {
  const read = fields(context.source, 'DeleteStmt', body, [
    'relation',
    'usingClause',
    'whereClause',
    'returningClause',
  ]);
  const reference = must(read.relation, 'DELETE names a table');
  const rows = rowsToChange(context, reference, read.usingClause);
  const { table, from } = rows;
  const input = filtered(context, from.scope, from.relation, read.whereClause);
  const returning = returningOver(context, reference, rows, read.returningClause);
  return { kind: 'delete', table, input, returning };
}

interface ChangedRows {
  readonly table: TableDescriptor;
  /** The table and what FROM or USING joins to it. */
  readonly from: From;
  readonly others: From | undefined;
}

function rowsToChange(
  context: BindContext,
  reference: ast.RangeVar,
  nodes: readonly ast.Node[] | undefined,
): ChangedRows {
  const table = findTable(context, reference);
  const relation = tableRelation(context, table);
  const target: From = { relation, scope: tableScope(context, relation, reference.alias) };
  if (nodes === undefined) return { table, from: target, others: undefined };
  const others = bindFrom(context, nodes);
  return { table, from: crossJoin(context, target, others), others };
}

/** The table's columns are those of the changed row, the others those of the input. */
function returningOver(
  context: BindContext,
  reference: ast.RangeVar,
  { table, others }: ChangedRows,
  clause: ast.ReturningClause | undefined,
): ReturnType<typeof bindReturning> {
  const row = tableRelation(context, table);
  const scope = tableScope(context, row, reference.alias);
  const whole = others === undefined ? scope : joinScopes(context, scope, others.scope);
  return bindReturning(context, clause, row, whole);
}

/** SET of UPDATE and of ON CONFLICT DO UPDATE. */
export function bindAssignments(
  context: BindContext,
  table: TableDescriptor,
  clause: Clause,
  nodes: readonly ast.Node[] | undefined,
): Assignment[] {
  const seen = new Set<number>();
  return (nodes ?? []).map((node) => {
    const body = the(node, 'ResTarget');
    const { name = '', val } = fields(context.source, 'ResTarget', body, ['name', 'val']);
    const at = locationOf(body);
    const column = columnNamed(context, table, name, at);
    if (seen.has(column.position)) {
      const text = `multiple assignments to same column "${name}"`;
      context.raise(undefined, 'syntax_error', text);
    }
    seen.add(column.position);
    const value = assignedNode(context, must(val, 'SET has a value'));
    return { position: column.position, expression: bindValue(context, clause, column, value) };
  });
}

function bindValue(
  context: BindContext,
  clause: Clause,
  column: ColumnDescriptor,
  node: ast.Node,
): Assignment['expression'] {
  if (isDefault(node)) return defaultOf(context, column);
  const value = assigned(context, column, bindExpression(context, clause, node));
  refuseGenerated(context, column, 'update');
  return value;
}

/** `SET (a, b) = (1, 2)` gives each column its own entry of the row. */
function assignedNode(context: BindContext, node: ast.Node): ast.Node {
  const multiple = as(node, 'MultiAssignRef');
  if (multiple === undefined) return node;
  const {
    source,
    colno = 1,
    ncolumns,
  } = fields(context.source, 'MultiAssignRef', multiple, ['source', 'colno', 'ncolumns']);
  const row = as(source, 'RowExpr');
  if (row === undefined) {
    notSupported(
      context.source,
      'assignment of a subquery to several columns',
      source && nodeLocation(source),
    );
  }
  const { args = [] } = fields(context.source, 'RowExpr', row, ['args', 'row_format']);
  if (args.length !== ncolumns) {
    const text = 'number of columns does not match number of values';
    context.raise(locationOf(row), 'syntax_error', text);
  }
  return must(args[colno - 1], 'a value per column');
}
