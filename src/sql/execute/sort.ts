/**
 * Sorting in memory. Rows are sorted in runs of a batch as they arrive, and the runs are merged as
 * they are asked for, so that no step takes long however many rows there are. Equal rows keep their
 * order.
 */
import { must } from '../../base/assert.js';
import type { SortKey } from '../plan/expression.js';
import type { RelationColumn } from '../plan/relation.js';
import type { RowCount } from '../rewrite/index.js';
import { type Row, typeNamed, type Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { compileRowCount, evaluateRow } from './row-operators.js';
import { type Evaluate, scopeOf } from './scope.js';
import { batchRows, Held, pause, rowSizer, type Source, type Stream } from './stream.js';

/** A row with the values that it is sorted by. */
export interface Entry {
  readonly row: Row;
  readonly keys: Row;
}

export type CompareEntries = (a: Entry, b: Entry) => number;

/** Compares the keys of entries as ORDER BY says. */
export function compileOrder(keys: readonly SortKey[]): CompareEntries {
  const parts = keys.map(({ expression, descending, nullsFirst }) => ({
    compare: must(typeNamed(expression.type.name).compare, 'the binder asks for an order'),
    sign: descending ? -1 : 1,
    nullSign: nullsFirst ? -1 : 1,
  }));
  return (a, b) => {
    for (let i = 0; i < parts.length; i += 1) {
      const left = a.keys[i] as Value;
      const right = b.keys[i] as Value;
      const { compare, sign, nullSign } = parts[i] as (typeof parts)[number];
      if (left === null || right === null) {
        if (left !== right) return left === null ? nullSign : -nullSign;
      } else {
        const order = compare(left, right);
        if (order !== 0) return order * sign;
      }
    }
    return 0;
  };
}

export function compileSort(
  input: Source,
  keys: readonly SortKey[],
  top: RowCount | undefined,
  columns: readonly RelationColumn[],
): Source {
  const scope = scopeOf(columns, undefined);
  const compiled = keys.map((key) => compileExpression(key.expression, scope));
  const compare = compileOrder(keys);
  const sizeOfRow = rowSizer(columns);
  const keyBytes = entryBytes + 8 * keys.length;
  const topCount = top && compileRowCount(top);
  const shape: Shape = { compiled, compare, sizeOf: (row) => sizeOfRow(row) + keyBytes };
  return function* sort(context): Stream {
    const held = new Held(context);
    const count = topCount?.(context);
    const most = count === undefined ? Number.POSITIVE_INFINITY : count.limit + count.offset;
    const runs = most <= topRows ? new TopRuns(shape, most, held) : new Runs(shape, held);
    try {
      for (const batch of input(context)) {
        if (batch === pause) {
          yield pause;
          continue;
        }
        runs.add(batch.map((row) => ({ row, keys: evaluateRow(compiled, row, context) })));
        if (context.turnIsOver()) yield pause;
      }
      yield* mergeRuns(runs.sorted, compare, context);
    } finally {
      held.free();
    }
  };
}

interface Shape {
  readonly compiled: readonly Evaluate[];
  readonly compare: CompareEntries;
  readonly sizeOf: (row: Row) => number;
}

/** V8's share of an entry and its list of keys, bytes. */
const entryBytes = 80;

/** LIMITs up to this keep only the rows that can still be among the first. */
const topRows = 2 * batchRows;

/** All rows, in sorted runs. */
class Runs {
  readonly sorted: (readonly Entry[])[] = [];
  readonly #shape: Shape;
  readonly #held: Held;

  constructor(shape: Shape, held: Held) {
    this.#shape = shape;
    this.#held = held;
  }

  add(entries: Entry[]): void {
    let bytes = 0;
    for (const { row } of entries) bytes += this.#shape.sizeOf(row);
    this.#held.add(bytes);
    this.sorted.push(entries.sort(this.#shape.compare));
  }
}

/** The first rows only: whatever comes after them is dropped with each batch. */
class TopRuns {
  sorted: readonly (readonly Entry[])[] = [];
  readonly #shape: Shape;
  readonly #most: number;
  readonly #held: Held;
  #first: readonly Entry[] = [];

  constructor(shape: Shape, most: number, held: Held) {
    this.#shape = shape;
    this.#most = most;
    this.#held = held;
  }

  add(entries: Entry[]): void {
    const { compare, sizeOf } = this.#shape;
    const last = this.#first.length < this.#most ? undefined : this.#first.at(-1);
    const better =
      last === undefined ? entries : entries.filter((entry) => compare(entry, last) < 0);
    if (better.length === 0 || this.#most === 0) return;
    // The rows before come first, so that equal ones keep their order.
    this.#first = [...this.#first, ...better].sort(compare).slice(0, this.#most);
    this.#held.free();
    let bytes = 0;
    for (const { row } of this.#first) bytes += sizeOf(row);
    this.#held.add(bytes);
    this.sorted = [this.#first];
  }
}

/** The rows of sorted runs in one order; of equal rows those of the earlier run come first. */
export function* mergeRuns(
  runs: readonly (readonly Entry[])[],
  compare: CompareEntries,
  context: ExecutionContext,
): Stream {
  const heap = new RunHeap(runs, compare);
  let rows: Row[] = [];
  for (let entry = heap.take(); entry !== undefined; entry = heap.take()) {
    rows.push(entry.row);
    if (rows.length < batchRows) continue;
    yield rows;
    rows = [];
    if (context.turnIsOver()) yield pause;
  }
  if (rows.length > 0) yield rows;
}

interface Run {
  readonly number: number;
  readonly entries: readonly Entry[];
  next: number;
  head: Entry;
}

/** A binary heap of runs by their next entries. */
class RunHeap {
  readonly #compare: CompareEntries;
  readonly #runs: Run[] = [];

  constructor(runs: readonly (readonly Entry[])[], compare: CompareEntries) {
    this.#compare = compare;
    for (const [number, entries] of runs.entries()) {
      const [head] = entries;
      if (head !== undefined) this.#runs.push({ number, entries, next: 1, head });
    }
    for (let i = (this.#runs.length >> 1) - 1; i >= 0; i -= 1) this.#sink(i);
  }

  /** Takes the first entry of all. */
  take(): Entry | undefined {
    const [first] = this.#runs;
    if (first === undefined) return undefined;
    const { head } = first;
    const next = first.entries[first.next];
    if (next !== undefined) {
      first.head = next;
      first.next += 1;
    } else {
      const last = this.#runs.pop();
      if (last !== undefined && this.#runs.length > 0) this.#runs[0] = last;
    }
    this.#sink(0);
    return head;
  }

  #isBefore(a: Run, b: Run): boolean {
    const order = this.#compare(a.head, b.head);
    return order === 0 ? a.number < b.number : order < 0;
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      const run = this.#runs[at];
      const left = this.#runs[2 * at + 1];
      if (run === undefined || left === undefined) return;
      const right = this.#runs[2 * at + 2];
      const isRight = right !== undefined && this.#isBefore(right, left);
      const child = isRight ? right : left;
      if (!this.#isBefore(child, run)) return;
      const childAt = 2 * at + (isRight ? 2 : 1);
      this.#runs[at] = child;
      this.#runs[childAt] = run;
      at = childAt;
    }
  }
}
