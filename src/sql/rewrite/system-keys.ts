/** System relations by their keys: what conditions and joins say of OIDs and names is looked up. */
import type { ColumnId, Expression } from '../plan/expression.js';
import { conjunction, conjunctsOf, isFixed } from './expressions.js';
import { type KeyComparison, keyComparisonOf } from './key-comparisons.js';
import {
  type JoinKey,
  type JoinPlan,
  type Plan,
  rewriteUpwards,
  type SystemScanPlan,
} from './plan.js';
import type { Rule } from './rule.js';

/** The scan by the first of its keys that a condition says values of. */
export function withSystemKey(scan: SystemScanPlan): SystemScanPlan {
  let best: SystemScanPlan['key'];
  for (const condition of conjunctsOf(scan.filter)) {
    const found = keyComparisonOf(condition) ?? wholePattern(condition);
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

const plainPattern = /^\^\((\w+)\)\$$/;

/** `name ~ '^(word)$'`, as psql asks for one name, is an equality. */
function wholePattern(condition: Expression): KeyComparison | undefined {
  if (condition.kind !== 'call' || condition.function.name !== '~') return undefined;
  const [operand, pattern] = condition.arguments;
  if (operand === undefined || pattern?.kind !== 'constant') return undefined;
  const [, word] = plainPattern.exec(String(pattern.value)) ?? [];
  if (word === undefined || condition.function.form !== 'operator') return undefined;
  return { operand, comparison: '=', values: [{ ...pattern, value: word }] };
}

/**
 * What equalities say of one OID they say of all that equal it: `a = 1 AND a = b` has `b = 1`, so that
 * each relation of FROM can be found by its key.
 */
export const spreadConstants: Rule = {
  name: 'spreadConstants',
  apply: (plan) => rewriteUpwards(plan, (node) => (node.kind === 'filter' ? spread(node) : node)),
};

type FilterPlan = Extract<Plan, { readonly kind: 'filter' }>;
type Call = Extract<Expression, { readonly kind: 'call' }>;

function spread(filter: FilterPlan): FilterPlan {
  const conditions = [...conjunctsOf(filter.condition)];
  const equal = conditions.flatMap((one) => (isOidEquality(one) ? [one] : []));
  const known = new Map<ColumnId, Expression>();
  for (const { arguments: sides } of equal) {
    const [a, b] = sides;
    if (a?.kind === 'column' && b !== undefined && isFixed(b)) known.set(a.column, b);
    if (b?.kind === 'column' && a !== undefined && isFixed(a)) known.set(b.column, a);
  }
  if (known.size === 0) return filter;
  for (let found = true; found; ) {
    found = false;
    for (const one of equal) {
      const [a, b] = one.arguments;
      if (a?.kind !== 'column' || b?.kind !== 'column') continue;
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        const value = known.get(from.column);
        if (value === undefined || known.has(to.column)) continue;
        known.set(to.column, value);
        conditions.push({ ...one, arguments: [to, value] });
        found = true;
      }
    }
  }
  return { ...filter, condition: conjunction(conditions) ?? filter.condition };
}

function isOidEquality(condition: Expression): condition is Call {
  return (
    condition.kind === 'call' &&
    condition.function.comparison === '=' &&
    condition.function.parameters.every((type) => type === 'oid')
  );
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
