/**
 * Exact decimal numbers with PostgreSQL's rules for the scale of results
 * (src/backend/utils/adt/numeric.c). Functions beyond arithmetic are in numeric-math.ts.
 */
import { assert } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { exponentialToEven } from './float.js';

/** PostgreSQL's limits: digits before the point, digits after it, and of computed results. */
const wholeDigitsMax = 131_072;
export const scaleMax = 16_383;
export const displayScaleMax = 1000;
const significantDigitsMin = 16;

export type NumericKind = 'finite' | 'NaN' | 'Infinity' | '-Infinity';

/** The number `digits * 10^-scale`, or one of the specials, whose digits and scale are 0. */
export class Numeric {
  readonly digits: bigint;
  /** Digits shown after the point; never negative. */
  readonly scale: number;
  readonly kind: NumericKind;

  constructor(digits: bigint, scale: number, kind: NumericKind = 'finite') {
    this.digits = digits;
    this.scale = scale;
    this.kind = kind;
  }

  static readonly zero = new Numeric(0n, 0);
  static readonly one = new Numeric(1n, 0);
  static readonly nan = new Numeric(0n, 0, 'NaN');
  static readonly infinity = new Numeric(0n, 0, 'Infinity');
  static readonly negativeInfinity = new Numeric(0n, 0, '-Infinity');

  get isFinite(): boolean {
    return this.kind === 'finite';
  }

  /** PostgreSQL's output text. */
  toString(): string {
    return this.kind === 'finite' ? printDecimal(this.digits, this.scale) : this.kind;
  }
}

const powers: bigint[] = [1n];

/** 10^exponent. */
export function powerOfTen(exponent: number): bigint {
  assert(exponent >= 0, 'negative exponent', exponent);
  if (exponent > 400) return 10n ** BigInt(exponent);
  for (let i = powers.length; i <= exponent; i += 1) powers.push((powers[i - 1] ?? 1n) * 10n);
  return powers[exponent] ?? 1n;
}

function printDecimal(digits: bigint, scale: number): string {
  const text = digits.toString();
  if (scale === 0) return text;
  const sign = digits < 0n ? '-' : '';
  const magnitude = (sign === '' ? text : text.slice(1)).padStart(scale + 1, '0');
  const point = magnitude.length - scale;
  return `${sign}${magnitude.slice(0, point)}.${magnitude.slice(point)}`;
}

export function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** Decimal digits of a whole number; 0 has none. */
export function digitCount(value: bigint): number {
  const magnitude = abs(value);
  if (magnitude === 0n) return 0;
  if (magnitude < 1_000_000_000_000_000n) {
    let count = 1;
    for (let rest = Number(magnitude); rest >= 10; rest = Math.floor(rest / 10)) count += 1;
    return count;
  }
  return magnitude.toString().length;
}

/** `dividend / divisor`, rounded half away from zero. */
export function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const rest = abs(dividend - quotient * divisor);
  if (rest * 2n < abs(divisor)) return quotient;
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n;
}

/** The digits at another scale, rounded half away from zero. */
export function rescale(digits: bigint, from: number, to: number): bigint {
  if (to === from) return digits;
  return to > from ? digits * powerOfTen(to - from) : divideRounded(digits, powerOfTen(from - to));
}

const unsuspicious = 10n ** 1000n;

/** A finite result; raises 22003 when it has more digits than PostgreSQL's numeric takes. */
export function finite(digits: bigint, scale: number): Numeric {
  if (digits >= unsuspicious || digits <= -unsuspicious) {
    // Sixteen times the hexadecimal digits bounds the size without printing millions of digits.
    const wholeDigits = abs(digits).toString(16).length * 1.2042 - scale;
    if (wholeDigits > wholeDigitsMax - 2 && digitCount(digits) - scale > wholeDigitsMax) overflow();
  }
  return new Numeric(digits, scale);
}

export function overflow(): never {
  raise('numeric_value_out_of_range', 'value overflows numeric format');
}

/** -1, 0 or 1; 0 for NaN. */
export function signOf(value: Numeric): number {
  if (value.kind === 'finite') return value.digits < 0n ? -1 : value.digits > 0n ? 1 : 0;
  return value.kind === 'Infinity' ? 1 : value.kind === '-Infinity' ? -1 : 0;
}

const kindRank = { '-Infinity': 0, finite: 1, Infinity: 2, NaN: 3 } as const;

/** NaN equals itself and sorts after infinity. */
export function compareNumeric(a: Numeric, b: Numeric): number {
  if (a.kind !== 'finite' || b.kind !== 'finite') return kindRank[a.kind] - kindRank[b.kind];
  let x = a.digits;
  let y = b.digits;
  if (a.scale < b.scale) x *= powerOfTen(b.scale - a.scale);
  else if (b.scale < a.scale) y *= powerOfTen(a.scale - b.scale);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function equalNumeric(a: Numeric, b: Numeric): boolean {
  return compareNumeric(a, b) === 0;
}

export function addNumeric(a: Numeric, b: Numeric): Numeric {
  if (a.kind !== 'finite' || b.kind !== 'finite') return addSpecial(a, b);
  if (a.scale === b.scale) return finite(a.digits + b.digits, a.scale);
  return a.scale > b.scale
    ? finite(a.digits + b.digits * powerOfTen(a.scale - b.scale), a.scale)
    : finite(a.digits * powerOfTen(b.scale - a.scale) + b.digits, b.scale);
}

function addSpecial(a: Numeric, b: Numeric): Numeric {
  if (a.kind === 'NaN' || b.kind === 'NaN') return Numeric.nan;
  if (a.kind === 'finite') return b;
  return b.kind === 'finite' || a.kind === b.kind ? a : Numeric.nan;
}

export function negateNumeric(value: Numeric): Numeric {
  if (value.kind === 'finite') return new Numeric(-value.digits, value.scale);
  if (value.kind === 'NaN') return value;
  return value.kind === 'Infinity' ? Numeric.negativeInfinity : Numeric.infinity;
}

export function subtractNumeric(a: Numeric, b: Numeric): Numeric {
  return addNumeric(a, negateNumeric(b));
}

export function multiplyNumeric(a: Numeric, b: Numeric): Numeric {
  if (a.kind !== 'finite' || b.kind !== 'finite') {
    if (a.kind === 'NaN' || b.kind === 'NaN') return Numeric.nan;
    return infinityOf(signOf(a) * signOf(b));
  }
  const scale = a.scale + b.scale;
  const digits = a.digits * b.digits;
  return scale <= scaleMax
    ? finite(digits, scale)
    : finite(rescale(digits, scale, scaleMax), scaleMax);
}

function infinityOf(sign: number): Numeric {
  if (sign === 0) return Numeric.nan;
  return sign > 0 ? Numeric.infinity : Numeric.negativeInfinity;
}

/**
 * PostgreSQL counts digits in base 10000: the weight of the first such digit, and the digit. Zero
 * has weight 0 and digit 0.
 */
export function leadingDigit(value: Numeric): { readonly weight: number; readonly digit: number } {
  const count = digitCount(value.digits);
  if (count === 0) return { weight: 0, digit: 0 };
  const whole = count - value.scale;
  const weight = Math.ceil(whole / 4) - 1;
  const used = whole - weight * 4;
  const magnitude = abs(value.digits);
  const digit =
    used >= count ? magnitude * powerOfTen(used - count) : magnitude / powerOfTen(count - used);
  return { weight, digit: Number(digit) };
}

/** The scale of a quotient: at least 16 significant digits and both operands' scales. */
export function divisionScale(a: Numeric, b: Numeric): number {
  const first = leadingDigit(a);
  const second = leadingDigit(b);
  let weight = first.weight - second.weight;
  if (first.digit <= second.digit) weight -= 1;
  const scale = Math.max(significantDigitsMin - weight * 4, a.scale, b.scale, 0);
  return Math.min(scale, displayScaleMax);
}

export function divideNumeric(a: Numeric, b: Numeric): Numeric {
  if (a.kind === 'NaN' || b.kind === 'NaN') return Numeric.nan;
  if (b.kind !== 'finite') return a.kind === 'finite' ? Numeric.zero : Numeric.nan;
  if (b.digits === 0n) divisionByZero();
  if (a.kind !== 'finite') return infinityOf(signOf(a) * signOf(b));
  const scale = divisionScale(a, b);
  return finite(quotientAt(a, b, scale), scale);
}

/** The digits of a / b at a scale, rounded. */
export function quotientAt(a: Numeric, b: Numeric, scale: number): bigint {
  const shift = scale + b.scale - a.scale;
  return shift >= 0
    ? divideRounded(a.digits * powerOfTen(shift), b.digits)
    : divideRounded(a.digits, b.digits * powerOfTen(-shift));
}

/** Division that drops the fraction: div(). */
export function divideTruncated(a: Numeric, b: Numeric): Numeric {
  if (a.kind === 'NaN' || b.kind === 'NaN') return Numeric.nan;
  if (b.kind !== 'finite') return a.kind === 'finite' ? Numeric.zero : Numeric.nan;
  if (b.digits === 0n) divisionByZero();
  if (a.kind !== 'finite') return infinityOf(signOf(a) * signOf(b));
  const scale = Math.max(a.scale, b.scale);
  return finite(rescale(a.digits, a.scale, scale) / rescale(b.digits, b.scale, scale), 0);
}

/** The rest has the sign of `a` and the larger scale. */
export function moduloNumeric(a: Numeric, b: Numeric): Numeric {
  if (a.kind === 'NaN' || b.kind === 'NaN') return Numeric.nan;
  if (a.kind !== 'finite') {
    if (b.kind === 'finite' && b.digits === 0n) divisionByZero();
    return Numeric.nan;
  }
  if (b.kind !== 'finite') return a;
  if (b.digits === 0n) divisionByZero();
  const scale = Math.max(a.scale, b.scale);
  return new Numeric(rescale(a.digits, a.scale, scale) % rescale(b.digits, b.scale, scale), scale);
}

export function divisionByZero(): never {
  raise('division_by_zero', 'division by zero');
}

/** Rounds half away from zero; a negative scale rounds before the point. */
export function roundNumeric(value: Numeric, scale: number): Numeric {
  if (value.kind !== 'finite') return value;
  const wanted = Math.max(-wholeDigitsMax - 1, Math.min(scale, scaleMax));
  const shown = Math.max(wanted, 0);
  if (wanted >= 0 || wanted >= value.scale) {
    return finite(rescale(value.digits, value.scale, shown), shown);
  }
  const rounded = rescale(value.digits, value.scale, wanted);
  return rounded === 0n ? Numeric.zero : finite(rounded * powerOfTen(-wanted), 0);
}

/** Cuts towards zero. */
export function truncateNumeric(value: Numeric, scale: number): Numeric {
  if (value.kind !== 'finite') return value;
  const wanted = Math.max(-wholeDigitsMax - 1, Math.min(scale, scaleMax));
  const shown = Math.max(wanted, 0);
  if (wanted >= value.scale) return finite(rescale(value.digits, value.scale, shown), shown);
  const cut = value.digits / powerOfTen(value.scale - wanted);
  return wanted >= 0 ? new Numeric(cut, shown) : new Numeric(cut * powerOfTen(-wanted), 0);
}

export function floorNumeric(value: Numeric): Numeric {
  if (value.kind !== 'finite') return value;
  const unit = powerOfTen(value.scale);
  const whole = value.digits / unit;
  return new Numeric(value.digits < whole * unit ? whole - 1n : whole, 0);
}

export function ceilingNumeric(value: Numeric): Numeric {
  return negateNumeric(floorNumeric(negateNumeric(value)));
}

export function absNumeric(value: Numeric): Numeric {
  return signOf(value) < 0 ? negateNumeric(value) : value;
}

/** The nearest whole number (half away from zero), or undefined for the specials. */
export function wholeOf(value: Numeric): bigint | undefined {
  return value.kind === 'finite' ? rescale(value.digits, value.scale, 0) : undefined;
}

export function numericOfBigint(value: bigint): Numeric {
  return new Numeric(value, 0);
}

/** A safe whole number. */
export function numericOfInteger(value: number): Numeric {
  return new Numeric(BigInt(value), 0);
}

const exactDigits = 1_000_000_000_000_000n;

/** The nearest double; infinity when there is none. */
export function numberOf(value: Numeric): number {
  if (value.kind !== 'finite') return value.kind === 'NaN' ? Number.NaN : infinite(value.kind);
  const { digits, scale } = value;
  // Both are exact as doubles, so one division rounds once.
  if (scale <= 22 && digits < exactDigits && digits > -exactDigits) {
    return digits === 0n ? 0 : Number(digits) / 10 ** scale;
  }
  return Number(`${digits}e${-scale}`);
}

function infinite(kind: 'Infinity' | '-Infinity'): number {
  return kind === 'Infinity' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}

/** A number or text that equal values share, whatever their scales. */
export function numericHashKey(value: Numeric): number | string {
  if (value.kind !== 'finite') return value.kind;
  if (value.scale <= 22 && value.digits < exactDigits && value.digits > -exactDigits) {
    return numberOf(value);
  }
  const stripped = stripZeros(value);
  if (stripped.digits < exactDigits && stripped.digits > -exactDigits && stripped.scale <= 22) {
    return numberOf(stripped);
  }
  return stripped.toString();
}

/** Without zeros at the end of the fraction. */
export function stripZeros(value: Numeric): Numeric {
  if (value.scale === 0 || value.kind !== 'finite') return value;
  let { digits, scale } = value;
  while (scale > 0 && digits % 10n === 0n) {
    digits /= 10n;
    scale -= 1;
  }
  return new Numeric(digits, scale);
}

/** What float8 to numeric gives: 15 significant digits. */
export function numericOfFloat(value: number, significant: number): Numeric {
  if (!Number.isFinite(value)) {
    if (Number.isNaN(value)) return Numeric.nan;
    return value > 0 ? Numeric.infinity : Numeric.negativeInfinity;
  }
  if (value === 0) return Numeric.zero;
  const [mantissa = '', exponent = '0'] = exponentialToEven(value, significant).split('e');
  const digits = BigInt(mantissa.replace('.', ''));
  const scale = significant - 1 - Number(exponent);
  return scale >= 0
    ? stripZeros(new Numeric(digits, scale))
    : new Numeric(digits * powerOfTen(-scale), 0);
}
