/** One aggregate of one group, while rows are still coming. */
import type { AggregateFunction, AggregateState } from '../functions/index.js';
import type { AggregateCall, Expression, SortKey } from '../plan/expression.js';
import { type HashKey, type Row, typeNamed, type Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression, compileTest } from './expression.js';
import { compileRowKey, hasNull, mapEntryBytes } from './row-key.js';
import { evaluateRow } from './row-operators.js';
import type { Evaluate, Scope, Test } from './scope.js';
import {
  type CompareEntries,
  compileOrder,
  type Entry,
  Sorter,
  type SorterShape,
  sorterShape,
} from './sort.js';
import { type Pause, pause } from './stream.js';

export interface Accumulator {
  /** Gives the bytes of memory that it has come to hold since the last call, about. */
  add(row: Row, context: ExecutionContext): number;
  /** Set when it holds so much that `relieve` should be run. */
  readonly isFull: boolean;
  relieve(): Generator<Pause, void, undefined>;
  /** Work to be done before the result, if it may take long. `group` has the group's columns. */
  readonly settle:
    | ((group: Row, context: ExecutionContext) => Generator<Pause, void, undefined>)
    | undefined;
  result(group: Row, context: ExecutionContext): Value;
  close(): void;
}

/** `groups` is the scope of direct arguments: the columns of the groups. */
export function compileAccumulator(
  call: AggregateCall,
  scope: Scope,
  groups: Scope,
): (context: ExecutionContext) => Accumulator {
  const compiled: CompiledCall = {
    called: call.function,
    values: call.arguments.map((argument) => compileExpression(argument, scope)),
    filter: call.filter && compileTest(call.filter, scope),
    direct: call.direct.map((argument) => compileExpression(argument, groups)),
  };
  const isDistinct = call.distinct && !call.function.ignoresDuplicates;
  if (!isDistinct && call.orderBy.length === 0) return () => new Direct(compiled);
  const order = call.orderBy.length > 0 ? call.orderBy : ascending(call.arguments);
  const gathered: GatheredCall = {
    ...compiled,
    keys: order.map(({ expression }) => compileExpression(expression, scope)),
    distinctKey: isDistinct ? compileRowKey(call.arguments.map(({ type }) => type)) : undefined,
    shape: sorterShape(order, call.arguments),
    compare: compileOrder(order),
  };
  return (context) => new Gathered(gathered, context);
}

/** As PostgreSQL removes duplicates: by sorting, which string_agg(DISTINCT ...) lets one see. */
function ascending(expressions: readonly Expression[]): readonly SortKey[] {
  return expressions
    .filter(({ type }) => typeNamed(type.name).compare !== undefined)
    .map((expression) => ({ expression, descending: false, nullsFirst: false }));
}

interface CompiledCall {
  readonly called: AggregateFunction;
  readonly values: readonly Evaluate[];
  readonly filter: Test | undefined;
  readonly direct: readonly Evaluate[];
}

/** Rows between two measurements of a state, which may cost something. */
const rowsPerMeasure = 64;

/** Steps with each row at once. */
class Direct implements Accumulator {
  readonly settle = undefined;
  readonly isFull = false;
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

  *relieve(): Generator<Pause, void, undefined> {}

  result(_group: Row, context: ExecutionContext): Value {
    return this.#call.called.final(this.#state, context.functions, []);
  }

  close(): void {}

  #growth(): number {
    const before = this.#bytes;
    this.#bytes = this.#call.called.sizeOf(this.#state);
    return Math.max(0, this.#bytes - before);
  }
}

interface GatheredCall extends CompiledCall {
  readonly keys: readonly Evaluate[];
  readonly distinctKey: ((values: Row) => HashKey | null) | undefined;
  readonly shape: SorterShape;
  readonly compare: CompareEntries;
}

/** Keeps its arguments until the end, sorted: for DISTINCT, ORDER BY and WITHIN GROUP. */
class Gathered implements Accumulator {
  readonly #call: GatheredCall;
  readonly #sorter: Sorter;
  readonly #seen = new Set<HashKey | null>();
  #state: AggregateState;

  constructor(call: GatheredCall, context: ExecutionContext) {
    this.#call = call;
    this.#sorter = new Sorter(call.shape, context);
    this.#state = call.called.init();
  }

  get isFull(): boolean {
    return this.#sorter.isFull;
  }

  add(row: Row, context: ExecutionContext): number {
    const { called, values, filter, keys, distinctKey } = this.#call;
    if (filter !== undefined && !filter(row, context)) return 0;
    const entry = evaluateRow(values, row, context);
    if (called.strict && hasNull(entry)) return 0;
    let bytes = 0;
    if (distinctKey !== undefined) {
      const key = distinctKey(entry);
      if (this.#seen.has(key)) return 0;
      this.#seen.add(key);
      bytes = mapEntryBytes;
    }
    this.#sorter.add([{ row: entry, keys: evaluateRow(keys, row, context) }]);
    return bytes;
  }

  *relieve(): Generator<Pause, void, undefined> {
    yield* this.#sorter.spill();
  }

  *settle(group: Row, context: ExecutionContext): Generator<Pause, void, undefined> {
    const { called } = this.#call;
    const position = called.form === 'hypothetical' ? this.#position(group, context) : undefined;
    for (const batch of this.#sorter.sorted()) {
      if (batch === pause) {
        yield pause;
        continue;
      }
      for (const row of batch) {
        const [first = null, second = null] = position === undefined ? row : position(row);
        this.#state = called.step(this.#state, first, second, context.functions);
      }
    }
    this.#sorter.close();
  }

  result(group: Row, context: ExecutionContext): Value {
    const { called, direct } = this.#call;
    return called.final(this.#state, context.functions, evaluateRow(direct, group, context));
  }

  close(): void {
    this.#sorter.close();
  }

  /**
   * What a hypothetical aggregate steps with instead of a row: whether it lies before (-1), beside (0)
   * or behind (1) the hypothetical one, and whether it differs from the row before it.
   */
  #position(group: Row, context: ExecutionContext): (row: Row) => Row {
    const { compare, direct } = this.#call;
    const hypothetical: Entry = { row: [], keys: evaluateRow(direct, group, context) };
    let last: Entry | undefined;
    return (row) => {
      // The arguments of a hypothetical aggregate are its keys.
      const entry: Entry = { row, keys: row };
      const isNew = last === undefined || compare(last, entry) !== 0;
      last = entry;
      return [Math.sign(compare(entry, hypothetical)), isNew];
    };
  }
}
