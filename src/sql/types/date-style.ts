/** DateStyle and IntervalStyle: how dates, timestamps and intervals are printed and read. */
import {
  type CalendarDay,
  calendarDay,
  dayOfWeek,
  printFraction,
  printTime,
  two,
} from './calendar.js';
import type { Interval } from './interval.js';
import type { FunctionContext } from './type.js';

/** What a date of bare numbers means: `1/2/2003`. */
export type DateOrder = 'MDY' | 'DMY' | 'YMD';

export interface DateStyle {
  readonly format: 'ISO' | 'SQL' | 'Postgres' | 'German';
  readonly order: DateOrder;
}

const isoStyle: DateStyle = { format: 'ISO', order: 'MDY' };
const styles = new Map<string, DateStyle>([['ISO, MDY', isoStyle]]);

const formats: readonly (readonly [RegExp, DateStyle['format']])[] = [
  [/^iso$/, 'ISO'],
  [/^sql$/, 'SQL'],
  [/^postgres/, 'Postgres'],
  [/^german$/, 'German'],
];

const orders: readonly (readonly [RegExp, DateOrder])[] = [
  [/^ymd$/, 'YMD'],
  [/^(dmy|euro.*)$/, 'DMY'],
  [/^(mdy|us|noneuro.*)$/, 'MDY'],
];

/** A value of the setting in its canonical form, such as `ISO, MDY`; undefined for a wrong one. */
export function readDateStyle(text: string, current: string): string | undefined {
  const before = styleNamed(current);
  let format: DateStyle['format'] | undefined;
  let order: DateOrder | undefined;
  for (const word of text.toLowerCase().split(/[\s,]+/)) {
    if (word === '') continue;
    const newFormat = formats.find(([pattern]) => pattern.test(word))?.[1];
    const newOrder = orders.find(([pattern]) => pattern.test(word))?.[1];
    if (word === 'default') {
      format ??= 'ISO';
      order ??= 'MDY';
    } else if (newFormat !== undefined) {
      if (format !== undefined && format !== newFormat) return undefined;
      format = newFormat;
    } else if (newOrder !== undefined) {
      if (order !== undefined && order !== newOrder) return undefined;
      order = newOrder;
    } else return undefined;
  }
  const shown = format ?? before.format;
  return `${shown}, ${order ?? (format === 'German' ? 'DMY' : before.order)}`;
}

function styleNamed(name: string): DateStyle {
  const known = styles.get(name);
  if (known !== undefined) return known;
  const [format = 'ISO', order = 'MDY'] = name.split(', ');
  const made = { format, order } as DateStyle;
  styles.set(name, made);
  return made;
}

/** The session's DateStyle. */
export function dateStyleOf(context: FunctionContext): DateStyle {
  const name = context.setting('datestyle');
  return name === undefined ? isoStyle : styleNamed(name);
}

function era({ year }: CalendarDay): string {
  return year > 0 ? '' : ' BC';
}

function shownYear({ year }: CalendarDay): string {
  return String(year > 0 ? year : 1 - year).padStart(4, '0');
}

/** The day in a style other than ISO, without its era. */
function numbers(date: CalendarDay, { format, order }: DateStyle): string {
  const [day, month, year] = [two(date.day), two(date.month), shownYear(date)];
  if (format === 'German') return `${day}.${month}.${year}`;
  const separator = format === 'SQL' ? '/' : '-';
  return [...(order === 'DMY' ? [day, month] : [month, day]), year].join(separator);
}

/** A date in a style other than ISO. */
export function printDateStyled(days: number, style: DateStyle): string {
  const date = calendarDay(days);
  return numbers(date, style) + era(date);
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A timestamp in a style other than ISO; `zone` is what stands behind it, `PST` or `+02`. */
export function printTimestampStyled(
  days: number,
  time: number,
  style: DateStyle,
  zone: string | undefined,
): string {
  const date = calendarDay(days);
  const clock = printTime(time);
  const suffix = zone === undefined ? '' : /^[A-Z]/.test(zone) ? ` ${zone}` : zone;
  if (style.format !== 'Postgres') return `${numbers(date, style)} ${clock}${suffix}${era(date)}`;
  const month = months[date.month - 1] ?? '';
  const day = style.order === 'DMY' ? `${two(date.day)} ${month}` : `${month} ${two(date.day)}`;
  const spaced = zone === undefined ? '' : ` ${zone}`;
  return `${weekdays[dayOfWeek(days)]} ${day} ${clock} ${shownYear(date)}${spaced}${era(date)}`;
}

/** An interval in a style other than `postgres`. */
export function printIntervalStyled(value: Interval, style: string): string {
  const parts = partsOf(value);
  switch (style) {
    case 'postgres_verbose':
      return verbose(parts);
    case 'iso_8601':
      return iso(parts);
    default:
      return standard(parts);
  }
}

interface IntervalParts {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: bigint;
  readonly minutes: bigint;
  /** With its fraction in microseconds; all parts of the time have one sign. */
  readonly seconds: bigint;
  readonly micros: bigint;
}

function partsOf({ months: all, days, micros }: Interval): IntervalParts {
  return {
    years: Math.trunc(all / 12),
    months: all % 12,
    days,
    hours: micros / 3_600_000_000n,
    minutes: (micros / 60_000_000n) % 60n,
    seconds: (micros / 1_000_000n) % 60n,
    micros: micros % 1_000_000n,
  };
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** Seconds with their fraction and without their sign. */
function secondsText({ seconds, micros }: IntervalParts, width: number): string {
  const whole = String(magnitude(seconds)).padStart(width, '0');
  return whole + printFraction(Number(magnitude(micros)));
}

function verbose(parts: IntervalParts): string {
  let text = '@';
  let isFirst = true;
  let isBefore = false;
  const add = (value: bigint, unit: string) => {
    if (value === 0n) return;
    if (isFirst) isBefore = value < 0n;
    const shown = isFirst ? magnitude(value) : isBefore ? -value : value;
    isFirst = false;
    text += ` ${shown} ${unit}${shown === 1n ? '' : 's'}`;
  };
  add(BigInt(parts.years), 'year');
  add(BigInt(parts.months), 'mon');
  add(BigInt(parts.days), 'day');
  add(parts.hours, 'hour');
  add(parts.minutes, 'min');
  const { seconds, micros } = parts;
  if (seconds !== 0n || micros !== 0n) {
    const isNegative = seconds < 0n || micros < 0n;
    if (isFirst) isBefore = isNegative;
    const sign = isNegative !== isBefore ? '-' : '';
    const unit = magnitude(seconds) !== 1n || micros !== 0n ? 'secs' : 'sec';
    text += ` ${sign}${secondsText(parts, 1)} ${unit}`;
    isFirst = false;
  }
  if (isFirst) text += ' 0';
  return isBefore ? `${text} ago` : text;
}

function iso(parts: IntervalParts): string {
  const one = (value: number | bigint, unit: string) =>
    value === 0 || value === 0n ? '' : `${value}${unit}`;
  const { seconds, micros } = parts;
  const sign = seconds < 0n || micros < 0n ? '-' : '';
  const hasSeconds = seconds !== 0n || micros !== 0n;
  const time =
    one(parts.hours, 'H') +
    one(parts.minutes, 'M') +
    (hasSeconds ? `${sign}${secondsText(parts, 1)}S` : '');
  const day = one(parts.years, 'Y') + one(parts.months, 'M') + one(parts.days, 'D');
  if (day + time === '') return 'PT0S';
  return `P${day}${time === '' ? '' : `T${time}`}`;
}

/** SQL's standard: `1-2`, `3 4:05:06`, or all with signs where they differ. */
function standard(parts: IntervalParts): string {
  const { years, months: monthPart, days, hours, minutes, seconds, micros } = parts;
  const time = [hours, minutes, seconds, micros];
  const all = [BigInt(years), BigInt(monthPart), BigInt(days), ...time];
  const hasNegative = all.some((value) => value < 0n);
  const hasPositive = all.some((value) => value > 0n);
  if (!hasNegative && !hasPositive) return '0';
  const hasMonths = years !== 0 || monthPart !== 0;
  const hasTime = time.some((value) => value !== 0n);
  const clock = `${magnitude(hours)}:${two(Number(magnitude(minutes)))}:${secondsText(parts, 2)}`;
  const yearMonth = `${Math.abs(years)}-${Math.abs(monthPart)}`;
  if ((hasNegative && hasPositive) || (hasMonths && (days !== 0 || hasTime))) {
    const sign = (negative: boolean) => (negative ? '-' : '+');
    const timeSign = sign(time.some((value) => value < 0n));
    const daySign = sign(days < 0);
    return `${sign(years < 0 || monthPart < 0)}${yearMonth} ${daySign}${Math.abs(days)} ${timeSign}${clock}`;
  }
  const sign = hasNegative ? '-' : '';
  if (hasMonths) return sign + yearMonth;
  return days === 0 ? sign + clock : `${sign}${Math.abs(days)} ${clock}`;
}
