/**
 * Roots, powers and logarithms of numeric, to PostgreSQL's scales (src/backend/utils/adt/numeric.c).
 * Computed in fixed point with guard digits, then rounded.
 */
import { raise } from '../../base/errors.js';
import {
  abs,
  digitCount,
  displayScaleMax,
  finite,
  leadingDigit,
  multiplyNumeric,
  Numeric,
  numberOf,
  overflow,
  powerOfTen,
  quotientAt,
  rescale,
  signOf,
} from './numeric.js';

const significantMin = 16;
const resultScaleMax = 2000;
const guard = 12;

/** The square root of `digits * 10^-scale` at another scale, rounded half up. */
export function squareRootAt(digits: bigint, scale: number, wanted: number): bigint {
  const shift = wanted * 2 - scale;
  const scaled = shift >= 0 ? digits * powerOfTen(shift) : digits / powerOfTen(-shift);
  const root = wholeRoot(scaled);
  // (root + 1/2)^2 = root^2 + root + 1/4
  return scaled - root * root > root ? root + 1n : root;
}

/** The largest whole number whose square is not above `value`: Newton's method from above. */
function wholeRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

function displayScale(...scales: readonly number[]): number {
  return Math.min(Math.max(0, ...scales), displayScaleMax);
}

export function squareRoot(value: Numeric): Numeric {
  if (signOf(value) < 0) {
    raise('invalid_argument_for_power_function', 'cannot take square root of a negative number');
  }
  if (!value.isFinite) return value;
  const { weight } = leadingDigit(value);
  const scale = displayScale(significantMin - (weight * 2 + 1), value.scale);
  return new Numeric(squareRootAt(value.digits, value.scale, scale), scale);
}

/** e^x in fixed point: x is halved until it is small, the series summed, the sum squared back. */
function exponentialAt(value: Numeric, wanted: number): bigint {
  const size = numberOf(value);
  const halvings = Math.max(0, Math.ceil(Math.log2(Math.max(Math.abs(size), 1e-9))) + 8);
  const wholeDigits = Math.max(0, Math.ceil(size * Math.LOG10E));
  const working = wanted + wholeDigits + Math.ceil(halvings * 0.302) + guard;
  const one = powerOfTen(working);
  const x = rescale(value.digits, value.scale, working) >> BigInt(halvings);
  let term = one;
  let sum = one;
  for (let i = 1n; term !== 0n; i += 1n) {
    term = (term * x) / one / i;
    sum += term;
  }
  for (let i = 0; i < halvings; i += 1) sum = (sum * sum) / one;
  return rescale(sum, working, wanted);
}

/** ln x in fixed point: Newton's steps on e^y = x from the nearest double. */
function logarithmAt(value: Numeric, wanted: number): bigint {
  const working = wanted + guard;
  // x = m * 2^k with m near 1 keeps the series short.
  const exponent = digitCount(value.digits) - value.scale;
  const k = Math.round(exponent * 3.321928);
  const scaled =
    k >= 0
      ? rescale(value.digits, value.scale, working + Math.max(0, exponent)) / 2n ** BigInt(k)
      : rescale(value.digits, value.scale, working + value.scale) * 2n ** BigInt(-k);
  const scaledScale = k >= 0 ? working + Math.max(0, exponent) : working + value.scale;
  const m = rescale(scaled, scaledScale, working);
  const extra = BigInt(k) * logarithmOfTwo(working);
  return rescale(logarithmNearOne(m, working) + extra, working, wanted);
}

const logarithmsOfTwo = new Map<number, bigint>();

function logarithmOfTwo(scale: number): bigint {
  let value = logarithmsOfTwo.get(scale);
  if (value === undefined) {
    // ln 2 = 2 artanh(1/3)
    value = artanhDoubled(powerOfTen(scale + 6) / 3n, scale + 6) / powerOfTen(6);
    if (logarithmsOfTwo.size > 64) logarithmsOfTwo.clear();
    logarithmsOfTwo.set(scale, value);
  }
  return value;
}

/** ln m = 2 artanh((m - 1) / (m + 1)) after square roots have brought m near 1. */
function logarithmNearOne(m: bigint, scale: number): bigint {
  const working = scale + 10;
  const one = powerOfTen(working);
  let x = m * powerOfTen(10);
  let roots = 0;
  while (abs(x - one) * 8n > one && roots < 16) {
    x = wholeRoot(x * one);
    roots += 1;
  }
  const ratio = ((x - one) * one) / (x + one);
  return rescale(artanhDoubled(ratio, working) << BigInt(roots), working, scale);
}

function artanhDoubled(x: bigint, scale: number): bigint {
  const one = powerOfTen(scale);
  const square = (x * x) / one;
  let power = x;
  let sum = x;
  for (let i = 3n; power !== 0n; i += 2n) {
    power = (power * square) / one;
    sum += power / i;
  }
  return sum * 2n;
}

export function exponential(value: Numeric): Numeric {
  if (value.kind === '-Infinity') return Numeric.zero;
  if (!value.isFinite) return value;
  const magnitude = Math.max(
    -resultScaleMax,
    Math.min(numberOf(value) * Math.LOG10E, resultScaleMax),
  );
  const scale = displayScale(significantMin - Math.trunc(magnitude), value.scale);
  return exponentialOf(value, scale);
}

function exponentialOf(value: Numeric, scale: number): Numeric {
  const size = numberOf(value);
  if (size > 131_072 * Math.LN10) overflow();
  if (size < -(scale + 2) * Math.LN10) return new Numeric(0n, scale);
  return finite(exponentialAt(value, scale), scale);
}

function checkLogarithm(value: Numeric): void {
  if (value.kind === 'NaN') return;
  if (signOf(value) === 0) {
    raise('invalid_argument_for_logarithm', 'cannot take logarithm of zero');
  }
  if (signOf(value) < 0) {
    raise('invalid_argument_for_logarithm', 'cannot take logarithm of a negative number');
  }
}

/** About the decimal weight of ln(value): estimate_ln_dweight(). */
function logarithmWeight(value: Numeric): number {
  const number = numberOf(value);
  if (number >= 0.9 && number <= 1.1) {
    const { digits, scale } = value;
    const distance = abs(digits - powerOfTen(scale));
    // The first digit of the distance in base 10000 decides.
    if (distance === 0n) return 0;
    const leading = leadingDigit(new Numeric(distance, scale));
    return leading.weight * 4 + Math.trunc(Math.log10(leading.digit));
  }
  const first = leadingTwoDigits(value);
  const logarithm = Math.log(first.digits) + first.weight * 9.210340371976184;
  return Math.trunc(Math.log10(Math.abs(logarithm)));
}

/** The first two digits in base 10000 and the weight of the last of them. */
function leadingTwoDigits(value: Numeric): { readonly digits: number; readonly weight: number } {
  const { weight } = leadingDigit(value);
  const lastWeight = weight - 1;
  // The digit of weight w counts 10000^w; below the last digit that is stored there is none.
  const stored = -Math.ceil(value.scale / 4);
  const used = Math.max(lastWeight, Math.min(weight, stored));
  const digits = scaledNumber(value, used * 4);
  return { digits, weight: used };
}

/** floor(value * 10^-power) of a number with few digits above. */
function scaledNumber(value: Numeric, power: number): number {
  const shift = value.scale + power;
  const digits = shift >= 0 ? value.digits / powerOfTen(shift) : value.digits * powerOfTen(-shift);
  return Number(digits);
}

export function naturalLogarithm(value: Numeric): Numeric {
  checkLogarithm(value);
  if (!value.isFinite) return value;
  const scale = displayScale(significantMin - logarithmWeight(value), value.scale);
  return new Numeric(logarithmAt(value, scale), scale);
}

/** log(base, value). */
export function logarithm(base: Numeric, value: Numeric): Numeric {
  if (base.kind === 'NaN' || value.kind === 'NaN') return Numeric.nan;
  checkLogarithm(base);
  checkLogarithm(value);
  if (!base.isFinite || !value.isFinite) {
    if (!base.isFinite) return value.isFinite ? Numeric.zero : Numeric.nan;
    return Numeric.infinity;
  }
  const baseWeight = logarithmWeight(base);
  const weight = logarithmWeight(value);
  const scale = displayScale(significantMin - (weight - baseWeight), base.scale, value.scale);
  const working = scale + Math.max(0, -weight, -baseWeight) + 20;
  const dividend = new Numeric(logarithmAt(value, working), working);
  const divisor = new Numeric(logarithmAt(base, working), working);
  if (divisor.digits === 0n) raise('division_by_zero', 'division by zero');
  return finite(quotientAt(dividend, divisor, scale), scale);
}

export function power(base: Numeric, exponent: Numeric): Numeric {
  if (!base.isFinite || !exponent.isFinite) return powerOfSpecials(base, exponent);
  const baseSign = signOf(base);
  const whole = exponent.digits % powerOfTen(exponent.scale) === 0n;
  if (baseSign === 0 && signOf(exponent) < 0) {
    raise('invalid_argument_for_power_function', 'zero raised to a negative power is undefined');
  }
  if (baseSign < 0 && !whole) {
    raise(
      'invalid_argument_for_power_function',
      'a negative number raised to a non-integer power yields a complex result',
    );
  }
  const times = exponent.digits / powerOfTen(exponent.scale);
  if (whole && abs(times) <= 0x7fff_ffffn) {
    return powerOfWhole(base, Number(times), exponent.scale);
  }
  if (baseSign === 0) return new Numeric(0n, significantMin);
  return powerByLogarithm(base, exponent, whole && times % 2n !== 0n);
}

/** A negative base has a whole exponent here; the result's sign is that of an odd one. */
function powerByLogarithm(base: Numeric, exponent: Numeric, odd: boolean): Numeric {
  const magnitude = new Numeric(abs(base.digits), base.scale);
  const weight = logarithmWeight(magnitude);
  const estimateScale = Math.max(8 - weight, 0);
  const estimate = multiplyNumeric(
    new Numeric(logarithmAt(magnitude, estimateScale), estimateScale),
    exponent,
  );
  const decimalWeight = Math.max(-resultScaleMax, Math.min(numberOf(estimate) * Math.LOG10E, 1e9));
  if (decimalWeight > 131_072 * 1.01) overflow();
  const scale = displayScale(
    significantMin - Math.trunc(decimalWeight),
    base.scale,
    exponent.scale,
  );
  const size = digitCount(exponent.digits) - exponent.scale;
  const working = scale + Math.max(0, size) + Math.max(0, Math.trunc(decimalWeight)) + guard;
  const product = multiplyNumeric(new Numeric(logarithmAt(magnitude, working), working), exponent);
  const result = exponentialOf(product, scale);
  return odd && signOf(base) < 0 ? new Numeric(-result.digits, scale) : result;
}

/** Whole exponents by squaring: exact, then rounded to the scale that power_var_int() gives. */
function powerOfWhole(base: Numeric, exponent: number, exponentScale: number): Numeric {
  const weight = decimalWeightOf(base) * exponent;
  if (weight > 131_072 * 1.01) overflow();
  if (weight + 1 < -resultScaleMax) return new Numeric(0n, displayScaleMax);
  const scale = displayScale(significantMin - Math.trunc(weight), base.scale, exponentScale);
  if (exponent === 0) return new Numeric(powerOfTen(scale), scale);
  if (base.digits === 0n) return new Numeric(0n, scale);
  if (exponent === 1) return finite(rescale(base.digits, base.scale, scale), scale);
  if (exponent === -1) return rounded(divideAt(Numeric.one, base, scale), scale);
  if (exponent === 2) return rounded(multiplyNumeric(base, base), scale);
  const times = BigInt(Math.abs(exponent));
  // Digits beyond those that the result shows are cut while squaring.
  const kept = Math.ceil(Math.abs(weight)) + scale + Math.ceil(Math.log10(Math.abs(exponent))) + 16;
  const result = powerBySquaring(base, times, kept);
  return exponent > 0
    ? rounded(result, scale)
    : rounded(divideAt(Numeric.one, result, scale), scale);
}

/** A product with about `kept` significant digits; its scale may be beyond that of a numeric. */
function powerBySquaring(base: Numeric, exponent: bigint, kept: number): Numeric {
  let result = Numeric.one;
  let square = base;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = cutProduct(result, square, kept);
    if (left > 1n) square = cutProduct(square, square, kept);
  }
  return result;
}

function cutProduct(a: Numeric, b: Numeric, kept: number): Numeric {
  const digits = a.digits * b.digits;
  const scale = a.scale + b.scale;
  const excess = Math.min(digitCount(digits) - kept, scale);
  return excess > 0
    ? new Numeric(rescale(digits, scale, scale - excess), scale - excess)
    : new Numeric(digits, scale);
}

function divideAt(a: Numeric, b: Numeric, scale: number): Numeric {
  return new Numeric(quotientAt(a, b, scale), scale);
}

function rounded(value: Numeric, scale: number): Numeric {
  return finite(rescale(value.digits, value.scale, scale), scale);
}

/** log10 of the magnitude, from its leading digits. */
function decimalWeightOf(value: Numeric): number {
  if (value.digits === 0n) return 0;
  const count = digitCount(value.digits);
  const excess = Math.max(count - 17, 0);
  const leading = Number(abs(value.digits) / powerOfTen(excess));
  return Math.log10(leading) + excess - value.scale;
}

function powerOfSpecials(base: Numeric, exponent: Numeric): Numeric {
  const isOne = (value: Numeric) => value.isFinite && value.digits === powerOfTen(value.scale);
  if (exponent.isFinite && exponent.digits === 0n) return Numeric.one;
  if (isOne(base)) return Numeric.one;
  if (base.kind === 'NaN' || exponent.kind === 'NaN') return Numeric.nan;
  if (!exponent.isFinite) return powerToInfinity(base, exponent.kind === 'Infinity');
  const positive = signOf(exponent) > 0;
  if (base.kind === 'Infinity') return positive ? Numeric.infinity : Numeric.zero;
  const unit = powerOfTen(exponent.scale);
  if (exponent.digits % unit !== 0n) {
    raise(
      'invalid_argument_for_power_function',
      'a negative number raised to a non-integer power yields a complex result',
    );
  }
  if (!positive) return Numeric.zero;
  return (exponent.digits / unit) % 2n === 0n ? Numeric.infinity : Numeric.negativeInfinity;
}

function powerToInfinity(base: Numeric, positive: boolean): Numeric {
  if (base.isFinite) {
    if (base.digits === 0n) {
      if (positive) return Numeric.zero;
      raise('invalid_argument_for_power_function', 'zero raised to a negative power is undefined');
    }
    const magnitude = abs(base.digits);
    const one = powerOfTen(base.scale);
    if (magnitude === one) return Numeric.one;
    return magnitude > one === positive ? Numeric.infinity : Numeric.zero;
  }
  return positive ? Numeric.infinity : Numeric.zero;
}
