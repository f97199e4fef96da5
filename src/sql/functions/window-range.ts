/**
 * RANGE with an offset: which types of order keys and offsets go together, and what they mean
 * (the in_range support functions of PostgreSQL's btree operator families).
 */
import { raise } from '../../base/errors.js';
import type { FunctionContext, TypeName, Value } from '../types/index.js';
import {
  addIntervals,
  compareIntervals,
  type Interval,
  makeInterval,
  negateInterval,
} from '../types/interval.js';
import {
  addNumeric,
  compareNumeric,
  type Numeric,
  signOf,
  subtractNumeric,
} from '../types/numeric.js';
import { compareZonedTimes, ZonedTime } from '../types/zoned-time.js';
import { timestampOfDate, timestampPlus, timestamptzPlus } from './datetime-arithmetic.js';
import type { InRange } from './function.js';

function negativeOffset(): never {
  raise(
    'invalid_preceding_or_following_size',
    'invalid preceding or following size in window function',
  );
}

function wholeInRange(value: Value, base: Value, offset: Value, subtract: boolean, less: boolean) {
  const by = BigInt(offset as number | bigint);
  if (by < 0n) negativeOffset();
  const start = BigInt(base as number | bigint);
  const end = subtract ? start - by : start + by;
  const at = BigInt(value as number | bigint);
  return less ? at <= end : at >= end;
}

/** As in_range_float8_float8(): NaN sorts last and is far from all others. */
function floatInRange(value: Value, base: Value, offset: Value, subtract: boolean, less: boolean) {
  const [at, start, by] = [value as number, base as number, offset as number];
  if (Number.isNaN(by) || by < 0) negativeOffset();
  if (Number.isNaN(at)) return Number.isNaN(start) || !less;
  if (Number.isNaN(start)) return less;
  // An infinite base less an infinite offset is everywhere.
  const isApart = by === Number.POSITIVE_INFINITY && Math.abs(start) === Number.POSITIVE_INFINITY;
  if (isApart && (subtract ? start > 0 : start < 0)) return true;
  const end = subtract ? start - by : start + by;
  return less ? at <= end : at >= end;
}

function numericInRange(
  value: Value,
  base: Value,
  offset: Value,
  subtract: boolean,
  less: boolean,
) {
  const [at, start, by] = [value as Numeric, base as Numeric, offset as Numeric];
  if (by.kind === 'NaN' || signOf(by) < 0) negativeOffset();
  if (at.kind === 'NaN') return start.kind === 'NaN' || !less;
  if (start.kind === 'NaN') return less;
  if (by.kind === 'Infinity' && start.kind === (subtract ? 'Infinity' : '-Infinity')) return true;
  const end = subtract ? subtractNumeric(start, by) : addNumeric(start, by);
  const order = compareNumeric(at, end);
  return less ? order <= 0 : order >= 0;
}

const noTime = makeInterval(0, 0, 0n);

function signed(offset: Value, subtract: boolean): Interval {
  const by = offset as Interval;
  if (compareIntervals(by, noTime) < 0) negativeOffset();
  return subtract ? negateInterval(by) : by;
}

type Plus = (base: Value, by: Interval, context: FunctionContext) => bigint;

function timeInRange(plus: Plus, positionOf: (value: Value) => bigint): InRange {
  return (value, base, offset, subtract, less, context) => {
    const end = plus(base, signed(offset, subtract), context);
    const at = positionOf(value);
    return less ? at <= end : at >= end;
  };
}

const ofTimestamp = timeInRange(
  (base, by) => timestampPlus(base as bigint, by),
  (value) => value as bigint,
);
const ofTimestamptz = timeInRange(
  (base, by, context) => timestamptzPlus(context, base as bigint, by),
  (value) => value as bigint,
);
const ofDate = timeInRange(
  (base, by) => timestampPlus(timestampOfDate(base as number), by),
  (value) => timestampOfDate(value as number),
);
/** A day has no edge here: 23:00 plus two hours is after all times. Only its part below days counts. */
const ofTime = timeInRange(
  (base, by) => BigInt(base as number) + by.micros,
  (value) => BigInt(value as number),
);

const ofZonedTime: InRange = (value, base, offset, subtract, less) => {
  const { time, offset: zone } = base as ZonedTime;
  const end = new ZonedTime(time + Number(signed(offset, subtract).micros), zone);
  const order = compareZonedTimes(value, end);
  return less ? order <= 0 : order >= 0;
};

const ofInterval: InRange = (value, base, offset, subtract, less) => {
  const end = addIntervals(base as Interval, signed(offset, subtract));
  const order = compareIntervals(value as Interval, end);
  return less ? order <= 0 : order >= 0;
};

/** By the type of the order key: the types of offsets that it takes. */
const ranges: ReadonlyMap<
  TypeName,
  readonly { readonly offset: TypeName; readonly inRange: InRange }[]
> = new Map([
  ['int2', ['int2', 'int4', 'int8'].map((offset) => ({ offset, inRange: wholeInRange }))],
  ['int4', ['int2', 'int4', 'int8'].map((offset) => ({ offset, inRange: wholeInRange }))],
  ['int8', [{ offset: 'int8', inRange: wholeInRange }]],
  ['float4', [{ offset: 'float8', inRange: floatInRange }]],
  ['float8', [{ offset: 'float8', inRange: floatInRange }]],
  ['numeric', [{ offset: 'numeric', inRange: numericInRange }]],
  ['date', [{ offset: 'interval', inRange: ofDate }]],
  ['time', [{ offset: 'interval', inRange: ofTime }]],
  ['timetz', [{ offset: 'interval', inRange: ofZonedTime }]],
  ['timestamp', [{ offset: 'interval', inRange: ofTimestamp }]],
  ['timestamptz', [{ offset: 'interval', inRange: ofTimestamptz }]],
  ['interval', [{ offset: 'interval', inRange: ofInterval }]],
] as [TypeName, { offset: TypeName; inRange: InRange }[]][]);

/** The ways to look at offsets of a key of this type; none for types without distances. */
export function rangesOf(
  key: TypeName,
): readonly { readonly offset: TypeName; readonly inRange: InRange }[] {
  return ranges.get(key) ?? [];
}
