/**
 * Calls that are computed beside expressions, by relations of their own: aggregates, window functions
 * and set-returning functions. The expression has a column in their place. Calls that say the same
 * share one column, so that GROUP BY and ORDER BY find those of the select list.
 */
import type {
  AggregateCall,
  ColumnId,
  Expression,
  SetCall,
  SortKey,
  WindowCall,
} from '../plan/expression.js';
import { mapOperands } from '../plan/map-operands.js';
import type { Clause, SortItem } from './expression.js';
import { sameData, sameExpression } from './sort.js';

export interface Collector<C> {
  readonly calls: C[];
  /** Where the first of them stands. */
  location?: number | undefined;
  /** How many were found, also those that share a column with an earlier one. */
  found: number;
  /** The collector of the call around, for the arguments of which this one is. */
  readonly around?: Collector<C> | undefined;
}

/** The aggregate calls of one SELECT. */
export interface AggregateCollector extends Collector<AggregateCall> {
  /** GROUPING() with its arguments as they were written. */
  readonly groupings: CollectedGrouping[];
}

export interface CollectedGrouping {
  readonly column: ColumnId;
  readonly arguments: readonly Expression[];
  readonly locations: readonly (number | undefined)[];
}

/** PARTITION BY and ORDER BY of a window. */
export interface WindowOrder {
  readonly partition: readonly Expression[];
  readonly order: readonly SortItem[];
}

/** A call with OVER and its window. */
export interface CollectedWindow {
  readonly call: WindowCall;
  readonly over: WindowOrder;
}

export type WindowCollector = Collector<CollectedWindow>;
export type SetCollector = Collector<SetCall>;

export function newCollector<C>(around?: Collector<C>): Collector<C> {
  return { calls: [], found: 0, around };
}

export function newAggregates(around?: AggregateCollector): AggregateCollector {
  return { ...newCollector(around), groupings: [] };
}

/** The clause with collectors of its own, to see what the arguments of a call hold. */
export function innerClause(clause: Clause): Clause {
  return {
    ...clause,
    aggregates: clause.aggregates && newAggregates(clause.aggregates),
    windows: clause.windows && newCollector(clause.windows),
    sets: clause.sets && newCollector(clause.sets),
  };
}

/** Hands what was collected in `inner` on to the clause around it. */
export function mergeCalls(clause: Clause, inner: Clause): void {
  merge(clause.aggregates, inner.aggregates);
  clause.aggregates?.groupings.push(...(inner.aggregates?.groupings ?? []));
  merge(clause.windows, inner.windows);
  merge(clause.sets, inner.sets);
}

function merge<C>(to: Collector<C> | undefined, from: Collector<C> | undefined): void {
  if (to === undefined || from === undefined) return;
  to.calls.push(...from.calls);
  to.found += from.found;
  to.location ??= from.location;
}

/** Takes the call in, or gives an earlier one that says the same. */
export function collect<C>(
  collector: Collector<C>,
  call: C,
  same: (a: C, b: C) => boolean,
  location: number | undefined,
): C {
  collector.found += 1;
  collector.location ??= location;
  for (let place: Collector<C> | undefined = collector; place !== undefined; place = place.around) {
    const earlier = place.calls.find((other) => same(other, call));
    if (earlier !== undefined) return earlier;
  }
  collector.calls.push(call);
  return call;
}

interface Called {
  readonly function: {
    readonly name: string;
    readonly parameters: readonly string[];
    readonly result: string;
  };
  readonly arguments: readonly Expression[];
}

export function sameAggregate(a: AggregateCall, b: AggregateCall): boolean {
  return (
    sameCalled(a, b) &&
    a.distinct === b.distinct &&
    sameList(a.direct, b.direct) &&
    sameList([a.filter], [b.filter]) &&
    sameKeys(a.orderBy, b.orderBy)
  );
}

export function sameWindow(a: CollectedWindow, b: CollectedWindow): boolean {
  return (
    sameCalled(a.call, b.call) &&
    sameList([a.call.filter], [b.call.filter]) &&
    sameData(a.call.frame, b.call.frame) &&
    sameOrder(a.over, b.over)
  );
}

export function sameOrder(a: WindowOrder, b: WindowOrder): boolean {
  return sameList(a.partition, b.partition) && sameKeys(a.order, b.order);
}

export function sameSet(a: SetCall, b: SetCall): boolean {
  return sameCalled(a, b);
}

function sameCalled(a: Called, b: Called): boolean {
  return (
    a.function.name === b.function.name &&
    a.function.result === b.function.result &&
    sameData(a.function.parameters, b.function.parameters) &&
    sameList(a.arguments, b.arguments)
  );
}

/** Volatile ones are never the same: each call draws its own number. */
function sameList(
  a: readonly (Expression | undefined)[],
  b: readonly (Expression | undefined)[],
): boolean {
  return (
    a.length === b.length &&
    a.every((one, i) => {
      const other = b[i];
      if (one === undefined || other === undefined) return one === other;
      return sameExpression(one, other) && !isVolatile(one);
    })
  );
}

export function isVolatile(expression: Expression): boolean {
  if (expression.kind === 'nextValue') return true;
  if (expression.kind === 'call' && expression.function.volatility === 'volatile') return true;
  let found = false;
  mapOperands(expression, (operand) => {
    found ||= isVolatile(operand);
    return operand;
  });
  return found;
}

function sameKeys(a: readonly SortKey[], b: readonly SortKey[]): boolean {
  return (
    a.length === b.length &&
    a.every((key, i) => {
      const other = b[i];
      return (
        other !== undefined &&
        key.descending === other.descending &&
        key.nullsFirst === other.nullsFirst &&
        sameExpression(key.expression, other.expression)
      );
    })
  );
}
