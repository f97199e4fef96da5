/** MERGE as PostgreSQL 15 has it: RETURNING and NOT MATCHED BY SOURCE came later. */
import { must } from '../../base/assert.js';
import type { ColumnDescriptor, TableDescriptor } from '../catalogue/descriptor.js';
import { right } from '../catalogue/index.js';
import { type ast, fields, locationOf, notSupported, the } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import type { MergeBranch, MergeStatement } from '../plan/merge.js';
import type { JoinKind } from '../plan/relation.js';
import type { Assignment } from '../plan/statement.js';
import { assigned, columnNamed, defaultOf, isDefault, refuseGenerated } from './assign.js';
import { bindAssignments } from './assignments.js';
import { coerceToBool } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause, nodeLocation } from './expression.js';
import { bindFrom, findTable, tableFrom } from './from.js';
import type { EntryNeeds } from './needs.js';
import { joinScopes, type Scope } from './scope.js';
import { bindWriteRules } from './table-rules.js';

/** What the branches may name. */
interface Scopes {
  readonly table: TableDescriptor;
  readonly both: Scope;
  readonly source: Scope;
}

export function bindMerge(context: BindContext, body: ast.MergeStmt): MergeStatement {
  const read = fields(context.source, 'MergeStmt', body, [
    'relation',
    'sourceRelation',
    'joinCondition',
    'mergeWhenClauses',
  ]);
  const reference = must(read.relation, 'MERGE names a table');
  const table = findTable(context, reference);
  const target = tableFrom(context, table, reference.alias, 0);
  context.needs.setTarget(table, target.needs);
  const source = bindFrom(context, [must(read.sourceRelation, 'MERGE has a source')]);
  const own = target.scope.relations[0]?.name;
  if (source.scope.relations.some(({ name }) => name === own)) {
    context.raise(undefined, 'duplicate_alias', `name "${own}" specified more than once`, {
      detail: 'The name is used both as MERGE target table and data source.',
    });
  }
  const both = joinScopes(context, target.scope, source.scope);
  const clause: Clause = { scope: both, name: 'MERGE', aggregates: undefined };
  const join = must(read.joinCondition, 'MERGE has a condition');
  const condition = coerceToBool(context, bindExpression(context, clause, join), 'JOIN/ON');
  const clauses = (read.mergeWhenClauses ?? []).map((node) => the(node, 'MergeWhenClause'));
  checkReachable(context, clauses);
  const scopes = { table, both, source: source.scope };
  const branches = clauses.map((when) => bindBranch(context, scopes, when));
  for (const branch of branches) needBranch(target.needs, branch.action);
  const inserts = branches.some(({ matched }) => !matched);
  const kind: JoinKind = inserts ? 'right' : 'inner';
  return {
    kind: 'merge',
    table,
    rules: bindWriteRules(context, table),
    input: {
      kind: 'join',
      columns: [...target.relation.columns, ...source.relation.columns],
      join: kind,
      left: target.relation,
      right: source.relation,
      condition,
    },
    branches,
    partitioned: target.partitioned,
  };
}

function needBranch(needs: EntryNeeds, action: MergeBranch['action']): void {
  switch (action.kind) {
    case 'delete':
      needs.rights |= right.delete;
      return;
    case 'update':
      needs.rights |= right.update;
      for (const { position } of action.assignments) needs.updated.add(position);
      return;
    case 'insert':
      needs.rights |= right.insert;
      return;
    case 'nothing':
      return;
    default:
      action satisfies never;
  }
}

/** Raises 42601 for a branch behind one of its kind that takes all rows. */
function checkReachable(context: BindContext, clauses: readonly ast.MergeWhenClause[]): void {
  const taken = new Set<ast.MergeMatchKind | undefined>();
  for (const { matchKind, condition } of clauses) {
    if (taken.has(matchKind)) {
      const text = 'unreachable WHEN clause specified after unconditional WHEN clause';
      context.raise(undefined, 'syntax_error', text);
    }
    if (condition === undefined) taken.add(matchKind);
  }
}

function bindBranch(context: BindContext, scopes: Scopes, body: ast.MergeWhenClause): MergeBranch {
  const read = fields(context.source, 'MergeWhenClause', body, [
    'matchKind',
    'commandType',
    'override',
    'condition',
    'targetList',
    'values',
  ]);
  if (read.matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE') {
    notSupported(context.source, 'MERGE ... WHEN NOT MATCHED BY SOURCE', undefined);
  }
  const matched = read.matchKind === 'MERGE_WHEN_MATCHED';
  const { both, source, table } = scopes;
  const scope = matched ? both : source;
  const clauseOf = (name: string): Clause => ({ scope, name, aggregates: undefined });
  const { hidden } = context;
  // Where no row of the table was met its columns cannot be named.
  if (!matched) context.hidden = [...hidden, { scope: both, reason: 'place', hints: false }];
  const when = read.condition;
  const condition =
    when === undefined
      ? undefined
      : coerceToBool(context, bindExpression(context, clauseOf('MERGE WHEN AND'), when), 'WHEN');
  const action = bindAction(context, table, clauseOf('MERGE'), read);
  context.hidden = hidden;
  return { matched, condition, action };
}

function bindAction(
  context: BindContext,
  table: TableDescriptor,
  clause: Clause,
  read: ast.MergeWhenClause,
): MergeBranch['action'] {
  switch (read.commandType) {
    case 'CMD_DELETE':
      return { kind: 'delete' };
    case 'CMD_UPDATE':
      return {
        kind: 'update',
        assignments: bindAssignments(context, table, clause, read.targetList),
      };
    case 'CMD_INSERT':
      return { kind: 'insert', assignments: bindInserted(context, table, clause, read) };
    default:
      return { kind: 'nothing' };
  }
}

/** The values of a new row: those given, and the defaults of the other columns. */
function bindInserted(
  context: BindContext,
  table: TableDescriptor,
  clause: Clause,
  { targetList, values = [], override }: ast.MergeWhenClause,
): readonly Assignment[] {
  const targets = namedColumns(context, table, targetList);
  const needs = context.needs.targetOf(table);
  for (const { position } of targetList === undefined ? [] : targets) needs?.inserted.add(position);
  if (values.length > targets.length) {
    const extra = values[targets.length];
    const text = 'INSERT has more expressions than target columns';
    context.raise(extra && nodeLocation(extra), 'syntax_error', text);
  }
  if (targetList !== undefined && values.length < targets.length && values.length > 0) {
    const text = 'INSERT has more target columns than expressions';
    context.raise(undefined, 'syntax_error', text);
  }
  const given = new Map<number, Expression>();
  for (const [i, node] of values.entries()) {
    const column = must(targets[i], 'a column per value');
    given.set(column.position, bindValue(context, clause, column, node, override));
  }
  return table.columns
    .filter(({ generated }) => generated === undefined)
    .map((column) => ({
      position: column.position,
      expression: given.get(column.position) ?? defaultOf(context, column),
    }));
}

function bindValue(
  context: BindContext,
  clause: Clause,
  column: ColumnDescriptor,
  node: ast.Node,
  override: ast.OverridingKind | undefined,
): Expression {
  if (isDefault(node)) return defaultOf(context, column);
  const value = assigned(context, column, bindExpression(context, clause, node));
  if (column.identity !== undefined && override === 'OVERRIDING_USER_VALUE') {
    return defaultOf(context, column);
  }
  if (column.generated !== undefined || override !== 'OVERRIDING_SYSTEM_VALUE') {
    refuseGenerated(context, column, 'insert');
  }
  return value;
}

function namedColumns(
  context: BindContext,
  table: TableDescriptor,
  nodes: readonly ast.Node[] | undefined,
): readonly ColumnDescriptor[] {
  if (nodes === undefined) return table.columns;
  const seen = new Set<string>();
  return nodes.map((node) => {
    const body = the(node, 'ResTarget');
    const { name = '' } = fields(context.source, 'ResTarget', body, ['name']);
    const column = columnNamed(context, table, name, locationOf(body));
    if (seen.has(name)) {
      const text = `column "${name}" specified more than once`;
      context.raise(locationOf(body), 'duplicate_column', text);
    }
    seen.add(name);
    return column;
  });
}
