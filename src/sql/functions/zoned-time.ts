/** Operators and functions of timetz, and OVERLAPS of all times. */
import { raise } from '../../base/errors.js';
import { microsPerDay } from '../types/calendar.js';
import { checkedTimestamp } from '../types/datetime-type.js';
import {
  type FunctionContext,
  type Interval,
  Numeric,
  type Value,
  ZonedTime,
} from '../types/index.js';
import { negateInterval } from '../types/interval.js';
import { compareZonedTimes } from '../types/zoned-time.js';
import { zoneNamed } from './datetime.js';
import * as sums from './datetime-arithmetic.js';
import { type Definition, define } from './definition.js';

function plus(value: ZonedTime, interval: Interval): ZonedTime {
  return new ZonedTime(sums.timePlus(value.time, interval), value.offset);
}

/** The instant of a date and a time of day with its zone. */
function instantOf(days: number, { time, offset }: ZonedTime): bigint {
  if (!Number.isFinite(days)) return days > 0 ? 2n ** 63n - 1n : -(2n ** 63n);
  const local = BigInt(days) * BigInt(microsPerDay) + BigInt(time);
  return checkedTimestamp(local - BigInt(offset) * 1_000_000n);
}

/** The same moment of the day by another offset. */
function atOffset({ time, offset }: ZonedTime, wanted: number): ZonedTime {
  const moved = (time + (wanted - offset) * 1_000_000) % microsPerDay;
  return new ZonedTime(moved < 0 ? moved + microsPerDay : moved, wanted);
}

function field(name: string, value: ZonedTime): Numeric {
  const { time, offset } = value;
  const whole = (count: number) => new Numeric(BigInt(count), 0);
  const seconds = time % 60_000_000;
  switch (name.toLowerCase()) {
    case 'hour':
      return whole(Math.floor(time / 3_600_000_000));
    case 'minute':
      return whole(Math.floor(time / 60_000_000) % 60);
    case 'second':
      return new Numeric(BigInt(seconds), 6);
    case 'milliseconds':
    case 'millisecond':
      return new Numeric(BigInt(seconds), 3);
    case 'microseconds':
    case 'microsecond':
      return whole(seconds);
    case 'epoch':
      return new Numeric(BigInt(time - offset * 1_000_000), 6);
    case 'timezone':
      return whole(offset);
    case 'timezone_hour':
      return whole(Math.trunc(offset / 3600));
    case 'timezone_minute':
      return whole(Math.trunc((offset % 3600) / 60));
    case 'day':
    case 'month':
    case 'year':
    case 'century':
    case 'decade':
    case 'millennium':
    case 'quarter':
    case 'week':
    case 'dow':
    case 'isodow':
    case 'doy':
    case 'isoyear':
    case 'julian':
      return raise(
        'feature_not_supported',
        `unit "${name}" not supported for type time with time zone`,
      );
    default:
      return raise(
        'invalid_parameter_value',
        `unit "${name}" not recognized for type time with time zone`,
      );
  }
}

type Compare = (a: Value, b: Value) => number;

/**
 * Whether two periods share a moment; NULL where that is not known. An end before its start is its
 * start, and so is the only end that is known.
 */
function overlap(compare: Compare, periods: readonly Value[]): boolean | null {
  const [a, b] = [
    ordered(compare, periods[0], periods[1]),
    ordered(compare, periods[2], periods[3]),
  ];
  if (a === undefined || b === undefined) return null;
  const order = compare(a.from, b.from);
  const [first, second] = order > 0 ? [b, a] : [a, b];
  if (order === 0) return first.to === null || second.to === null ? null : true;
  if (first.to === null) return null;
  if (compare(second.from, first.to) < 0) return true;
  // The second begins after the first has ended, whenever it ends itself.
  return second.to === null ? null : false;
}

function ordered(
  compare: Compare,
  from: Value | undefined,
  to: Value | undefined,
): { readonly from: Value; readonly to: Value } | undefined {
  const [start, end] = [from ?? null, to ?? null];
  if (start === null) return end === null ? undefined : { from: end, to: null };
  if (end === null) return { from: start, to: null };
  return compare(start, end) > 0 ? { from: end, to: start } : { from: start, to: end };
}

const natural: Compare = (a, b) => {
  const [x, y] = [a as number, b as number];
  return x < y ? -1 : x > y ? 1 : 0;
};

const lenient = { strict: false } as const;
const stable = { strict: false, usesContext: true, volatility: 'stable' } as const;

/** OVERLAPS of two pairs of moments, or of moments and how long each lasts. */
function overlapsOf(
  name: string,
  compare: Compare,
  add: (moment: Value, length: Interval) => Value,
) {
  const end = (from: Value, length: Value): Value =>
    from === null || length === null ? null : add(from, length as Interval);
  type Four = readonly [Value, Value, Value, Value];
  return [
    define(
      `overlaps(${name}, ${name}, ${name}, ${name}): bool`,
      (...[a, b, c, d]: Four) => overlap(compare, [a, b, c, d]),
      lenient,
    ),
    define(
      `overlaps(${name}, interval, ${name}, interval): bool`,
      (...[a, b, c, d]: Four) => overlap(compare, [a, end(a, b), c, end(c, d)]),
      lenient,
    ),
    define(
      `overlaps(${name}, ${name}, ${name}, interval): bool`,
      (...[a, b, c, d]: Four) => overlap(compare, [a, b, c, end(c, d)]),
      lenient,
    ),
    define(
      `overlaps(${name}, interval, ${name}, ${name}): bool`,
      (...[a, b, c, d]: Four) => overlap(compare, [a, end(a, b), c, d]),
      lenient,
    ),
  ];
}

/** As {@link overlapsOf} for instants: adding days depends on the session's zone. */
function overlapsOfInstants(): Definition[] {
  const end = (context: FunctionContext, from: Value, length: Value): Value =>
    from === null || length === null
      ? null
      : sums.timestamptzPlus(context, from as bigint, length as Interval);
  type Four = readonly [FunctionContext, Value, Value, Value, Value];
  const name = 'timestamptz';
  return [
    define(
      `overlaps(${name}, ${name}, ${name}, ${name}): bool`,
      (...[, a, b, c, d]: Four) => overlap(natural, [a, b, c, d]),
      stable,
    ),
    define(
      `overlaps(${name}, interval, ${name}, interval): bool`,
      (...[context, a, b, c, d]: Four) =>
        overlap(natural, [a, end(context, a, b), c, end(context, c, d)]),
      stable,
    ),
    define(
      `overlaps(${name}, ${name}, ${name}, interval): bool`,
      (...[context, a, b, c, d]: Four) => overlap(natural, [a, b, c, end(context, c, d)]),
      stable,
    ),
    define(
      `overlaps(${name}, interval, ${name}, ${name}): bool`,
      (...[context, a, b, c, d]: Four) => overlap(natural, [a, end(context, a, b), c, d]),
      stable,
    ),
  ];
}

const [zonedOverlaps] = overlapsOf('timetz', compareZonedTimes, (moment) => moment);

export const zonedTimeFunctions: readonly Definition[] = [
  define('timetz + interval: timetz', plus, { commutator: '+' }),
  define('interval + timetz: timetz', (a: Interval, b: ZonedTime) => plus(b, a), {
    commutator: '+',
  }),
  define('timetz - interval: timetz', (a: ZonedTime, b: Interval) => plus(a, negateInterval(b))),
  define('date + timetz: timestamptz', instantOf, { commutator: '+' }),
  define('timetz + date: timestamptz', (a: ZonedTime, b: number) => instantOf(b, a), {
    commutator: '+',
  }),
  define('timestamptz(date, timetz): timestamptz', instantOf),
  define('extract(text, timetz): numeric', field),
  define('date_part(text, timetz): float8', (name: string, value: ZonedTime) =>
    Number(field(name, value).toString()),
  ),
  define(
    'timezone(text, timetz): timetz',
    (context: FunctionContext, zone: string, value: ZonedTime) =>
      atOffset(value, zoneNamed(zone).offsetAt(context.transactionTimestamp)),
    { usesContext: true, volatility: 'stable' },
  ),
  define('timezone(interval, timetz): timetz', (zone: Interval, value: ZonedTime) =>
    atOffset(value, Number(zone.micros / 1_000_000n)),
  ),
  ...(zonedOverlaps === undefined ? [] : [zonedOverlaps]),
  ...overlapsOf('time', natural, (moment, length) => sums.timePlus(moment as number, length)),
  ...overlapsOf('timestamp', natural, (moment, length) =>
    sums.timestampPlus(moment as bigint, length),
  ),
  ...overlapsOfInstants(),
];
