/**
 * Reads intervals: `1 year 2 mons 3 days 04:05:06`, `1-2`, `P1Y2M3DT4H5M6S`, `@ 1 hour ago`: the
 * rules of DecodeInterval() and DecodeISO8601Interval() in datetime.c.
 */
import { raise } from '../../base/errors.js';
import { splitFields } from './datetime-fields.js';
import { badFormat } from './datetime-input.js';
import { Interval } from './interval.js';

export type IntervalUnit =
  | 'microsecond'
  | 'millisecond'
  | 'second'
  | 'minute'
  | 'hour'
  | 'day'
  | 'week'
  | 'month'
  | 'year'
  | 'decade'
  | 'century'
  | 'millennium';

const names: readonly (readonly [IntervalUnit, string])[] = [
  ['microsecond', 'microsecond microseconds us usec usecs useconds usecond microsecon'],
  ['millisecond', 'millisecond milliseconds ms msec msecs mseconds msecond millisecon'],
  ['second', 'second seconds s sec secs'],
  ['minute', 'minute minutes m min mins'],
  ['hour', 'hour hours h hr hrs'],
  ['day', 'day days d'],
  ['week', 'week weeks w'],
  ['month', 'month months mon mons'],
  ['year', 'year years y yr yrs'],
  ['decade', 'decade decades dec decs'],
  ['century', 'century centuries c cent'],
  ['millennium', 'millennium millennia mil mils millenniu'],
];
const unitOf = new Map<string, IntervalUnit>();
for (const [unit, list] of names) for (const name of list.split(' ')) unitOf.set(name, unit);

/** The unit that a word names, also in the plural or short; undefined for none. */
export function intervalUnit(word: string): IntervalUnit | undefined {
  return unitOf.get(word);
}

const microsOf: Partial<Record<IntervalUnit, number>> = {
  microsecond: 1,
  millisecond: 1000,
  second: 1_000_000,
  minute: 60_000_000,
  hour: 3_600_000_000,
};
const daysOf: Partial<Record<IntervalUnit, number>> = { day: 1, week: 7 };
const monthsOf: Partial<Record<IntervalUnit, number>> = {
  month: 1,
  year: 12,
  decade: 120,
  century: 1200,
  millennium: 12_000,
};
const microsPerDay = 86_400_000_000;

/** Sums what the fields say; raises 22015 when it does not fit. */
class IntervalSum {
  months = 0;
  days = 0;
  micros = 0n;

  /** `whole` units and a fraction of one, of the same sign. */
  add(unit: IntervalUnit, count: bigint, fraction: number): void {
    const whole = Number(count);
    const micros = microsOf[unit];
    const days = daysOf[unit];
    const months = monthsOf[unit];
    if (micros !== undefined) {
      this.micros += count * BigInt(micros) + BigInt(roundToEven(fraction * micros));
    } else if (days !== undefined) {
      this.days += whole * days;
      this.#fractionOfDays(fraction * days);
    } else if (unit === 'month') {
      this.months += whole;
      this.#fractionOfDays(fraction * 30);
    } else if (months !== undefined) {
      this.months += whole * months + roundToEven(fraction * months);
    }
  }

  #fractionOfDays(days: number): void {
    const whole = Math.trunc(days);
    this.days += whole;
    this.micros += BigInt(roundToEven((days - whole) * microsPerDay));
  }

  finish(text: string): Interval {
    const int4 = (value: number) => value >= -0x8000_0000 && value <= 0x7fff_ffff;
    const fits =
      int4(this.months) && int4(this.days) && BigInt.asIntN(64, this.micros) === this.micros;
    if (!fits) {
      raise('interval_field_overflow', `interval field value out of range: "${text}"`);
    }
    return new Interval(this.months + 0, this.days + 0, this.micros);
  }
}

function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** Reads an interval; a number without a unit counts `defaultUnit`. */
export function parseInterval(text: string, defaultUnit: IntervalUnit = 'second'): Interval {
  const trimmed = text.trim();
  const iso = /^P(?=.)/.test(trimmed) ? parseIso(trimmed, text) : undefined;
  return iso ?? parsePostgres(text, defaultUnit);
}

const isoParts =
  /^P(?:([+-]?[0-9.]+)Y)?(?:([+-]?[0-9.]+)M)?(?:([+-]?[0-9.]+)W)?(?:([+-]?[0-9.]+)D)?(?:T(?:([+-]?[0-9.]+)H)?(?:([+-]?[0-9.]+)M)?(?:([+-]?[0-9.]+)S)?)?$/;
const isoUnits: readonly IntervalUnit[] = [
  'year',
  'month',
  'week',
  'day',
  'hour',
  'minute',
  'second',
];

function parseIso(trimmed: string, text: string): Interval | undefined {
  const match = isoParts.exec(trimmed);
  if (match === null) return undefined;
  const sum = new IntervalSum();
  for (const [i, unit] of isoUnits.entries()) {
    const part = match[i + 1];
    if (part !== undefined) addNumber(sum, unit, part, text);
  }
  return sum.finish(text);
}

const decimal = /^([+-]?)([0-9]*)(\.[0-9]*)?$/;

function addNumber(sum: IntervalSum, unit: IntervalUnit, part: string, text: string): void {
  const match = decimal.exec(part);
  if (match === null || part.replace(/[+-]/, '') === '.') badFormat(text, 'interval');
  const sign = match[1] === '-' ? -1 : 1;
  const whole = BigInt(match[2] ?? 0);
  if (whole >= 2n ** 63n) {
    raise('interval_field_overflow', `interval field value out of range: "${text}"`);
  }
  sum.add(unit, BigInt(sign) * whole, sign * Number(`0${match[3] ?? ''}`));
}

/** Fields from right to left, as a unit follows its number. */
function parsePostgres(text: string, defaultUnit: IntervalUnit): Interval {
  const fields = splitFields(text, (word) => unitOf.has(word));
  if (fields === undefined || fields.length === 0) badFormat(text, 'interval');
  const sum = new IntervalSum();
  const met = new Set<IntervalUnit>();
  let unit: IntervalUnit | undefined;
  let ago = false;
  const meet = (...units: IntervalUnit[]) => {
    for (const one of units) {
      if (met.has(one)) badFormat(text, 'interval');
      met.add(one);
    }
  };
  for (const field of fields.reverse()) {
    if (field.kind === 'word' || field.kind === 'special') {
      if (field.text === 'ago') {
        if (met.size > 0 || unit !== undefined) badFormat(text, 'interval');
        ago = true;
        continue;
      }
      unit = unitOf.get(field.text) ?? badFormat(text, 'interval');
      continue;
    }
    if (field.text.includes(':')) {
      meet('hour', 'minute', 'second');
      addClock(sum, field.text, text);
      unit = 'day';
      continue;
    }
    const yearMonth = /^([+-]?)([0-9]+)-([0-9]+)$/.exec(field.text);
    if (yearMonth !== null) {
      const months = Number(yearMonth[3]);
      if (months > 11) {
        raise('interval_field_overflow', `interval field value out of range: "${text}"`);
      }
      meet('year', 'month');
      const sign = yearMonth[1] === '-' ? -1 : 1;
      sum.add('month', BigInt(sign * (Number(yearMonth[2]) * 12 + months)), 0);
      continue;
    }
    meet(unit ?? defaultUnit);
    addNumber(sum, unit ?? defaultUnit, field.text, text);
    unit = undefined;
  }
  if (met.size === 0) badFormat(text, 'interval');
  if (ago) {
    sum.months = -sum.months;
    sum.days = -sum.days;
    sum.micros = -sum.micros;
  }
  return sum.finish(text);
}

function addClock(sum: IntervalSum, clock: string, text: string): void {
  const match = /^([+-]?)([0-9]+):([0-9]+)(?::([0-9]+)?)?(\.[0-9]*)?$/.exec(clock);
  if (match === null) badFormat(text, 'interval');
  let [hours, minutes, seconds] = [match[2], match[3], match[4] ?? 0].map(Number) as [
    number,
    number,
    number,
  ];
  if (match[4] === undefined && match[5] !== undefined) {
    // 04:05.6 is minutes and seconds.
    [hours, minutes, seconds] = [0, hours, minutes];
  }
  if (minutes > 59 || seconds > 60) {
    raise('interval_field_overflow', `interval field value out of range: "${text}"`);
  }
  const fraction = Math.round(Number(`0${match[5] ?? ''}`) * 1e6);
  const micros =
    (BigInt(hours) * 3600n + BigInt(minutes * 60 + seconds)) * 1_000_000n + BigInt(fraction);
  sum.micros += match[1] === '-' ? -micros : micros;
}
