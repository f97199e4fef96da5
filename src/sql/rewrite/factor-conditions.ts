/**
 * Takes what all branches of an OR demand in front of it: (a AND b) OR (a AND c) becomes
 * a AND (b OR c), so that a condition that joins tables in every branch is seen (PostgreSQL's
 * canonicalize_qual, TPC-H query 19). Volatile conditions stay where they are.
 */
import type { Expression } from '../plan/expression.js';
import { sameExpression } from '../plan/same-expression.js';
import { conjunction, conjunctsOf, isVolatile } from './expressions.js';
import { type Plan, rewriteUpwards } from './plan.js';
import type { Rule } from './rule.js';

export const factorConditions: Rule = {
  name: 'factorConditions',
  apply: (plan) => rewriteUpwards(plan, factorNode),
};

function factorNode(plan: Plan): Plan {
  switch (plan.kind) {
    case 'filter':
      return { ...plan, condition: factor(plan.condition) };
    case 'scan':
      return plan.filter === undefined ? plan : { ...plan, filter: factor(plan.filter) };
    case 'join':
      return plan.condition === undefined ? plan : { ...plan, condition: factor(plan.condition) };
    default:
      return plan;
  }
}

function factor(condition: Expression): Expression {
  const conjuncts = conjunctsOf(condition);
  const factored = conjuncts.flatMap(factorBranches);
  const isSame = conjuncts.every((conjunct, i) => conjunct === factored[i]);
  return isSame ? condition : (conjunction(factored) ?? condition);
}

/** The conjuncts that an OR is equal to; the expression itself when its branches share nothing. */
function factorBranches(expression: Expression): readonly Expression[] {
  if (expression.kind !== 'or' || isVolatile(expression)) return [expression];
  const branches = expression.operands.map(conjunctsOf);
  const [first = [], ...others] = branches;
  const common = first.filter((candidate) =>
    others.every((branch) => branch.some((conjunct) => sameExpression(conjunct, candidate))),
  );
  if (common.length === 0) return [expression];
  const rests = branches.map((branch) =>
    conjunction(branch.filter((conjunct) => !common.some((one) => sameExpression(one, conjunct)))),
  );
  const operands = rests.filter((rest) => rest !== undefined);
  // A branch that demands nothing more makes the whole OR true where the common conditions hold.
  if (operands.length < rests.length) return common;
  return [...common, { ...expression, operands }];
}
