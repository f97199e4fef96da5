/**
 * Queries within queries: subqueries, LATERAL, set operations and WITH give the same rows however they
 * are planned and wherever turns end, hold to their memory, and are asked no more often than needed.
 */
import fc from 'fast-check';
import t from 'tap';
import { DatabaseError } from '#src/base/errors.js';
import { compilePlanned } from '#src/sql/execute/compile.js';
import { planStatement, rules } from '#src/sql/rewrite/index.js';
import type { Row } from '#src/sql/types/index.js';
import { TransactionBuffer } from '#src/txn/buffer.js';
import { Database, type Options } from './sql-execute/database.js';

interface Pair {
  readonly id: number;
  readonly v: number | null;
}

const small = fc.option(fc.integer({ min: 0, max: 4 }), { nil: null });
const pairs = fc
  .array(small, { maxLength: 8 })
  .map((values): Pair[] => values.map((v, id) => ({ id, v })));
const coin = fc.infiniteStream(fc.boolean());

function databaseOf(x: readonly Pair[], y: readonly Pair[]): Database {
  const database = new Database();
  for (const [name, rows] of [
    ['x', x],
    ['y', y],
  ] as const) {
    database.run(`create table ${name} (id int primary key, v int)`);
    const values = rows.map(({ id, v }) => `(${id}, ${v})`);
    if (values.length > 0) database.run(`insert into ${name} values ${values.join(', ')}`);
  }
  return database;
}

/** Rows in one order, as texts. */
function texts(rows: readonly Row[]): string {
  return rows
    .map((row) => row.map(String).join('|'))
    .toSorted()
    .join('\n');
}

/** The rows or the error of a query, planned without the rules that are off. */
function outcome(
  database: Database,
  sql: string,
  off: readonly string[],
  options: Options,
): string {
  try {
    const { statement } = database.bind(sql);
    if (statement.kind !== 'query') throw new Error('a query, please');
    const compiled = compilePlanned(planStatement(statement, undefined, new Set(off)));
    return texts(database.execute(compiled, new TransactionBuffer(database.pairs), options).rows);
  } catch (error) {
    if (error instanceof DatabaseError) return error.kind;
    throw error;
  }
}

const queries = [
  'select id from x where exists (select 1 from y where y.v = x.v)',
  'select id from x where not exists (select 1 from y where y.v = x.v and y.id < x.id)',
  'select id, v in (select v from y) from x',
  'select id, v not in (select v from y where y.id > x.id) from x',
  'select id from x where (id, v) in (select id, v from y)',
  'select id, v < all (select v from y), v >= any (select v from y where y.id = x.id) from x',
  'select id, (select max(y.v) from y where y.id <= x.id) from x',
  'select id, (select v from y where y.id = x.id), (select count(*) from y) from x',
  'select id, (select y.v from y where y.v = x.v) from x',
  'select id, array(select y.id from y where y.v = x.v order by y.id) from x',
  'select id, case when v > 0 then (select 12 / x.v) else (select -1) end from x',
  'select id from x where v = 0 or (select 10 / x.v) > 3',
  'select id, coalesce(v, (select min(v) from y), (select 7)) from x',
  'select v, count(*), (select count(*) from y where y.v = x.v) from x group by v',
  'select sum((select count(*) from y where y.v = x.v)) from x',
  'select (select sum(x.v) from y where y.id = 0), count(*) from x',
  'select x.id, z.n from x, lateral (select count(*) as n from y where y.v = x.v) z',
  'select x.id, z.id from x left join lateral (select * from y where y.id > x.id) z on z.v = x.v',
  'select x.id, y.id from x left join y on exists (select 1 from y w where w.v = y.v and w.id > x.id)',
  'select a.id, b.id from x a full join y b on a.v < b.v',
  'select v from x union select v from y',
  'select v from x union all select v from y union all select id from x',
  'select v from x intersect all select v from y',
  'select v from x except all select v from y',
  'select v from x except (select v from y intersect select 1)',
  'with a as (select * from x where v > 0) select p.id, q.id from a p, a q where p.v = q.v',
  'with a as materialized (select * from x) select * from a where id = 1',
  'with a as (select v from x) select id, (select count(*) from a where a.v = y.v) from y',
  'with recursive r (n) as (select v from x union select n - 1 from r where n > 0) select n from r',
  'with recursive r (n, d) as (select id, 0 from x where id = 0 union all select y.id, d + 1 from r, y where y.id = r.n + 1) select n, d from r',
  'select id, (with a as (select * from y where y.v = x.v) select count(*) from a, a b) from x',
  'select id, (with recursive r (n) as (select x.id union all select n + 1 from r where n < 4) select sum(n) from r) from x',
  'select id from x where v in (select v from y where y.id in (select id from x z where z.v = x.v))',
  'select id, (select count(*) from (select v from y union select x.v) z) from x',
  'select id from x order by (select count(*) from y where y.v = x.v), id limit (select 2)',
];

t.test('the same rows however it is planned and wherever turns end', (t) => {
  fc.assert(
    fc.property(pairs, pairs, fc.constantFrom(...queries), coin, (x, y, sql, coins) => {
      const database = databaseOf(x, y);
      const random = { turnIsOver: () => coins.next().value === true };
      const optional = rules.map(({ name }) => name).filter((name) => name !== 'rightToLeftJoin');
      const expected = outcome(database, sql, [], {});
      return (
        outcome(database, sql, [], random) === expected &&
        outcome(database, sql, optional, random) === expected &&
        optional.every((rule) => outcome(database, sql, [rule], {}) === expected)
      );
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('EXISTS, IN and counting agree with each other and with the naive answer', (t) => {
  const isIn = (v: number | null, rows: readonly Pair[]): boolean | null => {
    if (rows.length === 0) return false;
    if (v === null) return null;
    if (rows.some((row) => row.v === v)) return true;
    return rows.some((row) => row.v === null) ? null : false;
  };
  fc.assert(
    fc.property(pairs, pairs, (x, y) => {
      const database = databaseOf(x, y);
      const rows = (sql: string): string => texts(database.run(sql).rows);
      const met = texts(x.filter(({ v }) => isIn(v, y) === true).map(({ id }) => [id]));
      return (
        rows('select id, v in (select v from y) from x') ===
          texts(x.map(({ id, v }) => [id, isIn(v, y)])) &&
        rows('select id, v not in (select v from y where y.id < x.id) from x') ===
          texts(
            x.map(({ id, v }) => {
              const found = isIn(
                v,
                y.filter((row) => row.id < id),
              );
              return [id, found === null ? null : !found];
            }),
          ) &&
        rows('select id from x where v in (select v from y)') === met &&
        rows('select id from x where exists (select 1 from y where y.v = x.v)') === met &&
        rows('select id from x where (select count(*) from y where y.v = x.v) > 0') === met
      );
    }),
    { numRuns: 100 },
  );
  t.end();
});

t.test('what depends on nothing is asked once, and only if somebody asks', (t) => {
  const database = new Database();
  database.run('create table x (id int primary key)');
  database.run('insert into x select g from generate_series(1, 3000) g');
  let looks = 0;
  const count = (sql: string): number => {
    looks = 0;
    database.run(sql, {
      turnIsOver: () => {
        looks += 1;
        return false;
      },
    });
    return looks;
  };
  const once = count('select count(*) from x');
  t.ok(count('select id, (select count(*) from x) from x') < 30 * once, 'a scalar subquery');
  t.ok(count('select id in (select id from x y) from x') < 30 * once, 'IN');
  t.ok(count('select id, exists (select 1 from x y where y.id < 0) from x') < 30 * once, 'EXISTS');
  const same = database.run('select distinct (select random()) from x').rows;
  t.equal(same.length, 1, 'a volatile one too, as it is in PostgreSQL');
  const each = database.run('select distinct (select random() + x.id * 0) from x').rows;
  t.ok(each.length > 2900, 'unless it depends on the row');
  t.same(
    database.run('select 1 where false and (select 1 / (count(*) - 3000) from x) > 0').rows,
    [],
  );
  t.end();
});

t.test('recursion without end goes on turn by turn and gives its rows as it finds them', (t) => {
  const database = new Database();
  const endless = 'with recursive r (n) as (select 1 union all select n + 1 from r)';
  t.same(database.run(`${endless} select n from r limit 3`).rows, [[1], [2], [3]]);
  const { statement } = database.bind(`${endless} select count(*) from r`);
  if (statement.kind !== 'query') throw new Error('a query, please');
  const execution = compilePlanned(planStatement(statement)).start(
    database.context(new TransactionBuffer(database.pairs), { turnIsOver: () => true }),
  );
  const kinds = new Set(Array.from({ length: 1000 }, () => execution.step().kind));
  t.same([...kinds], ['pause'], 'each turn ends');
  execution.close();
  t.end();
});

t.test('what is kept is charged', (t) => {
  const database = new Database();
  database.run('create table x (id int primary key, note text)');
  database.run("insert into x select g, repeat('x', 50) from generate_series(1, 6000) g");
  for (const sql of [
    'select id from x where note || id not in (select note || id from x y)',
    'with a as materialized (select * from x) select count(*) from a, a b where a.id = b.id',
    'with recursive r (n, s) as (select 1, repeat($$x$$, 50) union select n + 1, s from r where n < 6000) select count(*) from r',
    'select * from x except all select * from x y where y.id > 3000',
    'select array(select note from x y where x.id = x.id) from x where id = 1',
  ]) {
    t.equal(outcome(database, sql, [], { memoryBytes: 100_000 }), 'out_of_memory', sql);
    t.not(outcome(database, sql, [], {}), 'out_of_memory', sql);
  }
  t.end();
});
