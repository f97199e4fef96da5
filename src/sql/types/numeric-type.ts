/** numeric as a type: its text, modifier, row and key bytes. */
import type { ByteReader, ByteWriter } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import {
  abs,
  compareNumeric,
  digitCount,
  equalNumeric,
  finite,
  Numeric,
  numericHashKey,
  overflow,
  powerOfTen,
  roundNumeric,
  scaleMax,
} from './numeric.js';
import type { Type } from './type.js';
import type { Value } from './value.js';

const decimalText =
  /^([+-]?)(?:([0-9](?:_?[0-9])*)(?:\.((?:[0-9](?:_?[0-9])*)?))?|\.([0-9](?:_?[0-9])*))(?:[eE]([+-]?[0-9](?:_?[0-9])*))?$/;
const wholeText = /^([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+)$/;
const specials: ReadonlyMap<string, Numeric> = new Map([
  ['nan', Numeric.nan],
  ['inf', Numeric.infinity],
  ['+inf', Numeric.infinity],
  ['infinity', Numeric.infinity],
  ['+infinity', Numeric.infinity],
  ['-inf', Numeric.negativeInfinity],
  ['-infinity', Numeric.negativeInfinity],
]);

/** Reads a numeric; raises 22P02 or 22003. */
export function parseNumeric(text: string): Numeric {
  const trimmed = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
  const match = decimalText.exec(trimmed);
  if (match !== null) {
    const fraction = (match[3] ?? match[4] ?? '').replaceAll('_', '');
    const exponent = Number((match[5] ?? '0').replaceAll('_', ''));
    if (Math.abs(exponent) > 0x3fff_ffff) overflow();
    const magnitude = BigInt((match[2] ?? '').replaceAll('_', '') + fraction);
    const digits = match[1] === '-' ? -magnitude : magnitude;
    return atExponent(digits, fraction.length, exponent);
  }
  const special = specials.get(trimmed.toLowerCase());
  if (special !== undefined) return special;
  const whole = wholeText.exec(trimmed);
  if (whole === null) {
    raise('invalid_text_representation', `invalid input syntax for type numeric: "${text}"`);
  }
  const magnitude = BigInt((whole[2] ?? '').replaceAll('_', ''));
  return finite(whole[1] === '-' ? -magnitude : magnitude, 0);
}

function atExponent(digits: bigint, fraction: number, exponent: number): Numeric {
  const scale = fraction - exponent;
  if (scale > scaleMax) overflow();
  if (scale >= 0) return finite(digits, scale);
  if (digits === 0n) return Numeric.zero;
  if (-scale > 200_000) overflow();
  return finite(digits * powerOfTen(-scale), 0);
}

function modifierOf(numbers: readonly number[]): number {
  const [precision, scale = 0] = numbers;
  if (precision === undefined || numbers.length > 2) {
    raise('invalid_parameter_value', 'invalid NUMERIC type modifier');
  }
  if (precision < 1 || precision > 1000) {
    raise('invalid_parameter_value', `NUMERIC precision ${precision} must be between 1 and 1000`);
  }
  if (scale < -1000 || scale > 1000) {
    raise('invalid_parameter_value', `NUMERIC scale ${scale} must be between -1000 and 1000`);
  }
  return ((precision << 16) | (scale & 0x7ff)) + 4;
}

/** The precision and scale that a modifier stands for. */
function precisionAndScale(modifier: number): {
  readonly precision: number;
  readonly scale: number;
} {
  const bits = (modifier - 4) & 0x7ff;
  return { precision: (modifier - 4) >> 16, scale: (bits ^ 1024) - 1024 };
}

/** Rounds to the modifier's scale; raises 22003 when the precision does not suffice. */
export function fitNumeric(value: Numeric, modifier: number): Numeric {
  if (modifier < 4 || value.kind === 'NaN') return value;
  const { precision, scale } = precisionAndScale(modifier);
  const field = `A field with precision ${precision}, scale ${scale}`;
  if (value.kind !== 'finite') {
    raise('numeric_value_out_of_range', 'numeric field overflow', {
      detail: `${field} cannot hold an infinite value.`,
    });
  }
  const rounded = roundNumeric(value, scale);
  const limit = precision - scale;
  if (digitCount(rounded.digits) - rounded.scale > limit) {
    const bound = limit === 0 ? '1' : `10^${limit}`;
    raise('numeric_value_out_of_range', 'numeric field overflow', {
      detail: `${field} must round to an absolute value less than ${bound}.`,
    });
  }
  return rounded;
}

const tag = { negativeInfinity: 0, finite: 1, infinity: 2, nan: 3 } as const;

function encode(writer: ByteWriter, value: Value): void {
  const numeric = value as Numeric;
  if (numeric.kind !== 'finite') {
    writer.uint8(numeric.kind === 'NaN' ? tag.nan : numeric.kind === 'Infinity' ? tag.infinity : 0);
    return;
  }
  // The scale and sign share a varint after the tag; most numerics take under ten bytes.
  writer.uint8(tag.finite).varint(numeric.scale * 2 + (numeric.digits < 0n ? 1 : 0));
  const magnitude = abs(numeric.digits);
  if (magnitude <= 0xffff_ffff_ffffn) {
    writer.uint8(0).varint(Number(magnitude));
  } else {
    const hex = magnitude.toString(16);
    const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
    writer.varint(bytes.length).raw(bytes);
  }
}

function decode(reader: ByteReader): Numeric {
  const kind = reader.uint8();
  if (kind === tag.nan) return Numeric.nan;
  if (kind === tag.infinity) return Numeric.infinity;
  if (kind === tag.negativeInfinity) return Numeric.negativeInfinity;
  const head = reader.varint();
  const length = reader.varint();
  const magnitude =
    length === 0
      ? BigInt(reader.varint())
      : BigInt(`0x${Buffer.from(reader.raw(length)).toString('hex')}`);
  return new Numeric(head % 2 === 1 ? -magnitude : magnitude, Math.floor(head / 2));
}

const keyTag = {
  negativeInfinity: 0x01,
  negative: 0x02,
  zero: 0x03,
  positive: 0x04,
  infinity: 0x05,
  nan: 0x06,
} as const;

/**
 * Tag, power of ten (four bytes), pairs of decimal digits as 1..100, and 0. A negative number has
 * the bytes after its tag inverted. Zeros at the end are left out, so the scale is lost.
 */
function encodeKey(writer: ByteWriter, value: Value): void {
  const numeric = value as Numeric;
  if (numeric.kind === 'NaN') writer.uint8(keyTag.nan);
  else if (numeric.kind === 'Infinity') writer.uint8(keyTag.infinity);
  else if (numeric.kind === '-Infinity') writer.uint8(keyTag.negativeInfinity);
  else if (numeric.digits === 0n) writer.uint8(keyTag.zero);
  else encodeFiniteKey(writer, numeric);
}

function encodeFiniteKey(writer: ByteWriter, numeric: Numeric): void {
  const negative = numeric.digits < 0n;
  const flip = negative ? 0xff : 0;
  const digits = abs(numeric.digits).toString();
  const significant = digits.replace(/0+$/, '');
  const power = (digits.length - numeric.scale + 0x8000_0000) ^ (negative ? -1 : 0);
  writer.uint8(negative ? keyTag.negative : keyTag.positive).uint32(power >>> 0);
  for (let i = 0; i < significant.length; i += 2) {
    const pair = Number(significant.slice(i, i + 2).padEnd(2, '0'));
    writer.uint8((pair + 1) ^ flip);
  }
  writer.uint8(flip);
}

function decodeKey(reader: ByteReader): Numeric {
  const kind = reader.uint8();
  if (kind === keyTag.nan) return Numeric.nan;
  if (kind === keyTag.infinity) return Numeric.infinity;
  if (kind === keyTag.negativeInfinity) return Numeric.negativeInfinity;
  if (kind === keyTag.zero) return Numeric.zero;
  const negative = kind === keyTag.negative;
  const flip = negative ? 0xff : 0;
  const power = ((reader.uint32() ^ (negative ? -1 : 0)) >>> 0) - 0x8000_0000;
  let digits = '';
  for (let byte = reader.uint8() ^ flip; byte !== 0; byte = reader.uint8() ^ flip) {
    digits += String(byte - 1).padStart(2, '0');
  }
  digits = digits.replace(/0$/, '');
  const scale = digits.length - power;
  const magnitude = BigInt(digits) * powerOfTen(Math.max(-scale, 0));
  return new Numeric(negative ? -magnitude : magnitude, Math.max(scale, 0));
}

export const numericType: Type = {
  name: 'numeric',
  oid: 1700,
  arrayOid: 1231,
  sqlName: 'numeric',
  length: -1,
  category: 'N',
  preferred: false,
  textDependsOnContext: false,
  modifierOf,
  printModifier: (modifier) => {
    const { precision, scale } = precisionAndScale(modifier);
    return `(${precision},${scale})`;
  },
  parse: (text, modifier) => fitNumeric(parseNumeric(text), modifier),
  print: (value) => (value as Numeric).toString(),
  compare: (a, b) => compareNumeric(a as Numeric, b as Numeric),
  equals: (a, b) => equalNumeric(a as Numeric, b as Numeric),
  hashKey: (value) => numericHashKey(value as Numeric),
  sizeOf: (value) => {
    const { digits } = value as Numeric;
    return 64 + (digits < 2n ** 63n && digits > -(2n ** 63n) ? 0 : digits.toString(16).length);
  },
  key: { lossless: false, encode: encodeKey, decode: decodeKey },
  encode,
  decode,
};
