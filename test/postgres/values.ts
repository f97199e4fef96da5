/** Values of all types as texts, by chance: each is one that PostgreSQL prints just so. */
import type { Chance } from './conversations.js';

const two = (value: number): string => String(value).padStart(2, '0');
const digits = (chance: Chance, count: number): string =>
  Array.from({ length: count }, () => chance.below(10)).join('');
const hex = (chance: Chance, count: number): string =>
  Array.from({ length: count }, () => chance.below(16).toString(16)).join('');
const sign = (chance: Chance): string => (chance.once(3) ? '-' : '');

function whole(chance: Chance, most: number): string {
  const count = 1 + chance.below(most);
  const text = digits(chance, count).replace(/^0+(?=\d)/, '');
  return text === '0' ? text : sign(chance) + text;
}

function decimal(chance: Chance): string {
  if (chance.once(12)) return chance.one(['NaN', 'Infinity', '-Infinity', '0', '0.000', '10000']);
  const before = digits(chance, 1 + chance.below(30)).replace(/^0+(?=\d)/, '');
  const after = chance.once(3) ? '' : `.${digits(chance, 1 + chance.below(20))}`;
  const text = before + after;
  return /^[0.]+$/.test(text) ? text : sign(chance) + text;
}

const letters = [...'abc XYZ,"\\(){}\'é字😀\t\n'];

function word(chance: Chance, most = 12): string {
  return Array.from({ length: chance.below(most) }, () => chance.one(letters)).join('');
}

function day(chance: Chance): string {
  const year = 1 + chance.below(3000);
  return `${String(year).padStart(4, '0')}-${two(1 + chance.below(12))}-${two(1 + chance.below(28))}`;
}

function time(chance: Chance): string {
  const clock = `${two(chance.below(24))}:${two(chance.below(60))}:${two(chance.below(60))}`;
  const part = `${digits(chance, chance.below(6))}${1 + chance.below(9)}`.slice(0, 6);
  return chance.once(2) ? clock : `${clock}.${part}`;
}

function bits(chance: Chance): string {
  return Array.from({ length: chance.below(40) }, () => chance.below(2)).join('');
}

/** A text of each type. */
export const makers: Readonly<Record<string, (chance: Chance) => string>> = {
  bool: (chance) => chance.one(['t', 'f']),
  int2: (chance) => whole(chance, 4),
  int4: (chance) => whole(chance, 9),
  int8: (chance) => whole(chance, 18),
  oid: (chance) => String(chance.below(2 ** 31) * 2),
  float4: (chance) => chance.one(['0', '-0', '1.5', 'NaN', 'Infinity', '3.4028235e+38', '1e-45']),
  float8: (chance) =>
    chance.one([
      '0',
      '-0',
      '0.1',
      'NaN',
      '-Infinity',
      '1e+300',
      '5e-324',
      `1.${1 + chance.below(9)}`,
    ]),
  numeric: decimal,
  text: (chance) => word(chance, 40),
  varchar: (chance) => word(chance),
  'char(5)': (chance) => chance.one(['a    ', '     ', 'é字   ']),
  name: (chance) => chance.one(['a', 'Some Name', 'é']),
  '"char"': (chance) => chance.one(['a', '', 'Z', '\\377', '\\200']),
  bytea: (chance) => `\\x${hex(chance, 2 * chance.below(20))}`,
  date: (chance) =>
    chance.once(9) ? chance.one(['infinity', '-infinity', '0044-03-15 BC']) : day(chance),
  time: (chance) => (chance.once(9) ? '24:00:00' : time(chance)),
  timetz: (chance) => `${time(chance)}${chance.one(['+00', '-08', '+05:30', '+15:59:59', '-11'])}`,
  timestamp: (chance) => (chance.once(9) ? 'infinity' : `${day(chance)} ${time(chance)}`),
  timestamptz: (chance) => (chance.once(9) ? '-infinity' : `${day(chance)} ${time(chance)}+00`),
  interval: (chance) =>
    chance.one([
      '00:00:00',
      '1 year 2 mons 3 days 04:05:06.789',
      '-1 years',
      `${2 + chance.below(300)} days`,
      `-${time(chance)}`.replace(/^-00:00:00$/, '00:00:00'),
    ]),
  uuid: (chance) => [8, 4, 4, 4, 12].map((count) => hex(chance, count)).join('-'),
  json: (chance) => chance.one(['{}', '{"a" : [1, 2.50, null]}', '"é"', ' 1 ']),
  jsonb: (chance) =>
    chance.one(['{}', '{"a": [1, 2.50, null]}', '"é字"', `[${whole(chance, 9)}]`, 'true']),
  jsonpath: (chance) => chance.one(['$', '$."a"[*]', 'strict $."a"?(@ > 1)']),
  'bit(7)': (chance) => Array.from({ length: 7 }, () => chance.below(2)).join(''),
  varbit: bits,
  regtype: (chance) => chance.one(['integer', 'text', '"char"', 'timestamp with time zone']),
  wire_mood: (chance) => chance.one(['sad', 'ok', 'very glad']),
  wire_small: (chance) => String(chance.below(10)),
  wire_pair: (chance) => chance.one(['(1,x)', '(,)', '(7,"a ""b"" (c)")', '(-1,"")']),
  wire_nest: (chance) => chance.one(['("(1,x)","{1,NULL,3}")', '(,{})', '("(,)",)']),
  'int4[]': (chance) =>
    chance.one(['{}', '{1,NULL,-3}', '{{1,2},{3,4}}', '[0:1]={7,8}', `{${whole(chance, 9)}}`]),
  'text[]': (chance) => chance.one(['{}', '{a,"b c",NULL,"NULL","\\"\\\\"}', '{{a},{b}}']),
  'numeric[]': (chance) => `{${decimal(chance)},NULL}`,
  'varbit[]': (chance) => `{101,NULL,${bits(chance) || '""'}}`,
  'timestamptz[]': (chance) => `{"${day(chance)} ${time(chance)}+00"}`,
  'wire_mood[]': (chance) => chance.one(['{sad,ok}', '{NULL,"very glad"}']),
  'wire_pair[]': (chance) => chance.one(['{"(1,x)",NULL}', '{"(,\\"a b\\")"}']),
};

/** What makes the types that are not there by themselves. */
export const setup = [
  "CREATE TYPE wire_mood AS ENUM ('sad', 'ok', 'very glad')",
  'CREATE DOMAIN wire_small AS int2 CHECK (VALUE < 10)',
  'CREATE TYPE wire_pair AS (n int4, t text)',
  'CREATE TYPE wire_nest AS (p wire_pair, l int4[])',
];
