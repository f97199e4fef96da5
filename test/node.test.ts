/**
 * A node from its doors: the protocol over real sockets with all actors on the main thread and on
 * workers, what it refuses, what it tells about itself, how it starts, stops and fails to start.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { WebSocket } from 'ws';
import { must } from '#src/base/assert.js';
import type { AnswerFrame, ErrorFrame, RowsFrame } from '#src/net/protocol.js';
import { checkConfig, type RunningNode, startNode } from '#src/node/index.js';

const scratch = mkdtempSync(join(tmpdir(), 'shardforge-node-'));
// Alone it takes a few seconds; on a machine that does other work too it may take many.
t.setTimeout(240_000);
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

interface Settings {
  readonly directory?: string;
  readonly workers?: number;
  readonly limits?: Readonly<Record<string, number>>;
  readonly http?: Readonly<Record<string, unknown>>;
}

async function start(settings: Settings = {}): Promise<RunningNode> {
  const { directory = ':memory:', workers = 0, limits = {}, http = {} } = settings;
  const data = { directory, mapSizeBytes: 1024 ** 3 };
  const config = checkConfig({ data, workers, limits, http: { port: 0, ...http } });
  return startNode(config, {
    log: () => undefined,
    fatal: (error) => {
      throw error;
    },
  });
}

function urlOf(node: RunningNode): string {
  return `http://${must(node.addresses[0], 'the node listens')}`;
}

/** Frames in, frames out, and how the connection ended. */
class Raw {
  readonly socket: WebSocket;
  readonly #frames: AnswerFrame[] = [];
  readonly #waiting: ((frame: AnswerFrame) => void)[] = [];
  readonly closed: Promise<readonly [number, string]>;

  constructor(url: string, options: { readonly origin?: string; readonly path?: string } = {}) {
    const { path = '/sql', ...rest } = options;
    this.socket = new WebSocket(url.replace('http', 'ws') + path, 'shardforge.sql.v1', rest);
    this.socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as AnswerFrame;
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#frames.push(frame);
      else waiting(frame);
    });
    this.socket.on('error', () => undefined);
    this.closed = once(this.socket, 'close').then(([code, reason]) => [code, String(reason)]);
  }

  /** Opens a connection and takes its hello. */
  static async open(node: RunningNode): Promise<Raw> {
    const raw = new Raw(urlOf(node));
    await once(raw.socket, 'open');
    const hello = await raw.next();
    if (hello.op !== 'hello') throw new Error(JSON.stringify(hello));
    return raw;
  }

  send(...frames: readonly object[]): void {
    for (const frame of frames) this.socket.send(JSON.stringify(frame));
  }

  next(): Promise<AnswerFrame> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** True when no frame comes for a while. */
  async silent(): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, 60));
    return this.#frames.length === 0;
  }

  /** Sends frames one after the other and takes one answer to each. */
  async ask(...frames: readonly object[]): Promise<AnswerFrame[]> {
    this.send(...frames);
    const answers: AnswerFrame[] = [];
    for (const _ of frames) answers.push(await this.next());
    return answers;
  }

  /** The only answer to one statement. */
  async sql(sql: string, ...params: readonly unknown[]): Promise<AnswerFrame> {
    const [answer] = await this.ask({ op: 'execute', id: 999, sql, params });
    return must(answer, 'an answer');
  }

  close(): void {
    this.socket.close();
  }
}

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
      t.match(await raw.sql('SELECT 1 FROM t FOR UPDATE'), { sqlstate: '0A000' });
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

for (const workers of [0, 2]) {
  t.test(`health, readiness and metrics, ${workers} workers`, async (t) => {
    const node = await start({ workers, directory: join(scratch, `metrics-${workers}`) });
    t.teardown(() => node.stop());
    const raw = await Raw.open(node);
    await raw.sql('CREATE TABLE m (id int PRIMARY KEY)');
    await raw.sql('INSERT INTO m VALUES (1)');
    await raw.sql('SELECT broken');
    const get = async (path: string): Promise<Response> => fetch(urlOf(node) + path);
    t.same(await (await get('/ready')).json(), { ready: true });
    t.match(await (await get('/health')).json(), {
      healthy: true,
      checks: {
        eventLoop: { ok: true },
        threads: { ok: true, detail: `${workers + 1} answered` },
        'store 0': { ok: true },
        'store 3': { ok: true },
      },
    });
    t.match(await (await get('/')).json(), { name: 'shardforge', links: { sql: '/sql' } });
    const response = await get('/metrics');
    t.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split('\n');
    const value = (series: string): number => {
      const line = lines.find((each) => each.startsWith(`${series} `));
      return Number(must(line, series).slice(series.length));
    };
    t.equal(value('shardforge_connections'), 1);
    t.equal(value('shardforge_request_seconds_count{operation="execute",outcome="ok"}'), 2);
    t.equal(value('shardforge_request_seconds_count{operation="execute",outcome="42703"}'), 1);
    t.equal(
      value('shardforge_request_seconds_bucket{operation="execute",outcome="ok",le="+Inf"}'),
      2,
    );
    t.equal(value('shardforge_sessions'), 1);
    t.equal(value('shardforge_statements_total{kind="insert",outcome="ok"}'), 1);
    t.ok(value('shardforge_store_used_bytes{store="0"}') > 0);
    t.ok(value('shardforge_store_flush_seconds_count{store="0"}') >= 2);
    t.equal(value('shardforge_raft_term{shard="1"}'), 1);
    t.ok(value('shardforge_raft_applied_index{shard="1"}') >= 3);
    t.ok(value('process_resident_memory_bytes') > 1_000_000);
    raw.close();
    await raw.closed;
  });
}

t.test('the number of workers may change between starts', async (t) => {
  const directory = join(scratch, 'moving');
  for (const [round, workers] of [1, 4, 2, 0].entries()) {
    const node = await start({ workers, directory });
    t.equal(node.workers, workers);
    const raw = await Raw.open(node);
    if (round === 0) await raw.sql('CREATE TABLE kept (id int PRIMARY KEY)');
    t.match(await raw.sql('SELECT count(*) FROM kept'), { rows: [[String(round)]] });
    await raw.sql('INSERT INTO kept VALUES ($1)', round);
    await node.stop();
  }
});

t.test('a stop lets statements end and rolls open transactions back', async (t) => {
  const directory = join(scratch, 'stopping');
  const node = await start({ directory });
  const [quiet, busy, open] = [await Raw.open(node), await Raw.open(node), await Raw.open(node)];
  await quiet.sql('CREATE TABLE s (id int PRIMARY KEY)');
  await open.ask({ op: 'execute', id: 1, sql: 'BEGIN' });
  await open.sql('INSERT INTO s VALUES (1)');
  await busy.sql('BEGIN');
  await busy.sql('INSERT INTO s VALUES (2)');
  const stopped = node.stop(300);
  t.match(await quiet.closed, [1001, 'the node shuts down']);
  t.match(await busy.sql('COMMIT'), { tag: 'COMMIT' }, 'what is under way may end');
  t.match(await busy.closed, [1001]);
  t.match(await open.closed, [1001]);
  await stopped;
  await t.rejects(fetch('http://127.0.0.1:1/ready'));
  const again = await start({ directory });
  const raw = await Raw.open(again);
  t.match(await raw.sql('SELECT id FROM s'), { rows: [[2]] });
  await again.stop();
});

/** Runs `dist/main.js` and gives what it printed and how it ended; `during` may end it. */
async function main(
  config: object | string,
  during?: (child: ReturnType<typeof spawn>, output: () => string) => Promise<void>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const file = join(scratch, `config-${Math.random()}.json`);
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  const child = spawn(process.execPath, ['dist/main.js', '--config', file], {
    env: { ...process.env, SHARDFORGE_WORKERS: '0' },
  });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const ended = once(child, 'close');
  await during?.(child, () => output);
  const [code] = (await ended) as [number | null];
  return { code, output };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

t.test('a node that cannot start says why and what to do, by code too', async (t) => {
  const http = { port: 0 };
  const cases: (readonly [string, object | string, number, RegExp])[] = [
    ['not JSON', '{', 2, /is not JSON/],
    ['unknown option', { htpp: {} }, 2, /unknown option htpp; did you mean http\?/],
    ['unknown key', { http: { prot: 1 } }, 2, /unknown option http.prot; did you mean http.port\?/],
    ['range', { http: { port: 70000 } }, 2, /http.port must be a whole number from 0 to 65535/],
  ];
  const foreign = join(scratch, 'foreign');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'holiday.jpg'), '');
  cases.push(['foreign', { http, data: { directory: foreign } }, 21, /holiday.jpg/]);
  const file = join(scratch, 'a-file');
  writeFileSync(file, '');
  cases.push(['a file', { http, data: { directory: file } }, 22, /cannot be written/]);
  if (process.getuid?.() !== 0) {
    const closed = join(scratch, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    cases.push(['no right', { http, data: { directory: closed } }, 22, /cannot be written/]);
  }
  const newer = join(scratch, 'newer');
  mkdirSync(newer);
  writeFileSync(join(newer, 'shardforge.json'), '{"product":"shardforge","format":999}');
  cases.push(['newer', { http, data: { directory: newer } }, 24, /format 999/]);
  const damaged = join(scratch, 'damaged');
  mkdirSync(damaged);
  writeFileSync(join(damaged, 'shardforge.json'), 'garbage');
  cases.push(['damaged', { http, data: { directory: damaged } }, 23, /shardforge.json/]);
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  cases.push(['port', { http: { port }, data: { directory: ':memory:' } }, 25, /cannot listen on/]);
  for (const [name, config, code, message] of cases) {
    const ended = await main(config);
    t.equal(ended.code, code, `${name}: ${ended.output}`);
    t.match(ended.output, message, name);
  }
  server.close();
});

t.test('the process: one at a directory, log lines, signals', async (t) => {
  const directory = join(scratch, 'process');
  const config = { http: { port: 0 }, data: { directory } };
  const ended = await main(config, async (child, output) => {
    await until(() => output().includes('"event":"node.ready"'));
    const second = await main(config);
    t.equal(second.code, 20, second.output);
    const address = must(/"address":"([^"]+)"/.exec(output())?.[1], 'the address is logged');
    const raw = new Raw(`http://${address}`);
    t.match(await raw.next(), { op: 'hello' });
    await raw.sql('SELECT $1::text', 'quiet secret');
    child.kill('SIGUSR2');
    await until(() => output().includes('"level":"debug","'));
    await raw.sql('SELECT $1::text AS traced', 'traced secret');
    await until(() => output().includes('traced'));
    child.kill('SIGTERM');
    t.match(await raw.closed, [1001]);
  });
  t.equal(ended.code, 0, ended.output);
  t.notMatch(ended.output, /secret/, 'parameters are not logged');
  t.notMatch(ended.output, /SELECT \$1::text"/, 'statements are logged at debug only');
  for (const line of ended.output.trim().split('\n')) t.type(JSON.parse(line), 'object');
});
