/** What becomes of calls when they are cancelled and when connections come and go. */
import t from 'tap';
import { connect } from '#src/client/index.js';
import { echo, fail, fakeNode } from './fake-node.js';
import { errorOf, fixture, texts } from './fixture.js';

t.test('abort and timeout', async (test) => {
  const { db, node } = await fixture(test, { max: 1 });
  const state = { obey: true };
  node.answer = (session, frame, text) => {
    if (text !== 'sleep') echo(session, frame, text);
    else {
      const timer = setInterval(() => {
        if (!session.frames.some((next) => next.op === 'cancel' && next.id === frame.id)) return;
        clearInterval(timer);
        if (state.obey) fail(session, frame.id, '57014', 'canceling statement due to user request');
        else echo(session, frame, text);
      }, 1);
    }
  };
  const aborted = AbortSignal.abort(new Error('why'));
  const early = await errorOf(db.query('select 1', [], { signal: aborted }));
  test.equal(early.sqlstate, '57014');
  test.match(early.cause, { message: 'why' });
  test.same(texts(node), [], 'nothing was sent');
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 10);
  const midway = await errorOf(db.sql`sleep`.with({ signal: controller.signal }));
  test.match(midway, { sqlstate: '57014', message: /AbortSignal/ });
  const late = await errorOf(db.query('sleep', [], { timeoutMs: 10 }));
  test.match(late, { sqlstate: '57014', message: /took over 10 ms/ });
  state.obey = false;
  const answered = await db.query('sleep', [], { timeoutMs: 10 });
  test.equal(answered[0]?.text, 'sleep', 'a statement that ended first did happen');
  state.obey = true;
  const stop = new AbortController();
  const body = db.transaction(
    async (tx) => {
      setTimeout(() => stop.abort(), 10);
      await tx.query('sleep');
    },
    { signal: stop.signal },
  );
  test.equal((await errorOf(body)).sqlstate, '57014');
  test.equal((await db.sql`select 1`).count, 1);
});

t.test('a lost connection: what was sent is never sent again', async (test) => {
  const { db, node } = await fixture(test, { max: 1, connectTimeoutMs: 2_000 });
  node.answer = (session, frame, text) => {
    if (text === 'cut') session.cut();
    else if (text !== 'silence' && text !== 'insert') echo(session, frame, text);
  };
  const sent = Promise.all([
    errorOf(db.query('silence')),
    errorOf(db.query('insert')),
    errorOf(db.query('cut')),
  ]);
  for (const error of await sent) {
    test.match(error, { sqlstate: '08006', retry: 'unknown', condition: 'connection_failure' });
  }
  test.equal((await db.query('select 1'))[0]?.text, 'select 1', 'connects again by itself');
  test.equal(node.sessions.length, 2);
  test.equal(texts(node).filter((text) => text === 'execute insert').length, 1);

  const held: string[] = [];
  node.answer = (session, frame, text) => {
    held.push(text);
    if (held.length === 64) session.cut();
    else if (session.number === 3) echo(session, frame, text);
  };
  const outcomes = await Promise.allSettled(
    Array.from({ length: 70 }, (_, i) => db.query(`insert ${i}`)),
  );
  test.same(
    outcomes.map((outcome) => outcome.status),
    [...new Array(64).fill('rejected'), ...new Array(6).fill('fulfilled')],
    'only what was not sent is sent on the next connection',
  );

  let runs = 0;
  node.answer = (session, frame, text) => {
    if (text === 'update' && runs === 1) session.cut();
    else echo(session, frame, text);
  };
  await db.transaction(async (tx) => {
    runs += 1;
    await tx.query('update');
  });
  test.equal(runs, 2, 'lost before COMMIT: nothing was done, the function runs again');
  runs = 0;
  node.answer = (session, frame, text) => {
    if (text === 'commit') session.cut();
    else echo(session, frame, text);
  };
  const unknown = db.transaction(async (tx) => {
    runs += 1;
    await tx.query('update');
  });
  test.match(await errorOf(unknown), { sqlstate: '40003', retry: 'unknown' });
  test.equal(runs, 1, 'lost in COMMIT: the caller has to look');
});

t.test('a node that goes and comes back', async (test) => {
  const first = await fakeNode();
  const port = Number(new URL(first.url).port);
  const db = await connect(first.url, { connectTimeoutMs: 3_000 });
  await first.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const answered = db.query('select 1').then(([row]) => row?.text);
  await new Promise((resolve) => setTimeout(resolve, 150));
  const second = await fakeNode(port);
  test.equal(await answered, 'select 1');
  await second.close();
  await db.close();
  const refused = await errorOf(connect(first.url));
  test.match(refused, { sqlstate: '08001', hint: /npx shardforge/ });
  test.match(refused.message, new RegExp(`cannot connect to ws://127.0.0.1:${port}: .*REFUSED`));
  test.equal((await errorOf(connect('ftp://x'))).sqlstate, '22023');
  test.equal((await errorOf(connect({ max: 0 }))).sqlstate, '22023');
  test.equal((await errorOf(db.sql`select 1`)).sqlstate, '08003', 'closed');
});

t.test('connections for alone use', async (test) => {
  const { db, node } = await fixture(test, { max: 1, connectTimeoutMs: 100 });
  const session = await db.session();
  await session.sql`begin`;
  test.equal(session.status, 'open');
  const starved = await errorOf(db.sql`select 1`);
  test.match(starved, { sqlstate: '53400', message: /hold all 1/ });
  const late = await errorOf(db.session({ timeoutMs: 10 }));
  test.match(late, { sqlstate: '57014', message: /within 10 ms/ });
  const gone = await errorOf(db.session({ signal: AbortSignal.timeout(10) }));
  test.equal(gone.sqlstate, '57014');
  session.release();
  session.release();
  test.equal((await errorOf(session.sql`select 1`)).sqlstate, '08003');
  test.equal((await db.sql`select 2`)[0]?.text, 'select 2');
  test.same(texts(node), ['execute begin', 'execute rollback', 'execute select 2']);
  const left = await errorOf(db.sql`begin`);
  test.match(left, { sqlstate: '25001', hint: /transaction\(\)/ });
  await db.sql`select 3`;
  test.same(texts(node).slice(3), ['execute begin', 'execute rollback', 'execute select 3']);
});

t.test('close waits for what runs', async (test) => {
  const { db, node } = await fixture(test);
  node.answer = (s, frame, text) => void setTimeout(() => echo(s, frame, text), 30);
  const running = db.query('select 1').then(([row]) => row?.text);
  const closed = db.close();
  test.equal((await errorOf(db.query('select 2'))).sqlstate, '08003');
  test.equal(await running, 'select 1');
  await closed;
  node.answer = () => undefined;
  const other = await connect(node.url);
  const cut = errorOf(other.query('for ever').then());
  await other.close(10);
  test.equal((await cut).sqlstate, '08006');
});
