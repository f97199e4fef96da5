/** Grouping and aggregates, and the removal of duplicates, by hash tables in memory. */
import type { AggregateFunction, AggregateState } from '../functions/index.js';
import type { AggregateCall, Expression, NamedExpression, SortKey } from '../plan/expression.js';
import type { RelationColumn } from '../plan/relation.js';
import { type HashKey, type Row, typeNamed, type Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression, compileTest } from './expression.js';
import { compileRowKey, hasNull, mapEntryBytes } from './row-key.js';
import { evaluateRow } from './row-operators.js';
import type { Evaluate, Scope, Test } from './scope.js';
import { type CompareEntries, compileOrder, type Entry, mergeRuns } from './sort.js';
import {
  type Batch,
  batchRows,
  Held,
  type Pause,
  pause,
  rowSizer,
  type Source,
  type Stream,
} from './stream.js';

/** One aggregate of one group, while rows are still coming. */
interface Accumulator {
  /** Gives the bytes of memory that it has come to hold since the last call, about. */
  add(row: Row, context: ExecutionContext): number;
  /** Work to be done before the result, if it may take long. */
  readonly settle: ((context: ExecutionContext) => Generator<Pause, void, undefined>) | undefined;
  result(context: ExecutionContext): Value;
}

interface Group {
  readonly values: Row;
  readonly accumulators: readonly Accumulator[];
}

export function compileAggregate(
  input: Source,
  groups: readonly NamedExpression[],
  aggregates: readonly AggregateCall[],
  scope: Scope,
): Source {
  const groupValues = groups.map(({ expression }) => compileExpression(expression, scope));
  const keyOf = compileRowKey(groups.map(({ expression }) => expression.type));
  const sizeOfGroup = rowSizer(
    groups.map(({ column, name, expression }) => ({ column, name, type: expression.type })),
  );
  const factories = aggregates.map((call) => compileAccumulator(call, scope));
  const newGroup = (values: Row): Group => ({
    values,
    accumulators: factories.map((create) => create()),
  });
  const onlyGroup = groups.length === 0;
  return function* aggregate(context): Stream {
    const held = new Held(context);
    const table = new Map<HashKey | null, Group>();
    if (onlyGroup) table.set('', newGroup([]));
    const addBatch = (batch: Batch): void => {
      let bytes = 0;
      for (const row of batch) {
        const values = evaluateRow(groupValues, row, context);
        const key = keyOf(values);
        let group = table.get(key);
        if (group === undefined) {
          group = newGroup(values);
          table.set(key, group);
          bytes += sizeOfGroup(values) + mapEntryBytes + accumulatorBytes * factories.length;
        }
        for (const accumulator of group.accumulators) bytes += accumulator.add(row, context);
      }
      held.add(bytes);
    };
    try {
      for (const batch of input(context)) {
        if (batch !== pause) addBatch(batch);
        if (batch === pause || context.turnIsOver()) yield pause;
      }
      yield* results(table.values(), context);
    } finally {
      held.free();
    }
  };
}

/** What an accumulator holds from the start, bytes. An estimate. */
const accumulatorBytes = 96;

function* results(groups: Iterable<Group>, context: ExecutionContext): Stream {
  let rows: Row[] = [];
  for (const { values, accumulators } of groups) {
    const row: Value[] = [...values];
    for (const accumulator of accumulators) {
      if (accumulator.settle !== undefined) yield* accumulator.settle(context);
      row.push(accumulator.result(context));
    }
    rows.push(row);
    if (rows.length < batchRows) continue;
    yield rows;
    rows = [];
    if (context.turnIsOver()) yield pause;
  }
  if (rows.length > 0) yield rows;
}

function compileAccumulator(call: AggregateCall, scope: Scope): () => Accumulator {
  const compiled: CompiledCall = {
    called: call.function,
    values: call.arguments.map((argument) => compileExpression(argument, scope)),
    filter: call.filter && compileTest(call.filter, scope),
  };
  const isDistinct = call.distinct && !call.function.ignoresDuplicates;
  if (!isDistinct && call.orderBy.length === 0) return () => new Direct(compiled);
  const order = call.orderBy.length > 0 ? call.orderBy : ascending(call.arguments);
  const gathered: GatheredCall = {
    ...compiled,
    keys: order.map(({ expression }) => compileExpression(expression, scope)),
    order: compileOrder(order),
    distinctKey: isDistinct ? compileRowKey(typesOf(call.arguments)) : undefined,
    sizeOf: rowSizer(call.arguments.map(({ type }, i) => ({ column: i, name: '', type }))),
  };
  return () => new Gathered(gathered);
}

/** As PostgreSQL removes duplicates: by sorting, which string_agg(DISTINCT ...) lets one see. */
function ascending(expressions: readonly Expression[]): readonly SortKey[] {
  return expressions
    .filter(({ type }) => typeNamed(type.name).compare !== undefined)
    .map((expression) => ({ expression, descending: false, nullsFirst: false }));
}

function typesOf(expressions: readonly Expression[]): readonly Expression['type'][] {
  return expressions.map(({ type }) => type);
}

interface CompiledCall {
  readonly called: AggregateFunction;
  readonly values: readonly Evaluate[];
  readonly filter: Test | undefined;
}

/** Rows between two measurements of a state, which may cost something. */
const rowsPerMeasure = 64;

/** Steps with each row at once. */
class Direct implements Accumulator {
  readonly settle = undefined;
  readonly #call: CompiledCall;
  readonly #first: Evaluate | undefined;
  readonly #second: Evaluate | undefined;
  #state: AggregateState;
  #rows = 0;
  #bytes = 0;

  constructor(call: CompiledCall) {
    this.#call = call;
    this.#first = call.values[0];
    this.#second = call.values[1];
    this.#state = call.called.init();
  }

  add(row: Row, context: ExecutionContext): number {
    const { called, filter } = this.#call;
    if (filter !== undefined && !filter(row, context)) return 0;
    const first = this.#first === undefined ? null : this.#first(row, context);
    const second = this.#second === undefined ? null : this.#second(row, context);
    if (called.strict) {
      if (this.#first !== undefined && first === null) return 0;
      if (this.#second !== undefined && second === null) return 0;
    }
    this.#state = called.step(this.#state, first, second, context.functions);
    this.#rows += 1;
    return this.#rows % rowsPerMeasure === 0 ? this.#growth() : 0;
  }

  result(context: ExecutionContext): Value {
    return this.#call.called.final(this.#state, context.functions, []);
  }

  #growth(): number {
    const before = this.#bytes;
    this.#bytes = this.#call.called.sizeOf(this.#state);
    return Math.max(0, this.#bytes - before);
  }
}

interface GatheredCall extends CompiledCall {
  readonly keys: readonly Evaluate[];
  readonly order: CompareEntries;
  readonly distinctKey: ((values: Row) => HashKey | null) | undefined;
  readonly sizeOf: (values: Row) => number;
}

/** Keeps its arguments until the end, in sorted runs: for DISTINCT and ORDER BY. */
class Gathered implements Accumulator {
  readonly #call: GatheredCall;
  readonly #runs: Entry[][] = [];
  readonly #seen = new Set<HashKey | null>();
  #run: Entry[] = [];
  #state: AggregateState;

  constructor(call: GatheredCall) {
    this.#call = call;
    this.#state = call.called.init();
  }

  add(row: Row, context: ExecutionContext): number {
    const { called, values, filter, keys, distinctKey, sizeOf } = this.#call;
    if (filter !== undefined && !filter(row, context)) return 0;
    const entry = evaluateRow(values, row, context);
    if (called.strict && hasNull(entry)) return 0;
    if (distinctKey !== undefined) {
      const key = distinctKey(entry);
      if (this.#seen.has(key)) return 0;
      this.#seen.add(key);
    }
    this.#run.push({ row: entry, keys: evaluateRow(keys, row, context) });
    if (this.#run.length >= batchRows) this.#endRun();
    return sizeOf(entry) + mapEntryBytes + 8 * keys.length;
  }

  *settle(context: ExecutionContext): Generator<Pause, void, undefined> {
    const { called, order } = this.#call;
    this.#endRun();
    for (const batch of mergeRuns(this.#runs, order, context)) {
      if (batch === pause) {
        yield pause;
        continue;
      }
      for (const [first = null, second = null] of batch) {
        this.#state = called.step(this.#state, first, second, context.functions);
      }
    }
  }

  result(context: ExecutionContext): Value {
    return this.#call.called.final(this.#state, context.functions, []);
  }

  #endRun(): void {
    this.#runs.push(this.#run.sort(this.#call.order));
    this.#run = [];
  }
}

/** DISTINCT ON: the first of neighbours with equal values. */
export function compileDistinctOn(
  input: Source,
  on: readonly Expression[],
  scope: Scope,
): Source {
  const compiled = on.map((expression) => compileExpression(expression, scope));
  const keyOf = compileRowKey(typesOf(on));
  return function* distinctOn(context): Stream {
    let last: HashKey | null | undefined;
    for (const batch of input(context)) {
      if (batch === pause) {
        yield pause;
        continue;
      }
      const rows = batch.filter((row) => {
        const key = keyOf(evaluateRow(compiled, row, context));
        const isFirst = key !== last;
        last = key;
        return isFirst;
      });
      if (rows.length > 0) yield rows;
      else if (context.turnIsOver()) yield pause;
    }
  };
}

export function compileDistinct(input: Source, columns: readonly RelationColumn[]): Source {
  const keyOf = compileRowKey(columns.map(({ type }) => type));
  const sizeOfRow = rowSizer(columns);
  return function* distinct(context): Stream {
    const held = new Held(context);
    const seen = new Set<HashKey | null>();
    try {
      for (const batch of input(context)) {
        if (batch === pause) {
          yield pause;
          continue;
        }
        let bytes = 0;
        const rows = batch.filter((row) => {
          const key = keyOf(row);
          if (seen.has(key)) return false;
          seen.add(key);
          bytes += sizeOfRow(row) + mapEntryBytes;
          return true;
        });
        held.add(bytes);
        if (rows.length > 0) yield rows;
        else if (context.turnIsOver()) yield pause;
      }
    } finally {
      held.free();
    }
  };
}
