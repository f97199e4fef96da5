/**
 * One projection instead of two on top of each other, and none over VALUES: the rows are computed
 * once. An inner expression that is volatile, or costs something and is used more than once, stays.
 */
import type { ColumnId, Expression, NamedExpression } from '../plan/expression.js';
import { isVolatile, substitute, walk } from './expressions.js';
import { type Plan, rewriteUpwards } from './plan.js';
import type { Rule } from './rule.js';

export const mergeProjections: Rule = {
  name: 'mergeProjections',
  apply: (plan) => rewriteUpwards(plan, merge),
};

function merge(plan: Plan): Plan {
  if (plan.kind !== 'project') return plan;
  const { input, expressions } = plan;
  const uses = countUses(expressions);
  if (input.kind === 'project') {
    const inner = new Map(input.expressions.map(({ column, expression }) => [column, expression]));
    if (!mayMerge(inner, uses)) return plan;
    return {
      kind: 'project',
      input: input.input,
      expressions: expressions.map((item) => ({
        ...item,
        expression: substitute(item.expression, inner),
      })),
    };
  }
  if (input.kind !== 'values') return plan;
  const rows: (readonly Expression[])[] = [];
  for (const row of input.rows) {
    const inner = new Map(
      input.columns.map(({ column }, i) => [column, row[i] as Expression] as const),
    );
    if (!mayMerge(inner, uses)) return plan;
    rows.push(expressions.map(({ expression }) => substitute(expression, inner)));
  }
  const columns = expressions.map(({ column, name, expression }) => ({
    column,
    name,
    type: expression.type,
  }));
  return { kind: 'values', columns, rows };
}

/** How often each column is read. */
function countUses(expressions: readonly NamedExpression[]): ReadonlyMap<ColumnId, number> {
  const uses = new Map<ColumnId, number>();
  for (const { expression } of expressions) {
    walk(expression, (part) => {
      if (part.kind === 'column') uses.set(part.column, (uses.get(part.column) ?? 0) + 1);
    });
  }
  return uses;
}

function mayMerge(
  inner: ReadonlyMap<ColumnId, Expression>,
  uses: ReadonlyMap<ColumnId, number>,
): boolean {
  for (const [column, expression] of inner) {
    const isSimple =
      expression.kind === 'column' ||
      expression.kind === 'constant' ||
      expression.kind === 'parameter';
    const count = uses.get(column) ?? 0;
    // Taking the inner expression away would leave out what it does, or do it again.
    if (!isSimple && (isVolatile(expression) ? count !== 1 : count > 1)) return false;
  }
  return true;
}
