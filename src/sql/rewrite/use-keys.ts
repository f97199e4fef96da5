/**
 * Finds keys and ranges of the primary key in a scan's filter: equality or IN on all key columns
 * gives single keys; on the first ones, with bounds on the next one, it gives ranges. What the
 * access assures leaves the filter.
 */
import type { ColumnId, Expression } from '../plan/expression.js';
import { conjunction, conjunctsOf } from './expressions.js';
import { fitsKey, type KeyComparison, keyComparisonOf, keyTypeAt } from './key-comparisons.js';
import { type Access, type KeyBound, type Plan, rewriteUpwards, type ScanPlan } from './plan.js';
import type { Rule } from './rule.js';

export const useKeys: Rule = {
  name: 'useKeys',
  apply: (plan) =>
    rewriteUpwards(plan, (node) =>
      node.kind === 'scan' && node.access.kind === 'all' && node.sample === undefined
        ? restrict(node)
        : node,
    ),
};

/** More keys than this are no lookup any more: the combinations of several INs multiply. */
const keysMax = 5000;

interface Found extends KeyComparison {
  readonly condition: Expression;
}

function restrict(scan: ScanPlan): Plan {
  const conditions = conjunctsOf(scan.filter);
  const found = conditions.flatMap((condition) => {
    const comparison = keyComparisonOf(condition);
    return comparison === undefined ? [] : [{ ...comparison, condition }];
  });
  const used = new Set<Expression>();
  const access = accessOf(scan, found, used);
  if (access === undefined) return scan;
  const filter = conjunction(conditions.filter((condition) => !used.has(condition)));
  return { ...scan, access, filter };
}

function accessOf(
  scan: ScanPlan,
  found: readonly Found[],
  used: Set<Expression>,
): Access | undefined {
  const { table } = scan;
  const values: (readonly Expression[])[] = [];
  let keys = 1;
  for (let i = 0; i < table.primaryKey.length; i += 1) {
    const equality = on(scan, i, found).find(
      (item) => item.comparison === '=' && keys * item.values.length <= keysMax,
    );
    if (equality === undefined) break;
    values.push(equality.values);
    keys *= equality.values.length;
    used.add(equality.condition);
  }
  if (values.length > 0 && values.length === table.primaryKey.length) {
    return { kind: 'keys', values };
  }
  const next = on(scan, values.length, found);
  const lower = boundOf(next, '>', '>=', used);
  const upper = boundOf(next, '<', '<=', used);
  if (values.length === 0 && lower === undefined && upper === undefined) return undefined;
  return { kind: 'range', equal: values, lower, upper };
}

function boundOf(
  found: readonly Found[],
  exclusive: string,
  inclusive: string,
  used: Set<Expression>,
): KeyBound | undefined {
  for (const { comparison, values, condition } of found) {
    const [value] = values;
    if (value === undefined || (comparison !== exclusive && comparison !== inclusive)) continue;
    used.add(condition);
    return { value, inclusive: comparison === inclusive };
  }
  return undefined;
}

/** The comparisons on a key column whose values can be brought into its type. */
function on(scan: ScanPlan, index: number, found: readonly Found[]): readonly Found[] {
  const column = columnAt(scan, index);
  const type = keyTypeAt(scan.table, index);
  if (column === undefined || type === undefined) return [];
  return found.filter(
    (item) =>
      item.column === column && item.values.every((value) => fitsKey(value.type.name, type)),
  );
}

/** The id of a key column; undefined when nobody reads it. */
function columnAt(scan: ScanPlan, index: number): ColumnId | undefined {
  const position = scan.table.primaryKey[index];
  if (position === undefined) return undefined;
  return scan.columns[scan.positions.indexOf(position)]?.column;
}
