/** Clients that are slow, silent, gone or many, at the door for PostgreSQL's protocol. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { gauge, type WireNode, wireNode } from './postgres/nodes.js';
import { bind, execute, message, parse, query, RawClient, startup, sync } from './postgres/raw.js';

t.setTimeout(240_000);

const hello = startup(0x0003_0000, { user: 'admin', database: 'shardforge' });

async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await condition()) return;
    await sleep(50);
  }
  throw new Error(`${what} did not come`);
}

/** A node with HTTP for its metrics. */
const counted = (more: Readonly<Record<string, unknown>> = {}): Promise<WireNode> =>
  wireNode({ http: { enabled: true, port: 0 }, ...more });

/** Waits until so many connections, with a session each, are left. */
async function left(wire: WireNode, count: number): Promise<void> {
  let seen = '';
  for (let tries = 0; tries < 1200; tries += 1) {
    const sessions = await gauge(wire, 'shardforge_sessions');
    const connections = await gauge(wire, 'shardforge_connections');
    if (sessions === count && connections === count) return;
    seen = `${sessions} sessions, ${connections} connections`;
    await sleep(50);
  }
  throw new Error(`${seen} are left`);
}

t.test('a client that reads a byte at a time gets all, and the others do not wait', async (t) => {
  const { node, address } = await wireNode();
  t.teardown(() => node.stop(0));
  const { client } = await RawClient.open(address);
  client.socket.removeAllListeners('data');
  client.socket.pause();
  // Whoever listens for this is not flooded.
  client.socket.on('readable', () => undefined);
  client.send(query("SELECT repeat('x', 100) FROM generate_series(1, 20000)"));
  let bytes = 0;
  let zeds = 0;
  const whole = 20_000 * 111;
  const read = (count: number): void => {
    const chunk = client.socket.read(count) as Buffer | null;
    bytes += chunk?.length ?? 0;
    zeds += chunk?.at(-6) === 0x5a ? 1 : 0;
  };
  const other = await RawClient.open(address);
  for (let i = 0; i < 2000; i += 1) {
    read(1);
    if (i % 100 === 0) {
      await sleep(1);
      t.equal((await other.client.ask(query('SELECT 1'))).codes, 'TDCZI');
    }
  }
  t.ok(bytes > 1000 && bytes < 2001, `${bytes} bytes one by one`);
  client.socket.removeAllListeners('readable');
  client.socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    zeds += chunk.at(-6) === 0x5a ? 1 : 0;
  });
  client.socket.resume();
  await until('the end', () => zeds === 1);
  t.ok(bytes > whole, 'and the rest at once');
  client.close();
  other.client.close();
});

t.test('who asks without reading is not listened to until he reads', async (t) => {
  const { node, address } = await wireNode();
  t.teardown(() => node.stop(0));
  const { client } = await RawClient.open(address);
  client.socket.pause();
  const asked = 10_000;
  const one = query("SELECT repeat('x', 2000)");
  for (let i = 0; i < asked; i += 1) client.send(one);
  const other = await RawClient.open(address);
  for (let i = 0; i < 20; i += 1) {
    await sleep(5);
    t.equal((await other.client.ask(query('SELECT 1'))).codes, 'TDCZI');
  }
  t.ok(process.memoryUsage().arrayBuffers < 64 * 1024 * 1024, 'little is held for it');
  client.socket.resume();
  for (let i = 0; i < asked; i += 1) {
    const codes = (await client.untilReady()).map(({ code }) => code).join('');
    if (codes !== 'TDCZ') t.fail(`answer ${i} is ${codes}`);
  }
  client.close();
  other.client.close();
});

t.test('what a client was about ends with its connection', async (t) => {
  const wire = await counted();
  t.teardown(() => wire.node.stop(0));
  const long = 'SELECT count(*) FROM generate_series(1, 100000000000)';
  const waiting = [
    [query(long)],
    [query('BEGIN'), query(long)],
    [parse('', long), bind(), execute(), sync],
    [query('COPY gone FROM STDIN'), message('d', Buffer.from('1\n'))],
    [parse('', 'SELECT * FROM generate_series(1, 1000000)'), bind(), execute('', 1), message('H')],
  ];
  const { client: first } = await RawClient.open(wire.address);
  await first.ask(query('CREATE TABLE gone (id int)'));
  for (const messages of waiting) {
    const { client } = await RawClient.open(wire.address);
    client.send(...messages);
    await sleep(30);
    // As a client that crashed: one that only ends its side may still wait for the answer.
    client.socket.resetAndDestroy();
  }
  await left(wire, 1);
  t.same((await first.ask(query('SELECT count(*) FROM gone'))).rows, [['0']]);
  first.close();
});

t.test('who ends its side and waits gets its answer; who is gone is noticed', async (t) => {
  const wire = await counted();
  t.teardown(() => wire.node.stop(0));
  const { client } = await RawClient.open(wire.address);
  client.send(query('SELECT pg_sleep(0.2)'));
  client.socket.end();
  const codes = (await client.untilReady()).map(({ code }) => code).join('');
  t.equal(codes, 'TDCZ');
  const gone = await RawClient.open(wire.address);
  gone.client.send(query('SELECT count(*) FROM generate_series(1, 100000000000)'));
  gone.client.close();
  await left(wire, 0);
});

const hasKernelTables = existsSync('/proc/net/tcp');
t.test(
  'the system asks whether silent clients live',
  { skip: hasKernelTables ? false : 'there is no /proc/net/tcp' },
  async (t) => {
    const { node, address } = await wireNode();
    t.teardown(() => node.stop(0));
    const { client } = await RawClient.open(address);
    const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');
    const [ours, theirs] = [Number(address.split(':')[1]), client.socket.localPort ?? 0];
    await until('a quiet connection with a timer', () => {
      const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n');
      const row = rows.find((line) => new RegExp(`:${hex(ours)} \\w+:${hex(theirs)} `).test(line));
      // Timer 2 of a socket is that of keepalive.
      return / 02:[0-9A-F]{8} /.test(must(row, 'the server side of the connection'));
    });
    t.pass('keepalive is set');
    client.close();
  },
);

t.test('who does not say who it is has a limited time', async (t) => {
  const wire = await counted({
    auth: { rules: [{ addresses: ['loopback'], method: 'trust' }], timeoutMs: 1000 },
  });
  t.teardown(() => wire.node.stop(0));
  const silent = new RawClient(wire.address);
  const half = new RawClient(wire.address);
  half.send(hello.subarray(0, 10));
  const slow = new RawClient(wire.address);
  const dripping = (async () => {
    for (const byte of hello) {
      if (slow.socket.destroyed) return;
      slow.socket.write(Buffer.of(byte));
      await sleep(100);
    }
  })();
  const { client: good } = await RawClient.open(wire.address);
  t.equal(await silent.next(), undefined);
  t.equal(await half.next(), undefined);
  t.equal(await slow.next(), undefined);
  await dripping;
  t.equal((await good.ask(query('SELECT 1'))).codes, 'TDCZI', 'who is in may be silent longer');
  await left(wire, 1);
  good.close();
});

t.test('storms of connections that leave at once', async (t) => {
  const wire = await counted();
  t.teardown(() => wire.node.stop(0));
  for (let round = 0; round < 4; round += 1) {
    const clients = Array.from({ length: 300 }, () => new RawClient(wire.address));
    for (const [i, client] of clients.entries()) {
      if (i % 3 > 0) client.send(hello);
      if (i % 3 > 1) client.send(query('SELECT 1'));
    }
    await sleep(20 * round);
    for (const client of clients) client.close();
  }
  await left(wire, 0);
  const { client } = await RawClient.open(wire.address);
  t.equal((await client.ask(query('SELECT 1'))).codes, 'TDCZI');
  client.close();
});

const crowd = 5000;

function openFilesMax(): number {
  if (!existsSync('/proc/self/limits')) return 0;
  return Number(/Max open files +(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
}

// Both ends are files of this process.
const hasRoom = openFilesMax() > 2 * crowd + 500;
t.test(
  '5,000 connections at once',
  { skip: hasRoom ? false : 'this process may not open 10,500 files' },
  async (t) => {
    const wire = await counted({ limits: { connections: crowd } });
    t.teardown(() => wire.node.stop(0));
    const clients: RawClient[] = [];
    while (clients.length < crowd) {
      const wave = Array.from({ length: 250 }, () => RawClient.open(wire.address));
      for (const { client } of await Promise.all(wave)) clients.push(client);
    }
    const refused = new RawClient(wire.address);
    refused.send(hello);
    t.match((await refused.until('E')).at(-1)?.body.toString(), /FATAL.*53300/s, 'one too many');
    const answers = await Promise.all(clients.map((client) => client.ask(query('SELECT 1'))));
    t.ok(
      answers.every(({ codes }) => codes === 'TDCZI'),
      'all are served',
    );
    for (const client of clients) client.close();
    await left(wire, 0);
    const { client } = await RawClient.open(wire.address);
    t.equal((await client.ask(query('SELECT 1'))).codes, 'TDCZI');
    client.close();
  },
);

t.test('a pipeline of very many, and portals without end', async (t) => {
  const { node, address } = await wireNode();
  t.teardown(() => node.stop(0));
  const { client } = await RawClient.open(address);
  await client.ask(query('CREATE TABLE many (id int PRIMARY KEY)'));
  const count = 5000;
  const adds = Array.from({ length: count }, (_, i) => [
    ...[bind({ statement: 'add', parameters: [String(i)] }), execute()],
  ]).flat();
  const answer = await client.ask(parse('add', 'INSERT INTO many VALUES ($1)'), ...adds, sync);
  t.equal(answer.tags.length, count);
  const rows = await client.ask(query('SELECT count(*), sum(id) FROM many'));
  t.same(rows.rows, [[String(count), String((count * (count - 1)) / 2)]]);
  const portals = Array.from({ length: 1001 }, (_, i) =>
    bind({ portal: `p${i}`, statement: 'one' }),
  );
  const held = await client.ask(parse('one', 'SELECT 1'), ...portals, sync);
  t.match(held.error, { C: '53400' }, 'there is an end');
  t.equal(held.codes, `1${'2'.repeat(1000)}EZI`);
  const again = await client.ask(bind({ portal: 'p0', statement: 'one' }), execute('p0'), sync);
  t.equal(again.codes, '2DCZI', 'they went with their transaction');
  client.close();
});

t.test('messages that are too long', async (t) => {
  const { node, address } = await wireNode({
    limits: { frameBytes: 65_536, statementBytes: 10_000 },
  });
  t.teardown(() => node.stop(0));
  const { client } = await RawClient.open(address);
  const long = `SELECT '${'x'.repeat(20_000)}'`;
  const said = await client.ask(query(long));
  t.match(said.error, { S: 'ERROR', C: '54000' }, 'a statement beyond its limit is refused');
  t.match((await client.ask(parse('', long), sync)).error, { S: 'ERROR', C: '54000' });
  const value = 'x'.repeat(40_000);
  const given = await client.ask(
    ...[parse('', 'SELECT length($1::text)'), bind({ parameters: [value] }), execute(), sync],
  );
  t.same(given.rows, [['40000']], 'a value may be as long as a message');
  client.send(parse('', 'SELECT $1::text'), bind({ parameters: ['x'.repeat(70_000)] }));
  const error = (await client.until('E')).at(-1);
  t.match(error?.body.toString(), /FATAL.*08P01.*invalid message length/s);
  t.equal(await client.next(), undefined, 'and the connection ends');
  const { client: next } = await RawClient.open(address);
  next.socket.write(Buffer.from('Q\x7f\xff\xff\xff', 'latin1'));
  t.match((await next.until('E')).at(-1)?.body.toString(), /FATAL.*08P01/s, 'before it has come');
});
