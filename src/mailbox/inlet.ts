import type { RingBuffer } from 'ringbuf.js';
import { assert } from '../base/assert.js';
import { headerBytes } from './outlet.js';

/** Sees a record of `thread`: `bytes` from `start` to `end`, valid during the call only. */
export type RecordVisit = (thread: number, bytes: Buffer, start: number, end: number) => void;

/** The reading end of one lane: cuts the stream of bytes into records again. */
export class Inlet {
  readonly #ring: RingBuffer;
  /** The beginning of a record whose rest has not come: at most the header or a short record. */
  #carry: Buffer = Buffer.alloc(0);
  /** A record longer than the reader's buffer, as far as it has come. */
  #large: Buffer | undefined;
  #largeFilled = 0;

  constructor(ring: RingBuffer) {
    this.#ring = ring;
  }

  get empty(): boolean {
    return this.#ring.empty();
  }

  /** Takes at most `buffer` full of bytes; returns how many. */
  read(buffer: Buffer, thread: number, visit: RecordVisit): number {
    if (this.#large !== undefined) return this.#readLarge(this.#large, thread, visit);
    const carried = this.#carry.length;
    // The carry is put before the new bytes only when there are some.
    const count = this.#ring.pop(buffer, buffer.length - carried, carried);
    if (count === 0) return 0;
    buffer.set(this.#carry, 0);
    const end = carried + count;
    let at = 0;
    while (end - at >= headerBytes) {
      const start = at + headerBytes;
      const length = buffer.readUInt32LE(at);
      if (length > buffer.length - headerBytes) {
        this.#begin(length, buffer.subarray(start, end));
        at = end;
        break;
      }
      if (start + length > end) break;
      visit(thread, buffer, start, start + length);
      at = start + length;
    }
    this.#carry = Buffer.from(buffer.subarray(at, end));
    return count;
  }

  #begin(length: number, first: Uint8Array): void {
    // Only a record that spans the whole buffer comes here, so `first` never holds all of it.
    assert(first.length < length, 'record is longer than it says');
    this.#large = Buffer.allocUnsafeSlow(length);
    this.#large.set(first, 0);
    this.#largeFilled = first.length;
  }

  #readLarge(large: Buffer, thread: number, visit: RecordVisit): number {
    const count = this.#ring.pop(large, large.length - this.#largeFilled, this.#largeFilled);
    this.#largeFilled += count;
    if (this.#largeFilled === large.length) {
      this.#large = undefined;
      visit(thread, large, 0, large.length);
    }
    return count;
  }
}
