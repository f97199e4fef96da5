/** Several nodes: which of them the SDK uses, when it leaves one, and what it does again. */
import t from 'tap';
import { connect } from '#src/client/index.js';
import { onlyReads } from '#src/client/retry.js';
import { type Answerer, echo, type FakeNode, fail, fakeNode, rows } from './fake-node.js';
import { cluster, errorOf, fixture, texts } from './fixture.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until it is so; the test's own time limit is the bound. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(5);
}

const open = (node: FakeNode): number => node.sessions.filter((session) => session.open).length;
const executed = (node: FakeNode, text: string): number =>
  node.executed.filter((one) => one === text).length;

/** Cuts the connection that brings this text, each time. */
const cutAt =
  (text: string): Answerer =>
  (session, frame, sent) => {
    if (sent === text) session.cut();
    else echo(session, frame, sent);
  };

t.test('the leader is preferred, wherever it was dialled first', async (test) => {
  const { nodes, db } = await cluster(test);
  const [first, second, third] = nodes;
  await db.query('select 0');
  first.leader = second.url;
  second.leader = second.url;
  first.answer = (session, frame, text) => {
    if (text !== 'sleep') echo(session, frame, text);
    else setTimeout(() => echo(session, frame, text), 100);
  };
  // A node that is asked whether it lives says where the leader is.
  test.equal((await db.query('sleep'))[0]?.text, 'sleep', 'what runs there runs to its end');
  await until(() => open(second) > 0 && open(first) === 0);
  await Promise.all(Array.from({ length: 20 }, (_, i) => db.query(`select ${i}`)));
  test.equal(texts(first).length - 2, texts(first).filter((text) => text === 'ping').length);
  test.ok(texts(second).length >= 20);
  test.same(third.sessions, [], 'nobody else is bothered');

  const stranger = await fakeNode();
  test.teardown(() => stranger.close());
  const far = await cluster(test);
  far.nodes[0].leader = stranger.url;
  const again = await connect(far.nodes.map(({ url }) => url));
  await until(() => open(stranger) > 0);
  await again.query('insert');
  test.equal(executed(stranger, 'insert'), 1, 'a leader that was not in the list');
  await again.close();

  // Each of two says that the other leads: neither is the better.
  const torn = await fakeNode();
  const other = await fakeNode();
  torn.leader = other.url;
  other.leader = torn.url;
  const db2 = await connect([torn.url, other.url]);
  await pause(150);
  await db2.query('insert');
  test.ok(torn.sessions.length + other.sessions.length <= 4, 'no running to and fro');
  await db2.close();
  await torn.close();
  await other.close();
});

t.test('a node dies: reads go on, writes that were sent are reported', async (test) => {
  const { nodes, db } = await cluster(test, { max: 1 });
  const [first, second, third] = nodes;
  first.answer = () => undefined;
  const read = db.query('select 1').then(([row]) => row?.text);
  const write = errorOf(db.query('insert'));
  const again = db.query('update', [], { idempotent: true }).then(([row]) => row?.text);
  await until(() => first.sessions[0]?.frames.length === 3);
  await first.close();
  test.match(await write, { sqlstate: '08006', retry: 'unknown' });
  test.equal(await read, 'select 1');
  test.equal(await again, 'update', 'the caller has said that it may come twice');
  test.equal(executed(second, 'insert') + executed(third, 'insert'), 0, 'never sent again');
  test.equal((await db.query('insert')).count, 1, 'the next one goes to another node');

  const urls = [first.url, third.url];
  const late = await connect(urls);
  test.equal(
    (await late.query('select 2'))[0]?.text,
    'select 2',
    'one that is down from the start',
  );
  await late.close();
  const nobody = await errorOf(connect([first.url, first.url.replace('127.0.0.1', 'localhost')]));
  test.equal(nobody.sqlstate, '08001');
  test.match(nobody.message, /ws:\/\/127\.0\.0\.1:\d+, ws:\/\/localhost:\d+: .*REFUSED/);
  test.equal((await errorOf(connect([]))).sqlstate, '22023');
});

t.test('rows that came before the connection was lost come once', async (test) => {
  const { nodes, db } = await cluster(test, { max: 1 });
  nodes[0].answer = (session, frame) => {
    session.send({
      ...{ op: 'rows', id: frame.id, more: true },
      columns: [{ name: 'n', type: 'int4' }],
      rows: [[1], [2]],
    });
    setTimeout(() => session.cut(), 5);
  };
  nodes[1].answer = (session, { id }) => rows(session, id, { n: 'int4' }, [[1], [2], [3]]);
  test.same((await db.query('select n')).length, 3);
  test.equal(executed(nodes[1], 'select n'), 1);
});

t.test('a frozen node is left; one that is busy is not', async (test) => {
  const { nodes, db } = await cluster(test, { max: 1 });
  const [first, second] = nodes;
  first.answer = (session, frame, text) => void setTimeout(() => echo(session, frame, text), 300);
  test.equal((await db.query('select 1')).count, 1);
  test.equal(first.sessions.length, 1, 'it has said that it lives');
  first.frozen = true;
  const read = db.query('select 2').then(([row]) => row?.text);
  const write = await errorOf(db.query('insert'));
  test.match(write, { sqlstate: '08006', message: /silent for 80 ms/ });
  test.equal(await read, 'select 2');
  test.equal(executed(second, 'select 2'), 1);
  let runs = 0;
  second.answer = (session, frame, text) => {
    if (text === 'update' && runs === 1) second.frozen = true;
    else echo(session, frame, text);
  };
  await db.transaction(async (tx) => {
    runs += 1;
    await tx.query('update');
  });
  test.equal(runs, 2, 'a transaction is run again elsewhere');
  test.equal(executed(nodes[2], 'commit'), 1);

  const alone = await fixture(test, { max: 1 });
  alone.node.answer = (session, frame, text) =>
    void setTimeout(() => echo(session, frame, text), 1_200);
  await alone.db.query('select 3');
  test.notOk(texts(alone.node).includes('ping'), 'with one node there is nowhere to go');
});

t.test('what a node cannot do now is done by another, or later', async (test) => {
  const { nodes, db } = await cluster(test, { max: 1 });
  const refuse =
    (sqlstate: string): Answerer =>
    (session, frame) =>
      fail(session, frame.id, sqlstate, 'not now', 'later');
  nodes[0].answer = refuse('SF010');
  nodes[1].answer = refuse('57P03');
  test.equal((await db.query('insert')).count, 1);
  test.same(
    nodes.map((node) => executed(node, 'insert')),
    [1, 1, 1],
    'each was asked once, and one did it',
  );
  test.equal((await db.query('insert')).count, 1);
  test.equal(executed(nodes[2], 'insert'), 2, 'those that cannot are left alone for a while');

  const alone = await fixture(test, { max: 1 });
  let left = 3;
  alone.node.answer = (session, frame, text) => {
    if (left === 0 || !text.startsWith('insert')) echo(session, frame, text);
    else {
      left -= 1;
      fail(session, frame.id, 'SF010', 'no majority', 'later');
    }
  };
  test.equal((await alone.db.query('insert')).count, 1, 'the only node is asked again');
  test.equal(left, 0);
  test.equal(alone.node.sessions.length, 1);
  left = 1;
  const two = await errorOf(alone.db.query('insert 1; commit; insert 2'));
  test.equal(two.sqlstate, 'SF010', 'of several statements some may have been done');
  let runs = 0;
  left = 2;
  await alone.db.transaction(async (tx) => {
    runs += 1;
    await tx.query('insert');
  });
  test.equal(runs, 3);
  const never = await fixture(test, { retryMs: 0 });
  never.node.answer = refuse('SF010');
  test.equal((await errorOf(never.db.query('insert'))).sqlstate, 'SF010');
  const bounded = await fixture(test, { retryMs: 60 });
  bounded.node.answer = refuse('SF010');
  test.equal((await errorOf(bounded.db.query('insert'))).sqlstate, 'SF010');
  test.ok(executed(bounded.node, 'insert') > 1);
  const body = errorOf(bounded.db.transaction((tx) => tx.query('insert').then()));
  test.equal((await body).sqlstate, 'SF010');
  for (const sqlstate of ['57014', '53200', '40001']) {
    const before = texts(bounded.node).length;
    bounded.node.answer = refuse(sqlstate);
    test.equal((await errorOf(bounded.db.query('delete'))).sqlstate, sqlstate);
    test.ok(texts(bounded.node).length - before <= 2, `${sqlstate} is the caller's`);
  }
  const stopped = new AbortController();
  bounded.node.answer = (session, frame) => {
    stopped.abort();
    fail(session, frame.id, 'SF010', 'no majority', 'later');
  };
  const aborted = bounded.db.query('x', [], { signal: stopped.signal });
  test.equal((await errorOf(aborted)).sqlstate, 'SF010', 'whoever gave up hears what was last');
});

t.test('a node that shuts down in order: what it did not take is sent to another', async (test) => {
  const { nodes, db } = await cluster(test, { max: 1 });
  const [first, second] = nodes;
  first.answer = (session, frame, text) => {
    if (text === 'insert') session.leave(1012);
    else echo(session, frame, text);
  };
  test.equal((await db.query('insert')).count, 1);
  test.same([executed(first, 'insert'), executed(second, 'insert')], [1, 1]);
  second.answer = (session, frame, text) => {
    if (text === 'update') session.leave(1012);
    else echo(session, frame, text);
  };
  let runs = 0;
  await db.transaction(async (tx) => {
    runs += 1;
    await tx.query('update');
  });
  test.equal(runs, 2);
  nodes[2].answer = (session) => session.leave(1001);
  const cut = await errorOf(db.query('delete'));
  test.match(cut, { sqlstate: '08006', retry: 'unknown' }, 'any other goodbye leaves it open');
});

t.test('transactions on several nodes', async (test) => {
  const { nodes, db } = await cluster(test, { max: 1 });
  nodes[0].answer = cutAt('update');
  let runs = 0;
  await db.transaction(async (tx) => {
    runs += 1;
    await tx.query('update');
  });
  test.equal(runs, 2, 'lost before COMMIT: once more, on another node');
  test.equal(executed(nodes[1], 'commit'), 1);
  nodes[1].answer = cutAt('commit');
  const unknown = db.transaction(async (tx) => {
    runs += 1;
    await tx.query('update');
  });
  test.match(await errorOf(unknown), { sqlstate: '40003', retry: 'unknown' });
  test.equal(runs, 3, 'lost in COMMIT: reported');
});

t.test('which texts only read', (test) => {
  const reading = ['select 1', ' SHOW x ;', 'values (1)', 'table t', "select ';' from t"];
  for (const text of reading.slice(0, 4)) test.ok(onlyReads(text), text);
  const others = [
    'insert into t select 1',
    'with x as (select 1) select * from x',
    'select 1; delete from t',
    'select * from t for update',
    'select * from t FOR NO KEY UPDATE',
    'select * from t for share',
    'select 1 into t',
    "select nextval('s')",
    'select pg_advisory_lock(1)',
    'select shardforge.node_stop()',
    'explain select 1',
  ];
  for (const text of others) test.notOk(onlyReads(text), text);
  test.end();
});

t.test('a result says when it may be old', async (test) => {
  const { db, node } = await fixture(test);
  node.answer = (session, { id }) =>
    session.send({
      ...{ op: 'rows', id, columns: [], rows: [], tag: 'SELECT 0', status: 'idle' },
      ...(node.sessions[0]?.frames.length === 1 ? { stale: true } : {}),
    });
  test.equal((await db.query('select 1')).stale, true);
  test.equal((await db.query('select 2')).stale, false);
});
