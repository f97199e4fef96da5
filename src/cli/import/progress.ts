/** What a person sees of an import: a bar on a terminal, bad lines, and the sum at the end. */
import { Presets, SingleBar } from 'cli-progress';
import type { ImportListener, ImportOutcome } from './import.js';
import type { BadLine } from './records.js';

export class ImportReport implements ImportListener {
  readonly #file: string;
  readonly #table: string;
  readonly #startMs = performance.now();
  #bar: SingleBar | undefined;
  #phase: string | undefined;
  #interrupted = false;

  constructor(file: string, table: string) {
    this.#file = file;
    this.#table = table;
  }

  get interrupted(): boolean {
    return this.#interrupted;
  }

  interrupt(): void {
    this.#interrupted = true;
  }

  progress(phase: 'reading' | 'loading', bytes: number, total: number): void {
    if (!process.stderr.isTTY) return;
    if (this.#phase !== phase) {
      this.stop();
      const format = `${phase} {bar} {percentage} %`;
      this.#bar = new SingleBar({ format, clearOnComplete: true }, Presets.shades_classic);
      this.#bar.start(total, 0);
      this.#phase = phase;
    }
    this.#bar?.update(bytes);
  }

  bad({ line, reason }: BadLine): void {
    this.stop();
    this.#phase = undefined;
    process.stderr.write(`${this.#file}:${line}: ${reason}\n`);
  }

  finish({ rows, badLines, stopped }: ImportOutcome): void {
    this.stop();
    const seconds = (performance.now() - this.#startMs) / 1000;
    const speed = Math.round(rows / seconds);
    const what = `${rows} rows into ${this.#table} in ${seconds.toFixed(1)} s (${speed} rows/s)`;
    const bad = badLines === 0 ? '' : `; ${badLines} bad lines`;
    process.stdout.write(`imported ${what}${bad}\n`);
    if (stopped !== undefined) process.stderr.write(`stopped before the end: ${stopped}\n`);
  }

  /** Takes the bar off the terminal. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
