/** ORDER BY keys and the comparison of bound expressions. */
import { must } from '../../base/assert.js';
import { type ast, fields, locationOf, stringsOf, the } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { collationOf, printType, typeNamed, type TypeName } from '../types/index.js';
export { sameData, sameExpression } from '../plan/same-expression.js';
import type { BindContext } from './context.js';
import { bindSettled, type Clause, nodeLocation, type SortItem } from './expression.js';

/** How a SortBy orders, without its expression. */
export function sortDirection(
  context: BindContext,
  body: ast.SortBy,
): { readonly node: ast.Node; readonly descending: boolean; readonly nullsFirst: boolean } {
  const { node, sortby_dir, sortby_nulls, useOp } = fields(context.source, 'SortBy', body, [
    'node',
    'sortby_dir',
    'sortby_nulls',
    'useOp',
  ]);
  const operator = stringsOf(useOp).at(-1);
  if (operator !== undefined && operator !== '<' && operator !== '>') {
    const text = `operator ${operator} is not a valid ordering operator`;
    const hint = 'Ordering operators must be "<" or ">" members of btree operator families.';
    context.raise(locationOf(body), 'wrong_object_type', text, { hint });
  }
  const descending = sortby_dir === 'SORTBY_DESC' || operator === '>';
  const nullsFirst =
    sortby_nulls === 'SORTBY_NULLS_DEFAULT' ? descending : sortby_nulls === 'SORTBY_NULLS_FIRST';
  return { node: must(node, 'ORDER BY has an expression'), descending, nullsFirst };
}

/** Raises undefined_function when the type has no order. */
export function checkSortable(
  context: BindContext,
  expression: Expression,
  at: number | undefined,
): void {
  const { name } = expression.type;
  const collation = collationOf(name as TypeName);
  if (collation?.strength === 'conflict') {
    const names = `"${collation.name}" and "${collation.other}"`;
    const text = `collation mismatch between implicit collations ${names}`;
    context.raise(at, 'collation_mismatch', text, {
      hint: 'You can choose the collation by applying the COLLATE clause to one or both expressions.',
    });
  }
  if (typeNamed(name).compare !== undefined) return;
  const text = `could not identify an ordering operator for type ${printType(name, -1)}`;
  context.raise(at, 'undefined_function', text, {
    hint: 'Use an explicit ordering operator or modify the query.',
  });
}

/** Raises undefined_function when values of the type cannot be told apart. */
export function checkGroupable(
  context: BindContext,
  expression: Expression,
  at: number | undefined,
): void {
  const { name } = expression.type;
  if (typeNamed(name).equals !== undefined) return;
  const text = `could not identify an equality operator for type ${printType(name, -1)}`;
  context.raise(at, 'undefined_function', text);
}

/** ORDER BY within an aggregate: expressions only, a number is no ordinal. */
export function bindSortKeys(
  context: BindContext,
  clause: Clause,
  nodes: readonly ast.Node[] | undefined,
): SortItem[] {
  return (nodes ?? []).map((item) => {
    const { node, descending, nullsFirst } = sortDirection(context, the(item, 'SortBy'));
    const expression = bindSettled(context, clause, node);
    const location = nodeLocation(node);
    checkSortable(context, expression, location);
    return { expression, descending, nullsFirst, location };
  });
}
