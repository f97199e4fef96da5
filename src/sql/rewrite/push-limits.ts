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
  // Rows that are skipped are computed where that has effects.
  const isPure = (): boolean =>
    input.kind === 'project' && !input.expressions.some((item) => isVolatile(item.expression));
  if (input.kind === 'project' && (offset === undefined || isPure())) {
    return { ...input, input: push({ ...plan, input: input.input }) };
  }
  if (input.kind === 'scan' && givesOneRow(input) && allowsRow(plan)) return input;
  return limit === undefined ? plan : { ...plan, input: sortedTop(input, { limit, offset }) };
}

/** Tells a sort, maybe below projections, how many of its rows are asked for. */
function sortedTop(plan: Plan, top: RowCount): Plan {
  if (plan.kind === 'sort') return { ...plan, top };
  return plan.kind === 'project' ? { ...plan, input: sortedTop(plan.input, top) } : plan;
}

function allowsRow({ limit, offset }: RowCount): boolean {
  return offset === undefined && limit?.kind === 'constant' && Number(limit.value ?? 1) >= 1;
}
