/** int2, int4, oid (numbers) and int8 (bigint). */
import { raise } from '../../base/errors.js';
import type { Type, TypeName } from './type.js';
import type { Value } from './value.js';

export const int8Min = -(2n ** 63n);
export const int8Max = 2n ** 63n - 1n;

const plainInteger = /^[ \t\n\v\f\r]*([+-]?[0-9]{1,15})[ \t\n\v\f\r]*$/;
/** Decimal, 0x, 0o and 0b with single underscores between digits, as PostgreSQL 16 and later. */
const integerText =
  /^[ \t\n\v\f\r]*([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|[0-9](?:_?[0-9])*)[ \t\n\v\f\r]*$/;

/** Reads an integer; raises 22P02, or 22003 outside of the range. */
export function parseInteger(text: string, min: bigint, max: bigint, sqlName: string): bigint {
  const match = integerText.exec(text);
  if (match === null) {
    raise('invalid_text_representation', `invalid input syntax for type ${sqlName}: "${text}"`);
  }
  const magnitude = BigInt((match[2] ?? '').replaceAll('_', ''));
  const value = match[1] === '-' ? -magnitude : magnitude;
  if (value < min || value > max) {
    raise('numeric_value_out_of_range', `value "${text}" is out of range for type ${sqlName}`);
  }
  return value;
}

/** As {@link parseInteger} for ranges within the safe integers, without a bigint where possible. */
function parseSmall(text: string, min: number, max: number, sqlName: string): number {
  const match = plainInteger.exec(text);
  if (match !== null) {
    const value = Number(match[1]);
    if (value >= min && value <= max) return value === 0 ? 0 : value;
  }
  return Number(parseInteger(text, BigInt(min), BigInt(max), sqlName));
}

/** oid reads what strtoul reads: a negative number wraps around. */
function parseOid(text: string): number {
  const value = parseSmall(text, -0x8000_0000, 0xffff_ffff, 'oid');
  return value < 0 ? value + 0x1_0000_0000 : value;
}

interface SmallIntegerOptions {
  readonly name: TypeName;
  readonly oid: number;
  readonly arrayOid: number;
  readonly sqlName: string;
  readonly length: 2 | 4;
  readonly preferred?: boolean;
  readonly min: number;
  readonly max: number;
}

/** Key bytes: the number plus what makes the smallest 0, big-endian. */
function smallInteger(options: SmallIntegerOptions): Type {
  const { min, max, sqlName, length } = options;
  return {
    name: options.name,
    oid: options.oid,
    arrayOid: options.arrayOid,
    sqlName,
    length,
    category: 'N',
    preferred: options.preferred ?? false,
    textDependsOnContext: false,
    modifierOf: undefined,
    printModifier: undefined,
    parse: options.name === 'oid' ? parseOid : (text) => parseSmall(text, min, max, sqlName),
    print: (value) => String(value),
    compare: compareNumbers,
    equals: (a, b) => a === b,
    hashKey: (value) => value as number,
    sizeOf: () => 8,
    key: {
      lossless: true,
      encode: (writer, value) => {
        if (length === 2) writer.uint16((value as number) - min);
        else writer.uint32((value as number) - min);
      },
      decode: (reader) => (length === 2 ? reader.uint16() : reader.uint32()) + min,
    },
    encode: (writer, value) => {
      const number = value as number;
      writer.varint(number >= 0 ? number * 2 : -number * 2 - 1);
    },
    decode: (reader) => {
      const zigzag = reader.varint();
      return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    },
  };
}

export function compareNumbers(a: Value, b: Value): number {
  return (a as number) - (b as number);
}

export function compareBigints(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const signBit = 2n ** 63n;

/** Eight bytes that sort as the signed number does. */
export const int64Key = {
  lossless: true,
  encode: (writer: { int64(value: bigint): unknown }, value: Value): void => {
    writer.int64(BigInt.asIntN(64, (value as bigint) ^ signBit));
  },
  decode: (reader: { int64(): bigint }): bigint => BigInt.asIntN(64, reader.int64() ^ signBit),
};

/** The number if it is safe, so that int8 hashes as the shorter integers do. */
function int8HashKey(value: Value): number | bigint {
  const number = Number(value as bigint);
  return Number.isSafeInteger(number) ? number : (value as bigint);
}

const int8: Type = {
  name: 'int8',
  oid: 20,
  arrayOid: 1016,
  sqlName: 'bigint',
  length: 8,
  category: 'N',
  preferred: false,
  textDependsOnContext: false,
  modifierOf: undefined,
  printModifier: undefined,
  parse: (text) => parseInteger(text, int8Min, int8Max, 'bigint'),
  print: (value) => String(value),
  compare: (a, b) => compareBigints(a as bigint, b as bigint),
  equals: (a, b) => a === b,
  hashKey: int8HashKey,
  sizeOf: () => 24,
  key: int64Key,
  encode: (writer, value) => {
    writer.int64(value as bigint);
  },
  decode: (reader) => reader.int64(),
};

export const integerTypes: readonly Type[] = [
  smallInteger({
    name: 'int2',
    oid: 21,
    arrayOid: 1005,
    sqlName: 'smallint',
    length: 2,
    min: -0x8000,
    max: 0x7fff,
  }),
  smallInteger({
    name: 'int4',
    oid: 23,
    arrayOid: 1007,
    sqlName: 'integer',
    length: 4,
    min: -0x8000_0000,
    max: 0x7fff_ffff,
  }),
  int8,
  smallInteger({
    name: 'oid',
    oid: 26,
    arrayOid: 1028,
    sqlName: 'oid',
    length: 4,
    preferred: true,
    min: 0,
    max: 0xffff_ffff,
  }),
];
