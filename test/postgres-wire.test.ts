/** PostgreSQL's wire protocol over real sockets: messages made by hand, psql, and bytes that are no messages. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { Random } from '#src/base/random.js';
import { checkConfig, type RunningNode, startNode } from '#src/node/index.js';
import {
  bind,
  bytesOf,
  close,
  cstring,
  describe,
  execute,
  flush,
  int32,
  message,
  parse,
  query,
  RawClient,
  startup,
  sync,
} from './postgres/raw.js';

t.setTimeout(240_000);

async function start(limits: Readonly<Record<string, number>> = {}): Promise<RunningNode> {
  const config = checkConfig({
    data: { directory: ':memory:', mapSizeBytes: 1024 ** 3 },
    ...{ workers: 0, limits, http: { enabled: false } },
    postgres: { enabled: true, port: 0 },
    auth: { rules: [{ addresses: ['loopback'], method: 'trust' }] },
  });
  return startNode(config, {
    log: () => undefined,
    fatal: (error) => {
      throw error;
    },
  });
}

const addressOf = (node: RunningNode): string => must(node.postgresAddress, 'it listens');

t.test('start-up', async (t) => {
  const node = await start();
  t.teardown(() => node.stop());
  const address = addressOf(node);

  await t.test('parameters, key and ready', async (t) => {
    const { client, greeting } = await RawClient.open(address, {
      ...{ TimeZone: 'Europe/Berlin', options: '-c extra_float_digits=2', application_name: 'me' },
    });
    t.match(greeting.map(({ code }) => code).join(''), /^RS+KZ$/);
    const status = new Map(
      greeting
        .filter(({ code }) => code === 'S')
        .map(({ body }) => body.toString().split('\0') as [string, string]),
    );
    t.equal(status.get('server_version'), '15.0');
    t.equal(status.get('TimeZone'), 'Europe/Berlin');
    t.equal(status.get('application_name'), 'me');
    t.equal(status.get('session_authorization'), 'admin');
    t.same((await client.ask(query('SHOW extra_float_digits'))).rows, [['2']]);
    const told = await client.ask(query("SET application_name = 'you'"));
    t.equal(told.codes, 'CSZI');
    t.equal((await client.ask(query("BEGIN; SET TIME ZONE 'UTC'"))).codes, 'CCSZT');
    t.equal((await client.ask(query('ROLLBACK'))).codes, 'CSZI', 'it is told what it is again');
    client.send(message('X'));
    t.equal(await client.next(), undefined, 'it closes');
  });

  await t.test('newer protocols are negotiated, others end', async (t) => {
    const named = { user: 'admin', database: 'shardforge' };
    const greet = async (version: number, more: Readonly<Record<string, string>> = {}) => {
      const client = new RawClient(address);
      client.send(startup(version, { ...named, ...more }));
      const greeting = await client.untilReady();
      client.close();
      const key =
        must(
          greeting.find(({ code }) => code === 'K'),
          'a key',
        ).body.length - 4;
      return { told: greeting.find(({ code }) => code === 'v')?.body, key };
    };
    t.same(await greet(0x0003_0000), { told: undefined, key: 4 });
    t.same(await greet(0x0003_0002), { told: undefined, key: 32 }, 'its keys are longer');
    const told = (version: number, ...names: readonly string[]): Buffer =>
      Buffer.concat([int32(version), int32(names.length), ...names.map(cstring)]);
    t.same(await greet(0x0003_0003), { told: told(0x0003_0002), key: 32 });
    const more = { '_pq_.more': '1' };
    t.same(await greet(0x0003_270f, more), { told: told(0x0003_0002, '_pq_.more'), key: 32 });
    t.same(await greet(0x0003_0000, more), { told: told(0x0003_0000, '_pq_.more'), key: 4 });

    const refused = async (packet: Buffer): Promise<string | undefined> => {
      const other = new RawClient(address);
      other.send(packet);
      const error = (await other.until('E')).find(({ code }) => code === 'E');
      t.equal(await other.next(), undefined, 'and the connection ends');
      return error?.body
        .toString()
        .split('\0')
        .find((field) => field.startsWith('C'));
    };
    t.equal(await refused(startup(0x0002_0000, named)), 'C0A000');
    t.equal(await refused(startup(0x0003_0000, {})), 'C28000');
    t.equal(await refused(startup(0x0003_0000, { ...named, database: 'root' })), 'C3D000');
    t.equal(await refused(startup(0x0003_0000, { ...named, wrong: '1' })), 'C42704');
    t.equal(await refused(int32(100_000)), 'C08P01');
  });
});

t.test('simple queries', async (t) => {
  const node = await start();
  t.teardown(() => node.stop());
  const { client } = await RawClient.open(addressOf(node));
  const ask = (text: string) => client.ask(query(text));
  t.equal((await ask('')).codes, 'IZI');
  t.equal((await ask('CREATE TABLE t (id int PRIMARY KEY, name text)')).codes, 'CZI');
  const two = await ask("INSERT INTO t VALUES (1, 'one'); SELECT *, NULL AS n FROM t");
  t.equal(two.codes, 'CTDCZI');
  t.same(two.rows, [['1', 'one', null]]);
  t.same(two.tags, ['INSERT 0 1', 'SELECT 1']);
  t.same((await ask('SELECT true, 1.50::numeric, ARRAY[1,NULL]')).rows, [
    ['t', '1.50', '{1,NULL}'],
  ]);

  const failed = await ask('INSERT INTO t VALUES (2); INSERT INTO t VALUES (1); SELECT 1');
  t.equal(failed.codes, 'CEZI');
  t.match(failed.error, { S: 'ERROR', V: 'ERROR', C: '23505', t: 't', n: 't_pkey', D: /Key/ });
  t.same((await ask('SELECT count(*) FROM t')).rows, [['1']], 'all of the text was rolled back');
  t.match((await ask('SELECT nothing')).error, { C: '42703', P: '8' });
  t.equal((await ask('BEGIN; SELECT 1/0')).codes, 'CEZE');
  t.match((await ask('SELECT 1')).error, { C: '25P02' });
  t.equal((await ask('ROLLBACK')).codes, 'CZI');
  client.close();
});

t.test('extended queries', async (t) => {
  const node = await start();
  t.teardown(() => node.stop());
  const { client } = await RawClient.open(addressOf(node));
  await client.ask(query('CREATE TABLE t (id int PRIMARY KEY, name text)'));

  await t.test('named and unnamed statements, described', async (t) => {
    const answer = await client.ask(
      parse('add', 'INSERT INTO t VALUES ($1, $2) RETURNING id'),
      ...[describe('S', 'add'), bind({ statement: 'add', parameters: ['1', 'one'] })],
      ...[describe('P'), execute(), sync],
    );
    t.equal(answer.codes, '1tT2TDCZI');
    t.same(answer.all[1]?.body, Buffer.concat([Buffer.of(0, 2), int32(23), int32(25)]));
    t.same(answer.rows, [['1']]);
    t.match((await client.ask(parse('add', 'SELECT 1'), sync)).error, { C: '42P05' });
    t.equal((await client.ask(close('S', 'add'), parse('add', 'SELECT 1'), sync)).codes, '31ZI');
    t.equal(
      (await client.ask(parse('', ''), bind(), describe('P'), execute(), sync)).codes,
      '12nIZI',
    );
    const show = await client.ask(
      parse('', 'SHOW TimeZone'),
      bind(),
      describe('P'),
      execute(),
      sync,
    );
    t.equal(show.codes, '12TDCZI');
    const ddl = await client.ask(
      ...[parse('', 'CREATE TABLE u (a int)'), bind(), describe('P'), execute(), sync],
    );
    t.equal(ddl.codes, '12nCZI');
  });

  await t.test('text and binary', async (t) => {
    const values = [
      ['true', 'bool'],
      ['-2', 'int2'],
      ['7', 'int4'],
      ['9007199254740993', 'int8'],
      ['1.5', 'float4'],
      ['-0.1', 'float8'],
      ['née', 'text'],
      ['\\x00ff', 'bytea'],
      ['-12345.6700', 'numeric'],
      ['2026-11-21', 'date'],
      ['08:00:00.5', 'time'],
      ['2026-11-21 08:00:00.5', 'timestamp'],
      ['2026-11-21 08:00:00.5+00', 'timestamptz'],
      ['1 year 2 days 03:00:00', 'interval'],
      ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'uuid'],
      ['{"a": [1, 2]}', 'jsonb'],
      ['{{1,NULL},{3,4}}', 'int4[]'],
      ['{a,"b c",NULL}', 'text[]'],
    ] as const;
    for (const [text, type] of values) {
      const sql = `SELECT $1::${type}`;
      const asText = await client.ask(
        ...[parse('', sql), bind({ parameters: [text], results: true }), execute(), sync],
      );
      t.equal(asText.codes, '12DCZI', `${type}: ${asText.error.M}`);
      const row = must(
        asText.all.find(({ code }) => code === 'D'),
        'a row',
      );
      const bytes = must(bytesOf(row.body)[0] ?? undefined, 'a value');
      const back = await client.ask(
        ...[parse('', sql), bind({ binary: true, parameters: [bytes] }), execute(), sync],
      );
      const printed = text === 'true' ? 't' : text;
      t.same(back.rows, [[printed]], `${type} goes through its binary form`);
    }
    const short = bind({ binary: true, parameters: [Buffer.of(1)] });
    t.match((await client.ask(parse('', 'SELECT $1::int4'), short, execute(), sync)).error, {
      C: '08P01',
    });
    const stated = await client.ask(
      ...[parse('', 'SELECT $1 + 1', 20), bind({ parameters: ['41'] }), execute(), sync],
    );
    t.same(stated.rows, [['42']]);
  });

  await t.test('row limits', async (t) => {
    const answer = await client.ask(
      ...[parse('', 'SELECT * FROM generate_series(1, 5) AS g'), bind({ portal: 'p' })],
      ...[execute('p', 2), execute('p', 2), execute('p', 2), execute('p', 2), sync],
    );
    t.equal(answer.codes, '12DDsDDsDCCZI');
    t.same(answer.tags, ['SELECT 1', 'SELECT 0']);
    t.match((await client.ask(execute('p'), sync)).error, { C: '34000' }, 'it ended with Sync');

    await client.ask(query('BEGIN'));
    const first = await client.ask(
      ...[parse('', 'SELECT * FROM generate_series(1, 1000000) AS g'), bind({ portal: 'q' })],
      ...[execute('q', 1), sync],
    );
    t.equal(first.codes, '12DsZT');
    t.equal((await client.ask(close('P', 'q'), sync)).codes, '3ZT', 'the rest is not wanted');
    await client.ask(
      ...[parse('', 'SELECT * FROM generate_series(1, 5000) AS g'), bind({ portal: 'r' })],
      ...[execute('r', 1), sync],
    );
    t.same((await client.ask(query('SELECT 7'))).rows, [['7']], 'another statement between');
    const rest = await client.ask(execute('r'), sync);
    t.equal(rest.rows.length, 4999);
    t.same(rest.tags, ['SELECT 4999']);
    const many = 200_000;
    const wide = `SELECT g, repeat('x', 200) FROM generate_series(1, ${many}) AS g`;
    await client.ask(
      parse('w', wide),
      bind({ portal: 'v', statement: 'w' }),
      execute('v', 1),
      sync,
    );
    for (let from = 1; from < many; from += 50_000) {
      t.same((await client.ask(query('SELECT 7'))).rows, [['7']]);
      const next = await client.ask(execute('v', 50_000), sync);
      t.equal(next.rows[0]?.[0], String(from + 1), 'it goes on where it was, however much is left');
    }
    const closed = await client.ask(
      ...[bind({ portal: 'u', statement: 'w' }), execute('u', 1), sync],
    );
    t.equal(closed.codes, '2DsZT');
    t.equal((await client.ask(query('SELECT 7'), close('P', 'u'), sync)).codes, 'TDCZT');
    await client.untilReady();
    t.match((await client.ask(execute('u'), sync)).error, { C: '34000' });
    await client.ask(query('ROLLBACK'));
    await client.ask(query('BEGIN'));
    const late = 'SELECT 1 / (5000 - g) FROM generate_series(1, 6000) AS g';
    await client.ask(parse('', late), bind({ portal: 'l' }), execute('l', 10), sync);
    await sleep(50);
    t.equal((await client.ask(execute('l', 3), sync)).codes, 'DDDsZT', 'no error before its time');
    t.match((await client.ask(execute('l'), sync)).error, { C: '22012' });
    await client.ask(query("ROLLBACK; SET statement_timeout = '100ms'; BEGIN"));
    await client.ask(bind({ portal: 't', statement: 'w' }), execute('t', 1), sync);
    await sleep(300);
    t.equal((await client.ask(execute('t', 1), sync)).codes, 'DsZT', 'a client may take its time');
    const hasty = await RawClient.open(addressOf(node));
    await hasty.client.ask(query("SET idle_in_transaction_session_timeout = '100ms'; BEGIN"));
    await hasty.client.ask(parse('', wide), bind({ portal: 't' }), execute('t', 1), sync);
    const end = await hasty.client.until('E');
    t.match(end.at(-1)?.body.toString(), /FATAL.*25P03/s, 'unless it is told otherwise');
    await client.ask(query('ROLLBACK; SET statement_timeout = 0'));
  });

  await t.test('a pipeline is one transaction, an error skips to Sync', async (t) => {
    const add = (id: string): Buffer[] => [bind({ statement: 'ins', parameters: [id] }), execute()];
    await client.ask(parse('ins', 'INSERT INTO t VALUES ($1)'), sync);
    const failed = await client.ask(...add('10'), ...add('11'), ...add('10'), ...add('12'), sync);
    t.equal(failed.codes, '2C2C2EZI');
    t.match(failed.error, { C: '23505' });
    const count = query('SELECT count(*) FROM t WHERE id >= 10');
    t.same((await client.ask(count)).rows, [['0']]);
    t.equal((await client.ask(...add('10'), ...add('11'), sync)).codes, '2C2CZI');
    const other = await RawClient.open(addressOf(node));
    t.same((await other.client.ask(count)).rows, [['2']], 'Sync has committed it');
    client.send(...add('12'), flush);
    t.equal((await client.until('C')).map(({ code }) => code).join(''), '2C');
    t.same((await other.client.ask(count)).rows, [['2']], 'Flush has not');
    t.equal((await client.ask(sync)).codes, 'ZI');
    t.same((await other.client.ask(count)).rows, [['3']]);
    await client.ask(query('BEGIN'));
    const unknown = await client.ask(bind({ statement: 'none' }), execute(), sync);
    t.equal(unknown.codes, 'EZE', 'an error of the client fails the block too');
    t.match(unknown.error, { C: '26000' });
    t.equal((await client.ask(query('ROLLBACK'))).codes, 'CZI');
    other.client.close();
  });
  client.close();
});

t.test('COPY', async (t) => {
  const node = await start();
  t.teardown(() => node.stop());
  const { client } = await RawClient.open(addressOf(node));
  await client.ask(query('CREATE TABLE t (id int PRIMARY KEY, name text)'));
  const data = (text: string): Buffer => message('d', Buffer.from(text));
  client.send(query('COPY t FROM STDIN'));
  t.match(await client.next(), { code: 'G', body: Buffer.of(0, 0, 2, 0, 0, 0, 0) });
  t.same((await client.ask(data('1\ton'), data('e\n2\t\\N\n'), message('c'))).tags, ['COPY 2']);
  const out = await client.ask(query('COPY t TO STDOUT'));
  t.equal(out.codes, 'HddcCZI');
  t.equal(out.all[1]?.body.toString(), '1\tone\n');
  const binary = await client.ask(query('COPY t TO STDOUT (FORMAT binary)'));
  const bytes = Buffer.concat(
    binary.all.filter(({ code }) => code === 'd').map(({ body }) => body),
  );
  await client.ask(query('DELETE FROM t'));
  client.send(parse('', 'COPY t FROM STDIN (FORMAT binary)'), bind(), execute(), sync);
  await client.until('G');
  t.same((await client.ask(message('d', bytes), message('c'), sync)).tags, ['COPY 2']);
  client.send(query('COPY t FROM STDIN'));
  await client.until('G');
  const given = await client.ask(data('3\tx\n'), message('f', cstring('no more')));
  t.match(given.error, { C: '57014', M: /no more/ });
  client.send(query('COPY t FROM STDIN'));
  await client.until('G');
  client.send(data('x\n'));
  t.match((await client.ask(data('4\ty\n'), message('c'))).error, { C: '22P02', W: /line 1/ });
  t.same((await client.ask(query('SELECT count(*) FROM t'))).rows, [['2']]);
  client.close();
});

t.test('cancel, limits and stop', async (t) => {
  const node = await start({ connections: 2, frameBytes: 4096 });
  const address = addressOf(node);
  const { client, greeting } = await RawClient.open(address);
  const key = must(
    greeting.find(({ code }) => code === 'K'),
    'a key',
  ).body;
  const long = client.ask(query('SELECT count(*) FROM generate_series(1, 1000000000)'));
  const cancel = async (secret: Buffer): Promise<void> => {
    const other = new RawClient(address);
    other.send(Buffer.concat([int32(16), int32(80_877_102), secret]));
    t.equal(await other.next(), undefined);
  };
  const wrong = Buffer.from(key);
  wrong.writeInt32BE(key.readInt32BE(4) ^ 1, 4);
  await cancel(wrong);
  await cancel(key);
  t.match((await long).error, { C: '57014' });
  t.same((await client.ask(query('SELECT 1'))).rows, [['1']]);

  const second = await RawClient.open(address);
  const third = new RawClient(address);
  third.send(startup(0x0003_0000, { user: 'admin', database: 'shardforge' }));
  t.match((await third.until('E'))[0]?.body.toString(), /FATAL.*53300/s);
  second.client.send(query('x'.repeat(5000)));
  t.match((await second.client.until('E'))[0]?.body.toString(), /FATAL.*08P01/s);
  const stopped = node.stop();
  t.match((await client.until('E'))[0]?.body.toString(), /FATAL.*57P01/s);
  await stopped;
});

t.test('a client that does not read is not written to without end', async (t) => {
  const node = await start();
  t.teardown(() => node.stop());
  const { client } = await RawClient.open(addressOf(node));
  client.socket.pause();
  client.send(query("SELECT repeat('x', 1000) FROM generate_series(1, 100000)"));
  const other = await RawClient.open(addressOf(node));
  for (let i = 0; i < 20; i += 1) await other.client.ask(query('SELECT 1'));
  t.ok(process.memoryUsage().arrayBuffers < 64 * 1024 * 1024, 'little is held for it');
  client.socket.resume();
  const all = await client.untilReady();
  t.equal(all.filter(({ code }) => code === 'D').length, 100_000);
  client.close();
  other.client.close();
});

t.test('no bytes harm the node', async (t) => {
  const node = await start();
  t.teardown(() => node.stop());
  const random = new Random(7);
  const pick = (count: number): number => random.below(count);
  const seeds = [
    query('SELECT 1'),
    ...[parse('a', 'SELECT $1::int4'), bind({ statement: 'a', parameters: ['1'] })],
    ...[describe('S', 'a'), describe('P'), execute('', 1), execute(), close('P'), close('S', 'a')],
    ...[sync, flush, message('d', Buffer.from('x')), message('c'), message('f', cstring('f'))],
    query('COPY none FROM STDIN'),
  ];
  for (let round = 0; round < 300; round += 1) {
    const client = new RawClient(addressOf(node));
    const first = startup(0x0003_0000, { user: 'admin', database: 'shardforge' });
    const messages = Array.from({ length: 12 }, () =>
      Buffer.from(must(seeds[pick(seeds.length)], 'a seed')),
    );
    const bytes = Buffer.concat([first, ...messages]);
    const changes = pick(4);
    const from = round % 3 === 0 ? 0 : first.length;
    for (let i = 0; i < changes; i += 1) {
      bytes[from + pick(bytes.length - from)] = pick(256);
    }
    client.socket.end(bytes.subarray(0, bytes.length - pick(2) * pick(20)));
    while ((await client.next()) !== undefined);
  }
  const { client } = await RawClient.open(addressOf(node));
  t.same((await client.ask(query('SELECT 1'))).rows, [['1']]);
  client.close();
});

const psqlPath = '/usr/bin/psql';
t.test('psql', { skip: existsSync(psqlPath) ? false : 'there is no psql' }, async (t) => {
  const node = await start();
  t.teardown(() => node.stop());
  const [host, port] = addressOf(node).split(':');
  const where = `host=${host} port=${port} user=admin dbname=shardforge`;
  const commands = [
    'CREATE TABLE t (id int PRIMARY KEY, name text)',
    "INSERT INTO t VALUES (1, 'one'), (2, NULL)",
    'SELECT * FROM t ORDER BY id',
    'COPY t TO STDOUT',
  ];
  const { stdout } = await promisify(execFile)(psqlPath, [
    ...['-X', '-v', 'ON_ERROR_STOP=1', where],
    ...commands.flatMap((command) => ['-c', command]),
  ]);
  t.equal(
    stdout,
    'CREATE TABLE\nINSERT 0 2\n id | name \n----+------\n  1 | one\n  2 | \n(2 rows)\n\n1\tone\n2\t\\N\n',
  );
});
