/** What sessions say beside results, and how they end, through each door: PostgreSQL's wire, WebSocket, command line. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { connect, type Notice, type ShardForgeError } from '#src/client/index.js';
import type { RunningNode } from '#src/node/index.js';
import { wireNode } from './postgres/nodes.js';
import { query, RawClient } from './postgres/raw.js';

t.setTimeout(240_000);

const urlOf = (node: RunningNode): string => `ws://${must(node.addresses[0], 'it listens')}`;

t.test('PostgreSQL wire', async (t) => {
  const { node, address } = await wireNode();
  t.teardown(() => node.stop(0));
  const { client } = await RawClient.open(address);
  await client.ask(query('CREATE TABLE t (id int)'));
  client.send(query('CREATE TABLE IF NOT EXISTS t (id int)'));
  const [notice] = await client.untilReady();
  t.equal(notice?.code, 'N');
  t.match(
    notice?.body.toString(),
    /^SNOTICE\0VNOTICE\0C42P07\0Mrelation "t" already exists, skipping\0/,
  );
  client.send(query('DROP TABLE IF EXISTS a, b; COMMIT; SELECT 1'));
  const codes = (await client.untilReady()).map(({ code }) => code).join('');
  t.equal(codes, 'NNCNCTDCZ', 'each comes before the end of its statement');
  t.equal((await client.ask(query("SET client_min_messages = 'error'; COMMIT"))).codes, 'CCZI');

  await client.ask(query("SET idle_session_timeout = '50ms'"));
  const fatal = (await client.until('E'))[0]?.body.toString();
  t.match(fatal, /^SFATAL\0VFATAL\0C57P05\0Mterminating connection due to idle-session timeout\0/);
  t.equal(await client.next(), undefined, 'the connection is closed');

  const late = await RawClient.open(address, { options: '-c statement_timeout=50ms' });
  t.match((await late.client.ask(query('SELECT pg_sleep(3600)'))).error, {
    C: '57014',
    M: 'canceling statement due to statement timeout',
  });
  late.client.socket.destroy();
});

t.test('WebSocket and the command line', async (t) => {
  const { node } = await wireNode({ http: { port: 0 } });
  t.teardown(() => node.stop(0));
  const heard: Notice[] = [];
  const database = await connect(urlOf(node), { onNotice: (notice) => heard.push(notice) });
  t.teardown(() => database.close());
  await database.query('DROP TABLE IF EXISTS nothing');
  t.match(heard, [{ severity: 'NOTICE', message: 'table "nothing" does not exist, skipping' }]);

  const session = await database.session();
  await session.query("SET idle_in_transaction_session_timeout = '50ms'");
  await session.query('BEGIN');
  while (!session.lost) await sleep(5);
  const error = await session.query('SELECT 1').then(
    () => undefined,
    (thrown: unknown) => thrown as ShardForgeError,
  );
  t.match(error, {
    sqlstate: '25P03',
    message: 'terminating connection due to idle-in-transaction timeout',
  });
  session.release();

  const shardforge = async (...args: string[]): Promise<string> => {
    const all = ['dist/cli/bin.js', 'session', ...args, '--url', urlOf(node)];
    const ended = await promisify(execFile)(process.execPath, all).catch(
      (failed: { readonly stdout: string }) => failed,
    );
    return ended.stdout;
  };
  const held = await database.session();
  const [row] = await held.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const { pid } = must(row, 'a pid');
  const long = held.query('SELECT pg_sleep(3600)').then(
    () => undefined,
    (thrown: unknown) => thrown as ShardForgeError,
  );
  let listed = '';
  while (!listed.includes('Timeout/PgSleep')) listed = await shardforge('list');
  const line = must(
    listed.split('\n').find((each) => each.trim().startsWith(String(pid))),
    'the session',
  );
  t.match(line, /active .*SELECT pg_sleep\(3600\)/);
  const [id] = must(/[0-9a-f]{8}\.[0-9a-f]+\.\d+/.exec(line), 'a query id');
  t.equal(await shardforge('cancel', must(id, 'a query id')), 'done\n');
  t.match(await long, { sqlstate: '57014' });
  t.equal(await shardforge('terminate', String(pid)), 'done\n');
  while (!held.lost) await sleep(5);
  t.equal(await shardforge('terminate', String(pid)), 'there is no such session\n');
  held.release();
});
