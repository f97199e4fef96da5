/** Arithmetic and mathematics of float4 and float8 (src/backend/utils/adt/float.c). */
import { raise } from '../../base/errors.js';
import { roundToEven } from './cast-table.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';

function overflow(): never {
  raise('numeric_value_out_of_range', 'value out of range: overflow');
}

function underflow(): never {
  raise('numeric_value_out_of_range', 'value out of range: underflow');
}

/** Raises 22003. */
export function inputOutOfRange(): never {
  raise('numeric_value_out_of_range', 'input is out of range');
}

/** Infinite only if an operand is. */
function bounded(result: number, a: number, b: number): number {
  if (!Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b)) overflow();
  return result;
}

/** Infinite only if an operand is, zero only if the first factor or the second is. */
function product(result: number, a: number, b: number): number {
  if (result === 0 && a !== 0 && b !== 0 && Number.isFinite(a) && Number.isFinite(b)) underflow();
  return bounded(result, a, b);
}

function quotient(round: (value: number) => number): (a: number, b: number) => number {
  return (a, b) => {
    if (b === 0 && !Number.isNaN(a)) raise('division_by_zero', 'division by zero');
    const result = round(a / b);
    if (result === 0 && a !== 0 && Number.isFinite(b)) underflow();
    return bounded(result, a, b);
  };
}

function operators(left: string, right: string): Definition[] {
  const single = left === 'float4' && right === 'float4';
  const round = single ? Math.fround : (value: number) => value;
  const signature = (operator: string) =>
    `${left} ${operator} ${right}: ${single ? 'float4' : 'float8'}`;
  const commutes = { commutator: '+' } as const;
  return [
    define(signature('+'), (a: number, b: number) => bounded(round(a + b), a, b), commutes),
    define(signature('-'), (a: number, b: number) => bounded(round(a - b), a, b)),
    define(signature('*'), (a: number, b: number) => product(round(a * b), a, b), {
      commutator: '*',
    }),
    define(signature('/'), quotient(round)),
  ];
}

function unary(type: string): Definition[] {
  return [
    define(`+ ${type}: ${type}`, (a: number) => a),
    define(`- ${type}: ${type}`, (a: number) => -a),
    define(`@ ${type}: ${type}`, Math.abs),
    define(`abs(${type}): ${type}`, Math.abs),
  ];
}

/** pow() of C with PostgreSQL's errors. */
export function power(base: number, exponent: number): number {
  if (Number.isNaN(base) || Number.isNaN(exponent)) {
    return exponent === 0 || base === 1 ? 1 : Number.NaN;
  }
  if (base === 0 && exponent < 0) {
    raise('invalid_argument_for_power_function', 'zero raised to a negative power is undefined');
  }
  if (base < 0 && Math.floor(exponent) !== exponent) {
    raise(
      'invalid_argument_for_power_function',
      'a negative number raised to a non-integer power yields a complex result',
    );
  }
  if (base === 1 || exponent === 0 || (base === -1 && !Number.isFinite(exponent))) return 1;
  const result = base ** exponent;
  if (Number.isFinite(base) && Number.isFinite(exponent)) {
    if (!Number.isFinite(result)) overflow();
    if (result === 0 && base !== 0) underflow();
  }
  return result;
}

function squareRoot(value: number): number {
  if (value < 0) {
    raise('invalid_argument_for_power_function', 'cannot take square root of a negative number');
  }
  return Math.sqrt(value);
}

function exponential(value: number): number {
  const result = Math.exp(value);
  if (Number.isFinite(value)) {
    if (!Number.isFinite(result)) overflow();
    if (result === 0) underflow();
  }
  return result;
}

function logarithm(log: (value: number) => number): (value: number) => number {
  return (value) => {
    if (value === 0) {
      raise('invalid_argument_for_logarithm', 'cannot take logarithm of zero');
    }
    if (value < 0) {
      raise('invalid_argument_for_logarithm', 'cannot take logarithm of a negative number');
    }
    return log(value);
  };
}

/** Of an angle, which must be finite. */
function ofAngle(compute: (value: number) => number): (value: number) => number {
  return (value) => {
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) inputOutOfRange();
    return compute(value);
  };
}

/** Defined between -1 and 1. */
function ofRatio(compute: (value: number) => number): (value: number) => number {
  return (value) => {
    if (value < -1 || value > 1) inputOutOfRange();
    return compute(value);
  };
}

const perDegree = Math.PI / 180;

const mathematics: readonly (readonly [string, (value: number) => number])[] = [
  ['ceil', Math.ceil],
  ['ceiling', Math.ceil],
  ['floor', Math.floor],
  ['round', roundToEvenSigned],
  ['trunc', Math.trunc],
  ['sign', (value) => (value > 0 ? 1 : value < 0 ? -1 : value === 0 ? 0 : value)],
  ['sqrt', squareRoot],
  ['cbrt', Math.cbrt],
  ['exp', exponential],
  ['ln', logarithm(Math.log)],
  ['log', logarithm(Math.log10)],
  ['log10', logarithm(Math.log10)],
  ['degrees', (value) => bounded(value / perDegree, value, value)],
  ['radians', (value) => value * perDegree],
  ['sin', ofAngle(Math.sin)],
  ['cos', ofAngle(Math.cos)],
  ['tan', ofAngle(Math.tan)],
  ['cot', ofAngle((value) => 1 / Math.tan(value))],
  ['asin', ofRatio(Math.asin)],
  ['acos', ofRatio(Math.acos)],
  ['atan', Math.atan],
  ['sinh', Math.sinh],
  ['cosh', Math.cosh],
  ['tanh', Math.tanh],
  ['asinh', Math.asinh],
  ['acosh', (value) => (value < 1 ? inputOutOfRange() : Math.acosh(value))],
  ['atanh', ofRatio(Math.atanh)],
];

/** Keeps the sign of zero, as rint() does. */
function roundToEvenSigned(value: number): number {
  const rounded = roundToEven(value);
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}

export const floatFunctions: readonly Definition[] = [
  ...operators('float4', 'float4'),
  ...operators('float4', 'float8'),
  ...operators('float8', 'float4'),
  ...operators('float8', 'float8'),
  ...unary('float4'),
  ...unary('float8'),
  ...mathematics.map(([name, compute]) => define(`${name}(float8): float8`, compute)),
  define('float8 ^ float8: float8', power),
  define('power(float8, float8): float8', power),
  define('pow(float8, float8): float8', power),
  define('|/ float8: float8', squareRoot),
  define('||/ float8: float8', Math.cbrt),
  define('atan2(float8, float8): float8', Math.atan2),
  define('pi(): float8', () => Math.PI),
];
