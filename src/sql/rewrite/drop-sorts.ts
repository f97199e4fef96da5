/**
 * Drops a sort whose order the scan below gives already, reading the table backwards where the order
 * is descending. Columns that the access fixes to one value do not count.
 */
import type { ColumnId, SortKey } from '../plan/expression.js';
import { typeNamed } from '../types/index.js';
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
  const { access } = scan;
  const order = orderOf(scan);
  const equal = access.kind === 'range' || access.kind === 'index' ? access.equal : [];
  const firstList = equal.findIndex((values) => values.length > 1);
  const fixed = firstList < 0 ? equal.length : firstList;
  const isFixed = new Set(order.slice(0, fixed).map(({ column }) => column));
  const relevant = keys.filter(
    ({ expression }) => expression.kind !== 'column' || !isFixed.has(expression.column),
  );
  let reverse: boolean | undefined;
  for (const [i, key] of relevant.entries()) {
    const next = order[fixed + i];
    if (next === undefined) {
      // All key columns are matched: no two rows are equal in them, but for some in an index.
      if (access.kind === 'index') return undefined;
      break;
    }
    const backwards = directionOf(key, next);
    if (backwards === undefined || (reverse ?? backwards) !== backwards) return undefined;
    reverse = backwards;
  }
  // A table without key has no order.
  if (order.length === 0) return undefined;
  return { ...scan, reverse: reverse ?? false };
}

/** A column by which rows come. */
interface OrderColumn {
  /** Undefined when nobody reads it. */
  readonly column: ColumnId | undefined;
  readonly descending: boolean;
  /** Where NULLs come; undefined when there are none. */
  readonly nullsFirst: boolean | undefined;
}

function orderOf({ access, table, columns, positions }: ScanPlan): readonly OrderColumn[] {
  const idOf = (position: number | undefined): ColumnId | undefined =>
    position === undefined ? undefined : columns[positions.indexOf(position)]?.column;
  if (access.kind !== 'index') {
    return table.primaryKey.map((position) => ({
      column: idOf(position),
      descending: false,
      nullsFirst: undefined,
    }));
  }
  return access.index.keys.map(({ column: position, collation, descending, nullsFirst }) => ({
    // The entries lie by the bytes of texts, whatever the collation.
    column: collation === undefined ? idOf(position) : undefined,
    descending,
    nullsFirst,
  }));
}

/** Whether the scan is to run backwards for the sort key; undefined when neither way gives it. */
function directionOf(key: SortKey, next: OrderColumn): boolean | undefined {
  const { expression, descending, nullsFirst } = key;
  if (expression.kind !== 'column' || expression.column !== next.column) return undefined;
  // Texts of another collation than the bytes' have no keys.
  if (typeNamed(expression.type.name).key === undefined) return undefined;
  const backwards = descending !== next.descending;
  if (next.nullsFirst === undefined) return backwards;
  return nullsFirst === (next.nullsFirst !== backwards) ? backwards : undefined;
}
