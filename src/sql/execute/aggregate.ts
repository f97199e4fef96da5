/**
 * Grouping and aggregates by hash tables. When a table holds its share of memory, rows of groups that
 * are not in it go to temporary files, and their groups come after those of the table.
 */
import { assert, must } from '../../base/assert.js';
import type { NamedExpression } from '../plan/expression.js';
import type { Grouped, RelationColumn } from '../plan/relation.js';
import type { HashKey, Row, Value } from '../types/index.js';
import { type Accumulator, compileAccumulator } from './accumulator.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { compileRowKey, mapEntryBytes } from './row-key.js';
import { evaluateRow } from './row-operators.js';
import { type Scope, scopeOf } from './scope.js';
import { compileRowCodec, type RowCodec } from './spill.js';
import { spillDepthMax, SpillPartitions } from './spill-partitions.js';
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

interface Group {
  readonly values: Row;
  readonly accumulators: readonly Accumulator[];
}

/** A grouping set. */
interface GroupingSet {
  /** The key of a group's values. */
  readonly keyOf: (values: Row) => HashKey | null;
  /** Values of the groups that the set leaves out are NULL; undefined when it leaves out none. */
  readonly left: readonly boolean[] | undefined;
  /** Values of GROUPING(). */
  readonly groupings: Row;
  /** One group of all rows, which is there without any. */
  readonly isWhole: boolean;
}

/** What all executions of an aggregate share. */
interface Shape {
  readonly valuesOf: (row: Row, context: ExecutionContext) => Row;
  readonly newGroup: (values: Row, context: ExecutionContext) => Group;
  /** NULL for each group. */
  readonly noValues: Row;
  readonly sizeOfGroup: (values: Row) => number;
  readonly rows: { readonly codec: RowCodec; readonly sizeOf: (row: Row) => number };
}

export function compileAggregate(
  input: Source,
  grouped: Grouped,
  columns: readonly RelationColumn[],
  scope: Scope,
): Source {
  const { groups, aggregates } = grouped;
  const sets = compileSets(grouped);
  const values = groups.map(({ expression }) => compileExpression(expression, scope));
  const groupColumns = groups.map(columnOf);
  const groupScope = scopeOf(groupColumns, scope.database);
  const factories = aggregates.map((call) => compileAccumulator(call, scope, groupScope));
  const sizeOfValues = rowSizer(groupColumns);
  const shape: Shape = {
    valuesOf: (row, context) => evaluateRow(values, row, context),
    newGroup: (of, context) => ({
      values: of,
      accumulators: factories.map((create) => create(context)),
    }),
    noValues: groups.map(() => null),
    sizeOfGroup: (of) => sizeOfValues(of) + mapEntryBytes + accumulatorBytes * factories.length,
    rows: { codec: compileRowCodec(columns), sizeOf: rowSizer(columns) },
  };
  return (context) => aggregated(input(context), sets, shape, context, 0);
}

function columnOf({ column, name, expression }: NamedExpression): RelationColumn {
  return { column, name, type: expression.type };
}

/** What an accumulator holds from the start, bytes. An estimate. */
const accumulatorBytes = 96;

function compileSets({ groups, sets, groupings = [] }: Grouped): readonly GroupingSet[] {
  const all = [...groups.keys()];
  return (sets ?? [all]).map((set) => {
    const taken = all.map((i) => set.includes(i));
    const keyOf = compileRowKey(
      groups.filter((_, i) => taken[i]).map(({ expression }) => expression.type),
    );
    const isAll = taken.every(Boolean);
    return {
      keyOf: isAll ? keyOf : (values) => keyOf(values.filter((_, i) => taken[i])),
      left: isAll ? undefined : taken.map((one) => !one),
      groupings: groupings.map((call) =>
        call.groups.reduce((number, group) => number * 2 + (taken[group] === true ? 0 : 1), 0),
      ),
      isWhole: set.length === 0,
    };
  });
}

/** The groups of one input. At depth 0 it is the whole one, below it is a partition of spilled rows. */
function* aggregated(
  input: Stream,
  sets: readonly GroupingSet[],
  shape: Shape,
  context: ExecutionContext,
  depth: number,
): Stream {
  const held = new Held(context);
  const tables = sets.map((set) => new GroupTable(set, shape, context, held, depth));
  try {
    for (const batch of input) {
      if (batch === pause) {
        yield pause;
        continue;
      }
      const values = batch.map((row) => shape.valuesOf(row, context));
      for (const table of tables) {
        yield* table.add(batch, values);
        if (context.turnIsOver()) yield pause;
      }
    }
    for (const table of tables) yield* table.results();
    for (const table of tables) {
      table.forget();
      held.free();
      const { spilled } = table;
      for (const number of spilled?.numbers ?? []) {
        const rows = must(spilled, 'rows were spilled').read(number);
        yield* aggregated(rows, [table.set], shape, context, depth + 1);
        spilled?.drop(number);
      }
    }
  } finally {
    for (const table of tables) table.close();
    held.free();
  }
}

/** The groups of one grouping set. */
class GroupTable {
  readonly set: GroupingSet;
  readonly #shape: Shape;
  readonly #context: ExecutionContext;
  readonly #held: Held;
  readonly #depth: number;
  readonly #groups = new Map<HashKey | null, Group>();
  spilled: SpillPartitions | undefined;

  constructor(
    set: GroupingSet,
    shape: Shape,
    context: ExecutionContext,
    held: Held,
    depth: number,
  ) {
    this.set = set;
    this.#shape = shape;
    this.#context = context;
    this.#held = held;
    this.#depth = depth;
    if (set.isWhole) this.#create(set.keyOf(shape.noValues), shape.noValues);
  }

  /** Rows with the values of their groups. */
  *add(rows: Batch, values: readonly Row[]): Generator<Pause, void, undefined> {
    const { keyOf } = this.set;
    const full = new Set<Accumulator>();
    let bytes = 0;
    for (const [i, row] of rows.entries()) {
      const own = values[i] as Row;
      const key = keyOf(own);
      const group = this.#groups.get(key) ?? this.#create(key, own, row);
      for (const accumulator of group?.accumulators ?? []) {
        bytes += accumulator.add(row, this.#context);
        if (accumulator.isFull) full.add(accumulator);
      }
    }
    this.#held.add(bytes);
    for (const accumulator of full) yield* accumulator.relieve();
  }

  *results(): Stream {
    const { left, groupings } = this.set;
    let rows: Row[] = [];
    for (const { values, accumulators } of this.#groups.values()) {
      const group =
        left === undefined ? values : values.map((value, i) => (left[i] ? null : value));
      const row: Value[] = [...group];
      for (const accumulator of accumulators) {
        if (accumulator.settle !== undefined) yield* accumulator.settle(group, this.#context);
        row.push(accumulator.result(group, this.#context));
      }
      rows.push([...row, ...groupings]);
      if (rows.length < batchRows) continue;
      yield rows;
      rows = [];
      if (this.#context.turnIsOver()) yield pause;
    }
    if (rows.length > 0) yield rows;
  }

  /** Gives up the groups in memory. */
  forget(): void {
    for (const { accumulators } of this.#groups.values()) {
      for (const accumulator of accumulators) accumulator.close();
    }
    this.#groups.clear();
    this.spilled?.finish();
  }

  close(): void {
    this.forget();
    this.spilled?.close();
  }

  /** A new group; undefined when the row was spilled instead. */
  #create(key: HashKey | null, values: Row, row?: Row): Group | undefined {
    if (row !== undefined && this.#isFull) {
      assert(this.#depth < spillDepthMax, 'partitions get smaller');
      this.spilled ??= new SpillPartitions(this.#shape.rows, this.#context, this.#depth);
      this.spilled.add(key, row);
      return undefined;
    }
    const group = this.#shape.newGroup(values, this.#context);
    this.#groups.set(key, group);
    this.#held.add(this.#shape.sizeOfGroup(values));
    return group;
  }

  /** At the last depth everything stays in memory, which the statement's limit bounds. */
  get #isFull(): boolean {
    // What ordered aggregates of many groups keep is not held by the table.
    const isFull = this.#held.isFull || this.#held.isScarce;
    return this.#depth < spillDepthMax && this.#groups.size > 0 && isFull;
  }
}
