/** Rows that several readers read from the beginning: they are computed as the first one asks. */
import type { Row } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { batchRows, Held, type Pause, pause, type Stream } from './stream.js';

export class StoredRows {
  readonly #context: ExecutionContext;
  readonly #sizeOf: (row: Row) => number;
  readonly #held: Held;
  readonly #rows: Row[] = [];
  #input: Stream | undefined;

  /** `input` gives the rows; without one they are those added. */
  constructor(context: ExecutionContext, sizeOf: (row: Row) => number, input?: Stream) {
    this.#context = context;
    this.#sizeOf = sizeOf;
    this.#held = new Held(context);
    this.#input = input;
  }

  get count(): number {
    return this.#rows.length;
  }

  add(rows: readonly Row[]): void {
    let bytes = 0;
    for (const row of rows) {
      bytes += this.#sizeOf(row);
      this.#rows.push(row);
    }
    this.#held.add(bytes);
  }

  /** All rows in the order in which they came. */
  *read(): Stream {
    let next = 0;
    for (;;) {
      if (next < this.#rows.length) {
        const batch = this.#rows.slice(next, next + batchRows);
        next += batch.length;
        yield batch;
        if (this.#context.turnIsOver()) yield pause;
        continue;
      }
      if (this.#input === undefined) return;
      if (this.#more() === pause) yield pause;
    }
  }

  /** Computes what nobody has asked for. */
  *finish(): Generator<Pause, void, undefined> {
    while (this.#input !== undefined) {
      if (this.#more() === pause || this.#context.turnIsOver()) yield pause;
    }
  }

  close(): void {
    this.#input?.return();
    this.#input = undefined;
    this.#rows.length = 0;
    this.#held.free();
  }

  #more(): Pause | undefined {
    const step = this.#input?.next();
    if (step === undefined || step.done === true) {
      this.#input = undefined;
      return undefined;
    }
    if (step.value === pause) return pause;
    this.add(step.value);
    return undefined;
  }
}
