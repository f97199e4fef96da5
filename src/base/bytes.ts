/**
 * Bytes: comparison as unsigned bytes, a growing writer and a checking reader. Numbers are big-endian,
 * so that a written unsigned number sorts as bytes as it does as a number.
 */
import { assert } from './assert.js';
import { raise } from './errors.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Negative, 0 or positive as `a` sorts before, with or after `b`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/**
 * The bytes as a string with one character per byte. Such strings sort by `<` as their bytes do and
 * serve as keys of maps; they are not text.
 */
export function byteString(bytes: Uint8Array): string {
  return latin1Slice.call(bytes, 0, bytes.length);
}

/** What Buffer.toString calls for 'latin1'; it takes any Uint8Array, so that none needs a view. */
const latin1Slice = (
  Buffer.prototype as unknown as {
    latin1Slice(this: Uint8Array, from: number, to: number): string;
  }
).latin1Slice;

/** The bytes of a {@link byteString}. */
export function bytesOfString(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** The first key after every key that begins with `prefix`; undefined when there is none. */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  for (let i = prefix.length - 1; i >= 0; i -= 1) {
    const byte = prefix[i] ?? 0;
    if (byte < 0xff) {
      // A Buffer's own slice would share the prefix's memory.
      const end = Uint8Array.prototype.slice.call(prefix, 0, i + 1);
      end[i] = byte + 1;
      return end;
    }
  }
  return undefined;
}

/** The first key after `key`. */
export function successor(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

const scratch = new DataView(new ArrayBuffer(8));

/** Eight bytes, big-endian. Buffer's own way makes several bigints on its way. */
export function writeInt64(target: Uint8Array, value: bigint, at: number): void {
  scratch.setBigInt64(0, value);
  setInt32(target, scratch.getInt32(0), at);
  setInt32(target, scratch.getInt32(4), at + 4);
}

/** What {@link writeInt64} wrote. */
export function readInt64(source: Uint8Array, at: number): bigint {
  scratch.setInt32(0, getInt32(source, at));
  scratch.setInt32(4, getInt32(source, at + 4));
  return scratch.getBigInt64(0);
}

function setInt32(target: Uint8Array, value: number, at: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

function getInt32(source: Uint8Array, at: number): number {
  const high = ((source[at] ?? 0) << 8) | (source[at + 1] ?? 0);
  return (high << 16) | ((source[at + 2] ?? 0) << 8) | (source[at + 3] ?? 0);
}

export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  uint8(value: number): this {
    this.#room(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
    return this;
  }

  uint16(value: number): this {
    this.#room(2);
    this.#length = this.#bytes.writeUInt16BE(value, this.#length);
    return this;
  }

  uint32(value: number): this {
    this.#room(4);
    this.#length = this.#bytes.writeUInt32BE(value, this.#length);
    return this;
  }

  /** A whole number, 0 <= value < 2^53, in eight bytes. */
  uint53(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, 'number out of range', value);
    this.#room(8);
    this.#length = this.#bytes.writeUInt32BE(Math.floor(value / 0x1_0000_0000), this.#length);
    this.#length = this.#bytes.writeUInt32BE(value >>> 0, this.#length);
    return this;
  }

  int64(value: bigint): this {
    this.#room(8);
    writeInt64(this.#bytes, value, this.#length);
    this.#length += 8;
    return this;
  }

  float64(value: number): this {
    this.#room(8);
    this.#length = this.#bytes.writeDoubleBE(value, this.#length);
    return this;
  }

  /** The bytes alone. */
  raw(value: Uint8Array): this {
    this.#room(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** A whole number, 0 <= value < 2^53, in one byte for each seven bits. */
  varint(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, 'number out of range', value);
    let rest = value;
    while (rest > 0x7f) {
      this.uint8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.uint8(rest);
  }

  /** The length as a varint, then UTF-8. */
  varText(value: string): this {
    const bytes = Buffer.byteLength(value, 'utf8');
    this.varint(bytes);
    return this.utf8(value, bytes);
  }

  /** UTF-8 alone; `bytes` is its length. */
  utf8(value: string, bytes: number): this {
    this.#room(bytes);
    this.#length += this.#bytes.write(value, this.#length, 'utf8');
    return this;
  }

  /** The length in four bytes, then the bytes. */
  bytes(value: Uint8Array): this {
    return this.uint32(value.length).raw(value);
  }

  /** The length in four bytes, then UTF-8. */
  text(value: string): this {
    return this.bytes(encoder.encode(value));
  }

  /** A copy of what was written; the writer can go on. */
  finish(): Uint8Array {
    const copy = Buffer.allocUnsafe(this.#length);
    this.#bytes.copy(copy, 0, 0, this.#length);
    return copy;
  }

  /** What was written, without a copy: valid until the next write or `clear`. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written and keeps the room. */
  clear(): this {
    this.#length = 0;
    return this;
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

/**
 * Reads what {@link ByteWriter} wrote. Bytes may come from a disk or a peer: reading past the end
 * raises `data_corrupted`.
 */
export class ByteReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  uint53(): number {
    const at = this.#take(8);
    const value = this.#bytes.readUInt32BE(at) * 0x1_0000_0000 + this.#bytes.readUInt32BE(at + 4);
    if (!Number.isSafeInteger(value)) raise('data_corrupted', `number out of range: ${value}`);
    return value;
  }

  int64(): bigint {
    return readInt64(this.#bytes, this.#take(8));
  }

  float64(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  /** A view of the next `length` bytes; it lives as long as the bytes handed in. */
  raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  bytes(): Uint8Array {
    return this.raw(this.uint32());
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.uint8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    raise('data_corrupted', 'number out of range');
  }

  /** What `varText` wrote. Its bytes were checked when they were read from disk. */
  varText(): string {
    const length = this.varint();
    const at = this.#take(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  text(): string {
    try {
      return decoder.decode(this.bytes());
    } catch (error) {
      if (error instanceof TypeError) raise('data_corrupted', 'text is not UTF-8');
      throw error;
    }
  }

  #take(length: number): number {
    const at = this.#position;
    if (length > this.#bytes.length - at) raise('data_corrupted', 'bytes end too early');
    this.#position = at + length;
    return at;
  }
}
