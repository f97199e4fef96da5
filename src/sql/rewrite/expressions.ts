/** Questions to bound expressions and ways to change them, as the rules need them. */
import type { ColumnId, Expression, ExpressionType } from '../plan/expression.js';
import { mapOperands } from '../plan/map-operands.js';

const boolean: ExpressionType = { name: 'bool', modifier: -1 };

/** Calls `visit` with the expression and everything in it. */
export function walk(expression: Expression, visit: (part: Expression) => void): void {
  visit(expression);
  mapOperands(expression, (operand) => {
    walk(operand, visit);
    return operand;
  });
}

/** The columns that the expressions read. */
export function columnsRead(...expressions: readonly (Expression | undefined)[]): Set<ColumnId> {
  const columns = new Set<ColumnId>();
  for (const expression of expressions) {
    if (expression === undefined) continue;
    walk(expression, (part) => {
      if (part.kind === 'column') columns.add(part.column);
    });
  }
  return columns;
}

/** True when each evaluation may give something else: it must neither move nor be repeated. */
export function isVolatile(expression: Expression): boolean {
  let found = false;
  walk(expression, (part) => {
    if (part.kind === 'nextValue') found = true;
    if (part.kind === 'call' && part.function.volatility === 'volatile') found = true;
  });
  return found;
}

/** True when the value is the same for all rows of a statement. */
export function isFixed(expression: Expression): boolean {
  return columnsRead(expression).size === 0 && !isVolatile(expression);
}

/** The operands of the ANDs at the top of a condition. */
export function conjunctsOf(condition: Expression | undefined): readonly Expression[] {
  if (condition === undefined) return [];
  return condition.kind === 'and' ? condition.operands.flatMap(conjunctsOf) : [condition];
}

/** True when all are; undefined stands for the condition that is always true. */
export function conjunction(conjuncts: readonly Expression[]): Expression | undefined {
  if (conjuncts.length <= 1) return conjuncts[0];
  return { kind: 'and', type: boolean, operands: conjuncts };
}

/** The expression with columns replaced where `replacements` names them. */
export function substitute(
  expression: Expression,
  replacements: ReadonlyMap<ColumnId, Expression>,
): Expression {
  if (expression.kind === 'column') return replacements.get(expression.column) ?? expression;
  return mapOperands(expression, (operand) => substitute(operand, replacements));
}

export function isSubset(columns: ReadonlySet<ColumnId>, of: ReadonlySet<ColumnId>): boolean {
  for (const column of columns) if (!of.has(column)) return false;
  return true;
}
