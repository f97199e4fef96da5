/**
 * Chooses how inputs are joined. A join with equalities keeps the smaller input in a hash table (an
 * outer join always the right one); when few rows meet a large table by its whole primary key, each
 * looks up its partner instead. Without equalities every row meets every row. There are no
 * statistics yet: sizes are guessed from the shape of the inputs.
 */
import type { ColumnId, Expression } from '../plan/expression.js';
import { columnsRead, conjunction, conjunctsOf, isSubset, isVolatile } from './expressions.js';
import { columnBehind, fitsKey, keyTypeAt, ordersAsKeys } from './key-comparisons.js';
import { idsOf, type JoinKey, type JoinPlan, type Plan, rewriteUpwards } from './plan.js';
import type { Rule } from './rule.js';
import { guessRows } from './guess-rows.js';
import { lookUpRight } from './system-keys.js';

export const chooseJoins: Rule = {
  name: 'chooseJoins',
  apply: (plan) =>
    rewriteUpwards(plan, (node) =>
      node.kind === 'join' && node.strategy.kind === 'nestedLoop' ? choose(node) : node,
    ),
};

/** A lookup costs about as much as this many rows of a scan that fills a hash table. */
const scannedRowsPerLookup = 4;

function choose(join: JoinPlan): Plan {
  const equalities = equalitiesOf(join);
  if (equalities.length === 0) return keepSmallerRight(join);
  return (
    lookUpSystem(join, equalities) ??
    lookup(join, equalities) ??
    (join.join === 'inner' ? lookup(swapped(join), equalities.map(swappedKey)) : undefined) ??
    hash(join, equalities)
  );
}

/** The most left rows that look up their partners in a system relation. */
const askingRowsMax = 500;

/** Looks up the rows of a system relation where few rows of the other input ask for them. */
function lookUpSystem(join: JoinPlan, equalities: readonly Equality[]): Plan | undefined {
  if (guessRows(join.left) <= askingRowsMax) {
    const found = lookUpRight(join, equalities);
    if (found !== undefined) return found;
  }
  if (join.join !== 'inner' || guessRows(join.right) > askingRowsMax) return undefined;
  return lookUpRight(swapped(join), equalities.map(swappedKey));
}

/** An equality of both sides, and the condition that says it. */
interface Equality extends JoinKey {
  readonly condition: Expression;
}

function equalitiesOf(join: JoinPlan): readonly Equality[] {
  const leftColumns = idsOf(join.left);
  const rightColumns = idsOf(join.right);
  return conjunctsOf(join.condition).flatMap((condition) => {
    if (condition.kind !== 'call' || condition.function.comparison !== '=') return [];
    const [a, b] = condition.arguments;
    if (a === undefined || b === undefined || isVolatile(condition)) return [];
    if (!ordersAsKeys(condition.function)) return [];
    if (isOver(a, leftColumns) && isOver(b, rightColumns))
      return [{ left: a, right: b, condition }];
    if (isOver(b, leftColumns) && isOver(a, rightColumns))
      return [{ left: b, right: a, condition }];
    return [];
  });
}

function isOver(expression: Expression, columns: ReadonlySet<ColumnId>): boolean {
  const read = columnsRead(expression);
  return read.size > 0 && isSubset(read, columns);
}

/** Joins by the right table's primary key, where its columns all equal something of the left. */
function lookup(join: JoinPlan, equalities: readonly Equality[]): JoinPlan | undefined {
  const { right } = join;
  if (join.join === 'full' || right.kind !== 'scan' || right.access.kind !== 'all')
    return undefined;
  if (right.sample !== undefined) return undefined;
  const { table } = right;
  if (table.primaryKey.length === 0) return undefined;
  if (guessRows(join.left) * scannedRowsPerLookup > guessRows({ ...right, filter: undefined })) {
    return undefined;
  }
  const key: Expression[] = [];
  const used = new Set<Expression>();
  for (const [i, position] of table.primaryKey.entries()) {
    const column = right.columns[right.positions.indexOf(position)]?.column;
    const type = keyTypeAt(table, i);
    const equality = equalities.find(
      (item) =>
        column !== undefined &&
        columnBehind(item.right) === column &&
        type !== undefined &&
        fitsKey(item.left.type.name, type),
    );
    if (equality === undefined) return undefined;
    key.push(equality.left);
    used.add(equality.condition);
  }
  return { ...join, strategy: { kind: 'lookup', key }, condition: without(join, used) };
}

function hash(join: JoinPlan, equalities: readonly Equality[]): JoinPlan {
  const keys = equalities.map(({ left, right }) => ({ left, right }));
  const condition = without(join, new Set(equalities.map((equality) => equality.condition)));
  const hashed: JoinPlan = { ...join, strategy: { kind: 'hash', keys }, condition };
  if (join.join !== 'inner' || guessRows(join.right) <= guessRows(join.left)) return hashed;
  return { ...swapped(hashed), strategy: { kind: 'hash', keys: keys.map(swappedKey) } };
}

function keepSmallerRight(join: JoinPlan): JoinPlan {
  const isSmaller = guessRows(join.right) <= guessRows(join.left);
  return join.join === 'inner' && !isSmaller ? swapped(join) : join;
}

function swapped(join: JoinPlan): JoinPlan {
  return { ...join, left: join.right, right: join.left };
}

function swappedKey<Key extends JoinKey>(key: Key): Key {
  return { ...key, left: key.right, right: key.left };
}

function without(join: JoinPlan, used: ReadonlySet<Expression>): Expression | undefined {
  return conjunction(conjunctsOf(join.condition).filter((condition) => !used.has(condition)));
}
