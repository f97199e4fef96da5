/** Executions of compiled statements. */
import type { Row } from '../types/index.js';
import type { Execution, Step } from './execution.js';
import { pause, type Stream } from './stream.js';
import type { Tally } from './write.js';

/** Steps through a stream. */
export class Running implements Execution {
  readonly #stream: Stream;
  /** What a writing statement counts; a query counts its rows. */
  readonly #tally: Tally | undefined;
  #rows = 0;

  constructor(stream: Stream, tally: Tally | undefined) {
    this.#stream = stream;
    this.#tally = tally;
  }

  step(): Step {
    const next = this.#stream.next();
    if (next.done === true) return { kind: 'done', count: this.#tally?.count ?? this.#rows };
    if (next.value === pause) return { kind: 'pause' };
    this.#rows += next.value.length;
    return { kind: 'rows', rows: next.value };
  }

  close(): void {
    this.#stream.return();
  }
}

/** Does all at the first step. */
export class Once implements Execution {
  readonly #act: (tally: Tally) => Row | undefined;
  #tally: Tally | undefined;

  constructor(act: (tally: Tally) => Row | undefined) {
    this.#act = act;
  }

  step(): Step {
    if (this.#tally !== undefined) return { kind: 'done', count: this.#tally.count };
    this.#tally = { count: 0 };
    const row = this.#act(this.#tally);
    if (row !== undefined) return { kind: 'rows', rows: [row] };
    return { kind: 'done', count: this.#tally.count };
  }

  close(): void {}
}
