/** Values in the binary forms of PostgreSQL's send and receive functions. */
import { raise } from '../../base/errors.js';
import {
  byteOfCharacter,
  characterOfByte,
  checkedDate,
  checkedTimestamp,
  Interval,
  NamedOid,
  type Numeric,
  printType,
  readUtf8,
  registeredTypeNames,
  typeNamed,
  type Value,
  ZonedTime,
} from '../types/index.js';
import { arrayCodec } from './binary-array.js';
import { bitCodec } from './binary-bits.js';
import { badBinary, type BinaryCodec, tooShort } from './binary-codec.js';
import { readNumeric, writeNumeric } from './binary-numeric.js';
import { compositeCodec, recordCodec } from './binary-record.js';

/** Raises 0A000 for a type without binary form here. */
export function binaryCodec(type: string): BinaryCodec {
  const codec = codecs.get(type);
  if (codec !== undefined) return codec;
  const { form } = typeNamed(type);
  if (form?.kind === 'array') return arrayCodec(typeNamed(form.element), binaryCodec(form.element));
  if (form?.kind === 'domain' || form?.kind === 'collated') return binaryCodec(form.base);
  if (form?.kind === 'enum') return labels(type);
  if (form?.kind === 'composite') return compositeCodec(form.shape, binaryCodec);
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
      if (bytes.length < length) tooShort();
      if (bytes.length > length) badBinary();
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
  read: (bytes) => readUtf8(bytes),
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
    if (bytes.length < 16) tooShort();
    if (bytes.length > 16) badBinary();
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  },
};

const time = fixed<number>(
  8,
  (bytes, value) => bytes.writeBigInt64BE(BigInt(value)),
  (bytes) => readTime(bytes.readBigInt64BE()),
);

function readTime(value: bigint): number {
  const micros = Number(value);
  if (micros >= 0 && micros <= microsPerDay) return micros;
  raise('datetime_field_overflow', 'time out of range');
}

/** Seconds from UTC that no zone reaches (datatype/timestamp.h's TZDISP_LIMIT). */
const offsetEnd = 16 * 3600;

/** The zone is written in seconds west of UTC. */
const zonedTime = fixed<ZonedTime>(
  12,
  (bytes, value) => {
    bytes.writeBigInt64BE(BigInt(value.time));
    bytes.writeInt32BE(-value.offset, 8);
  },
  (bytes) => {
    const micros = readTime(bytes.readBigInt64BE());
    const west = bytes.readInt32BE(8);
    if (Math.abs(west) < offsetEnd) return new ZonedTime(micros, 0 - west);
    raise('invalid_time_zone_displacement_value', 'time zone displacement out of range');
  },
);

const character = fixed<string>(
  1,
  (bytes, value) => bytes.writeUInt8(byteOfCharacter(value)),
  (bytes) => characterOfByte(bytes[0] ?? 0),
);

const registered = fixed<NamedOid>(
  4,
  (bytes, value) => bytes.writeUInt32BE(value.oid),
  (bytes) => new NamedOid(bytes.readUInt32BE(), undefined),
);

/** jsonb and jsonpath are sent as texts behind the version of their format. */
function versioned(type: 'jsonb' | 'jsonpath'): BinaryCodec {
  return {
    write: (value, context) => {
      const printed = Buffer.from(typeNamed(type).print(value, context), 'utf8');
      return Buffer.concat([Buffer.of(textVersion), printed]);
    },
    read: (bytes, context) => {
      if (bytes.length === 0) tooShort();
      const [version] = bytes;
      if (version !== textVersion) {
        const problem = `unsupported ${type} version number ${version}`;
        raise('invalid_binary_representation', problem);
      }
      return typeNamed(type).parse(readUtf8(bytes.subarray(1)), -1, context);
    },
  };
}

const textVersion = 1;

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
  ['time', time],
  ['timetz', zonedTime],
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
  ['jsonb', versioned('jsonb')],
  ['jsonpath', versioned('jsonpath')],
  ['char', character],
  ['bit', bitCodec],
  ['varbit', bitCodec],
  ['unknown', text],
  ['void', { write: () => new Uint8Array(0), read: () => '' }],
  ['record', recordCodec(binaryCodec)],
  ...registeredTypeNames.map((name): [string, BinaryCodec] => [name, registered]),
]);
