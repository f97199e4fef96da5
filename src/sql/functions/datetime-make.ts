/** Moments put into bins, and intervals made of their parts. */
import { raise } from '../../base/errors.js';
import { checkedTimestamp, isInfiniteTimestamp } from '../types/datetime-type.js';
import type { FunctionContext } from '../types/index.js';
import { type Interval, makeInterval, negateInterval } from '../types/interval.js';
import { microsPerDayBig } from '../types/calendar.js';
import * as sums from './datetime-arithmetic.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';

/** The start of the bin of the width `stride` that holds the moment; bins are counted from `origin`. */
function bin(stride: Interval, micros: bigint, origin: bigint): bigint {
  if (isInfiniteTimestamp(micros)) return micros;
  if (isInfiniteTimestamp(origin)) raise('datetime_field_overflow', 'origin out of range');
  if (stride.months !== 0) {
    raise(
      'feature_not_supported',
      'timestamps cannot be binned into intervals containing months or years',
    );
  }
  const width = BigInt(stride.days) * microsPerDayBig + stride.micros;
  if (BigInt.asIntN(64, width) !== width) raise('datetime_field_overflow', 'interval out of range');
  if (width <= 0n) raise('datetime_field_overflow', 'stride must be greater than zero');
  const within = (micros - origin) % width;
  return checkedTimestamp(micros - within - (within < 0n ? width : 0n));
}

function intervalOf(
  years = 0,
  months = 0,
  weeks = 0,
  days = 0,
  hours = 0,
  minutes = 0,
  seconds = 0,
): Interval {
  if (!Number.isFinite(seconds)) raise('datetime_field_overflow', 'interval out of range');
  const micros =
    BigInt(hours) * 3_600_000_000n +
    BigInt(minutes) * 60_000_000n +
    BigInt(Math.round(seconds * 1_000_000));
  return makeInterval(years * 12 + months, weeks * 7 + days, micros);
}

const parts = ['int4', 'int4', 'int4', 'int4', 'int4', 'int4', 'float8'];

export const datetimeMakeFunctions: readonly Definition[] = [
  define('date_bin(interval, timestamp, timestamp): timestamp', bin),
  define('date_bin(interval, timestamptz, timestamptz): timestamptz', bin),
  ...Array.from({ length: parts.length + 1 }, (_, count) =>
    define(`make_interval(${parts.slice(0, count).join(', ')}): interval`, intervalOf),
  ),
  define('date_add(timestamptz, interval): timestamptz', sums.timestamptzPlus, {
    volatility: 'stable',
    usesContext: true,
  }),
  define(
    'date_subtract(timestamptz, interval): timestamptz',
    (context: FunctionContext, micros: bigint, interval: Interval) =>
      sums.timestamptzPlus(context, micros, negateInterval(interval)),
    { volatility: 'stable', usesContext: true },
  ),
];
