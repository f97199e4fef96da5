/** float4 and float8, printed with the fewest digits that read back as the same number. */
import { raise } from '../../base/errors.js';
import type { Type } from './type.js';
import type { Value } from './value.js';

/** NaN equals itself and sorts after all else; -0 equals 0. */
export function compareFloats(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  const aIsNaN = Number.isNaN(a);
  const bIsNaN = Number.isNaN(b);
  return aIsNaN === bIsNaN ? 0 : aIsNaN ? 1 : -1;
}

const floatText = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const hexFloatText = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?[0-9]+))?$/;
const notZero = /[1-9]/;
const specials: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['+nan', Number.NaN],
  ['-nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['+inf', Number.POSITIVE_INFINITY],
  ['infinity', Number.POSITIVE_INFINITY],
  ['+infinity', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
]);

export function parseFloat8(text: string): number {
  return parseFloating(text, 'double precision', (value) => value);
}

export function parseFloat4(text: string): number {
  return parseFloating(text, 'real', Math.fround);
}

function parseFloating(text: string, sqlName: string, round: (value: number) => number): number {
  const trimmed = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
  if (floatText.test(trimmed)) {
    const value = round(Number(trimmed));
    const mantissa = trimmed.replace(/[eE].*$/, '');
    if (!Number.isFinite(value) || (value === 0 && notZero.test(mantissa))) {
      raise('numeric_value_out_of_range', `"${trimmed}" is out of range for type ${sqlName}`);
    }
    return value;
  }
  const special = specials.get(trimmed.toLowerCase());
  if (special !== undefined) return special;
  const hex = hexFloatText.exec(trimmed);
  const digits = hex === null ? '' : (hex[2] ?? '') + (hex[3] ?? '');
  if (hex !== null && digits !== '') {
    const exponent = Number(hex[4] ?? 0) - 4 * (hex[3] ?? '').length;
    const value = round(Number(BigInt(`0x${digits}`)) * 2 ** exponent);
    return hex[1] === '-' ? -value : value;
  }
  raise('invalid_text_representation', `invalid input syntax for type ${sqlName}: "${text}"`);
}

function printFloat8(value: number): string {
  if (!Number.isFinite(value)) return printSpecial(value);
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-4 && magnitude < 1e15) return String(value);
  const shortest = magnitude < 2 ** 54 ? magnitude.toExponential() : shortestInside(magnitude);
  return (value < 0 ? '-' : '') + exponential(shortest);
}

/**
 * Shortest digits strictly inside the interval that rounds to `value`. JavaScript also takes the
 * interval's ends when rounding to even brings them back; PostgreSQL does not (1e23). An end can
 * have so few digits only where numbers are whole.
 */
function shortestInside(value: number): string {
  const exact = BigInt(value);
  const shortest = value.toExponential();
  const half = BigInt(spacing(value)) / 2n;
  const lowerHalf = isPowerOfTwo(exact) ? half / 2n : half;
  const isInside = (text: string) => {
    const distance = bigintOfExponential(text) - exact;
    return distance < half && -distance < lowerHalf;
  };
  if (isInside(shortest)) return shortest;
  for (let count = shortest.replace('.', '').indexOf('e'); count < 17; count += 1) {
    const text = exponentialToEven(value, count);
    if (isInside(text)) return text;
  }
  return value.toExponential(16);
}

/** `count` significant digits as C's %e rounds them: a tie goes to the even digit. */
export function exponentialToEven(value: number, count: number): string {
  const text = value.toExponential(count - 1);
  const [mantissa = '', exponent = ''] = text.split('e');
  if (!/[13579]$/.test(mantissa)) return text;
  // JavaScript rounds ties up, so only an odd last digit can be wrong.
  const [exact = ''] = value.toExponential(100).split('e');
  const cut = exact.slice(0, mantissa.length + (count === 1 ? 1 : 0));
  const rest = exact.slice(cut.length);
  if (!/^5?0*$/.test(rest) || !rest.startsWith('5')) return text;
  return `${count === 1 ? cut.replace('.', '') : cut}e${exponent}`;
}

function spacing(value: number): number {
  return 2 ** (Math.floor(Math.log2(value)) - 52);
}

function isPowerOfTwo(value: bigint): boolean {
  return (value & (value - 1n)) === 0n;
}

function bigintOfExponential(text: string): bigint {
  const [mantissa = '', exponent = '0'] = text.split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return BigInt(whole + fraction) * 10n ** BigInt(Number(exponent) - fraction.length);
}

function printFloat4(value: number): string {
  if (!Number.isFinite(value)) return printSpecial(value);
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const magnitude = Math.abs(value);
  const sign = value < 0 ? '-' : '';
  for (let count = 1; count < 9; count += 1) {
    const text = exponentialToEven(magnitude, count);
    if (isFloat4(Number(text), magnitude)) return sign + float4Digits(text);
    // Above a power of two the neighbours are twice as far: the next digit may still do.
    const [mantissa = '', exponent = ''] = text.split('e');
    const next = `${(Number(mantissa) + 10 ** (1 - count)).toFixed(count - 1)}e${exponent}`;
    if (Math.log2(magnitude) % 1 === 0 && isFloat4(Number(next), magnitude)) {
      return sign + float4Digits(next);
    }
  }
  return sign + float4Digits(exponentialToEven(magnitude, 9));
}

/** Reads back as the float4, and not only by rounding to even from halfway. */
function isFloat4(text: number, value: number): boolean {
  if (Math.fround(text) !== value) return false;
  const distance = text - value;
  return distance === 0 || Math.fround(value + 2 * distance) - text !== distance;
}

function float4Digits(text: string): string {
  const value = Number(text);
  return value >= 1e-4 && value < 1e6 ? String(value) : exponential(trimZeros(text));
}

function trimZeros(text: string): string {
  const [mantissa = '', exponent = ''] = text.split('e');
  const trimmed = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  return `${trimmed}e${exponent}`;
}

/** `1.5e+7` with an exponent of at least two digits. */
function exponential(text: string): string {
  return text.replace(/e([+-])([0-9])$/, 'e$10$2');
}

/** As C's %g with so many digits: extra_float_digits of 0 or less. */
function printRounded(value: number, digits: number): string {
  if (!Number.isFinite(value)) return printSpecial(value);
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const precision = Math.max(digits, 1);
  const text = exponentialToEven(Math.abs(value), precision);
  const exponent = Number(text.split('e')[1]);
  const sign = value < 0 ? '-' : '';
  if (exponent < -4 || exponent >= precision) return sign + exponential(trimZeros(text));
  const plain = Number(text).toFixed(Math.max(precision - 1 - exponent, 0));
  return sign + (plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain);
}

function printSpecial(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

const scratch = Buffer.alloc(8);

function floatType(length: 4 | 8): Type {
  const double = length === 8;
  return {
    name: double ? 'float8' : 'float4',
    oid: double ? 701 : 700,
    arrayOid: double ? 1022 : 1021,
    sqlName: double ? 'double precision' : 'real',
    length,
    category: 'N',
    preferred: double,
    textDependsOnContext: false,
    modifierOf: undefined,
    printModifier: undefined,
    parse: double ? parseFloat8 : parseFloat4,
    print: (value, context) => {
      const extra = Number(context.setting('extra_float_digits') ?? 1);
      if (extra <= 0) return printRounded(value as number, (double ? 15 : 6) + extra);
      return double ? printFloat8(value as number) : printFloat4(value as number);
    },
    compare: compareFloats as (a: Value, b: Value) => number,
    equals: (a, b) => a === b || (Number.isNaN(a) && Number.isNaN(b)),
    // A Map finds NaN by NaN and 0 by -0.
    hashKey: (value) => value as number,
    sizeOf: () => 16,
    key: {
      lossless: false,
      encode: (writer, value) => {
        const number = value as number;
        // One NaN above infinity, and -0 as 0.
        scratch.writeDoubleBE(!Number.isNaN(number) ? number + 0 : Number.NaN, 0);
        const bits = number === 0 ? 0n : scratch.readBigUInt64BE(0);
        const key = bits >> 63n === 1n ? ~bits : bits ^ (1n << 63n);
        writer.int64(BigInt.asIntN(64, key));
      },
      decode: (reader) => {
        const key = BigInt.asUintN(64, reader.int64());
        const bits = key >> 63n === 1n ? key ^ (1n << 63n) : ~key;
        scratch.writeBigUInt64BE(BigInt.asUintN(64, bits), 0);
        return scratch.readDoubleBE(0);
      },
    },
    encode: (writer, value) => {
      writer.float64(value as number);
    },
    decode: (reader) => reader.float64(),
  };
}

export const floatTypes: readonly Type[] = [floatType(4), floatType(8)];
