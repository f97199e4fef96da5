/**
 * What sessions do and for how long: limits of time in virtual time, pg_stat_activity, and how one session ends
 * what another one does.
 */
import t from 'tap';
import { must } from '#src/base/assert.js';
import type { Notice } from '#src/client/index.js';
import { open } from '#src/embedded.js';
import type { SessionAnswer } from '#src/sql/session/protocol.js';
import { ScriptedSession } from './sql/scripted-replica.js';
import { type Client, describeError, failureOf, TestNode } from './sql/session-client.js';

t.setTimeout(240_000);

const ms = (answers: readonly SessionAnswer[]): string | undefined => {
  const failed = failureOf(answers);
  return failed && describeError(failed);
};

/** The error that ended the session, if one did. */
const fatalOf = (session: ScriptedSession): string | undefined => {
  const failed = session.answersTo(0).find(({ kind }) => kind === 'sql.failed');
  return failed?.kind === 'sql.failed' && failed.fatal === true
    ? describeError(failed.error)
    : undefined;
};

t.test('statement_timeout', async (t) => {
  const session = await ScriptedSession.start();
  session.run('SELECT 1');
  t.equal(session.timers.size, 0, 'without limits no timer is set');
  session.run("SET statement_timeout = '5s'");
  session.run('SELECT 1');
  const sleep = session.execute('SELECT pg_sleep(4)');
  session.wait(3_900);
  t.same(session.answersTo(sleep), [], 'it runs');
  session.wait(200);
  t.equal(ms(session.answersTo(sleep)), undefined);
  const long = session.execute('SELECT pg_sleep(60)');
  session.wait(4_900);
  t.same(session.answersTo(long), []);
  session.wait(200);
  t.equal(ms(session.answersTo(long)), '57014 canceling statement due to statement timeout');
  t.same(session.rows('SHOW statement_timeout'), [['5s']], 'the session goes on');

  const each = session.execute('SELECT pg_sleep(3); SELECT pg_sleep(3)');
  session.wait(7_000);
  t.equal(ms(session.answersTo(each)), undefined, 'it is that of each statement, not of the text');

  session.run('CREATE TABLE kv (k int PRIMARY KEY)');
  const commit = session.execute('INSERT INTO kv VALUES (1)');
  session.wait(5_500);
  t.same(session.answersTo(commit), [], 'a commit on its way is not called back');
  session.answerProposal();
  t.equal(ms(session.answersTo(commit)), undefined);
  const stuck = session.execute('INSERT INTO kv VALUES (2)');
  session.wait(7_000);
  t.equal(
    ms(session.answersTo(stuck)),
    '40003 cancelled while the commit was on its way: it may or may not happen',
    'but it is not waited for for ever',
  );
});

t.test('idle sessions and transactions', async (t) => {
  const idle = await ScriptedSession.start();
  idle.run("SET idle_session_timeout = '10s'; SET idle_in_transaction_session_timeout = '2s'");
  for (let i = 0; i < 5; i += 1) {
    idle.wait(9_000);
    idle.run('SELECT 1');
  }
  t.equal(idle.stopped, false, 'each statement begins the time anew');
  const busy = idle.execute('SELECT pg_sleep(30)');
  idle.wait(30_500);
  t.equal(ms(idle.answersTo(busy)), undefined, 'who works is not idle');
  idle.wait(9_000);
  t.equal(idle.stopped, false);
  idle.wait(1_000);
  t.equal(fatalOf(idle), '57P05 terminating connection due to idle-session timeout');
  t.equal(idle.stopped, true);

  for (const text of ['BEGIN', 'BEGIN; SELECT 1/0']) {
    const inside = await ScriptedSession.start();
    inside.run("SET idle_in_transaction_session_timeout = '2s'");
    inside.run(text);
    inside.wait(1_900);
    t.equal(inside.stopped, false);
    inside.wait(200);
    t.equal(
      fatalOf(inside),
      '25P03 terminating connection due to idle-in-transaction timeout',
      text,
    );
    t.equal(inside.replica.openSnapshots, 0, 'its snapshot is given back');
  }
});

t.test('transaction_timeout', async (t) => {
  const session = await ScriptedSession.start();
  session.run("SET transaction_timeout = '3s'");
  session.run('BEGIN');
  for (let i = 0; i < 2; i += 1) {
    session.wait(1_000);
    session.run('SELECT 1');
  }
  session.wait(1_100);
  t.equal(fatalOf(session), '25P04 terminating connection due to transaction timeout');
  const working = await ScriptedSession.start();
  working.run("SET transaction_timeout = '3s'");
  const request = working.execute('SELECT pg_sleep(10)');
  working.wait(3_100);
  const [failed] = working.answersTo(request);
  t.match(failed, { kind: 'sql.failed', fatal: true, error: { kind: 'transaction_timeout' } });
});

t.test('limits are undone and reset like other settings', async (t) => {
  const session = await ScriptedSession.start();
  session.run("BEGIN; SET LOCAL statement_timeout = '1s'; COMMIT");
  const sleep = session.execute('SELECT pg_sleep(2)');
  session.wait(2_100);
  t.equal(ms(session.answersTo(sleep)), undefined);
});

/** Waits until the client's session is as wanted. */
async function until(client: Client, text: string): Promise<void> {
  for (let i = 0; i < 500; i += 1) {
    if ((await client.rows(text)).length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`it did not come to: ${text}`);
}

t.test('pg_stat_activity and what ends sessions', async (t) => {
  const node = await TestNode.start();
  // The node's own timers do not keep the process.
  const alive = setInterval(() => undefined, 1_000);
  t.teardown(() => clearInterval(alive));
  const [watcher, worker] = [node.connect(), node.connect({ application_name: 'works' })];
  t.same(await watcher.rows('SELECT pg_backend_pid()'), [[watcher.pid]]);
  t.not(watcher.pid, worker.pid);
  const about = (columns: string): string =>
    `SELECT ${columns} FROM pg_stat_activity WHERE pid = ${worker.pid}`;

  await worker.rows('SELECT 1 AS one');
  t.same(
    await watcher.rows(
      about('application_name, usename, state, wait_event_type, wait_event, query'),
    ),
    [['works', 'tester', 'idle', 'Client', 'ClientRead', 'SELECT 1 AS one']],
  );
  t.same(
    await watcher.rows(
      about('backend_type, backend_start <= query_start, xact_start, client_addr'),
    ),
    [['client backend', true, null, null]],
  );
  await worker.rows('BEGIN');
  t.same(await watcher.rows(about('state, xact_start <= now()')), [['idle in transaction', true]]);
  await worker.execute('SELECT 1/0');
  t.same(await watcher.rows(about('state')), [['idle in transaction (aborted)']]);
  await worker.rows('ROLLBACK');
  t.same(
    await watcher.rows(`SELECT state, query FROM pg_stat_activity WHERE pid = pg_backend_pid()`),
    [['active', 'SELECT state, query FROM pg_stat_activity WHERE pid = pg_backend_pid()']],
  );
  t.same(await watcher.rows('SELECT count(*) FROM pg_stat_activity'), [[2n]]);

  const sleeps = worker.execute('SELECT pg_sleep(60)');
  await until(watcher, `${about('1')} AND wait_event = 'PgSleep'`);
  t.same(await watcher.rows(about('state, wait_event_type')), [['active', 'Timeout']]);
  t.same(await watcher.rows(`SELECT pg_cancel_backend(${worker.pid})`), [[true]]);
  t.equal(ms(await sleeps), '57014 canceling statement due to user request');
  t.same(await worker.rows('SELECT 2'), [[2]], 'its session goes on');

  const again = worker.execute('SELECT pg_sleep(61)');
  await until(watcher, `${about('1')} AND wait_event = 'PgSleep'`);
  const [row] = await watcher.rows(
    `SELECT query_id, node FROM shardforge.sessions WHERE pid = ${worker.pid}`,
  );
  const id = String(must(row, 'a session')[0]);
  t.match(id, /^[0-9a-f]+\.[0-9a-f]+\.\d+$/);
  const other = id.replace(/\d+$/, '1');
  const cancels = async (query: string): Promise<unknown> =>
    (await watcher.rows(`SELECT shardforge.cancel_query('${query}')`))[0]?.[0];
  t.match(await cancels(other), { root: false }, 'what has ended is not mistaken for the next');
  t.match(await cancels(id), { root: true });
  const failed = must(failureOf(await again), 'it was cancelled');
  t.equal(failed.details.queryId, id, 'the error names the statement');

  t.same(await watcher.rows(`SELECT pg_terminate_backend(${worker.pid}, 5000)`), [[true]]);
  t.equal(worker.fatal, '57P01 terminating connection due to administrator command');
  t.same(await watcher.rows(about('1')), []);
  t.same(await watcher.rows(`SELECT pg_terminate_backend(${worker.pid})`), [[false]]);
  t.same(watcher.takeNotices(), [
    `WARNING 01000 PID ${worker.pid} is not a PostgreSQL backend process`,
  ]);
  t.same(node.logged, []);
});

t.test(
  'settings that a session begins with are reported, and again when they change',
  async (t) => {
    const node = await TestNode.start();
    const client = node.connect({ timezone: 'Europe/Berlin' });
    await client.rows('SELECT 1');
    t.same(Object.keys(client.reported).sort(), [
      'DateStyle',
      'IntervalStyle',
      'TimeZone',
      'application_name',
      'client_encoding',
      'default_transaction_read_only',
      'in_hot_standby',
      'integer_datetimes',
      'is_superuser',
      'server_encoding',
      'server_version',
      'session_authorization',
      'standard_conforming_strings',
    ]);
    t.equal(client.reported.TimeZone, 'Europe/Berlin');
    await client.rows("SELECT set_config('TimeZone', 'Asia/Tokyo', false)");
    t.equal(client.reported.TimeZone, 'Asia/Tokyo', 'also when a function sets them');
    await client.rows("BEGIN; SET LOCAL TimeZone = 'UTC'");
    t.equal(client.reported.TimeZone, 'UTC');
    await client.rows('ROLLBACK');
    t.equal(client.reported.TimeZone, 'Asia/Tokyo');
    await client.rows('RESET ALL');
    t.equal(client.reported.TimeZone, 'Europe/Berlin', 'RESET goes back to what it began with');
  },
);

t.test('settings of role and database, under those of the client', async (t) => {
  const node = await TestNode.start();
  const admin = node.connect();
  await admin.rows('CREATE ROLE tester');
  await admin.rows("ALTER ROLE tester SET statement_timeout = '3s'");
  await admin.rows("ALTER DATABASE shardforge SET work_mem = '7MB'");
  await admin.rows("ALTER ROLE tester SET app.tenant = 'acme'");
  t.equal(
    await admin.error("ALTER ROLE tester SET work_mem = 'much'"),
    '22023 invalid value for parameter "work_mem": "much"',
  );
  const client = node.connect({ statement_timeout: '9s' });
  t.same(await client.rows('SHOW work_mem'), [['7MB']]);
  t.same(await client.rows('SHOW statement_timeout'), [['9s']], "the client's own comes first");
  t.same(await client.rows('SHOW app.tenant'), [['acme']]);
  await client.rows("SET work_mem = '1GB'");
  const about =
    "SELECT setting, unit, source, boot_val, reset_val FROM pg_settings WHERE name = 'work_mem'";
  t.same(await client.rows(about), [['1048576', 'kB', 'session', '4096', '7168']]);
  await client.rows('RESET work_mem');
  t.same(await client.rows('SHOW work_mem'), [['7MB']], 'RESET goes back to them');
  t.same(
    await client.rows(
      "SELECT vartype, min_val, max_val, enumvals::text FROM pg_settings WHERE name IN ('bytea_output', 'work_mem') ORDER BY name",
    ),
    [
      ['enum', null, null, '{escape,hex}'],
      ['integer', '64', '2147483647', null],
    ],
  );
});

t.test('what is not there is refused, not forgotten', async (t) => {
  const node = await TestNode.start();
  const client = node.connect();
  for (const [text, error] of [
    [
      'SET session_replication_role = replica',
      '0A000 parameter "session_replication_role" cannot be "replica"',
    ],
    [
      'SET standard_conforming_strings = off',
      '0A000 parameter "standard_conforming_strings" cannot be "off"',
    ],
    [
      'SET default_table_access_method = columnar',
      '0A000 parameter "default_table_access_method" cannot be "columnar"',
    ],
    [
      "SET client_encoding = 'LATIN1'",
      '22023 invalid value for parameter "client_encoding": "LATIN1"',
    ],
    [
      "SET shardforge.nothing = '1'",
      '42602 invalid configuration parameter name "shardforge.nothing"',
    ],
    ["ALTER SYSTEM SET work_mem = '1MB'", '0A000 ALTER SYSTEM is not supported'],
  ] as const) {
    t.equal(await client.error(text), error);
  }
  // What pg_dump and psql begin with.
  for (const text of [
    'SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0',
    "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on",
    "SELECT pg_catalog.set_config('search_path', '', false)",
    'SET check_function_bodies = false; SET xmloption = content; SET client_min_messages = warning',
    "SET row_security = off; SET default_tablespace = ''; SET default_table_access_method = heap",
    'SET synchronize_seqscans TO off; SET extra_float_digits TO 3; SET quote_all_identifiers = false',
  ]) {
    t.equal(failureOf(await client.execute(text)), undefined, text);
  }
});

t.test('the SDK hears notices', async (t) => {
  const heard: Notice[] = [];
  const database = await open({ onNotice: (notice) => heard.push(notice) });
  t.teardown(() => database.close());
  await database.query('CREATE TABLE parent (id int PRIMARY KEY)');
  await database.query('CREATE TABLE IF NOT EXISTS parent (id int)');
  await database.query('CREATE VIEW child AS SELECT id FROM parent');
  await database.query('CREATE VIEW grandchild AS SELECT id FROM child');
  await database.query('DROP TABLE parent CASCADE');
  t.same(heard, [
    {
      severity: 'NOTICE',
      sqlstate: '42P07',
      message: 'relation "parent" already exists, skipping',
    },
    {
      ...{ severity: 'NOTICE', sqlstate: '00000', message: 'drop cascades to 2 other objects' },
      detail: 'drop cascades to view child\ndrop cascades to view grandchild',
    },
  ]);
});

t.test('who may see and end what others do', async (t) => {
  const node = await TestNode.start();
  const [admin, alice, bob] = [node.connect(), node.connect(), node.connect()];
  await admin.rows('CREATE ROLE alice; CREATE ROLE bob');
  await alice.rows('SET SESSION AUTHORIZATION alice');
  await bob.rows('SET SESSION AUTHORIZATION bob');
  const seen = (client: Client, of: Client): Promise<readonly unknown[]> =>
    client.rows(`SELECT usename, state, query FROM pg_stat_activity WHERE pid = ${of.pid}`);
  const cancel = (of: Client): string => `SELECT pg_cancel_backend(${of.pid})`;
  t.match(await seen(alice, admin), [['tester', null, '<insufficient privilege>']]);
  t.match(await seen(alice, bob), [['bob', null, '<insufficient privilege>']]);
  t.match(await seen(alice, alice), [['alice', 'active', /SELECT usename/]]);
  t.match(await seen(admin, bob), [['bob', 'idle', 'SET SESSION AUTHORIZATION bob']]);
  t.match(
    await alice.rows(`SELECT query_id, query FROM shardforge.sessions WHERE pid = ${bob.pid}`),
    [[null, '<insufficient privilege>']],
  );
  t.equal(await alice.error(cancel(admin)), '42501 must be a superuser to cancel superuser query');
  t.equal(
    await alice.error(cancel(bob)),
    '42501 must be a member of the role whose query is being canceled or member of pg_signal_backend',
  );
  t.equal(
    await alice.error(`SELECT pg_terminate_backend(${bob.pid})`),
    '42501 must be a member of the role whose process is being terminated or member of pg_signal_backend',
  );
  await admin.rows('GRANT pg_signal_backend TO alice; GRANT pg_read_all_stats TO alice');
  t.same(await alice.rows(cancel(bob)), [[true]]);
  t.match(await seen(alice, bob), [['bob', 'idle', 'SET SESSION AUTHORIZATION bob']]);
  t.equal(await alice.error(cancel(admin)), '42501 must be a superuser to cancel superuser query');
  t.same(await admin.rows(cancel(alice)), [[true]]);
});
