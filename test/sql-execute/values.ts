/** A row of every type that a column can have. */
import fc from 'fast-check';
import { type Row, typeNamed, type Value } from '#src/sql/types/index.js';
import { functions } from './database.js';

export const columnTypes = [
  'bool',
  'int2',
  'int4',
  'int8',
  'float4',
  'float8',
  'numeric',
  'text',
  'varchar',
  'date',
  'timestamp',
  'timestamptz',
  'interval',
  'json',
  'jsonb',
  'uuid',
  'bytea',
] as const;

const texts: Readonly<Record<(typeof columnTypes)[number], readonly string[]>> = {
  bool: ['t', 'f'],
  int2: ['-32768', '7', '32767'],
  int4: ['-2147483648', '0', '2147483647'],
  int8: ['-9223372036854775808', '-1', '9223372036854775807'],
  float4: ['-1.5', 'NaN', 'Infinity', '0'],
  float8: ['-1.25', 'NaN', '-Infinity', '1e300'],
  numeric: ['1.10', '-0.001', '123456789012345678901234567890.5', 'NaN'],
  text: ['', 'abc', 'é\u{1f600}\uff5e', '\ufffd'],
  varchar: ['', 'x'.repeat(300)],
  date: ['2000-01-01', '1999-12-31', 'infinity', '-infinity'],
  timestamp: ['2024-02-29 12:34:56.789', 'infinity'],
  timestamptz: ['1900-01-01 00:00:00+00', '-infinity'],
  interval: ['1 mon 2 days 03:04:05', '-1 day'],
  json: ['{"a": 1}'],
  jsonb: ['{"a": [1, null]}', '"x"'],
  uuid: ['00000000-0000-0000-0000-000000000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  bytea: ['\\x', '\\x00ff'],
};

function parseValue(type: (typeof columnTypes)[number], text: string): Value {
  return typeNamed(type).parse(text, -1, functions);
}

export const anyRow: fc.Arbitrary<Row> = fc.tuple(
  ...columnTypes.map((type) =>
    fc.option(fc.constantFrom(...texts[type].map((text) => parseValue(type, text)))),
  ),
);

/** The row of the first text of each type. */
export function firstRow(): Row {
  return columnTypes.map((type) => parseValue(type, texts[type][0] ?? ''));
}
