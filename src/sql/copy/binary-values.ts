/** Values in the binary forms of PostgreSQL's send and receive functions. */
import { raise } from '../../base/errors.js';
import {
  checkedDate,
  checkedTimestamp,
  type FunctionContext,
  Interval,
  type Numeric,
  printType,
  typeNamed,
  type Value,
} from '../types/index.js';
import { arrayCodec } from './binary-array.js';
import { readNumeric, writeNumeric } from './binary-numeric.js';

export interface BinaryCodec {
  write(value: Value, context: FunctionContext): Uint8Array;
  /** Raises 22P03 for bytes that are no value, and the type's own errors. */
  read(bytes: Buffer, context: FunctionContext): Value;
}

/** Raises 0A000 for a type without binary form here. */
export function binaryCodec(type: string): BinaryCodec {
  const codec = codecs.get(type);
  if (codec !== undefined) return codec;
  const { form } = typeNamed(type);
  if (form?.kind === 'array') return arrayCodec(typeNamed(form.element), binaryCodec(form.element));
  if (form?.kind === 'domain' || form?.kind === 'collated') return binaryCodec(form.base);
  if (form?.kind === 'enum') return labels(type);
  raise('feature_not_supported', `binary format of type ${printType(type, -1)} is not supported`);
}

/** An enum's values are their labels. */
function labels(type: string): BinaryCodec {
  const named = typeNamed(type);
  return {
    write: (value, context) => text.write(named.print(value, context), context),
    read: (bytes, context) => named.parse(text.read(bytes, context) as string, -1, context),
  };
}

export function badBinary(): never {
  raise('invalid_binary_representation', 'incorrect binary data format');
}

function fixed<V extends Value>(
  length: number,
  write: (bytes: Buffer, value: V) => void,
  read: (bytes: Buffer) => V,
): BinaryCodec {
  return {
    write(value) {
      const bytes = Buffer.alloc(length);
      write(bytes, value as V);
      return bytes;
    },
    read(bytes) {
      if (bytes.length !== length) badBinary();
      return read(bytes);
    },
  };
}

const dayInfinity = 0x7fff_ffff;
const dayMinusInfinity = -0x8000_0000;

function dayOf(value: number): number {
  if (value === Number.POSITIVE_INFINITY) return dayInfinity;
  return value === Number.NEGATIVE_INFINITY ? dayMinusInfinity : value;
}

function valueOfDay(day: number): number {
  if (day === dayInfinity) return Number.POSITIVE_INFINITY;
  return day === dayMinusInfinity ? Number.NEGATIVE_INFINITY : day;
}

const text: BinaryCodec = {
  write: (value) => Buffer.from(value as string, 'utf8'),
  read: (bytes) => {
    const value = bytes.toString('utf8');
    if (!value.includes('\0') && Buffer.from(value).equals(bytes)) return value;
    raise('character_not_in_repertoire', 'invalid byte sequence for encoding "UTF8"');
  },
};

const int8 = fixed<bigint>(
  8,
  (bytes, value) => bytes.writeBigInt64BE(value),
  (bytes) => bytes.readBigInt64BE(),
);

const timestamp: BinaryCodec = {
  write: int8.write,
  read: (bytes, context) => checkedTimestamp(int8.read(bytes, context) as bigint),
};

const microsPerDay = 86_400_000_000;

const uuid: BinaryCodec = {
  write: (value) => Buffer.from((value as string).replaceAll('-', ''), 'hex'),
  read: (bytes) => {
    if (bytes.length !== 16) badBinary();
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  },
};

const jsonbVersion = 1;

const codecs: ReadonlyMap<string, BinaryCodec> = new Map<string, BinaryCodec>([
  [
    'bool',
    fixed<boolean>(
      1,
      (bytes, value) => bytes.writeUInt8(value ? 1 : 0),
      (bytes) => bytes[0] !== 0,
    ),
  ],
  [
    'int2',
    fixed<number>(
      2,
      (bytes, value) => bytes.writeInt16BE(value),
      (bytes) => bytes.readInt16BE(),
    ),
  ],
  [
    'int4',
    fixed<number>(
      4,
      (bytes, value) => bytes.writeInt32BE(value),
      (bytes) => bytes.readInt32BE(),
    ),
  ],
  [
    'oid',
    fixed<number>(
      4,
      (bytes, value) => bytes.writeUInt32BE(value),
      (bytes) => bytes.readUInt32BE(),
    ),
  ],
  ['int8', int8],
  [
    'time',
    fixed<number>(
      8,
      (bytes, value) => bytes.writeBigInt64BE(BigInt(value)),
      (bytes) => {
        const micros = Number(bytes.readBigInt64BE());
        if (micros >= 0 && micros <= microsPerDay) return micros;
        raise('datetime_field_overflow', 'time out of range');
      },
    ),
  ],
  ['timestamp', timestamp],
  ['timestamptz', timestamp],
  [
    'date',
    fixed<number>(
      4,
      (bytes, value) => bytes.writeInt32BE(dayOf(value)),
      (bytes) => checkedDate(valueOfDay(bytes.readInt32BE())),
    ),
  ],
  [
    'float4',
    fixed<number>(
      4,
      (bytes, value) => bytes.writeFloatBE(value),
      (bytes) => bytes.readFloatBE(),
    ),
  ],
  [
    'float8',
    fixed<number>(
      8,
      (bytes, value) => bytes.writeDoubleBE(value),
      (bytes) => bytes.readDoubleBE(),
    ),
  ],
  [
    'interval',
    fixed<Interval>(
      16,
      (bytes, value) => {
        bytes.writeBigInt64BE(value.micros);
        bytes.writeInt32BE(value.days, 8);
        bytes.writeInt32BE(value.months, 12);
      },
      (bytes) => new Interval(bytes.readInt32BE(12), bytes.readInt32BE(8), bytes.readBigInt64BE()),
    ),
  ],
  ['numeric', { write: (value) => writeNumeric(value as Numeric), read: readNumeric }],
  ['text', text],
  ['varchar', text],
  ['bpchar', text],
  ['name', text],
  [
    'json',
    {
      write: text.write,
      read: (bytes, context) =>
        typeNamed('json').parse(text.read(bytes, context) as string, -1, context),
    },
  ],
  [
    'bytea',
    {
      write: (value) => value as Uint8Array,
      read: (bytes) => Uint8Array.prototype.slice.call(bytes),
    },
  ],
  ['uuid', uuid],
  [
    'jsonb',
    {
      write: (value, context) => {
        const printed = Buffer.from(typeNamed('jsonb').print(value, context), 'utf8');
        return Buffer.concat([Buffer.of(jsonbVersion), printed]);
      },
      read: (bytes, context) => {
        if (bytes[0] !== jsonbVersion) badBinary();
        return typeNamed('jsonb').parse(
          text.read(bytes.subarray(1), context) as string,
          -1,
          context,
        );
      },
    },
  ],
]);
