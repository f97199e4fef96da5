/** SELECT and VALUES. */
import { must } from '../../base/assert.js';
import { type ast, fields, the } from '../parse/index.js';
import type { Expression, NamedExpression } from '../plan/expression.js';
import type { Relation, RelationColumn } from '../plan/relation.js';
import { coerce, coerceToBool, typeOf } from './coerce.js';
import type { BindContext } from './context.js';
import {
  type AggregateCollector,
  bindExpression,
  type Clause,
  nodeLocation,
} from './expression.js';
import { bindFrom, bindValues } from './from.js';
import { bindGroups, columnIn, Grouping } from './group.js';
import { bindOrder, type OrderKey } from './order.js';
import { emptyScope, type Scope } from './scope.js';
import { checkGroupable } from './sort.js';
import { bindTargets, type Target } from './target.js';

/**
 * A SELECT or VALUES statement. What nothing gives a type is text; with `open` an entry of the select
 * list may stay unknown, for INSERT to give it the column's type.
 */
export function bindQuery(context: BindContext, body: ast.SelectStmt, open = false): Relation {
  return context.nested(() =>
    body.valuesLists === undefined
      ? bindSelect(context, body, open)
      : bindValuesStatement(context, body),
  );
}

function bindSelect(context: BindContext, body: ast.SelectStmt, open: boolean): Relation {
  const read = fields(context.source, 'SelectStmt', body, [
    'distinctClause',
    'targetList',
    'fromClause',
    'whereClause',
    'groupClause',
    'havingClause',
    'sortClause',
    'limitOffset',
    'limitCount',
    'limitOption',
  ]);
  refuseTies(context, body);
  const from = bindFrom(context, read.fromClause);
  const { scope } = from;
  let input = filtered(context, scope, from.relation, read.whereClause);
  const distinct = isDistinct(context, read.distinctClause);
  const collector: AggregateCollector = { calls: [] };
  const clause = (name: string): Clause => ({ scope, name, aggregates: collector });
  const targets = bindTargets(context, clause('SELECT'), read.targetList, open && !distinct);
  const groups = bindGroups(context, scope, read.groupClause, targets, collector);
  const having =
    read.havingClause === undefined
      ? undefined
      : coerceToBool(
          context,
          bindExpression(context, clause('HAVING'), read.havingClause),
          'HAVING',
        );
  const order = bindOrder(context, clause('ORDER BY'), read.sortClause, targets, distinct);

  if (groups !== undefined || collector.calls.length > 0 || having !== undefined) {
    const grouping = new Grouping(context, input, scope, groups ?? []);
    for (const target of targets) target.expression = grouping.over(target.expression);
    for (const key of order) key.expression = grouping.over(key.expression);
    const condition = having && grouping.over(having);
    input = grouping.relation(collector.calls);
    if (condition !== undefined) {
      input = { kind: 'filter', columns: input.columns, input, condition };
    }
  }
  for (const target of distinct ? targets : []) {
    checkGroupable(context, target.expression, target.location);
  }
  return limited(context, scope, arranged(context, input, targets, order, distinct), read);
}

/** FETCH ... WITH TIES is the one way of limiting that is not there. */
function refuseTies(context: BindContext, body: ast.SelectStmt): void {
  if (body.limitOption !== 'LIMIT_OPTION_WITH_TIES') return;
  context.raise(undefined, 'feature_not_supported', 'FETCH FIRST ... WITH TIES is not supported');
}

export function filtered(
  context: BindContext,
  scope: Scope,
  input: Relation,
  node: ast.Node | undefined,
): Relation {
  if (node === undefined) return input;
  const clause: Clause = { scope, name: 'WHERE', aggregates: undefined };
  const condition = coerceToBool(context, bindExpression(context, clause, node), 'WHERE');
  return { kind: 'filter', columns: input.columns, input, condition };
}

/** `SELECT DISTINCT` is a list with one empty node; DISTINCT ON lists expressions. */
function isDistinct(context: BindContext, nodes: readonly ast.Node[] | undefined): boolean {
  if (nodes === undefined) return false;
  const on = nodes.find((node) => Object.keys(node).length > 0);
  if (on === undefined) return true;
  context.raise(nodeLocation(on), 'feature_not_supported', 'DISTINCT ON is not supported');
}

/** The select list, DISTINCT and ORDER BY over `input`. */
function arranged(
  context: BindContext,
  input: Relation,
  targets: readonly Target[],
  order: readonly OrderKey[],
  distinct: boolean,
): Relation {
  const outputs: NamedExpression[] = targets.map((target) => ({
    column: context.nextColumn(),
    name: target.name,
    expression: target.expression,
  }));
  const hidden: NamedExpression[] = [];
  const keys = order.map((key) => {
    const named =
      key.target === undefined ? undefined : must(outputs[key.target], 'a target per ordinal');
    const output = named ?? { column: context.nextColumn(), name: '', expression: key.expression };
    if (named === undefined) hidden.push(output);
    const expression: Expression = {
      kind: 'column',
      type: output.expression.type,
      column: output.column,
    };
    return { expression, descending: key.descending, nullsFirst: key.nullsFirst };
  });
  let relation = project(input, [...outputs, ...hidden]);
  if (distinct) relation = { kind: 'distinct', columns: relation.columns, input: relation };
  if (keys.length > 0)
    relation = { kind: 'sort', columns: relation.columns, input: relation, keys };
  if (hidden.length === 0) return relation;
  const visible = outputs.map(
    (output): NamedExpression => ({
      column: context.nextColumn(),
      name: output.name,
      expression: { kind: 'column', type: output.expression.type, column: output.column },
    }),
  );
  return project(relation, visible);
}

function project(input: Relation, expressions: readonly NamedExpression[]): Relation {
  const columns: RelationColumn[] = expressions.map(({ column, name, expression }) => ({
    column,
    name,
    type: expression.type,
  }));
  return { kind: 'project', columns, input, expressions };
}

function limited(
  context: BindContext,
  scope: Scope,
  input: Relation,
  read: Pick<ast.SelectStmt, 'limitCount' | 'limitOffset'>,
): Relation {
  const limit = limitExpression(context, scope, read.limitCount, 'LIMIT');
  const offset = limitExpression(context, scope, read.limitOffset, 'OFFSET');
  if (limit === undefined && offset === undefined) return input;
  return { kind: 'limit', columns: input.columns, input, limit, offset };
}

function limitExpression(
  context: BindContext,
  scope: Scope,
  node: ast.Node | undefined,
  name: 'LIMIT' | 'OFFSET',
): Expression | undefined {
  if (node === undefined) return undefined;
  const clause: Clause = { scope, name, aggregates: undefined };
  const bound = bindExpression(context, clause, node);
  const variable = columnIn(bound);
  if (variable !== undefined) {
    const text = `argument of ${name} must not contain variables`;
    context.raise(context.locationOf(variable), 'invalid_column_reference', text);
  }
  const expression = coerce(context, bound, typeOf('int8'), 'assignment');
  if (expression !== undefined) return expression;
  context.raise(
    nodeLocation(node),
    'datatype_mismatch',
    `argument of ${name} must be type bigint, not type ${bound.type.name}`,
  );
}

/** The expressions of VALUES, each row as long as the first. */
export function bindValuesRows<T>(
  context: BindContext,
  lists: readonly ast.Node[],
  bind: (node: ast.Node) => T,
): T[][] {
  let width: number | undefined;
  return lists.map((list) => {
    const items = the(list, 'List').items ?? [];
    width ??= items.length;
    if (items.length !== width) {
      const at = items[0] && nodeLocation(items[0]);
      context.raise(at, 'syntax_error', 'VALUES lists must all be the same length');
    }
    return items.map((item) => bind(item));
  });
}

function bindValuesStatement(context: BindContext, body: ast.SelectStmt): Relation {
  const read = fields(context.source, 'SelectStmt', body, [
    'valuesLists',
    'sortClause',
    'limitOffset',
    'limitCount',
    'limitOption',
  ]);
  refuseTies(context, body);
  const clause: Clause = { scope: emptyScope, name: 'VALUES', aggregates: undefined };
  const rows = bindValuesRows(context, must(read.valuesLists, 'VALUES has rows'), (node) =>
    bindExpression(context, clause, node),
  );
  const values = bindValues(context, rows);
  if (read.sortClause === undefined) return limited(context, emptyScope, values, read);
  const targets: Target[] = values.columns.map((column) => ({
    name: column.name,
    expression: { kind: 'column', type: column.type, column: column.column },
    location: undefined,
  }));
  const scope: Scope = { relations: [], visible: targets };
  const ordering: Clause = { scope, name: 'ORDER BY', aggregates: undefined };
  const order = bindOrder(context, ordering, read.sortClause, targets, false);
  return limited(context, scope, arranged(context, values, targets, order, false), read);
}
