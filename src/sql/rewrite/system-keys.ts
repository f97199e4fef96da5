/** System relations by their keys: what conditions and joins say of OIDs and names is looked up. */
import type { ColumnId, Expression } from '../plan/expression.js';
import { conjunctsOf } from './expressions.js';
import { keyComparisonOf } from './key-comparisons.js';
import type { JoinKey, JoinPlan, Plan, SystemScanPlan } from './plan.js';

/** The scan by the first of its keys that a condition says values of. */
export function withSystemKey(scan: SystemScanPlan): SystemScanPlan {
  let best: SystemScanPlan['key'];
  for (const condition of conjunctsOf(scan.filter)) {
    const found = keyComparisonOf(condition);
    if (found?.comparison !== '=' || found.operand.kind !== 'column') continue;
    const place = placeOf(scan, found.operand.column);
    if (place === undefined) continue;
    if (
      best !== undefined &&
      scan.relation.keys.indexOf(best.place) <= scan.relation.keys.indexOf(place)
    )
      continue;
    best = { place, values: found.values };
  }
  return best === undefined ? scan : { ...scan, key: best };
}

/** The place of a column that is a key. */
function placeOf(
  { columns, places, relation }: SystemScanPlan,
  column: ColumnId,
): number | undefined {
  const place = places[columns.findIndex((one) => one.column === column)];
  return place !== undefined && relation.keys.includes(place) ? place : undefined;
}

/** Columns of captures that this file adds: beside all others, one for each column of a scan. */
function captureOf(column: ColumnId): ColumnId {
  return -column;
}

/**
 * A join whose right rows are looked up for each left one, instead of read all. `keys` are equalities of
 * both sides; undefined when none is of a key.
 */
export function lookUpRight(join: JoinPlan, keys: readonly JoinKey[]): Plan | undefined {
  const { left, right, condition } = join;
  const kind = join.join;
  if (right.kind !== 'systemScan' || right.key !== undefined) return undefined;
  if (kind !== 'inner' && kind !== 'left' && kind !== 'semi' && kind !== 'anti') return undefined;
  for (const key of keys) {
    if (key.right.kind !== 'column') continue;
    const place = placeOf(right, key.right.column);
    if (place === undefined) continue;
    const column = captureOf(key.right.column);
    const value: Expression = { kind: 'outer', type: key.left.type, column };
    const looked: SystemScanPlan = { ...right, key: { place, values: [value] } };
    if (kind === 'semi' || kind === 'anti') return undefined;
    return {
      kind: 'apply',
      left,
      right: looked,
      captures: [{ column, expression: key.left }],
      guard: undefined,
      answer: { kind, condition },
    };
  }
  return undefined;
}
