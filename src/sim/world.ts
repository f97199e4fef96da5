/**
 * Virtual time: an event heap driven by one seed. Nothing happens but by an event, so a world run
 * twice from a seed does the same; events at the same instant run in an order drawn from the seed.
 */
import { createHash, type Hash } from 'node:crypto';
import { assert } from '../base/assert.js';
import type { Random } from '../base/random.js';

interface Event {
  readonly atMs: number;
  /** Decides between events of one instant. */
  readonly order: number;
  /** Tells equal draws apart. */
  readonly number: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Takes an event back. */
export type Cancel = () => void;

export class World {
  readonly #random: Random;
  readonly #hash: Hash = createHash('sha256');
  readonly #print: ((line: string) => void) | undefined;
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #events = 0;
  #lines = 0;

  /** `print` sees every line of the trace. */
  constructor(random: Random, print?: (line: string) => void) {
    this.#random = random;
    this.#print = print;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Cancel {
    assert(delayMs >= 0, 'an event in the past', delayMs);
    this.#events += 1;
    const event: Event = {
      atMs: this.#nowMs + delayMs,
      order: this.#random.uint32(),
      number: this.#events,
      run,
      cancelled: false,
    };
    this.#push(event);
    return () => {
      event.cancelled = true;
    };
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    const event = this.#pop();
    if (event === undefined) return false;
    if (event.cancelled) return true;
    this.#nowMs = event.atMs;
    event.run();
    return true;
  }

  /** One line of the trace: microseconds, who, what, details. */
  trace(who: string, what: string, details: string): void {
    const at = Math.round(this.#nowMs * 1000);
    const line = `${String(at).padStart(11)} ${who.padEnd(9)} ${what.padEnd(9)} ${details}`;
    this.#hash.update(line).update('\n');
    this.#lines += 1;
    this.#print?.(line);
  }

  /** Equal for equal traces. Ends the trace. */
  traceHash(): string {
    return `${this.#lines}:${this.#hash.digest('hex').slice(0, 16)}`;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const other = heap[parent];
      if (other === undefined || before(other, event)) break;
      heap[at] = other;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && before(right, left)) child += 1;
      const smaller = heap[child];
      if (smaller === undefined || before(last, smaller)) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs;
  if (a.order !== b.order) return a.order < b.order;
  return a.number < b.number;
}
