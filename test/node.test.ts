/**
 * A node from its doors: the protocol over real sockets with all actors on the main thread and on
 * workers, and what is refused.
 */
import { request } from 'node:http';
import t from 'tap';
import { Dispatcher, type PlaceId, processClock } from '#src/actors/index.js';
import type { NodeId } from '#src/base/ids.js';
import { Metrics } from '#src/base/metrics.js';
import { openHttpDoor } from '#src/net/index.js';
import type { ErrorFrame, RowsFrame } from '#src/net/protocol.js';
import { checkConfig, type RunningNode, Sessions, shardPlace } from '#src/node/index.js';
import { sessionAnswerTypes, sessionMessages } from '#src/sql/index.js';
import type { SessionArguments, SessionMessage } from '#src/sql/session/protocol.js';
import { longTextLimits, longTexts } from './node/long-texts.js';
import { Raw, start, urlOf } from './node/raw.js';
import { trusting } from './sign-in/trusting.js';

// Alone it takes a few seconds; on a machine that does other work too it may take many.
t.setTimeout(240_000);

for (const workers of [0, 2]) {
  t.test(`a tour of the protocol, ${workers} workers`, async (t) => {
    const node = await start({ workers });
    t.teardown(() => node.stop());
    t.equal(node.workers, workers);
    const raw = await Raw.open(node);

    await t.test('statements, types and parameters', async (t) => {
      t.same(await raw.sql('CREATE TABLE t (id int PRIMARY KEY, big int8, price numeric(10,2))'), {
        ...{ op: 'complete', id: 999, tag: 'CREATE TABLE', status: 'idle' },
      });
      t.match(await raw.sql('INSERT INTO t VALUES ($1, $2, $3)', 1, '9007199254740993', '1.10'), {
        ...{ op: 'complete', tag: 'INSERT 0 1' },
      });
      t.same(await raw.sql('SELECT * FROM t'), {
        ...{ op: 'rows', id: 999, rows: [[1, '9007199254740993', '1.10']] },
        columns: [
          { name: 'id', type: 'int4' },
          { name: 'big', type: 'int8' },
          { name: 'price', type: 'numeric' },
        ],
        ...{ tag: 'SELECT 1', status: 'idle' },
      });
      const values = await raw.sql(
        `SELECT true AS b, 1.5::float8 AS f, 'NaN'::float8 AS n, '-Infinity'::float4 AS i,
          0.1::float4 AS g, NULL::int AS z, 'a"b\\é'::text AS t, '{"a": [1, 2]}'::jsonb AS j,
          '\\x00ff'::bytea AS y, DATE '2026-11-21' AS d,
          TIMESTAMPTZ '2026-11-21 08:00:00.5+00' AS w, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid AS u`,
      );
      t.same((values as RowsFrame).rows, [
        [
          ...[true, 1.5, 'NaN', '-Infinity', 0.1, null, 'a"b\\é', '{"a": [1, 2]}', '\\x00ff'],
          ...['2026-11-21', '2026-11-21 08:00:00.5+00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
        ],
      ]);
      t.match(await raw.sql('SELECT id FROM t WHERE id = -1'), {
        ...{ op: 'rows', columns: [{ name: 'id', type: 'int4' }], rows: [], tag: 'SELECT 0' },
      });
      const [typed] = await raw.ask({
        ...{ op: 'execute', id: 5, sql: 'SELECT $1 AS v', params: ['7'], paramTypes: ['int8'] },
      });
      t.match(typed, { columns: [{ type: 'int8' }], rows: [['7']] });
      t.match(await raw.sql('SELECT $1::int8', 2 ** 53), { sqlstate: '22003' });
      t.match(await raw.sql('SELECT $1::float8', 1e300), { rows: [[1e300]] });
    });

    await t.test('prepared statements', async (t) => {
      const sql = 'SELECT price FROM t WHERE id = $1';
      t.same(
        await raw.ask(
          { op: 'prepare', id: 1, name: 'q', sql },
          { op: 'execute', id: 2, prepared: 'q', params: [1] },
          { op: 'close', id: 3, name: 'q' },
        ),
        [
          {
            ...{ op: 'prepared', id: 1, paramTypes: ['int4'] },
            columns: [{ name: 'price', type: 'numeric' }],
          },
          {
            ...{ op: 'rows', id: 2, columns: [{ name: 'price', type: 'numeric' }] },
            ...{ rows: [['1.10']], tag: 'SELECT 1', status: 'idle' },
          },
          { op: 'closed', id: 3 },
        ],
      );
      t.match(await raw.ask({ op: 'execute', id: 4, prepared: 'q', params: [1] }), [
        { op: 'error', sqlstate: '26000' },
      ]);
      t.match(await raw.ask({ op: 'prepare', id: 5, name: 'w', sql: 'DELETE FROM t' }), [
        { op: 'prepared', paramTypes: [], columns: null },
      ]);
    });

    await t.test('errors say where, why and who may retry', async (t) => {
      t.match(await raw.sql('SELECT * FROM missing'), {
        ...{ op: 'error', id: 999, sqlstate: '42P01', name: 'undefined_table', position: 15 },
        ...{ retry: 'never', status: 'idle' },
      });
      t.match(await raw.sql("SELECT '😀' FRO t"), { sqlstate: '42601', position: 16 });
      t.match(await raw.sql('INSERT INTO t VALUES (1, 2, 3)'), {
        ...{ sqlstate: '23505', constraint: 't_pkey', table: 't' },
      });
      t.match(await raw.sql('ALTER SYSTEM RESET ALL'), { sqlstate: '0A000' });
      t.match(await raw.sql('SELECT 1 / $1', 0), { sqlstate: '22012' });
    });

    await t.test('pipelining keeps the order, several statements of a text too', async (t) => {
      const ids = Array.from({ length: 200 }, (_, i) => i + 1);
      const answers = await raw.ask(
        ...ids.map((id) =>
          id % 10 === 0
            ? { op: 'execute', id, sql: 'SELECT nothing' }
            : { op: 'execute', id, sql: 'SELECT $1::int AS n', params: [id] },
        ),
      );
      t.same(
        answers.map(({ op, ...rest }) => [op, (rest as { id: number }).id]),
        ids.map((id) => [id % 10 === 0 ? 'error' : 'rows', id]),
      );
      raw.send({ op: 'execute', id: 1, sql: 'SELECT 1; BEGIN; SELECT 2; COMMIT' });
      t.match(await raw.next(), { op: 'rows', rows: [[1]], tag: 'SELECT 1', more: true });
      t.match(await raw.next(), { op: 'complete', tag: 'BEGIN', status: 'open', more: true });
      t.match(await raw.next(), { op: 'rows', rows: [[2]], status: 'open', more: true });
      const last = await raw.next();
      t.match(last, { op: 'complete', tag: 'COMMIT', status: 'idle' });
      t.notOk('more' in last);
    });

    await t.test('transactions, seen by others when committed', async (t) => {
      const other = await Raw.open(node);
      t.match(await raw.sql('BEGIN'), { tag: 'BEGIN', status: 'open' });
      await raw.sql('INSERT INTO t VALUES (2, 2, 2)');
      t.match(await other.sql('SELECT count(*) FROM t'), { rows: [['1']] });
      t.match(await raw.sql('SELECT count(*) FROM t'), { rows: [['2']], status: 'open' });
      t.match(await raw.sql('COMMIT'), { tag: 'COMMIT', status: 'idle' });
      t.match(await other.sql('SELECT count(*) FROM t'), { rows: [['2']] });
      t.match(
        await raw.ask(
          { op: 'execute', id: 1, sql: 'BEGIN' },
          { op: 'execute', id: 2, sql: 'DELETE FROM t' },
          { op: 'execute', id: 3, sql: 'SELECT 1/0' },
          { op: 'execute', id: 4, sql: 'SELECT 1' },
          { op: 'execute', id: 5, sql: 'COMMIT' },
        ),
        [
          { status: 'open' },
          { tag: 'DELETE 2' },
          { sqlstate: '22012', status: 'failed' },
          { sqlstate: '25P02', status: 'failed' },
          { tag: 'ROLLBACK', status: 'idle' },
        ],
      );
      t.match(await other.sql('SELECT count(*) FROM t'), { rows: [['2']] });
      await raw.sql('BEGIN');
      await raw.sql('DELETE FROM t');
      raw.socket.terminate();
      t.match(await other.sql('SELECT count(*) FROM t'), { rows: [['2']] });
      other.close();
    });
  });

  t.test(`flow control and cancel, ${workers} workers`, async (t) => {
    const node = await start({ workers });
    t.teardown(() => node.stop());
    const raw = await Raw.open(node);
    await raw.sql('CREATE TABLE n (i int PRIMARY KEY, filler text)');
    const filler = 'x'.repeat(500);
    const values = Array.from({ length: 2000 }, (_, i) => `(${i}, '${filler}')`);
    await raw.sql(`INSERT INTO n VALUES ${values.join()}`);
    const all = 'SELECT * FROM n ORDER BY i';

    await t.test('rows come under credit', async (t) => {
      raw.send({ op: 'execute', id: 1, sql: all, credit: 1 });
      const first = (await raw.next()) as RowsFrame;
      t.ok(first.rows.length > 0 && first.rows.length < 2000);
      t.equal(first.more, true);
      t.ok(await raw.silent(), 'nothing without credit');
      raw.send({ op: 'credit', id: 1, credit: 1 });
      const second = (await raw.next()) as RowsFrame;
      t.notOk('columns' in second);
      t.ok(await raw.silent());
      raw.send({ op: 'credit', id: 1, credit: 1_000_000 });
      const rows = [...first.rows, ...second.rows];
      for (let last = false; !last; ) {
        const frame = (await raw.next()) as RowsFrame;
        rows.push(...frame.rows);
        last = frame.more === undefined;
      }
      t.same(
        rows.map(([i]) => i),
        values.map((_, i) => i),
      );
    });

    await t.test('credit counts for a request that has not begun', async (t) => {
      raw.send({ op: 'execute', id: 1, sql: all, credit: 1 });
      raw.send({ op: 'execute', id: 2, sql: all, credit: 1 });
      t.match(await raw.next(), { id: 1, more: true });
      raw.send({ op: 'credit', id: 2, credit: 1 });
      t.ok(await raw.silent());
      raw.send({ op: 'cancel', id: 1 });
      t.match(await raw.next(), { id: 1, sqlstate: '57014' });
      for (const _ of [1, 2]) t.match(await raw.next(), { op: 'rows', id: 2, more: true });
      t.ok(await raw.silent());
      raw.send({ op: 'cancel', id: 2 });
      t.match(await raw.next(), { id: 2, sqlstate: '57014' });
    });

    await t.test('a request that waits is cancelled, those behind it go on', async (t) => {
      raw.send({ op: 'execute', id: 1, sql: all, credit: 1 });
      raw.send({ op: 'execute', id: 2, sql: 'SELECT 2' });
      t.match(await raw.next(), { id: 1, more: true });
      t.match(await raw.ask({ op: 'ping', id: 3 }), [{ op: 'pong', id: 3 }]);
      raw.send({ op: 'cancel', id: 1 });
      t.match(await raw.next(), { op: 'error', id: 1, sqlstate: '57014', status: 'idle' });
      t.match(await raw.next(), { id: 2, rows: [[2]] });
      raw.send({ op: 'cancel', id: 2 });
      t.ok(await raw.silent(), 'nothing is left to cancel');
    });

    await t.test('a statement that runs long is cancelled and holds nobody up', async (t) => {
      const other = await Raw.open(node);
      raw.send({ op: 'execute', id: 1, sql: 'SELECT count(*) FROM n a, n b, n c WHERE a.i < c.i' });
      t.match(await other.sql('SELECT i FROM n WHERE i = 7'), { rows: [[7]] });
      raw.send({ op: 'cancel', id: 1 });
      t.match(await raw.next(), { id: 1, sqlstate: '57014' });
      other.close();
    });

    await t.test('a client that does not read is not served more than it can hold', async (t) => {
      const slow = await Raw.open(node);
      slow.socket.pause();
      const ids = Array.from({ length: 60 }, (_, i) => i + 1);
      slow.send(...ids.map((id) => ({ op: 'execute', id, sql: all })));
      const metrics = async (): Promise<string> => (await fetch(`${urlOf(node)}/metrics`)).text();
      while (!(await metrics()).includes('shardforge_connection_pauses_total 1\n')) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      t.match(await raw.sql('SELECT 1'), { rows: [[1]] });
      slow.socket.resume();
      let ended = 0;
      while (ended < ids.length) {
        const frame = (await slow.next()) as RowsFrame;
        if (frame.more === undefined) ended += 1;
      }
      t.equal(ended, ids.length, 'everything arrives once it reads');
      slow.close();
    });
  });
}

t.test('what waits for a client that does not read has a bound', async (t) => {
  const node = await start({ limits: { connectionBufferBytes: 65_536 } });
  t.teardown(() => node.stop());
  const slow = await Raw.open(node);
  await slow.sql('CREATE TABLE large (filler text)');
  await slow.sql('INSERT INTO large VALUES ($1)', 'x'.repeat(2_000_000));
  t.match(
    await slow.sql('SELECT * FROM large'),
    { rows: [[/^x{2000000}$/]] },
    'a large row may pass',
  );
  slow.socket.pause();
  const ids = Array.from({ length: 30 }, (_, i) => i + 1);
  slow.send(...ids.map((id) => ({ op: 'execute', id, sql: 'SELECT * FROM large' })));
  const metrics = async (): Promise<string> => (await fetch(`${urlOf(node)}/metrics`)).text();
  while (!(await metrics()).includes('shardforge_connections 0\n')) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  slow.socket.terminate();
  const other = await Raw.open(node);
  t.match(await other.sql('SELECT 1'), { rows: [[1]] });
});

t.test('a session that dies takes its connection along, and no other', async (t) => {
  const schedule = {
    soon: () => void setImmediate(() => dispatcher.drain()),
    at: () => undefined,
  };
  const dispatcher = new Dispatcher({
    ...{ node: 1 as NodeId, seed: 1, clock: processClock, schedule, log: () => undefined },
    fatal: (error) => {
      throw error;
    },
  });
  const ticking = setInterval(() => dispatcher.drain(), 5);
  t.teardown(() => clearInterval(ticking));
  for (const place of [0, shardPlace]) dispatcher.addPlace(place as PlaceId);
  dispatcher.registerMessages(sessionAnswerTypes);
  dispatcher.registerKind<SessionMessage, SessionArguments>({
    kind: 'session',
    messages: sessionMessages,
    create: ({ door }) => ({
      receive(message, context) {
        if (message.kind === 'sql.end') context.stop();
        if (message.kind !== 'sql.execute' || !('text' in message.statement)) return;
        if (message.statement.text === 'throw') throw new Error('as asked');
        if (message.statement.text === 'stop') context.stop();
        if (message.statement.text === 'garble') {
          const columns = [{ name: 'c', type: 'unheard of', typeOid: 0, typeModifier: -1 }];
          context.send(door, { ...message, kind: 'sql.rows', columns, rows: [[1]], last: true });
        }
        const completion = { tag: 'OK', status: 'idle' } as const;
        context.send(door, { ...message, kind: 'sql.complete', completion, last: true });
      },
    }),
  });
  const door = await openHttpDoor({
    ...checkConfig({ http: { port: 0 } }),
    ...{ signIn: trusting(), tls: undefined },
    ...{ host: '127.0.0.1', port: 0, allowedOrigins: [], allowedHosts: [], version: 'test' },
    service: new Sessions(dispatcher, shardPlace),
    status: {
      node: undefined,
      leaderUrl: () => undefined,
      health: async () => ({}),
      metrics: async () => [],
    },
    metrics: new Metrics(),
    requestLog: { enabled: false, parameters: false, write: () => undefined },
    ...{ nowMs: processClock.nowMs, log: () => undefined },
  });
  t.teardown(() => door.drain(0));
  const node = { addresses: [door.address] };
  const [first, second, third] = [await Raw.open(node), await Raw.open(node), await Raw.open(node)];
  first.send({ op: 'execute', id: 1, sql: 'throw' });
  t.match(await first.closed, [1011, 'the session has failed']);
  second.send({ op: 'execute', id: 1, sql: 'stop' });
  t.match(await second.closed, [1011, 'the session has stopped']);
  const garbled = await Raw.open(node);
  garbled.send({ op: 'execute', id: 1, sql: 'garble' });
  t.match(await garbled.closed, [1011, 'an answer could not be written']);
  t.match(await third.sql('live'), { tag: 'OK' });
  // The runtime starts the one that failed again; what it then finds is that nobody is there.
  const sessions = (): number | undefined =>
    dispatcher
      .metrics()
      .find(({ name, labels }) => name === 'shardforge_actor_count' && labels.kind === 'session')
      ?.value;
  while (sessions() !== 1) await new Promise((resolve) => setTimeout(resolve, 5));
});

t.test('whatever a client sends, the node lives on and says what was wrong', async (t) => {
  const limits = { frameBytes: 4096, statementBytes: 2048, requestsInFlight: 4, connections: 3 };
  const node = await start({ limits });
  t.teardown(() => node.stop());
  const raw = await Raw.open(node);
  const refused = async (
    sent: string | Buffer,
    message: RegExp,
    id: number | null,
  ): Promise<void> => {
    raw.socket.send(sent);
    t.match(await raw.next(), { op: 'error', sqlstate: '08P01', id, message }, String(sent));
  };
  await refused('', /not JSON/, null);
  await refused('{"op":"execute","id":1,"sql":"SELECT 1', /not JSON/, null);
  await refused('[1]', /not a JSON object/, null);
  await refused('null', /not a JSON object/, null);
  await refused(Buffer.from('{"op":"ping","id":1}'), /binary/, null);
  await refused('{"op":"ping"}', /id must be/, null);
  await refused('{"op":"ping","id":"1"}', /id must be/, null);
  await refused('{"op":"ping","id":0}', /id must be/, null);
  await refused('{"op":"ping","id":1.5}', /id must be/, null);
  await refused('{"op":"explode","id":1}', /op must be one of execute, prepare/, 1);
  await refused('{"id":1}', /op must be/, 1);
  await refused('{"op":"__proto__","id":1}', /op must be/, 1);
  await refused('{"op":"ping","id":1,"sql":"x"}', /unknown field "sql" in ping/, 1);
  await refused('{"op":"execute","id":1}', /exactly one of sql and prepared/, 1);
  await refused('{"op":"execute","id":1,"sql":"x","prepared":"y"}', /exactly one/, 1);
  await refused('{"op":"execute","id":1,"sql":7}', /sql must be a string/, 1);
  await refused('{"op":"execute","id":1,"sql":"x","params":{}}', /params must be/, 1);
  await refused('{"op":"execute","id":1,"sql":"x","params":[[1]]}', /params must be/, 1);
  await refused('{"op":"execute","id":1,"sql":"x","paramTypes":[1]}', /paramTypes/, 1);
  await refused('{"op":"execute","id":1,"sql":"x","credit":0}', /credit must be/, 1);
  await refused('{"op":"prepare","id":1,"sql":"x"}', /name must be/, 1);
  await refused('{"op":"close","id":1,"name":null}', /name must be/, 1);

  for (const sql of ['', ';', 'SELECT \u0000', 'SELECT \ud800', '((((', '$1', '\\']) {
    const answer = await raw.sql(sql);
    t.ok(['complete', 'error'].includes(answer.op), `${JSON.stringify(sql)}: ${answer.op}`);
  }
  t.match(await raw.sql(`SELECT '${'x'.repeat(2048)}'`), {
    ...{ sqlstate: '54000', message: /limits.statementBytes \(2048\)/ },
  });

  const execute = (id: number): object => ({ op: 'execute', id, sql: 'SELECT 1' });
  raw.send(execute(1), execute(1), ...[2, 3, 4, 5].map(execute));
  const answers = await raw.ask(); // none of its own: the six before are collected below
  for (let i = 0; i < 6; i += 1) answers.push(await raw.next());
  const errors = answers.filter((answer): answer is ErrorFrame => answer.op === 'error');
  t.match(errors, [
    { id: 1, sqlstate: '08P01', message: 'id 1 is in flight' },
    { id: 5, sqlstate: '53400', message: /limits.requestsInFlight \(4\)/ },
  ]);
  t.same(
    answers.filter(({ op }) => op === 'rows').map((answer) => (answer as RowsFrame).id),
    [1, 2, 3, 4],
  );

  const [second, third] = [await Raw.open(node), await Raw.open(node)];
  const fourth = new Raw(urlOf(node));
  t.match(await fourth.next(), { op: 'error', id: null, sqlstate: '53300', retry: 'later' });
  t.match(await fourth.closed, [1013, 'too_many_connections']);
  second.send({ op: 'ping', id: 1, x: 'y'.repeat(5000) });
  t.match(await second.closed, [1009]);
  third.close();
  await third.closed;
  const foreign = new Raw(urlOf(node), { path: '/sql?database=other' });
  t.match(await foreign.next(), { op: 'error', id: null, sqlstate: '3D000' });

  t.match(await raw.sql('SELECT 1'), { rows: [[1]] }, 'the first connection was never disturbed');
  await raw.sql('CREATE ROLE ada SUPERUSER LOGIN');
  const named = new Raw(urlOf(node), { path: '/sql?application_name=tour&user=ada' });
  t.match(await named.next(), { op: 'hello', protocol: 1, limits: { requestsInFlight: 4 } });
  t.match(await named.sql('SELECT current_user'), { rows: [['ada']] });
  t.match(await named.sql('SHOW application_name'), { rows: [['tour']] });
});

/** The status of a GET, or of an upgrade that is refused. */
function status(
  node: RunningNode,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(urlOf(node) + path, { headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end();
  });
}

t.test('no web page gets in that was not let in', async (t) => {
  const http = { allowedOrigins: ['https://app.example'], allowedHosts: ['db.internal'] };
  const node = await start({ http });
  t.teardown(() => node.stop());
  const upgrade = {
    ...{ Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
    'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
  };
  const cases: readonly (readonly [Readonly<Record<string, string>>, boolean])[] = [
    [{}, true],
    [{ Host: 'localhost:7432' }, true],
    [{ Host: '[::1]:7432' }, true],
    [{ Host: 'DB.internal' }, true],
    [{ Origin: 'https://app.example' }, true],
    [{ Host: 'evil.example' }, false],
    [{ Host: 'localhost.evil.example' }, false],
    [{ Origin: 'https://evil.example' }, false],
    [{ Origin: 'null' }, false],
    [{ Origin: 'https://app.example:8443' }, false],
  ];
  for (const [headers, allowed] of cases) {
    const shown = JSON.stringify(headers);
    t.equal(await status(node, '/health', headers), allowed ? 200 : 403, `HTTP ${shown}`);
    const socket = await status(node, '/sql', { ...upgrade, ...headers });
    t.equal(socket, allowed ? 101 : 403, `WebSocket ${shown}`);
  }
  t.equal(await status(node, '/sql', {}), 426);
  t.equal(await status(node, '/sql?databse=x', upgrade), 400);
  t.equal(await status(node, '/sql', { ...upgrade, 'Sec-WebSocket-Protocol': 'other' }), 400);
  t.equal(await status(node, '/nowhere', {}), 404);
});

t.test('long texts', async (t) => {
  const node = await start({ workers: 0, limits: longTextLimits });
  t.teardown(() => node.stop());
  await longTexts(t, node);
});
