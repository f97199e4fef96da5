/**
 * Sessions as their doors see them: order, transactions and conflicts, credit and cancelling, limits,
 * and what is given back at the end. That answers are PostgreSQL's is in sql-differential.test.ts.
 */
import t from 'tap';
import { DatabaseError } from '#src/base/errors.js';
import type { DatabaseId, ObjectId, StorageId } from '#src/base/ids.js';
import { Random } from '#src/base/random.js';
import { bind } from '#src/sql/bind/index.js';
import { completed } from '#src/sql/catalogue/complete.js';
import { noObjects, type TableDescriptor } from '#src/sql/catalogue/index.js';
import { isDdl } from '#src/sql/ddl/index.js';
import { loadParser } from '#src/sql/index.js';
import { parse } from '#src/sql/parse/index.js';
import type { FunctionContext } from '#src/sql/types/index.js';
import { findTimeZone } from '#src/sql/types/index.js';
import { runScript } from './golden.js';
import { Database } from './sql-execute/database.js';
import {
  type Client,
  describeError,
  failureOf,
  resultsOf,
  tagsOf,
  TestNode,
} from './sql/session-client.js';

const limits = { statementBytes: 1_048_576 };

const table = completed({
  object: 1 as ObjectId,
  version: 1,
  database: 1 as DatabaseId,
  storage: 1 as StorageId,
  schema: 'public',
  name: 't',
  columns: ['int4', 'text'].map((type, i) => ({
    position: i + 1,
    name: i === 0 ? 'a' : 'b',
    type,
    typeModifier: -1,
    notNull: i === 0,
  })),
  primaryKey: [1],
  primaryKeyName: 't_pkey',
  rowNumbers: undefined,
} as unknown as Partial<TableDescriptor>) as TableDescriptor;

const functions: FunctionContext = {
  statementTimestamp: 0n,
  transactionTimestamp: 0n,
  clockTimestamp: () => 0n,
  timeZone: findTimeZone('UTC') as FunctionContext['timeZone'],
  random: new Random(1),
  user: 'tester',
  database: 'shardforge',
  schema: 'public',
  version: 'test',
  setting: () => undefined,
};

function bindText(text: string): string {
  const catalogue = {
    ...noObjects,
    relation: (_schema: string | undefined, name: string) => (name === 't' ? table : undefined),
  };
  try {
    for (const parsed of parse(text, limits)) {
      if (isDdl(parsed.node)) {
        const database = new Database();
        database.run('CREATE TABLE t (a int PRIMARY KEY, b text)');
        database.run(text);
        return 'bound';
      }
      bind(parsed, { catalogue, functions, parameterTypes: [] });
    }
    return 'bound';
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const { position } = error.details;
    return `${error.sqlstate} ${error.message}${position === undefined ? '' : ` at ${position}`}`;
  }
}

/** Snapshots open besides the client's own, as the shard counts them when it commits. */
async function snapshotsOf(node: TestNode, client: Client): Promise<number> {
  await client.rows('CREATE TABLE IF NOT EXISTS counted (x int)');
  await client.rows('INSERT INTO counted VALUES (1)');
  await client.rows('INSERT INTO counted VALUES (1)');
  return node.metric('shardforge_shard_snapshots') - 1;
}

t.test('what is not there is refused by name, nothing is ignored', async (t) => {
  await loadParser();
  const { was, is } = runScript('sql', 'refused', ({ input }) => bindText(input.join('\n')));
  t.equal(is, was);
  const answers = is.split('\n').filter((line) => /^\w{5} /.test(line));
  t.ok(answers.length > 60, `${answers.length} statements are refused`);
  const others = is.split('\n').filter((line) => line === 'bound' || line.startsWith('error:'));
  t.same(others, []);
});

t.test('texts that could hurt the parser are refused before it', async (t) => {
  const node = await TestNode.start();
  const client = node.connect();
  const deep = '54001 stack depth limit exceeded';
  t.equal(await client.error(`SELECT ${'1+'.repeat(20_000)}1`), deep);
  t.equal(await client.error(`SELECT ${'('.repeat(20_000)}1${')'.repeat(20_000)}`), deep);
  t.equal(await client.error(`SELECT '\\', ${'1+'.repeat(20_000)}1`), deep, 'no escape hides it');
  t.equal(await client.error(`SELECT ${'1+'.repeat(2_000)}1`), deep, 'too deep for us alone');
  t.equal(await client.error(`SELECT ${'CASE WHEN true THEN '.repeat(6_000)}`), deep);
  t.equal(await client.error(`SELECT ${'NOT '.repeat(3_000)} true`), deep);
  const nested = `${'(SELECT 1 AS x FROM '.repeat(1_000)}t${') q'.repeat(1_000)}`;
  t.equal(await client.error(`SELECT * FROM ${nested}`), deep);
  const either = Array.from({ length: 5_000 }, (_, i) => `1 = ${i}`).join(' OR ');
  t.same(await client.rows(`SELECT ${either}`), [[true]], 'a long flat OR is no depth');
  const many = Array.from({ length: 20_000 }, (_, i) => `(${i})`).join(',');
  t.same(await client.rows(`SELECT count(*) FROM (VALUES ${many}) v (n)`), [[20_000n]]);
  t.equal(
    await client.error('SELECT 1\0'),
    '22021 invalid byte sequence for encoding "UTF8": 0x00',
  );
  t.match(await client.error("SELECT '\ud800'"), /^22021 /);
  t.match(await client.error(`SELECT '${'x'.repeat(1_100_000)}'`), /^54000 .*1048576 bytes/);
  for (const slow of ['/*', '/**/', '*/*']) {
    const run = slow.repeat(200_000);
    t.match(await client.error(`SELECT 1 ${run}`), /^54/, `${slow} again and again`);
  }
  t.match(await client.error(`SELECT 1 /* ${'/* '.repeat(200_000)}`), /^42601 unterminated/);
  t.same(await client.rows(`SELECT 1 /* ${'word '.repeat(10_000)} /* nested */ */`), [[1]]);
  t.same(await client.rows('SELECT 1'), [[1]], 'the session lives');
  t.same(await client.rows('SELECT TOP 2 n FROM (VALUES (1), (2), (3)) v (n)'), [[1], [2]]);
  t.equal(await client.error('SELECT TOP 2 n FROM v LIMIT 3'), '42601 syntax error at or near "2"');
  t.same(tagsOf(await client.execute('  -- nothing\n ;')), ['']);
});

t.test('rows come in batches under credit; a request is cancelled wherever it is', async (t) => {
  const node = await TestNode.start();
  const client = node.connect();
  await client.rows('CREATE TABLE n (i int PRIMARY KEY)');
  for (let from = 0; from < 10_000; from += 5_000) {
    const rows = Array.from({ length: 5_000 }, (_, i) => `(${from + i})`).join(',');
    await client.rows(`INSERT INTO n VALUES ${rows}`);
  }
  const all = await client.execute('SELECT i FROM n ORDER BY i');
  const batches = all.filter((answer) => answer.kind === 'sql.rows');
  t.ok(batches.length >= 10, `${batches.length} batches`);
  t.ok(batches.every((batch) => batch.rows.length <= 1024));
  t.equal(batches.filter((batch) => batch.columns !== undefined).length, 1);
  t.equal(resultsOf(all)[0]?.rows.length, 10_000);
  t.same(tagsOf(all), ['SELECT 10000']);

  const wide = await client.execute(`SELECT i, repeat('x', 1000) FROM n WHERE i < 500`);
  const sizes = wide.map((answer) => (answer.kind === 'sql.rows' ? answer.rows.length : 0));
  t.ok(Math.max(...sizes) <= 66, 'a batch has about 64 KiB');

  client.grants = false;
  client.credit = 2;
  const stuck = client.execute('SELECT i FROM n');
  const stuckRequest = client.lastRequest;
  const behind = client.execute('SELECT 1');
  const never = client.execute('SELECT 2');
  client.send({ kind: 'sql.cancel', request: client.lastRequest });
  t.equal(failureOf(await never)?.kind, 'query_canceled', 'cancelled while it waits');
  client.send({ kind: 'sql.cancel', request: stuckRequest });
  const cut = await stuck;
  t.equal(cut.filter((answer) => answer.kind === 'sql.rows').length, 2, 'as many as credit');
  t.equal(failureOf(cut)?.kind, 'query_canceled');
  t.same(tagsOf(await behind), ['SELECT 1'], 'the next is served');

  const scan = client.execute('SELECT count(*) FROM n a, n b WHERE a.i + b.i < 0');
  await new Promise((resolve) => setTimeout(resolve, 30));
  client.send({ kind: 'sql.cancel', request: client.lastRequest });
  t.equal(failureOf(await scan)?.kind, 'query_canceled', 'a long scan yields to be cancelled');
  t.equal(await snapshotsOf(node, client), 0, 'no snapshot is left open');
});

t.test('the first committer wins; autocommit statements try again', async (t) => {
  const node = await TestNode.start();
  const [a, b] = [node.connect(), node.connect()];
  await a.rows('CREATE TABLE n (id int PRIMARY KEY, v int)');
  await a.rows('INSERT INTO n VALUES (1, 0)');
  await a.rows('BEGIN');
  await b.rows('BEGIN');
  await a.rows('UPDATE n SET v = v + 1 WHERE id = 1');
  await b.rows('UPDATE n SET v = v + 10 WHERE id = 1');
  t.same(await b.rows('SELECT v FROM n'), [[10]], 'own writes are seen');
  await a.rows('COMMIT');
  t.match(await b.error('COMMIT'), /^40001 could not serialize access/);
  t.same(tagsOf(await b.execute('ROLLBACK')), ['ROLLBACK'], 'the transaction is over');
  t.same(await b.rows('SELECT v FROM n'), [[1]]);

  const clients = Array.from({ length: 16 }, () => node.connect());
  const add = async (client: Client): Promise<void> => {
    for (let i = 0; i < 10; i += 1) await client.rows('UPDATE n SET v = v + 1 WHERE id = 1');
  };
  await Promise.all(clients.map(add));
  t.same(await a.rows('SELECT v FROM n'), [[161]], 'no increment is lost');
  t.ok(node.metric('shardforge_statement_retries_total', { reason: 'conflict' }) > 0);

  let done = 161;
  const hurried = async (client: Client): Promise<void> => {
    for (let i = 0; i < 10; i += 1) {
      const asked = client.execute('UPDATE n SET v = v + 1 WHERE id = 1');
      const request = client.lastRequest;
      if (i % 3 === 0) setTimeout(() => client.send({ kind: 'sql.cancel', request }), i);
      if (failureOf(await asked) === undefined) done += 1;
    }
  };
  await Promise.all(clients.map(hurried));
  t.same(await a.rows('SELECT v FROM n'), [[done]], 'those that were cancelled did nothing');

  const made = await Promise.all(
    clients.map((client) => client.execute('CREATE TABLE once (x int)')),
  );
  t.equal(made.filter((answers) => failureOf(answers) === undefined).length, 1, 'one makes it');
  const taken = made.map(failureOf).filter((failed) => failed !== undefined);
  t.ok(taken.every((failed) => describeError(failed) === '42P07 relation "once" already exists'));
  const quiet = await Promise.all(
    clients.map((client) => client.execute('CREATE TABLE IF NOT EXISTS twice (x int)')),
  );
  t.ok(quiet.every((answers) => failureOf(answers) === undefined));
  t.equal(await snapshotsOf(node, a), 0);
});

t.test('plans follow the catalogue', async (t) => {
  const node = await TestNode.start();
  const [a, b] = [node.connect(), node.connect()];
  await a.rows('CREATE TABLE n (id int PRIMARY KEY, v text)');
  await a.rows("INSERT INTO n VALUES (1, 'one')");
  const point = 'SELECT * FROM n WHERE id = $1';
  t.same(await a.rows(point, [1]), [[1, 'one']]);
  t.same(await b.rows(point, [1]), [[1, 'one']]);
  t.equal(node.metric('shardforge_plan_cache_lookups_total', { result: 'hit' }), 1);
  await b.rows('CREATE TABLE other (x int)');
  t.same(await a.rows(point, [1]), [[1, 'one']]);
  t.equal(
    node.metric('shardforge_plan_cache_lookups_total', { result: 'hit' }),
    2,
    'another table does not invalidate it',
  );
  await a.rows('BEGIN');
  t.same(await a.rows('SELECT count(*) FROM n'), [[1n]]);
  await b.rows('DROP TABLE n');
  await b.rows('CREATE TABLE n (id int PRIMARY KEY, w int, x int)');
  await b.rows('INSERT INTO n VALUES (1, 2, 3)');
  t.same(await a.rows(point, [1]), [[1, 'one']], 'a snapshot keeps its table');
  t.match(await a.error("INSERT INTO n VALUES (2, 'two')").catch(() => 'none'), /none/);
  t.match(await a.error('COMMIT'), /^40001/, 'but what it writes is refused');
  t.same(await a.rows(point, [1]), [[1, 2, 3]]);
  await a.rows('BEGIN');
  await a.rows('DROP TABLE n');
  await a.rows('CREATE TABLE n (id text PRIMARY KEY)');
  await a.rows("INSERT INTO n VALUES ('x')");
  t.same(await a.rows('SELECT * FROM n WHERE id = $1', ['x']), [['x']]);
  t.same(await b.rows(point, [1]), [[1, 2, 3]], 'others see the old one until the commit');
  await a.rows('ROLLBACK');
  t.same(await a.rows(point, [1]), [[1, 2, 3]]);
});

t.test('FOR UPDATE claims rows: who claims one second is refused, readers are not', async (t) => {
  const node = await TestNode.start();
  const [a, b] = [node.connect(), node.connect()];
  await a.rows('CREATE TABLE account (id int PRIMARY KEY, sum int)');
  await a.rows('CREATE TABLE note (id int PRIMARY KEY)');
  await a.rows('INSERT INTO account SELECT g, 100 FROM generate_series(1, 3) g');
  const outcome = async (first: string, second: string): Promise<string> => {
    for (const [client, text, id] of [
      [a, first, 1],
      [b, second, 2],
    ] as const) {
      await client.rows('BEGIN');
      await client.rows('DELETE FROM note WHERE id = $1', [id]);
      await client.rows('INSERT INTO note VALUES ($1)', [id]);
      await client.rows(text);
    }
    await a.rows('COMMIT');
    const failed = failureOf(await b.execute('COMMIT'));
    return failed === undefined ? 'both' : failed.kind;
  };
  const claim = 'SELECT * FROM account WHERE id = 1 FOR UPDATE';
  t.equal(await outcome(claim, claim), 'serialization_failure');
  t.equal(await outcome(claim, 'SELECT * FROM account WHERE id = 2 FOR UPDATE'), 'both');
  t.equal(await outcome(claim, 'SELECT * FROM account WHERE id = 1'), 'both', 'a plain reader');
  const share = 'SELECT * FROM account WHERE id = 1 FOR SHARE';
  t.equal(await outcome(share, share), 'both', 'shared with others');
  t.equal(
    await outcome('UPDATE account SET sum = 0 WHERE id = 1', share),
    'serialization_failure',
    'but not with one who changes it',
  );
  const next = 'SELECT * FROM account ORDER BY id DESC LIMIT 1 FOR UPDATE';
  t.equal(await outcome(claim, next), 'both', 'a limit claims what it gives');
  t.equal(await outcome(next, next), 'serialization_failure');
});

t.test('statements are prepared and described', async (t) => {
  const node = await TestNode.start({ preparedStatements: 2 });
  const client = node.connect();
  await client.rows('CREATE TABLE n (id int8 PRIMARY KEY, v numeric(5,2), s varchar(9))');
  const prepare = (name: string, text: string) => client.ask({ kind: 'sql.prepare', name, text });
  const [prepared] = await prepare('put', 'INSERT INTO n VALUES ($1, $2, $3) RETURNING v, s');
  t.match(prepared, {
    kind: 'sql.prepared',
    parameterTypes: [{ type: 'int8' }, { type: 'numeric' }, { type: 'varchar' }],
    columns: [
      { name: 'v', type: 'numeric', typeModifier: ((5 << 16) | 2) + 4 },
      { name: 's', type: 'varchar', typeModifier: 13 },
    ],
  });
  const run = (name: string, parameters: readonly (string | number | bigint | null)[]) =>
    client.ask({ kind: 'sql.execute', statement: { prepared: name }, parameters, credit: 4 });
  const put = await run('put', [9_007_199_254_740_993n, '1.5', null]);
  t.equal(String(resultsOf(put)[0]?.rows[0]?.[0]), '1.50');
  const failure = async (answers: Promise<Parameters<typeof failureOf>[0]>): Promise<string> => {
    const failed = failureOf(await answers);
    return failed === undefined ? 'none' : describeError(failed);
  };
  t.equal(
    await failure(prepare('put', 'SELECT 1')),
    '42P05 prepared statement "put" already exists',
  );
  t.match(await failure(prepare('x', 'SELECT 1; SELECT 2')), /^42601/);
  t.match(await failure(prepare('x', 'SELECT $1 IS NULL')), /^42P18/);
  t.match(await failure(prepare('x', 'SELECT $2 + 1')), /^42P18 .*\$1/);
  t.match(await failure(prepare('x', 'INSERT INTO n (id, s) VALUES ($1, $1)')), /^42P08/);
  t.equal(await failure(prepare('get', 'SELECT id FROM n WHERE id = $1')), 'none');
  t.match(await failure(prepare('more', 'SELECT 1')), /^53400/, 'as many as the limit');
  t.same(resultsOf(await run('get', ['9007199254740993']))[0]?.rows, [[9_007_199_254_740_993n]]);
  t.match(await failure(run('get', [])), /^42P02 there is no parameter \$1/);
  t.match(await failure(run('get', [1, 2])), /^08P01/);
  t.match(await failure(run('get', ['x'])), /^22P02/);
  t.match(await failure(run('gone', [])), /^26000/);
  await client.rows('DROP TABLE n');
  t.match(await failure(run('get', [1])), /^42P01 relation "n" does not exist/);
  await client.rows('CREATE TABLE n (id text PRIMARY KEY)');
  await client.rows("INSERT INTO n VALUES ('1')");
  t.same(resultsOf(await run('get', ['1']))[0]?.rows, [['1']], 'planned again');
  t.match(await client.ask({ kind: 'sql.close', name: 'get' }), [{ kind: 'sql.closed' }]);
  t.match(await failure(run('get', [1])), /^26000/);
  const stated = await client.ask({
    kind: 'sql.execute',
    statement: { text: 'SELECT $1, $2 IS NULL' },
    parameters: ['7', null],
    parameterTypes: ['int4', 'text'],
    credit: 1,
  });
  t.same(resultsOf(stated)[0]?.rows, [[7, true]]);
});

t.test('a session with settings that cannot be says so to every request', async (t) => {
  const node = await TestNode.start();
  const client = node.connect({ TimeZone: 'Nowhere/City' });
  const text = '22023 invalid value for parameter "TimeZone": "Nowhere/City"';
  t.equal(await client.error('SELECT 1'), text);
  t.equal(await client.error('SELECT 1'), text);
  const berlin = node.connect({ TimeZone: 'europe/berlin', application_name: 'x' });
  t.same(await berlin.rows('SHOW TimeZone'), [['Europe/Berlin']]);
});

t.test('memory, queue and plan cache are bounded, and all is given back', async (t) => {
  const node = await TestNode.start({
    statementMemoryBytes: 1_000_000,
    sessionMemoryBytes: 4_000_000,
    planCacheBytes: 200_000,
    queuedRequests: 3,
  });
  const client = node.connect();
  await client.rows('CREATE TABLE n (id serial PRIMARY KEY, v text)');
  const fill = "INSERT INTO n (v) SELECT repeat('x', 1000) FROM (VALUES (1), (2), (3), (4)) a (i)";
  for (let i = 0; i < 500; i += 1) await client.rows(fill);
  const greedy = await client.execute('SELECT v FROM n ORDER BY v || id');
  t.equal(failureOf(greedy)?.kind, 'out_of_memory');
  t.match(failureOf(greedy)?.details.detail, /statementMemoryBytes/);
  await client.rows('BEGIN');
  const writes = await client.execute('UPDATE n SET v = v || v');
  t.match(failureOf(writes)?.details.detail, /MemoryBytes/);
  await client.rows('ROLLBACK');
  t.same(await client.rows('SELECT count(*) FROM n'), [[2_000n]], 'the session goes on');

  for (let i = 0; i < 300; i += 1) await client.rows(`SELECT id FROM n WHERE id = ${i}`);
  const held = node.metric('shardforge_plan_cache_bytes');
  t.ok(held > 0 && held <= 200_000, `${held} bytes of plans`);

  const burst = await Promise.all(
    Array.from({ length: 10 }, () =>
      client.execute('SELECT count(*) FROM n a, n b WHERE a.id < 9'),
    ),
  );
  const refused = burst.map(failureOf).filter((failed) => failed !== undefined);
  t.equal(refused.length, 6, 'one is served, three wait');
  t.ok(refused.every((failed) => failed.kind === 'configuration_limit_exceeded'));

  const leaving = node.connect();
  await leaving.rows('BEGIN');
  await leaving.rows("INSERT INTO n (v) VALUES ('lost')");
  t.equal(await snapshotsOf(node, client), 1);
  leaving.send({ kind: 'sql.end' });
  t.equal(await snapshotsOf(node, client), 0, 'a client that goes leaves nothing open');
  t.equal(node.metric('shardforge_sessions'), 1);
  t.same(await client.rows("SELECT count(*) FROM n WHERE v = 'lost'"), [[0n]]);
  t.ok(node.metric('shardforge_statements_total', { kind: 'select', outcome: 'ok' }) > 300);
  t.same(node.logged, []);
});
