/** RETURNING over the changed row, what it was and what it is, and what the statement reads beside it. */
import type { TableDescriptor } from '../catalogue/descriptor.js';
import { type ast, fields, locationOf, the } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import type { Relation } from '../plan/relation.js';
import type { Returning } from '../plan/statement.js';
import { positionsOf } from './assign.js';
import type { BindContext } from './context.js';
import { tableRelation, tableScope } from './from.js';
import { oidType } from './partitions.js';
import { joinScopes, type Scope, scopeOf } from './scope.js';
import { bindTargets } from './target.js';

/** `others` is what FROM or USING lets one name. */
export function bindReturning(
  context: BindContext,
  clause: ast.ReturningClause | undefined,
  table: TableDescriptor,
  reference: ast.RangeVar,
  others?: Scope,
): Returning | undefined {
  if (clause === undefined) return undefined;
  const { exprs, options } = fields(context.source, 'ReturningClause', clause, [
    'exprs',
    'options',
  ]);
  const row = tableRelation(context, table);
  const leaf = table.partitioning === undefined ? undefined : context.nextColumn();
  const oid: Expression | undefined =
    leaf === undefined ? undefined : { kind: 'column', type: oidType, column: leaf };
  const own = tableScope(context, row, reference.alias, oid);
  const named = others === undefined ? own : joinScopes(context, own, others);
  const versions = namesOfVersions(context, options, named);
  const old = tableRelation(context, table);
  const now = tableRelation(context, table);
  const needs = context.needs.targetOf(reference);
  if (needs !== undefined) {
    for (const one of [row, old, now]) context.needs.columns(needs, one.columns, one.positions);
  }
  const scope = withVersion(withVersion(named, old, versions.old), now, versions.now);
  const targets = bindTargets(context, { scope, name: 'RETURNING', aggregates: undefined }, exprs);
  const expressions = targets.map(({ name, expression }) => ({
    column: context.columnFor(expression),
    name,
    expression,
  }));
  const columns = expressions.map(({ column, name, expression }) => ({
    column,
    name,
    type: expression.type,
  }));
  return {
    row: positionsOf(row),
    old: positionsOf(old),
    now: positionsOf(now),
    leaf,
    expressions,
    columns,
  };
}

/** Names under which the row before and after the change can be named. */
interface VersionNames {
  readonly old: string | undefined;
  readonly now: string | undefined;
}

/** `old` and `new`, unless something else is called so or WITH gives them other names. */
function namesOfVersions(
  context: BindContext,
  options: readonly ast.Node[] | undefined,
  named: Scope,
): VersionNames {
  const given: { old?: string; now?: string } = {};
  for (const node of options ?? []) {
    const body = the(node, 'ReturningOption');
    const { option, value = '' } = fields(context.source, 'ReturningOption', body, [
      'option',
      'value',
    ]);
    const version = option === 'RETURNING_OPTION_NEW' ? 'now' : 'old';
    if (given[version] !== undefined) {
      const word = version === 'now' ? 'NEW' : 'OLD';
      const text = `${word} cannot be specified multiple times`;
      context.raise(locationOf(body), 'syntax_error', text);
    }
    if (named.relations.some(({ name }) => name === value)) {
      const text = `table name "${value}" specified more than once`;
      context.raise(locationOf(body), 'duplicate_alias', text);
    }
    given[version] = value;
  }
  const unlessTaken = (name: string): string | undefined =>
    named.relations.some((relation) => relation.name === name) ? undefined : name;
  return { old: given.old ?? unlessTaken('old'), now: given.now ?? unlessTaken('new') };
}

/** Its columns are named with qualification only. */
function withVersion(scope: Scope, version: Relation, name: string | undefined): Scope {
  if (name === undefined) return scope;
  const { relations } = scopeOf(version.columns, name);
  const versions = relations.map((relation) => ({ ...relation, isVersion: true }));
  return { ...scope, relations: [...scope.relations, ...versions] };
}
