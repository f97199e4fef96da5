/**
 * Streams of rows between operators: generators of batches that a parent pulls. A stream gives
 * `pause` when the turn is over and is resumed in a later one; in between it holds no state of the
 * engine. Ending a stream early (`return`) ends its inputs and frees what it holds.
 */
import type { Row, Value } from '../types/index.js';
import { typeNamed } from '../types/index.js';
import type { RelationColumn } from '../plan/relation.js';
import type { ExecutionContext } from './execution.js';

export type Batch = readonly Row[];
export const pause = Symbol('pause');
export type Pause = typeof pause;
export type Stream = Generator<Batch | Pause, void, undefined>;

/** A compiled plan: starts reading anew with each call. */
export type Source = (context: ExecutionContext) => Stream;

/** The most rows of a batch. */
export const batchRows = 1024;
/** Rows between two looks at the clock, where a row costs little. */
export const rowsPerLook = 128;

/** An operator goes over to files at this share of its statement's memory. */
const operatorsPerStatement = 8;

/** Memory that an operator has charged to its statement. */
export class Held {
  readonly #context: Pick<ExecutionContext, 'memory' | 'spill'>;
  #bytes = 0;

  constructor(context: Pick<ExecutionContext, 'memory' | 'spill'>) {
    this.#context = context;
  }

  /** Raises `out_of_memory` when the statement's budget is spent. */
  add(bytes: number): void {
    this.#context.memory.charge(bytes);
    this.#bytes += bytes;
  }

  /** True when the operator holds its share of the memory, and may go over to temporary files. */
  get isFull(): boolean {
    const { spill, memory } = this.#context;
    return spill !== undefined && this.#bytes > memory.limitBytes / operatorsPerStatement;
  }

  /** True when the statement as a whole has used half of its memory. */
  get isScarce(): boolean {
    const { spill, memory } = this.#context;
    return spill !== undefined && memory.usedBytes > memory.limitBytes / 2;
  }

  /** Gives a part back. */
  release(bytes: number): void {
    this.#context.memory.release(bytes);
    this.#bytes -= bytes;
  }

  free(): void {
    this.#context.memory.release(this.#bytes);
    this.#bytes = 0;
  }
}

/** V8's share of an array and of each of its elements, bytes. */
const arrayBytes = 32;
const elementBytes = 8;

/** Measures rows of these columns: approximate bytes of memory. */
export function rowSizer(columns: readonly Pick<RelationColumn, 'type'>[]): (row: Row) => number {
  const fixed = arrayBytes + elementBytes * columns.length;
  const variable = columns.flatMap(({ type }, slot) => {
    const { sizeOf } = typeNamed(type.name);
    return plainTypes.has(type.name) ? [] : [{ slot, sizeOf }];
  });
  return (row) => {
    let bytes = fixed;
    for (const { slot, sizeOf } of variable) {
      const value = row[slot] as Value;
      if (value !== null) bytes += sizeOf(value);
    }
    return bytes;
  };
}

/** Types whose values lie in the array itself. */
const plainTypes: ReadonlySet<string> = new Set(['bool', 'int2', 'int4', 'oid', 'date']);

/** All rows of a stream in one array; yields its pauses. `keep` sees each batch first. */
export function* collect(
  stream: Stream,
  keep: (batch: Batch) => void,
): Generator<Pause, Row[], undefined> {
  const rows: Row[] = [];
  for (const batch of stream) {
    if (batch === pause) {
      yield pause;
      continue;
    }
    keep(batch);
    for (const row of batch) rows.push(row);
  }
  return rows;
}
