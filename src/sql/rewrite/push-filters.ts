/**
 * Moves conditions to where the rows come from, and conditions over both sides of an inner join into
 * the join. Outer joins: a condition above may go to the side whose rows are all kept; a condition of
 * ON may go to the other side. Volatile conditions stay where they are.
 */
import { assert, unreachable } from '../../base/assert.js';
import type { ColumnId, Expression, NamedExpression } from '../plan/expression.js';
import type { Grouped } from '../plan/relation.js';
import {
  columnsRead,
  conjunction,
  conjunctsOf,
  isSubset,
  isVolatile,
  substitute,
} from './expressions.js';
import { idsOf, type JoinPlan, mapInputs, type Plan } from './plan.js';
import { pushIntoQuery } from './query-rules.js';
import type { Rule } from './rule.js';

export const pushFilters: Rule = { name: 'pushFilters', apply: (plan) => push(plan, []) };

/** The plan restricted to rows for which all `conditions` are true. */
function push(plan: Plan, conditions: readonly Expression[]): Plan {
  switch (plan.kind) {
    case 'filter':
      return push(plan.input, [...conjunctsOf(plan.condition), ...conditions]);
    case 'scan':
    case 'systemScan': {
      const filter = allOf([...conjunctsOf(plan.filter), ...conditions]);
      return { ...plan, filter };
    }
    case 'join':
      return pushIntoJoin(plan, conditions);
    case 'project':
      return pushThrough(plan, plan.expressions, conditions);
    case 'aggregate':
      return pushThrough(
        plan,
        groupsOfAll(plan),
        conditions,
        (columns) => columns.size > 0 || !hasRowOfNone(plan),
      );
    case 'window': {
      // A condition on whole partitions leaves the others as they are.
      const whole = new Set(
        plan.partition.flatMap((one) => (one.kind === 'column' ? [one.column] : [])),
      );
      return pushBelow(plan, conditions, (columns) => columns.size > 0 && isSubset(columns, whole));
    }
    case 'distinct': {
      const whole = plan.on === undefined ? undefined : columnsRead(...plan.on);
      return pushBelow(plan, conditions, (columns) =>
        whole === undefined ? true : columns.size > 0 && isSubset(columns, whole),
      );
    }
    case 'sort':
      return pushBelow(plan, conditions, () => true);
    case 'projectSet': {
      const below = idsOf(plan.input);
      return pushBelow(plan, conditions, (columns) => isSubset(columns, below));
    }
    case 'limit':
    case 'copyInput':
    case 'tableFunction':
    case 'values':
      return filtered(
        mapInputs(plan, (input) => push(input, [])),
        conditions,
      );
    case 'apply':
    case 'append':
    case 'setOperation':
    case 'with':
    case 'lockRows':
    case 'withScan': {
      const pushed = pushIntoQuery(plan, conditions, push);
      return filtered(pushed.plan, pushed.above);
    }
    default:
      return unreachable(plan);
  }
}

/** The groups that no grouping set leaves out. */
function groupsOfAll({ groups, sets }: Grouped): readonly NamedExpression[] {
  if (sets === undefined) return groups;
  return groups.filter((_, i) => sets.every((set) => set.includes(i)));
}

/** Whether an aggregation of no rows gives a row: a condition without columns must not take it away below. */
function hasRowOfNone({ groups, sets }: Grouped): boolean {
  return sets === undefined ? groups.length === 0 : sets.some((set) => set.length === 0);
}

/** Below a node that keeps its input's columns, where the columns of a condition allow it. */
function pushBelow(
  plan: Extract<Plan, { readonly kind: 'window' | 'distinct' | 'sort' | 'projectSet' }>,
  conditions: readonly Expression[],
  allows: (columns: ReadonlySet<ColumnId>) => boolean,
): Plan {
  const { moving, staying } = split(
    conditions,
    (condition) => !isVolatile(condition) && allows(columnsRead(condition)),
  );
  return filtered({ ...plan, input: push(plan.input, moving) }, staying);
}

/** Through a node whose columns stand for expressions over its input's. */
function pushThrough(
  plan: Extract<Plan, { readonly kind: 'project' | 'aggregate' }>,
  expressions: readonly NamedExpression[],
  conditions: readonly Expression[],
  maySink: (columns: ReadonlySet<ColumnId>) => boolean = () => true,
): Plan {
  const replacements = new Map<ColumnId, Expression>();
  for (const { column, expression } of expressions) {
    if (!isVolatile(expression)) replacements.set(column, expression);
  }
  const known = new Set(replacements.keys());
  const { moving, staying } = split(conditions, (condition) => {
    const columns = columnsRead(condition);
    return !isVolatile(condition) && isSubset(columns, known) && maySink(columns);
  });
  const moved = moving.map((condition) => substitute(condition, replacements));
  return filtered({ ...plan, input: push(plan.input, moved) }, staying);
}

function pushIntoJoin(plan: JoinPlan, conditions: readonly Expression[]): Plan {
  const leftColumns = idsOf(plan.left);
  const rightColumns = idsOf(plan.right);
  const { join } = plan;
  assert(join !== 'right', 'a rule before this one turns right joins into left joins');
  const own = conjunctsOf(plan.condition);
  const isInner = join === 'inner';
  const left: Expression[] = [];
  const right: Expression[] = [];
  const on: Expression[] = [];
  const above: Expression[] = [];
  for (const condition of isInner ? [...own, ...conditions] : conditions) {
    const columns = columnsRead(condition);
    if (isVolatile(condition)) above.push(condition);
    else if (join !== 'full' && isSubset(columns, leftColumns)) left.push(condition);
    else if (isInner && isSubset(columns, rightColumns)) right.push(condition);
    else (isInner ? on : above).push(condition);
  }
  for (const condition of isInner ? [] : own) {
    const columns = columnsRead(condition);
    if (isVolatile(condition)) on.push(condition);
    else if (join !== 'full' && isSubset(columns, rightColumns)) right.push(condition);
    else on.push(condition);
  }
  const joined: Plan = {
    ...plan,
    left: push(plan.left, left),
    right: push(plan.right, right),
    condition: conjunction(on),
  };
  return filtered(joined, above);
}

function split(
  conditions: readonly Expression[],
  moves: (condition: Expression) => boolean,
): { readonly moving: readonly Expression[]; readonly staying: readonly Expression[] } {
  return {
    moving: conditions.filter(moves),
    staying: conditions.filter((condition) => !moves(condition)),
  };
}

/** A constant that is not true decides: what stands beside it is never evaluated. */
function allOf(conditions: readonly Expression[]): Expression | undefined {
  const never = conditions.find((one) => one.kind === 'constant' && one.value !== true);
  return never ?? conjunction(conditions);
}

function filtered(input: Plan, conditions: readonly Expression[]): Plan {
  const condition = allOf(conditions);
  return condition === undefined ? input : { kind: 'filter', input, condition };
}
