/** Types and functions against PostgreSQL (PGlite), and the promises of key and row bytes. */
import t, { type Test } from 'tap';
import { ByteReader, ByteWriter, compareBytes } from '#src/base/bytes.js';
import { Random } from '#src/base/random.js';
import { resolveFunction, resolveOperator, resolveSqlValue } from '#src/sql/functions/index.js';
import { Numeric, type TypeName, typeNamed, types, type Value } from '#src/sql/types/index.js';
import { aggregateCases, askAggregate, runAggregate } from './sql-types/aggregates.js';
import { type Answer, contextIn, evaluate } from './sql-types/evaluator.js';
import { expressions } from './sql-types/expressions.js';
import { dateExpressions } from './sql-types/expressions-dates.js';
import { otherExpressions } from './sql-types/expressions-others.js';
import { startOracle } from './sql-types/oracle.js';
import { jsonText, madeTypes, numeric, randomValue } from './sql-types/values.js';

const oracle = await startOracle();
t.teardown(() => oracle.close());
const utc = contextIn('UTC');

/** Passing assertions of tap cost a millisecond each, so only differences become one. */
function same(a: Answer | undefined, b: Answer | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

t.test('expressions answer as PostgreSQL does: type, text and errors', async (t) => {
  for (const [family, list] of Object.entries({
    ...expressions,
    ...dateExpressions,
    ...otherExpressions,
  })) {
    const zone = family.startsWith('zone:') ? family.slice('zone:'.length) : 'UTC';
    await oracle.setZone(zone);
    await t.test(family, async (t) => {
      const context = contextIn(zone);
      const ours = list.map((expression) => evaluate(expression, context));
      const answers = await oracle.askAll(list, ours);
      for (const [i, expression] of list.entries()) {
        if (!same(ours[i], answers[i])) t.same(ours[i], answers[i], expression);
      }
      t.equal(answers.length, list.length, `${list.length} expressions compared`);
    });
  }
  await oracle.setZone('UTC');
});

t.test('aggregates answer as PostgreSQL does', async (t) => {
  for (const { name, type, values } of aggregateCases) {
    const ours = runAggregate(name, type, values, utc);
    const answer = await askAggregate(oracle, name, type, values);
    if (!same(ours, answer)) t.same(ours, answer, `${name}(${type}) ${values}`);
  }
  t.ok(aggregateCases.length > 100, `${aggregateCases.length} aggregates compared`);
});

/** Compares batches of random expressions, all of which PostgreSQL computes without error. */
async function compareMany(t: Test, made: readonly string[]): Promise<void> {
  const answers = await oracle.askMany(made);
  for (const [i, expression] of made.entries()) {
    const ours = evaluate(expression, utc);
    if (ours.text !== answers[i]) t.equal(ours.text ?? ours.message, answers[i], expression);
  }
  t.equal(answers.length, made.length, `${made.length} expressions compared`);
}

t.test('arithmetic of numeric on random operands', async (t) => {
  const random = new Random(20);
  const made: string[] = [];
  while (made.length < 3000) {
    const [a, b] = [numeric(random), numeric(random)];
    const operator = random.pick(['+', '-', '*', '/', '%', '<', '=', '>=']);
    if ((operator === '/' || operator === '%') && b.digits === 0n) continue;
    made.push(`'${a}'::numeric ${operator} '${b}'::numeric`);
    made.push(`round('${a}'::numeric, ${random.between(-5, 10)})`);
    made.push(`trunc('${a}'::numeric, ${random.between(-5, 10)})`);
    made.push(`ceil('${a}'::numeric)`, `floor('${b}'::numeric)`);
  }
  await compareMany(t, made);
});

t.test('roots, powers and logarithms of numeric on random operands', async (t) => {
  const random = new Random(21);
  const made: string[] = [];
  while (made.length < 1000) {
    const scale = random.below(12);
    const a = new Numeric(BigInt(random.between(1, 10 ** random.between(1, 15))), scale);
    const small = new Numeric(BigInt(random.between(-9999, 9999)), random.between(2, 4));
    made.push(`sqrt('${a}'::numeric)`, `ln('${a}'::numeric)`, `exp('${small}'::numeric)`);
    made.push(`log('${a}'::numeric)`);
    const base = new Numeric(BigInt(random.between(1, 99_999)), random.below(5));
    made.push(`'${base}'::numeric ^ '${small}'::numeric`);
    made.push(`'${base}'::numeric ^ ${random.between(-20, 20)}`);
  }
  await compareMany(t, made);
});

t.test('texts of random floats, casts to and from numeric', async (t) => {
  const random = new Random(22);
  const made: string[] = [];
  for (let i = 0; i < 1000; i += 1) {
    const double = randomValue('float8', random) as number;
    const single = randomValue('float4', random) as number;
    const power = 2 ** random.between(-120, 120);
    made.push(`'${double}'::float8`, `'${double}'::float8::numeric`);
    made.push(`'${single}'::float4`, `'${single}'::float4::numeric`);
    made.push(`'${power}'::float4`, `'${power}'::float8`, `'${power * 1.5}'::float4`);
    const big = 10 ** random.between(15, 30) * random.between(1, 99);
    made.push(`'${big}'::float8`, `'${numeric(random)}'::numeric::float8`);
  }
  await compareMany(t, made);
});

t.test('dates, timestamps and intervals on random operands', async (t) => {
  const random = new Random(23);
  const made: string[] = [];
  const fields = [
    'year',
    'month',
    'day',
    'week',
    'isoyear',
    'doy',
    'dow',
    'epoch',
    'century',
    'decade',
    'julian',
  ];
  const units = ['day', 'week', 'month', 'quarter', 'year', 'decade', 'century', 'hour'];
  const timestamp = () => {
    const micros = BigInt(random.between(-200_000_000_000_000, 400_000_000_000_000)) * 1000n;
    return `timestamp '${typeNamed('timestamp').print(micros, utc)}'`;
  };
  const interval = () =>
    `interval '${typeNamed('interval').print(randomValue('interval', random), utc)}'`;
  while (made.length < 3000) {
    const factor = random.between(-30, 30) / 8;
    made.push(timestamp(), interval(), `${timestamp()} + ${interval()}`);
    made.push(`${timestamp()} - ${timestamp()}`, `age(${timestamp()}, ${timestamp()})`);
    made.push(`${interval()} * ${factor}::float8`, `${interval()} / 7::float8`);
    made.push(`extract(${random.pick(fields)} from ${timestamp()})`);
    made.push(`date_trunc('${random.pick(units)}', ${timestamp()})`);
    made.push(`${timestamp()}::date`, `${timestamp()}::date + ${random.between(-9999, 9999)}`);
    made.push(`${interval()} < ${interval()}`, `justify_interval(${interval()})`);
  }
  await compareMany(t, made);
});

t.test('jsonb on random values', async (t) => {
  const random = new Random(24);
  const made: string[] = [];
  const value = () => `'${jsonText(random)}'::jsonb`;
  while (made.length < 1500) {
    made.push(value(), `${value()} || ${value()}`, `${value()} @> ${value()}`);
    made.push(`${value()} < ${value()}`, `${value()} = ${value()}`, `${value()} -> 'a'`);
    made.push(`${value()} ->> 0`, `jsonb_pretty(${value()})`, `${value()} #> '{a,0}'`);
  }
  await compareMany(t, made);
});

t.test('timestamps around every change of the clock in 2020 to 2040', async (t) => {
  const zones = ['Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Europe/Dublin'];
  const random = new Random(25);
  for (const zone of zones) {
    await oracle.setZone(zone);
    const context = contextIn(zone);
    const made: string[] = [];
    for (let i = 0; i < 300; i += 1) {
      const seconds = random.between(631_152_000, 1_262_304_000);
      made.push(`to_timestamp(${946_684_800 + seconds}::float8)`);
      const month = random.pick(['03', '04', '10', '11']);
      const day = String(random.between(1, 30)).padStart(2, '0');
      made.push(
        `timestamptz '20${random.between(20, 36)}-${month}-${day} 02:${random.between(10, 59)}'`,
      );
    }
    const answers = await oracle.askMany(made);
    for (const [i, expression] of made.entries()) {
      const ours = evaluate(expression, context);
      if (ours.text !== answers[i]) t.equal(ours.text, answers[i], `${zone}: ${expression}`);
    }
    t.equal(answers.length, made.length, zone);
  }
  await oracle.setZone('UTC');
});

function keyOf(type: TypeName, value: Value): Uint8Array {
  const writer = new ByteWriter();
  typeNamed(type).key?.encode(writer, value);
  return writer.finish();
}

t.test('key bytes sort as values do, no key begins another, and decode to an equal value', (t) => {
  const random = new Random(26);
  for (const name of madeTypes) {
    const { compare, equals, hashKey, key } = typeNamed(name);
    if (key === undefined) continue;
    if (compare === undefined || equals === undefined || hashKey === undefined) {
      t.fail(`${name} has a key but no order`);
      continue;
    }
    let wrong = 0;
    for (let i = 0; i < 4000; i += 1) {
      const [a, b] = [randomValue(name, random), randomValue(name, random)];
      const [x, y] = [keyOf(name, a), keyOf(name, b)];
      const order = Math.sign(compare(a, b));
      const prefix = order !== 0 && compareBytes(x, y.subarray(0, x.length)) === 0;
      const equal = equals(a, b) === (order === 0) && (hashKey(a) === hashKey(b)) === (order === 0);
      // A Map tells NaN from no other number, === does.
      const sameHash = equal || new Set([hashKey(a), hashKey(b)]).size === 1;
      const decoded = key.decode(new ByteReader(x));
      const exact =
        !key.lossless || typeNamed(name).print(decoded, utc) === typeNamed(name).print(a, utc);
      if (
        Math.sign(compareBytes(x, y)) === order &&
        !prefix &&
        sameHash &&
        exact &&
        equals(decoded, a)
      )
        continue;
      wrong += 1;
      if (wrong < 3) t.fail(`${name}: ${String(a)} and ${String(b)}`);
    }
    t.equal(wrong, 0, name);
  }
  t.end();
});

t.test('a column read back from its row is the same to the last digit', (t) => {
  const random = new Random(27);
  for (const name of [...madeTypes, 'jsonb' as const]) {
    const type = typeNamed(name);
    const make = (): Value =>
      name === 'jsonb' ? type.parse(jsonText(random), -1, utc) : randomValue(name, random);
    const values = Array.from({ length: 500 }, make);
    const writer = new ByteWriter();
    for (const value of values) type.encode(writer, value);
    const reader = new ByteReader(writer.finish());
    const decoded = values.map(() => type.decode(reader));
    t.equal(reader.remaining, 0, `${name} is self-delimiting`);
    t.same(
      decoded.map((value) => type.print(value, utc)),
      values.map((value) => type.print(value, utc)),
      name,
    );
    t.ok(values.every((value) => type.sizeOf(value) > 0));
  }
  t.end();
});

t.test('arrays and records print to what reads back as the same value', (t) => {
  const random = new Random(28);
  for (const name of madeTypes) {
    const type = typeNamed(name);
    if (type.form === undefined || type.equals === undefined) continue;
    let wrong = 0;
    for (let i = 0; i < 1000; i += 1) {
      const value = randomValue(name, random);
      const printed = type.print(value, utc);
      const read = type.parse(printed, -1, utc);
      if (type.equals(value, read) && type.print(read, utc) === printed) continue;
      wrong += 1;
      if (wrong < 3) t.fail(`${type.sqlName}: ${printed}`);
    }
    t.equal(wrong, 0, type.sqlName);
  }
  t.end();
});

t.test('text sorts by code points, not by UTF-16 units', (t) => {
  const { compare } = typeNamed('text');
  const sorted = ['a', '～', '\uffff', '\u{10000}', '😀'];
  t.same([...sorted].reverse().sort(compare), sorted);
  t.end();
});

t.test('LIKE stays fast on patterns that backtracking matchers choke on', (t) => {
  const { implementation } = resolveOperator('~~', 'text', 'text');
  t.equal(implementation('a'.repeat(20_000), `${'%a'.repeat(2000)}%b`), false);
  t.equal(implementation('ab'.repeat(10_000), `${'%_b_b'.repeat(500)}%`), true);
  t.end();
});

t.test('what depends on the statement comes from its context', (t) => {
  const call = (name: string) => {
    const resolved = resolveFunction(name, []);
    if (resolved.kind !== 'scalar') throw new Error(name);
    return resolved.function.implementation(utc);
  };
  t.equal(call('now'), utc.transactionTimestamp);
  t.equal(call('current_user'), 'postgres');
  t.match(
    call('gen_random_uuid'),
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  const today = resolveSqlValue('current_date', -1);
  t.equal(typeNamed('date').print(today.implementation(utc), utc), '2022-03-07');
  t.equal(today.volatility, 'stable');
  t.end();
});

t.test('names, OIDs, categories and array types are those of pg_type', async (t) => {
  for (const type of types.values()) {
    const fields = 'oid, typarray, typcategory, typispreferred, typlen';
    const row = await oracle.ask(
      `(select format('%s %s %s %s %s', ${fields}) from pg_type where typname = '${type.name}')`,
    );
    const preferred = type.preferred ? 't' : 'f';
    // An aclitem has grown in PostgreSQL 16, which PGlite is beyond.
    if (type.name === 'aclitem') continue;
    const ours = `${type.oid} ${type.arrayOid} ${type.category} ${preferred} ${type.length}`;
    t.equal(ours, row.text, type.name);
  }
});

t.test('what is too deep or too large is refused', (t) => {
  t.equal(evaluate(`repeat('[', 100000)::json`, utc).sqlstate, '54001');
  t.equal(evaluate(`repeat('x', 2000000000)`, utc).sqlstate, '54000');
  t.end();
});
