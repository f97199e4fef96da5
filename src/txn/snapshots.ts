/** The snapshots that are open at a replica: what their readers need is not collected. */
import { assert } from '../base/assert.js';
import type { Timestamp } from '../base/ids.js';

export class OpenSnapshots {
  /** How often each is open. Openings come in ascending order, and a Map keeps it: the first is the oldest. */
  readonly #counts = new Map<Timestamp, number>();
  #newest = 0 as Timestamp;

  get size(): number {
    return this.#counts.size;
  }

  open(at: Timestamp): void {
    assert(at >= this.#newest, 'snapshots open in order', at, this.#newest);
    this.#newest = at;
    this.#counts.set(at, (this.#counts.get(at) ?? 0) + 1);
  }

  /** Of a snapshot that an earlier replica of the place opened it does nothing. */
  close(at: Timestamp): void {
    const count = this.#counts.get(at);
    if (count === undefined) return;
    if (count === 1) this.#counts.delete(at);
    else this.#counts.set(at, count - 1);
  }

  get oldest(): Timestamp | undefined {
    for (const at of this.#counts.keys()) return at;
    return undefined;
  }
}
