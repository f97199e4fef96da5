/**
 * The SDK against a peer that does what the test says: what leaves for the node, what comes of the
 * answers, and what happens when the connection is lost at each moment.
 */
import t from 'tap';
import { errorCatalogue } from '#src/base/errors.js';
import { clientConditions } from '#src/client/errors.js';
import type { Result } from '#src/client/index.js';
import './client/connections.js';
import './client/failover.js';
import { echo, type FakeNode, fail, rows } from './client/fake-node.js';
import { errorOf, fixture, sqlstateOf, texts } from './client/fixture.js';

t.test('templates: values are parameters, only fragments are text', async (test) => {
  const { db } = await fixture(test);
  const { sql } = db;
  const sent = async (query: PromiseLike<Result<{ text?: unknown; params?: unknown }>>) => {
    const [row] = await query;
    return [row?.text, row?.params];
  };
  const evil = "'; drop table t; --";
  test.same(await sent(sql`select ${evil}, ${1}`), ['select $1, $2', [evil, 1]]);
  const part = sql`and b = ${2}`;
  test.same(await sent(sql`select * from ${sql.identifier('My "t"')} where a = ${1} ${part}`), [
    'select * from "My ""t""" where a = $1 and b = $2',
    [1, 2],
  ]);
  test.same(await sent(sql`x in ${sql.list([1, 'a', null])} or ${3}`), [
    'x in ($1, $2, $3) or $4',
    [1, 'a', null, 3],
  ]);
  const values = sql.rows([
    [1, 'one'],
    [2, 'two'],
  ]);
  test.same(await sent(sql`insert into t values ${values}`), [
    'insert into t values ($1, $2), ($3, $4)',
    [1, 'one', 2, 'two'],
  ]);
  test.same(await sent(sql`select ${sql.identifier('a', 'b')}`), ['select "a"."b"', []]);
  test.same(await sent(db.query('select $1', [10n])), ['select $1', ['10']]);
  const parameters = [
    new Date(0),
    new Date('-000043-03-15T00:00:00Z'),
    Uint8Array.of(1, 255),
    { a: [1] },
    [1, 2],
    Number.NaN,
    -0,
    true,
    null,
  ];
  test.same((await sent(db.query('p', parameters)))[1], [
    '1970-01-01T00:00:00.000Z',
    '0044-03-15T00:00:00.000Z BC',
    '\\x01ff',
    '{"a":[1]}',
    '[1,2]',
    'NaN',
    '-0',
    true,
    null,
  ]);
  test.equal((await errorOf(sql`in ${sql.list([1])} ${undefined as never}`)).sqlstate, '22023');
  const refused = (build: () => unknown): void => {
    test.equal(sqlstateOf(build), '22023');
  };
  refused(() => sql.list([]));
  refused(() => sql.rows([]));
  refused(() => sql.identifier(''));
  test.equal((await errorOf(sql`a ${db.query('b')}`)).sqlstate, '22023');
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  refused(() => db.query('$1', [loop]));
  refused(() => db.query('$1', [new Date(Number.NaN)]));
});

const everyType = {
  small: ['int8', '42'],
  large: ['int8', '9007199254740993'],
  amount: ['numeric', '1.10'],
  ratio: ['float8', 'NaN'],
  half: ['float8', 0.5],
  day: ['date', '2026-11-21'],
  local: ['timestamp', '2026-11-21 08:00:00'],
  at: ['timestamptz', '2026-11-21 08:00:00.123456+05:30'],
  never: ['timestamptz', 'infinity'],
  document: ['jsonb', '{"a": [1, null]}'],
  bytes: ['bytea', '\\x00ff'],
  yes: ['bool', true],
  none: ['int8', null],
} as const;

t.test('values by the types of their columns', async (test) => {
  const types = Object.fromEntries(Object.entries(everyType).map(([name, [type]]) => [name, type]));
  const answer: FakeNode['answer'] = (session, frame) =>
    rows(session, frame.id, types, [Object.values(everyType).map(([, value]) => value)]);
  const { db, node } = await fixture(test);
  node.answer = answer;
  const result = await db.sql`select`;
  const at = new Date('2026-11-21T02:30:00.123Z');
  test.strictSame(
    [...result],
    [
      {
        ...{ small: 42, large: 9007199254740993n, amount: '1.10', ratio: Number.NaN, half: 0.5 },
        ...{ day: '2026-11-21', local: '2026-11-21 08:00:00', at, never: 'infinity' },
        ...{ document: { a: [1, null] }, bytes: Uint8Array.of(0, 255), yes: true, none: null },
      },
    ],
  );
  test.equal(result.tag, 'SELECT 1');
  test.equal(result.count, 1);
  test.equal(result.columns[2]?.type, 'numeric');
  const text = await fixture(test, {
    types: { int8: 'string', numeric: 'number', timestamptz: 'string', json: 'string' },
  });
  text.node.answer = answer;
  const [row] = await text.db.sql`select`.values();
  const expected: unknown[] = Object.values(everyType).map(([, value]) => value);
  expected[2] = 1.1;
  expected[3] = Number.NaN;
  expected[10] = Uint8Array.of(0, 255);
  test.strictSame(row, expected);
  const strict = await fixture(test, { types: { int8: 'number' } });
  strict.node.answer = answer;
  test.equal((await errorOf(strict.db.sql`select`)).sqlstate, '22023', 'never silently inexact');
  const big = await fixture(test, { types: { int8: 'bigint' } });
  big.node.answer = answer;
  test.equal((await big.db.sql`select`)[0]?.small, 42n);
});

t.test('a column named __proto__ is a column', async (test) => {
  const { db, node } = await fixture(test);
  node.answer = (session, frame) => {
    const columns = [{ name: '__proto__', type: 'text' }];
    const end = { tag: 'SELECT 1', status: 'idle' } as const;
    session.send({ op: 'rows', id: frame.id, columns, rows: [['x']], ...end });
  };
  const [row] = await db.sql`select`;
  test.same(Object.keys(row ?? {}), ['__proto__']);
  test.equal(Object.getPrototypeOf(row), Object.prototype);
});

t.test('several results of one text', async (test) => {
  const { db, node } = await fixture(test);
  node.answer = (session, frame) => {
    const { id } = frame;
    session.send({ op: 'complete', id, tag: 'CREATE TABLE', status: 'idle', more: true });
    const columns = [{ name: 'a', type: 'int4' }];
    const end = { tag: 'SELECT 2', status: 'idle', more: true } as const;
    session.send({ op: 'rows', id, columns, rows: [[1]], more: true });
    session.send({ op: 'rows', id, rows: [[2]], ...end });
    session.send({ op: 'complete', id, tag: 'INSERT 0 7', status: 'idle' });
  };
  const results = await db.query('three').results();
  test.same(
    results.map((result) => [result.tag, result.count, [...result]]),
    [
      ['CREATE TABLE', 0, []],
      ['SELECT 2', 2, [{ a: 1 }, { a: 2 }]],
      ['INSERT 0 7', 7, []],
    ],
  );
  test.equal((await db.query('three')).tag, 'INSERT 0 7', 'awaiting gives the last');
});

t.test('errors carry what the node said and point at the caller', async (test) => {
  const { db, node } = await fixture(test, { traceCalls: true });
  node.answer = (session, frame) =>
    session.send({
      ...{ op: 'error', id: frame.id, sqlstate: '23505', name: 'unique_violation', retry: 'never' },
      ...{ message: 'duplicate key', position: 8, detail: 'd', hint: 'h', table: 't' },
      ...{ constraint: 'c', status: 'idle' },
    });
  const error = await errorOf(db.sql`insert`);
  test.match(error, {
    ...{ sqlstate: '23505', condition: 'unique_violation', message: 'duplicate key' },
    ...{ position: 8, detail: 'd', hint: 'h', table: 't', constraint: 'c', retry: 'never' },
  });
  test.match(error.stack, /client\.test/);
  for (const [name, [sqlstate, retry]] of Object.entries(clientConditions)) {
    const { advice, ...known } = errorCatalogue[name as keyof typeof clientConditions];
    test.same({ sqlstate, retry }, known, name);
    test.ok(advice);
  }
});

t.test('calls are pipelined within the limit of the node', async (test) => {
  const { db, node } = await fixture(test, { max: 1 });
  const waiting: (() => void)[] = [];
  let most = 0;
  node.answer = (session, frame, text) => {
    waiting.push(() => echo(session, frame, text));
    most = Math.max(most, waiting.length);
    if (waiting.length === 1) setTimeout(() => waiting.splice(0).forEach((go) => void go()), 5);
  };
  const many = Array.from({ length: 200 }, (_, i) =>
    db.query(`select ${i}`).then(([r]) => r?.text),
  );
  test.same(
    await Promise.all(many),
    Array.from({ length: 200 }, (_, i) => `select ${i}`),
  );
  test.equal(most, 64, 'as many as the node allows, and no more');
});

t.test('a text that comes again is prepared', async (test) => {
  const { db, node } = await fixture(test, { max: 1 });
  for (let i = 0; i < 3; i += 1) await db.sql`select ${i}`;
  test.same(texts(node), ['execute select $1', 'prepare select $1', 'execute', 'execute']);
  await db.query('create table t (a int)');
  await db.query('create table t (a int)');
  test.equal(node.sessions[0]?.prepared.size, 1, 'only what can be prepared');
  node.unpreparable.add('select 9');
  await db.query('select 9');
  const error = await errorOf(db.query('select 9'));
  test.equal(error.sqlstate, '42P01', 'the reason, and not that there is no such statement');
  node.unpreparable.clear();
  await db.query('select 9');
  test.equal((await db.query('select 9'))[0]?.text, 'select 9', 'as good as new');
  for (let i = 0; i < 300; i += 1) {
    await db.query(`select ${1000 + i}`);
    await db.query(`select ${1000 + i}`);
  }
  test.ok((node.sessions[0]?.prepared.size ?? 0) <= 200, 'old ones are closed');
  const prepared = await db.prepare('select $1');
  test.same([prepared.parameterTypes, prepared.columns], [['int4'], [{ name: 'n', type: 'int4' }]]);
  test.same((await prepared.execute([5]))[0]?.params, [5]);
  node.unpreparable.add('nonsense');
  test.equal((await errorOf(db.prepare('nonsense'))).sqlstate, '42P01');
});

/** Sends 100 frames of ten rows each as credit allows; says what was asked of it. */
function slowly(node: FakeNode): { sent: number; credit: number; cancelled: boolean } {
  const state = { sent: 0, credit: 0, cancelled: false };
  node.answer = (session, frame, text) => {
    if (!text.startsWith('select * from big')) {
      echo(session, frame, text);
      return;
    }
    state.credit = frame.credit ?? Number.POSITIVE_INFINITY;
    let seen = session.frames.length;
    const timer = setInterval(() => {
      for (; seen < session.frames.length; seen += 1) {
        const next = session.frames[seen];
        if (next?.op === 'credit') state.credit += next.credit;
        if (next?.op === 'cancel') state.cancelled = true;
      }
      if (!session.open) clearInterval(timer);
      if (state.cancelled) {
        clearInterval(timer);
        fail(session, frame.id, '57014', 'canceling statement due to user request');
        return;
      }
      for (; state.credit > 0 && state.sent < 100; state.sent += 1) {
        state.credit -= 1;
        const values = Array.from({ length: 10 }, (_, i) => [state.sent * 10 + i]);
        const last = state.sent === 99;
        session.send({
          ...{ op: 'rows', id: frame.id, rows: values },
          ...(state.sent === 0 ? { columns: [{ name: 'n', type: 'int4' }] } : {}),
          ...(last ? { tag: 'SELECT 1000', status: session.status } : { more: true }),
        });
        if (last) clearInterval(timer);
      }
    }, 1);
  };
  return state;
}

t.test('iteration: the node sends as fast as rows are taken', async (test) => {
  const { db, node } = await fixture(test, { max: 2 });
  const state = slowly(node);
  let taken = 0;
  for await (const row of db.sql<{ n: number }>`select * from big`) {
    if (row.n !== taken) test.fail('rows in order');
    taken += 1;
    if (taken % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    if (state.sent > taken / 10 + 5) test.fail('the node ran ahead of the reader');
    if (taken === 500) test.same((await db.sql`select 1`).count, 1, 'other calls are not held up');
  }
  test.equal(taken, 1000);
  state.sent = 0;
  const sizes: number[] = [];
  for await (const batch of db.sql`select * from big`.cursor(300)) sizes.push(batch.length);
  test.same(sizes, [300, 300, 300, 100]);
  state.sent = 0;
  for await (const row of db.sql<{ n: number }>`select * from big`) if (row.n === 42) break;
  test.ok(state.cancelled && state.sent < 20, 'leaving cancels');
  test.equal((await db.sql`select 2`).count, 1, 'and the connection serves on');
  const failing = db.sql`select * from big`[Symbol.asyncIterator]();
  slowly(node);
  await failing.next();
  for (const session of node.sessions) session.cut();
  const error = await errorOf(
    (async () => {
      for (;;) if ((await failing.next()).done) return;
    })(),
  );
  test.equal(error.sqlstate, '08006');
});

t.test('transactions', async (test) => {
  const { db, node } = await fixture(test, { max: 2 });
  const done = await db.transaction(async (tx) => {
    await tx.sql`select 1`;
    await tx.query('select 2');
    return 'done';
  });
  test.equal(done, 'done');
  const expected = ['begin', 'select 1', 'select 2', 'commit'].map((text) => `execute ${text}`);
  test.same(texts(node), expected);

  const boom = new Error('boom');
  await test.rejects(
    db.transaction(async (tx) => {
      await tx.sql`select 3`;
      throw boom;
    }),
    boom,
  );
  await db.sql`select 4`;
  test.ok(texts(node).includes('execute rollback'));

  let runs = 0;
  node.answer = (session, frame, text) => {
    if (text === 'update' && runs < 3) fail(session, frame.id, '40001', 'conflict', 'transaction');
    else echo(session, frame, text);
  };
  const attempt = async (): Promise<number> =>
    await db.transaction(async (tx) => {
      runs += 1;
      await tx.query('update');
      return runs;
    });
  test.equal(await attempt(), 3, 'runs again when it met another');
  runs = -100;
  const twice = errorOf(db.transaction((tx) => tx.query('update').then(), { attempts: 2 }));
  test.equal((await twice).sqlstate, '40001', 'but not for ever');

  runs = 0;
  const swallowed = db.transaction(async (tx) => {
    runs += 1;
    await tx.query('update').catch(() => 'ignored');
  });
  await swallowed;
  test.equal(runs, 3, 'a COMMIT that rolled back is no success');

  let saved: { query(text: string): PromiseLike<unknown> } | undefined;
  await db.transaction(async (tx) => {
    saved = tx;
    test.equal((await errorOf(tx.transaction())).sqlstate, '0A000');
    const rest = tx.sql`select 1`[Symbol.asyncIterator]();
    await rest.next();
    test.equal((await errorOf(tx.sql`select 2`)).sqlstate, '55000', 'one statement at a time');
    await rest.next();
  });
  test.equal((await errorOf(saved?.query('late') ?? Promise.resolve())).sqlstate, '55000');
  node.answer = echo;
  await db.transaction(async (tx) => void (await tx.sql`select 5`), {
    isolation: 'serializable',
    readOnly: true,
  });
  test.ok(texts(node).includes('execute begin isolation level serializable, read only'));
});
