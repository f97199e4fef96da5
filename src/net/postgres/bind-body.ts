/**
 * The body of a Bind as most clients send it, read in place. What is not as most send it, or wrong, is undefined:
 * it is for `readMessage` to read, and to say what is wrong.
 */
import type { ParameterValue } from '../../sql/session/protocol.js';
import type { Format } from './messages.js';
import { allBinary, allText } from './statement.js';

/** Length of a parameter that is NULL. */
const nullLength = 0xffff_ffff;
/** So many digits are exact as a number. */
const exactDigits = 15;
const minus = 0x2d;
const zero = 0x30;
/** Whole numbers of these types lie between minus this, or the one before it, and this. */
const greatest: Readonly<Record<string, number>> = {
  int2: 0x7fff,
  int4: 0x7fff_ffff,
  int8: Number.MAX_SAFE_INTEGER,
};

export class BindBody {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #formatsAt = 0;
  #formats = 0;

  begin(bytes: Buffer, at: number, end: number): void {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get isOver(): boolean {
    return this.#at === this.#end;
  }

  /** A name in ASCII. */
  name(): string | undefined {
    const bytes = this.#bytes;
    const from = this.#at;
    let to = from;
    for (let byte = bytes[to] ?? 0; byte > 0 && byte < 0x80; byte = bytes[to] ?? 0) to += 1;
    if (to >= this.#end || bytes[to] !== 0) return undefined;
    this.#at = to + 1;
    return from === to ? '' : bytes.toString('latin1', from, to);
  }

  /** Whether there are `expected` parameters. */
  beginParameters(expected: number): boolean {
    this.#formats = this.#count();
    this.#formatsAt = this.#at;
    this.#at += 2 * this.#formats;
    const fits = this.#formats <= 1 || this.#formats === expected;
    return fits && this.#count() === expected;
  }

  /** The next parameter; a text stands for what its type makes of it. */
  parameter(index: number, type: string): ParameterValue | undefined {
    const from = this.#at + 4;
    if (from > this.#end) return undefined;
    const length = uint16(this.#bytes, from - 4) * 0x1_0000 + uint16(this.#bytes, from - 2);
    if (length === nullLength) {
      this.#at = from;
      return null;
    }
    this.#at = from + length;
    if (this.#at > this.#end) return undefined;
    switch (this.#formatOf(index)) {
      case 0:
        return this.#text(from, greatest[type]);
      case 1:
        return this.#binary(from, length, type);
      default:
        return undefined;
    }
  }

  /** The formats of the result, where they are one for all columns. */
  resultFormats(): readonly Format[] | undefined {
    const count = this.#count();
    if (count === 0) return allText;
    if (count > 1 || this.#at + 2 > this.#end) return undefined;
    const format = uint16(this.#bytes, this.#at);
    this.#at += 2;
    if (format > 1) return undefined;
    return format === 1 ? allBinary : allText;
  }

  /** A count; -1 where the message ends before it. */
  #count(): number {
    if (this.#at + 2 > this.#end) return -1;
    this.#at += 2;
    return uint16(this.#bytes, this.#at - 2);
  }

  #formatOf(index: number): number {
    if (this.#formats <= 0) return 0;
    return uint16(this.#bytes, this.#formatsAt + (this.#formats === 1 ? 0 : 2 * index));
  }

  /** `most` is given for types of whole numbers. */
  #text(from: number, most: number | undefined): ParameterValue | undefined {
    if (most !== undefined) return this.#wholeNumber(from, most);
    const text = this.#bytes.toString('utf8', from, this.#at);
    // The replacement character may stand for bytes that are no UTF-8; NUL is in no text.
    return text.includes('\ufffd') || text.includes('\0') ? undefined : text;
  }

  /** Digits, with a sign before them or not. */
  #wholeNumber(from: number, most: number): number | undefined {
    const isNegative = this.#bytes[from] === minus;
    const first = isNegative ? from + 1 : from;
    const digits = this.#at - first;
    if (digits < 1 || digits > exactDigits) return undefined;
    let value = 0;
    for (let at = first; at < this.#at; at += 1) {
      const digit = (this.#bytes[at] ?? 0) - zero;
      if (digit < 0 || digit > 9) return undefined;
      value = value * 10 + digit;
    }
    if (value > most) return undefined;
    return isNegative ? 0 - value : value;
  }

  #binary(from: number, length: number, type: string): ParameterValue | undefined {
    switch (type) {
      case 'int2':
        return length === 2 ? this.#bytes.readInt16BE(from) : undefined;
      case 'int4':
        return length === 4 ? this.#bytes.readInt32BE(from) : undefined;
      case 'int8':
        return length === 8 ? this.#bytes.readBigInt64BE(from) : undefined;
      default:
        return undefined;
    }
  }
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
