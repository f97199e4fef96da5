/** Random values of each type, with the corners that random numbers miss. */
import type { Random } from '#src/base/random.js';
import {
  ArrayValue,
  countOf,
  type FunctionContext,
  Interval,
  NamedOid,
  nameOfUserType,
  Numeric,
  type RecordShape,
  RecordValue,
  type TypeName,
  typeNamed,
  type Value,
  ZonedTime,
} from '#src/sql/types/index.js';

/** Labels whose ids are not in their order: one was put between two others. */
const mood = nameOfUserType({
  kind: 'enum',
  oid: 90_001,
  arrayOid: 90_002,
  schema: 'public',
  name: 'mood',
  labels: [
    { id: 2, order: -1.5, label: 'awful' },
    { id: 1, order: 1, label: 'sad' },
    { id: 5, order: 1.5, label: "it's" },
    { id: 3, order: 2, label: 'ok, fine' },
    { id: 4, order: 3, label: 'NULL' },
  ],
});

const pairShape: RecordShape = {
  fields: [
    { name: 'x', type: 'int4', modifier: -1 },
    { name: 'y', type: 'text', modifier: -1 },
  ],
};

const pair = nameOfUserType({
  kind: 'composite',
  oid: 90_003,
  arrayOid: 90_004,
  schema: 'public',
  name: 'pair',
  shape: pairShape,
});

/** For types whose input reads nothing of the session. */
const unused = {} as FunctionContext;

const characters = [
  'a',
  'b',
  'Z',
  ' ',
  '0',
  '_',
  '%',
  'é',
  'ÿ',
  'ß',
  '￿',
  '～',
  '😀',
  '𐀀',
  '\u{10ffff}',
];

function text(random: Random, among: readonly string[] = characters): string {
  return Array.from({ length: random.below(6) }, () => random.pick(among)).join('');
}

function integer(random: Random, bits: number): bigint {
  const size = random.below(bits);
  let value = 0n;
  for (let i = 0; i < size; i += 1) value = value * 2n + BigInt(random.below(2));
  return random.chance(0.5) ? -value - 1n : value;
}

function float(random: Random): number {
  const corners = [
    0,
    -0,
    1,
    -1,
    0.1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    5e-324,
    1.7976931348623157e308,
  ];
  if (random.chance(0.2)) return random.pick(corners);
  return (random.fraction() - 0.5) * 10 ** random.between(-20, 20);
}

export function numeric(random: Random): Numeric {
  if (random.chance(0.05))
    return random.pick([Numeric.nan, Numeric.infinity, Numeric.negativeInfinity]);
  const digits = random.chance(0.3) ? BigInt(random.between(-20, 20)) : integer(random, 120);
  return new Numeric(digits, random.chance(0.5) ? random.below(4) : random.below(25));
}

function timestamp(random: Random): bigint {
  if (random.chance(0.05)) return random.chance(0.5) ? 2n ** 63n - 1n : -(2n ** 63n);
  return integer(random, 61);
}

function json(random: Random, depth: number): unknown {
  const kind = random.below(depth > 2 ? 4 : 6);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return text(random);
  if (kind === 3) return random.between(-3, 3) / 2;
  const items = Array.from({ length: random.below(3) }, () => json(random, depth + 1));
  if (kind === 4) return items;
  return Object.fromEntries(items.map((item) => [text(random, ['a', 'b', 'é']), item]));
}

export function jsonText(random: Random): string {
  return JSON.stringify(json(random, 0));
}

const makers: Readonly<Partial<Record<TypeName, (random: Random) => Value>>> = {
  bool: (random) => random.chance(0.5),
  int2: (random) => Number(integer(random, 16)),
  int4: (random) => Number(integer(random, 32)),
  int8: (random) => integer(random, 64),
  oid: (random) => random.uint32(),
  float4: (random) => Math.fround(float(random)),
  float8: float,
  numeric,
  text: (random) => text(random),
  varchar: (random) => text(random),
  bpchar: (random) => text(random),
  name: (random) => text(random),
  bytea: (random) =>
    Uint8Array.from({ length: random.below(5) }, () => random.pick([0, 1, 0x7f, 0xff])),
  date: (random) =>
    random.chance(0.05)
      ? random.pick([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      : random.between(-2_400_000, 2_100_000_000),
  time: (random) => random.between(0, 86_400_000_000),
  timestamp,
  timestamptz: timestamp,
  interval: (random) =>
    new Interval(random.between(-30, 30), random.between(-1000, 1000), integer(random, 40)),
  uuid: (random) => {
    const hex = () => random.uint32().toString(16).padStart(8, '0');
    const all = random.chance(0.5) ? hex() + hex() + hex() + hex() : '0'.repeat(24) + hex();
    return all.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  },
  json: (random) => jsonText(random),
  char: (random) => typeNamed('char').parse(text(random), -1, unused),
  timetz: (random) =>
    new ZonedTime(random.between(0, 86_400_000_000), random.between(-57_599, 57_599)),
  bit: bits,
  varbit: bits,
  regclass: (random) => new NamedOid(random.below(3), random.chance(0.5) ? 'named' : undefined),
  _int4: (random) => array(random, () => random.between(-2, 2)),
  _text: (random) => array(random, () => text(random)),
  _numeric: (random) => array(random, () => numeric(random)),
  [mood]: (random: Random) => random.between(1, 5),
  [`_${mood}`]: (random: Random) => array(random, () => random.between(1, 5)),
  [pair]: record,
  record,
};

function bits(random: Random): string {
  return Array.from({ length: random.below(20) }, () => random.pick(['0', '1'])).join('');
}

/** Some with NULLs, several dimensions and other bounds than 1. */
function array(random: Random, make: () => Value): ArrayValue {
  const dimensions = Array.from({ length: random.below(3) }, () => random.between(1, 2));
  const lowerBounds = dimensions.map(() => (random.chance(0.8) ? 1 : random.between(-1, 2)));
  const elements = Array.from({ length: countOf(dimensions) }, () =>
    random.chance(0.2) ? null : make(),
  );
  return new ArrayValue(dimensions, lowerBounds, elements);
}

function record(random: Random): RecordValue {
  const x = random.chance(0.2) ? null : random.between(-2, 2);
  return new RecordValue(pairShape, [x, random.chance(0.2) ? null : text(random)]);
}

/** The types that random values are made of. */
export const madeTypes = Object.keys(makers) as readonly TypeName[];

export function randomValue(type: TypeName, random: Random): Value {
  const make = makers[type];
  if (make === undefined) throw new Error(`no values of ${type}`);
  return make(random);
}
