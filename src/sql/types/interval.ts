/** Intervals: months, days and microseconds, each with its own sign. */
import { raise } from '../../base/errors.js';
import { microsPerDayBig, printFraction, two } from './calendar.js';

const int4Max = 0x7fff_ffff;
const int4Min = -0x8000_0000;
const int8Max = 2n ** 63n - 1n;

export class Interval {
  readonly months: number;
  readonly days: number;
  readonly micros: bigint;

  constructor(months: number, days: number, micros: bigint) {
    this.months = months;
    this.days = days;
    this.micros = micros;
  }
}

/** An interval whose parts fit; raises 22008. */
export function makeInterval(months: number, days: number, micros: bigint): Interval {
  const fits =
    months <= int4Max &&
    months >= int4Min &&
    days <= int4Max &&
    days >= int4Min &&
    micros <= int8Max &&
    micros >= -int8Max - 1n;
  if (!fits) raise('datetime_field_overflow', 'interval out of range');
  return new Interval(months, days, micros);
}

/** Months of 30 days of 24 hours: what intervals are compared by. */
export function spanOf(value: Interval): bigint {
  return BigInt(value.months * 30 + value.days) * microsPerDayBig + value.micros;
}

export function compareIntervals(a: Interval, b: Interval): number {
  const x = spanOf(a);
  const y = spanOf(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function addIntervals(a: Interval, b: Interval): Interval {
  return makeInterval(a.months + b.months, a.days + b.days, a.micros + b.micros);
}

export function negateInterval(value: Interval): Interval {
  return makeInterval(0 - value.months, 0 - value.days, -value.micros);
}

/** PostgreSQL's style `postgres`: `1 year 2 mons -3 days +04:05:06.7`. */
export function printInterval(value: Interval): string {
  const parts: string[] = [];
  let negative = false;
  const add = (amount: number, unit: string) => {
    if (amount === 0) return;
    const sign = negative && amount > 0 ? '+' : '';
    parts.push(`${sign}${amount} ${unit}${amount === 1 ? '' : 's'}`);
    negative = amount < 0;
  };
  add(Math.trunc(value.months / 12), 'year');
  add(value.months % 12, 'mon');
  add(value.days, 'day');
  if (value.micros !== 0n || parts.length === 0) {
    const magnitude = value.micros < 0n ? -value.micros : value.micros;
    const seconds = magnitude / 1_000_000n;
    const hours = String(seconds / 3600n).padStart(2, '0');
    const minutes = two(Number((seconds / 60n) % 60n));
    const fraction = printFraction(Number(magnitude % 1_000_000n));
    const sign = value.micros < 0n ? '-' : negative ? '+' : '';
    parts.push(`${sign}${hours}:${minutes}:${two(Number(seconds % 60n))}${fraction}`);
  }
  return parts.join(' ');
}
