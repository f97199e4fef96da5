/** postgres.js against a node: what its users do all day, and what goes wrong. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { serve } from './clients/served.js';
import { freePort } from './processes/node-process.js';

t.setTimeout(120_000);

const { address, stop } = await serve(t);
const notices: postgres.Notice[] = [];
const sql = postgres({ ...address, max: 5, onnotice: (notice) => notices.push(notice) });

t.test('values of every kind arrive as JavaScript has them', async (t) => {
  const [row] = await sql`
    select true as bool, 42 as int, 9007199254740993 as big, 1.50::numeric as exact, 0.1::float8 as float,
      'Grüße 🎉' as text, null::int as nothing, '\\x00ff'::bytea as bytes,
      timestamptz '2026-02-03 04:05:06.789+00' as moment, array[1, 2, 3] as numbers,
      array[['a,b', '"'], ['{}', '']] as words, '{"a": [1, null]}'::jsonb as document`;
  t.same(row, {
    ...{ bool: true, int: 42, big: '9007199254740993', exact: '1.50', float: 0.1 },
    ...{ text: 'Grüße 🎉', nothing: null, bytes: Buffer.from([0, 255]) },
    ...{ moment: new Date('2026-02-03T04:05:06.789Z'), numbers: [1, 2, 3] },
    words: [
      ['a,b', '"'],
      ['{}', ''],
    ],
    document: { a: [1, null] },
  });
});

t.test('templates: parameters by their described types, helpers, fragments', async (t) => {
  await sql`create table things (id int primary key, at timestamptz, tags text[], body jsonb, raw bytea, big bigint)`;
  const at = new Date('2024-02-29T23:59:59.123Z');
  const rows = [
    {
      id: 1,
      at,
      tags: ['x', 'y z', '{}'],
      body: { deep: { er: [1, 2] } },
      raw: Buffer.from('räw'),
      big: 5n,
    },
    { id: 2, at, tags: [], body: ['list'], raw: Buffer.alloc(0), big: 6n },
  ].map(({ body, big, ...row }) => ({ ...row, body: sql.json(body), big: String(big) }));
  const inserted = await sql`insert into things ${sql(rows)} returning *`;
  t.equal(inserted.count, 2);
  t.equal(inserted.command, 'INSERT');
  t.match(inserted[0], { at, tags: ['x', 'y z', '{}'], body: { deep: { er: [1, 2] } }, big: '5' });
  t.match(inserted[1], { tags: [], body: ['list'], raw: Buffer.alloc(0) });
  const change = { tags: ['new'], at: null };
  await sql`update things set ${sql(change, 'tags', 'at')} where id = ${2}`;
  const condition = sql`where id in ${sql([2, 3])} and ${'new'} = any(tags)`;
  t.same(await sql`select ${sql(['id', 'at'])} from ${sql('things')} ${condition}`, [
    { id: 2, at: null },
  ]);
  t.same(await sql`select id from things where id = any(${[1, 2]}) order by id desc`, [
    { id: 2 },
    { id: 1 },
  ]);
  t.same(await sql`select id from things`.values(), [[1], [2]]);
});

t.test('types that are made in SQL are learnt from pg_type', async (t) => {
  await sql`create type mood as enum ('sad', 'happy')`;
  await sql`create table people (name text primary key, moods mood[])`;
  // Arrays of types are fetched by each connection when it begins.
  const fresh = postgres({ ...address, max: 1 });
  await fresh`insert into people values ('Ann', ${['happy', 'sad']})`;
  t.same(await fresh`select * from people`, [{ name: 'Ann', moods: ['happy', 'sad'] }]);
  await fresh.end();
});

t.test('describe tells types without running anything', async (t) => {
  const { types, columns } =
    await sql`select id, at from things where id = ${1} and big > ${2}`.describe();
  t.same(types, [23, 20]);
  t.same(
    columns.map(({ name, type }) => [name, type]),
    [
      ['id', 23],
      ['at', 1184],
    ],
  );
});

t.test('transactions and savepoints', async (t) => {
  await sql`create table ledger (n int primary key)`;
  const result = await sql.begin(async (transaction) => {
    await transaction`insert into ledger values (1)`;
    await transaction
      .savepoint(async (inner) => {
        await inner`insert into ledger values (2)`;
        await inner`insert into ledger values (1)`;
      })
      .catch((error: unknown) => t.match(error, { code: '23505' }));
    const [, second] = await Promise.all([
      transaction`insert into ledger values (3)`,
      transaction`select count(*)::int as count from ledger`,
    ]);
    return second[0];
  });
  t.same(result, { count: 2 });
  await t.rejects(
    sql.begin('isolation level repeatable read', async (transaction) => {
      await transaction`insert into ledger values (4)`;
      throw new Error('changed my mind');
    }),
    { message: 'changed my mind' },
  );
  t.same(await sql`select n from ledger order by n`.values(), [[1], [3]]);
  await t.rejects(
    sql.begin('read only', (transaction) => transaction`insert into ledger values (5)`),
    { code: '25006' },
  );
});

t.test('errors say what PostgreSQL says, and pipelined neighbours are not touched', async (t) => {
  const [first, second, third] = await Promise.allSettled([
    sql`select 1 as n`,
    sql`insert into ledger values (1)`,
    sql`select 2 as n`,
  ]);
  t.match(first, { status: 'fulfilled', value: [{ n: 1 }] });
  t.match(second, {
    reason: {
      ...{ code: '23505', severity: 'ERROR', table_name: 'ledger', constraint_name: 'ledger_pkey' },
      detail: 'Key (n)=(1) already exists.',
    },
  });
  t.match(third, { status: 'fulfilled', value: [{ n: 2 }] });
  await t.rejects(sql`select 1 from nowhere`, { code: '42P01', position: '15' });
  await t.rejects(sql`select ${'x'}::int`, { code: '22P02' });
});

t.test('cursors, and rows one by one', async (t) => {
  const sizes: number[] = [];
  let sum = 0;
  for await (const rows of sql`select n from generate_series(1, 10) n`.cursor(4)) {
    sizes.push(rows.length);
    for (const { n } of rows) sum += n;
  }
  t.same([sizes, sum], [[4, 4, 2], 55]);
  let seen = 0;
  await sql`select n from generate_series(1, 100000) n`.cursor(10, () => {
    seen += 1;
    return seen === 3 ? sql.CLOSE : undefined;
  });
  t.equal(seen, 3);
  let count = 0;
  await sql`select n from generate_series(1, 5000) n`.forEach(() => {
    count += 1;
  });
  t.equal(count, 5000);
});

t.test('listen and notify', async (t) => {
  const heard: string[] = [];
  let next = (): void => undefined;
  const { unlisten } = await sql.listen('news', (payload) => {
    heard.push(payload);
    next();
  });
  const two = new Promise<void>((resolve) => {
    next = () => {
      if (heard.length === 2) resolve();
    };
  });
  await sql.notify('news', 'one');
  await sql.begin(async (transaction) => {
    await transaction.notify('news', 'two');
  });
  await two;
  t.same(heard, ['one', 'two']);
  await unlisten();
});

t.test('unsafe and simple: several statements in one text, notices', async (t) => {
  const results = await sql.unsafe(
    'create table if not exists ledger (n int); select 1 as a; select 2 as b, 3 as c',
  );
  t.same(
    [...results].map((rows) => [...(rows as unknown as object[])]),
    [[], [{ a: 1 }], [{ b: 2, c: 3 }]],
  );
  t.match(notices, [{ code: '42P07', severity: 'NOTICE' }]);
  t.same([...(await sql`select 1 as a; select 2 as b`.simple())].flat(), [{ a: 1 }, { b: 2 }]);
  t.same(await sql.unsafe('select $1::int + 1 as n', [41]), [{ n: 42 }]);
  await t.rejects(sql.unsafe('insert into ledger values (10); select 1 / 0'), { code: '22012' });
  t.same(await sql`select n from ledger where n = 10`, [], 'the text was one transaction');
});

t.test('a query is cancelled', async (t) => {
  const query = sql`select pg_sleep(60)`;
  const ended = t.rejects(query, { code: '57014' });
  const running =
    "select 1 from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'";
  while ((await sql.unsafe(running)).length === 0);
  query.cancel();
  await ended;
});

t.test('COPY both ways', async (t) => {
  await sql`create table copied (n int primary key, words text)`;
  const lines = Array.from({ length: 3000 }, (_, n) => `${n}\tline ${n}\n`);
  await pipeline(Readable.from(lines), await sql`copy copied from stdin`.writable());
  const reading = await sql`copy (select * from copied order by n) to stdout`.readable();
  const chunks: Buffer[] = [];
  reading.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(reading, 'end');
  t.equal(Buffer.concat(chunks).toString(), lines.join(''));
});

t.test('a connection that is terminated is replaced', async (t) => {
  const one = postgres({ ...address, max: 1 });
  const { pid } = must((await one`select pg_backend_pid() as pid`)[0], 'a row');
  await sql`select pg_terminate_backend(${pid})`;
  const failed: unknown[] = [];
  let row: postgres.Row | undefined;
  while (row === undefined && failed.length < 5) {
    // What was sent before the client saw the end fails; nothing else does.
    try {
      [row] = await one`select 1 as alive, pg_backend_pid() as pid`;
    } catch (error) {
      failed.push(error);
    }
  }
  for (const error of failed) t.match(error, { code: /57P01|CONNECTION/ });
  t.match(row, { alive: 1, pid: Number });
  t.not(row?.pid, pid);
  await one.end();
});

t.test('of several addresses one that answers is taken', async (t) => {
  const { user, database, host, port } = address;
  const closed = await freePort();
  const several = postgres(`postgresql://${user}@${host}:${closed},${host}:${port}/${database}`);
  t.same(await several`select 1 as alive`, [{ alive: 1 }]);
  await several.end();
});

t.test('all ends in good order', async (t) => {
  await sql.end();
  await stop(t);
});
