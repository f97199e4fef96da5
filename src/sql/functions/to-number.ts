/** to_number(): a text read as a template says (NUM_processor() of formatting.c). */
import { raise } from '../../base/errors.js';
import { multiplyNumeric, Numeric, powerOfTen } from '../types/numeric.js';
import { fitNumeric, parseNumeric } from '../types/numeric-type.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';
import { type NumberFormat, type NumberToken, parseNumberFormat } from './number-format.js';

class NumberReader {
  readonly #format: NumberFormat;
  readonly #text: string;
  #at = 0;
  #sign = ' ';
  #number = '';
  #digitsBefore = 0;
  #digitsAfter = 0;
  #pointSeen = false;

  constructor(format: NumberFormat, text: string) {
    this.#format = format;
    this.#text = text;
  }

  read(): { readonly text: string; readonly digitsAfter: number } {
    for (const part of this.#format.parts) {
      if (this.#at >= this.#text.length) break;
      if (part.kind === 'text')
        this.#at += (this.#text.codePointAt(this.#at) ?? 0) > 0xffff ? 2 : 1;
      else this.#token(part.token);
    }
    const text = `${this.#sign}${this.#number}`.replace(/\.$/, '');
    return { text, digitsAfter: this.#digitsAfter };
  }

  #peek(offset = 0): string {
    return this.#text[this.#at + offset] ?? '';
  }

  #token(token: NumberToken): void {
    switch (token) {
      case '9':
      case '0':
      case '.':
      case 'D':
        this.#digit(token);
        this.#at += 1;
        return;
      case ',':
      case 'G':
        if (!this.#format.unfilled && this.#peek() === ',') this.#at += 1;
        return;
      case 'L':
        this.#eat(1);
        return;
      case 'TH':
      case 'th':
        if (this.#sign !== '-' && !this.#format.hasPoint) this.#eat(2);
        return;
      case 'MI':
        this.#signOf('-');
        return;
      case 'PL':
        this.#signOf('+');
        return;
      case 'SG':
        this.#signOf('-+');
        return;
      default:
    }
  }

  #signOf(signs: string): void {
    if (this.#peek() !== '' && signs.includes(this.#peek())) {
      this.#sign = this.#peek();
      this.#at += 1;
    } else {
      this.#eat(1);
    }
  }

  /** Passes over characters that belong to no number. */
  #eat(count: number): void {
    for (let i = 0; i < count && this.#at < this.#text.length; i += 1) {
      if ('0123456789.,+-'.includes(this.#peek())) return;
      this.#at += (this.#text.codePointAt(this.#at) ?? 0) > 0xffff ? 2 : 1;
    }
  }

  #digit(token: '9' | '0' | '.' | 'D'): void {
    if (this.#peek() === ' ') this.#at += 1;
    const nothingRead = this.#digitsBefore + this.#digitsAfter === 0;
    if (this.#sign === ' ' && (token === '9' || token === '0') && nothingRead) this.#leadingSign();
    if (this.#at >= this.#text.length) return;
    let isRead = false;
    if (/^\d$/.test(this.#peek())) {
      if (this.#pointSeen && this.#digitsAfter === this.#format.after) return;
      this.#number += this.#peek();
      if (this.#pointSeen) this.#digitsAfter += 1;
      else this.#digitsBefore += 1;
      isRead = true;
    } else if (this.#format.hasPoint && !this.#pointSeen && this.#peek() === '.') {
      this.#number += '.';
      this.#pointSeen = true;
      isRead = true;
    }
    if (this.#sign === ' ' && this.#digitsBefore + this.#digitsAfter > 0)
      this.#trailingSign(isRead);
  }

  #leadingSign(): void {
    const { sign, brackets } = this.#format;
    if (sign === 'after') return;
    const mark = this.#peek();
    if (mark === '-' || (sign === 'none' && brackets && mark === '<')) this.#sign = '-';
    else if (mark === '+') this.#sign = '+';
    else return;
    this.#at += 1;
  }

  /** The exact place of a sign behind the number is not known, so it is looked for after each digit. */
  #trailingSign(isRead: boolean): void {
    const { sign, hasMinus, hasPlus } = this.#format;
    if (sign !== 'none') {
      if (!isRead || (this.#peek(1) !== '-' && this.#peek(1) !== '+')) return;
      this.#at += 1;
      this.#sign = this.#peek();
    } else if (!isRead && (hasMinus || hasPlus)) {
      if (this.#peek() === '-' || this.#peek() === '+') this.#sign = this.#peek();
    }
  }
}

function toNumber(text: string, template: string): Numeric {
  const format = parseNumberFormat(template);
  if (format.scientific) raise('feature_not_supported', '"EEEE" not supported for input');
  if (format.roman) raise('feature_not_supported', '"RN" not supported for input');
  const { text: digits, digitsAfter } = new NumberReader(format, text).read();
  const precision = format.before + format.moved + digitsAfter;
  const modifier = ((precision << 16) | digitsAfter) + 4;
  const read = fitNumeric(parseNumeric(digits), modifier);
  if (format.moved === 0) return read;
  // As power(10, -n) gives it: with sixteen digits that count.
  return multiplyNumeric(read, new Numeric(powerOfTen(16), 16 + format.moved));
}

export const toNumberFunctions: readonly Definition[] = [
  define('to_number(text, text): numeric', (text: string, template: string) =>
    template === '' ? null : toNumber(text, template),
  ),
];
