/** Random tables with rows, the same for both databases. */
import type { Random } from '#src/base/random.js';

/** Types of generated columns and expressions. */
export const fuzzTypes = [
  'int',
  'bigint',
  'numeric',
  'float',
  'text',
  'bool',
  'date',
  'timestamp',
  'jsonb',
  'intArray',
] as const;
export type FuzzType = (typeof fuzzTypes)[number];

export const sqlTypes: Readonly<Record<FuzzType, string>> = {
  int: 'integer',
  bigint: 'bigint',
  numeric: 'numeric(12,3)',
  float: 'double precision',
  text: 'text',
  bool: 'boolean',
  date: 'date',
  timestamp: 'timestamp',
  jsonb: 'jsonb',
  intArray: 'integer[]',
};

export interface FuzzColumn {
  readonly name: string;
  readonly type: FuzzType;
}

export interface FuzzTable {
  readonly name: string;
  /** The first is `id`, the primary key. */
  readonly columns: readonly FuzzColumn[];
  /** Name of a column with a UNIQUE constraint. */
  readonly unique: string | undefined;
}

export interface FuzzSchema {
  readonly tables: readonly FuzzTable[];
  /** Makes tables and rows. */
  readonly setup: readonly string[];
  /** Makes indexes: answers must be the same without. */
  readonly indexes: readonly string[];
}

const words = [
  '',
  'a',
  'b',
  'ab',
  'abc',
  'B',
  'Zebra',
  'x y',
  'ä',
  '10',
  '-1',
  'true',
  '%',
  "it''s",
];

/** A literal of the type, never NULL. Floats are exact in binary so that sums do not depend on order. */
export function literal(random: Random, type: FuzzType): string {
  switch (type) {
    case 'int':
      return parenthesised(String(random.between(-5, 20)));
    case 'bigint':
      return random.below(8) === 0 ? '3000000000' : `(${random.between(-9, 99)})::bigint`;
    case 'numeric':
      return parenthesised(
        `${random.between(-20, 60)}.${random.between(0, 9)}${random.below(3) === 0 ? random.between(0, 9) : ''}`,
      );
    case 'float':
      return `(${random.between(-40, 80) / 4})::float8`;
    case 'text':
      return `'${words[random.below(words.length)]}'`;
    case 'bool':
      return random.below(2) === 0 ? 'true' : 'false';
    case 'date':
      return `date '20${String(random.between(10, 30))}-0${random.between(1, 9)}-${random.between(10, 28)}'`;
    case 'timestamp':
      return `timestamp '2024-0${random.between(1, 9)}-1${random.between(0, 9)} ${random.between(10, 23)}:30:15'`;
    case 'jsonb':
      return (
        [
          `'{"a": ${random.between(0, 5)}, "b": [1, 2, "x"]}'::jsonb`,
          `'[${random.between(0, 9)}, null, true]'::jsonb`,
          `'"s"'::jsonb`,
          `'{}'::jsonb`,
        ][random.below(4)] ?? ''
      );
    case 'intArray':
      return (
        [
          `array[${random.between(0, 9)}, ${random.between(0, 9)}]`,
          `'{}'::int[]`,
          `array[1, null, ${random.between(0, 3)}]`,
        ][random.below(3)] ?? ''
      );
  }
}

/** Casts and subscripts bind closer than a minus sign. */
function parenthesised(number: string): string {
  return number.startsWith('-') ? `(${number})` : number;
}

export function makeSchema(random: Random): FuzzSchema {
  const tables: FuzzTable[] = [];
  const setup: string[] = [];
  const indexes: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    const table = makeTable(random, `t${i}`);
    tables.push(table);
    const columns = table.columns.map(({ name, type }) => {
      if (name === 'id') return 'id integer primary key';
      return `${name} ${sqlTypes[type]}${name === table.unique ? ' unique' : ''}`;
    });
    setup.push(`CREATE TABLE ${table.name} (${columns.join(', ')})`);
    setup.push(...makeRows(random, table));
    for (const { name, type } of table.columns) {
      if (name === 'id' || name === table.unique || type === 'jsonb' || random.below(3) > 0)
        continue;
      const second = table.columns[random.below(table.columns.length)];
      const more =
        second !== undefined && second.name !== name && second.type !== 'jsonb'
          ? `, ${second.name} DESC`
          : '';
      indexes.push(`CREATE INDEX ${table.name}_${name} ON ${table.name} (${name}${more})`);
    }
  }
  return { tables, setup, indexes };
}

function makeTable(random: Random, name: string): FuzzTable {
  const columns: FuzzColumn[] = [{ name: 'id', type: 'int' }];
  const count = random.between(3, 6);
  for (let i = 0; i < count; i += 1) {
    columns.push({ name: `c${i}`, type: fuzzTypes[random.below(fuzzTypes.length)] ?? 'int' });
  }
  const unique = columns.find(
    ({ type, name: column }) =>
      column !== 'id' && (type === 'int' || type === 'text' || type === 'date'),
  );
  return { name, columns, unique: random.below(3) === 0 ? unique?.name : undefined };
}

/** Few rows: joins of several tables must end. */
export const tableRowsMax = 12;

function makeRows(random: Random, table: FuzzTable): string[] {
  const rows: string[] = [];
  const count = random.between(0, tableRowsMax);
  for (let id = 1; id <= count; id += 1) {
    const values = table.columns.map(({ name, type }) => {
      if (name === 'id') return String(id);
      if (random.below(5) === 0) return 'NULL';
      return literal(random, type);
    });
    rows.push(`INSERT INTO ${table.name} VALUES (${values.join(', ')}) ON CONFLICT DO NOTHING`);
  }
  return rows;
}
