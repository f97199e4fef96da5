/** The transaction ids of a node: an epoch that nobody had before, given by the log, and a counter. */
import { assert } from '../base/assert.js';
import type { TransactionId } from '../base/ids.js';

const counterRange = 0x1_0000_0000;
/** At so many ids the next epoch is asked for, long before they are used up. */
const renewAt = counterRange / 2;
/** So that every id stays below 2^53. */
const epochsMax = 2 ** 21;

export class Epochs {
  #epoch: number | undefined;
  #count = 0;

  get current(): number | undefined {
    return this.#epoch;
  }

  /** Whether another one should be asked for. */
  get wanted(): boolean {
    return this.#epoch === undefined || this.#count >= renewAt;
  }

  take(epoch: number): void {
    assert(epoch >= 1 && epoch < epochsMax, 'epoch out of range', epoch);
    assert(epoch > (this.#epoch ?? 0), 'an epoch is given twice', epoch);
    this.#epoch = epoch;
    this.#count = 0;
  }

  /** Ids of this epoch are known to nobody any more: they would be taken for repeated ones. */
  forget(): void {
    this.#epoch = undefined;
  }

  /** An id never given before, also across restarts; undefined until there is an epoch. */
  next(): TransactionId | undefined {
    if (this.#epoch === undefined || this.#count >= counterRange - 1) return undefined;
    this.#count += 1;
    return (this.#epoch * counterRange + this.#count) as TransactionId;
  }
}
