/** width_bucket() of equal buckets between two bounds. */
import { raise } from '../../base/errors.js';
import { compareNumeric, type Numeric, rescale } from '../types/numeric.js';
import { type Definition, define } from './definition.js';

function wrong(text: string): never {
  raise('invalid_argument_for_width_bucket_function', text);
}

function checkCount(count: number): void {
  if (count <= 0) wrong('count must be greater than zero');
}

/** One above the last bucket. */
function above(count: number): number {
  if (count < 2_147_483_647) return count + 1;
  raise('numeric_value_out_of_range', 'integer out of range');
}

function ofFloats(operand: number, low: number, high: number, count: number): number {
  checkCount(count);
  if (Number.isNaN(operand) || Number.isNaN(low) || Number.isNaN(high)) {
    wrong('operand, lower bound, and upper bound cannot be NaN');
  }
  if (!Number.isFinite(low) || !Number.isFinite(high))
    wrong('lower and upper bounds must be finite');
  if (low === high) wrong('lower bound cannot equal upper bound');
  const descends = low > high;
  if (descends ? operand > low : operand < low) return 0;
  if (descends ? operand <= high : operand >= high) return above(count);
  const width = high - low;
  // The halves cannot overflow.
  const share = Number.isFinite(width)
    ? (operand - low) / width
    : (operand / 2 - low / 2) / (high / 2 - low / 2);
  return Math.min(Math.trunc(count * share), count - 1) + 1;
}

function ofNumerics(operand: Numeric, low: Numeric, high: Numeric, count: number): number {
  checkCount(count);
  if (operand.kind === 'NaN' || low.kind === 'NaN' || high.kind === 'NaN') {
    wrong('operand, lower bound, and upper bound cannot be NaN');
  }
  if (!low.isFinite || !high.isFinite) wrong('lower and upper bounds must be finite');
  const order = compareNumeric(low, high);
  if (order === 0) wrong('lower bound cannot equal upper bound');
  const descends = order > 0;
  const place = compareNumeric(operand, low);
  const end = compareNumeric(operand, high);
  if (descends ? place > 0 : place < 0) return 0;
  if (descends ? end <= 0 : end >= 0) return above(count);
  const scale = Math.max(operand.scale, low.scale, high.scale);
  const digits = ({ digits: own, scale: from }: Numeric) => rescale(own, from, scale);
  const from = digits(low);
  return Number(((digits(operand) - from) * BigInt(count)) / (digits(high) - from)) + 1;
}

export const bucketFunctions: readonly Definition[] = [
  define('width_bucket(float8, float8, float8, int4): int4', ofFloats),
  define('width_bucket(numeric, numeric, numeric, int4): int4', ofNumerics),
];
