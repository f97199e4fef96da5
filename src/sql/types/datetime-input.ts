/**
 * Reads dates and times in all the forms that PostgreSQL takes with DateStyle ISO, MDY: the rules of
 * DecodeDateTime() in src/backend/utils/adt/datetime.c.
 */
import { raise } from '../../base/errors.js';
import { dayNumber, daysInMonth, isLeapYear, julianDayOf2000 } from './calendar.js';
import { type Field, splitFields } from './datetime-fields.js';
import type { DateOrder } from './date-style.js';
import { abbreviatedOffset, findTimeZone, type TimeZone } from './zone.js';

/** What was read. Without `special`, the date's and the clock's parts as far as they were given. */
export interface DateTimeParts {
  readonly special:
    | 'now'
    | 'today'
    | 'tomorrow'
    | 'yesterday'
    | 'epoch'
    | 'infinity'
    | '-infinity'
    | undefined;
  /** Days since 2000-01-01; undefined when only a time was given. */
  readonly days: number | undefined;
  /** Microseconds since midnight; undefined without a time. */
  readonly time: number | undefined;
  /** Seconds east of UTC, or a zone by name; undefined without. */
  readonly zone: number | TimeZone | undefined;
}

export type DateTimeTypeName =
  | 'date'
  | 'time'
  | 'time with time zone'
  | 'timestamp'
  | 'timestamp with time zone';

const months = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];
const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const specials = new Set([
  'now',
  'today',
  'tomorrow',
  'yesterday',
  'epoch',
  'infinity',
  '-infinity',
]);
const ignored = new Set(['at', 'on', 'd', ...weekdays, ...weekdays.map((day) => day.slice(0, 3))]);
for (const short of ['tues', 'wednes', 'weds', 'thur', 'thurs']) ignored.add(short);

const monthOf = new Map<string, number>([['sept', 9]]);
for (const [i, month] of months.entries()) {
  monthOf.set(month, i + 1);
  monthOf.set(month.slice(0, 3), i + 1);
}

function isWord(word: string): boolean {
  return (
    monthOf.has(word) ||
    specials.has(word) ||
    ignored.has(word) ||
    abbreviatedOffset(word) !== undefined ||
    ['am', 'pm', 'ad', 'bc', 't', 'j', 'jd', 'y', 'm', 'h', 's', 'allballs'].includes(word)
  );
}

/** Reads `text` as a value of the type; raises 22007, 22008, 22009 or 22023. */
export function readDateTime(
  text: string,
  type: DateTimeTypeName,
  order: DateOrder = 'MDY',
): DateTimeParts {
  const iso = isoText.exec(text);
  const parts = iso === null ? undefined : readIso(iso);
  if (parts !== undefined) return parts;
  const fields = splitFields(text, isWord);
  if (fields === undefined || fields.length === 0) badFormat(text, type);
  return new DateTimeReader(text, type, order).read(fields);
}

/** The form that nearly all texts have: `2020-01-02`, then perhaps a time without a zone. */
const isoText =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[ T]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,6})?)?$/;

/** Undefined for what is out of range: the long way words its error. */
function readIso(match: RegExpExecArray): DateTimeParts | undefined {
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) {
    return undefined;
  }
  const days = dayNumber(year, month, day);
  if (match[4] === undefined) {
    return { special: undefined, days, time: undefined, zone: undefined };
  }
  const [hours, minutes, seconds] = [Number(match[4]), Number(match[5]), Number(match[6])];
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const fraction = match[7] === undefined ? 0 : Math.round(Number(match[7]) * 1e6);
  const time = ((hours * 60 + minutes) * 60 + seconds) * 1e6 + fraction;
  return { special: undefined, days, time, zone: undefined };
}

export function badFormat(text: string, type: string): never {
  raise('invalid_datetime_format', `invalid input syntax for type ${type}: "${text}"`);
}

export function fieldOverflow(text: string, hint?: string): never {
  raise(
    'datetime_field_overflow',
    `date/time field value out of range: "${text}"`,
    hint === undefined ? {} : { hint },
  );
}

const dateStyleHint = 'Perhaps you need a different "DateStyle" setting.';

class DateTimeReader {
  readonly #text: string;
  readonly #type: DateTimeTypeName;
  readonly #order: DateOrder;
  #year: number | undefined;
  #month: number | undefined;
  #day: number | undefined;
  #dayOfYear: number | undefined;
  #julian: number | undefined;
  #time: number | undefined;
  #zone: number | TimeZone | undefined;
  #special: DateTimeParts['special'];
  #half: 'am' | 'pm' | undefined;
  #era: 'ad' | 'bc' | undefined;
  #textMonth = false;
  #twoDigitYear = false;
  /** What a `t` or `j` says of the next field. */
  #prefix: 'time' | 'julian' | undefined;

  constructor(text: string, type: DateTimeTypeName, order: DateOrder) {
    this.#text = text;
    this.#type = type;
    this.#order = order;
  }

  read(fields: readonly Field[]): DateTimeParts {
    for (const field of fields) this.#field(field);
    if (this.#prefix !== undefined) this.#bad();
    if (this.#special !== undefined) {
      const takesTime = ['today', 'tomorrow', 'yesterday'].includes(this.#special);
      if (this.#hasDate || this.#year !== undefined) this.#bad();
      if (this.#time !== undefined && !takesTime) this.#bad();
      return { special: this.#special, days: undefined, time: this.#time, zone: this.#zone };
    }
    const days = this.#days();
    return { special: undefined, days, time: this.#clock(), zone: this.#zone };
  }

  get #isTime(): boolean {
    return this.#type === 'time' || this.#type === 'time with time zone';
  }

  get #hasDate(): boolean {
    return (
      this.#julian !== undefined ||
      this.#dayOfYear !== undefined ||
      (this.#year !== undefined && this.#month !== undefined && this.#day !== undefined)
    );
  }

  #bad(): never {
    badFormat(this.#text, this.#type);
  }

  #field({ kind, text }: Field): void {
    switch (kind) {
      case 'date':
        this.#dateField(text);
        break;
      case 'time':
        this.#prefix = undefined;
        this.#setTime(this.#parseClock(text));
        break;
      case 'zone':
        this.#setZone(this.#parseOffset(text));
        break;
      case 'number':
        this.#numberField(text);
        break;
      case 'word':
      case 'special':
        this.#word(text);
        break;
    }
  }

  #dateField(text: string): void {
    if (this.#prefix === 'time' || (this.#month !== undefined && this.#day !== undefined)) {
      if (!/^[0-9]/.test(text)) {
        this.#setZone(this.#namedZone(text));
        return;
      }
      // 040506-08: a time run together, then its zone.
      this.#prefix = undefined;
      const dash = text.indexOf('-');
      if (dash < 0 || this.#time !== undefined) this.#bad();
      this.#setZone(this.#parseOffset(text.slice(dash)));
      this.#runTogether(text.slice(0, dash), true);
      return;
    }
    if (this.#prefix !== undefined) this.#bad();
    if (/^[a-z]/.test(text) && this.#isZoneName(text)) {
      this.#setZone(this.#namedZone(text));
      return;
    }
    const parts = text.match(/[0-9]+|[a-z]+/g) ?? this.#bad();
    for (const part of parts) if (/^[a-z]/.test(part)) this.#monthWord(part);
    for (const part of parts) if (/^[0-9]/.test(part)) this.#number(part);
    if (!this.#hasDate) this.#bad();
  }

  /** `europe/berlin` and `utc+3` come as a date's field too. */
  #isZoneName(text: string): boolean {
    const first = /^[a-z]+/.exec(text)?.[0] ?? '';
    return !monthOf.has(first) && !ignored.has(first);
  }

  #monthWord(word: string): void {
    if (ignored.has(word)) return;
    const month = monthOf.get(word);
    if (month === undefined || this.#month !== undefined) this.#bad();
    this.#month = month;
    this.#textMonth = true;
  }

  #numberField(text: string): void {
    if (this.#prefix === 'julian') {
      this.#prefix = undefined;
      if (this.#hasDate) this.#bad();
      this.#julian = Number.parseInt(text, 10) - julianDayOf2000;
      if (text.includes('.')) {
        this.#setTime(Math.round(Number(`0${text.slice(text.indexOf('.'))}`) * 86_400_000_000));
      }
      return;
    }
    if (this.#prefix === 'time') {
      this.#prefix = undefined;
      this.#runTogether(text, true);
      return;
    }
    const point = text.indexOf('.');
    if (point >= 0 && !this.#hasDate && !this.#isTime) this.#dateField(text);
    else if (point > 2) this.#runTogether(text, this.#hasDate || this.#isTime);
    else if (
      (text.length >= 6 || (this.#isTime && text.length >= 4)) &&
      (!this.#hasDate || this.#time === undefined)
    ) {
      this.#runTogether(text, this.#hasDate || this.#isTime);
    } else this.#number(text);
  }

  /** One number of a date, in the order of DateStyle unless its length tells. */
  #number(text: string): void {
    const value = Number(text);
    const length = text.length;
    if (
      length === 3 &&
      this.#year !== undefined &&
      this.#month === undefined &&
      value >= 1 &&
      value <= 366
    ) {
      this.#dayOfYear = value;
      return;
    }
    const long = length >= 3;
    const setYear = () => {
      this.#year = value;
      this.#twoDigitYear = length <= 2;
    };
    const has =
      (this.#year === undefined ? '' : 'y') +
      (this.#month === undefined ? '' : 'm') +
      (this.#day === undefined ? '' : 'd');
    const yearFirst = this.#order === 'YMD';
    if (has === '') {
      if (long || yearFirst) setYear();
      else if (this.#order === 'DMY') this.#day = value;
      else this.#month = value;
    } else if (has === 'y') this.#month = value;
    else if (has === 'm') {
      if (this.#textMonth && (long || yearFirst)) setYear();
      else this.#day = value;
    } else if (has === 'ym') {
      if (this.#textMonth && long && this.#twoDigitYear) {
        this.#day = this.#year;
        setYear();
      } else this.#day = value;
    } else if (has === 'd') this.#month = value;
    else if (has === 'md') setYear();
    else if (has === 'ymd') this.#runTogether(text, true);
    else this.#bad();
  }

  /** `20011225`, `011225`, `040506.789` or `0405`. */
  #runTogether(text: string, dateIsKnown: boolean): void {
    const [digits = '', fraction] = text.split('.');
    if (fraction === undefined && !dateIsKnown && digits.length >= 6) {
      if (this.#year !== undefined || this.#month !== undefined) this.#bad();
      this.#day = Number(digits.slice(-2));
      this.#month = Number(digits.slice(-4, -2));
      this.#year = Number(digits.slice(0, -4));
      this.#twoDigitYear = digits.length === 6;
      return;
    }
    if (digits.length !== 6 && (digits.length !== 4 || fraction !== undefined)) this.#bad();
    const seconds = digits.length === 6 ? `:${digits.slice(4)}` : '';
    const point = fraction === undefined ? '' : `.${fraction}`;
    this.#setTime(
      this.#parseClock(`${digits.slice(0, 2)}:${digits.slice(2, 4)}${seconds}${point}`),
    );
  }

  #setTime(time: number): void {
    if (this.#time !== undefined) this.#bad();
    this.#time = time;
  }

  #setZone(zone: number | TimeZone): void {
    if (this.#zone !== undefined) this.#bad();
    this.#zone = zone;
  }

  /** Microseconds of `H:MM`, `H:MM:SS` or with a fraction. */
  #parseClock(text: string): number {
    const match = /^([0-9]+):([0-9]+)(?::([0-9]+)(\.[0-9]*)?)?$/.exec(text) ?? this.#bad();
    const [hours, minutes, seconds] = [match[1], match[2], match[3] ?? 0].map(Number) as [
      number,
      number,
      number,
    ];
    const fraction = Math.round(Number(`0${match[4] ?? ''}`) * 1e6);
    const time = ((hours * 60 + minutes) * 60 + seconds) * 1e6 + fraction;
    if (minutes > 59 || seconds > 60 || hours > 24 || time > 86_400_000_000) {
      fieldOverflow(this.#text);
    }
    return time;
  }

  /** Seconds east of UTC of `+05`, `+0530`, `+05:30` or `+05:30:15`. */
  #parseOffset(text: string): number {
    const match = /^([+-])([0-9]+)(?::([0-9]+)(?::([0-9]+))?)?$/.exec(text) ?? this.#bad();
    let hours = Number(match[2]);
    let minutes = Number(match[3] ?? 0);
    if (match[3] === undefined && (match[2] ?? '').length > 2) {
      minutes = hours % 100;
      hours = Math.floor(hours / 100);
    }
    const seconds = Number(match[4] ?? 0);
    if (hours > 15 || minutes > 59 || seconds > 59) {
      raise(
        'invalid_time_zone_displacement_value',
        `time zone displacement out of range: "${this.#text}"`,
      );
    }
    const offset = (hours * 60 + minutes) * 60 + seconds;
    return match[1] === '-' ? -offset : offset;
  }

  #namedZone(name: string): TimeZone {
    const zone = findTimeZone(name);
    if (zone === undefined) {
      raise('invalid_parameter_value', `time zone "${name}" not recognized`);
    }
    return zone;
  }

  #word(word: string): void {
    if (this.#prefix !== undefined) this.#bad();
    const month = monthOf.get(word);
    if (month !== undefined) {
      if (this.#month !== undefined && !this.#textMonth && this.#day === undefined) {
        this.#day = this.#month;
      } else if (this.#month !== undefined) this.#bad();
      this.#month = month;
      this.#textMonth = true;
    } else if (specials.has(word)) {
      if (this.#special !== undefined) this.#bad();
      this.#special = word as DateTimeParts['special'];
    } else if (word === 'am' || word === 'pm') this.#half = word;
    else if (word === 'bc' || word === 'ad') this.#era = word;
    else if (word === 'b') this.#bad();
    else if (word === 'allballs') {
      this.#setTime(0);
      this.#setZone(0);
    } else if (word === 't') {
      if (!this.#hasDate && !this.#isTime) this.#bad();
      this.#prefix = 'time';
    } else if (word === 'j' || word === 'jd' || word === 'julian') this.#prefix = 'julian';
    else if (!ignored.has(word)) this.#zoneWord(word);
  }

  #zoneWord(word: string): void {
    const offset = abbreviatedOffset(word);
    if (offset !== undefined) {
      this.#setZone(offset);
      return;
    }
    const zone = findTimeZone(word);
    if (zone === undefined) this.#bad();
    this.#setZone(zone);
  }

  #days(): number | undefined {
    if (this.#julian !== undefined) return this.#julian;
    const given = [this.#year, this.#month, this.#day].filter((part) => part !== undefined);
    if (!this.#hasDate) {
      if (given.length > 0 || !this.#isTime || this.#time === undefined) this.#bad();
      return undefined;
    }
    const year = this.#calendarYear();
    if (this.#dayOfYear !== undefined) {
      if (this.#dayOfYear > (isLeapYear(year) ? 366 : 365)) fieldOverflow(this.#text);
      return dayNumber(year, 1, this.#dayOfYear);
    }
    const month = this.#month ?? 0;
    const day = this.#day ?? 0;
    if (month < 1 || month > 12 || day < 1 || day > 31) fieldOverflow(this.#text, dateStyleHint);
    if (day > daysInMonth(year, month)) fieldOverflow(this.#text);
    return dayNumber(year, month, day);
  }

  #calendarYear(): number {
    const year = this.#year ?? 0;
    if (this.#era === 'bc') return year <= 0 ? fieldOverflow(this.#text) : 1 - year;
    if (this.#twoDigitYear) return year < 70 ? year + 2000 : year < 100 ? year + 1900 : year;
    return year <= 0 ? fieldOverflow(this.#text) : year;
  }

  #clock(): number | undefined {
    if (this.#half === undefined || this.#time === undefined) return this.#time;
    const hour = Math.floor(this.#time / 3_600_000_000);
    if (hour > 12) fieldOverflow(this.#text);
    if (this.#half === 'am') return hour === 12 ? this.#time - 43_200_000_000 : this.#time;
    return hour === 12 ? this.#time : this.#time + 43_200_000_000;
  }
}
