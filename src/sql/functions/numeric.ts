/** Operators and functions of numeric. */
import { raise } from '../../base/errors.js';
import { Numeric } from '../types/index.js';
import * as decimal from '../types/numeric.js';
import * as math from '../types/numeric-math.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';

function signNumeric(value: Numeric): Numeric {
  return value.kind === 'NaN' ? value : decimal.numericOfInteger(decimal.signOf(value));
}

/** Digits after the point that are needed; NULL for the specials. */
function minimumScale(value: Numeric): number | null {
  return value.isFinite ? decimal.stripZeros(value).scale : null;
}

function gcd(a: Numeric, b: Numeric): Numeric {
  if (!a.isFinite || !b.isFinite) return Numeric.nan;
  const scale = Math.max(a.scale, b.scale);
  let x = decimal.abs(decimal.rescale(a.digits, a.scale, scale));
  let y = decimal.abs(decimal.rescale(b.digits, b.scale, scale));
  while (y !== 0n) [x, y] = [y, x % y];
  return new Numeric(x, scale);
}

function lcm(a: Numeric, b: Numeric): Numeric {
  if (!a.isFinite || !b.isFinite) return Numeric.nan;
  const scale = Math.max(a.scale, b.scale);
  if (a.digits === 0n || b.digits === 0n) return new Numeric(0n, scale);
  const x = decimal.rescale(a.digits, a.scale, scale);
  const y = decimal.rescale(b.digits, b.scale, scale);
  return decimal.finite(decimal.abs((x / gcd(a, b).digits) * y), scale);
}

function factorial(value: bigint): Numeric {
  if (value < 0n) {
    raise('numeric_value_out_of_range', 'factorial of a negative number is undefined');
  }
  if (value > 32_177n) decimal.overflow();
  let result = 1n;
  for (let i = 2n; i <= value; i += 1n) result *= i;
  return decimal.finite(result, 0);
}

const one = new Numeric(1n, 0);
const ten = new Numeric(10n, 0);

export const numericFunctions: readonly Definition[] = [
  define('numeric + numeric: numeric', decimal.addNumeric, { commutator: '+' }),
  define('numeric - numeric: numeric', decimal.subtractNumeric),
  define('numeric * numeric: numeric', decimal.multiplyNumeric, { commutator: '*' }),
  define('numeric / numeric: numeric', decimal.divideNumeric),
  define('numeric % numeric: numeric', decimal.moduloNumeric),
  define('+ numeric: numeric', (value: Numeric) => value),
  define('- numeric: numeric', decimal.negateNumeric),
  define('@ numeric: numeric', decimal.absNumeric),
  define('abs(numeric): numeric', decimal.absNumeric),
  define('mod(numeric, numeric): numeric', decimal.moduloNumeric),
  define('div(numeric, numeric): numeric', decimal.divideTruncated),
  define('sign(numeric): numeric', signNumeric),
  define('round(numeric): numeric', (value: Numeric) => decimal.roundNumeric(value, 0)),
  define('round(numeric, int4): numeric', decimal.roundNumeric),
  define('trunc(numeric): numeric', (value: Numeric) => decimal.truncateNumeric(value, 0)),
  define('trunc(numeric, int4): numeric', decimal.truncateNumeric),
  define('floor(numeric): numeric', decimal.floorNumeric),
  define('ceil(numeric): numeric', decimal.ceilingNumeric),
  define('ceiling(numeric): numeric', decimal.ceilingNumeric),
  define('scale(numeric): int4', (value: Numeric) => (value.isFinite ? value.scale : null)),
  define('min_scale(numeric): int4', minimumScale),
  define('trim_scale(numeric): numeric', decimal.stripZeros),
  define('gcd(numeric, numeric): numeric', gcd),
  define('lcm(numeric, numeric): numeric', lcm),
  define('numeric ^ numeric: numeric', math.power),
  define('power(numeric, numeric): numeric', math.power),
  define('pow(numeric, numeric): numeric', math.power),
  define('sqrt(numeric): numeric', math.squareRoot),
  define('exp(numeric): numeric', math.exponential),
  define('ln(numeric): numeric', math.naturalLogarithm),
  define('log(numeric): numeric', (value: Numeric) => math.logarithm(ten, value)),
  define('log10(numeric): numeric', (value: Numeric) => math.logarithm(ten, value)),
  define('log(numeric, numeric): numeric', math.logarithm),
  define('factorial(int8): numeric', factorial),
  define('numeric_inc(numeric): numeric', (value: Numeric) => decimal.addNumeric(value, one)),
];
