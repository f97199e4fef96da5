/**
 * The proleptic Gregorian calendar. Days count from 2000-01-01, microseconds from its midnight;
 * year 0 is 1 BC.
 */

const microsPerSecond = 1_000_000;
export const microsPerDay = 86_400_000_000;
export const microsPerDayBig = 86_400_000_000n;
/** Days from 4714-11-24 BC, the Julian day 0, to 2000-01-01. */
export const julianDayOf2000 = 2_451_545;
/** Days from 1970-01-01 to 2000-01-01. */
export const unixDayOf2000 = 10_957;
/** Milliseconds from 1970-01-01 to 2000-01-01. */
const unixMsOf2000 = 946_684_800_000;

export interface CalendarDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Days to the date; months and days may lie outside of the year or month. */
export function dayNumber(year: number, month: number, day: number): number {
  const months = year * 12 + month - 1;
  const y = Math.floor(months / 12);
  const m = months - y * 12 + 1;
  // The year begins in March, so that the day that leap years add comes last.
  const shifted = m <= 2 ? y - 1 : y;
  const fromMarch = (m + 9) % 12;
  const leapDays = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  return shifted * 365 + leapDays + Math.floor((fromMarch * 153 + 2) / 5) + day - 1 - 730_425;
}

/** The date of a day number. */
export function calendarDay(days: number): CalendarDay {
  const shifted = days + 730_425;
  const era = Math.floor(shifted / 146_097);
  const inEra = shifted - era * 146_097;
  const yearInEra = Math.floor(
    (inEra - Math.floor(inEra / 1460) + Math.floor(inEra / 36_524) - Math.floor(inEra / 146_096)) /
      365,
  );
  const inYear =
    inEra - (yearInEra * 365 + Math.floor(yearInEra / 4) - Math.floor(yearInEra / 100));
  const fromMarch = Math.floor((inYear * 5 + 2) / 153);
  const day = inYear - Math.floor((fromMarch * 153 + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return { year: yearInEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

const monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Days of a month, 1 to 12. */
export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : (monthLengths[month - 1] ?? 31);
}

/** 0 for Sunday. */
export function dayOfWeek(days: number): number {
  return (((days + 6) % 7) + 7) % 7;
}

/** ISO 8601's year and week: a week belongs to the year of its Thursday. */
export function isoWeek(days: number): { readonly year: number; readonly week: number } {
  const thursday = days + 4 - (dayOfWeek(days) || 7);
  const { year } = calendarDay(thursday);
  return { year, week: Math.floor((thursday - dayNumber(year, 1, 1)) / 7) + 1 };
}

/** Splits microseconds of a local clock at midnight. */
export function splitTimestamp(micros: bigint): { readonly days: number; readonly time: number } {
  let days = micros / microsPerDayBig;
  let time = micros % microsPerDayBig;
  if (time < 0n) {
    time += microsPerDayBig;
    days -= 1n;
  }
  return { days: Number(days), time: Number(time) };
}

/** `HH:MM:SS` with the fraction as far as it is not 0. */
export function printTime(time: number): string {
  const seconds = Math.floor(time / microsPerSecond);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return `${two(hours)}:${two(minutes)}:${two(seconds % 60)}${printFraction(time % microsPerSecond)}`;
}

/** `.5` for 500,000 microseconds; nothing for 0. */
export function printFraction(micros: number): string {
  if (micros === 0) return '';
  return `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
}

/** `YYYY-MM-DD` without the era. */
export function printDay({ year, month, day }: CalendarDay): string {
  const shown = year > 0 ? year : 1 - year;
  return `${String(shown).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

export function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** A moment of a clock, in milliseconds since 1970, as a timestamp. */
export function timestampOfUnixMs(unixMs: number): bigint {
  return BigInt(Math.round((unixMs - unixMsOf2000) * 1000));
}

/** The milliseconds since 1970 of a timestamp; what is below one is cut off. */
export function unixMsOfTimestamp(timestamp: bigint): number {
  return Number(timestamp / 1000n) + unixMsOf2000;
}
