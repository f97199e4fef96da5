/** What to_date() and to_timestamp() read from a text, field by field. 0 stands for what was not said. */
import { raise } from '../../base/errors.js';
import {
  isNumberField,
  isSeparator,
  isSpace,
  type TemplateField,
  type TemplatePart,
} from './datetime-format.js';
import { days, months, romanMonths } from './to-char-datetime.js';

export interface DateTimeFields {
  /** ISO weeks and Gregorian months may not be mixed. */
  convention: 'iso' | 'gregorian' | undefined;
  hour: number;
  minute: number;
  second: number;
  secondsOfDay: number;
  milliseconds: number;
  micros: number;
  /** Of FF1 to FF6. */
  fractionDigits: number;
  twelveHours: boolean;
  /** 1 for PM. */
  afternoon: number;
  year: number;
  yearDigits: number;
  century: number;
  /** 1 for BC. */
  beforeChrist: number;
  month: number;
  dayOfMonth: number;
  dayOfYear: number;
  week: number;
  weekOfMonth: number;
  /** 1 for Sunday. */
  weekday: number;
  julianDay: number;
  /** 1 or -1 when a zone was given. */
  zoneSign: number;
  zoneHours: number;
  zoneMinutes: number;
}

type NumberName = {
  [K in keyof DateTimeFields]: DateTimeFields[K] extends number ? K : never;
}[keyof DateTimeFields];

const int4Max = 0x7fff_ffff;
const fixedWidth = {
  hint: 'If your source string is not fixed-width, try using the "FM" modifier.',
};

/** Reads `text` as the parts of a template say. Raises 22007 and 22008. */
export function readFields(text: string, parts: readonly TemplatePart[]): DateTimeFields {
  return new FieldReader(text, parts).read();
}

/** Fields that are a number and nothing more: where they go, and how many characters they take. */
const plainNumbers: Readonly<Record<string, readonly [NumberName, number]>> = {
  HH24: ['hour', 2],
  HH12: ['hour', 2],
  HH: ['hour', 2],
  MI: ['minute', 2],
  SS: ['second', 2],
  SSSS: ['secondsOfDay', 4],
  SSSSS: ['secondsOfDay', 5],
  MM: ['month', 2],
  DDD: ['dayOfYear', 3],
  IDDD: ['dayOfYear', 3],
  DD: ['dayOfMonth', 2],
  D: ['weekday', 1],
  WW: ['week', 2],
  IW: ['week', 2],
  W: ['weekOfMonth', 1],
  CC: ['century', 2],
  J: ['julianDay', 1],
  TZM: ['zoneMinutes', 2],
};

const isoFields = new Set(['IYYY', 'IYY', 'IY', 'I', 'IW', 'ID', 'IDDD']);
const gregorianFields = new Set('D DD DDD MM MON MONTH RM W WW Y,YYY YYYY YYY YY Y'.split(' '));

class FieldReader {
  readonly #text: string;
  readonly #parts: readonly TemplatePart[];
  #at = 0;
  #exact = false;
  /** Characters of the text that were passed over beyond those of the template. */
  #skipped = 0;
  readonly #fields: DateTimeFields = {
    convention: undefined,
    hour: 0,
    minute: 0,
    second: 0,
    secondsOfDay: 0,
    milliseconds: 0,
    micros: 0,
    fractionDigits: 0,
    twelveHours: false,
    afternoon: 0,
    year: 0,
    yearDigits: 0,
    century: 0,
    beforeChrist: 0,
    month: 0,
    dayOfMonth: 0,
    dayOfYear: 0,
    week: 0,
    weekOfMonth: 0,
    weekday: 0,
    julianDay: 0,
    zoneSign: 0,
    zoneHours: 0,
    zoneMinutes: 0,
  };

  constructor(text: string, parts: readonly TemplatePart[]) {
    this.#text = text;
    this.#parts = parts;
  }

  read(): DateTimeFields {
    for (const [i, part] of this.#parts.entries()) {
      if (this.#at >= this.#text.length) break;
      const isExactMark = part.kind === 'field' && part.name.toUpperCase() === 'FX';
      if (!this.#exact && !isExactMark && (part.kind === 'field' || i === 0)) this.#skipSpaces();
      if (part.kind !== 'field') {
        this.#passOver(part.kind);
      } else if (isExactMark) {
        this.#exact = true;
      } else {
        this.#field(part, i);
        if (part.ordinal !== undefined) this.#at += 2;
      }
      if (part.kind === 'field' && !this.#exact) {
        this.#skipped = 0;
        this.#skipSpaces();
      }
    }
    return this.#fields;
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #skipSpaces(): void {
    while (isSpace(this.#peek())) {
      this.#at += 1;
      this.#skipped += 1;
    }
  }

  /** A sign or blank of the template matches one of the text or nothing, other text any character. */
  #passOver(kind: 'separator' | 'space' | 'text'): void {
    const width = (this.#text.codePointAt(this.#at) ?? 0) > 0xffff ? 2 : 1;
    if (this.#exact) {
      this.#at += width;
    } else if (kind === 'text') {
      if (this.#skipped > 0) this.#skipped -= 1;
      else this.#at += width;
    } else if (isSpace(this.#peek()) || isSeparator(this.#peek())) {
      this.#at += 1;
    } else {
      this.#skipped -= 1;
    }
  }

  #field(field: TemplateField, i: number): void {
    const name = field.name.toUpperCase();
    this.#setConvention(name);
    const plain = plainNumbers[name];
    if (plain !== undefined) {
      if (name === 'TZM' && this.#fields.zoneSign === 0) this.#fields.zoneSign = 1;
      this.#number(field, i, plain[1], plain[0]);
      if (name === 'HH' || name === 'HH12') this.#fields.twelveHours = true;
      return;
    }
    if (/^I?Y+$|^I$/.test(name)) this.#year(field, i, name);
    else if (name === 'US') this.#fraction(field, i, 'micros', 6);
    else if (/^FF\d$/.test(name)) {
      this.#fields.fractionDigits = Number(name[2]);
      this.#fraction(field, i, 'micros', this.#fields.fractionDigits);
    } else this.#otherField(field, i, name);
  }

  #otherField(field: TemplateField, i: number, name: string): void {
    if (name === 'TZ' || name === 'OF') {
      const text = `formatting field "${field.name}" is only supported in to_char`;
      raise('feature_not_supported', text);
    }
    switch (name) {
      case 'MS':
        this.#fraction(field, i, 'milliseconds', 3);
        return;
      case 'Y,YYY':
        this.#commaYear(field);
        return;
      case 'ID': {
        this.#number(field, i, 1, 'weekday');
        this.#fields.weekday = this.#fields.weekday >= 7 ? 1 : this.#fields.weekday + 1;
        return;
      }
      case 'Q':
        this.#number(field, i, 1, undefined);
        return;
      case 'TZH':
        this.#zoneHours(field, i);
        return;
      default:
        this.#word(field, name);
    }
  }

  #setConvention(name: string): void {
    const wanted = isoFields.has(name)
      ? 'iso'
      : gregorianFields.has(name)
        ? 'gregorian'
        : undefined;
    if (wanted === undefined) return;
    this.#fields.convention ??= wanted;
    if (this.#fields.convention === wanted) return;
    raise('invalid_datetime_format', 'invalid combination of date conventions', {
      hint: 'Do not mix Gregorian and ISO week date conventions in a formatting template.',
    });
  }

  #set(target: NumberName, value: number, field: TemplateField): void {
    const before = this.#fields[target];
    if (before !== 0 && before !== value) {
      raise(
        'invalid_datetime_format',
        `conflicting values for "${field.name}" field in formatting string`,
        { detail: 'This value contradicts a previous setting for the same field type.' },
      );
    }
    this.#fields[target] = value;
  }

  /** Reads a number of exactly `width` characters, or of any where what follows is none. Gives its length. */
  #number(field: TemplateField, i: number, width: number, target: NumberName | undefined): number {
    const start = this.#at;
    this.#skipSpaces();
    const rest = this.#text.slice(this.#at);
    const given = rest.slice(0, width);
    const free = field.unfilled || this.#endsBeforeNext(field, i);
    if (!free && rest.length < width) {
      raise(
        'invalid_datetime_format',
        `source string too short for "${field.name}" formatting field`,
        {
          detail: `Field requires ${width} characters, but only ${rest.length} remain.`,
          ...fixedWidth,
        },
      );
    }
    const digits = /^\s*[+-]?\d+/.exec(free ? rest : given)?.[0] ?? '';
    if (!free && digits.length > 0 && digits.length < width) {
      raise('invalid_datetime_format', `invalid value "${given}" for "${field.name}"`, {
        detail: `Field requires ${width} characters, but only ${digits.length} could be parsed.`,
        ...fixedWidth,
      });
    }
    if (digits === '') {
      raise('invalid_datetime_format', `invalid value "${given}" for "${field.name}"`, {
        detail: 'Value must be an integer.',
      });
    }
    this.#at += digits.length;
    const value = Number(digits);
    if (Math.abs(value) > int4Max) {
      raise(
        'datetime_field_overflow',
        `value for "${field.name}" in source string is out of range`,
        {
          detail: `Value must be in the range -2147483648 to ${int4Max}.`,
        },
      );
    }
    if (target !== undefined) this.#set(target, value, field);
    return this.#at - start;
  }

  /** True when what follows the field in the template is no digit. */
  #endsBeforeNext(field: TemplateField, i: number): boolean {
    if (field.ordinal !== undefined) return true;
    const next = this.#parts[i + 1];
    if (next === undefined) return true;
    return next.kind === 'field' ? !isNumberField(next.name) : !/^\d$/.test(next.text);
  }

  #fraction(
    field: TemplateField,
    i: number,
    target: 'milliseconds' | 'micros',
    width: number,
  ): void {
    const length = this.#number(field, i, width, target);
    const places = target === 'micros' ? 6 : 3;
    if (length < places) this.#fields[target] *= 10 ** (places - length);
  }

  #year(field: TemplateField, i: number, name: string): void {
    const length = this.#number(field, i, name.length, 'year');
    this.#fields.yearDigits = name.length;
    if (name.length < 4 && length < 4) this.#fields.year = nearestYear(this.#fields.year);
  }

  #commaYear(field: TemplateField): void {
    const found = /^\s*([+-]?\d+),(\d{1,3})/.exec(this.#text.slice(this.#at));
    if (found === null) raise('invalid_datetime_format', 'invalid input string for "Y,YYY"');
    this.#set('year', Number(found[1]) * 1000 + Number(found[2]), field);
    this.#fields.yearDigits = 4;
    this.#at += found[0].length;
  }

  /** A minus that was taken for a separator belongs to the hours. */
  #zoneHours(field: TemplateField, i: number): void {
    const sign = this.#peek();
    if (sign === '+' || sign === '-' || sign === ' ') {
      this.#fields.zoneSign = sign === '-' ? -1 : 1;
      this.#at += 1;
    } else {
      const isMinus = this.#skipped > 0 && this.#text[this.#at - 1] === '-';
      this.#fields.zoneSign = isMinus ? -1 : 1;
    }
    this.#number(field, i, 2, 'zoneHours');
  }

  #word(field: TemplateField, name: string): void {
    switch (name) {
      case 'AM':
      case 'PM':
      case 'A.M.':
      case 'P.M.':
        this.#set(
          'afternoon',
          this.#oneOf(field, name.includes('.') ? ['a.m.', 'p.m.'] : ['am', 'pm']),
          field,
        );
        this.#fields.twelveHours = true;
        return;
      case 'AD':
      case 'BC':
      case 'A.D.':
      case 'B.C.':
        this.#set(
          'beforeChrist',
          this.#oneOf(field, name.includes('.') ? ['a.d.', 'b.c.'] : ['ad', 'bc']),
          field,
        );
        return;
      case 'MONTH':
        this.#set('month', this.#oneOf(field, months) + 1, field);
        return;
      case 'MON':
        this.#set('month', this.#oneOf(field, months.map(short)) + 1, field);
        return;
      case 'DAY':
        this.#set('weekday', this.#oneOf(field, days) + 1, field);
        return;
      case 'DY':
        this.#set('weekday', this.#oneOf(field, days.map(short)) + 1, field);
        return;
      default:
        // From the last to the first, so that XII is not taken for X.
        this.#set('month', 12 - this.#oneOf(field, romanMonths.toReversed()), field);
    }
  }

  /** The first of the words that stands here, without regard to case. */
  #oneOf(field: TemplateField, words: readonly string[]): number {
    const rest = this.#text.slice(this.#at);
    const lower = rest.toLowerCase();
    const found = words.findIndex((word) => lower.startsWith(word.toLowerCase()));
    if (found < 0) {
      const word = /^\S*/.exec(rest)?.[0] ?? '';
      raise('invalid_datetime_format', `invalid value "${word}" for "${field.name}"`, {
        detail: 'The given value did not match any of the allowed values for this field.',
      });
    }
    this.#at += words[found]?.length ?? 0;
    return found;
  }
}

function short(name: string): string {
  return name.slice(0, 3);
}

/** A year of few digits is that nearest to 2020. */
function nearestYear(year: number): number {
  if (year < 70) return year + 2000;
  if (year < 100) return year + 1900;
  if (year < 520) return year + 2000;
  return year < 1000 ? year + 1000 : year;
}
