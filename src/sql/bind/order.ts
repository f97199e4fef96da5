/** ORDER BY of a query: ordinals, output names and expressions. */
import { as, type ast, locationOf, stringOf, the } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import type { BindContext } from './context.js';
import { bindSettled, type Clause, nodeLocation } from './expression.js';
import { checkSortable, sameExpression, sortDirection } from './sort.js';
import type { Target } from './target.js';

export interface OrderKey {
  /** Index of the select list's entry that it orders by; undefined for an expression beside it. */
  readonly target: number | undefined;
  expression: Expression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export function bindOrder(
  context: BindContext,
  clause: Clause,
  nodes: readonly ast.Node[] | undefined,
  targets: readonly Target[],
  distinct: boolean,
): OrderKey[] {
  return (nodes ?? []).map((item) => {
    const { node, descending, nullsFirst } = sortDirection(context, the(item, 'SortBy'));
    const named = namedTarget(context, node, targets, 'ORDER BY');
    const expression =
      (named === undefined ? undefined : targets[named]?.expression) ??
      bindSettled(context, clause, node);
    const at = nodeLocation(node) ?? context.locationOf(expression);
    const same = targets.findIndex((target) => sameExpression(target.expression, expression));
    const target = named ?? (same < 0 ? undefined : same);
    if (distinct && target === undefined) {
      const text = 'for SELECT DISTINCT, ORDER BY expressions must appear in select list';
      context.raise(at, 'invalid_column_reference', text);
    }
    checkSortable(context, expression, at);
    return { target, expression, descending, nullsFirst };
  });
}

/**
 * The entry of the select list that a bare name or number of ORDER BY or GROUP BY means; undefined
 * when it is an expression over FROM.
 */
export function namedTarget(
  context: BindContext,
  node: ast.Node,
  targets: readonly Target[],
  clause: 'ORDER BY' | 'GROUP BY' | 'DISTINCT ON',
): number | undefined {
  const constant = as(node, 'A_Const');
  if (constant !== undefined) return ordinal(context, constant, targets, clause);
  const reference = as(node, 'ColumnRef');
  if (reference?.fields?.length !== 1 || as(reference.fields[0], 'String') === undefined) {
    return undefined;
  }
  const name = stringOf(reference.fields[0]);
  let found: number | undefined;
  for (const [index, target] of targets.entries()) {
    if (target.name !== name) continue;
    const before = found === undefined ? undefined : targets[found];
    if (before !== undefined && !sameExpression(before.expression, target.expression)) {
      const text = `${clause} "${name}" is ambiguous`;
      context.raise(locationOf(reference), 'ambiguous_column', text);
    }
    found ??= index;
  }
  return found;
}

function ordinal(
  context: BindContext,
  constant: ast.A_Const,
  targets: readonly Target[],
  clause: string,
): number {
  const at = locationOf(constant);
  if (constant.ival === undefined) {
    context.raise(at, 'syntax_error', `non-integer constant in ${clause}`);
  }
  const number = constant.ival.ival ?? 0;
  if (number >= 1 && number <= targets.length) return number - 1;
  const text = `${clause} position ${number} is not in select list`;
  return context.raise(at, 'invalid_column_reference', text);
}
