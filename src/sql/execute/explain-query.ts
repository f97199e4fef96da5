/** What EXPLAIN prints for queries within queries. */
import { assert, unreachable } from '../../base/assert.js';
import type { Expression } from '../plan/expression.js';
import type { Answer, ApplyPlan, Plan, QueryPlan } from '../rewrite/index.js';

interface Block {
  readonly title: string;
  readonly details: readonly string[];
  readonly inputs: readonly Plan[];
}

type Show = (expression: Expression) => string;

/** The block of a node; WITH is printed around its input's. */
export function queryBlock(plan: QueryPlan, show: Show): Block {
  switch (plan.kind) {
    case 'apply':
      return applyBlock(plan, show);
    case 'append':
      return { title: 'Append', details: [], inputs: plan.inputs.map((input) => input.plan) };
    case 'setOperation': {
      const verb = plan.operation === 'intersect' ? 'Intersect' : 'Except';
      return {
        title: `HashSetOp ${verb}${plan.all ? ' All' : ''}`,
        details: [],
        inputs: [plan.left.plan, plan.right.plan],
      };
    }
    case 'lockRows':
      return { title: 'LockRows', details: [], inputs: [plan.input] };
    case 'withScan': {
      const verb = plan.working ? 'WorkTable' : 'CTE';
      return { title: `${verb} Scan on ${plan.name}`, details: [], inputs: [] };
    }
    case 'with':
      return assert(false, 'WITH is printed around its input') as never;
    default:
      return unreachable(plan);
  }
}

function applyBlock({ answer, left, right, guard }: ApplyPlan, show: Show): Block {
  const condition = 'condition' in answer ? answer.condition : undefined;
  const test = 'test' in answer ? answer.test : undefined;
  return {
    title: applyTitle(answer),
    details: [
      ...(condition === undefined ? [] : [`Join Filter: ${show(condition)}`]),
      ...(test === undefined ? [] : [`Test: ${show(test)}`]),
      ...(guard === undefined ? [] : [`One-Time Filter: ${show(guard)}`]),
    ],
    inputs: [left, right],
  };
}

function applyTitle({ kind }: Answer): string {
  switch (kind) {
    case 'inner':
      return 'Nested Loop';
    case 'left':
      return 'Nested Loop Left Join';
    case 'semi':
      return 'Nested Loop Semi Join';
    case 'anti':
      return 'Nested Loop Anti Join';
    case 'row':
      return 'SubPlan';
    case 'exists':
    case 'any':
    case 'all':
    case 'array':
      return `SubPlan ${kind.toUpperCase()}`;
    default:
      return unreachable(kind);
  }
}
