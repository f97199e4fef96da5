/** date, time, timestamp and timestamptz as types. */
import { raise } from '../../base/errors.js';
import type { CalendarDay } from './calendar.js';
import {
  calendarDay,
  dayNumber,
  julianDayOf2000,
  microsPerDay,
  microsPerDayBig,
  printDay,
  printTime,
  splitTimestamp,
  two,
  unixDayOf2000,
} from './calendar.js';
import type { DateTimeParts } from './datetime-input.js';
import { dateStyleOf, printDateStyled, printTimestampStyled } from './date-style.js';
import { badFormat, readDateTime } from './datetime-input.js';
import { compareBigints, compareNumbers, int64Key, int8Max, int8Min } from './integer.js';
import type { FunctionContext, KeyCodec, Type } from './type.js';
import type { Value } from './value.js';
import type { TimeZone } from './zone.js';

/** Timestamps before and after all others. */
export const timestampInfinity = int8Max;
export const timestampNegativeInfinity = int8Min;

/** 4714-11-24 BC to 294276-12-31, and for dates to 5874897-12-31. */
const timestampMin = BigInt(-julianDayOf2000) * microsPerDayBig;
const timestampEnd = BigInt(dayNumber(294_277, 1, 1)) * microsPerDayBig;
const dateMin = -julianDayOf2000;
const dateEnd = dayNumber(5_874_898, 1, 1);

export function isInfiniteTimestamp(micros: bigint): boolean {
  return micros === timestampInfinity || micros === timestampNegativeInfinity;
}

/** `micros` if it is within PostgreSQL's range or infinite; raises 22008. */
export function checkedTimestamp(micros: bigint): bigint {
  if (micros >= timestampMin && micros < timestampEnd) return micros;
  if (isInfiniteTimestamp(micros)) return micros;
  raise('datetime_field_overflow', 'timestamp out of range');
}

/** `days` if it is within PostgreSQL's range; raises 22008. */
export function checkedDate(days: number): number {
  if ((days >= dateMin && days < dateEnd) || !Number.isFinite(days)) return days;
  raise('datetime_field_overflow', 'date out of range');
}

/** Microseconds by the local clock of a zone. */
export function localOf(micros: bigint, zone: TimeZone): bigint {
  return isInfiniteTimestamp(micros) ? micros : micros + BigInt(zone.offsetAt(micros)) * 1_000_000n;
}

/** The instant of a local time. */
export function instantOf(localMicros: bigint, zone: TimeZone): bigint {
  if (isInfiniteTimestamp(localMicros)) return localMicros;
  return checkedTimestamp(localMicros - BigInt(zone.offsetOfLocal(localMicros)) * 1_000_000n);
}

/** Days of the local date at the transaction's start. */
export function today(context: FunctionContext): number {
  return splitTimestamp(localOf(context.transactionTimestamp, context.timeZone)).days;
}

const shiftOfDay = { today: 0, tomorrow: 1, yesterday: -1 } as const;

function parseDate(text: string, context: FunctionContext): number {
  const { special, days } = readDateTime(text, 'date', dateStyleOf(context).order);
  switch (special) {
    case 'infinity':
      return Number.POSITIVE_INFINITY;
    case '-infinity':
      return Number.NEGATIVE_INFINITY;
    case 'epoch':
      return -unixDayOf2000;
    case 'now':
      return today(context);
    case 'today':
    case 'tomorrow':
    case 'yesterday':
      return today(context) + shiftOfDay[special];
    case undefined:
      break;
  }
  if (days === undefined) badFormat(text, 'date');
  if (days < dateMin || days >= dateEnd) {
    raise('datetime_field_overflow', `date out of range: "${text}"`);
  }
  return days;
}

/** The local time of what was read, and its zone if it named one. */
function localParts(
  parts: DateTimeParts,
  text: string,
  name: string,
  context: FunctionContext,
): bigint {
  const { special, days, time = 0 } = parts;
  const at = (day: number) => BigInt(day) * microsPerDayBig + BigInt(time);
  switch (special) {
    case 'infinity':
      return timestampInfinity;
    case '-infinity':
      return timestampNegativeInfinity;
    case 'epoch':
      return BigInt(-unixDayOf2000) * microsPerDayBig;
    case 'now':
      return localOf(context.transactionTimestamp, context.timeZone);
    case 'today':
    case 'tomorrow':
    case 'yesterday':
      return at(today(context) + shiftOfDay[special]);
    case undefined:
      break;
  }
  return days === undefined ? badFormat(text, name) : at(days);
}

function inRange(micros: bigint, text: string): bigint {
  if ((micros >= timestampMin && micros < timestampEnd) || isInfiniteTimestamp(micros)) {
    return micros;
  }
  raise('datetime_field_overflow', `timestamp out of range: "${text}"`);
}

function parseTimestamp(text: string, context: FunctionContext): bigint {
  const parts = readDateTime(text, 'timestamp', dateStyleOf(context).order);
  return inRange(localParts(parts, text, 'timestamp', context), text);
}

function parseTimestamptz(text: string, context: FunctionContext): bigint {
  const name = 'timestamp with time zone';
  const parts = readDateTime(text, name, dateStyleOf(context).order);
  const local = localParts(parts, text, name, context);
  if (isInfiniteTimestamp(local)) return local;
  if (parts.special === 'epoch') return local;
  const { zone = context.timeZone } = parts;
  const offset = typeof zone === 'number' ? zone : zone.offsetOfLocal(local);
  return inRange(local - BigInt(offset) * 1_000_000n, text);
}

function parseTime(text: string, context: FunctionContext): number {
  const { special, time } = readDateTime(text, 'time', dateStyleOf(context).order);
  if (special === 'now') {
    return splitTimestamp(localOf(context.transactionTimestamp, context.timeZone)).time;
  }
  if (special !== undefined || time === undefined) badFormat(text, 'time');
  return time;
}

function eraOf({ year }: CalendarDay): string {
  return year > 0 ? '' : ' BC';
}

export function printDate(days: number): string {
  if (!Number.isFinite(days)) return days > 0 ? 'infinity' : '-infinity';
  const day = calendarDay(days);
  return printDay(day) + eraOf(day);
}

/** With `separator` between date and time, as JSON has `T`. */
export function printTimestamp(micros: bigint, separator = ' ', offset = ''): string {
  if (micros === timestampInfinity) return 'infinity';
  if (micros === timestampNegativeInfinity) return '-infinity';
  const { days, time } = splitTimestamp(micros);
  const day = calendarDay(days);
  return printDay(day) + separator + printTime(time) + offset + eraOf(day);
}

/** `+02`, `-03:30` or `+00:19:32`. */
export function printOffset(offset: number): string {
  const magnitude = Math.abs(offset);
  const minutes = Math.floor(magnitude / 60) % 60;
  const seconds = magnitude % 60;
  const more =
    seconds !== 0 ? `:${two(minutes)}:${two(seconds)}` : minutes ? `:${two(minutes)}` : '';
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(magnitude / 3600))}${more}`;
}

export function printTimestamptz(micros: bigint, zone: TimeZone, separator = ' '): string {
  if (isInfiniteTimestamp(micros)) return printTimestamp(micros);
  const offset = zone.offsetAt(micros);
  return printTimestamp(micros + BigInt(offset) * 1_000_000n, separator, printOffset(offset));
}

/** A timestamp in the session's style. */
function printStyled(micros: bigint, context: FunctionContext, zoned: boolean): string {
  const style = dateStyleOf(context);
  const { timeZone } = context;
  if (style.format === 'ISO' || isInfiniteTimestamp(micros)) {
    return zoned ? printTimestamptz(micros, timeZone) : printTimestamp(micros);
  }
  const offset = zoned ? timeZone.offsetAt(micros) : 0;
  const { days, time } = splitTimestamp(micros + BigInt(offset) * 1_000_000n);
  const zone = zoned ? (timeZone.abbreviationAt(micros) ?? printOffset(offset)) : undefined;
  return printTimestampStyled(days, time, style, zone);
}

/** Rounds microseconds to a number of digits, half away from zero. */
export function roundMicros(micros: bigint, precision: number): bigint {
  if (precision < 0 || precision >= 6 || isInfiniteTimestamp(micros)) return micros;
  const unit = 10n ** BigInt(6 - precision);
  return micros >= 0n
    ? ((micros + unit / 2n) / unit) * unit
    : -(((-micros + unit / 2n) / unit) * unit);
}

export function precisionOf(sqlName: string): (numbers: readonly number[]) => number {
  const [first, ...rest] = sqlName.split(' ');
  return (numbers) => {
    const [precision] = numbers;
    if (precision === undefined || numbers.length !== 1) {
      raise('invalid_parameter_value', 'invalid type modifier');
    }
    if (precision < 0) {
      const shown = `${first?.toUpperCase()}(${precision})${rest[0] === 'with' ? ' WITH TIME ZONE' : ''}`;
      raise('invalid_parameter_value', `${shown} precision must not be negative`);
    }
    return Math.min(precision, 6);
  };
}

const common = { category: 'D', textDependsOnContext: true } as const;
const plain = { modifierOf: undefined, printModifier: undefined } as const;

const dateKey: KeyCodec = {
  lossless: true,
  encode: (writer, value) => {
    const days = value as number;
    const finite = Math.max(-0x8000_0000, Math.min(days, 0x7fff_ffff));
    writer.uint32(finite + 0x8000_0000);
  },
  decode: (reader) => {
    const days = reader.uint32() - 0x8000_0000;
    if (days === 0x7fff_ffff) return Number.POSITIVE_INFINITY;
    return days === -0x8000_0000 ? Number.NEGATIVE_INFINITY : days;
  },
};

const date: Type = {
  ...common,
  ...plain,
  name: 'date',
  oid: 1082,
  arrayOid: 1182,
  sqlName: 'date',
  length: 4,
  preferred: false,
  parse: (text, _modifier, context) => parseDate(text, context),
  print: (value, context) => {
    const style = dateStyleOf(context);
    const days = value as number;
    if (style.format === 'ISO' || !Number.isFinite(days)) return printDate(days);
    return printDateStyled(days, style);
  },
  // Infinity minus itself is NaN.
  compare: (a, b) => (a === b ? 0 : (a as number) - (b as number)),
  equals: (a, b) => a === b,
  hashKey: (value) => value as number,
  sizeOf: () => 8,
  key: dateKey,
  encode: dateKey.encode,
  decode: dateKey.decode,
};

const time: Type = {
  ...common,
  name: 'time',
  oid: 1083,
  arrayOid: 1183,
  sqlName: 'time without time zone',
  length: 8,
  preferred: false,
  modifierOf: precisionOf('time'),
  printModifier: (modifier) => `(${modifier})`,
  parse: (text, modifier, context) => fitTime(parseTime(text, context), modifier),
  print: (value) => printTime(value as number),
  compare: compareNumbers,
  equals: (a, b) => a === b,
  hashKey: (value) => value as number,
  sizeOf: () => 16,
  key: {
    lossless: true,
    encode: (writer, value) => {
      writer.uint53(value as number);
    },
    decode: (reader) => reader.uint53(),
  },
  encode: (writer, value) => {
    writer.varint(value as number);
  },
  decode: (reader) => reader.varint(),
};

/** A time of day at a precision; rounding may reach 24:00:00. */
export function fitTime(value: number, precision: number): number {
  return Math.min(Number(roundMicros(BigInt(value), precision)), microsPerDay);
}

function timestampType(zoned: boolean): Type {
  const sqlName = zoned ? 'timestamp with time zone' : 'timestamp without time zone';
  return {
    ...common,
    name: zoned ? 'timestamptz' : 'timestamp',
    oid: zoned ? 1184 : 1114,
    arrayOid: zoned ? 1185 : 1115,
    sqlName,
    length: 8,
    preferred: zoned,
    modifierOf: precisionOf(sqlName),
    printModifier: (modifier) => `(${modifier})`,
    parse: (text, modifier, context) =>
      roundMicros((zoned ? parseTimestamptz : parseTimestamp)(text, context), modifier),
    print: (value, context) => printStyled(value as bigint, context, zoned),
    compare: (a, b) => compareBigints(a as bigint, b as bigint),
    equals: (a, b) => a === b,
    hashKey: (value: Value) => value as bigint,
    sizeOf: () => 24,
    key: int64Key,
    encode: (writer, value) => {
      writer.int64(value as bigint);
    },
    decode: (reader) => reader.int64(),
  };
}

export const datetimeTypes: readonly Type[] = [
  date,
  time,
  timestampType(false),
  timestampType(true),
];
