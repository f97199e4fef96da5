/** to_char() of numbers: the templates of PostgreSQL's table 9.28 (NUM_processor() of formatting.c). */
import { raise } from '../../base/errors.js';
import { Numeric } from '../types/index.js';
import {
  multiplyNumeric,
  numericOfBigint,
  numericOfInteger,
  powerOfTen,
  roundNumeric,
} from '../types/numeric.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';
import { type NumberFormat, type NumberToken, parseNumberFormat } from './number-format.js';

/** A number's digits with its point, without its sign. */
interface Written {
  readonly digits: string;
  readonly negative: boolean;
}

const blankCurrency = ' ';

class Printer {
  readonly #format: NumberFormat;
  readonly #number: string;
  readonly #negative: boolean;
  /** Places before the number's first digit. */
  readonly #leading: number;
  /** The last digit that FM leaves; undefined where none is taken away. */
  readonly #lastRelevant: number | undefined;
  readonly #count: number;
  readonly #brackets: boolean;
  readonly #sign: NumberFormat['sign'];
  readonly #zeroStart: number;
  #signWritten: boolean;
  #at = 0;
  #place = 0;
  #inNumber = false;
  #out = '';
  /** The number has fewer digits than places: what comes after is lost, as in PostgreSQL. */
  #isCut = false;

  constructor(format: NumberFormat, { digits, negative }: Written) {
    this.#format = format;
    this.#negative = negative;
    const pointAt = digits.indexOf('.');
    const length = pointAt < 0 ? digits.length : pointAt;
    const { before, after, hasPlus, hasMinus, unfilled, sign } = format;
    this.#leading = Math.max(before - length, 0);
    this.#number = length > before ? `${'#'.repeat(before)}.${'#'.repeat(after)}` : digits;
    this.#zeroStart = format.zeroStart === 0 ? 0 : format.zeroStart - 1;
    this.#brackets = format.brackets && !(unfilled && !negative);
    if (hasPlus || hasMinus) {
      this.#signWritten = hasMinus;
      this.#sign = sign;
    } else {
      this.#signWritten = !negative && unfilled && sign === 'none';
      const isLast = sign === 'before' && before === format.digitsBeforeSign;
      this.#sign = isLast ? 'after' : sign;
    }
    this.#lastRelevant = unfilled && format.hasPoint ? this.#findLastRelevant() : undefined;
    this.#count = after + before - 1 + (!this.#signWritten && this.#leading === 0 ? 1 : 0);
  }

  print(): string {
    for (const part of this.#format.parts) {
      if (this.#isCut) break;
      if (part.kind === 'text') this.#out += part.text;
      else this.#token(part.token);
    }
    return this.#out;
  }

  #findLastRelevant(): number | undefined {
    const point = this.#number.indexOf('.');
    if (point < 0) return undefined;
    let last = point;
    for (let i = point + 1; i < this.#number.length; i += 1) if (this.#number[i] !== '0') last = i;
    if (this.#format.zeroEnd <= this.#leading) return last;
    const zero = Math.min(this.#number.length - 1, this.#format.zeroEnd - this.#leading);
    return Math.max(last, zero);
  }

  #token(token: NumberToken): void {
    const blank = this.#format.unfilled ? '' : ' ';
    switch (token) {
      case '9':
      case '0':
      case '.':
      case 'D':
        this.#digit(token);
        return;
      case ',':
      case 'G':
        this.#out += this.#inNumber ? ',' : blank;
        return;
      case 'L':
        this.#out += blankCurrency;
        return;
      case 'TH':
      case 'th': {
        if (this.#number.startsWith('#') || this.#negative || this.#format.hasPoint) return;
        if (!/\d$/.test(this.#number)) {
          raise('invalid_text_representation', `"${this.#number}" is not a number`);
        }
        const suffix = ordinalSuffix(this.#number);
        this.#out += token === 'TH' ? suffix.toUpperCase() : suffix;
        return;
      }
      case 'MI':
        this.#out += this.#negative ? '-' : blank;
        return;
      case 'PL':
        this.#out += this.#negative ? blank : '+';
        return;
      case 'SG':
        this.#out += this.#negative ? '-' : '+';
        return;
      default:
    }
  }

  /** Before the point stands a 0 that nobody asked for. */
  #isZeroBeforePoint(): boolean {
    const { hasZero, after } = this.#format;
    return !hasZero && this.#at === 0 && this.#number[0] === '0' && after !== 0;
  }

  #pointIsLast(): boolean {
    return this.#lastRelevant !== undefined && this.#number[this.#lastRelevant] === '.';
  }

  #digit(token: '9' | '0' | '.' | 'D'): void {
    this.#inNumber = false;
    const { hasZero, unfilled, hasPoint } = this.#format;
    const isAtZero = hasZero && this.#zeroStart === this.#place;
    const begins = this.#place >= this.#leading || isAtZero;
    if (!this.#signWritten && begins && (!this.#isZeroBeforePoint() || this.#pointIsLast())) {
      this.#writeSign();
    }
    if (this.#place < this.#leading) {
      if (hasZero && this.#zeroStart <= this.#place) {
        this.#out += '0';
        this.#inNumber = true;
      } else if (!unfilled) {
        this.#out += ' ';
      }
    } else {
      this.#writeDigit(token);
      if (this.#at < this.#number.length) this.#at += 1;
    }
    let end = this.#count + (this.#leading > 0 ? 1 : 0) + (hasPoint ? 1 : 0);
    if (this.#lastRelevant !== undefined && this.#lastRelevant === this.#at) end = this.#place;
    if (this.#place + 1 === end && !this.#isCut) this.#endNumber();
    this.#place += 1;
  }

  #writeSign(): void {
    if (this.#sign !== 'none') {
      if (this.#sign === 'after') return;
      this.#out += this.#negative ? '-' : '+';
    } else if (this.#brackets) {
      this.#out += this.#negative ? '<' : ' ';
    } else if (this.#negative) {
      this.#out += '-';
    } else if (!this.#format.unfilled) {
      this.#out += ' ';
    }
    this.#signWritten = true;
  }

  #writeDigit(token: '9' | '0' | '.' | 'D'): void {
    const digit = this.#number[this.#at] ?? '';
    if (digit === '.') {
      this.#out += '.';
    } else if (this.#lastRelevant !== undefined && this.#at > this.#lastRelevant && token !== '0') {
      return;
    } else if (this.#isZeroBeforePoint()) {
      if (!this.#format.unfilled) this.#out += ' ';
      else if (this.#pointIsLast()) this.#out += '0';
    } else {
      this.#out += digit;
      this.#inNumber = true;
      this.#isCut = digit === '';
    }
  }

  #endNumber(): void {
    if (this.#signWritten && this.#brackets) this.#out += this.#negative ? '>' : ' ';
    else if (this.#sign === 'after') this.#out += this.#negative ? '-' : '+';
  }
}

function ordinalSuffix(digits: string): string {
  if (digits.at(-2) === '1') return 'th';
  return ['th', 'st', 'nd', 'rd'][Number(digits.at(-1))] ?? 'th';
}

const romanNumbers = [
  [1000, 'M'],
  [900, 'CM'],
  [500, 'D'],
  [400, 'CD'],
  [100, 'C'],
  [90, 'XC'],
  [50, 'L'],
  [40, 'XL'],
  [10, 'X'],
  [9, 'IX'],
  [5, 'V'],
  [4, 'IV'],
  [1, 'I'],
] as const;

function romanText(value: number): string {
  let left = value;
  let text = '';
  for (const [size, letters] of romanNumbers) {
    for (; left >= size; left -= size) text += letters;
  }
  return text;
}

/** Between 1 and 3999, else `#`. */
function roman({ parts, unfilled }: NumberFormat, value: Numeric): string {
  const whole = value.isFinite ? Number(roundNumeric(value, 0).digits) : 0;
  const shown = whole < 1 || whole > 3999 ? '#'.repeat(15) : romanText(whole);
  const filled = unfilled ? shown : shown.padStart(15);
  return parts
    .map((part) => {
      if (part.kind === 'text') return part.text;
      return part.token === 'RN' ? filled : part.token === 'rn' ? filled.toLowerCase() : '';
    })
    .join('');
}

/** With one digit before the point and an exponent of two digits or more. */
function scientific({ after, before }: NumberFormat, value: Numeric, isFloat: boolean): string {
  if (!value.isFinite) return ` ${'#'.repeat(before)}.${'#'.repeat(after + 4)}`;
  const digits = (value.digits < 0n ? -value.digits : value.digits).toString();
  let exponent = value.digits === 0n ? 0 : digits.length - 1 - value.scale;
  let mantissa = roundNumeric(new Numeric(value.digits, digits.length - 1), after);
  // A numeric that rounds up to ten keeps its exponent in PostgreSQL; printf() does not.
  if (isFloat && mantissa.toString().replace('-', '').startsWith('10')) {
    exponent += 1;
    mantissa = roundNumeric(new Numeric(value.digits, digits.length), after);
  }
  const size = String(Math.abs(exponent)).padStart(2, '0');
  const text = `${mantissa.toString()}e${exponent < 0 ? '-' : '+'}${size}`;
  return text.startsWith('-') ? text : ` ${text}`;
}

/** The number rounded to the places of the format. */
function write(format: NumberFormat, value: Numeric): Written {
  let moved = value;
  if (format.moved > 0) {
    moved = multiplyNumeric(value, new Numeric(powerOfTen(format.moved), 0));
    format.before += format.moved;
  }
  const text = roundNumeric(moved, format.after).toString();
  return { digits: text.replace('-', ''), negative: text.startsWith('-') };
}

function print(value: Numeric, template: string): string {
  const format = parseNumberFormat(template);
  if (format.roman) return roman(format, value);
  if (format.scientific) return scientific(format, value, false);
  return new Printer(format, write(format, value)).print();
}

/** A float has only as many digits as are certain; those after the point give way. */
function printFloat(certainDigits: number) {
  return (value: number, template: string): string => {
    const format = parseNumberFormat(template);
    const exact = exactNumeric(value);
    if (format.roman) return roman(format, exact);
    if (format.scientific) return scientific(format, exact, true);
    if (format.moved > 0) return new Printer(format, write(format, exact)).print();
    const whole = exact.isFinite ? toEven(exact, 0) : exact;
    const places = whole.toString().replace('-', '').length;
    format.after = Math.min(format.after, Math.max(certainDigits - places, 0));
    const text = (exact.isFinite ? toEven(exact, format.after) : exact).toString();
    // printf() keeps the sign of what rounds to nothing.
    const written = { digits: text.replace('-', ''), negative: value < 0 };
    return new Printer(format, written).print();
  };
}

/** Rounded as printf() does: what lies in the middle goes to the even digit. */
function toEven(value: Numeric, scale: number): Numeric {
  if (value.scale <= scale) return roundNumeric(value, scale);
  const unit = powerOfTen(value.scale - scale);
  const below = value.digits / unit;
  const isMiddle = (value.digits % unit) * 2n === (value.digits < 0n ? -unit : unit);
  return isMiddle && below % 2n === 0n ? new Numeric(below, scale) : roundNumeric(value, scale);
}

/** The value of a float to its last binary digit, as printf() has it. */
function exactNumeric(value: number): Numeric {
  if (Number.isNaN(value)) return Numeric.nan;
  if (!Number.isFinite(value)) return value > 0 ? Numeric.infinity : Numeric.negativeInfinity;
  let scale = 0;
  let whole = value;
  while (!Number.isInteger(whole)) {
    whole *= 2;
    scale += 1;
  }
  return new Numeric(BigInt(whole) * 5n ** BigInt(scale), scale);
}

export const toCharNumberFunctions: readonly Definition[] = [
  define('to_char(int4, text): text', (value: number, template: string) =>
    print(numericOfInteger(value), template),
  ),
  define('to_char(int8, text): text', (value: bigint, template: string) =>
    print(numericOfBigint(value), template),
  ),
  define('to_char(numeric, text): text', print),
  define('to_char(float4, text): text', printFloat(6)),
  define('to_char(float8, text): text', printFloat(15)),
];
