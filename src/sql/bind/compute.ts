/** What a SELECT computes between FROM and its select list: groups, windows, sets of GROUP BY. */
import type { Expression } from '../plan/expression.js';
import type { Relation } from '../plan/relation.js';
import type { Ending } from './arrange.js';
import type { AggregateCollector, WindowCollector } from './collector.js';
import type { BindContext } from './context.js';
import { Grouping, type Groups } from './group.js';
import type { Scope } from './scope.js';
import { projectSets, takeSets } from './set-call.js';
import { windowRelations } from './window-call.js';

export interface Computing {
  readonly scope: Scope;
  readonly groups: Groups | undefined;
  readonly having: Expression | undefined;
  readonly aggregates: AggregateCollector;
  readonly windows: WindowCollector;
  readonly ending: Ending;
}

type Over = (expression: Expression) => Expression;

/** The rows that the select list is computed from. Expressions of the ending are brought over them. */
export function computed(context: BindContext, from: Relation, parts: Computing): Relation {
  const { groups, having, aggregates, windows, ending, scope } = parts;
  const { sets } = ending;
  const isGrouped =
    groups !== undefined ||
    having !== undefined ||
    aggregates.calls.length > 0 ||
    aggregates.groupings.length > 0;
  let relation = from;
  if (isGrouped) {
    const below = takeSets(sets, groups?.expressions ?? []);
    relation = projectSets(context, relation, below, (expression) => expression);
    const grouping = new Grouping(context, relation, scope, groups);
    bringOver(parts, (expression) => grouping.over(expression));
    const condition = having && grouping.over(having);
    relation = grouping.relation(aggregates);
    if (condition !== undefined) {
      relation = { kind: 'filter', columns: relation.columns, input: relation, condition };
    }
  }
  if (windows.calls.length === 0) return relation;
  const keys = windows.calls.flatMap(({ over }) => [
    ...over.partition,
    ...over.order.map(({ expression }) => expression),
  ]);
  relation = projectSets(context, relation, takeSets(sets, keys), (expression) => expression);
  const earlier = [
    ...ending.order.map(({ expression }) => expression),
    ...(groups?.expressions ?? []),
  ];
  return windowRelations(relation, windows.calls, earlier);
}

/** Changes all expressions over FROM into expressions over the groups. */
function bringOver({ ending, windows }: Computing, over: Over): void {
  const { targets, order, distinct, sets } = ending;
  for (const target of targets) target.expression = over(target.expression);
  for (const key of order) key.expression = over(key.expression);
  for (const key of Array.isArray(distinct) ? distinct : []) key.expression = over(key.expression);
  for (const [i, call] of sets.calls.entries()) {
    sets.calls[i] = { ...call, arguments: call.arguments.map(over) };
  }
  for (const [i, { call, over: window }] of windows.calls.entries()) {
    windows.calls[i] = {
      call: {
        ...call,
        arguments: call.arguments.map(over),
        filter: call.filter && over(call.filter),
      },
      over: {
        partition: window.partition.map(over),
        order: window.order.map((key) => ({ ...key, expression: over(key.expression) })),
      },
    };
  }
}
