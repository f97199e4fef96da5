/** Rows that several readers read from the beginning: they are computed as the first one asks. */
import type { Row } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { RowBuffer, type RowBufferShape } from './row-buffer.js';
import { batchRows, type Pause, pause, type Stream } from './stream.js';

export class StoredRows {
  readonly #context: ExecutionContext;
  readonly #rows: RowBuffer;
  #input: Stream | undefined;

  /** `input` gives the rows; without one they are those added. */
  constructor(context: ExecutionContext, shape: RowBufferShape, input?: Stream) {
    this.#context = context;
    this.#rows = new RowBuffer(shape, context);
    this.#input = input;
  }

  get count(): number {
    return this.#rows.count;
  }

  add(rows: readonly Row[]): void {
    for (const row of rows) this.#rows.add(row);
  }

  /** All rows in the order in which they came. */
  *read(): Stream {
    let next = 0;
    for (;;) {
      if (next < this.#rows.count) {
        const batch = this.#rows.slice(next, batchRows);
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
    this.#rows.close();
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
