/** The transaction ids of a node: an epoch that nobody had before, given by the log, and a counter. */
import { assert } from '../base/assert.js';
import type { TransactionId } from '../base/ids.js';

const counterRange = 0x1_0000_0000;
/** At so many ids the next epoch is asked for, long before they are used up. */
const renewAt = counterRange / 2;
/** Every id stays below 2^52; above it are the tokens of other work for the leader. */
const epochsMax = 2 ** 20;

export class Epochs {
  #epoch: number | undefined;
  /** The last one taken. */
  #newest = 0;
  #count = 0;

  get current(): number | undefined {
    return this.#epoch;
  }

  /** Whether another one should be asked for. */
  get wanted(): boolean {
    return this.#epoch === undefined || this.#count >= renewAt;
  }

  /** False when it was taken before: this is the answer to a repeated request. */
  take(epoch: number): boolean {
    assert(epoch >= 1 && epoch < epochsMax, 'epoch out of range', epoch);
    if (epoch <= this.#newest) return false;
    this.#newest = epoch;
    this.#epoch = epoch;
    this.#count = 0;
    return true;
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
