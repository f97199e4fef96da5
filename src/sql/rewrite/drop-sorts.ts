/**
 * Drops a sort whose order the scan below gives already, reading the table backwards where the order
 * is descending. Columns that the access fixes to one value do not count.
 */
import type { ColumnId, SortKey } from '../plan/expression.js';
import { givesOneRow, mapInputs, type Plan, rewriteUpwards, type ScanPlan } from './plan.js';
import type { Rule } from './rule.js';

export const dropSorts: Rule = {
  name: 'dropSorts',
  apply: (plan) =>
    rewriteUpwards(plan, (node) =>
      node.kind === 'sort' ? (ordered(node.input, node.keys) ?? node) : node,
    ),
};

/** The plan that gives its rows in this order; undefined when it would have to sort. */
function ordered(plan: Plan, keys: readonly SortKey[]): Plan | undefined {
  switch (plan.kind) {
    case 'scan':
      return orderedScan(plan, keys);
    case 'filter':
      return orderedInput(plan, keys);
    case 'project': {
      const sources = new Map(plan.expressions.map((item) => [item.column, item.expression]));
      const inner = keys.map((key) => {
        const { expression } = key;
        const source = expression.kind === 'column' ? sources.get(expression.column) : undefined;
        return source === undefined ? key : { ...key, expression: source };
      });
      return orderedInput(plan, inner);
    }
    default:
      return undefined;
  }
}

function orderedInput(plan: Plan, keys: readonly SortKey[]): Plan | undefined {
  let found = true;
  const changed = mapInputs(plan, (input) => {
    const inner = ordered(input, keys);
    found = inner !== undefined;
    return inner ?? input;
  });
  return found ? changed : undefined;
}

function orderedScan(scan: ScanPlan, keys: readonly SortKey[]): ScanPlan | undefined {
  // Whom a sample takes may depend on the direction of the scan.
  if (scan.sample !== undefined) return undefined;
  if (givesOneRow(scan)) return scan;
  const order: (ColumnId | undefined)[] = scan.table.primaryKey.map(
    (position) => scan.columns[scan.positions.indexOf(position)]?.column,
  );
  const equal = scan.access.kind === 'range' ? scan.access.equal : [];
  const firstList = equal.findIndex((values) => values.length > 1);
  const fixed = firstList < 0 ? equal.length : firstList;
  const isFixed = new Set(order.slice(0, fixed));
  const relevant = keys.filter(
    ({ expression }) => expression.kind !== 'column' || !isFixed.has(expression.column),
  );
  let reverse: boolean | undefined;
  for (const [i, { expression, descending }] of relevant.entries()) {
    // All key columns are matched: no two rows are equal in them.
    if (fixed + i >= order.length) break;
    if (expression.kind !== 'column' || expression.column !== order[fixed + i]) return undefined;
    if (reverse !== undefined && reverse !== descending) return undefined;
    reverse = descending;
  }
  // A table without key has no order.
  if (order.length === 0) return undefined;
  return { ...scan, reverse: reverse ?? false };
}
