/** to_date() and to_timestamp() with a template: DCH_from_char() of src/backend/utils/adt/formatting.c. */
import { raise } from '../../base/errors.js';
import {
  calendarDay,
  dayNumber,
  dayOfWeek,
  daysInMonth,
  isLeapYear,
  julianDayOf2000,
  microsPerDayBig,
} from '../types/calendar.js';
import { fieldOverflow } from '../types/datetime-input.js';
import { checkedDate, checkedTimestamp, instantOf, roundMicros } from '../types/datetime-type.js';
import type { FunctionContext } from '../types/index.js';
import { parseTemplate } from './datetime-format.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';
import { type DateTimeFields, readFields } from './from-char-fields.js';

interface Moment {
  /** Days since 2000-01-01. */
  readonly day: number;
  /** Microseconds since midnight. */
  readonly micros: number;
  /** Seconds east of UTC, where the text says so. */
  readonly offset: number | undefined;
  /** Digits of the seconds' fraction that FF1 to FF6 asked for; 6 without. */
  readonly precision: number;
}

function readMoment(text: string, template: string): Moment {
  const fields = readFields(text, parseTemplate(template));
  const { hours, minutes, seconds } = timeOf(fields);
  const day = dayOf(fields, text);
  const micros = fields.milliseconds * 1000 + fields.micros;
  const isTime =
    hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60 && seconds >= 0 && seconds < 60;
  if (!isTime || micros < 0 || micros >= 1_000_000) fieldOverflow(text);
  return {
    day,
    micros: ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros,
    offset: offsetOf(fields, text),
    precision: fields.fractionDigits || 6,
  };
}

function timeOf({ secondsOfDay, second, minute, hour, twelveHours, afternoon }: DateTimeFields) {
  let hours = hour || Math.trunc(secondsOfDay / 3600);
  const minutes = minute || Math.trunc(secondsOfDay / 60) % 60;
  const seconds = second || secondsOfDay % 60;
  if (twelveHours) {
    if (hours < 1 || hours > 12) {
      raise('invalid_datetime_format', `hour "${hours}" is invalid for the 12-hour clock`, {
        hint: 'Use the 24-hour clock, or give an hour between 1 and 12.',
      });
    }
    if (afternoon === 1 && hours < 12) hours += 12;
    else if (afternoon !== 1 && hours === 12) hours = 0;
  }
  return { hours, minutes, seconds };
}

/** The year, 0 for 1 BC; undefined where nothing says it. */
function yearOf(fields: DateTimeFields): number | undefined {
  const { year, yearDigits, beforeChrist } = fields;
  const century = beforeChrist === 1 ? -fields.century : fields.century;
  if (year !== 0) {
    if (century !== 0 && yearDigits <= 2) {
      const within = year % 100;
      if (within === 0) return century * 100 + (century >= 0 ? 0 : 1);
      return century >= 0 ? within + (century - 1) * 100 : (century + 1) * 100 - within + 1;
    }
    const signed = beforeChrist === 1 ? -year : year;
    return signed < 0 ? signed + 1 : signed;
  }
  if (century === 0) return undefined;
  return century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
}

/** The Monday of an ISO week. */
function isoMonday(year: number, week: number): number {
  const fourth = dayNumber(year, 1, 4);
  return fourth - ((dayOfWeek(fourth) + 6) % 7) + (week - 1) * 7;
}

interface Draft {
  year: number;
  month: number;
  day: number;
  /** What the text has said, so what must be right. */
  hasYear: boolean;
  hasMonth: boolean;
  hasDay: boolean;
}

function setWhole(draft: Draft, days: number): void {
  Object.assign(draft, calendarDay(days), { hasYear: true, hasMonth: true, hasDay: true });
}

function dayOf(fields: DateTimeFields, text: string): number {
  const year = yearOf(fields);
  const draft: Draft = {
    year: year ?? 0,
    month: 1,
    day: 1,
    hasYear: year !== undefined,
    hasMonth: false,
    hasDay: false,
  };
  let { dayOfYear, dayOfMonth } = fields;
  if (fields.julianDay !== 0) setWhole(draft, fields.julianDay - julianDayOf2000);
  if (fields.week !== 0) {
    if (fields.convention === 'iso') {
      const { weekday } = fields;
      const within = weekday === 0 ? 0 : weekday > 1 ? weekday - 2 : 6;
      setWhole(draft, isoMonday(draft.year, fields.week) + within);
    } else {
      dayOfYear = (fields.week - 1) * 7 + 1;
    }
  }
  if (fields.weekOfMonth !== 0) dayOfMonth = (fields.weekOfMonth - 1) * 7 + 1;
  if (dayOfMonth !== 0) Object.assign(draft, { day: dayOfMonth, hasDay: true });
  if (fields.month !== 0) Object.assign(draft, { month: fields.month, hasMonth: true });
  if (dayOfYear !== 0 && (draft.month <= 1 || draft.day <= 1)) {
    placeDayOfYear(draft, fields, dayOfYear);
  }
  return checkedDay(draft, text);
}

function placeDayOfYear(draft: Draft, fields: DateTimeFields, dayOfYear: number): void {
  if (draft.year === 0 && fields.beforeChrist !== 1) {
    raise('invalid_datetime_format', 'cannot calculate day of year without year information');
  }
  if (fields.convention === 'iso') {
    setWhole(draft, isoMonday(draft.year, 1) + dayOfYear - 1);
    return;
  }
  let month = 1;
  let before = 0;
  while (month <= 12 && dayOfYear > before + daysInMonth(draft.year, month)) {
    before += daysInMonth(draft.year, month);
    month += 1;
  }
  if (draft.month <= 1) draft.month = month;
  if (draft.day <= 1) draft.day = dayOfYear - before;
  Object.assign(draft, { hasMonth: true, hasDay: true });
}

function checkedDay({ year, month, day, hasYear, hasMonth, hasDay }: Draft, text: string): number {
  if (hasMonth && (month < 1 || month > 12)) fieldOverflow(text);
  if (hasDay && (day < 1 || day > 31)) fieldOverflow(text);
  const isWhole = hasYear && hasMonth && hasDay;
  const length = month === 2 && !isLeapYear(year) ? 28 : daysInMonth(year, month);
  if (isWhole && day > length) fieldOverflow(text);
  return dayNumber(year, month, day);
}

function offsetOf({ zoneSign, zoneHours, zoneMinutes }: DateTimeFields, text: string) {
  if (zoneSign === 0) return undefined;
  if (zoneHours < 0 || zoneHours > 15 || zoneMinutes < 0 || zoneMinutes >= 60) fieldOverflow(text);
  return zoneSign * (zoneHours * 60 + zoneMinutes) * 60;
}

function toTimestamp({ timeZone }: FunctionContext, text: string, template: string): bigint {
  const { day, micros, offset, precision } = readMoment(text, template);
  const local = BigInt(day) * microsPerDayBig + BigInt(micros);
  const instant =
    offset === undefined ? instantOf(local, timeZone) : local - BigInt(offset) * 1_000_000n;
  return roundMicros(checkedTimestamp(instant), precision);
}

function toDate(text: string, template: string): number {
  return checkedDate(readMoment(text, template).day);
}

export const fromCharFunctions: readonly Definition[] = [
  define('to_timestamp(text, text): timestamptz', toTimestamp, {
    volatility: 'stable',
    usesContext: true,
  }),
  define('to_date(text, text): date', toDate, { volatility: 'stable' }),
];
