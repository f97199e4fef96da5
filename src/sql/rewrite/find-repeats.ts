/**
 * Tells of each subquery what its answer depends on: while that stays the same it need not be asked
 * again. One that depends on nothing is asked once at most, as PostgreSQL's InitPlans are, even if it
 * is volatile; another one that is volatile is asked for every row.
 */
import type { ColumnId } from '../plan/expression.js';
import { isVolatile, walk } from './expressions.js';
import { mapExpressions, mapInputs, type Plan, rewriteUpwards } from './plan.js';
import type { ApplyPlan } from './query-plan.js';

export function findRepeats(plan: Plan): Plan {
  return rewriteUpwards(plan, (node) => (node.kind === 'apply' ? withRepeats(node) : node));
}

function withRepeats(plan: ApplyPlan): ApplyPlan {
  const read = { outer: new Set<ColumnId>(), tables: new Set<number>(), isVolatile: false };
  collect(plan.right, read);
  const outer = [...read.outer];
  if (outer.length > 0 && read.isVolatile) return plan;
  return { ...plan, repeats: { outer, tables: [...read.tables] } };
}

interface Read {
  readonly outer: Set<ColumnId>;
  readonly tables: Set<number>;
  isVolatile: boolean;
}

/** What a plan reads of what is around it. */
function collect(plan: Plan, read: Read): void {
  mapExpressions(plan, (expression) => {
    walk(expression, (part) => {
      if (part.kind === 'outer') read.outer.add(part.column);
    });
    read.isVolatile ||= isVolatile(expression);
    return expression;
  });
  if (plan.kind === 'withScan') read.tables.add(plan.table);
  mapInputs(plan, (input) => {
    collect(input, read);
    return input;
  });
  // Its own captures and tables are not around it.
  if (plan.kind === 'apply') {
    for (const { column } of plan.captures) read.outer.delete(column);
    const operands = 'operands' in plan.answer ? plan.answer.operands : [];
    for (const { column } of operands) read.outer.delete(column);
  }
  if (plan.kind === 'with') for (const { id } of plan.tables) read.tables.delete(id);
}
