/**
 * Finds keys and ranges of the primary key or of an index in a scan's filter: equality or IN on all
 * columns of the primary key gives single keys; on the first columns of either, with bounds on the
 * next one, it gives ranges. What the access assures leaves the filter.
 */
import type { IndexDescriptor } from '../catalogue/descriptor.js';
import type { Expression } from '../plan/expression.js';
import { sameExpression } from '../plan/same-expression.js';
import { conjunction, conjunctsOf } from './expressions.js';
import { fitsKey, type KeyComparison, keyComparisonOf, keyTypeAt } from './key-comparisons.js';
import { type Access, type KeyBound, type Plan, rewriteUpwards, type ScanPlan } from './plan.js';
import type { Rule } from './rule.js';
import { withSystemKey } from './system-keys.js';

export const useKeys: Rule = {
  name: 'useKeys',
  apply: (plan) =>
    rewriteUpwards(plan, (node) => {
      if (node.kind === 'systemScan' && node.key === undefined) return withSystemKey(node);
      return node.kind === 'scan' && node.access.kind === 'all' && node.sample === undefined
        ? restrict(node)
        : node;
    }),
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
  if (found.length === 0) return scan;
  let best: Candidate | undefined;
  for (const candidate of candidatesOf(scan, found, conditions)) {
    if (best === undefined || candidate.share < best.share) best = candidate;
  }
  if (best === undefined) return scan;
  const { access, used } = best;
  const filter = conjunction(conditions.filter((condition) => !used.has(condition)));
  return { ...scan, access, filter };
}

/** A way to find the rows. */
interface Candidate {
  readonly access: Access;
  /** What it assures. */
  readonly used: ReadonlySet<Expression>;
  /** The smaller, the fewer of the table's rows it reads. */
  readonly share: number;
}

/** Guesses of how much a condition leaves, and what a row behind an entry costs more than one beside. */
const equalShare = 0.01;
const boundShare = 0.3;
const entryCost = 1.5;

/** The primary key first: it wins where an index is no better. */
function candidatesOf(
  scan: ScanPlan,
  found: readonly Found[],
  conditions: readonly Expression[],
): readonly Candidate[] {
  const { table, indexes = [] } = scan;
  const candidates: Candidate[] = [];
  const byKey = prefixOf(keyColumns(scan), found);
  if (byKey !== undefined) {
    const { equal, lower, upper, used, share } = byKey;
    const access: Access =
      equal.length === table.primaryKey.length
        ? { kind: 'keys', values: equal }
        : { kind: 'range', equal, lower, upper };
    candidates.push({ access, used, share: access.kind === 'keys' ? 0 : share });
  }
  for (const index of table.indexes) {
    if (!isUsable(scan, index, conditions)) continue;
    const bound = indexes.find((one) => one.index.object === index.object);
    const columns = index.keys.map(({ column, type, collation }, i) => ({
      operand: column === undefined ? bound?.keys[i] : columnAt(scan, column),
      type,
      bounded: collation === undefined,
    }));
    const prefix = prefixOf(columns, found);
    if (prefix === undefined) continue;
    const { equal, lower, upper, used } = prefix;
    const isOne = index.unique && equal.length === columns.length;
    const share = isOne ? 0.0001 : prefix.share * entryCost;
    candidates.push({ access: { kind: 'index', index, equal, lower, upper }, used, share });
  }
  return candidates;
}

/** Entries of a partial index stand for all rows wanted when its condition is asked for in its words. */
function isUsable(
  { indexes = [] }: ScanPlan,
  { predicate, object }: IndexDescriptor,
  conditions: readonly Expression[],
): boolean {
  if (predicate === undefined) return true;
  const bound = indexes.find(({ index }) => index.object === object)?.predicate;
  if (bound === undefined) return false;
  return conjunctsOf(bound).every((part) => conditions.some((one) => sameExpression(one, part)));
}

interface KeyColumn {
  /** The column or expression; undefined when nobody reads it. */
  readonly operand: Expression | undefined;
  readonly type: string;
  /** Whether the order of the keys is that of the comparisons. */
  readonly bounded: boolean;
}

function keyColumns(scan: ScanPlan): readonly KeyColumn[] {
  const { table } = scan;
  return table.primaryKey.map((position, i) => ({
    operand: columnAt(scan, position),
    type: keyTypeAt(table, i) ?? '',
    bounded: true,
  }));
}

interface Prefix {
  readonly equal: readonly (readonly Expression[])[];
  readonly lower: KeyBound | undefined;
  readonly upper: KeyBound | undefined;
  readonly used: ReadonlySet<Expression>;
  readonly share: number;
}

/** What the conditions say of the first columns; undefined for nothing. */
function prefixOf(columns: readonly KeyColumn[], found: readonly Found[]): Prefix | undefined {
  const used = new Set<Expression>();
  const equal: (readonly Expression[])[] = [];
  let keys = 1;
  for (const column of columns) {
    const equality = on(column, found).find(
      (item) => item.comparison === '=' && keys * item.values.length <= keysMax,
    );
    if (equality === undefined) break;
    equal.push(equality.values);
    keys *= equality.values.length;
    used.add(equality.condition);
  }
  const next = columns[equal.length];
  const bounds = next?.bounded === true ? on(next, found) : [];
  const lower = boundOf(bounds, '>', '>=', used);
  const upper = boundOf(bounds, '<', '<=', used);
  if (equal.length === 0 && lower === undefined && upper === undefined) return undefined;
  const ends = (lower ? 1 : 0) + (upper ? 1 : 0);
  const share = keys * equalShare ** equal.length * boundShare ** ends;
  return { equal, lower, upper, used, share };
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
function on({ operand, type }: KeyColumn, found: readonly Found[]): readonly Found[] {
  if (operand === undefined) return [];
  return found.filter(
    (item) =>
      isSame(item.operand, operand) && item.values.every((value) => fitsKey(value.type.name, type)),
  );
}

/** A column stays itself when it counts as text where it is varchar. */
function isSame(a: Expression, b: Expression): boolean {
  if (a.kind === 'column' && b.kind === 'column') return a.column === b.column;
  return sameExpression(a, b);
}

/** A table's column; undefined when nobody reads it. */
function columnAt({ columns, positions }: ScanPlan, position: number): Expression | undefined {
  const found = columns[positions.indexOf(position)];
  return found && { kind: 'column', type: found.type, column: found.column };
}
