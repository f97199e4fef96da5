/** What reading a text depends on in a session, as far as its door is told: time zone and styles. */
import type { FunctionContext } from '../../sql/types/index.js';
import { printContext } from '../answers.js';

/** As sessions begin. */
const plain = printContext('UTC');
const styles: ReadonlySet<string> = new Set(['DateStyle', 'IntervalStyle']);

export class Reading {
  #timeZone = 'UTC';
  #style: Readonly<Record<string, string>> = {};
  #context = plain;

  get context(): FunctionContext {
    return this.#context;
  }

  /** Settings that have changed, by their names as they are reported. */
  note(values: Readonly<Record<string, string>>): void {
    const changed = Object.entries(values).filter(([name]) => styles.has(name));
    const { TimeZone: timeZone = this.#timeZone } = values;
    if (changed.length === 0 && timeZone === this.#timeZone) return;
    const lower = changed.map(([name, value]) => [name.toLowerCase(), value] as const);
    this.#timeZone = timeZone;
    this.#style = { ...this.#style, ...Object.fromEntries(lower) };
    this.#context = printContext(this.#timeZone, this.#style);
  }
}
