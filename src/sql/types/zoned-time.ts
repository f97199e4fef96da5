/** timetz: a time of day with the offset of its zone. */
import { printTime, splitTimestamp } from './calendar.js';
import { dateStyleOf } from './date-style.js';
import { badFormat, readDateTime } from './datetime-input.js';
import { fitTime, localOf, precisionOf, printOffset } from './datetime-type.js';
import type { FunctionContext, Type } from './type.js';
import type { Value } from './value.js';
import type { TimeZone } from './zone.js';

export class ZonedTime {
  /** Microseconds since midnight by the local clock, up to 24:00. */
  readonly time: number;
  /** Seconds east of UTC. */
  readonly offset: number;

  constructor(time: number, offset: number) {
    this.time = time;
    this.offset = offset;
  }
}

const name = 'time with time zone';

function parseZonedTime(text: string, context: FunctionContext): ZonedTime {
  const parts = readDateTime(text, name, dateStyleOf(context).order);
  const { special, time, days, zone } = parts;
  if (special === 'now') return zonedTimeOf(context.transactionTimestamp, context);
  if (special !== undefined || time === undefined) badFormat(text, name);
  if (typeof zone === 'number') return new ZonedTime(time, zone);
  // A zone with summer time has no offset without a date.
  if (zone !== undefined && days === undefined && !isFixed(zone)) badFormat(text, name);
  const at = zone ?? context.timeZone;
  const day = days ?? splitTimestamp(localOf(context.transactionTimestamp, context.timeZone)).days;
  const local = BigInt(day) * 86_400_000_000n + BigInt(time);
  return new ZonedTime(time, at.offsetOfLocal(local));
}

const halfYearMicros = 182n * 86_400_000_000n;

function isFixed(zone: TimeZone): boolean {
  return zone.offsetAt(0n) === zone.offsetAt(halfYearMicros);
}

/** The time of day at an instant in the session's zone. */
export function zonedTimeOf(micros: bigint, { timeZone }: FunctionContext): ZonedTime {
  const { time } = splitTimestamp(localOf(micros, timeZone));
  return new ZonedTime(time, timeZone.offsetAt(micros));
}

/** Microseconds since midnight in UTC: below zero or over a day for a time far from it. */
function universal(value: Value): number {
  const { time, offset } = value as ZonedTime;
  return time - offset * 1_000_000;
}

/** By the instant, then by the zone: no two that print differently are equal. */
export function compareZonedTimes(a: Value, b: Value): number {
  return universal(a) - universal(b) || (b as ZonedTime).offset - (a as ZonedTime).offset;
}

/** Beyond the widest offset, so that keys are not negative. */
const universalShift = 2 * 86_400_000_000;
const offsetShift = 86_400;

export const zonedTimeType: Type = {
  name: 'timetz',
  oid: 1266,
  arrayOid: 1270,
  sqlName: name,
  length: 12,
  category: 'D',
  preferred: false,
  textDependsOnContext: true,
  modifierOf: precisionOf(name),
  printModifier: (modifier) => `(${modifier})`,
  parse: (text, modifier, context) => fitZonedTime(parseZonedTime(text, context), modifier),
  print: (value) => {
    const { time, offset } = value as ZonedTime;
    return printTime(time) + printOffset(offset);
  },
  compare: compareZonedTimes,
  equals: (a, b) => compareZonedTimes(a, b) === 0,
  hashKey: (value) => `${(value as ZonedTime).time};${(value as ZonedTime).offset}`,
  sizeOf: () => 40,
  key: {
    lossless: true,
    encode: (writer, value) => {
      // West sorts after east.
      writer
        .uint53(universal(value) + universalShift)
        .uint32(offsetShift - (value as ZonedTime).offset);
    },
    decode: (reader) => {
      const micros = reader.uint53() - universalShift;
      const offset = offsetShift - reader.uint32();
      return new ZonedTime(micros + offset * 1_000_000, offset);
    },
  },
  encode: (writer, value) => {
    const { time, offset } = value as ZonedTime;
    writer.varint(time).varint(offset + offsetShift);
  },
  decode: (reader) => new ZonedTime(reader.varint(), reader.varint() - offsetShift),
};

export function fitZonedTime(value: ZonedTime, precision: number): ZonedTime {
  return new ZonedTime(fitTime(value.time, precision), value.offset);
}
