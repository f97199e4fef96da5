/** Bytes of a client, cut into messages, and the parts of one. */
import { raise } from '../../base/errors.js';
import { readUtf8 } from '../../sql/types/index.js';

/** Bytes as they come; `take` gives those of the front. */
export class Inbox {
  #chunks: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The first bytes, which stay; undefined when there are not as many yet. */
  peek(count: number): Buffer | undefined {
    if (this.#length < count) return undefined;
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= count) return first.subarray(0, count);
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole.subarray(0, count);
  }

  take(count: number): Buffer | undefined {
    const taken = this.peek(count);
    if (taken === undefined) return undefined;
    const first = this.#chunks[0] as Buffer;
    this.#length -= count;
    if (first.length === count) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
    return taken;
  }

  clear(): void {
    this.#chunks = [];
    this.#length = 0;
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
