/** interval as a type. Its modifier is pg_attribute's: a mask of fields above a precision. */
import { raise } from '../../base/errors.js';
import { printIntervalStyled } from './date-style.js';
import { roundMicros } from './datetime-type.js';
import { compareIntervals, Interval, printInterval, spanOf } from './interval.js';
import { type IntervalUnit, parseInterval } from './interval-input.js';
import type { Type } from './type.js';

const fullRange = 0x7fff;
const fullPrecision = 0xffff;

/** Bits of the mask, from the largest field to the smallest. */
const fieldBits: readonly (readonly [IntervalUnit, number])[] = [
  ['year', 1 << 2],
  ['month', 1 << 1],
  ['day', 1 << 3],
  ['hour', 1 << 10],
  ['minute', 1 << 11],
  ['second', 1 << 12],
];

function rangeOf(modifier: number): number {
  return modifier < 0 ? fullRange : (modifier >> 16) & 0x7fff;
}

/** The last field of the range: what a bare number counts. */
function lastField(modifier: number): IntervalUnit {
  const range = rangeOf(modifier);
  let last: IntervalUnit = 'second';
  if (range === fullRange) return last;
  for (const [unit, bit] of fieldBits) if ((range & bit) !== 0) last = unit;
  return last;
}

/** Cuts what is below the last field and rounds to the precision. */
export function fitInterval(value: Interval, modifier: number): Interval {
  if (modifier < 0) return value;
  const precision = modifier & 0xffff;
  const { months, days, micros } = value;
  const cut = (unit: bigint) => (micros / unit) * unit;
  switch (lastField(modifier)) {
    case 'year':
      return new Interval(Math.trunc(months / 12) * 12, 0, 0n);
    case 'month':
      return new Interval(months, 0, 0n);
    case 'day':
      return new Interval(months, days, 0n);
    case 'hour':
      return new Interval(months, days, cut(3_600_000_000n));
    case 'minute':
      return new Interval(months, days, cut(60_000_000n));
    default:
      return new Interval(months, days, roundMicros(micros, precision > 6 ? -1 : precision));
  }
}

function modifierOf(numbers: readonly number[]): number {
  const [range, precision = fullPrecision] = numbers;
  if (range === undefined || numbers.length > 2) {
    raise('invalid_parameter_value', 'invalid INTERVAL type modifier');
  }
  if (precision < 0) {
    raise('invalid_parameter_value', `INTERVAL(${precision}) precision must not be negative`);
  }
  const kept = precision === fullPrecision ? fullPrecision : Math.min(precision, 6);
  return range === fullRange && kept === fullPrecision ? -1 : ((range & 0x7fff) << 16) | kept;
}

function printModifier(modifier: number): string {
  const range = rangeOf(modifier);
  const precision = modifier & 0xffff;
  const shown = precision === fullPrecision ? '' : `(${precision})`;
  if (range === fullRange) return shown;
  const fields = fieldBits.filter(([, bit]) => (range & bit) !== 0).map(([unit]) => unit);
  const [first = '', last = first] = [fields[0], fields.at(-1)];
  return ` ${first === last ? first : `${first} to ${last}`}${shown}`;
}

const offset = 1n << 127n;

export const intervalType: Type = {
  name: 'interval',
  oid: 1186,
  arrayOid: 1187,
  sqlName: 'interval',
  length: 16,
  category: 'T',
  preferred: true,
  textDependsOnContext: false,
  modifierOf,
  printModifier,
  parse: (text, modifier) => fitInterval(parseInterval(text, lastField(modifier)), modifier),
  print: (value, context) => {
    const style = context.setting('intervalstyle') ?? 'postgres';
    const interval = value as Interval;
    return style === 'postgres' ? printInterval(interval) : printIntervalStyled(interval, style);
  },
  compare: (a, b) => compareIntervals(a as Interval, b as Interval),
  equals: (a, b) => compareIntervals(a as Interval, b as Interval) === 0,
  hashKey: (value) => spanOf(value as Interval),
  sizeOf: () => 64,
  key: {
    lossless: false,
    encode: (writer, value) => {
      const key = spanOf(value as Interval) + offset;
      writer.int64(BigInt.asIntN(64, key >> 64n)).int64(BigInt.asIntN(64, key));
    },
    decode: (reader) => {
      const high = BigInt.asUintN(64, reader.int64());
      const span = ((high << 64n) | BigInt.asUintN(64, reader.int64())) - offset;
      const days = span / 86_400_000_000n;
      // Whole days beyond what an interval's days take are months of 30 days.
      const months = days / 30n;
      const kept = BigInt.asIntN(32, days) === days ? 0n : months;
      return new Interval(Number(kept), Number(days - kept * 30n), span % 86_400_000_000n);
    },
  },
  encode: (writer, value) => {
    const { months, days, micros } = value as Interval;
    writer
      .uint32(months >>> 0)
      .uint32(days >>> 0)
      .int64(micros);
  },
  decode: (reader) => new Interval(reader.uint32() | 0, reader.uint32() | 0, reader.int64()),
};
