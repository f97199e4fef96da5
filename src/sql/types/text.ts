/** text, varchar, bpchar, name and unknown. Order is that of code points, as UTF-8 bytes have it. */
import type { ByteReader, ByteWriter } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { KeyCodec, Type, TypeName } from './type.js';
import type { Value } from './value.js';

const suspicious = /[\0\ud800-\udfff]/;
const loneSurrogate = /\p{Surrogate}/u;
const astral = /[\ud800-\udbff]/;

/** `text`, checked to be storable: no NUL and no lone surrogate (22021). */
export function checkedText(text: string): string {
  if (!suspicious.test(text)) return text;
  if (text.includes('\0')) {
    raise('character_not_in_repertoire', 'invalid byte sequence for encoding "UTF8": 0x00');
  }
  const at = text.search(loneSurrogate);
  if (at < 0) return text;
  const unit = text.charCodeAt(at);
  const bytes = [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)];
  const shown = bytes.map((byte) => `0x${byte.toString(16)}`).join(' ');
  raise('character_not_in_repertoire', `invalid byte sequence for encoding "UTF8": ${shown}`);
}

/** By code points: U+1F600 sorts after U+FF5E, which UTF-16 units would turn round. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x < 0xd800 || y < 0xd800 ? x - y : rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others. */
function rank(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Code points, which SQL calls characters. */
export function characterCount(text: string): number {
  if (!astral.test(text)) return text.length;
  let count = text.length;
  for (let i = 0; i < text.length; i += 1) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800) count -= 1;
  }
  return count;
}

/** Index in UTF-16 units of the character at `position`, counted from 0; the length at most. */
export function unitIndex(text: string, position: number): number {
  if (position >= text.length) return text.length;
  if (!astral.test(text)) return position;
  let unit = 0;
  for (let i = 0; i < position && unit < text.length; i += 1) {
    unit += (text.charCodeAt(unit) & 0xfc00) === 0xd800 ? 2 : 1;
  }
  return unit;
}

/** The first `count` characters. */
export function firstCharacters(text: string, count: number): string {
  return text.slice(0, unitIndex(text, count));
}

/** Without blanks at the end: what bpchar compares by. */
export function trimBlanks(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0x20) end -= 1;
  return end === text.length ? text : text.slice(0, end);
}

/** Cuts or refuses a text longer than varchar(n); blanks too many go silently, as the standard says. */
export function fitVarchar(text: string, modifier: number, explicit: boolean): string {
  const most = modifier - 4;
  if (most < 0 || text.length <= most || characterCount(text) <= most) return text;
  return cut(text, most, explicit, 'character varying');
}

/** As {@link fitVarchar} for character(n), filled up with blanks. */
export function fitBpchar(text: string, modifier: number, explicit: boolean): string {
  const most = modifier - 4;
  if (most < 0) return text;
  const count = characterCount(text);
  if (count < most) return text + ' '.repeat(most - count);
  return count === most ? text : cut(text, most, explicit, 'character');
}

function cut(text: string, most: number, explicit: boolean, name: string): string {
  const at = unitIndex(text, most);
  if (!explicit && trimBlanks(text).length > at) {
    raise('string_data_right_truncation', `value too long for type ${name}(${most})`);
  }
  return text.slice(0, at);
}

/** At most 63 bytes of UTF-8, cut at a character. */
export function fitName(text: string): string {
  if (Buffer.byteLength(text, 'utf8') <= 63) return text;
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character, 'utf8');
    if (bytes > 63) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** Text has no NUL, so a NUL ends it and nothing needs escaping. */
const textKey: KeyCodec = {
  lossless: true,
  encode: (writer, value) => {
    const text = value as string;
    writer.utf8(text, Buffer.byteLength(text, 'utf8')).uint8(0);
  },
  decode: (reader) => readTerminated(reader),
};

/** Blanks at the end do not count; a blank sorts before the end mark would not, hence the trim. */
const bpcharKey: KeyCodec = {
  lossless: false,
  encode: (writer, value) => textKey.encode(writer, trimBlanks(value as string)),
  decode: (reader) => readTerminated(reader),
};

function readTerminated(reader: ByteReader): string {
  const bytes: number[] = [];
  for (let byte = reader.uint8(); byte !== 0; byte = reader.uint8()) bytes.push(byte);
  return Buffer.from(bytes).toString('utf8');
}

interface TextTypeOptions {
  readonly name: TypeName;
  readonly oid: number;
  readonly arrayOid: number;
  readonly sqlName: string;
  readonly length?: number;
  readonly category?: string;
  readonly preferred?: boolean;
  /** The name that errors about the length say. */
  readonly lengthName?: string;
  readonly parse: (text: string, modifier: number) => string;
}

function textType(options: TextTypeOptions): Type {
  const blank = options.name === 'bpchar';
  const { lengthName } = options;
  return {
    name: options.name,
    oid: options.oid,
    arrayOid: options.arrayOid,
    sqlName: options.sqlName,
    length: options.length ?? -1,
    category: options.category ?? 'S',
    preferred: options.preferred ?? false,
    textDependsOnContext: false,
    modifierOf: lengthName ? (numbers) => lengthModifier(numbers, lengthName) : undefined,
    printModifier: lengthName ? (modifier) => `(${modifier - 4})` : undefined,
    parse: options.parse,
    print: (value) => value as string,
    compare: blank
      ? (a, b) => compareText(trimBlanks(a as string), trimBlanks(b as string))
      : (compareText as (a: Value, b: Value) => number),
    equals: blank
      ? (a, b) => trimBlanks(a as string) === trimBlanks(b as string)
      : (a, b) => a === b,
    hashKey: blank ? (value) => trimBlanks(value as string) : (value) => value as string,
    sizeOf: (value) => 24 + (value as string).length * 2,
    key: blank ? bpcharKey : textKey,
    encode: writeText,
    decode: readText,
  };
}

function writeText(writer: ByteWriter, value: Value): void {
  writer.varText(value as string);
}

function readText(reader: ByteReader): string {
  return reader.varText();
}

function lengthModifier(numbers: readonly number[], name: string): number {
  const [length] = numbers;
  if (length === undefined || numbers.length !== 1) {
    raise('invalid_parameter_value', 'invalid type modifier');
  }
  if (length < 1) {
    raise('invalid_parameter_value', `length for type ${name} must be at least 1`);
  }
  if (length > 10_485_760) {
    raise('invalid_parameter_value', `length for type ${name} cannot exceed 10485760`);
  }
  return length + 4;
}

const unknownType: Type = {
  ...textType({
    name: 'unknown',
    oid: 705,
    arrayOid: 0,
    sqlName: 'unknown',
    length: -2,
    category: 'X',
    parse: checkedText,
  }),
  compare: undefined,
  equals: undefined,
  hashKey: undefined,
  key: undefined,
};

export const textTypes: readonly Type[] = [
  textType({
    name: 'text',
    oid: 25,
    arrayOid: 1009,
    sqlName: 'text',
    preferred: true,
    parse: checkedText,
  }),
  textType({
    name: 'varchar',
    oid: 1043,
    arrayOid: 1015,
    sqlName: 'character varying',
    lengthName: 'varchar',
    parse: (text, modifier) => fitVarchar(checkedText(text), modifier, false),
  }),
  textType({
    name: 'bpchar',
    oid: 1042,
    arrayOid: 1014,
    sqlName: 'character',
    lengthName: 'char',
    parse: (text, modifier) => fitBpchar(checkedText(text), modifier, false),
  }),
  textType({
    name: 'name',
    oid: 19,
    arrayOid: 1003,
    sqlName: 'name',
    length: 64,
    parse: (text) => fitName(checkedText(text)),
  }),
  unknownType,
];
