/** bit and varbit. A value is a string of 0 and 1, whose order is theirs too. */
import type { ByteReader, ByteWriter } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { Type } from './type.js';
import type { Value } from './value.js';

const lengthMax = 83_886_080;

/** Reads `101`, `B101` or `X1F`. Raises 22P02. */
function parseBits(text: string): string {
  const hexadecimal = /^[xX]/.test(text);
  const digits = /^[bBxX]/.test(text) ? text.slice(1) : text;
  const wrong = (hexadecimal ? /[^0-9a-fA-F]/u : /[^01]/u).exec(digits);
  if (wrong !== null) {
    const kind = hexadecimal ? 'hexadecimal' : 'binary';
    raise('invalid_text_representation', `"${wrong[0]}" is not a valid ${kind} digit`);
  }
  if (!hexadecimal) return digits;
  return digits.replace(/./g, (digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0'));
}

/** A value of bit(n) or bit varying(n); an explicit cast cuts or fills with zeros. */
export function fitBits(
  value: string,
  length: number,
  explicit: boolean,
  varying: boolean,
): string {
  if (length < 0 || value.length === length || (varying && value.length < length)) return value;
  if (explicit) return value.slice(0, length).padEnd(varying ? 0 : length, '0');
  if (varying) {
    raise('string_data_right_truncation', `bit string too long for type bit varying(${length})`);
  }
  const text = `bit string length ${value.length} does not match type bit(${length})`;
  raise('string_data_length_mismatch', text);
}

function lengthOf(numbers: readonly number[], name: string): number {
  const [length] = numbers;
  if (length === undefined || numbers.length !== 1) {
    raise('invalid_parameter_value', 'invalid type modifier');
  }
  if (length < 1) raise('invalid_parameter_value', `length for type ${name} must be at least 1`);
  if (length > lengthMax) {
    raise('invalid_parameter_value', `length for type ${name} cannot exceed ${lengthMax}`);
  }
  return length;
}

/** Bytes of eight bits, the last filled with zeros. */
function bytesOf(bits: string): Buffer {
  const bytes = Buffer.alloc((bits.length + 7) >> 3);
  for (let i = 0; i < bytes.length; i += 1) {
    bytes[i] = Number.parseInt(bits.slice(i * 8, i * 8 + 8).padEnd(8, '0'), 2);
  }
  return bytes;
}

function encode(writer: ByteWriter, value: Value): void {
  const bits = value as string;
  writer.varint(bits.length).raw(bytesOf(bits));
}

function decode(reader: ByteReader): string {
  const length = reader.varint();
  let bits = '';
  for (const byte of reader.raw((length + 7) >> 3)) bits += byte.toString(2).padStart(8, '0');
  return bits.slice(0, length);
}

/** Bits as ASCII digits and a zero: as text has it, so that a beginning sorts first. */
function encodeKey(writer: ByteWriter, value: Value): void {
  const bits = value as string;
  writer.utf8(bits, bits.length).uint8(0);
}

function decodeKey(reader: ByteReader): string {
  let bits = '';
  for (let byte = reader.uint8(); byte !== 0; byte = reader.uint8()) bits += byte - 0x30;
  return bits;
}

function bitType(varying: boolean): Type {
  return {
    name: varying ? 'varbit' : 'bit',
    oid: varying ? 1562 : 1560,
    arrayOid: varying ? 1563 : 1561,
    sqlName: varying ? 'bit varying' : 'bit',
    length: -1,
    category: 'V',
    preferred: varying,
    textDependsOnContext: false,
    modifierOf: (numbers) => lengthOf(numbers, varying ? 'varbit' : 'bit'),
    printModifier: (modifier) => `(${modifier})`,
    parse: (text, modifier) => fitBits(parseBits(text), modifier, false, varying),
    print: (value) => value as string,
    compare: (a, b) => ((a as string) < (b as string) ? -1 : a === b ? 0 : 1),
    equals: (a, b) => a === b,
    hashKey: (value) => value as string,
    sizeOf: (value) => 24 + (value as string).length,
    key: { lossless: true, encode: encodeKey, decode: decodeKey },
    encode,
    decode,
  };
}

export const bitTypes: readonly Type[] = [bitType(false), bitType(true)];
