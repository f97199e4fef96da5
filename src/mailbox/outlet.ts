import type { RingBuffer } from 'ringbuf.js';
import { assert } from '../base/assert.js';
import { Queue } from '../base/queue.js';
import { stagingBytes, workBehindLongBytesMax } from './limits.js';

/** What happens to a record that meets a full way: `work` and `droppable` are not taken. */
export type RecordFlow = 'work' | 'reply' | 'droppable';

/** Before each record: its length, little-endian. */
export const headerBytes = 4;

/**
 * The writing end of one lane: a ring of ringbuf.js, used as a stream of bytes. A record longer than
 * the ring passes in pieces, as its reader makes room.
 */
export class Outlet {
  readonly #ring: RingBuffer;
  readonly #capacity: number;
  readonly #staging = new Uint8Array(stagingBytes);
  #staged = 0;
  /** What the ring had no room for, in order; it goes before what is staged. */
  readonly #overflow = new Queue<Uint8Array>();
  #overflowBytes = 0;
  /** Work longer than the ring is passing in pieces. */
  #passesLong = false;
  /** Room in the ring beyond what is staged; the true room is no less. */
  #room: number;

  constructor(ring: RingBuffer) {
    this.#ring = ring;
    this.#capacity = ring.capacity();
    this.#room = this.#capacity;
  }

  get overflowBytes(): number {
    return this.#overflowBytes;
  }

  /** Takes a record of two parts, or says that there is no room for it. */
  write(head: Uint8Array, body: Uint8Array, flow: RecordFlow): boolean {
    const length = head.length + body.length;
    const total = headerBytes + length;
    if (flow !== 'reply' && !this.#fits(total, flow)) return false;
    if (this.#staged + total > stagingBytes) this.push();
    const staging = this.#staging;
    if (total > stagingBytes || this.#overflowBytes > 0) {
      const record = new Uint8Array(total);
      writeHeader(record, length, 0);
      record.set(head, headerBytes);
      record.set(body, headerBytes + head.length);
      this.#keep(record);
      return true;
    }
    writeHeader(staging, length, this.#staged);
    staging.set(head, this.#staged + headerBytes);
    staging.set(body, this.#staged + headerBytes + head.length);
    this.#staged += total;
    this.#room -= total;
    return true;
  }

  /** Moves what waits to the ring as far as there is room; true when the ring got something. */
  push(): boolean {
    let pushed = false;
    for (;;) {
      const first = this.#overflow.shift();
      if (first === undefined) break;
      const count = this.#pushBytes(first);
      if (count > 0) pushed = true;
      this.#overflowBytes -= count;
      if (count < first.length) {
        this.#overflow.unshift(first.subarray(count));
        break;
      }
    }
    if (this.#staged > 0) {
      const staged = this.#staging.subarray(0, this.#staged);
      const count = this.#overflow.length > 0 ? 0 : this.#pushBytes(staged);
      if (count > 0) pushed = true;
      this.#staged = 0;
      if (count < staged.length) this.#keep(staged.slice(count));
    }
    this.#room = this.#overflowBytes > 0 ? 0 : this.#ring.availableWrite();
    return pushed;
  }

  #fits(total: number, flow: RecordFlow): boolean {
    if (this.#overflowBytes > 0 || (this.#passesLong && this.#staged > 0)) {
      // One client's long statement must not have the others refused while it passes.
      const waiting = this.#overflowBytes + this.#staged;
      const bounded = waiting + total <= workBehindLongBytesMax;
      return flow === 'work' && this.#passesLong && bounded;
    }
    this.#passesLong = false;
    if (total <= this.#room) return true;
    this.#room = this.#ring.availableWrite() - this.#staged;
    // What is longer than the ring can pass only in pieces.
    if (total <= this.#room) return true;
    this.#passesLong = total > this.#capacity && this.#room > 0;
    return this.#passesLong;
  }

  #keep(bytes: Uint8Array): void {
    this.#overflow.push(bytes);
    this.#overflowBytes += bytes.length;
    this.#room = 0;
  }

  /**
   * ringbuf.js copies fast only when it is given exactly the bytes to copy, from their beginning.
   */
  #pushBytes(bytes: Uint8Array): number {
    const room = this.#ring.availableWrite();
    if (room === 0) return 0;
    const count = this.#ring.push(bytes.length <= room ? bytes : bytes.subarray(0, room));
    assert(count === Math.min(room, bytes.length), 'ring took less than it had room for', count);
    return count;
  }
}

function writeHeader(bytes: Uint8Array, length: number, at: number): void {
  bytes[at] = length;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length >>> 16;
  bytes[at + 3] = length >>> 24;
}
