/** Bytes of a client, cut into messages, and the parts of one. */
import { assert } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { readUtf8 } from '../../sql/types/index.js';

const nothing = Buffer.alloc(0);

/**
 * Bytes as they come; `take` gives those of the front. They may be lent: then they lie in memory that somebody
 * else writes anew, and what has not been taken is copied when the loan ends.
 */
export class Inbox {
  /** Those that were not taken lie from `start` to `end`. */
  bytes: Buffer = nothing;
  start = 0;
  end = 0;
  #isLent = false;

  get length(): number {
    return this.end - this.start;
  }

  /** Takes over the chunk. */
  push(chunk: Buffer): void {
    if (this.length === 0) this.#hold(chunk, chunk.length);
    else this.#append(chunk, chunk.length);
  }

  /** The first `length` bytes of the chunk are here until {@link endLoan}. */
  lend(chunk: Buffer, length: number): void {
    if (this.length > 0) {
      this.#append(chunk, length);
      return;
    }
    this.#hold(chunk, length);
    this.#isLent = true;
  }

  endLoan(): void {
    if (!this.#isLent) return;
    this.#isLent = false;
    if (this.length === 0) this.clear();
    else this.#hold(Buffer.from(this.bytes.subarray(this.start, this.end)), this.length);
  }

  /** The first bytes, which stay; undefined when there are not as many yet. */
  peek(count: number): Buffer | undefined {
    return this.length < count ? undefined : this.bytes.subarray(this.start, this.start + count);
  }

  /** The first bytes, for good. */
  take(count: number): Buffer | undefined {
    const taken = this.peek(count);
    if (taken === undefined) return undefined;
    this.skip(count);
    return this.#isLent ? Buffer.from(taken) : taken;
  }

  /** Passes over bytes that are here. */
  skip(count: number): void {
    this.start += count;
    assert(this.start <= this.end, 'skipped what has not come', count);
    // Bytes that were taken may live on: the room behind them is written once.
    if (this.start === this.end && !this.#isLent) this.bytes = nothing;
  }

  clear(): void {
    this.#hold(nothing, 0);
  }

  #hold(bytes: Buffer, length: number): void {
    this.bytes = bytes;
    this.start = 0;
    this.end = length;
  }

  #append(chunk: Buffer, length: number): void {
    const kept = this.length;
    if (this.#isLent || this.end + length > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(kept + length, 2 * kept));
      this.bytes.copy(grown, 0, this.start, this.end);
      this.#hold(grown, kept);
      this.#isLent = false;
    }
    this.bytes.set(chunk.subarray(0, length), this.end);
    this.end += length;
  }
}

/** The body of one message. Each call raises 08P01 when the message ends before its part does. */
export class Body {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    return this.#part(1).readUInt8();
  }

  int16(): number {
    return this.#part(2).readInt16BE();
  }

  /** A number of parts; these counts are unsigned, though the protocol says Int16. */
  count(): number {
    return this.#part(2).readUInt16BE();
  }

  int32(): number {
    return this.#part(4).readInt32BE();
  }

  uint32(): number {
    return this.#part(4).readUInt32BE();
  }

  /** A text that ends with a NUL. */
  string(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) raise('protocol_violation', 'invalid string in message');
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end + 1;
    return readUtf8(bytes);
  }

  bytes(length: number): Buffer {
    if (length < 0) raise('protocol_violation', 'insufficient data left in message');
    return this.#part(length);
  }

  rest(): Buffer {
    return this.#part(this.#bytes.length - this.#at);
  }

  /** Raises 08P01 when something is left. */
  end(): void {
    if (this.#at < this.#bytes.length) raise('protocol_violation', 'invalid message format');
  }

  #part(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) {
      raise('protocol_violation', 'insufficient data left in message');
    }
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return part;
  }
}
