/** Operators and functions of dates, times and intervals. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { dayNumber, daysInMonth, microsPerDayBig, unixDayOf2000 } from '../types/calendar.js';
import * as type from '../types/datetime-type.js';
import type { FunctionContext, Numeric, TimeZone } from '../types/index.js';
import { findTimeZone, typeNamed } from '../types/index.js';
import type { Interval } from '../types/interval.js';
import { compareBigints } from '../types/integer.js';
import { addIntervals, makeInterval, negateInterval } from '../types/interval.js';
import { numberOf } from '../types/numeric.js';
import { abbreviatedOffset, fixedZone } from '../types/zone.js';
import { comparisons, ordered, type Six } from './comparison.js';
import * as sums from './datetime-arithmetic.js';
import * as fields from './datetime-fields.js';
import type { Definition, DefinitionOptions } from './definition.js';
import { define } from './definition.js';

const stable: DefinitionOptions = { volatility: 'stable', usesContext: true };

function byType(name: 'date' | 'time' | 'timestamp' | 'timestamptz' | 'interval'): Definition[] {
  const { compare } = typeNamed(name);
  return comparisons(name, name, ordered(must(compare, `${name} has no order`)));
}

/** Dates compare with timestamps as their midnight, also where timestamps do not reach. */
function midnight(days: number): bigint {
  if (days === Number.POSITIVE_INFINITY) return type.timestampInfinity;
  if (days === Number.NEGATIVE_INFINITY) return type.timestampNegativeInfinity;
  return BigInt(days) * microsPerDayBig;
}

type Mixed = number | bigint;
type Order = (context: FunctionContext, a: Mixed, b: Mixed) => number;

function orderedInContext(order: Order): Six {
  return {
    '=': (context: FunctionContext, a: Mixed, b: Mixed) => order(context, a, b) === 0,
    '<>': (context: FunctionContext, a: Mixed, b: Mixed) => order(context, a, b) !== 0,
    '<': (context: FunctionContext, a: Mixed, b: Mixed) => order(context, a, b) < 0,
    '<=': (context: FunctionContext, a: Mixed, b: Mixed) => order(context, a, b) <= 0,
    '>': (context: FunctionContext, a: Mixed, b: Mixed) => order(context, a, b) > 0,
    '>=': (context: FunctionContext, a: Mixed, b: Mixed) => order(context, a, b) >= 0,
  };
}

function localTimestamp(value: Mixed): bigint {
  return typeof value === 'number' ? midnight(value) : value;
}

/** The instant of a date or local timestamp, also where timestamps do not reach. */
function instant(context: FunctionContext, value: Mixed): bigint {
  const local = localTimestamp(value);
  if (type.isInfiniteTimestamp(local)) return local;
  return local - BigInt(context.timeZone.offsetOfLocal(local)) * 1_000_000n;
}

function mixedComparisons(): Definition[] {
  const local = orderedInContext((_, a, b) => compareBigints(localTimestamp(a), localTimestamp(b)));
  const left = orderedInContext((context, a, b) =>
    compareBigints(instant(context, a), b as bigint),
  );
  const right = orderedInContext((context, a, b) =>
    compareBigints(a as bigint, instant(context, b)),
  );
  const inContext: DefinitionOptions = { usesContext: true };
  return [
    ...comparisons('date', 'timestamp', local, inContext),
    ...comparisons('timestamp', 'date', local, inContext),
    ...comparisons('date', 'timestamptz', left, stable),
    ...comparisons('timestamptz', 'date', right, stable),
    ...comparisons('timestamp', 'timestamptz', left, stable),
    ...comparisons('timestamptz', 'timestamp', right, stable),
  ];
}

/** AT TIME ZONE takes abbreviations first, and bare numbers as POSIX does: hours west. */
export function zoneNamed(name: string): TimeZone {
  const offset = abbreviatedOffset(name.toLowerCase());
  if (offset !== undefined) return fixedZone(name, offset);
  const number = /^([+-]?)([0-9].*)$/.exec(name);
  const posix = number === null ? name : `${number[1] === '-' ? '+' : '-'}${number[2]}`;
  const zone = findTimeZone(posix);
  if (zone === undefined) {
    raise('invalid_parameter_value', `time zone "${name}" not recognized`);
  }
  return zone;
}

/** An interval as an offset east of UTC. */
function zoneOfInterval(interval: Interval): TimeZone {
  if (interval.months !== 0 || interval.days !== 0) {
    const shown = typeNamed('interval').print(interval, {} as FunctionContext);
    raise(
      'invalid_parameter_value',
      `interval time zone "${shown}" must not include months or days`,
    );
  }
  return fixedZone('', Number(interval.micros / 1_000_000n));
}

const timestampName = 'timestamp without time zone';
const timestamptzName = 'timestamp with time zone';

function fieldNamed(word: string, typeName: string): fields.DateField {
  return fields.dateField(word) ?? fields.notRecognized(word.toLowerCase(), typeName);
}

function extractTimestamp(word: string, micros: bigint): Numeric | null {
  const field = fieldNamed(word, timestampName);
  if (type.isInfiniteTimestamp(micros)) return fields.infiniteField(field, micros > 0n);
  return (
    fields.timestampField(field, micros) ?? fields.notSupported(word.toLowerCase(), timestampName)
  );
}

function extractTimestamptz(
  { timeZone }: FunctionContext,
  word: string,
  micros: bigint,
): Numeric | null {
  const field = fieldNamed(word, timestamptzName);
  if (type.isInfiniteTimestamp(micros)) return fields.infiniteField(field, micros > 0n);
  if (field === 'epoch') return fields.timestampField(field, micros) ?? null;
  const offset = timeZone.offsetAt(micros);
  return (
    fields.timestampField(field, type.localOf(micros, timeZone)) ?? zoneField(field, offset) ?? null
  );
}

function zoneField(field: fields.DateField, offset: number): Numeric | undefined {
  const hours = Math.trunc(offset / 3600);
  if (field === 'timezone') return whole(offset);
  if (field === 'timezone_hour') return whole(hours);
  return field === 'timezone_minute' ? whole(Math.trunc((offset - hours * 3600) / 60)) : undefined;
}

function whole(value: number): Numeric {
  return fields.numericOf(value);
}

function extractDate(word: string, days: number): Numeric | null {
  const field = fieldNamed(word, 'date');
  const isDateField =
    !['microsecond', 'millisecond', 'second', 'minute', 'hour'].includes(field) &&
    !field.startsWith('timezone');
  if (!isDateField) fields.notSupported(word.toLowerCase(), 'date');
  if (!Number.isFinite(days)) return fields.infiniteField(field, days > 0);
  if (field === 'epoch') return whole((days + unixDayOf2000) * 86_400);
  return fields.timestampField(field, midnight(days)) ?? null;
}

function extractTime(word: string, time: number): Numeric {
  const name = 'time without time zone';
  const field = fieldNamed(word, name);
  if (field === 'epoch') return fields.secondsOf(BigInt(time));
  return fields.timeField(field, time) ?? fields.notSupported(word.toLowerCase(), name);
}

function extractInterval(word: string, interval: Interval): Numeric {
  const field = fieldNamed(word, 'interval');
  return (
    fields.intervalField(field, interval) ?? fields.notSupported(word.toLowerCase(), 'interval')
  );
}

/** date_part() is extract() as a float8. */
function asFloat<A extends unknown[]>(
  extract: (...args: A) => Numeric | null,
): (...args: A) => number | null {
  return (...args) => {
    const result = extract(...args);
    return result === null ? null : numberOf(result);
  };
}

function truncateTimestamp(word: string, micros: bigint): bigint {
  const field = fieldNamed(word, timestampName);
  return (
    fields.truncateTimestamp(field, micros) ??
    fields.notRecognized(word.toLowerCase(), timestampName)
  );
}

/** Days and longer begin at the local midnight; shorter units keep the offset of the instant. */
function truncateInZone(word: string, micros: bigint, zone: TimeZone): bigint {
  const field = fieldNamed(word, timestamptzName);
  if (type.isInfiniteTimestamp(micros)) return micros;
  const local = fields.truncateTimestamp(field, type.localOf(micros, zone));
  if (local === undefined) fields.notRecognized(word.toLowerCase(), timestamptzName);
  const keepsOffset = ['microsecond', 'millisecond', 'second', 'minute', 'hour'].includes(field);
  if (!keepsOffset) return type.instantOf(local, zone);
  return local - BigInt(zone.offsetAt(micros)) * 1_000_000n;
}

function truncateInterval(word: string, interval: Interval): Interval {
  const field = fieldNamed(word, 'interval');
  return (
    fields.truncateInterval(field, interval) ?? fields.notSupported(word.toLowerCase(), 'interval')
  );
}

function makeDate(year: number, month: number, day: number): number {
  const calendarYear = year < 0 ? year + 1 : year;
  const valid =
    year !== 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(calendarYear, month);
  if (!valid) {
    const shown = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
    raise('datetime_field_overflow', `date field value out of range: ${shown}`);
  }
  return type.checkedDate(dayNumber(calendarYear, month, day));
}

function makeTime(hour: number, minute: number, second: number): number {
  const micros = Math.round(second * 1e6);
  const time = (hour * 60 + minute) * 60 * 1e6 + micros;
  const valid =
    hour >= 0 &&
    minute >= 0 &&
    minute <= 59 &&
    second >= 0 &&
    second <= 60 &&
    time <= 86_400_000_000;
  if (!valid) {
    const seconds = Number.isInteger(second) ? String(second).padStart(2, '0') : second;
    const shown = `${hour}:${String(minute).padStart(2, '0')}:${seconds}`;
    raise('datetime_field_overflow', `time field value out of range: ${shown}`);
  }
  return time;
}

function makeTimestamp(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): bigint {
  return sums.datePlusTime(makeDate(year, month, day), makeTime(hour, minute, second));
}

/** Seconds since 1970. */
function toTimestamp(seconds: number): bigint {
  if (Number.isNaN(seconds)) raise('datetime_field_overflow', 'timestamp cannot be NaN');
  if (!Number.isFinite(seconds)) {
    return seconds > 0 ? type.timestampInfinity : type.timestampNegativeInfinity;
  }
  const since2000 = seconds - unixDayOf2000 * 86_400;
  if (Math.abs(since2000) > 1e13) {
    raise('datetime_field_overflow', `timestamp out of range: "${seconds}"`);
  }
  return type.checkedTimestamp(BigInt(Math.round(since2000 * 1e6)));
}

/** 24 hours become a day; the parts get one sign. */
function justifyHours({ months, days, micros }: Interval): Interval {
  let allDays = days + Number(micros / microsPerDayBig);
  let rest = micros % microsPerDayBig;
  if (allDays > 0 && rest < 0n) {
    rest += microsPerDayBig;
    allDays -= 1;
  } else if (allDays < 0 && rest > 0n) {
    rest -= microsPerDayBig;
    allDays += 1;
  }
  return makeInterval(months, allDays, rest);
}

/** 30 days become a month; the parts get one sign. */
function justifyDays({ months, days, micros }: Interval): Interval {
  let allMonths = months + Math.trunc(days / 30);
  let rest = days % 30;
  if (allMonths > 0 && rest < 0) {
    rest += 30;
    allMonths -= 1;
  } else if (allMonths < 0 && rest > 0) {
    rest -= 30;
    allMonths += 1;
  }
  return makeInterval(allMonths, rest + 0, micros);
}

/** Gives months, days and time one sign, where justifying each alone left them apart. */
function justifySigns({ months, days, micros }: Interval): Interval {
  let [allMonths, allDays, rest] = [months, days, micros];
  if (allMonths > 0 && (allDays < 0 || (allDays === 0 && rest < 0n))) {
    allDays += 30;
    allMonths -= 1;
  } else if (allMonths < 0 && (allDays > 0 || (allDays === 0 && rest > 0n))) {
    allDays -= 30;
    allMonths += 1;
  }
  if (allDays > 0 && rest < 0n) {
    rest += microsPerDayBig;
    allDays -= 1;
  } else if (allDays < 0 && rest > 0n) {
    rest -= microsPerDayBig;
    allDays += 1;
  }
  return makeInterval(allMonths, allDays, rest);
}

const arithmetic: readonly Definition[] = [
  define('date + int4: date', sums.datePlus, { commutator: '+' }),
  define('int4 + date: date', (a: number, b: number) => sums.datePlus(b, a), { commutator: '+' }),
  define('date - int4: date', (a: number, b: number) => sums.datePlus(a, -b)),
  define('date - date: int4', sums.dateDifference),
  define('date + time: timestamp', sums.datePlusTime, { commutator: '+' }),
  define('time + date: timestamp', (a: number, b: number) => sums.datePlusTime(b, a), {
    commutator: '+',
  }),
  define('date + interval: timestamp', (a: number, b: Interval) =>
    sums.timestampPlus(sums.timestampOfDate(a), b),
  ),
  define('interval + date: timestamp', (a: Interval, b: number) =>
    sums.timestampPlus(sums.timestampOfDate(b), a),
  ),
  define('date - interval: timestamp', (a: number, b: Interval) =>
    sums.timestampMinus(sums.timestampOfDate(a), b),
  ),
  define('timestamp + interval: timestamp', sums.timestampPlus, { commutator: '+' }),
  define('interval + timestamp: timestamp', (a: Interval, b: bigint) => sums.timestampPlus(b, a), {
    commutator: '+',
  }),
  define('timestamp - interval: timestamp', sums.timestampMinus),
  define('timestamp - timestamp: interval', sums.timestampDifference),
  define('timestamptz + interval: timestamptz', sums.timestamptzPlus, stable),
  define(
    'interval + timestamptz: timestamptz',
    (context: FunctionContext, a: Interval, b: bigint) => sums.timestamptzPlus(context, b, a),
    stable,
  ),
  define('timestamptz - interval: timestamptz', sums.timestamptzMinus, stable),
  define('timestamptz - timestamptz: interval', sums.timestampDifference),
  define('time + interval: time', sums.timePlus, { commutator: '+' }),
  define('interval + time: time', (a: Interval, b: number) => sums.timePlus(b, a), {
    commutator: '+',
  }),
  define('time - interval: time', (a: number, b: Interval) => sums.timePlus(a, negateInterval(b))),
  define('time - time: interval', (a: number, b: number) => makeInterval(0, 0, BigInt(a - b))),
  define('interval + interval: interval', addIntervals, { commutator: '+' }),
  define('interval - interval: interval', (a: Interval, b: Interval) =>
    addIntervals(a, negateInterval(b)),
  ),
  define('- interval: interval', negateInterval),
  define('interval * float8: interval', sums.intervalTimes, { commutator: '*' }),
  define('float8 * interval: interval', (a: number, b: Interval) => sums.intervalTimes(b, a), {
    commutator: '*',
  }),
  define('interval / float8: interval', sums.intervalDividedBy),
];

const parts: readonly Definition[] = [
  define('extract(text, timestamp): numeric', extractTimestamp),
  define('extract(text, timestamptz): numeric', extractTimestamptz, stable),
  define('extract(text, date): numeric', extractDate),
  define('extract(text, time): numeric', extractTime),
  define('extract(text, interval): numeric', extractInterval),
  define('date_part(text, timestamp): float8', asFloat(extractTimestamp)),
  define('date_part(text, timestamptz): float8', asFloat(extractTimestamptz), stable),
  define(
    'date_part(text, date): float8',
    asFloat((word: string, days: number) => extractTimestamp(word, midnight(days))),
  ),
  define('date_part(text, time): float8', asFloat(extractTime)),
  define('date_part(text, interval): float8', asFloat(extractInterval)),
  define('date_trunc(text, timestamp): timestamp', truncateTimestamp),
  define(
    'date_trunc(text, timestamptz): timestamptz',
    ({ timeZone }: FunctionContext, word: string, micros: bigint) =>
      truncateInZone(word, micros, timeZone),
    stable,
  ),
  define(
    'date_trunc(text, timestamptz, text): timestamptz',
    (word: string, micros: bigint, zone: string) => truncateInZone(word, micros, zoneNamed(zone)),
  ),
  define('date_trunc(text, interval): interval', truncateInterval),
  define('age(timestamp, timestamp): interval', sums.age),
  define(
    'age(timestamptz, timestamptz): interval',
    ({ timeZone }: FunctionContext, a: bigint, b: bigint) =>
      sums.age(type.localOf(a, timeZone), type.localOf(b, timeZone)),
    stable,
  ),
  define(
    'age(timestamp): interval',
    (context: FunctionContext, a: bigint) => sums.age(midnight(type.today(context)), a),
    stable,
  ),
  define(
    'age(timestamptz): interval',
    (context: FunctionContext, a: bigint) =>
      sums.age(midnight(type.today(context)), type.localOf(a, context.timeZone)),
    stable,
  ),
];

const others: readonly Definition[] = [
  define('make_date(int4, int4, int4): date', makeDate),
  define('make_time(int4, int4, float8): time', makeTime),
  define('make_timestamp(int4, int4, int4, int4, int4, float8): timestamp', makeTimestamp),
  define(
    'make_timestamptz(int4, int4, int4, int4, int4, float8): timestamptz',
    (context: FunctionContext, ...args: Parameters<typeof makeTimestamp>) =>
      type.instantOf(makeTimestamp(...args), context.timeZone),
    stable,
  ),
  define('to_timestamp(float8): timestamptz', toTimestamp),
  define('timezone(text, timestamp): timestamptz', (zone: string, micros: bigint) =>
    type.instantOf(micros, zoneNamed(zone)),
  ),
  define('timezone(text, timestamptz): timestamp', (zone: string, micros: bigint) =>
    type.localOf(micros, zoneNamed(zone)),
  ),
  define('timezone(interval, timestamp): timestamptz', (zone: Interval, micros: bigint) =>
    type.instantOf(micros, zoneOfInterval(zone)),
  ),
  define('timezone(interval, timestamptz): timestamp', (zone: Interval, micros: bigint) =>
    type.localOf(micros, zoneOfInterval(zone)),
  ),
  define('isfinite(date): bool', (days: number) => Number.isFinite(days)),
  define('isfinite(timestamp): bool', (micros: bigint) => !type.isInfiniteTimestamp(micros)),
  define('isfinite(timestamptz): bool', (micros: bigint) => !type.isInfiniteTimestamp(micros)),
  define('isfinite(interval): bool', () => true),
  define('justify_hours(interval): interval', justifyHours),
  define('justify_days(interval): interval', justifyDays),
  define('justify_interval(interval): interval', (interval: Interval) =>
    justifySigns(justifyDays(justifyHours(interval))),
  ),
  define('now(): timestamptz', (context: FunctionContext) => context.transactionTimestamp, stable),
  define(
    'transaction_timestamp(): timestamptz',
    (context: FunctionContext) => context.transactionTimestamp,
    stable,
  ),
  define(
    'statement_timestamp(): timestamptz',
    (context: FunctionContext) => context.statementTimestamp,
    stable,
  ),
  define('clock_timestamp(): timestamptz', (context: FunctionContext) => context.clockTimestamp(), {
    volatility: 'volatile',
    usesContext: true,
  }),
];

export const datetimeFunctions: readonly Definition[] = [
  ...byType('date'),
  ...byType('time'),
  ...byType('timestamp'),
  ...byType('timestamptz'),
  ...byType('interval'),
  ...mixedComparisons(),
  ...arithmetic,
  ...parts,
  ...others,
];
