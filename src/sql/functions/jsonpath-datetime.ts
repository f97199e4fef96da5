/** Dates and times within jsonpath: datetime() reads ISO 8601, and compares as PostgreSQL's types do. */
import { raise } from '../../base/errors.js';
import { instantOf, printDate, printTimestamp } from '../types/datetime-type.js';
import { type FunctionContext, typeNamed, type Value } from '../types/index.js';
import type { JsonNode } from '../types/jsonb.js';
import { fail } from './jsonpath-failure.js';

type MomentType = 'date' | 'time' | 'timetz' | 'timestamp' | 'timestamptz';

/** A date or time that datetime() has read. */
export class Moment {
  readonly type: MomentType;
  readonly value: Value;
  /** As it leaves: ISO 8601. */
  readonly text: string;

  constructor(type: MomentType, value: Value, text: string) {
    this.type = type;
    this.value = value;
    this.text = text;
  }

  /** What .type() gives. */
  get typeName(): string {
    return typeNamed(this.type).sqlName;
  }
}

/** What a path gives: JSON, or a date or time that is JSON once it leaves. */
export type PathValue = JsonNode | Moment;

const date = '\\d{4}-\\d\\d-\\d\\d';
const time = '\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,6})?';
const zone = '[+-]\\d\\d(?::?\\d\\d)?';
const shapes: readonly (readonly [MomentType, RegExp])[] = [
  ['date', new RegExp(`^${date}$`)],
  ['timetz', new RegExp(`^${time} ?${zone}$`)],
  ['time', new RegExp(`^${time}$`)],
  ['timestamptz', new RegExp(`^${date}[ T]${time} ?${zone}$`)],
  ['timestamp', new RegExp(`^${date}[ T]${time}$`)],
];

/** Raises what PostgreSQL raises for anything that is no date or time. */
export function readMoment(
  value: PathValue,
  template: string | undefined,
  context: FunctionContext,
): Moment {
  if (template !== undefined) {
    raise('feature_not_supported', 'a template of jsonpath datetime() is not supported');
  }
  if (typeof value !== 'string') {
    const text = 'jsonpath item method .datetime() can only be applied to a string';
    return fail('invalid_argument_for_sql_json_datetime_function', text);
  }
  const type = shapes.find(([, shape]) => shape.test(value))?.[0];
  if (type === undefined) {
    const text = `datetime format is not recognized: ${JSON.stringify(value)}`;
    return fail('invalid_argument_for_sql_json_datetime_function', text);
  }
  const read = typeNamed(type).parse(value, -1, context);
  return new Moment(type, read, momentText(type, read, value));
}

/** A time zone is kept as it was given. */
function momentText(type: MomentType, read: Value, given: string): string {
  const offset = new RegExp(`${zone}$`).exec(given)?.[0] ?? '';
  const shownOffset = offset.length === 3 ? `${offset}:00` : offset;
  switch (type) {
    case 'date':
      return printDate(read as number);
    case 'timestamp':
      return printTimestamp(read as bigint, 'T');
    case 'timestamptz':
      return `${given
        .slice(0, given.length - offset.length)
        .trim()
        .replace(' ', 'T')}${shownOffset}`;
    case 'timetz':
      return `${given.slice(0, given.length - offset.length).trim()}${shownOffset}`;
    case 'time':
      return given;
  }
}

const zoned: ReadonlySet<MomentType> = new Set(['timetz', 'timestamptz']);

/** Undefined for types that cannot be compared, such as a date and a time. */
export function compareMoments(
  a: Moment,
  b: Moment,
  usesZone: boolean,
  context: FunctionContext,
): number | undefined {
  const isTime = (one: Moment): boolean => one.type === 'time' || one.type === 'timetz';
  if (isTime(a) !== isTime(b)) return undefined;
  if (zoned.has(a.type) !== zoned.has(b.type) && !usesZone) {
    const [from, to] = zoned.has(a.type) ? [b, a] : [a, b];
    const text = `cannot convert value from ${from.type} to ${to.type} without time zone usage`;
    raise('feature_not_supported', text, {
      hint: 'Use *_tz() function for time zone support.',
    });
  }
  if (isTime(a)) return compareTimes(a, b, context);
  const [left, right] = [instant(a, b, context), instant(b, a, context)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Microseconds since 2000: local ones unless the other has a zone. */
function instant(one: Moment, other: Moment, context: FunctionContext): bigint {
  switch (one.type) {
    case 'timestamptz':
      return one.value as bigint;
    case 'date':
    case 'timestamp': {
      const local =
        one.type === 'date' ? BigInt(one.value as number) * 86_400_000_000n : (one.value as bigint);
      return other.type === 'timestamptz' ? instantOf(local, context.timeZone) : local;
    }
    default:
      return raise('internal_error', 'a time is no instant');
  }
}

function compareTimes(a: Moment, b: Moment, context: FunctionContext): number {
  if (a.type === b.type)
    return typeNamed(a.type).compare?.(a.value as never, b.value as never) ?? 0;
  const inZone = (one: Moment): Value =>
    one.type === 'timetz' ? one.value : typeNamed('timetz').parse(one.text, -1, context);
  return typeNamed('timetz').compare?.(inZone(a), inZone(b)) ?? 0;
}
