/** to_char() of numbers: the patterns 9 0 . , D G MI S PR and FM of PostgreSQL's table 9.34. */
import { raise } from '../../base/errors.js';
import { printFloat8 } from '../types/float.js';
import type { Numeric } from '../types/numeric.js';
import {
  abs,
  numericOfBigint,
  numericOfInteger,
  powerOfTen,
  rescale,
  signOf,
} from '../types/numeric.js';
import { parseNumeric } from '../types/numeric-type.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';

interface Format {
  /** One for each place: a digit (`9`, `0`), `,`, `.`, a sign, or text. */
  readonly places: readonly string[];
  readonly fill: boolean;
  /** Digits before and after the point. */
  readonly whole: number;
  readonly fraction: number;
  readonly sign: 'plain' | 'MI' | 'S' | 'PR';
}

const token = /FM|MI|PR|\\"|"(?:[^"\\]|\\.)*"|./gisu;
const missing = /^(EEEE|RN|TH|PL|SG|V|L|B|C)/i;

function parseFormat(format: string): Format {
  const places: string[] = [];
  let fill = true;
  let sign: Format['sign'] = 'plain';
  let whole = 0;
  let fraction = 0;
  let pointSeen = false;
  for (const { 0: text, index } of format.matchAll(token)) {
    const upper = text.toUpperCase();
    const rest = format.slice(index);
    if (missing.test(rest)) {
      raise(
        'feature_not_supported',
        `to_char() with the pattern "${missing.exec(rest)?.[0]}" is not supported`,
      );
    }
    if (upper === 'FM') fill = false;
    else if (upper === 'MI' || upper === 'PR' || upper === 'S') {
      sign = upper;
      if (upper !== 'PR') places.push(upper);
    } else if (text === '9' || text === '0') {
      if (pointSeen) fraction += 1;
      else whole += 1;
      places.push(text);
    } else if (text === '.' || upper === 'D') {
      if (pointSeen) raise('syntax_error', 'multiple decimal points');
      pointSeen = true;
      places.push('.');
    } else if (text === ',' || upper === 'G') places.push(',');
    else if (text === '\\"') places.push('"');
    else places.push(text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text);
  }
  return { places, fill, whole, fraction, sign };
}

function print(value: Numeric, text: string): string {
  const format = parseFormat(text);
  if (!value.isFinite) {
    raise('feature_not_supported', 'to_char() of NaN and infinity is not supported');
  }
  const digits = rescale(value.digits, value.scale, format.fraction);
  const shown = abs(digits)
    .toString()
    .padStart(format.fraction + 1, '0');
  const whole = shown.slice(0, shown.length - format.fraction);
  const significant = abs(digits) < powerOfTen(format.fraction) ? '' : whole;
  const negative = signOf(value) < 0 && digits !== 0n;
  const overflows = significant.length > format.whole;
  const fractionDigits = shown.slice(shown.length - format.fraction);
  const placed = overflows
    ? placeOverflow(format)
    : place(format, significant, format.fraction === 0 ? '' : fractionDigits);
  return withSign(format, placed, negative);
}

function placeOverflow({ places }: Format): string[] {
  return places.map((place) => (place === '9' || place === '0' ? '#' : place));
}

/** A character for each place: blanks stand before the first digit. */
function place(format: Format, whole: string, fraction: string): string[] {
  const { places, fill } = format;
  const zeroAt = places.indexOf('0');
  const pointAt = places.indexOf('.');
  const lastZero = places.lastIndexOf('0');
  let skipped = format.whole - whole.length;
  let started = false;
  let next = 0;
  let after = 0;
  const trimmedFraction = fraction.replace(/0+$/, '').length;
  return places.map((place, i) => {
    const inFraction = pointAt >= 0 && i > pointAt;
    if (place === '9' || place === '0') {
      if (inFraction) {
        const digit = fraction[after] ?? '';
        after += 1;
        return fill || after <= trimmedFraction || i <= lastZero ? digit : '';
      }
      if (skipped > 0) {
        skipped -= 1;
        if (zeroAt >= 0 && i >= zeroAt) started = true;
        else if (skipped === 0 && pointAt < 0 && whole === '') started = true;
        return started ? '0' : fill ? ' ' : '';
      }
      started = true;
      next += 1;
      return whole[next - 1] ?? '';
    }
    if (place === '.') return fill || format.fraction > 0 ? place : '';
    if (place === ',') return started ? ',' : fill ? ' ' : '';
    return place;
  });
}

/** The sign takes the place before the first digit unless the format gives it one. */
function withSign(
  { sign, fill, places }: Format,
  placed: readonly string[],
  negative: boolean,
): string {
  if (sign === 'MI' || sign === 'S') {
    const shown = negative ? '-' : sign === 'S' ? '+' : fill ? ' ' : '';
    const leading = sign === 'S' && places[0] === 'S';
    const text = placed.map((part) => (part === sign ? (leading ? '' : shown) : part)).join('');
    return leading ? text.replace(/^( *)/, `$1${shown}`) : text;
  }
  // Text before the first place of a digit stays before the sign.
  const first = places.findIndex((place) => place === '9' || place === '0' || place === '.');
  const prefix = placed.slice(0, first).join('');
  const text = placed.slice(first).join('');
  if (sign === 'PR') {
    if (negative) return `${prefix}${text.replace(/^( *)/, '$1<')}>`;
    return fill ? `${prefix} ${text} ` : prefix + text;
  }
  const mark = negative ? '-' : fill ? ' ' : '';
  return prefix + (negative ? text.replace(/^( *)/, `$1${mark}`) : mark + text);
}

export const toCharNumberFunctions: readonly Definition[] = [
  define('to_char(int4, text): text', (value: number, format: string) =>
    print(numericOfInteger(value), format),
  ),
  define('to_char(int8, text): text', (value: bigint, format: string) =>
    print(numericOfBigint(value), format),
  ),
  define('to_char(numeric, text): text', print),
  define('to_char(float4, text): text', (value: number, format: string) =>
    print(parseNumeric(printFloat8(value)), format),
  ),
  define('to_char(float8, text): text', (value: number, format: string) =>
    print(parseNumeric(printFloat8(value)), format),
  ),
];
