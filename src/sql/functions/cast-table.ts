/** The rows of pg_cast for our types, and how a value is fitted to a modifier. */
import { raise } from '../../base/errors.js';
import { printType, typeNamed, typeOfOid } from '../types/index.js';
import type { FunctionContext, TypeName, Value } from '../types/index.js';
import { fitTime, isInfiniteTimestamp, roundMicros } from '../types/datetime-type.js';
import { parseFloat4, parseFloat8 } from '../types/float.js';
import { fitBits } from '../types/bit-string.js';
import { Interval } from '../types/interval.js';
import { fitInterval } from '../types/interval-type.js';
import {
  isArray,
  isObject,
  type Jsonb,
  type JsonNode,
  parseJsonb,
  printNode,
} from '../types/jsonb.js';
import {
  Numeric,
  numberOf,
  numericOfBigint,
  numericOfFloat,
  numericOfInteger,
  wholeOf,
} from '../types/numeric.js';
import { fitNumeric } from '../types/numeric-type.js';
import { byteOfCharacter, characterOfByte, parseCharacter } from '../types/one-byte-character.js';
import { NamedOid, registeredTypeNames } from '../types/registered.js';
import type { RegisteredTypeName } from '../types/type.js';
import { fitZonedTime, ZonedTime, zonedTimeOf } from '../types/zoned-time.js';
import { fitBpchar, fitName, fitVarchar, trimBlanks } from '../types/text.js';
import * as dates from './datetime-arithmetic.js';
import type { CastContext, Implementation } from './function.js';
import { int2, int4, int8 } from './integer.js';

export interface Cast {
  readonly context: CastContext;
  /** Undefined when a value of the source is one of the target as it stands. */
  readonly implementation: Implementation | undefined;
  readonly usesContext?: boolean;
  /** Depends on the session's settings. */
  readonly stable?: boolean;
}

/** Fits a value to a modifier: silently when explicit. */
export type Fitter = (value: Value, modifier: number, explicit: boolean) => Value;

export const fitters: ReadonlyMap<TypeName, Fitter> = new Map<TypeName, Fitter>([
  ['varchar', (value, modifier, explicit) => fitVarchar(value as string, modifier, explicit)],
  ['bpchar', (value, modifier, explicit) => fitBpchar(value as string, modifier, explicit)],
  ['numeric', (value, modifier) => fitNumeric(value as Numeric, modifier)],
  ['time', (value, modifier) => fitTime(value as number, modifier)],
  ['timestamp', (value, modifier) => roundMicros(value as bigint, modifier)],
  ['timestamptz', (value, modifier) => roundMicros(value as bigint, modifier)],
  ['interval', (value, modifier) => fitInterval(value as Interval, modifier)],
  ['timetz', (value, modifier) => fitZonedTime(value as ZonedTime, modifier)],
  ['bit', (value, modifier, explicit) => fitBits(value as string, modifier, explicit, false)],
  ['varbit', (value, modifier, explicit) => fitBits(value as string, modifier, explicit, true)],
]);

/** Rounds half to even, as rint() does. */
export function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded + 0;
}

function outOfRange(name: string): never {
  raise('numeric_value_out_of_range', `${name} out of range`);
}

function whole(low: number, high: number, name: string): (value: number) => number {
  return (value) => {
    const rounded = roundToEven(value);
    return rounded >= low && rounded <= high ? rounded : outOfRange(name);
  };
}

function int8OfFloat(value: number): bigint {
  const rounded = roundToEven(value);
  if (!(rounded >= -(2 ** 63) && rounded < 2 ** 63)) outOfRange('bigint');
  return BigInt(rounded);
}

function float4OfFloat8(value: number): number {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded) && Number.isFinite(value)) {
    raise('numeric_value_out_of_range', 'value out of range: overflow');
  }
  if (rounded === 0 && value !== 0) {
    raise('numeric_value_out_of_range', 'value out of range: underflow');
  }
  return rounded;
}

function wholeOfNumeric(name: string): (value: Numeric) => bigint {
  return (value) => {
    const result = wholeOf(value);
    if (result !== undefined) return result;
    const shown = value.kind === 'NaN' ? 'NaN' : 'infinity';
    raise('feature_not_supported', `cannot convert ${shown} to ${name}`);
  };
}

function smallOfNumeric(name: string, min: bigint, max: bigint): (value: Numeric) => number {
  const convert = wholeOfNumeric(name);
  return (value) => {
    const result = convert(value);
    return result >= min && result <= max ? Number(result) : outOfRange(name);
  };
}

const int2OfNumeric = smallOfNumeric('smallint', -0x8000n, 0x7fffn);
const int4OfNumeric = smallOfNumeric('integer', -0x8000_0000n, 0x7fff_ffffn);
const int8OfNumeric = wholeOfNumeric('bigint');

function cannotCast(node: JsonNode, name: string): never {
  const kind = isArray(node) ? 'array' : isObject(node) ? 'object' : typeof node;
  const shown = node instanceof Numeric ? 'numeric' : kind;
  raise('invalid_parameter_value', `cannot cast jsonb ${shown} to type ${name}`);
}

function boolOfJsonb({ root }: Jsonb): boolean | null {
  if (root === null || typeof root === 'boolean') return root;
  cannotCast(root, 'boolean');
}

function numericOfJsonb(name: string, convert: (value: Numeric) => Value): (value: Jsonb) => Value {
  return ({ root }) => {
    if (root === null) return null;
    return root instanceof Numeric ? convert(root) : cannotCast(root, name);
  };
}

type Typed = (...args: never[]) => Value;
type Row = readonly [
  TypeName,
  TypeName,
  CastContext,
  Typed?,
  Omit<Cast, 'context' | 'implementation'>?,
];

const trueFalse = (value: boolean) => (value ? 'true' : 'false');
const toBigint = (value: number) => BigInt(value);
const oidToInt4 = (value: number) => value | 0;
const int4ToOid = (value: number) => value >>> 0;

/** Needs the session: its time zone or what names mean to it. */
const inZone = { usesContext: true, stable: true } as const;

function dateOfTimestamptz(context: FunctionContext, micros: bigint): number {
  return dates.dateOfTimestamp(dates.timestampOfTimestamptz(context, micros));
}

function timeOfTimestamptz(context: FunctionContext, micros: bigint): number | null {
  return dates.timeOfTimestamp(dates.timestampOfTimestamptz(context, micros));
}

const rows: readonly Row[] = [
  ['bool', 'int4', 'explicit', (value: boolean) => (value ? 1 : 0)],
  ['bool', 'text', 'assignment', trueFalse],
  ['bool', 'varchar', 'assignment', trueFalse],
  ['bool', 'bpchar', 'assignment', trueFalse],
  ['int4', 'bool', 'explicit', (value: number) => value !== 0],
  // Whole numbers of up to 32 bits are doubles already.
  ['int2', 'int4', 'implicit'],
  ['int2', 'int8', 'implicit', toBigint],
  ['int2', 'oid', 'implicit', int4ToOid],
  ['int2', 'float4', 'implicit'],
  ['int2', 'float8', 'implicit'],
  ['int2', 'numeric', 'implicit', numericOfInteger],
  ['int4', 'int2', 'assignment', int2],
  ['int4', 'int8', 'implicit', toBigint],
  ['int4', 'oid', 'implicit', int4ToOid],
  ['int4', 'float4', 'implicit', Math.fround],
  ['int4', 'float8', 'implicit'],
  ['int4', 'numeric', 'implicit', numericOfInteger],
  ['int8', 'int2', 'assignment', (value: bigint) => int2(Number(value))],
  ['int8', 'int4', 'assignment', (value: bigint) => int4(Number(value))],
  ['int8', 'oid', 'implicit', oidOfInt8],
  ['int8', 'float4', 'implicit', (value: bigint) => Math.fround(Number(value))],
  ['int8', 'float8', 'implicit', (value: bigint) => Number(value)],
  ['int8', 'numeric', 'implicit', numericOfBigint],
  ['oid', 'int4', 'assignment', oidToInt4],
  ['oid', 'int8', 'assignment', toBigint],
  ['float4', 'int2', 'assignment', whole(-0x8000, 0x7fff, 'smallint')],
  ['float4', 'int4', 'assignment', whole(-0x8000_0000, 0x7fff_ffff, 'integer')],
  ['float4', 'int8', 'assignment', int8OfFloat],
  ['float4', 'float8', 'implicit'],
  ['float4', 'numeric', 'assignment', (value: number) => numericOfFloat(value, 6)],
  ['float8', 'int2', 'assignment', whole(-0x8000, 0x7fff, 'smallint')],
  ['float8', 'int4', 'assignment', whole(-0x8000_0000, 0x7fff_ffff, 'integer')],
  ['float8', 'int8', 'assignment', int8OfFloat],
  ['float8', 'float4', 'assignment', float4OfFloat8],
  ['float8', 'numeric', 'assignment', (value: number) => numericOfFloat(value, 15)],
  ['numeric', 'int2', 'assignment', int2OfNumeric],
  ['numeric', 'int4', 'assignment', int4OfNumeric],
  ['numeric', 'int8', 'assignment', (value: Numeric) => int8(int8OfNumeric(value))],
  ['numeric', 'float4', 'implicit', (value: Numeric) => parseFloat4(value.toString())],
  ['numeric', 'float8', 'implicit', float8OfNumeric],
  ['text', 'varchar', 'implicit'],
  ['text', 'bpchar', 'implicit'],
  ['text', 'name', 'implicit', fitName],
  ['varchar', 'text', 'implicit'],
  ['varchar', 'bpchar', 'implicit'],
  ['varchar', 'name', 'implicit', fitName],
  ['bpchar', 'text', 'implicit', trimBlanks],
  ['bpchar', 'varchar', 'implicit', trimBlanks],
  ['bpchar', 'name', 'implicit', (value: string) => fitName(trimBlanks(value))],
  ['name', 'text', 'implicit'],
  ['name', 'varchar', 'assignment'],
  ['name', 'bpchar', 'assignment'],
  ['date', 'timestamp', 'implicit', dates.timestampOfDate],
  ['date', 'timestamptz', 'implicit', dates.timestamptzOfDate, inZone],
  ['timestamp', 'date', 'assignment', dates.dateOfTimestamp],
  ['timestamp', 'time', 'assignment', dates.timeOfTimestamp],
  ['timestamp', 'timestamptz', 'implicit', dates.timestamptzOfTimestamp, inZone],
  ['timestamptz', 'date', 'assignment', dateOfTimestamptz, inZone],
  ['timestamptz', 'time', 'assignment', timeOfTimestamptz, inZone],
  ['timestamptz', 'timestamp', 'assignment', dates.timestampOfTimestamptz, inZone],
  ['time', 'interval', 'implicit', (value: number) => new Interval(0, 0, BigInt(value))],
  ['interval', 'time', 'assignment', dates.timeOfInterval],
  ['time', 'timetz', 'implicit', zonedTimeOfTime, inZone],
  ['timetz', 'time', 'assignment', ({ time }: ZonedTime) => time],
  ['timestamptz', 'timetz', 'assignment', zonedTimeOfTimestamptz, inZone],
  ['char', 'text', 'implicit', (value: string) => value],
  ['char', 'varchar', 'assignment', (value: string) => value],
  ['char', 'bpchar', 'assignment', (value: string) => value],
  ['char', 'int4', 'explicit', int4OfCharacter],
  ['int4', 'char', 'explicit', characterOfInt4],
  ['text', 'char', 'assignment', parseCharacter],
  ['varchar', 'char', 'assignment', parseCharacter],
  ['bpchar', 'char', 'assignment', parseCharacter],
  ['bit', 'varbit', 'implicit'],
  ['varbit', 'bit', 'implicit'],
  [
    'int4',
    'bit',
    'explicit',
    (value: number) => BigInt.asUintN(32, BigInt(value)).toString(2).padStart(32, '0'),
  ],
  [
    'int8',
    'bit',
    'explicit',
    (value: bigint) => BigInt.asUintN(64, value).toString(2).padStart(64, '0'),
  ],
  ['bit', 'int4', 'explicit', int4OfBits],
  ['bit', 'int8', 'explicit', int8OfBits],
  ['json', 'jsonb', 'assignment', parseJsonb],
  ['jsonb', 'json', 'assignment', ({ root }: Jsonb) => printNode(root)],
  ['jsonb', 'bool', 'explicit', boolOfJsonb],
  ['jsonb', 'numeric', 'explicit', numericOfJsonb('numeric', (value) => value)],
  ['jsonb', 'int2', 'explicit', numericOfJsonb('smallint', int2OfNumeric)],
  ['jsonb', 'int4', 'explicit', numericOfJsonb('integer', int4OfNumeric)],
  ['jsonb', 'int8', 'explicit', numericOfJsonb('bigint', (value) => int8(int8OfNumeric(value)))],
  ['jsonb', 'float4', 'explicit', numericOfJsonb('real', (value) => parseFloat4(value.toString()))],
  ['jsonb', 'float8', 'explicit', numericOfJsonb('double precision', float8OfNumeric)],
];

function zonedTimeOfTime(context: FunctionContext, time: number): ZonedTime {
  return new ZonedTime(time, context.timeZone.offsetAt(context.transactionTimestamp));
}

function zonedTimeOfTimestamptz(context: FunctionContext, micros: bigint): ZonedTime | null {
  return isInfiniteTimestamp(micros) ? null : zonedTimeOf(micros, context);
}

/** The byte as a signed one. */
function int4OfCharacter(value: string): number {
  return (byteOfCharacter(value) << 24) >> 24;
}

function characterOfInt4(value: number): string {
  if (value < -128 || value > 127) outOfRange('"char"');
  return characterOfByte(value & 0xff);
}

function int4OfBits(bits: string): number {
  if (bits.length > 32) outOfRange('integer');
  return Number.parseInt(bits.padStart(1, '0'), 2) | 0;
}

function int8OfBits(bits: string): bigint {
  if (bits.length > 64) outOfRange('bigint');
  return BigInt.asIntN(64, BigInt(`0b0${bits}`));
}

function oidOfInt8(value: bigint): number {
  if (value < 0n || value > 0xffff_ffffn) raise('numeric_value_out_of_range', 'OID out of range');
  return Number(value);
}

function float8OfNumeric(value: Numeric): number {
  const result = numberOf(value);
  // The slow way raises PostgreSQL's error for overflow and underflow.
  const lost =
    value.isFinite && (!Number.isFinite(result) || (result === 0 && value.digits !== 0n));
  return lost ? parseFloat8(value.toString()) : result;
}

/** The catalogue says what an OID is called; outside of a session only types of our own have names. */
function named({ system }: FunctionContext, type: RegisteredTypeName, oid: number): NamedOid {
  if (system !== undefined) return system.named(type, oid);
  const known = type === 'regtype' ? typeOfOid(oid) : undefined;
  return new NamedOid(oid, known && printType(known.name, -1));
}

const registeredRows: readonly Row[] = registeredTypeNames.flatMap((name): Row[] => [
  [name, 'oid', 'implicit', ({ oid }: NamedOid) => oid],
  [name, 'int4', 'assignment', ({ oid }: NamedOid) => oid | 0],
  [name, 'int8', 'assignment', ({ oid }: NamedOid) => BigInt(oid)],
  [
    'oid',
    name,
    'implicit',
    (context: FunctionContext, oid: number) => named(context, name, oid),
    inZone,
  ],
  [
    'int2',
    name,
    'implicit',
    (context: FunctionContext, oid: number) => named(context, name, oid >>> 0),
    inZone,
  ],
  [
    'int4',
    name,
    'implicit',
    (context: FunctionContext, oid: number) => named(context, name, oid >>> 0),
    inZone,
  ],
  [
    'int8',
    name,
    'implicit',
    (context: FunctionContext, oid: bigint) => named(context, name, oidOfInt8(oid)),
    inZone,
  ],
]);

/** A name that is no constant is looked up when it is met. */
const relationOfText = (context: FunctionContext, text: string): Value =>
  typeNamed('regclass').parse(text, -1, context);

const relationRows: readonly Row[] = [
  ['text', 'regclass', 'implicit', relationOfText, inZone],
  ['varchar', 'regclass', 'implicit', relationOfText, inZone],
];

const bySource = new Map<TypeName, Map<TypeName, Cast>>();
for (const [source, target, context, implementation, options] of [
  ...rows,
  ...registeredRows,
  ...relationRows,
]) {
  const targets = bySource.get(source) ?? new Map<TypeName, Cast>();
  bySource.set(source, targets);
  targets.set(target, {
    context,
    implementation: implementation as unknown as Implementation | undefined,
    ...options,
  });
}

const none: ReadonlyMap<TypeName, Cast> = new Map();

/** The casts of pg_cast from a type, by target. */
export function castsFrom(source: TypeName): ReadonlyMap<TypeName, Cast> {
  return bySource.get(source) ?? none;
}
