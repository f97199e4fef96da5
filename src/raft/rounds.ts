/**
 * Rounds: the leader numbers what it sends, members answer with the newest number. An answer proves
 * that the leader led when the round was sent; a majority of them gives reads and leases.
 */
import { assert } from '../base/assert.js';

const remembered = 1024;

export class Rounds {
  #current = 0;
  #sentMs = Number.NEGATIVE_INFINITY;
  readonly #times = new Float64Array(remembered);

  get current(): number {
    return this.#current;
  }

  /** When the current round began. */
  get sentMs(): number {
    return this.#sentMs;
  }

  begin(nowMs: number): number {
    assert(nowMs >= this.#sentMs, 'the clock goes back', nowMs, this.#sentMs);
    this.#current += 1;
    this.#sentMs = nowMs;
    this.#times[this.#current % remembered] = nowMs;
    return this.#current;
  }

  /** When `round` was sent; undefined for one so old that it proves nothing any more. */
  sentMsOf(round: number): number | undefined {
    assert(round <= this.#current, 'an answer to a round to come', round, this.#current);
    if (round < 1 || round <= this.#current - remembered) return undefined;
    return this.#times[round % remembered];
  }
}
