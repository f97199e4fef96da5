/** Reads and computes only columns that someone above asks for. */
import { unreachable } from '../../base/assert.js';
import type { ColumnId, Expression } from '../plan/expression.js';
import { columnsRead, isVolatile } from './expressions.js';
import { idsOf, type JoinStrategy, type Plan, type ScanPlan, type SystemScanPlan } from './plan.js';
import { pruneQuery } from './query-rules.js';
import type { Rule } from './rule.js';

export const pruneColumns: Rule = { name: 'pruneColumns', apply: prune };

type Columns = ReadonlySet<ColumnId>;

function prune(plan: Plan, needed: Columns): Plan {
  switch (plan.kind) {
    case 'scan':
    case 'systemScan':
      return pruneScan(plan, needed);
    case 'values': {
      const kept = plan.columns.map(
        ({ column }, i) =>
          needed.has(column) || plan.rows.some((row) => row[i] && isVolatile(row[i])),
      );
      return {
        kind: 'values',
        columns: plan.columns.filter((_, i) => kept[i]),
        rows: plan.rows.map((row) => row.filter((_, i) => kept[i])),
      };
    }
    // Who asks for no value of a function's rows still asks for the rows.
    case 'copyInput':
    case 'tableFunction':
      return plan;
    case 'join': {
      const inner = union(needed, columnsRead(plan.condition, ...keysOf(plan.strategy)));
      return { ...plan, left: prune(plan.left, inner), right: prune(plan.right, inner) };
    }
    case 'filter':
      return { ...plan, input: prune(plan.input, union(needed, columnsRead(plan.condition))) };
    case 'project': {
      const expressions = plan.expressions.filter(
        ({ column, expression }) => needed.has(column) || isVolatile(expression),
      );
      const inner = columnsRead(...expressions.map(({ expression }) => expression));
      return { ...plan, expressions, input: prune(plan.input, inner) };
    }
    case 'aggregate':
      return pruneAggregate(plan, needed);
    case 'window':
      return pruneWindow(plan, needed);
    case 'projectSet': {
      const read = columnsRead(...plan.calls.flatMap((call) => call.arguments));
      return { ...plan, input: prune(plan.input, union(needed, read)) };
    }
    case 'distinct': {
      const wanted =
        plan.on === undefined ? idsOf(plan.input) : union(needed, columnsRead(...plan.on));
      return { ...plan, input: prune(plan.input, wanted) };
    }
    case 'sort': {
      const keys = columnsRead(...plan.keys.map(({ expression }) => expression));
      return { ...plan, input: prune(plan.input, union(needed, keys)) };
    }
    case 'limit': {
      const ties = columnsRead(...(plan.ties ?? []).map(({ expression }) => expression));
      return { ...plan, input: prune(plan.input, union(needed, ties)) };
    }
    case 'apply':
    case 'append':
    case 'setOperation':
    case 'with':
    case 'lockRows':
    case 'withScan':
      return pruneQuery(plan, needed, prune);
    default:
      return unreachable(plan);
  }
}

type Of<Kind extends Plan['kind']> = Extract<Plan, { readonly kind: Kind }>;

function pruneAggregate(plan: Of<'aggregate'>, needed: Columns): Plan {
  const aggregates = plan.aggregates.filter(({ column }) => needed.has(column));
  const inner = columnsRead(
    ...plan.groups.map(({ expression }) => expression),
    ...aggregates.flatMap(({ arguments: values, filter, orderBy }) => [
      ...values,
      filter,
      ...orderBy.map(({ expression }) => expression),
    ]),
  );
  return { ...plan, aggregates, input: prune(plan.input, inner) };
}

function pruneWindow(plan: Of<'window'>, needed: Columns): Plan {
  const calls = plan.calls.filter(({ column }) => needed.has(column));
  if (calls.length === 0) return prune(plan.input, needed);
  const read = columnsRead(
    ...plan.partition,
    ...plan.order.map(({ expression }) => expression),
    ...calls.flatMap(({ arguments: values, filter, frame }) => [
      ...values,
      filter,
      ...[frame.start, frame.end].map((bound) => ('offset' in bound ? bound.offset : undefined)),
    ]),
  );
  return { ...plan, calls, input: prune(plan.input, union(needed, read)) };
}

function keysOf(strategy: JoinStrategy): readonly Expression[] {
  switch (strategy.kind) {
    case 'nestedLoop':
      return [];
    case 'hash':
      return strategy.keys.flatMap(({ left, right }) => [left, right]);
    case 'lookup':
      return strategy.key;
    default:
      return unreachable(strategy);
  }
}

function pruneScan(plan: ScanPlan | SystemScanPlan, needed: Columns): Plan {
  const wanted = union(needed, columnsRead(plan.filter));
  const isKept = plan.columns.map(({ column }) => wanted.has(column));
  const kept = <T>(list: readonly T[]): readonly T[] => list.filter((_, i) => isKept[i]);
  const columns = kept(plan.columns);
  return plan.kind === 'scan'
    ? { ...plan, columns, positions: kept(plan.positions) }
    : { ...plan, columns, places: kept(plan.places) };
}

function union(a: Columns, b: Columns): Columns {
  return new Set([...a, ...b]);
}
