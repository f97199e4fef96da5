/**
 * Sorting. Rows are sorted in runs of a batch as they arrive, and the runs are merged as they are asked
 * for, so that no step takes long however many rows there are. Runs that memory does not hold are
 * merged into one that is written to a temporary file. Equal rows come in any order; those of a few
 * rows in PostgreSQL's.
 */
import { must } from '../../base/assert.js';
import type { SortKey } from '../plan/expression.js';
import type { RelationColumn } from '../plan/relation.js';
import type { RowCount } from '../rewrite/index.js';
import { type Row, typeNamed, type Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { quicksort } from './quicksort.js';
import { compileRowCount, evaluateRow } from './row-operators.js';
import { scopeOf } from './scope.js';
import { compileRowCodec, type RowCodec, SpilledRows } from './spill.js';
import {
  batchRows,
  Held,
  type Pause,
  pause,
  rowSizer,
  type Source,
  type Stream,
} from './stream.js';

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
  const shape = sorterShape(keys, columns);
  const topCount = top && compileRowCount(top);
  return function* sort(context): Stream {
    const count = topCount?.(context);
    const most = count === undefined ? Number.POSITIVE_INFINITY : count.limit + count.offset;
    const sorter: Sorts =
      most <= topRows ? new First(shape, most, context) : new Sorter(shape, context);
    try {
      for (const batch of input(context)) {
        if (batch === pause) {
          yield pause;
          continue;
        }
        sorter.add(batch.map((row) => ({ row, keys: evaluateRow(compiled, row, context) })));
        if (sorter.isFull) yield* sorter.spill();
        if (context.turnIsOver()) yield pause;
      }
      yield* sorter.sorted();
    } finally {
      sorter.close();
    }
  };
}

/** What sorters of the same rows share. */
export interface SorterShape {
  readonly compare: CompareEntries;
  readonly sizeOf: (row: Row) => number;
  /** Of rows with their keys behind them. */
  readonly codec: RowCodec;
  /** Columns of a row without its keys. */
  readonly width: number;
}

export function sorterShape(
  keys: readonly SortKey[],
  columns: readonly Pick<RelationColumn, 'type'>[],
): SorterShape {
  const sizeOfRow = rowSizer(columns);
  const keyBytes = entryBytes + 8 * keys.length;
  return {
    compare: compileOrder(keys),
    sizeOf: (row) => sizeOfRow(row) + keyBytes,
    codec: compileRowCodec([...columns, ...keys.map(({ expression: { type } }) => ({ type }))]),
    width: columns.length,
  };
}

/** V8's share of an entry and its list of keys, bytes. */
const entryBytes = 80;

/** LIMITs up to this keep only the rows that can still be among the first. */
const topRows = 2 * batchRows;

interface Sorts {
  readonly isFull: boolean;
  add(entries: readonly Entry[]): void;
  /** Puts what is in memory into a file. */
  spill(): Generator<Pause, void, undefined>;
  sorted(): Stream;
  close(): void;
}

/** Sorts all rows. */
export class Sorter implements Sorts {
  readonly #shape: SorterShape;
  readonly #context: ExecutionContext;
  readonly #held: Held;
  readonly #files: SpilledRows[] = [];
  #runs: (readonly Entry[])[] = [];
  /** Entries that are no run yet. */
  #run: Entry[] = [];

  constructor(shape: SorterShape, context: ExecutionContext) {
    this.#shape = shape;
    this.#context = context;
    this.#held = new Held(context);
  }

  get isFull(): boolean {
    return this.#held.isFull;
  }

  add(entries: readonly Entry[]): void {
    let bytes = 0;
    for (const { row } of entries) bytes += this.#shape.sizeOf(row);
    this.#held.add(bytes);
    for (const entry of entries) {
      this.#run.push(entry);
      if (this.#run.length >= batchRows) this.#endRun();
    }
  }

  #endRun(): void {
    if (this.#run.length === 0) return;
    quicksort(this.#run, this.#shape.compare);
    this.#runs.push(this.#run);
    this.#run = [];
  }

  *spill(): Generator<Pause, void, undefined> {
    this.#endRun();
    const { compare, codec } = this.#shape;
    const files = must(this.#context.spill, 'only where there are files a sorter is full');
    const written = new SpilledRows(files.create(), codec);
    this.#files.push(written);
    const heap = new RunHeap(this.#runs.map(inMemory), compare);
    let rows: Row[] = [];
    for (let entry = heap.take(); entry !== undefined; entry = heap.take()) {
      rows.push([...entry.row, ...entry.keys]);
      if (rows.length < spilledBlockRows) continue;
      written.append(rows);
      rows = [];
      if (this.#context.turnIsOver()) yield pause;
    }
    if (rows.length > 0) written.append(rows);
    this.#runs = [];
    this.#held.free();
  }

  *sorted(): Stream {
    this.#endRun();
    // Files come first: their rows came before those in memory.
    const spilled = this.#files.map((file) => fromFile(file, this.#shape.width));
    yield* mergeRuns([...spilled, ...this.#runs.map(inMemory)], this.#shape.compare, this.#context);
  }

  close(): void {
    this.#held.free();
    this.#runs = [];
    this.#run = [];
    for (const file of this.#files.splice(0)) file.close();
  }
}

/** Rows of a block of a sorted file: that many of each file are in memory while files are merged. */
const spilledBlockRows = 128;

/** The first rows only: whatever comes after them is dropped with each batch. */
class First implements Sorts {
  readonly isFull = false;
  readonly #shape: SorterShape;
  readonly #most: number;
  readonly #context: ExecutionContext;
  readonly #held: Held;
  #first: readonly Entry[] = [];

  constructor(shape: SorterShape, most: number, context: ExecutionContext) {
    this.#shape = shape;
    this.#most = most;
    this.#context = context;
    this.#held = new Held(context);
  }

  add(entries: readonly Entry[]): void {
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
  }

  *spill(): Generator<Pause, void, undefined> {}

  *sorted(): Stream {
    yield* mergeRuns([inMemory(this.#first)], this.#shape.compare, this.#context);
  }

  close(): void {
    this.#held.free();
    this.#first = [];
  }
}

/** Entries in order; gives undefined after the last. */
type Run = () => Entry | undefined;

function inMemory(entries: readonly Entry[]): Run {
  let next = 0;
  return () => {
    next += 1;
    return entries[next - 1];
  };
}

function fromFile(file: SpilledRows, width: number): Run {
  let block = 0;
  let rows: readonly Row[] = [];
  let next = 0;
  return () => {
    if (next === rows.length && block < file.blockCount) {
      rows = file.block(block);
      block += 1;
      next = 0;
    }
    const row = rows[next];
    if (row === undefined) return undefined;
    next += 1;
    return { row: row.slice(0, width), keys: row.slice(width) };
  };
}

/** The rows of sorted runs in one order; of equal rows those of the earlier run come first. */
function* mergeRuns(
  runs: readonly Run[],
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

interface OpenRun {
  readonly number: number;
  readonly next: Run;
  head: Entry;
}

/** A binary heap of runs by their next entries. */
class RunHeap {
  readonly #compare: CompareEntries;
  readonly #runs: OpenRun[] = [];

  constructor(runs: readonly Run[], compare: CompareEntries) {
    this.#compare = compare;
    for (const [number, next] of runs.entries()) {
      const head = next();
      if (head !== undefined) this.#runs.push({ number, next, head });
    }
    for (let i = (this.#runs.length >> 1) - 1; i >= 0; i -= 1) this.#sink(i);
  }

  /** Takes the first entry of all. */
  take(): Entry | undefined {
    const [first] = this.#runs;
    if (first === undefined) return undefined;
    const { head } = first;
    const next = first.next();
    if (next !== undefined) {
      first.head = next;
    } else {
      const last = this.#runs.pop();
      if (last !== undefined && this.#runs.length > 0) this.#runs[0] = last;
    }
    this.#sink(0);
    return head;
  }

  #isBefore(a: OpenRun, b: OpenRun): boolean {
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
