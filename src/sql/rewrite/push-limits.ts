/**
 * Takes a limit below projections, so that only rows that are shown are computed, and tells a sort
 * below it how many rows are wanted: it keeps no others. Where one key gives one row anyway, a limit of
 * one or more goes.
 */
import { isVolatile } from './expressions.js';
import { givesOneRow, type Plan, type RowCount, rewriteUpwards } from './plan.js';
import type { Rule } from './rule.js';

export const pushLimits: Rule = {
  name: 'pushLimits',
  apply: (plan) => rewriteUpwards(plan, push),
};

function push(plan: Plan): Plan {
  if (plan.kind !== 'limit') return plan;
  const { input, limit, offset } = plan;
  // The rows that equal the last one are not known before they are read.
  if (plan.ties !== undefined) return plan;
  if (input.kind === 'project' && !input.expressions.some((item) => isVolatile(item.expression))) {
    return { ...input, input: push({ ...plan, input: input.input }) };
  }
  if (input.kind === 'scan' && givesOneRow(input) && allowsRow(plan)) return input;
  if (input.kind === 'sort' && limit !== undefined) {
    return { ...plan, input: { ...input, top: { limit, offset } } };
  }
  return plan;
}

function allowsRow({ limit, offset }: RowCount): boolean {
  return offset === undefined && limit?.kind === 'constant' && Number(limit.value ?? 1) >= 1;
}
