/**
 * Evaluates what does not depend on rows: immutable functions of constants, and conditions that a
 * constant decides. Works from left to right and stops where PostgreSQL's planner stops, since an
 * error in a constant (`1/0`) is raised here: `CASE WHEN false THEN 1/0 END` is fine, and
 * `CASE WHEN x > 0 THEN 1/0 END` is not (https://www.postgresql.org/docs/15/sql-expressions.html,
 * 4.2.14). Stable functions wait for the execution.
 */
import type { Expression, ExpressionType } from '../plan/expression.js';
import type { Value } from '../types/index.js';
import { mapOperands } from '../plan/map-operands.js';
import { mapExpressions, type Plan, rewriteUpwards } from './plan.js';
import type { Rule } from './rule.js';

type Of<Kind extends Expression['kind']> = Extract<Expression, { readonly kind: Kind }>;

export const foldConstants: Rule = {
  name: 'foldConstants',
  apply: (plan) => rewriteUpwards(plan, foldNode),
};

function foldNode(plan: Plan): Plan {
  const folded = mapExpressions(plan, fold);
  switch (folded.kind) {
    case 'filter': {
      const condition = decide(folded.condition);
      return isConstant(condition, true) ? folded.input : { ...folded, condition };
    }
    case 'scan':
      return { ...folded, filter: unlessTrue(folded.filter) };
    case 'join':
      return { ...folded, condition: unlessTrue(folded.condition) };
    default:
      return folded;
  }
}

function unlessTrue(condition: Expression | undefined): Expression | undefined {
  if (condition === undefined) return undefined;
  const decided = decide(condition);
  return isConstant(decided, true) ? undefined : decided;
}

/**
 * A folded condition of which only the truth matters: a NULL among the operands of its AND and OR counts as
 * false, so that what stands beside it need not be evaluated (PostgreSQL's canonicalize_qual).
 */
function decide(condition: Expression): Expression {
  switch (condition.kind) {
    case 'constant':
      return constant(condition.type, condition.value === true);
    case 'not': {
      const { operand } = condition;
      if (operand.kind === 'not') return decide(operand.operand);
      if (operand.kind !== 'and' && operand.kind !== 'or') return condition;
      const operands = operand.operands.map((one) => fold({ ...condition, operand: one }));
      return decide({ ...operand, kind: operand.kind === 'and' ? 'or' : 'and', operands });
    }
    case 'and':
    case 'or': {
      const operands = condition.operands.map(decide);
      return foldConnective({ ...condition, operands }, condition.kind === 'or');
    }
    default:
      return condition;
  }
}

/** The expression with its constant parts evaluated. Raises their errors. */
export function fold(expression: Expression): Expression {
  switch (expression.kind) {
    case 'and':
      return foldConnective(expression, false);
    case 'or':
      return foldConnective(expression, true);
    case 'case':
      return foldCase(expression);
    case 'coalesce':
      return foldCoalesce(expression);
    default:
      return foldWhole(mapOperands(expression, fold));
  }
}

/** Folds an expression whose operands are folded. */
function foldWhole(expression: Expression): Expression {
  switch (expression.kind) {
    case 'call':
      return foldCall(expression);
    case 'not': {
      const value = constantOf(expression.operand);
      if (value === undefined) return expression;
      return constant(expression.type, value === null ? null : value === false);
    }
    case 'isNull': {
      const value = constantOf(expression.operand);
      if (value === undefined) return expression;
      return constant(expression.type, (value === null) !== expression.negated);
    }
    case 'isBoolean': {
      const value = constantOf(expression.operand);
      if (value === undefined) return expression;
      return constant(expression.type, (value === expression.value) !== expression.negated);
    }
    default:
      return expression;
  }
}

function foldCall(call: Of<'call'>): Expression {
  const { strict, volatility, usesContext, implementation } = call.function;
  const values = call.arguments.map(constantOf);
  if (strict && values.includes(null)) return constant(call.type, null);
  if (volatility !== 'immutable' || usesContext) return call;
  const known = values.filter((value) => value !== undefined);
  if (known.length < values.length) return call;
  return constant(call.type, implementation(...known));
}

/** AND (`decisive` is false) or OR (true). */
function foldConnective(expression: Of<'and' | 'or'>, decisive: boolean): Expression {
  const operands: Expression[] = [];
  for (const operand of expression.operands) {
    const folded = fold(operand);
    if (isConstant(folded, decisive)) return constant(expression.type, decisive);
    if (!isConstant(folded, !decisive)) operands.push(folded);
  }
  const [only] = operands;
  if (only === undefined) return constant(expression.type, !decisive);
  if (operands.length === 1) return only;
  if (operands.every((operand) => isConstant(operand, null))) return only;
  return { ...expression, operands };
}

function foldCase(expression: Of<'case'>): Expression {
  const branches: Of<'case'>['branches'][number][] = [];
  for (const branch of expression.branches) {
    const when = fold(branch.when);
    const value = constantOf(when);
    if (value === false || value === null) continue;
    const then = fold(branch.then);
    if (value === undefined) {
      branches.push({ when, then });
      continue;
    }
    return branches.length === 0 ? then : { ...expression, branches, otherwise: then };
  }
  const otherwise = fold(expression.otherwise);
  return branches.length === 0 ? otherwise : { ...expression, branches, otherwise };
}

function foldCoalesce(expression: Of<'coalesce'>): Expression {
  const operands: Expression[] = [];
  for (const operand of expression.operands) {
    const folded = fold(operand);
    const value = constantOf(folded);
    if (value === null) continue;
    operands.push(folded);
    if (value !== undefined) break;
  }
  const [only] = operands;
  if (only === undefined) return constant(expression.type, null);
  return operands.length === 1 ? only : { ...expression, operands };
}

function constant(type: ExpressionType, value: Value): Expression {
  return { kind: 'constant', type, value };
}

/** The value of a constant; undefined for anything else. */
function constantOf(expression: Expression): Value | undefined {
  return expression.kind === 'constant' ? expression.value : undefined;
}

function isConstant(expression: Expression, value: Value): boolean {
  return expression.kind === 'constant' && expression.value === value;
}
