/** LISTEN, NOTIFY and advisory locks between sessions of one node (docs/decisions 24, 25). */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type Client, TestNode } from './sql/session-client.js';

// The timers of the test's nodes do not keep the process alive.
const alive = setInterval(() => undefined, 1000);
t.teardown(() => clearInterval(alive));

/** Lets what was sent arrive: a statement goes the same way. */
async function settle(...clients: readonly Client[]): Promise<void> {
  for (const client of clients) await client.rows('select 1');
}

async function commands(client: Client, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) await client.rows(text);
}

t.test('who listens hears what commits, in order, once', async (t) => {
  const node = await TestNode.start();
  const [speaker, hearer, other] = [node.connect(), node.connect(), node.connect()];
  await commands(hearer, 'listen news', 'listen "Other"');
  await commands(other, 'listen other');
  await commands(speaker, "notify news, 'one'", 'notify news', `notify "Other", 'two'`);
  await commands(speaker, 'begin', "notify news, 'undone'", 'rollback');
  await commands(speaker, 'begin', "notify news, 'a'", "notify news, 'b'", "notify news, 'a'");
  await speaker.rows(`select pg_notify('news', x) from (values ('b'), ('c')) v(x)`);
  await settle(hearer);
  t.same(hearer.heard, ['news: one', 'news: ', 'Other: two'], 'nothing before the commit');
  await speaker.rows('commit');
  await settle(hearer, other);
  t.same(hearer.heard.splice(0).slice(3), ['news: a', 'news: b', 'news: c'], 'nothing twice');
  t.same(other.heard, [], 'names are as they are written');
  t.same(await hearer.rows('select pg_listening_channels()'), [['news'], ['Other']]);
  await commands(hearer, 'unlisten news');
  await commands(speaker, 'notify news', 'notify "Other"');
  await settle(hearer);
  t.same(hearer.heard.splice(0), ['Other: ']);
  await commands(hearer, 'unlisten *');
  t.same(await hearer.rows('select pg_listening_channels()'), []);
  await commands(hearer, 'listen a', 'discard all', 'listen b', 'unlisten *');
  await commands(speaker, 'notify a', 'notify b');
  await settle(hearer);
  t.same(hearer.heard, []);
});

t.test('LISTEN and UNLISTEN count when their transaction commits', async (t) => {
  const node = await TestNode.start();
  const [speaker, hearer] = [node.connect(), node.connect()];
  await commands(hearer, 'begin', 'listen a');
  t.same(await hearer.rows('select pg_listening_channels()'), []);
  await speaker.rows("notify a, 'early'");
  await commands(hearer, 'savepoint s', 'listen b', 'rollback to s', 'listen c', 'commit');
  t.same(await hearer.rows('select pg_listening_channels()'), [['a'], ['c']]);
  await commands(speaker, "notify a, '1'", "notify b, '2'", "notify c, '3'");
  await settle(hearer);
  t.same(hearer.heard.splice(0), ['a: 1', 'c: 3']);
  await commands(hearer, 'begin', 'unlisten a', 'listen d', 'rollback');
  t.same(await hearer.rows('select pg_listening_channels()'), [['a'], ['c']]);
  await commands(hearer, 'begin');
  await speaker.rows("notify a, 'meanwhile'");
  await settle(hearer);
  t.same(hearer.heard, [], 'held back in a block');
  await hearer.rows('commit');
  t.same(hearer.heard.splice(0), ['a: meanwhile']);
  await commands(hearer, 'begin', 'listen own', "notify own, 'mine'", "notify a, 'mine too'");
  await hearer.rows('commit');
  t.same(hearer.heard.splice(0), ['own: mine', 'a: mine too'], 'its own with its commit');
  await hearer.execute("listen x; notify x, 'in one text'");
  t.same(hearer.heard.splice(0), ['x: in one text']);
  t.same(await hearer.error('begin; listen y; select 1/0'), '22012 division by zero');
  await hearer.rows('rollback');
  t.notOk((await hearer.rows('select pg_listening_channels()')).flat().includes('y'));
});

t.test('what NOTIFY refuses, and savepoints', async (t) => {
  const node = await TestNode.start();
  const client = node.connect();
  await client.rows('listen a');
  t.equal(await client.error("select pg_notify('', 'x')"), '22023 channel name cannot be empty');
  t.equal(await client.error('select pg_notify(null, null)'), '22023 channel name cannot be empty');
  const long = "select pg_notify(repeat('c', 64), 'x')";
  t.equal(await client.error(long), '22023 channel name too long');
  const payload = (bytes: number): string => `select pg_notify('a', repeat('p', ${bytes}))`;
  t.equal(await client.error(payload(8000)), '22023 payload string too long');
  t.equal(
    await client.error("select pg_notify('a', repeat('ü', 4000))"),
    '22023 payload string too long',
  );
  await client.rows(payload(7999));
  t.equal(client.heard.pop()?.length, 3 + 7999);
  t.same(await client.rows("select pg_notify('a', null)"), [['']]);
  t.same(client.heard.splice(0), ['a: ']);
  await commands(client, 'begin', "notify a, '1'", 'savepoint s', "notify a, '2'", 'rollback to s');
  await commands(client, "notify a, '3'", "notify a, '2'", 'commit');
  t.same(client.heard.splice(0), ['a: 1', 'a: 3', 'a: 2']);
  await commands(client, 'begin read only', "notify a, 'read only'", 'commit');
  t.same(client.heard.splice(0), ['a: read only']);
  await commands(client, 'create table t (id int primary key)');
  await client.rows("insert into t select 1 where pg_notify('a', 'with a row') is not null");
  t.same(client.heard.splice(0), ['a: with a row']);
});

t.test('a client that does not take notifications is ended; others are not held up', async (t) => {
  const node = await TestNode.start({ notificationBytes: 100_000 });
  const [speaker, slow, quick] = [node.connect(), node.connect(), node.connect()];
  slow.acknowledges = false;
  await commands(slow, 'listen a');
  await commands(quick, 'listen a');
  for (let i = 0; i < 84; i += 1) await speaker.rows(`notify a, '${'x'.repeat(1000)}${i}'`);
  await settle(quick, slow);
  t.equal(slow.heard.length, 64, 'the door has as many as it may');
  t.equal(slow.fatal, undefined);
  const [[usage] = []] = await speaker.rows('select pg_notification_queue_usage()');
  t.ok(typeof usage === 'number' && usage > 0.3 && usage < 0.6, 'the fullest queue', { usage });
  slow.send({ kind: 'sql.heard', count: 10 });
  await settle(slow);
  t.equal(slow.heard.length, 74);
  for (let i = 0; i < 50; i += 1) await speaker.rows(`notify a, '${'y'.repeat(1000)}${i}'`);
  await settle(quick);
  t.match(slow.fatal, /^53400 the client has not taken more than 100000 bytes/);
  t.equal(quick.heard.length, 134);
  t.same(await speaker.rows('select pg_notification_queue_usage()'), [[0]]);
});

t.test('advisory locks keep others out until they are given back', async (t) => {
  const node = await TestNode.start();
  const [one, two] = [node.connect(), node.connect()];
  t.same(await one.rows('select pg_advisory_lock(1)'), [['']]);
  t.same(await one.rows('select pg_try_advisory_lock(1)'), [[true]], 'its own once more');
  t.same(await two.rows('select pg_try_advisory_lock(1)'), [[false]]);
  t.same(await two.rows('select pg_try_advisory_lock(0, 1)'), [[true]], 'a pair is another key');
  const waits = two.rows('select pg_advisory_lock(1)');
  await one.rows('select pg_advisory_unlock(1)');
  t.same(await one.rows('select pg_advisory_unlock(1)'), [[true]], 'as often as it was taken');
  t.same(await waits, [['']]);
  t.same(await one.rows('select pg_advisory_unlock(1)'), [[false]]);
  t.same(one.takeNotices(), ["WARNING 01000 you don't own a lock of type ExclusiveLock"]);
  t.same(await one.rows('select pg_advisory_unlock_shared(7, 8)'), [[false]]);
  t.same(one.takeNotices(), ["WARNING 01000 you don't own a lock of type ShareLock"]);
  await two.rows('select pg_advisory_unlock_all()');
  t.same(await one.rows('select pg_try_advisory_lock(1), pg_try_advisory_lock(0, 1)'), [
    [true, true],
  ]);
  one.send({ kind: 'sql.end' });
  await sleep(5);
  t.same(
    await two.rows('select pg_try_advisory_lock(1)'),
    [[true]],
    'free at the end of its session',
  );
});

t.test('locks of a transaction end with it, those of a session do not', async (t) => {
  const node = await TestNode.start();
  const [one, two] = [node.connect(), node.connect()];
  const free = async (key: number): Promise<unknown> => {
    const [[is] = []] = await two.rows(`select pg_try_advisory_lock(${key})`);
    if (is === true) await two.rows(`select pg_advisory_unlock(${key})`);
    return is;
  };
  await commands(one, 'begin', 'select pg_advisory_xact_lock(1)', 'select pg_advisory_lock(2)');
  t.same([await free(1), await free(2)], [false, false]);
  await commands(
    one,
    'savepoint s',
    'select pg_advisory_xact_lock(3)',
    'select pg_advisory_lock(4)',
  );
  await commands(one, 'rollback to s');
  t.same([await free(1), await free(3), await free(4)], [false, true, false]);
  t.same(
    await one.rows('select pg_advisory_unlock(1)'),
    [[false]],
    'it is the transaction that has it',
  );
  await commands(one, 'rollback');
  t.same([await free(1), await free(2)], [true, false]);
  await commands(one, 'begin', 'select pg_advisory_xact_lock(1)');
  await one.error('select 1/0');
  t.equal(await free(1), true, 'when the block fails, not when it ends');
  await commands(one, 'rollback', 'select pg_advisory_xact_lock(1)');
  t.equal(await free(1), true, 'a statement of its own is a transaction');
  await one.error('select pg_advisory_lock(5), 1/0');
  t.equal(await free(5), true, 'an error before the lock was needed');
  await one.error(
    "select pg_advisory_lock(x), case when x = 6 then 'x'::int end from generate_series(5, 6) x",
  );
  t.equal(await free(2), false);
  await one.rows('discard all');
  t.equal(await free(2), true);
});

t.test('shared locks, and a queue that is fair', async (t) => {
  const node = await TestNode.start();
  const [a, b, c, d] = [node.connect(), node.connect(), node.connect(), node.connect()];
  await a.rows('select pg_advisory_lock_shared(1)');
  await b.rows('select pg_advisory_lock_shared(1)');
  const order: string[] = [];
  const note = (name: string) => () => void order.push(name);
  const exclusive = c.rows('select pg_advisory_lock(1)').then(note('exclusive'));
  await sleep(5);
  const late = d.rows('select pg_advisory_lock_shared(1)').then(note('shared'));
  t.same(await a.rows('select pg_try_advisory_lock(1)'), [[false]], 'another has it too');
  await a.rows('select pg_advisory_unlock_shared(1)');
  t.same(await a.rows('select pg_try_advisory_lock_shared(1)'), [[false]], 'not before who waits');
  t.same(order, []);
  await b.rows('select pg_advisory_unlock_shared(1)');
  await exclusive;
  await c.rows('select pg_advisory_unlock(1)');
  await late;
  t.same(order, ['exclusive', 'shared']);
});

t.test('a deadlock is found at once, and told as PostgreSQL tells it', async (t) => {
  const node = await TestNode.start();
  const [one, two] = [node.connect(), node.connect()];
  await one.rows('select pg_advisory_lock(1)');
  await two.rows('select pg_advisory_lock(2)');
  const waits = one.rows('select pg_advisory_lock(2)');
  await sleep(5);
  const [[database] = []] = await two.rows('select oid from pg_database');
  t.same(
    await two.rows(`select locktype, database, classid, objid, objsubid, pid, mode, granted
      from pg_locks order by granted, objid`),
    [
      ['advisory', database, 0, 2, 1, one.pid, 'ExclusiveLock', false],
      ['advisory', database, 0, 1, 1, one.pid, 'ExclusiveLock', true],
      ['advisory', database, 0, 2, 1, two.pid, 'ExclusiveLock', true],
    ],
  );
  const answers = await two.execute('select pg_advisory_lock(1)');
  const failed = answers.find((answer) => answer.kind === 'sql.failed');
  t.match(failed?.kind === 'sql.failed' && failed.error, {
    kind: 'deadlock_detected',
    message: 'deadlock detected',
    details: {
      detail: [
        `Process ${two.pid} waits for ExclusiveLock on advisory lock [${database},0,1,1]; blocked by process ${one.pid}.`,
        `Process ${one.pid} waits for ExclusiveLock on advisory lock [${database},0,2,1]; blocked by process ${two.pid}.`,
      ].join('\n'),
      hint: 'See server log for query details.',
    },
  });
  await two.rows('select pg_advisory_unlock(2)');
  await waits;
});

t.test('waiting ends by cancel, by lock_timeout, by the end of the session', async (t) => {
  const node = await TestNode.start();
  const [one, two, three] = [node.connect(), node.connect(), node.connect()];
  await one.rows('select pg_advisory_lock(1)');
  const cancelled = two.error('select pg_advisory_lock(1)');
  await sleep(5);
  two.send({ kind: 'sql.cancel', request: two.lastRequest });
  t.equal(await cancelled, '57014 canceling statement due to user request');
  await two.rows('set lock_timeout = 20');
  t.equal(
    await two.error('select pg_advisory_lock(1)'),
    '55P03 canceling statement due to lock timeout',
  );
  void three.execute('select pg_advisory_lock(1)');
  await sleep(5);
  three.send({ kind: 'sql.end' });
  await sleep(5);
  await one.rows('select pg_advisory_unlock(1)');
  t.same(await two.rows('select pg_try_advisory_lock(1)'), [[true]], 'nobody waits any more');
});

t.test('rows are locked one after the other, as far as the query goes', async (t) => {
  const node = await TestNode.start();
  const [one, two] = [node.connect(), node.connect()];
  await commands(one, 'create table job (id int primary key, done bool default false)');
  await commands(one, 'insert into job select generate_series(1, 5)');
  const next = 'select id from job where pg_try_advisory_lock(id) order by id limit 1';
  t.same(await one.rows(next), [[1]]);
  t.same(await two.rows(next), [[2]]);
  t.same(await one.rows('select pg_try_advisory_lock(3)'), [[true]]);
  t.same(await two.rows('select pg_advisory_unlock(2), pg_try_advisory_lock(1)'), [[true, false]]);
  t.same(await two.rows(next), [[2]]);
  t.same(
    await two.rows(`update job set done = true where pg_try_advisory_xact_lock(id) returning id`),
    [[2], [4], [5]],
  );
  t.same(await one.rows('select pg_advisory_lock(id) is null from job where id = 4'), [[false]]);
});
