/**
 * Puts inner joins into an order without needless cross products: `FROM a, b, c WHERE a.x = c.x AND
 * b.y = c.y` meets c before b. Keeps the order of the text where it can: there are no statistics yet.
 */
import { must } from '../../base/assert.js';
import type { ColumnId, Expression } from '../plan/expression.js';
import { columnsRead, conjunction, conjunctsOf, isSubset } from './expressions.js';
import { idsOf, mapInputs, type Plan } from './plan.js';
import type { Rule } from './rule.js';

export const orderJoins: Rule = { name: 'orderJoins', apply: order };

function order(plan: Plan): Plan {
  const inputs: Plan[] = [];
  const conditions: Expression[] = [];
  flatten(plan, inputs, conditions);
  if (inputs.length <= 2) return mapInputs(plan, order);
  return joinInOrder(inputs.map(order), conditions);
}

/** The inputs of a tree of inner joins from left to right, and all their conditions. */
function flatten(plan: Plan, inputs: Plan[], conditions: Expression[]): void {
  if (plan.kind !== 'join' || plan.join !== 'inner') {
    inputs.push(plan);
    return;
  }
  flatten(plan.left, inputs, conditions);
  flatten(plan.right, inputs, conditions);
  conditions.push(...conjunctsOf(plan.condition));
}

function joinInOrder(inputs: readonly Plan[], conditions: readonly Expression[]): Plan {
  const [first, ...others] = inputs;
  let joined = must(first, 'a join has inputs');
  let open = conditions;
  while (others.length > 0) {
    const columns = idsOf(joined);
    const connected = others.findIndex((input) => connects(open, columns, idsOf(input)));
    const [right] = others.splice(Math.max(0, connected), 1);
    const next = must(right, 'an input is left');
    const known = new Set([...columns, ...idsOf(next)]);
    const decided = open.filter((condition) => isSubset(columnsRead(condition), known));
    open = open.filter((condition) => !decided.includes(condition));
    joined = {
      kind: 'join',
      join: 'inner',
      left: joined,
      right: next,
      strategy: { kind: 'nestedLoop' },
      condition: conjunction(decided),
    };
  }
  return joined;
}

/** True when an equality has one side over `left` and the other over `right`. */
function connects(
  conditions: readonly Expression[],
  left: ReadonlySet<ColumnId>,
  right: ReadonlySet<ColumnId>,
): boolean {
  return conditions.some((condition) => {
    if (condition.kind !== 'call' || condition.function.comparison !== '=') return false;
    const [a, b] = condition.arguments.map((side) => columnsRead(side));
    if (a === undefined || b === undefined || a.size === 0 || b.size === 0) return false;
    return (isSubset(a, left) && isSubset(b, right)) || (isSubset(b, left) && isSubset(a, right));
  });
}
