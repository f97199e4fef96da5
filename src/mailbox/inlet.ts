import type { RingBuffer } from 'ringbuf.js';
import { assert } from '../base/assert.js';
import { headerBytes } from './outlet.js';

/**
 * Memory to read into, seen in two ways. ringbuf.js copies byte by byte in code that stays fast only
 * while it meets one class of arrays, and that is Uint8Array, as which it sees the ring itself.
 */
export interface ReadBuffer {
  readonly array: Uint8Array;
  readonly buffer: Buffer;
}

export function readBuffer(bytes: number): ReadBuffer {
  const array = new Uint8Array(bytes);
  return { array, buffer: Buffer.from(array.buffer) };
}

/** Sees a record of `thread`: `bytes` from `start` to `end`, valid during the call only. */
export type RecordVisit = (thread: number, bytes: Buffer, start: number, end: number) => void;

/** The reading end of one lane: cuts the stream of bytes into records again. */
export class Inlet {
  readonly #ring: RingBuffer;
  /** The beginning of a record whose rest has not come: at most the header or a short record. */
  #carry: Buffer = Buffer.alloc(0);
  /** A record longer than the reader's buffer, as far as it has come. */
  #large: ReadBuffer | undefined;
  #largeFilled = 0;

  constructor(ring: RingBuffer) {
    this.#ring = ring;
  }

  get empty(): boolean {
    return this.#ring.empty();
  }

  /** Takes at most `buffer` full of bytes; returns how many. */
  read({ array, buffer }: ReadBuffer, thread: number, visit: RecordVisit): number {
    if (this.#large !== undefined) return this.#readLarge(this.#large, thread, visit);
    const carried = this.#carry.length;
    // The carry is put before the new bytes only when there are some.
    const count = this.#ring.pop(array, array.length - carried, carried);
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
    this.#large = readBuffer(length);
    this.#large.array.set(first, 0);
    this.#largeFilled = first.length;
  }

  #readLarge({ array, buffer }: ReadBuffer, thread: number, visit: RecordVisit): number {
    const count = this.#ring.pop(array, array.length - this.#largeFilled, this.#largeFilled);
    this.#largeFilled += count;
    if (this.#largeFilled === array.length) {
      this.#large = undefined;
      visit(thread, buffer, 0, buffer.length);
    }
    return count;
  }
}
