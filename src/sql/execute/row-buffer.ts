/** Rows that are kept in their order and read again at any place: in memory, or spilled. */
import { assert, must } from '../../base/assert.js';
import type { RelationColumn } from '../plan/relation.js';
import type { Row } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileRowCodec, type RowCodec, SpilledRows } from './spill.js';
import { Held, rowSizer } from './stream.js';

/** Rows of a block in a file. */
const blockRows = 256;
/** Blocks that are kept after they were read: places where rows are read from by turns. */
const blocksKept = 4;

/** What buffers of rows of the same columns share. */
export interface RowBufferShape {
  readonly codec: RowCodec;
  readonly sizeOf: (row: Row) => number;
}

export function rowBufferShape(columns: readonly RelationColumn[]): RowBufferShape {
  return { codec: compileRowCodec(columns), sizeOf: rowSizer(columns) };
}

export class RowBuffer {
  readonly #shape: RowBufferShape;
  readonly #context: Pick<ExecutionContext, 'memory' | 'spill'>;
  readonly #held: Held;
  #spilled: SpilledRows | undefined;
  /** Rows after the spilled ones. */
  #tail: Row[] = [];
  /** Blocks read last, the newest first. */
  #blocks: { readonly number: number; readonly rows: readonly Row[] }[] = [];

  constructor(shape: RowBufferShape, context: Pick<ExecutionContext, 'memory' | 'spill'>) {
    this.#shape = shape;
    this.#context = context;
    this.#held = new Held(context);
  }

  get count(): number {
    return (this.#spilled?.rowCount ?? 0) + this.#tail.length;
  }

  add(row: Row): void {
    this.#held.add(this.#shape.sizeOf(row));
    this.#tail.push(row);
    if (this.#held.isFull && this.#tail.length >= blockRows) this.#spill();
  }

  at(index: number): Row {
    const before = this.#spilled?.rowCount ?? 0;
    const row = index < before ? this.#spilledAt(index) : this.#tail[index - before];
    return must(row, 'a row of the buffer');
  }

  /** Rows from a place on, up to `count`. */
  slice(from: number, count: number): Row[] {
    const rows: Row[] = [];
    const end = Math.min(from + count, this.count);
    for (let index = from; index < end; index += 1) rows.push(this.at(index));
    return rows;
  }

  close(): void {
    this.#held.free();
    this.#tail = [];
    this.#blocks = [];
    this.#spilled?.close();
    this.#spilled = undefined;
  }

  /** Whole blocks go to the file. */
  #spill(): void {
    const files = must(this.#context.spill, 'only where there are files a buffer is full');
    this.#spilled ??= new SpilledRows(files.create(), this.#shape.codec);
    const whole = this.#tail.length - (this.#tail.length % blockRows);
    for (let from = 0; from < whole; from += blockRows) {
      this.#spilled.append(this.#tail.slice(from, from + blockRows));
    }
    this.#tail = this.#tail.slice(whole);
    this.#held.free();
    for (const row of this.#tail) this.#held.add(this.#shape.sizeOf(row));
  }

  #spilledAt(index: number): Row | undefined {
    const number = Math.floor(index / blockRows);
    const found = this.#blocks.find((block) => block.number === number);
    if (found !== undefined) return found.rows[index % blockRows];
    assert(this.#spilled !== undefined, 'rows are spilled');
    const rows = this.#spilled.block(number);
    this.#blocks = [{ number, rows }, ...this.#blocks.slice(0, blocksKept - 1)];
    return rows[index % blockRows];
  }
}
