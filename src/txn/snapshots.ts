/** The snapshots that are open at a replica: what their readers need is not collected. */
import type { Timestamp } from '../base/ids.js';

export class OpenSnapshots {
  /** How often each is open. */
  readonly #counts = new Map<Timestamp, number>();

  get size(): number {
    return this.#counts.size;
  }

  open(at: Timestamp): void {
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
    let oldest: Timestamp | undefined;
    // Nearly always in order; a replica that got an older state back opens older ones.
    for (const at of this.#counts.keys()) if (oldest === undefined || at < oldest) oldest = at;
    return oldest;
  }
}
