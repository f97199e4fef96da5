import { assert, must } from '../base/assert.js';

/** One timer that is set. */
export interface Timer<T> {
  readonly dueMs: number;
  readonly item: T;
}

interface Entry<T> extends Timer<T> {
  readonly sequence: number;
  /** Where it lies in the heap; -1 when it has fired or was cancelled. */
  at: number;
}

/**
 * Timers in order of their instant, those of one instant in the order in which they were set: a
 * binary heap whose entries know their position, so that a cancelled timer leaves at once and
 * timers that are set again and again take no room.
 */
export class Timers<T> {
  readonly #heap: Entry<T>[] = [];
  #sequence = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest instant; undefined without timers. */
  get nextMs(): number | undefined {
    return this.#heap[0]?.dueMs;
  }

  set(dueMs: number, item: T): Timer<T> {
    this.#sequence += 1;
    const entry: Entry<T> = { dueMs, item, sequence: this.#sequence, at: this.#heap.length };
    this.#heap.push(entry);
    this.#rise(entry);
    return entry;
  }

  /** Cancelling a timer that has fired or was cancelled does nothing. */
  cancel(timer: Timer<T>): void {
    const entry = timer as Entry<T>;
    if (entry.at < 0) return;
    assert(this.#heap[entry.at] === entry, 'timer is not where it says');
    const last = must(this.#heap.pop(), 'heap is empty');
    if (last !== entry) {
      this.#place(last, entry.at);
      this.#rise(last);
      this.#sink(last);
    }
    entry.at = -1;
  }

  /** The earliest timer that is due, taken out. */
  takeDue(nowMs: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > nowMs) return undefined;
    this.cancel(first);
    return first.item;
  }

  #rise(entry: Entry<T>): void {
    while (entry.at > 0) {
      const parent = must(this.#heap[(entry.at - 1) >> 1], 'heap has a gap');
      if (!before(entry, parent)) return;
      const at = parent.at;
      this.#place(parent, entry.at);
      this.#place(entry, at);
    }
  }

  #sink(entry: Entry<T>): void {
    for (;;) {
      const left = this.#heap[entry.at * 2 + 1];
      if (left === undefined) return;
      const right = this.#heap[entry.at * 2 + 2];
      const child = right !== undefined && before(right, left) ? right : left;
      if (!before(child, entry)) return;
      const at = child.at;
      this.#place(child, entry.at);
      this.#place(entry, at);
    }
  }

  #place(entry: Entry<T>, at: number): void {
    this.#heap[at] = entry;
    entry.at = at;
  }
}

function before<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence);
}
