/** Results: from frames to arrays of rows. */
import type { CompleteFrame, FrameColumn, FrameValue, RowsFrame } from '../net/protocol.js';
import { clientError } from './errors.js';
import { type Decoder, decoderOf, type TypeOptions, type Value } from './values.js';

/** A column of a result. */
export interface Column {
  readonly name: string;
  /** PostgreSQL's name of the type, such as `int4`. */
  readonly type: string;
}

/** A row when its type is not given: the values by the names of their columns. */
export type Row = { [column: string]: Value };

/** The rows of a statement: an array that knows what else the node said. */
export class Result<T> extends Array<T> {
  #columns: readonly Column[] = [];
  #tag = '';
  #stale = false;

  /** What `map` and `filter` give is a plain array. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  get columns(): readonly Column[] {
    return this.#columns;
  }

  /** PostgreSQL's command tag, such as `INSERT 0 3`. */
  get tag(): string {
    return this.#tag;
  }

  /** Rows given or changed. */
  get count(): number {
    return Number(/(\d+)$/.exec(this.#tag)?.[1] ?? 0);
  }

  /** Whether the rows may be older than what is committed, as `shardforge.stale_reads` allows. */
  get stale(): boolean {
    return this.#stale;
  }

  /** Says what the rows are; for the SDK itself. */
  complete(columns: readonly Column[], tag: string, stale: boolean): this {
    this.#columns = columns;
    this.#tag = tag;
    this.#stale = stale;
    return this;
  }
}

/** How a row is handed out: an object by column names, or an array in the order of the columns. */
export type RowShape = 'object' | 'array';

/** Decodes the rows of one result. */
export class RowReader {
  readonly columns: readonly Column[];
  readonly #decoders: readonly (Decoder | undefined)[];
  readonly #shape: RowShape;

  constructor(columns: readonly FrameColumn[], types: TypeOptions, shape: RowShape) {
    this.columns = columns;
    this.#decoders = columns.map((column) => decoderOf(column, types));
    this.#shape = shape;
  }

  read(values: readonly FrameValue[]): Row | Value[] {
    if (this.#shape === 'array') return this.columns.map((_, i) => this.#value(values, i));
    const row: Row = {};
    for (let i = 0; i < this.columns.length; i += 1) {
      const name = this.columns[i]?.name ?? '';
      if (name === '__proto__') {
        const value = this.#value(values, i);
        Object.defineProperty(row, name, { value, enumerable: true, writable: true });
      } else {
        row[name] = this.#value(values, i);
      }
    }
    return row;
  }

  #value(values: readonly FrameValue[], i: number): Value {
    const value = values[i] ?? null;
    const decode = this.#decoders[i];
    return value === null || decode === undefined ? value : decode(value);
  }
}

/** Gathers the results of a text: one for each of its statements. */
export class ResultReader {
  readonly #types: TypeOptions;
  readonly #shape: RowShape;
  readonly results: Result<unknown>[] = [];
  #reader: RowReader | undefined;
  #rows = new Result<unknown>();

  constructor(types: TypeOptions, shape: RowShape) {
    this.#types = types;
    this.#shape = shape;
  }

  /** @throws ShardForgeError when a value cannot be given as the options ask. */
  take(frame: RowsFrame | CompleteFrame): void {
    if (frame.op === 'complete') {
      this.#finish([], frame.tag, false);
      return;
    }
    if (frame.columns !== undefined) {
      this.#reader = new RowReader(frame.columns, this.#types, this.#shape);
    }
    const reader = this.#reader;
    if (reader === undefined) {
      throw clientError('protocol_violation', 'the node sent rows before their columns');
    }
    for (const row of frame.rows) this.#rows.push(reader.read(row));
    if (frame.tag !== undefined) this.#finish(reader.columns, frame.tag, frame.stale === true);
  }

  /** The rows so far of a result that has not ended, which it then forgets; a reader of pieces. */
  drain(): unknown[] {
    const ended = this.results.pop();
    if (ended !== undefined) return ended;
    const rows = this.#rows;
    this.#rows = new Result();
    return rows;
  }

  #finish(columns: readonly Column[], tag: string, stale: boolean): void {
    this.results.push(this.#rows.complete(columns, tag, stale));
    this.#rows = new Result();
    this.#reader = undefined;
  }
}
