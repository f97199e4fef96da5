/** The narrowest type that takes every value of a column of texts. */

/** From narrow to wide: the first that fits every value is taken. */
const types = [
  'boolean',
  'integer',
  'bigint',
  'numeric',
  'double precision',
  'date',
  'timestamp',
  'timestamptz',
  'text',
] as const;
export type InferredType = (typeof types)[number];

/** A set of types as bits, in the order of the list. */
export type TypeSet = number;

const bit = (type: InferredType): TypeSet => 1 << types.indexOf(type);
const setOf = (...members: InferredType[]): TypeSet =>
  members.reduce((set, type) => set | bit(type), bit('text'));

/** What a column without values may be. */
export const anyType: TypeSet = setOf(...types);

const onlyText = setOf();
const booleans = setOf('boolean');
const fractions = setOf('numeric', 'double precision');
const floats = setOf('double precision');
const integers = fractions | setOf('bigint', 'integer');
const bigints = fractions | setOf('bigint');
const dates = setOf('date', 'timestamp');
const timestamps = setOf('timestamp');
const instants = setOf('timestamptz');

/** The types that take the value. A number with leading zeros is a code: it stays text. */
export function typesOf(value: string): TypeSet {
  const first = value.charCodeAt(0);
  // Most texts begin with a letter: no need to try the patterns of numbers and dates.
  if (first > 0x39) {
    if (/^(true|false)$/i.test(value)) return booleans;
    return value === 'NaN' ? floats : onlyText;
  }
  if (/^-?(0|[1-9]\d*)$/.test(value)) return integerTypes(value);
  if (/^-?(0|[1-9]\d*)?\.\d+$/.test(value)) return fractions;
  if (/^-?(0|[1-9]\d*)?(\.\d*)?[eE][+-]?\d{1,3}$/.test(value)) return floats;
  return dateTypes(value);
}

/** The type of a column whose values all have `set` in common. */
export function typeOfColumn(set: TypeSet): InferredType {
  if (set === anyType) return 'text';
  return types.find((type) => (set & bit(type)) !== 0) ?? 'text';
}

function integerTypes(value: string): TypeSet {
  if (value.length < 10) return integers;
  const number = BigInt(value);
  if (BigInt.asIntN(32, number) === number) return integers;
  return BigInt.asIntN(64, number) === number ? bigints : fractions;
}

const dateForm =
  /^(\d{4})-(\d\d)-(\d\d)(?:[ T]([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/;

function dateTypes(value: string): TypeSet {
  const form = dateForm.exec(value);
  if (form === null) return onlyText;
  const [, year, month, day, hour, zone] = form;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  // Date takes 31 February for 3 March; year 0 is no year.
  if (Number(year) === 0 || date.getUTCDate() !== Number(day)) return onlyText;
  if (hour === undefined) return dates;
  return zone === undefined ? timestamps : instants;
}
