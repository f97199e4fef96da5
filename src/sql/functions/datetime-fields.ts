/** extract(), date_part() and date_trunc(): the parts of dates, times and intervals. */
import { raise } from '../../base/errors.js';
import {
  calendarDay,
  dayNumber,
  dayOfWeek,
  isoWeek,
  julianDayOf2000,
  microsPerDay,
  splitTimestamp,
  unixDayOf2000,
} from '../types/calendar.js';
import { isInfiniteTimestamp } from '../types/datetime-type.js';
import type { Interval } from '../types/interval.js';
import { makeInterval } from '../types/interval.js';
import { type IntervalUnit, intervalUnit } from '../types/interval-input.js';
import { divideRounded, Numeric, powerOfTen } from '../types/numeric.js';

export type DateField =
  | IntervalUnit
  | 'quarter'
  | 'isoyear'
  | 'dow'
  | 'isodow'
  | 'doy'
  | 'epoch'
  | 'julian'
  | 'timezone'
  | 'timezone_hour'
  | 'timezone_minute';

const more: ReadonlySet<string> = new Set([
  'isoyear',
  'dow',
  'isodow',
  'doy',
  'epoch',
  'julian',
  'timezone',
  'timezone_hour',
  'timezone_minute',
]);

/** The field that a word names, in any case; undefined for none. */
export function dateField(word: string): DateField | undefined {
  const name = word.toLowerCase();
  if (more.has(name)) return name as DateField;
  if (name === 'quarter' || name === 'qtr') return 'quarter';
  if (name === 'timezone_h' || name === 'timezone_m') {
    return name === 'timezone_h' ? 'timezone_hour' : 'timezone_minute';
  }
  return intervalUnit(name);
}

export function notRecognized(word: string, type: string): never {
  raise('invalid_parameter_value', `unit "${word}" not recognized for type ${type}`);
}

export function notSupported(word: string, type: string): never {
  raise('feature_not_supported', `unit "${word}" not supported for type ${type}`);
}

/** A number of microseconds as `scale` digits after the point. */
function decimal(digits: bigint | number, scale: number): Numeric {
  return new Numeric(BigInt(digits), scale);
}

/** A whole number. */
export function numericOf(value: number): Numeric {
  return decimal(value, 0);
}

/** Microseconds as seconds with six digits. */
export function secondsOf(micros: bigint): Numeric {
  return decimal(micros, 6);
}

/** Fields of a time of day in microseconds; undefined for other fields. */
export function timeField(field: DateField, time: number): Numeric | undefined {
  switch (field) {
    case 'microsecond':
      return decimal(time % 60_000_000, 0);
    case 'millisecond':
      return decimal(time % 60_000_000, 3);
    case 'second':
      return decimal(time % 60_000_000, 6);
    case 'minute':
      return decimal(Math.floor(time / 60_000_000) % 60, 0);
    case 'hour':
      return decimal(Math.floor(time / 3_600_000_000), 0);
    default:
      return undefined;
  }
}

/** Decades, centuries and millennia; years before 1 AD count down. */
function yearField(field: DateField, year: number): number | undefined {
  switch (field) {
    case 'year':
      return year > 0 ? year : year - 1;
    case 'decade':
      return year >= 0 ? Math.floor(year / 10) : -Math.floor((8 - (year - 1)) / 10);
    case 'century':
      return year > 0 ? Math.floor((year + 99) / 100) : -Math.floor((99 - (year - 1)) / 100);
    case 'millennium':
      return year > 0 ? Math.floor((year + 999) / 1000) : -Math.floor((999 - (year - 1)) / 1000);
    default:
      return undefined;
  }
}

/** Fields of a date; undefined for other fields. */
function dayField(field: DateField, days: number): Numeric | undefined {
  const { year, month, day } = calendarDay(days);
  const value = (number: number) => decimal(number, 0);
  switch (field) {
    case 'day':
      return value(day);
    case 'month':
      return value(month);
    case 'quarter':
      return value(Math.floor((month - 1) / 3) + 1);
    case 'week':
      return value(isoWeek(days).week);
    case 'isoyear': {
      const { year: iso } = isoWeek(days);
      return value(iso > 0 ? iso : iso - 1);
    }
    case 'dow':
      return value(dayOfWeek(days));
    case 'isodow':
      return value(dayOfWeek(days) || 7);
    case 'doy':
      return value(days - dayNumber(year, 1, 1) + 1);
    default: {
      const result = yearField(field, year);
      return result === undefined ? undefined : value(result);
    }
  }
}

/** A field of a local time; undefined when timestamps have none such. */
export function timestampField(field: DateField, micros: bigint): Numeric | undefined {
  const { days, time } = splitTimestamp(micros);
  if (field === 'epoch') {
    return decimal(micros + BigInt(unixDayOf2000) * BigInt(microsPerDay), 6);
  }
  if (field === 'julian') return julianDay(days, time);
  return timeField(field, time) ?? dayField(field, days);
}

/** The Julian day with its fraction, at the scale of numeric division. */
function julianDay(days: number, time: number): Numeric {
  const whole = BigInt(days + julianDayOf2000);
  if (time === 0) return decimal(whole, 0);
  const fraction = divideRounded(BigInt(time) * powerOfTen(20), BigInt(microsPerDay));
  return decimal(whole * powerOfTen(20) + fraction, 20);
}

/** What an infinite date or timestamp gives: infinity for fields that grow, else NULL. */
export function infiniteField(field: DateField, positive: boolean): Numeric | null {
  const growing = ['year', 'decade', 'century', 'millennium', 'julian', 'isoyear', 'epoch'];
  if (!growing.includes(field)) return null;
  return positive ? Numeric.infinity : Numeric.negativeInfinity;
}

export function intervalField(field: DateField, interval: Interval): Numeric | undefined {
  const { months, days, micros } = interval;
  const whole = (number: number) => decimal(Math.trunc(number) + 0, 0);
  switch (field) {
    case 'microsecond':
      return decimal(micros % 60_000_000n, 0);
    case 'millisecond':
      return decimal(micros % 60_000_000n, 3);
    case 'second':
      return decimal(micros % 60_000_000n, 6);
    case 'minute':
      return decimal((micros / 60_000_000n) % 60n, 0);
    case 'hour':
      return decimal(micros / 3_600_000_000n, 0);
    case 'day':
      return whole(days);
    case 'week':
      return whole(days / 7);
    case 'month':
      return whole(months % 12);
    case 'quarter':
      return whole(
        months >= 0 ? Math.trunc((months % 12) / 3) + 1 : -(Math.trunc((-months % 12) / 3) + 1),
      );
    case 'year':
      return whole(months / 12);
    case 'decade':
      return whole(months / 120);
    case 'century':
      return whole(months / 1200);
    case 'millennium':
      return whole(months / 12_000);
    case 'epoch': {
      // A year counts 365.25 days.
      const years = Math.trunc(months / 12);
      const quarterDays = BigInt(years * 1461 + (months % 12) * 120) + BigInt(days) * 4n;
      return decimal(quarterDays * 21_600_000_000n + micros, 6);
    }
    default:
      return undefined;
  }
}

const timeUnits: Partial<Record<DateField, number>> = {
  microsecond: 1,
  millisecond: 1000,
  second: 1_000_000,
  minute: 60_000_000,
  hour: 3_600_000_000,
};

/** The start of the unit that a local time lies in; undefined for fields that are no units. */
export function truncateTimestamp(field: DateField, micros: bigint): bigint | undefined {
  if (isInfiniteTimestamp(micros)) return micros;
  const { days, time } = splitTimestamp(micros);
  const unit = timeUnits[field];
  const at = (day: number) => BigInt(day) * BigInt(microsPerDay);
  if (unit !== undefined) return at(days) + BigInt(time - (time % unit));
  const { year, month } = calendarDay(days);
  switch (field) {
    case 'day':
      return at(days);
    case 'week':
      return at(days - ((dayOfWeek(days) + 6) % 7));
    case 'month':
      return at(dayNumber(year, month, 1));
    case 'quarter':
      return at(dayNumber(year, month - ((month - 1) % 3), 1));
    default: {
      const first = firstYear(field, year);
      return first === undefined ? undefined : at(dayNumber(first, 1, 1));
    }
  }
}

function firstYear(field: DateField, year: number): number | undefined {
  switch (field) {
    case 'year':
      return year;
    case 'decade':
      return (yearField('decade', year) ?? 0) * 10;
    case 'century':
      return year > 0
        ? Math.floor((year + 99) / 100) * 100 - 99
        : -Math.floor((99 - (year - 1)) / 100) * 100 + 1;
    case 'millennium':
      return year > 0
        ? Math.floor((year + 999) / 1000) * 1000 - 999
        : -Math.floor((999 - (year - 1)) / 1000) * 1000 + 1;
    default:
      return undefined;
  }
}

const monthUnits: Partial<Record<DateField, number>> = {
  month: 1,
  quarter: 3,
  year: 12,
  decade: 120,
  century: 1200,
  millennium: 12_000,
};

export function truncateInterval(field: DateField, interval: Interval): Interval | undefined {
  const { months, days, micros } = interval;
  const perMonth = monthUnits[field];
  if (perMonth !== undefined) return makeInterval(months - (months % perMonth), 0, 0n);
  if (field === 'day') return makeInterval(months, days, 0n);
  const unit = timeUnits[field];
  return unit === undefined
    ? undefined
    : makeInterval(months, days, micros - (micros % BigInt(unit)));
}
