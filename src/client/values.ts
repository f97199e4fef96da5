/** Values between JavaScript and the frames of docs/protocol.md. */
import type { FrameColumn, FrameParameter, FrameValue } from '../net/protocol.js';
import { clientError } from './errors.js';

/** JSON as a parameter or a result. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/**
 * What may be a parameter. A Date is sent as its instant, bytes as bytea; other objects and arrays
 * are sent as JSON. `undefined` is refused: write null.
 */
export type Parameter =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | readonly unknown[]
  | { readonly [key: string]: unknown };

/** What a result may hold. */
export type Value = null | boolean | number | bigint | string | Date | Uint8Array | Json;

/**
 * How values of some types are given. Every default is lossless but `timestamptz`, whose Date has
 * milliseconds: ask for 'string' where microseconds matter.
 */
export interface TypeOptions {
  /**
   * `auto` (default): a number where it is exact (up to 2^53), else a bigint. `bigint`, `string`:
   * always. `number`: always, and an error where it would not be exact.
   */
  readonly int8?: 'auto' | 'bigint' | 'number' | 'string';
  /** `string` (default): exact, with its scale. `number`: as float8. */
  readonly numeric?: 'string' | 'number';
  /** `Date` (default); infinity and years outside Date's range come as their text. Or `string`. */
  readonly timestamptz?: 'Date' | 'string';
  /** `parsed` (default), or `string`: the text. */
  readonly json?: 'parsed' | 'string';
}

export type Decoder = (value: Exclude<FrameValue, null>) => Value;

/** The decoder of a column; undefined where the value of the frame is the value. */
export function decoderOf(column: FrameColumn, options: TypeOptions): Decoder | undefined {
  switch (column.type) {
    case 'int8':
      return options.int8 === 'string' ? undefined : int8Decoders[options.int8 ?? 'auto'];
    case 'numeric':
      return options.numeric === 'number' ? Number : undefined;
    case 'float4':
    case 'float8':
      return Number;
    case 'timestamptz':
      return options.timestamptz === 'string' ? undefined : decodeInstant;
    case 'json':
    case 'jsonb':
      return options.json === 'string' ? undefined : (value) => JSON.parse(String(value)) as Json;
    case 'bytea':
      return decodeBytes;
    default:
      return undefined;
  }
}

/**
 * The parameter as a frame carries it. `index` counts from 1 and is named in the error.
 * @throws ShardForgeError 22023 for undefined, functions, symbols and invalid Dates.
 */
export function encodeParameter(value: Parameter, index: number): FrameParameter {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      // JSON has neither infinities nor NaN, and JSON.stringify drops the sign of -0.
      if (Object.is(value, -0)) return '-0';
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? null : encodeObject(value, index);
    default:
      throw clientError(
        'invalid_parameter_value',
        `parameter $${index} is ${value === undefined ? 'undefined' : `a ${typeof value}`}`,
        { hint: 'Use null for a value that is not there.' },
      );
  }
}

function encodeObject(value: object, index: number): string {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) {
      throw clientError('invalid_parameter_value', `parameter $${index} is an invalid Date`);
    }
    return instantText(value);
  }
  if (value instanceof Uint8Array) {
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}`;
  }
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw clientError('invalid_parameter_value', `parameter $${index} is not JSON: ${cause}`, {
      cause,
    });
  }
}

/** ISO 8601 as the node reads it: years over 9999 without the sign, years before 1 as BC. */
function instantText(value: Date): string {
  const year = value.getUTCFullYear();
  const tail = value.toISOString().replace(/^[+-]?\d+/, '');
  if (year > 0) return String(year).padStart(4, '0') + tail;
  return `${String(1 - year).padStart(4, '0')}${tail} BC`;
}

const int8Decoders: Record<'auto' | 'bigint' | 'number', Decoder> = {
  auto: (value) => {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : BigInt(value);
  },
  bigint: BigInt,
  number: (value) => {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw clientError('invalid_parameter_value', `int8 ${value} is not exact as a number`, {
      hint: "Use the option types: { int8: 'bigint' }.",
    });
  },
};

const instant = /^(\d{4})-(\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?([+-]\d\d)(?::?(\d\d))?$/;

/** PostgreSQL writes `2024-05-01 10:00:00.123456+02`; Date reads ISO 8601 with milliseconds. */
function decodeInstant(value: Exclude<FrameValue, null>): Value {
  const parts = instant.exec(String(value));
  if (parts === null) return value;
  const [, year, day, time, fraction = '', hours, minutes = '00'] = parts;
  const milliseconds = fraction.padEnd(3, '0').slice(0, 3);
  return new Date(`${year}-${day}T${time}.${milliseconds}${hours}:${minutes}`);
}

function decodeBytes(value: Exclude<FrameValue, null>): Uint8Array {
  const hex = String(value).slice(2);
  const bytes = new Uint8Array(hex.length / 2);
  bytes.set(Buffer.from(hex, 'hex'));
  return bytes;
}
