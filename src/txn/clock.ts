/** Commit timestamps of one shard. */
import { assert } from '../base/assert.js';
import type { Timestamp } from '../base/ids.js';

const perMillisecond = 4096;
/** 2^40 numbers are left above it: a clock set to a far year cannot use them up. */
const clockMax = Number.MAX_SAFE_INTEGER - 2 ** 40;

/**
 * Gives numbers that rise strictly, whatever the wall clock does. When it jumps back the counter goes
 * on from the last number; when it jumps forward the numbers follow, and stay ahead once it returns.
 * A clock beyond September 2039, where milliseconds times 4096 pass 2^53, no longer moves them.
 */
export class CommitClock {
  #last = 0 as Timestamp;

  /** The newest timestamp given or observed. */
  get last(): Timestamp {
    return this.#last;
  }

  /** `wallMs`: milliseconds since 1970. */
  next(wallMs: number): Timestamp {
    const wall = Math.min(Math.max(0, Math.floor(wallMs)) * perMillisecond, clockMax);
    const timestamp = Math.max(wall, this.#last + 1);
    assert(Number.isSafeInteger(timestamp), 'timestamps are used up', timestamp);
    this.#last = timestamp as Timestamp;
    return this.#last;
  }

  /** No number up to `timestamp` will be given: it was found in the log. */
  observe(timestamp: Timestamp): void {
    if (timestamp > this.#last) this.#last = timestamp;
  }
}
