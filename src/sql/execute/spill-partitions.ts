/**
 * Rows that a hash table has no room for, in as many files as there are partitions of their keys: each
 * file is treated like an input of its own when the table is empty again.
 */
import { must } from '../../base/assert.js';
import type { HashKey, Row } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { type RowCodec, SpilledRows } from './spill.js';
import { type Batch, Held, pause, type Stream } from './stream.js';

const partitionCount = 16;
/** Rows of a block of a file; that many of each partition wait in memory. */
const blockRows = 64;
/** Partitions of partitions: beyond this one key has more rows than memory holds. */
export const spillDepthMax = 6;

export class SpillPartitions {
  readonly #codec: RowCodec;
  readonly #sizeOf: (row: Row) => number;
  readonly #context: ExecutionContext;
  readonly #held: Held;
  readonly #depth: number;
  readonly #waiting: Row[][] = Array.from({ length: partitionCount }, () => []);
  readonly #files: (SpilledRows | undefined)[] = new Array(partitionCount).fill(undefined);

  /** `depth` counts from 0: another depth parts the same keys in another way. */
  constructor(
    shape: { readonly codec: RowCodec; readonly sizeOf: (row: Row) => number },
    context: ExecutionContext,
    depth: number,
  ) {
    this.#codec = shape.codec;
    this.#sizeOf = shape.sizeOf;
    this.#context = context;
    this.#held = new Held(context);
    this.#depth = depth;
  }

  add(key: HashKey | null, row: Row): void {
    const number = hashOf(key, this.#depth) % partitionCount;
    const waiting = must(this.#waiting[number], 'a partition');
    waiting.push(row);
    this.#held.add(this.#sizeOf(row));
    if (waiting.length >= blockRows) this.#write(number);
  }

  /** All rows are there: what waits is written. */
  finish(): void {
    for (let number = 0; number < partitionCount; number += 1) this.#write(number);
  }

  /** Partitions that have rows. */
  get numbers(): readonly number[] {
    return [...this.#files.keys()].filter((number) => this.#files[number] !== undefined);
  }

  /** The rows of a partition, in the order in which they were added. */
  *read(number: number): Stream {
    const file = this.#files[number];
    for (let block = 0; block < (file?.blockCount ?? 0); block += 1) {
      const rows: Batch = must(file, 'a partition with rows').block(block);
      yield rows;
      if (this.#context.turnIsOver()) yield pause;
    }
  }

  /** Removes the file of a partition. */
  drop(number: number): void {
    this.#files[number]?.close();
    this.#files[number] = undefined;
  }

  close(): void {
    this.#held.free();
    for (let number = 0; number < partitionCount; number += 1) this.drop(number);
  }

  #write(number: number): void {
    const rows = this.#waiting[number];
    if (rows === undefined || rows.length === 0) return;
    const spill = must(this.#context.spill, 'only where there are files a table is full');
    const file = this.#files[number] ?? new SpilledRows(spill.create(), this.#codec);
    this.#files[number] = file;
    file.append(rows);
    this.#waiting[number] = [];
    this.#held.release(rows.reduce((bytes, row) => bytes + this.#sizeOf(row), 0));
  }
}

/** FNV-1a over the key's text, begun anew for each depth. */
function hashOf(key: HashKey | null, depth: number): number {
  const text = String(key);
  let hash = Math.imul(depth + 1, 0x9e37_79b9) ^ 0x811c_9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
