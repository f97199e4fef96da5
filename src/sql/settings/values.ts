/** Values of settings by their kind, read and shown as PostgreSQL does (guc.c). */
import { unreachable } from '../../base/assert.js';

/** What a number counts; without it plain numbers. A block is a page of 8 kB. */
export type Unit = 'B' | 'kB' | '8kB' | 'MB' | 'ms' | 's' | 'min';

export type SettingKind =
  | { readonly type: 'bool' }
  | {
      readonly type: 'integer';
      readonly least: number;
      readonly most: number;
      readonly unit?: Unit | undefined;
    }
  | {
      readonly type: 'real';
      readonly least: number;
      readonly most: number;
      readonly unit?: Unit | undefined;
    }
  | {
      readonly type: 'enum';
      readonly values: readonly string[];
      /** Other words for some of the values, which are not listed. */
      readonly hidden?: Readonly<Record<string, string>> | undefined;
    }
  | {
      readonly type: 'string';
      /** The value as it is kept; undefined when it is not taken. Without it every text is. */
      readonly read?: ((value: string, current: string) => string | undefined) | undefined;
      /** What is wrong with a value that is not taken. */
      readonly explain?: ((value: string) => string) | undefined;
      /** A list of names: each is put into quotes where it needs them. */
      readonly quotes?: true;
    };

/** What is wrong with a value. */
export interface BadValue {
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
}

/** Of each kind of unit the larger ones first, in the smallest. */
const bytes: readonly (readonly [string, number])[] = [
  ['TB', 1024 ** 4],
  ['GB', 1024 ** 3],
  ['MB', 1024 ** 2],
  ['kB', 1024],
  ['B', 1],
];
const microseconds: readonly (readonly [string, number])[] = [
  ['d', 86_400_000_000],
  ['h', 3_600_000_000],
  ['min', 60_000_000],
  ['s', 1_000_000],
  ['ms', 1_000],
  ['us', 1],
];

const memoryHint = 'Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".';
const timeHint = 'Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".';

const isTime = (unit: Unit): boolean => unit === 'ms' || unit === 's' || unit === 'min';
const unitsOf = (unit: Unit): typeof bytes => (isTime(unit) ? microseconds : bytes);

function sizeOf(unit: Unit): number {
  if (unit === '8kB') return 8192;
  return unitsOf(unit).find(([name]) => name === unit)?.[1] ?? 1;
}

/** Booleans as PostgreSQL reads them: any beginning of a word that is no other's. */
function readBoolean(given: string): 'on' | 'off' | undefined {
  const word = given.toLowerCase();
  const begins = (whole: string, least = 1): boolean =>
    word.length >= least && whole.startsWith(word);
  if (begins('true') || begins('yes') || begins('on', 2) || word === '1') return 'on';
  if (begins('false') || begins('no') || begins('off', 2) || word === '0') return 'off';
  return undefined;
}

/** Halves go to the even neighbour, as C's rint() has it. */
function rint(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

const numberPattern = /^\s*([-+]?(?:0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?))\s*(.*?)\s*$/is;

/** A number in units of `unit`; a text says what is wrong with it. */
function readNumber(given: string, unit: Unit | undefined): number | { readonly hint?: string } {
  const [, digits, name = ''] = numberPattern.exec(given) ?? [];
  if (digits === undefined) return {};
  const octal = /^([-+]?)0([0-7]+)$/.exec(digits);
  const value =
    octal === null ? Number(digits) : Number(`${octal[1]}1`) * Number.parseInt(octal[2] ?? '', 8);
  if (Number.isNaN(value)) return {};
  if (name === '') return value;
  if (unit === undefined) return {};
  const units = unitsOf(unit);
  const index = units.findIndex(([own]) => own === name);
  const size = units[index]?.[1];
  if (size === undefined) return { hint: isTime(unit) ? timeHint : memoryHint };
  // A fraction, as in 30.1GB, is rounded to whole numbers of the next smaller unit.
  const smaller = units[index + 1]?.[1];
  const base = sizeOf(unit);
  const small =
    smaller !== undefined && smaller >= base
      ? rint((value * size) / smaller) * smaller
      : value * size;
  return small / base;
}

const intMax = 2 ** 31 - 1;

function outside(
  shown: string,
  name: string,
  kind: Extract<SettingKind, { type: 'integer' | 'real' }>,
): BadValue {
  const { least, most, unit } = kind;
  const value = unit === undefined ? shown : `${shown} ${unit}`;
  const print = kind.type === 'integer' ? String : realText;
  const range = `(${print(least)} .. ${print(most)})`;
  return { message: `${value} is outside the valid range for parameter "${name}" ${range}` };
}

/** The value as it is kept: what pg_settings shows, without a unit. */
export function readValue(
  name: string,
  kind: SettingKind,
  given: string,
  current: string,
): string | BadValue {
  const invalid = { message: `invalid value for parameter "${name}": "${given}"` };
  switch (kind.type) {
    case 'bool':
      return readBoolean(given) ?? { message: `parameter "${name}" requires a Boolean value` };
    case 'integer': {
      const value = readNumber(given, kind.unit);
      if (typeof value !== 'number') return { ...invalid, ...value };
      const whole = rint(value);
      if (Math.abs(whole) > intMax) return { ...invalid, hint: 'Value exceeds integer range.' };
      if (whole < kind.least || whole > kind.most) return outside(String(whole), name, kind);
      // No minus zero.
      return String(whole + 0);
    }
    case 'real': {
      const value = readNumber(given, kind.unit);
      if (typeof value !== 'number') return { ...invalid, ...value };
      if (value < kind.least || value > kind.most) return outside(realText(value), name, kind);
      return realText(value);
    }
    case 'enum': {
      const word = given.toLowerCase();
      const value = kind.values.find((one) => one.toLowerCase() === word) ?? kind.hidden?.[word];
      if (value !== undefined) return value;
      return { ...invalid, hint: `Available values: ${kind.values.join(', ')}.` };
    }
    case 'string':
      return kind.read === undefined
        ? given
        : (kind.read(given, current) ?? wrong(invalid, kind, given));
    default:
      return unreachable(kind);
  }
}

function wrong(
  invalid: BadValue,
  { explain }: Extract<SettingKind, { type: 'string' }>,
  given: string,
): BadValue {
  return explain === undefined ? invalid : { ...invalid, detail: explain(given) };
}

/** A number as C's %g prints it. */
export function realText(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const [mantissa = '', power = '0'] = value.toExponential(5).split('e');
  const exponent = Number(power);
  const short = (digits: string): string =>
    digits.includes('.') ? digits.replace(/0+$/, '').replace(/\.$/, '') : digits;
  if (exponent >= -4 && exponent < 6) return short(value.toFixed(5 - exponent));
  const sign = exponent < 0 ? '-' : '+';
  return `${short(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** What SHOW prints of a value that is kept: in the largest unit of which it is a whole number. */
export function showValue(kind: SettingKind, kept: string): string {
  if (kind.type !== 'integer' && kind.type !== 'real') return kept;
  const value = Number(kept);
  if (kind.unit === undefined || !(value > 0)) return kept;
  const small = value * sizeOf(kind.unit);
  const [unit, size] =
    unitsOf(kind.unit).find(([, own]) => small % own === 0) ??
    ([kind.unit, sizeOf(kind.unit)] as const);
  return `${realOrWhole(small / size)}${unit}`;
}

function realOrWhole(value: number): string {
  return Number.isInteger(value) ? String(value) : realText(value);
}
