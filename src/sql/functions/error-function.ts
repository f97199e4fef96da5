/**
 * erf() and erfc(): rational approximations on four intervals, as the C libraries that PostgreSQL is
 * built with have them (Sun's fdlibm, s_erf.c, error below one unit in the last place).
 */
import { type Definition, define } from './definition.js';

/** erf(1) in the bits of a float4. */
const erfOfOne = 0.8450629115104675;
const slopeAtZero = 0.1283791670955126;

const smallTop = [
  0.12837916709551256, -0.3250421072470015, -0.02848174957559851, -0.005770270296489442,
  -2.3763016656650163e-5,
];
const smallBottom = [
  1, 0.39791722395915535, 0.0650222499887673, 0.005081306281875766, 0.00013249473800432164,
  -3.960228278775368e-6,
];
const middleTop = [
  -0.0023621185607526594, 0.41485611868374833, -0.3722078760357013, 0.31834661990116175,
  -0.11089469428239668, 0.035478304325618236, -0.002166375594868791,
];
const middleBottom = [
  1, 0.10642088040084423, 0.540397917702171, 0.07182865441419627, 0.12617121980876164,
  0.01363708391202905, 0.011984499846799107,
];
const largeTop = [
  -0.009864944034847148, -0.6938585727071818, -10.558626225323291, -62.375332450326006,
  -162.39666946257347, -184.60509290671104, -81.2874355063066, -9.814329344169145,
];
const largeBottom = [
  1, 19.651271667439257, 137.65775414351904, 434.56587747522923, 645.3872717332679,
  429.00814002756783, 108.63500554177944, 6.570249770319282, -0.0604244152148581,
];
const hugeTop = [
  -0.0098649429247001, -0.799283237680523, -17.757954917754752, -160.63638485582192,
  -637.5664433683896, -1025.0951316110772, -483.5191916086514,
];
const hugeBottom = [
  1, 30.33806074348246, 325.7925129965739, 1536.729586084437, 3199.8582195085955,
  2553.0504064331644, 474.52854120695537, -22.44095244658582,
];

/** The polynomial with these coefficients, the constant one first. */
function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}

function ratio(top: readonly number[], bottom: readonly number[], x: number): number {
  return polynomial(top, x) / polynomial(bottom, x);
}

const bits = new DataView(new ArrayBuffer(8));

/** Without the lower half of its bits, so that its square is exact. */
function withoutLowBits(x: number): number {
  bits.setFloat64(0, x);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

/** 1 - erf(x) for x from 1.25 to 28. */
function tail(x: number): number {
  const s = 1 / (x * x);
  const isHuge = x >= 1 / 0.35;
  const quotient = isHuge ? ratio(hugeTop, hugeBottom, s) : ratio(largeTop, largeBottom, s);
  const z = withoutLowBits(x);
  return (Math.exp(-z * z - 0.5625) * Math.exp((z - x) * (z + x) + quotient)) / x;
}

function erf(value: number): number {
  if (Number.isNaN(value)) return value;
  const x = Math.abs(value);
  const sign = value < 0 ? -1 : 1;
  if (x < 0.84375) {
    if (x < 2 ** -28) return value + slopeAtZero * value;
    return value + value * ratio(smallTop, smallBottom, x * x);
  }
  if (x < 1.25) return sign * (erfOfOne + ratio(middleTop, middleBottom, x - 1));
  return x >= 6 ? sign : sign * (1 - tail(x));
}

function erfc(value: number): number {
  if (Number.isNaN(value)) return value;
  const x = Math.abs(value);
  if (x < 0.84375) {
    if (x < 2 ** -56) return 1 - value;
    const y = ratio(smallTop, smallBottom, x * x);
    if (value < 0.25) return 1 - (value + value * y);
    return 0.5 - (value * y + (value - 0.5));
  }
  if (x < 1.25) {
    const y = ratio(middleTop, middleBottom, x - 1);
    return value >= 0 ? 1 - erfOfOne - y : 1 + (erfOfOne + y);
  }
  if (x >= 28 || value < -6) return value > 0 ? 0 : 2;
  return value > 0 ? tail(x) : 2 - tail(x);
}

export const errorFunctions: readonly Definition[] = [
  define('erf(float8): float8', erf),
  define('erfc(float8): float8', erfc),
];
