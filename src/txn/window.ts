/**
 * Which transactions were applied, so that a retried proposal is not applied again (pitfall 10).
 *
 * A transaction id is the incarnation of a node and a counter that rises with each proposal of the
 * node. For each incarnation the last `windowIds` counters are kept as bits; what lies below
 * is refused, not guessed. Changes only with applied entries, so all replicas forget the same ids.
 */
import { assert, must } from '../base/assert.js';
import type { ByteReader, ByteWriter } from '../base/bytes.js';
import type { TransactionId } from '../base/ids.js';
import { incarnationsMax, windowIds } from './limits.js';

const counterRange = 0x1_0000_0000;

interface Window {
  readonly incarnation: number;
  /** The highest counter applied. */
  highest: number;
  /** Bit `counter % windowIds`, for counters above `highest - windowIds`. */
  readonly bits: Uint8Array;
}

export type Familiarity =
  /** Not applied yet. */
  | 'new'
  /** Applied. */
  | 'known'
  /** Below what is remembered: it may have been applied. */
  | 'forgotten';

export class AppliedTransactions {
  /** In the order of their last application, the quietest first. */
  readonly #windows = new Map<number, Window>();
  /** Incarnations up to this one are unknown because they were forgotten. */
  #forgottenIncarnation = 0;
  #last: Window | undefined;

  familiarity(id: TransactionId): Familiarity {
    const incarnation = Math.floor(id / counterRange);
    const window = this.#windows.get(incarnation);
    if (window === undefined) {
      return incarnation <= this.#forgottenIncarnation ? 'forgotten' : 'new';
    }
    const counter = id % counterRange;
    if (counter > window.highest) return 'new';
    if (counter <= window.highest - windowIds) return 'forgotten';
    return hasBit(window.bits, counter) ? 'known' : 'new';
  }

  /** Whether `familiarity` can tell for ids of the epoch. */
  remembers(incarnation: number): boolean {
    return this.#windows.has(incarnation) || incarnation > this.#forgottenIncarnation;
  }

  /** The highest epoch known. */
  get newest(): number {
    return Math.max(this.#forgottenIncarnation, ...this.#windows.keys());
  }

  /** The epoch was given: from now on it counts among those that are remembered. */
  begin(incarnation: number): void {
    assert(!this.#windows.has(incarnation), 'an epoch begins twice', incarnation);
    this.#last = undefined;
    this.#touch(incarnation, 0);
  }

  add(id: TransactionId): void {
    assert(this.familiarity(id) === 'new', 'a transaction is applied twice', id);
    const counter = id % counterRange;
    const window = this.#touch(Math.floor(id / counterRange), counter);
    const gap = counter - window.highest;
    if (gap >= windowIds) window.bits.fill(0);
    else for (let i = 1; i <= gap; i += 1) clearBit(window.bits, window.highest + i);
    window.highest = Math.max(window.highest, counter);
    setBit(window.bits, counter);
  }

  encode(writer: ByteWriter): void {
    writer.uint53(this.#forgottenIncarnation).uint16(this.#windows.size);
    for (const { incarnation, highest, bits } of this.#windows.values()) {
      writer.uint53(incarnation).uint53(highest).raw(bits);
    }
  }

  static decode(reader: ByteReader): AppliedTransactions {
    const decoded = new AppliedTransactions();
    decoded.#forgottenIncarnation = reader.uint53();
    for (let left = reader.uint16(); left > 0; left -= 1) {
      const incarnation = reader.uint53();
      const highest = reader.uint53();
      const bits = Uint8Array.from(reader.raw(windowIds / 8));
      decoded.#windows.set(incarnation, { incarnation, highest, bits });
    }
    return decoded;
  }

  /** The window of the incarnation, made the most recent one. */
  #touch(incarnation: number, counter: number): Window {
    if (this.#last?.incarnation === incarnation) return this.#last;
    let window = this.#windows.get(incarnation);
    if (window === undefined) {
      window = { incarnation, highest: counter, bits: new Uint8Array(windowIds / 8) };
      if (this.#windows.size === incarnationsMax) this.#forgetQuietest();
    }
    this.#windows.delete(incarnation);
    this.#windows.set(incarnation, window);
    this.#last = window;
    return window;
  }

  #forgetQuietest(): void {
    const quietest = must([...this.#windows.keys()][0], 'a full map has a first key');
    this.#windows.delete(quietest);
    this.#forgottenIncarnation = Math.max(this.#forgottenIncarnation, quietest);
  }
}

function hasBit(bits: Uint8Array, counter: number): boolean {
  const at = counter % windowIds;
  return ((bits[at >>> 3] ?? 0) & (1 << (at & 7))) !== 0;
}

function setBit(bits: Uint8Array, counter: number): void {
  const at = counter % windowIds;
  bits[at >>> 3] = (bits[at >>> 3] ?? 0) | (1 << (at & 7));
}

function clearBit(bits: Uint8Array, counter: number): void {
  const at = counter % windowIds;
  bits[at >>> 3] = (bits[at >>> 3] ?? 0) & ~(1 << (at & 7));
}
