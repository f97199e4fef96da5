/** Proposals between their arrival and their admission, in order. */
import { assert } from '../base/assert.js';
import { dataPrefixBytes, isHistoryKey, keySpace, userKeyBytesMax } from '../storage/keys.js';
import { type AdmissionCheck, operationBytes, type Proposal } from '../txn/index.js';
import type { Ask } from './answers.js';

export interface Arrival {
  readonly ask: Ask;
  /** Set while the proposal is being checked, over several turns when it is large. */
  check: AdmissionCheck | undefined;
}

export class Arrivals {
  #waiting: Arrival[] = [];
  #head = 0;
  #bytes = 0;

  get count(): number {
    return this.#waiting.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The one to admit next. */
  get first(): Arrival | undefined {
    return this.#waiting[this.#head];
  }

  add(ask: Ask): void {
    this.#waiting.push({ ask, check: undefined });
    this.#bytes += ask.bytes;
  }

  removeFirst(): void {
    const first = this.first;
    assert(first !== undefined, 'nothing has arrived');
    this.#bytes -= first.ask.bytes;
    this.#head += 1;
    if (this.#head < this.#waiting.length) return;
    assert(this.#bytes === 0, 'bytes of no arrivals', this.#bytes);
    this.#waiting = [];
    this.#head = 0;
  }

  /** All of them; none is admitted. */
  takeAll(): readonly Ask[] {
    const asks = this.#waiting.slice(this.#head).map(({ ask }) => ask);
    this.#waiting = [];
    this.#head = 0;
    this.#bytes = 0;
    return asks;
  }
}

const none: readonly never[] = [];

/**
 * What the proposal's log entry takes, about. Asserts what applying it will rely on: an entry that
 * cannot be applied would stop every restart.
 */
export function proposalBytes(proposal: Proposal): number {
  let bytes = 0;
  for (const write of proposal.writes) {
    bytes += 16;
    if (write.op === 'discard') continue;
    const { key } = write;
    assert(key[0] === keySpace.data && !isHistoryKey(key), 'a write to no row', key[0]);
    assert(key.length <= dataPrefixBytes + userKeyBytesMax, 'a key too long', key.length);
    bytes += key.length;
    if (write.op === 'put') bytes += write.value.length;
  }
  const { notifications, locks } = proposal;
  // UTF-8 takes three bytes for a unit of UTF-16 at most.
  for (const { channel, payload } of notifications ?? none) {
    bytes += 12 + 3 * (channel.length + payload.length);
  }
  return locks === undefined ? bytes : bytes + locks.length * operationBytes;
}
