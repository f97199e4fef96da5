/** Sums, differences and casts of dates, times and intervals (timestamp.c and date.c). */
import { raise } from '../../base/errors.js';
import {
  calendarDay,
  dayNumber,
  daysInMonth,
  microsPerDay,
  microsPerDayBig,
  splitTimestamp,
} from '../types/calendar.js';
import {
  checkedDate,
  checkedTimestamp,
  instantOf,
  isInfiniteTimestamp,
  localOf,
  timestampInfinity,
  timestampNegativeInfinity,
} from '../types/datetime-type.js';
import type { FunctionContext } from '../types/index.js';
import { type Interval, makeInterval, negateInterval } from '../types/interval.js';

/** Midnight of a date; raises 22008 for dates that timestamps do not reach. */
export function timestampOfDate(days: number): bigint {
  if (days === Number.POSITIVE_INFINITY) return timestampInfinity;
  if (days === Number.NEGATIVE_INFINITY) return timestampNegativeInfinity;
  if (days >= dayNumber(294_277, 1, 1)) {
    raise('datetime_field_overflow', 'date out of range for timestamp');
  }
  return BigInt(days) * microsPerDayBig;
}

export function dateOfTimestamp(micros: bigint): number {
  if (micros === timestampInfinity) return Number.POSITIVE_INFINITY;
  if (micros === timestampNegativeInfinity) return Number.NEGATIVE_INFINITY;
  return splitTimestamp(micros).days;
}

/** NULL for infinity. */
export function timeOfTimestamp(micros: bigint): number | null {
  return isInfiniteTimestamp(micros) ? null : splitTimestamp(micros).time;
}

export function timestamptzOfDate(context: FunctionContext, days: number): bigint {
  return instantOf(timestampOfDate(days), context.timeZone);
}

export function timestamptzOfTimestamp(context: FunctionContext, micros: bigint): bigint {
  return instantOf(micros, context.timeZone);
}

export function timestampOfTimestamptz(context: FunctionContext, micros: bigint): bigint {
  return checkedTimestamp(localOf(micros, context.timeZone));
}

/** Months first, cut to the month's length, then days, by the clock. */
function addMonthsAndDays(local: bigint, { months, days }: Interval): bigint {
  const split = splitTimestamp(local);
  let day = split.days;
  if (months !== 0) {
    const date = calendarDay(day);
    const first = calendarDay(dayNumber(date.year, date.month + months, 1));
    const last = daysInMonth(first.year, first.month);
    day = dayNumber(first.year, first.month, Math.min(date.day, last));
  }
  return BigInt(day + days) * microsPerDayBig + BigInt(split.time);
}

export function timestampPlus(micros: bigint, interval: Interval): bigint {
  if (isInfiniteTimestamp(micros)) return micros;
  return checkedFinite(addMonthsAndDays(micros, interval) + interval.micros);
}

/** Days and months by the local clock, the rest by the second. */
export function timestamptzPlus(
  context: FunctionContext,
  micros: bigint,
  interval: Interval,
): bigint {
  if (isInfiniteTimestamp(micros)) return micros;
  let moved = micros;
  if (interval.months !== 0 || interval.days !== 0) {
    const local = addMonthsAndDays(localOf(micros, context.timeZone), interval);
    moved = instantOf(checkedFinite(local), context.timeZone);
  }
  return checkedFinite(moved + interval.micros);
}

function checkedFinite(micros: bigint): bigint {
  if (isInfiniteTimestamp(micros)) raise('datetime_field_overflow', 'timestamp out of range');
  return checkedTimestamp(micros);
}

export function timestampMinus(micros: bigint, interval: Interval): bigint {
  return timestampPlus(micros, negateInterval(interval));
}

export function timestamptzMinus(
  context: FunctionContext,
  micros: bigint,
  interval: Interval,
): bigint {
  return timestamptzPlus(context, micros, negateInterval(interval));
}

/** Days and a rest of the same sign. */
export function timestampDifference(a: bigint, b: bigint): Interval {
  if (isInfiniteTimestamp(a) || isInfiniteTimestamp(b)) {
    raise('datetime_field_overflow', 'cannot subtract infinite timestamps');
  }
  const micros = a - b;
  return makeInterval(0, Number(micros / microsPerDayBig), micros % microsPerDayBig);
}

export function datePlus(days: number, more: number): number {
  return checkedDate(days + more);
}

export function dateDifference(a: number, b: number): number {
  if (!Number.isFinite(a) || !Number.isFinite(b)) {
    raise('datetime_field_overflow', 'cannot subtract infinite dates');
  }
  return a - b;
}

export function datePlusTime(days: number, time: number): bigint {
  const midnight = timestampOfDate(days);
  return isInfiniteTimestamp(midnight) ? midnight : checkedTimestamp(midnight + BigInt(time));
}

/** Around the clock. */
export function timePlus(time: number, interval: Interval): number {
  return Number(
    (((BigInt(time) + interval.micros) % microsPerDayBig) + microsPerDayBig) % microsPerDayBig,
  );
}

export function timeOfInterval(interval: Interval): number {
  return timePlus(0, interval);
}

/** rint(), with ties to even. */
function nearest(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function toMicro(value: number): number {
  return nearest(value * 1e6) / 1e6;
}

/** Each part by itself; fractions of months become days, fractions of days become time. */
function scaled(interval: Interval, scale: (value: number) => number): Interval {
  const months = scale(interval.months);
  const wholeMonths = Math.trunc(months);
  const days = scale(interval.days);
  let wholeDays = Math.trunc(days);
  const monthDays = toMicro((months - wholeMonths) * 30);
  let seconds = toMicro(
    (days - wholeDays + monthDays - Math.trunc(monthDays)) * (microsPerDay / 1e6),
  );
  if (Math.abs(seconds) >= 86_400) {
    const more = Math.trunc(seconds / 86_400);
    wholeDays += more;
    seconds -= more * 86_400;
  }
  wholeDays += Math.trunc(monthDays);
  const micros = nearest(scale(Number(interval.micros)) + seconds * 1e6);
  if (!Number.isFinite(micros) || !Number.isFinite(months) || !Number.isFinite(days)) {
    raise('datetime_field_overflow', 'interval out of range');
  }
  return makeInterval(wholeMonths + 0, wholeDays + 0, BigInt(micros));
}

export function intervalTimes(interval: Interval, factor: number): Interval {
  return scaled(interval, (value) => value * factor);
}

export function intervalDividedBy(interval: Interval, divisor: number): Interval {
  if (divisor === 0) raise('division_by_zero', 'division by zero');
  return scaled(interval, (value) => value / divisor);
}

/** age(): years, months, days and time between two local times, as a calendar counts them. */
export function age(later: bigint, earlier: bigint): Interval {
  if (isInfiniteTimestamp(later) || isInfiniteTimestamp(earlier)) {
    raise('datetime_field_overflow', 'cannot subtract infinite timestamps');
  }
  if (later < earlier) return negateInterval(positiveAge(earlier, later, later));
  return positiveAge(later, earlier, earlier);
}

/** The months that are borrowed have the length of that of `lender`. */
function positiveAge(later: bigint, earlier: bigint, lender: bigint): Interval {
  const a = splitTimestamp(later);
  const b = splitTimestamp(earlier);
  const from = calendarDay(b.days);
  const to = calendarDay(a.days);
  const lending = calendarDay(splitTimestamp(lender).days);
  let time = a.time - b.time;
  let days = to.day - from.day;
  let months = to.month - from.month + (to.year - from.year) * 12;
  if (time < 0) {
    time += microsPerDay;
    days -= 1;
  }
  while (days < 0) {
    days += daysInMonth(lending.year, lending.month);
    months -= 1;
  }
  return makeInterval(months, days, BigInt(time));
}
