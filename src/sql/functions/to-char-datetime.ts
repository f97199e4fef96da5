/** to_char() of dates, times and intervals: the patterns of PostgreSQL's table 9.31. */
import { raise } from '../../base/errors.js';
import {
  calendarDay,
  dayNumber,
  dayOfWeek,
  isoWeek,
  julianDayOf2000,
  splitTimestamp,
} from '../types/calendar.js';
import { isInfiniteTimestamp, localOf, printOffset } from '../types/datetime-type.js';
import type { FunctionContext } from '../types/index.js';
import type { Interval } from '../types/interval.js';
import { parseTemplate, type TemplateField } from './datetime-format.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';

export const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
export const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
export const romanMonths = [
  'I',
  'II',
  'III',
  'IV',
  'V',
  'VI',
  'VII',
  'VIII',
  'IX',
  'X',
  'XI',
  'XII',
];

/** What patterns print: fields of a moment, or of an interval, which has no weekday. */
interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly micros: number;
  readonly dayNumber: number | undefined;
  /** Seconds east of UTC, and the zone's name. */
  readonly zone: { readonly offset: number; readonly name: string } | undefined;
}

/** A number with leading zeros to `width`, unless FM asked for none. */
interface Piece {
  readonly number?: number;
  readonly width?: number;
  readonly text?: string;
  /** Names are filled up with blanks to this width, unless FM asked for none. */
  readonly blanks?: number;
}

type Pattern = (parts: Parts) => Piece;

const number = (width: number, of: (parts: Parts) => number): Pattern => {
  return (parts) => ({ number: of(parts), width });
};

function weekday({ dayNumber: day }: Parts): number {
  return day === undefined ? intervalHasNone() : dayOfWeek(day);
}

function isoOf({ dayNumber: day }: Parts): { readonly year: number; readonly week: number } {
  return day === undefined ? intervalHasNone() : isoWeek(day);
}

function dayOfYear(parts: Parts): number {
  return parts.dayNumber === undefined
    ? parts.month * 30 + parts.day
    : parts.dayNumber - dayNumber(parts.year, 1, 1) + 1;
}

function intervalHasNone(): never {
  raise('invalid_datetime_format', 'invalid format specification for an interval value', {
    hint: 'Intervals are not tied to specific calendar dates.',
  });
}

/** Years before 1 AD are shown as years BC. */
function shownYear({ year, dayNumber: day }: Parts): number {
  return day === undefined || year > 0 ? year : 1 - year;
}

function century({ year }: Parts): number {
  return year > 0 ? Math.floor((year - 1) / 100) + 1 : Math.floor(year / 100) - 1;
}

function half({ hours }: Parts): number {
  return hours % 12 === 0 ? 12 : hours % 12;
}

function cased(name: string, like: string): string {
  if (like === like.toUpperCase()) return name.toUpperCase();
  return like[0] === like[0]?.toLowerCase() ? name.toLowerCase() : name;
}

function named(
  like: string,
  blanks: number,
  nameOf: (parts: Parts) => string,
): readonly [string, Pattern] {
  return [like, (parts) => ({ text: cased(nameOf(parts), like), blanks })];
}

const monthName = (parts: Parts) => months[parts.month - 1] ?? '';
const dayName = (parts: Parts) => days[weekday(parts)] ?? '';
const short = (nameOf: (parts: Parts) => string) => (parts: Parts) => nameOf(parts).slice(0, 3);
const roman = (parts: Parts) => romanMonths[parts.month - 1] ?? '';
const meridiem = (parts: Parts) => (parts.hours % 24 >= 12 ? 'PM' : 'AM');
const dotted = (parts: Parts) => (parts.hours % 24 >= 12 ? 'P.M.' : 'A.M.');
const era = (parts: Parts) => (parts.year > 0 ? 'AD' : 'BC');
const dottedEra = (parts: Parts) => (parts.year > 0 ? 'A.D.' : 'B.C.');

function zoneOf(parts: Parts): { readonly offset: number; readonly name: string } {
  return parts.zone ?? { offset: 0, name: '' };
}

function zoneName(parts: Parts): string {
  const { name, offset } = zoneOf(parts);
  if (name === '' || name === 'UTC' || name === 'GMT') return name;
  // Intl knows no abbreviations of most zones; a wrong one would be worse than none.
  return printOffset(offset);
}

const numbers: readonly (readonly [string, Pattern])[] = [
  ['HH24', number(2, ({ hours }) => hours)],
  ['HH12', number(2, half)],
  ['HH', number(2, half)],
  ['MI', number(2, ({ minutes }) => minutes)],
  ['SSSSS', number(0, ({ hours, minutes, seconds }) => (hours * 60 + minutes) * 60 + seconds)],
  ['SSSS', number(0, ({ hours, minutes, seconds }) => (hours * 60 + minutes) * 60 + seconds)],
  ['SS', number(2, ({ seconds }) => seconds)],
  ['MS', number(3, ({ micros }) => Math.floor(micros / 1000))],
  ['US', number(6, ({ micros }) => micros)],
  ...[1, 2, 3, 4, 5, 6].map(
    (digits) =>
      [
        `FF${digits}`,
        number(digits, ({ micros }) => Math.floor(micros / 10 ** (6 - digits))),
      ] as const,
  ),
  ['Y,YYY', (parts) => ({ text: commaYear(shownYear(parts)) })],
  ['YYYY', number(4, shownYear)],
  ['YYY', number(3, (parts) => shownYear(parts) % 1000)],
  ['YY', number(2, (parts) => shownYear(parts) % 100)],
  ['Y', number(1, (parts) => shownYear(parts) % 10)],
  ['IYYY', number(4, (parts) => isoOf(parts).year)],
  ['IYY', number(3, (parts) => isoOf(parts).year % 1000)],
  ['IY', number(2, (parts) => isoOf(parts).year % 100)],
  ['IDDD', number(3, (parts) => (isoOf(parts).week - 1) * 7 + (weekday(parts) || 7))],
  ['ID', number(1, (parts) => weekday(parts) || 7)],
  ['IW', number(2, (parts) => isoOf(parts).week)],
  ['I', number(1, (parts) => isoOf(parts).year % 10)],
  ['MM', number(2, ({ month }) => month)],
  ['DDD', number(3, dayOfYear)],
  ['DD', number(2, ({ day }) => day)],
  ['D', number(1, (parts) => weekday(parts) + 1)],
  ['WW', number(2, (parts) => Math.floor((dayOfYear(parts) - 1) / 7) + 1)],
  ['W', number(1, ({ day }) => Math.floor((day - 1) / 7) + 1)],
  ['CC', number(2, century)],
  ['J', number(1, (parts) => (parts.dayNumber ?? 0) + julianDayOf2000)],
  ['Q', number(1, ({ month }) => Math.floor((month - 1) / 3) + 1)],
];

function commaYear(year: number): string {
  return `${Math.floor(year / 1000)},${String(year % 1000).padStart(3, '0')}`;
}

const names: readonly (readonly [string, Pattern])[] = [
  ...['MONTH', 'Month', 'month'].map((like) => named(like, 9, monthName)),
  ...['MON', 'Mon', 'mon'].map((like) => named(like, 0, short(monthName))),
  ...['DAY', 'Day', 'day'].map((like) => named(like, 9, dayName)),
  ...['DY', 'Dy', 'dy'].map((like) => named(like, 0, short(dayName))),
  ...['RM', 'rm'].map((like) => named(like, 4, roman)),
  ...['AM', 'am', 'PM', 'pm'].map((like) => named(like, 0, meridiem)),
  ...['A.M.', 'a.m.', 'P.M.', 'p.m.'].map((like) => named(like, 0, dotted)),
  ...['AD', 'ad', 'BC', 'bc'].map((like) => named(like, 0, era)),
  ...['A.D.', 'a.d.', 'B.C.', 'b.c.'].map((like) => named(like, 0, dottedEra)),
  ...['TZH', 'tzh'].map(
    (name) =>
      [name, (parts: Parts) => ({ text: printOffset(zoneOf(parts).offset).slice(0, 3) })] as const,
  ),
  ['TZM', number(2, (parts) => Math.floor(Math.abs(zoneOf(parts).offset) / 60) % 60)],
  ['TZ', (parts) => ({ text: zoneName(parts) })],
  ['tz', (parts) => ({ text: zoneName(parts).toLowerCase() })],
  ['OF', (parts) => ({ text: printOffset(zoneOf(parts).offset) })],
];

const patterns = new Map<string, Pattern>([
  ...numbers,
  ...numbers.map(([name, pattern]) => [name.toLowerCase(), pattern] as const),
  ...names,
]);
function printPiece(piece: Piece, { unfilled, ordinal }: TemplateField): string {
  const fill = !unfilled;
  if (piece.text !== undefined) return fill ? piece.text.padEnd(piece.blanks ?? 0) : piece.text;
  const value = piece.number ?? 0;
  const digits = String(Math.abs(value));
  const sign = value < 0 ? '-' : '';
  const padded = sign + (fill ? digits.padStart(piece.width ?? 0, '0') : digits);
  if (ordinal === undefined) return padded;
  const suffix = ordinalSuffix(Math.abs(value));
  return padded + (ordinal === 'TH' ? suffix.toUpperCase() : suffix);
}

function ordinalSuffix(value: number): string {
  if (Math.floor(value / 10) % 10 === 1) return 'th';
  return ['th', 'st', 'nd', 'rd'][value % 10] ?? 'th';
}

function print(parts: Parts, format: string): string {
  let result = '';
  for (const part of parseTemplate(format)) {
    if (part.kind !== 'field') result += part.text;
    else {
      const pattern = patterns.get(part.name);
      if (pattern !== undefined) result += printPiece(pattern(parts), part);
    }
  }
  return result;
}

function clock(time: number) {
  return {
    hours: Math.floor(time / 3_600_000_000),
    minutes: Math.floor(time / 60_000_000) % 60,
    seconds: Math.floor(time / 1_000_000) % 60,
    micros: time % 1_000_000,
  };
}

function timestampToChar(micros: bigint, format: string): string | null {
  if (isInfiniteTimestamp(micros)) return null;
  const { days: day, time } = splitTimestamp(micros);
  return print({ ...calendarDay(day), ...clock(time), dayNumber: day, zone: undefined }, format);
}

function timestamptzToChar(
  { timeZone }: FunctionContext,
  micros: bigint,
  format: string,
): string | null {
  if (isInfiniteTimestamp(micros)) return null;
  const { days: day, time } = splitTimestamp(localOf(micros, timeZone));
  const zone = { offset: timeZone.offsetAt(micros), name: timeZone.name };
  return print({ ...calendarDay(day), ...clock(time), dayNumber: day, zone }, format);
}

function intervalToChar({ months: all, days: day, micros }: Interval, format: string): string {
  const seconds = Number(micros / 1_000_000n);
  const parts: Parts = {
    year: Math.trunc(all / 12),
    month: all % 12,
    day,
    hours: Math.trunc(seconds / 3600),
    minutes: Math.trunc(seconds / 60) % 60,
    seconds: seconds % 60,
    micros: Number(micros % 1_000_000n),
    dayNumber: undefined,
    zone: undefined,
  };
  return print(parts, format);
}

export const toCharFunctions: readonly Definition[] = [
  define('to_char(timestamp, text): text', timestampToChar, { volatility: 'stable' }),
  define('to_char(timestamptz, text): text', timestamptzToChar, {
    volatility: 'stable',
    usesContext: true,
  }),
  define('to_char(interval, text): text', intervalToChar, { volatility: 'stable' }),
];
