/**
 * The usual exchange with a prepared statement (Bind, Describe, Execute, Sync in one piece) is taken by a way of
 * its own. Whatever is sent, it must be answered as the same messages one by one.
 */
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { checkConfig, type RunningNode, startNode } from '#src/node/index.js';
import {
  type Binding,
  bind,
  describe,
  execute,
  flush,
  message,
  parse,
  query,
  RawClient,
  sync,
} from './postgres/raw.js';

t.setTimeout(120_000);

async function start(): Promise<RunningNode> {
  const config = checkConfig({
    data: { directory: ':memory:', mapSizeBytes: 1024 ** 3 },
    ...{ workers: 0, http: { enabled: false }, postgres: { enabled: true, port: 0 } },
    auth: { rules: [{ addresses: ['loopback'], method: 'trust' }] },
  });
  return startNode(config, {
    log: () => undefined,
    fatal: (error) => {
      throw error;
    },
  });
}

const statements = {
  point: 'SELECT a, b, c FROM e WHERE a = $1',
  typed: 'SELECT $1::int4, $2::text, $3::int8, $4::numeric, $5::int2',
  write: 'INSERT INTO e VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
  divide: 'SELECT 1 / $1::int4',
  none: 'SELECT a FROM e ORDER BY a',
  copy: 'COPY e TO STDOUT',
  nothing: '',
} as const;

const int4 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const typed = (...parameters: readonly (string | Buffer | null)[]): Binding => ({
  statement: 'typed',
  parameters,
});

const bindings: readonly Binding[] = [
  { statement: 'point', parameters: ['1'] },
  { statement: 'point', parameters: ['7'] },
  { statement: 'point', parameters: [null] },
  { statement: 'point', parameters: [' 1'] },
  { statement: 'point', parameters: ['one'] },
  { statement: 'point', parameters: ['99999999999'] },
  { statement: 'point', parameters: ['1', '2'] },
  { statement: 'point', parameters: [] },
  { statement: 'point', parameters: [int4(1)], binary: true },
  { statement: 'point', parameters: [Buffer.of(1)], binary: true },
  { statement: 'point', parameters: ['1'], results: true },
  { statement: 'absent', parameters: ['1'] },
  { statement: 'pöint', parameters: ['1'] },
  typed('-2147483648', 'née 😀', '-9007199254740993', '1.50', '-32768'),
  typed('-0', '', '9223372036854775807', 'NaN', '32767'),
  typed('2147483648', 'x', '1', '1', '1'),
  typed('1', 'x', '1', '1', '32768'),
  typed('1', 'x', '9223372036854775808', '1', '1'),
  typed('1', Buffer.of(0xff, 0x41), '1', '1', '1'),
  typed('1', 'a\0b', '1', '1', '1'),
  typed('1', 'x', '1', 'one', '1'),
  typed('', 'x', '1', '1', '1'),
  typed('-', 'x', '1', '1', '1'),
  { statement: 'write', parameters: ['3', 'three', null] },
  { statement: 'divide', parameters: ['0'] },
  { statement: 'divide', parameters: ['-1'] },
  { statement: 'none' },
  { statement: 'copy' },
  { statement: 'nothing' },
];

interface Told {
  readonly codes: string;
  readonly bodies: readonly string[];
}

async function told(client: RawClient, messages: readonly Buffer[], apart: boolean): Promise<Told> {
  for (const one of apart ? messages.slice(0, -1) : []) {
    client.send(one);
    await sleep(2);
  }
  const answers = await client.ask(...(apart ? messages.slice(-1) : messages));
  return { codes: answers.codes, bodies: answers.all.map(({ body }) => body.toString('latin1')) };
}

t.test('in one piece or one by one, the answer is the same', async (t) => {
  const node = await start();
  t.teardown(() => node.stop());
  const { client } = await RawClient.open(must(node.postgresAddress, 'it listens'));
  await client.ask(
    query(
      "CREATE TABLE e (a int PRIMARY KEY, b text, c int8); INSERT INTO e VALUES (1, 'née', 5), (2, NULL, NULL)",
    ),
  );
  for (const [name, text] of Object.entries(statements)) {
    t.equal((await client.ask(parse(name, text), sync)).codes, '1ZI', name);
  }
  let exchanges = 0;
  for (const binding of bindings) {
    for (const describes of [true, false]) {
      for (const inBlock of [false, true]) {
        const messages = [bind(binding), ...(describes ? [describe('P')] : []), execute(), sync];
        const run = async (apart: boolean): Promise<readonly Told[]> => {
          await client.ask(query('DELETE FROM e WHERE a > 2'));
          if (inBlock) await client.ask(query('BEGIN'));
          const first = await told(client, messages, apart);
          // What is left of the portal in a block, and that nothing is after it elsewhere.
          const second = await told(client, [execute(), sync], apart);
          if (inBlock) await client.ask(query('ROLLBACK'));
          return [first, second];
        };
        const shown = JSON.stringify([
          binding.statement,
          String(binding.parameters),
          describes,
          inBlock,
        ]);
        t.same(await run(false), await run(true), shown);
        exchanges += 1;
      }
    }
  }
  t.equal(exchanges, 4 * bindings.length);

  const usual = [bind({ statement: 'point', parameters: ['1'] }), describe('P'), execute(), sync];
  t.equal((await client.ask(...usual)).codes, '2TDCZI');
  client.send(...usual, ...usual, ...usual);
  for (let i = 0; i < 3; i += 1) t.equal((await client.untilReady()).length, 5, 'in a pipeline');
  client.close();
});

t.test('data of COPY come after the Sync that was sent before them', async (t) => {
  const node = await start();
  t.teardown(() => node.stop());
  const { client } = await RawClient.open(must(node.postgresAddress, 'it listens'));
  await client.ask(query('CREATE TABLE e (a int)'));
  await client.ask(parse('in', 'COPY e FROM STDIN'), sync);
  client.send(bind({ statement: 'in' }), execute(), sync);
  await client.until('G');
  const ended = await client.ask(message('d', Buffer.from('1\n')), message('c'), sync);
  t.equal(ended.codes, 'CZI', 'one ReadyForQuery, that of the second Sync');
  t.same((await client.ask(query('SELECT * FROM e'))).rows, [['1']]);
  client.close();
});

t.test('an answer leaves in one write', async (t) => {
  const node = await start();
  t.teardown(() => node.stop());
  const address = must(node.postgresAddress, 'it listens');
  const { client } = await RawClient.open(address);
  await client.ask(query('CREATE TABLE e (a int PRIMARY KEY)'));
  await client.ask(parse('get', 'SELECT a FROM e WHERE a = $1'), sync);
  await client.ask(parse('put', 'INSERT INTO e VALUES ($1)'), sync);
  const { write } = Socket.prototype;
  let writes = 0;
  Socket.prototype.write = function counted(this: Socket, ...given: unknown[]): boolean {
    if (`${this.localAddress}:${this.localPort}` === address) writes += 1;
    return Reflect.apply(write, this, given) as boolean;
  } as typeof write;
  t.teardown(() => {
    Socket.prototype.write = write;
  });
  for (const [statement, codes] of [
    ['put', '2nCZI'],
    ['get', '2TDCZI'],
  ] as const) {
    writes = 0;
    const answers = await client.ask(
      ...[bind({ statement, parameters: ['1'] }), describe('P'), execute(), sync],
    );
    t.equal(answers.codes, codes);
    t.equal(writes, 1, statement);
  }
  writes = 0;
  const flushed = [bind({ statement: 'get', parameters: ['1'] }), flush, execute(), sync];
  t.equal((await client.ask(...flushed)).codes, '2DCZI');
  t.equal(writes, 2, 'Flush asks for what is there before the answer');
  client.close();
});
