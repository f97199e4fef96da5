/** bool, uuid, bytea and void. */
import type { ByteReader, ByteWriter } from '../../base/bytes.js';
import { byteString, compareBytes } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { Type } from './type.js';
import type { Value } from './value.js';

const plain = {
  textDependsOnContext: false,
  modifierOf: undefined,
  printModifier: undefined,
} as const;

const truths = ['true', 'yes', 'on', '1'];
const falsehoods = ['false', 'no', 'off', '0'];

/** Any beginning of true, false, yes, no, on, off (not `o`), and 1 and 0. */
function parseBool(text: string): boolean {
  const word = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '').toLowerCase();
  if (word !== '' && word !== 'o') {
    if (truths.some((truth) => truth.startsWith(word))) return true;
    if (falsehoods.some((falsehood) => falsehood.startsWith(word))) return false;
  }
  raise('invalid_text_representation', `invalid input syntax for type boolean: "${text}"`);
}

const bool: Type = {
  ...plain,
  name: 'bool',
  oid: 16,
  arrayOid: 1000,
  sqlName: 'boolean',
  length: 1,
  category: 'B',
  preferred: true,
  parse: parseBool,
  print: (value) => (value === true ? 't' : 'f'),
  compare: (a, b) => Number(a) - Number(b),
  equals: (a, b) => a === b,
  hashKey: (value) => value as boolean,
  sizeOf: () => 8,
  key: { lossless: true, encode: writeBool, decode: readBool },
  encode: writeBool,
  decode: readBool,
};

function writeBool(writer: ByteWriter, value: Value): void {
  writer.uint8(value === true ? 1 : 0);
}

function readBool(reader: ByteReader): boolean {
  return reader.uint8() === 1;
}

/** Braces around it and hyphens after each four digits are optional. */
const uuidText = /^(?:\{((?:[0-9a-f]{4}-?){7}[0-9a-f]{4})\}|((?:[0-9a-f]{4}-?){7}[0-9a-f]{4}))$/i;

function parseUuid(text: string): string {
  const match = uuidText.exec(text);
  if (match === null) {
    raise('invalid_text_representation', `invalid input syntax for type uuid: "${text}"`);
  }
  return hyphenate((match[1] ?? match[2] ?? '').replaceAll('-', '').toLowerCase());
}

/** 32 hexadecimal digits as a uuid. */
export function hyphenate(hex: string): string {
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  return `${parts.join('-')}-${hex.slice(20)}`;
}

const uuid: Type = {
  ...plain,
  name: 'uuid',
  oid: 2950,
  arrayOid: 2951,
  sqlName: 'uuid',
  length: 16,
  category: 'U',
  preferred: false,
  parse: parseUuid,
  print: (value) => value as string,
  // Lower case hexadecimal digits sort as UTF-16 units too.
  compare: (a, b) => ((a as string) < (b as string) ? -1 : a === b ? 0 : 1),
  equals: (a, b) => a === b,
  hashKey: (value) => value as string,
  sizeOf: () => 64,
  key: { lossless: true, encode: writeUuid, decode: readUuid },
  encode: writeUuid,
  decode: readUuid,
};

/** Where the two digits of each byte begin. */
const uuidDigits = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function writeUuid(writer: ByteWriter, value: Value): void {
  const text = value as string;
  for (const at of uuidDigits) {
    writer.uint8(digitAt(text, at) * 16 + digitAt(text, at + 1));
  }
}

/** A lower case hexadecimal digit's value. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

function readUuid(reader: ByteReader): string {
  let text = '';
  for (const at of uuidDigits) {
    if (at === 9 || at === 14 || at === 19 || at === 24) text += '-';
    text += hexOfByte[reader.uint8()];
  }
  return text;
}

export function parseBytea(text: string): Uint8Array {
  return text.startsWith('\\x') ? parseHex(text.slice(2)) : parseEscape(text);
}

function parseHex(text: string): Uint8Array {
  const digits = text.replace(/[ \n\t\r]/g, '');
  const wrong = /[^0-9a-fA-F]/u.exec(digits);
  if (wrong !== null) {
    raise('invalid_parameter_value', `invalid hexadecimal digit: "${wrong[0]}"`);
  }
  if (digits.length % 2 === 1) {
    raise('invalid_parameter_value', 'invalid hexadecimal data: odd number of digits');
  }
  return Buffer.from(digits, 'hex');
}

function parseEscape(text: string): Uint8Array {
  const source = Buffer.from(text, 'utf8');
  const bytes: number[] = [];
  for (let i = 0; i < source.length; i += 1) {
    const byte = source[i] ?? 0;
    if (byte !== 0x5c) {
      bytes.push(byte);
      continue;
    }
    const octal = /^[0-3][0-7]{2}/.exec(source.toString('latin1', i + 1, i + 4));
    if (source[i + 1] === 0x5c) {
      bytes.push(0x5c);
      i += 1;
    } else if (octal !== null) {
      bytes.push(Number.parseInt(octal[0], 8));
      i += 3;
    } else {
      raise('invalid_text_representation', 'invalid input syntax for type bytea');
    }
  }
  return Buffer.from(bytes);
}

function printBytea(value: Uint8Array): string {
  return `\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}`;
}

/** The style `escape`: bytes that are no printing ASCII as octal. */
function printEscaped(value: Uint8Array): string {
  let text = '';
  for (const byte of value) {
    if (byte === 0x5c) text += '\\\\';
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\${byte.toString(8).padStart(3, '0')}`;
  }
  return text;
}

const bytea: Type = {
  ...plain,
  name: 'bytea',
  oid: 17,
  arrayOid: 1001,
  sqlName: 'bytea',
  length: -1,
  category: 'U',
  preferred: false,
  parse: parseBytea,
  print: (value, context) =>
    context.setting('bytea_output') === 'escape'
      ? printEscaped(value as Uint8Array)
      : printBytea(value as Uint8Array),
  compare: (a, b) => compareBytes(a as Uint8Array, b as Uint8Array),
  equals: (a, b) => compareBytes(a as Uint8Array, b as Uint8Array) === 0,
  hashKey: (value) => byteString(value as Uint8Array),
  sizeOf: (value) => 96 + (value as Uint8Array).length,
  key: { lossless: true, encode: writeByteaKey, decode: readByteaKey },
  encode: (writer, value) => {
    writer.varint((value as Uint8Array).length).raw(value as Uint8Array);
  },
  decode: (reader) => Uint8Array.prototype.slice.call(reader.raw(reader.varint())),
};

/** 00 becomes 00 ff and the end is 00 00, so that a shorter value sorts first. */
function writeByteaKey(writer: ByteWriter, value: Value): void {
  for (const byte of value as Uint8Array) {
    writer.uint8(byte);
    if (byte === 0) writer.uint8(0xff);
  }
  writer.uint16(0);
}

function readByteaKey(reader: ByteReader): Uint8Array {
  const bytes: number[] = [];
  for (;;) {
    const byte = reader.uint8();
    if (byte === 0 && reader.uint8() === 0) return Buffer.from(bytes);
    bytes.push(byte);
  }
}

const voidType: Type = {
  ...plain,
  name: 'void',
  oid: 2278,
  arrayOid: 0,
  sqlName: 'void',
  length: 4,
  category: 'P',
  preferred: false,
  parse: () => '',
  print: () => '',
  compare: undefined,
  equals: undefined,
  hashKey: undefined,
  sizeOf: () => 8,
  key: undefined,
  encode: () => undefined,
  decode: () => '',
};

export const plainTypes: readonly Type[] = [bool, uuid, bytea, voidType];
