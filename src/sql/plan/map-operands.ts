/** The walk that binder and rewrite rules change expressions by. */
import { unreachable } from '../../base/assert.js';
import type { Expression } from './expression.js';
import type { Capture } from './subquery.js';

/** The expression with `change` applied to its direct operands. */
export function mapOperands(
  expression: Expression,
  change: (operand: Expression) => Expression,
): Expression {
  switch (expression.kind) {
    case 'constant':
    case 'parameter':
    case 'column':
    case 'outer':
    case 'nextValue':
      return expression;
    case 'subquery': {
      const { subquery } = expression;
      const captures = subquery.captures.map((capture) => mapCapture(capture, change));
      const operands = subquery.operands.map((capture) => mapCapture(capture, change));
      return { ...expression, subquery: { ...subquery, captures, operands } };
    }
    case 'call':
      return { ...expression, arguments: expression.arguments.map(change) };
    case 'and':
    case 'or':
    case 'coalesce':
    case 'extreme':
      return { ...expression, operands: expression.operands.map(change) };
    case 'not':
    case 'isNull':
    case 'isBoolean':
    case 'toDomain':
      return { ...expression, operand: change(expression.operand) };
    case 'isDistinct':
      return { ...expression, left: change(expression.left), right: change(expression.right) };
    case 'case':
      return {
        ...expression,
        branches: expression.branches.map((branch) => ({
          when: change(branch.when),
          // biome-ignore lint/suspicious/noThenProperty: a branch of CASE, never awaited
          then: change(branch.then),
        })),
        otherwise: change(expression.otherwise),
      };
    case 'in':
      return {
        ...expression,
        operand: change(expression.operand),
        list: expression.list.map(change),
      };
    default:
      return unreachable(expression);
  }
}

function mapCapture(capture: Capture, change: (operand: Expression) => Expression): Capture {
  return { ...capture, expression: change(capture.expression) };
}
