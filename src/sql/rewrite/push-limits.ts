/**
 * Takes a limit below projections, so that only rows that are shown are computed, and tells a sort
 * below it how many rows are wanted: it keeps no others.
 */
import { isVolatile } from './expressions.js';
import { type Plan, rewriteUpwards } from './plan.js';
import type { Rule } from './rule.js';

export const pushLimits: Rule = {
  name: 'pushLimits',
  apply: (plan) => rewriteUpwards(plan, push),
};

function push(plan: Plan): Plan {
  if (plan.kind !== 'limit') return plan;
  const { input, limit, offset } = plan;
  if (input.kind === 'project' && !input.expressions.some((item) => isVolatile(item.expression))) {
    return { ...input, input: push({ ...plan, input: input.input }) };
  }
  if (input.kind === 'sort' && limit !== undefined) {
    return { ...plan, input: { ...input, top: { limit, offset } } };
  }
  return plan;
}
