/** UPDATE and DELETE. */
import { must } from '../../base/assert.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import { right } from '../catalogue/index.js';
import { type ast, fields } from '../parse/index.js';
import type { PartitionedTarget } from '../plan/partitions.js';
import type { DataStatement } from '../plan/statement.js';
import { bindAssignments } from './assignments.js';
import type { BindContext } from './context.js';
import type { Clause } from './expression.js';
import type { EntryNeeds } from './needs.js';
import { bindFrom, crossJoin, findTable, type From, tableFrom } from './from.js';
import { bindReturning } from './returning.js';
import { filtered } from './select.js';
import { bindWriteRules } from './table-rules.js';

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
  const rows = rowsToChange(context, reference, read.fromClause, right.update);
  const { table, from, partitioned } = rows;
  const clause: Clause = { scope: from.scope, name: 'UPDATE', aggregates: undefined };
  const assignments = bindAssignments(context, table, clause, read.targetList);
  for (const { position } of assignments) rows.needs.updated.add(position);
  const input = filtered(context, from.scope, from.relation, read.whereClause);
  const returning = bindReturning(
    context,
    read.returningClause,
    table,
    reference,
    rows.others?.scope,
  );
  const rules = bindWriteRules(context, table);
  return { kind: 'update', table, rules, input, assignments, returning, partitioned };
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
  const rows = rowsToChange(context, reference, read.usingClause, right.delete);
  const { table, from, partitioned } = rows;
  const input = filtered(context, from.scope, from.relation, read.whereClause);
  const returning = bindReturning(
    context,
    read.returningClause,
    table,
    reference,
    rows.others?.scope,
  );
  const rules = bindWriteRules(context, table);
  return { kind: 'delete', table, rules, input, returning, partitioned };
}

interface ChangedRows {
  readonly table: TableDescriptor;
  readonly partitioned: PartitionedTarget | undefined;
  /** The table and what FROM or USING joins to it. */
  readonly from: From;
  readonly others: From | undefined;
  readonly needs: EntryNeeds;
}

function rowsToChange(
  context: BindContext,
  reference: ast.RangeVar,
  nodes: readonly ast.Node[] | undefined,
  rights: number,
): ChangedRows {
  const table = findTable(context, reference);
  const target = tableFrom(context, table, reference.alias, rights);
  context.needs.setTarget(reference, target.needs);
  const { partitioned, needs } = target;
  if (nodes === undefined) return { table, partitioned, needs, from: target, others: undefined };
  const others = bindFrom(context, nodes, target.scope);
  return { table, partitioned, needs, from: crossJoin(context, target, others), others };
}
