/** SELECT and VALUES. */
import { must } from '../../base/assert.js';
import { type ast, fields, the } from '../parse/index.js';
import type { Relation } from '../plan/relation.js';
import { arranged, bindDistinct, bindRowLimit, checkDistinctOn, endingOf } from './arrange.js';
import { coerceToBool } from './coerce.js';
import {
  newAggregates,
  newCollector,
  type SetCollector,
  type WindowCollector,
} from './collector.js';
import { computed } from './compute.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause, nodeLocation } from './expression.js';
import { bindFrom, bindValues } from './from.js';
import { bindGroups } from './group.js';
import { bindLocks, refuseLocking } from './lock.js';
import { bindOrder } from './order.js';
import { emptyScope, type Scope } from './scope.js';
import { bindSetOperation } from './set-operation.js';
import { checkGroupable } from './sort.js';
import { bindTargets, type Target } from './target.js';
import { bindNamedWindows } from './window.js';
import { bindWith, overTables, refuseAggregatesOver } from './with.js';

/**
 * A SELECT or VALUES statement. What nothing gives a type is text; with `open` an entry of the select
 * list may stay unknown, for INSERT to give it the column's type.
 */
export function bindQuery(context: BindContext, body: ast.SelectStmt, open = false): Relation {
  return context.nested(() => {
    const isTop = context.enterQuery();
    const { bound, tables } = bindWith(context, body.withClause, isTop, () => {
      if (body.op !== undefined && body.op !== 'SETOP_NONE') return bindSetOperation(context, body);
      if (body.valuesLists !== undefined) return bindValuesStatement(context, body);
      return bindSelect(context, body, open);
    });
    context.leaveQuery();
    return overTables(tables, bound);
  });
}

function bindSelect(context: BindContext, body: ast.SelectStmt, open: boolean): Relation {
  const read = fields(context.source, 'SelectStmt', body, [
    'distinctClause',
    'targetList',
    'fromClause',
    'whereClause',
    'groupClause',
    'groupDistinct',
    'havingClause',
    'windowClause',
    'sortClause',
    'limitOffset',
    'limitCount',
    'limitOption',
    'withClause',
    'op',
    'lockingClause',
  ]);
  const { from, locks } = bindLocks(
    context,
    read.lockingClause,
    bindFrom(context, read.fromClause),
  );
  const { scope } = from;
  const aggregates = newAggregates();
  const windows: WindowCollector = newCollector();
  const sets: SetCollector = newCollector();
  const plain = (name: string): Clause => ({ scope, name, aggregates });
  const namedWindows = bindNamedWindows(context, { ...plain('WINDOW'), sets }, read.windowClause);
  const clause = (name: string): Clause => ({ ...plain(name), windows, namedWindows, sets });
  const isOpen = open && read.distinctClause === undefined;
  const targets = bindTargets(context, clause('SELECT'), read.targetList, isOpen);
  const input = filtered(context, scope, from.relation, read.whereClause);
  const distinct = bindDistinct(context, clause('DISTINCT ON'), read.distinctClause, targets);
  const groups = bindGroups(context, clause('GROUP BY'), read, targets);
  const having = read.havingClause && bindExpression(context, plain('HAVING'), read.havingClause);
  const order = bindOrder(
    context,
    clause('ORDER BY'),
    read.sortClause,
    targets,
    distinct === 'all',
  );
  if (Array.isArray(distinct)) checkDistinctOn(context, distinct, order);
  if (aggregates.found > 0) refuseAggregatesOver(context, from.relation, aggregates.location);
  const rows = bindRowLimit(context, scope, read);
  refuseLocking(context, read.lockingClause, [
    [distinct !== undefined, 'DISTINCT clause'],
    [groups !== undefined, 'GROUP BY clause'],
    [having !== undefined, 'HAVING clause'],
    [aggregates.found > 0, 'aggregate functions'],
    [windows.found > 0, 'window functions'],
    [sets.found > 0, 'set-returning functions in the target list'],
  ]);
  const ending = { targets, order, distinct, sets, rows, locks };
  const relation = computed(context, input, {
    scope,
    groups,
    having: having && coerceToBool(context, having, 'HAVING'),
    aggregates,
    windows,
    ending,
  });
  for (const target of distinct === 'all' ? targets : []) {
    checkGroupable(context, target.expression, target.location);
  }
  return arranged(context, relation, ending);
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
    'withClause',
    'op',
  ]);
  const clause: Clause = { scope: emptyScope, name: 'VALUES', aggregates: undefined };
  const lists = bindValuesRows(context, must(read.valuesLists, 'VALUES has rows'), (node) =>
    bindExpression(context, clause, node),
  );
  const values = bindValues(context, lists);
  const rows = bindRowLimit(context, emptyScope, read);
  const targets: Target[] = values.columns.map((column) => ({
    name: column.name,
    expression: { kind: 'column', type: column.type, column: column.column },
    location: undefined,
  }));
  const scope: Scope = { relations: [], visible: targets };
  const ordering: Clause = { scope, name: 'ORDER BY', aggregates: undefined };
  const order = bindOrder(context, ordering, read.sortClause, targets, false);
  return arranged(context, values, endingOf(targets, order, rows));
}
