/** node-postgres and its family against a node: what their users do all day, and what goes wrong. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import t, { type Test } from 'tap';
import { must } from '#src/base/assert.js';
import { serve } from './clients/served.js';

t.setTimeout(120_000);

const { address, stop } = await serve(t);
const pool = new pg.Pool({ ...address, max: 8 });

/** A connection of its own for one test. */
async function connect(test: Test): Promise<pg.Client> {
  const client = new pg.Client(address);
  await client.connect();
  test.teardown(() => client.end());
  return client;
}

t.test('values of every kind arrive as JavaScript has them', async (t) => {
  const { rows, fields } = await pool.query(`
    select true as bool, 7::int2 as small, 42 as int, 9007199254740993 as big, 1.50::numeric as exact,
      0.1::float8 as float, 'Grüße 🎉' as text, null::int as nothing, '\\x00ff'::bytea as bytes,
      date '2026-02-03' as day, timestamptz '2026-02-03 04:05:06.789+00' as moment,
      interval '1 day 2 hours' as span, array[1, null, 3] as numbers, array['a,b', '"', null] as words,
      array[[1, 2], [3, 4]] as matrix, '{"a": [1, null]}'::jsonb as document,
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid as id`);
  const [row] = rows;
  t.same(row, {
    ...{ bool: true, small: 7, int: 42, big: '9007199254740993', exact: '1.50', float: 0.1 },
    ...{ text: 'Grüße 🎉', nothing: null, bytes: Buffer.from([0, 255]) },
    ...{ day: new Date(2026, 1, 3), moment: new Date('2026-02-03T04:05:06.789Z') },
    ...{ span: { days: 1, hours: 2 }, numbers: [1, null, 3], words: ['a,b', '"', null] },
    ...{
      matrix: [
        [1, 2],
        [3, 4],
      ],
      document: { a: [1, null] },
    },
    id: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  });
  t.same(
    fields.slice(0, 4).map(({ name, dataTypeID }) => [name, dataTypeID]),
    [
      ['bool', 16],
      ['small', 21],
      ['int', 23],
      ['big', 20],
    ],
  );
});

t.test('parameters go and come back unchanged, as text and in binary', async (t) => {
  await pool.query(`create table things (id int primary key, at timestamptz, tags text[], body jsonb,
    raw bytea, ratio float8, amount numeric(10, 2), flag boolean)`);
  const at = new Date('2024-02-29T23:59:59.123Z');
  const written = [1, at, ['x', 'y z', '{}'], { deep: { er: [1, 2] } }, Buffer.from('räw'), 1e-7];
  const inserted = await pool.query(
    'insert into things values ($1, $2, $3, $4, $5, $6, $7, $8) returning *',
    [...written, '12.30', false],
  );
  t.equal(inserted.command, 'INSERT');
  t.equal(inserted.rowCount, 1);
  const { rows } = await pool.query({ text: 'select * from things where id = $1', values: [1] });
  t.same(rows, inserted.rows);
  t.match(rows[0], { at, tags: ['x', 'y z', '{}'], body: { deep: { er: [1, 2] } }, ratio: 1e-7 });
  t.match(rows[0], { raw: Buffer.from('räw'), amount: '12.30', flag: false });
  const binary = { text: 'select $1::int4 + 1 as next', values: [41], binary: true };
  t.same((await pool.query(binary)).rows, [{ next: 42 }]);
  const found = await pool.query('select count(*)::int from things where id = any($1)', [[1, 2]]);
  t.same(found.rows, [{ count: 1 }]);
});

t.test('several statements in one text, results as arrays, no result at all', async (t) => {
  const results = await pool.query(
    'select 1 as a; select 2 as b, 3 as c; set search_path to public',
  );
  t.same(
    (results as unknown as pg.QueryResult[]).map(({ command, rows }) => [command, rows]),
    [
      ['SELECT', [{ a: 1 }]],
      ['SELECT', [{ b: 2, c: 3 }]],
      ['SET', []],
    ],
  );
  t.same((await pool.query({ text: 'select 1, 2', rowMode: 'array' })).rows, [[1, 2]]);
  t.same((await pool.query('')).rows, []);
});

t.test(
  'named statements are prepared once and outlive errors and changes of the table',
  async (t) => {
    const client = await connect(t);
    await client.query('create table named (id int primary key, name text)');
    const insert = { name: 'insert-named', text: 'insert into named values ($1, $2)' };
    const select = { name: 'select-named', text: 'select name from named where id = $1' };
    for (let id = 0; id < 5; id += 1) await client.query({ ...insert, values: [id, `n${id}`] });
    await t.rejects(client.query({ ...insert, values: [1, 'again'] }), { code: '23505' });
    await client.query('alter table named add column more int');
    t.same((await client.query({ ...select, values: [4] })).rows, [{ name: 'n4' }]);
    const prepared = await client.query('select name from pg_prepared_statements order by name');
    t.same(prepared.rows, [{ name: 'insert-named' }, { name: 'select-named' }]);
  },
);

t.test('errors say what PostgreSQL says', async (t) => {
  await pool.query(`create table parents (id int primary key);
    create table children (id int primary key check (id > 0), parent int not null references parents)`);
  const cases: readonly (readonly [string, object])[] = [
    ['selec 1', { code: '42601', position: '1', message: 'syntax error at or near "selec"' }],
    ['select 1 from nowhere', { code: '42P01', position: '15', severity: 'ERROR' }],
    ['select nothing from parents', { code: '42703', position: '8' }],
    ['select 1 / 0', { code: '22012', message: 'division by zero' }],
    [
      'insert into children values (1, 5)',
      {
        ...{ code: '23503', table: 'children', constraint: 'children_parent_fkey' },
        ...{ schema: 'public', detail: 'Key (parent)=(5) is not present in table "parents".' },
      },
    ],
    ['insert into children values (-1, 5)', { code: '23514', constraint: 'children_id_check' }],
    ['insert into children (id) values (1)', { code: '23502', column: 'parent' }],
    [
      'insert into parents values (1), (1)',
      { code: '23505', detail: 'Key (id)=(1) already exists.', constraint: 'parents_pkey' },
    ],
  ];
  for (const [text, expected] of cases) {
    const error: unknown = await pool.query(text).catch((thrown: unknown) => thrown);
    t.match(error, expected, text);
  }
  await t.rejects(pool.query('select $1::int', ['x']), {
    ...{ code: '22P02', message: 'invalid input syntax for type integer: "x"' },
  });
});

t.test('a transaction of a pool commits, rolls back and fails as a whole', async (t) => {
  await pool.query('create table ledger (n int primary key)');
  const client = await pool.connect();
  await client.query('begin');
  await client.query('insert into ledger values (1)');
  t.same((await pool.query('select * from ledger')).rows, [], 'nobody else sees it');
  await client.query('savepoint before');
  await t.rejects(client.query('insert into ledger values (1)'), { code: '23505' });
  await t.rejects(client.query('select 1'), { code: '25P02' });
  await client.query('rollback to savepoint before');
  await client.query('insert into ledger values (2)');
  await client.query('commit');
  await client.query('begin; insert into ledger values (3)');
  await client.query('rollback');
  client.release();
  t.same((await pool.query('select n from ledger order by n')).rows, [{ n: 1 }, { n: 2 }]);
});

t.test('a pool serves many at once', async (t) => {
  await pool.query('create table counted (n int primary key)');
  const inserts = Array.from({ length: 300 }, (_, n) =>
    pool.query('insert into counted values ($1) returning n', [n]),
  );
  const returned = (await Promise.all(inserts)).map(({ rows }) => rows[0].n);
  t.same(
    returned,
    Array.from({ length: 300 }, (_, n) => n),
    'each got its own answer',
  );
  t.same((await pool.query('select count(*)::int, sum(n)::int from counted')).rows, [
    { count: 300, sum: 44_850 },
  ]);
  t.ok(pool.totalCount <= 8);
});

t.test('notifications arrive when they are committed, notices as they come', async (t) => {
  const listener = await connect(t);
  const notices: (string | undefined)[] = [];
  listener.on('notice', ({ code, message }) => notices.push(`${code} ${message}`));
  await listener.query('create table if not exists ledger (n int)');
  t.same(notices, ['42P07 relation "ledger" already exists, skipping']);
  await listener.query('listen news');
  const arrived: pg.Notification[] = [];
  listener.on('notification', (notification) => arrived.push(notification));
  const speaker = await connect(t);
  await speaker.query('begin');
  await speaker.query("notify news, 'rolled back'");
  await speaker.query('rollback');
  await speaker.query('begin');
  await speaker.query("select pg_notify('news', 'héllo')");
  await listener.query('select 1');
  t.same(arrived, [], 'nothing is said before it is committed');
  const next = once(listener, 'notification');
  await speaker.query('commit');
  await next;
  const { rows } = await speaker.query('select pg_backend_pid() as pid');
  t.match(arrived, [{ channel: 'news', payload: 'héllo', processId: rows[0].pid }]);
  t.equal(arrived.length, 1);
});

const endless = 'select pg_sleep(60)';

t.test(
  'statements end by statement_timeout and pg_cancel_backend, connections otherwise',
  async (t) => {
    const client = new pg.Client({
      ...address,
      statement_timeout: 50,
      application_name: 'hurried',
    });
    await client.connect();
    const timeout = 'canceling statement due to statement timeout';
    await t.rejects(client.query(endless), { code: '57014', message: timeout });
    await client.query('set statement_timeout = 0');
    const pid = must((await client.query('select pg_backend_pid() as pid')).rows[0], 'a row').pid;
    const running = t.rejects(client.query(endless), { code: '57014' });
    const active =
      "select query from pg_stat_activity where application_name = 'hurried' and state = 'active'";
    while ((await pool.query(active)).rows[0]?.query !== endless);
    t.same((await pool.query('select pg_cancel_backend($1)', [pid])).rows, [
      { pg_cancel_backend: true },
    ]);
    await running;
    t.same((await client.query('select 1 as alive')).rows, [{ alive: 1 }]);
    const errors: Error[] = [];
    client.on('error', (error) => errors.push(error));
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    await pool.query('select pg_terminate_backend($1)', [pid]);
    await ended;
    t.match(errors[0], { code: '57P01' });
  },
);

t.test('pg-cursor reads a few rows at a time', async (t) => {
  const client = await connect(t);
  const cursor = client.query(new Cursor('select n from generate_series(1, $1::int) n', [10]));
  t.same(await cursor.read(3), [{ n: 1 }, { n: 2 }, { n: 3 }]);
  t.equal((await cursor.read(5)).length, 5);
  t.same(await cursor.read(5), [{ n: 9 }, { n: 10 }]);
  t.same(await cursor.read(5), []);
  await cursor.close();
  const abandoned = client.query(new Cursor('select n from generate_series(1, 1000000) n'));
  await abandoned.read(2);
  await abandoned.close();
  const failing = client.query(new Cursor('select 1 / (3 - n) as q from generate_series(1, 5) n'));
  await t.rejects(failing.read(5), { code: '22012' });
  t.same((await client.query('select 1 as alive')).rows, [{ alive: 1 }]);
});

t.test('pg-query-stream streams, and may stop midway', async (t) => {
  const client = await connect(t);
  let sum = 0;
  const all = new QueryStream('select n from generate_series(1, 20000) n', [], { batchSize: 500 });
  for await (const { n } of client.query(all)) sum += n;
  t.equal(sum, 200_010_000);
  let seen = 0;
  for await (const _ of client.query(
    new QueryStream('select n from generate_series(1, 20000) n'),
  )) {
    seen += 1;
    if (seen === 10) break;
  }
  t.same((await client.query('select 1 as alive')).rows, [{ alive: 1 }]);
});

t.test('pg-copy-streams copies both ways, and a bad line leaves nothing behind', async (t) => {
  const client = await connect(t);
  await client.query('create table copied (n int primary key, words text)');
  const lines = Array.from({ length: 5000 }, (_, n) => `${n}\tline ${n} \\\\ é\n`);
  const writing = client.query(copyFrom('copy copied from stdin'));
  await pipeline(Readable.from(lines), writing);
  t.equal(writing.rowCount, 5000);
  const chunks: Buffer[] = [];
  const reading = client.query(copyTo('copy (select * from copied order by n) to stdout'));
  for await (const chunk of reading) chunks.push(chunk);
  t.equal(Buffer.concat(chunks).toString(), lines.join(''));
  const bad = client.query(copyFrom('copy copied from stdin csv'));
  await t.rejects(pipeline(Readable.from(['5000,fine\n', 'x,not a number\n']), bad), {
    ...{ code: '22P02', where: 'COPY copied, line 2, column n: "x"' },
  });
  t.same((await client.query('select count(*)::int from copied')).rows, [{ count: 5000 }]);
});

t.test('a client that gives up midway leaves nothing locked, open or half done', async (t) => {
  const client = new pg.Client(address);
  client.on('error', () => undefined);
  await client.connect();
  await client.query('begin; insert into ledger values (100); select pg_advisory_lock(5)');
  (
    client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }
  ).connection.stream.destroy();
  await pool.query('select pg_advisory_lock(5)');
  t.same((await pool.query('select n from ledger where n = 100')).rows, []);
});

t.test('all ends in good order', async (t) => {
  await pool.end();
  await stop(t);
});
