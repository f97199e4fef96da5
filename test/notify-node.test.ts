/** LISTEN of the SDK at a real node: over a socket, in the process, together with PostgreSQL's clients. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import t, { type Test } from 'tap';
import { must } from '#src/base/assert.js';
import { connect, type Database, type Notification } from '#src/client/index.js';
import { open } from '#src/embedded.js';
import { wireNode } from './postgres/nodes.js';

t.setTimeout(120_000);

/** Waits until `done`. */
async function until(t: Test, done: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 500 && !done(); i += 1) await sleep(20);
  t.ok(done(), what);
}

t.test('the SDK listens, also when its connection was lost', async (t) => {
  const { node, address } = await wireNode({ http: { port: 0 } });
  t.teardown(() => node.stop(0));
  const db = await connect(`ws://${must(node.addresses[0], 'it listens')}`);
  t.teardown(() => db.close());
  const heard: string[] = [];
  const hear = ({ channel, payload }: Notification): void =>
    void heard.push(`${channel}: ${payload}`);
  let gaps = 0;
  const news = await db.listen('news', hear, { onGap: () => (gaps += 1) });
  const other = await db.listen('Other "x"', hear);
  const second = await db.listen('news', ({ payload }) => void heard.push(`again: ${payload}`));

  const client = new pg.Client(`postgres://admin@${address}/shardforge`);
  await client.connect();
  t.teardown(() => client.end());
  const told: string[] = [];
  client.on('notification', ({ channel, payload }) => void told.push(`${channel}: ${payload}`));
  await client.query('listen news');

  await db.sql`select pg_notify('news', ${'1'}), pg_notify('Other "x"', 'y')`;
  await client.query("notify news, '2'");
  await until(t, () => heard.length === 5 && told.length === 2, 'both hear both');
  t.same(heard.splice(0).sort(), [
    ...['Other "x": y', 'again: 1', 'again: 2', 'news: 1', 'news: 2'],
  ]);
  t.same(told.splice(0), ['news: 1', 'news: 2']);

  const { rows } = await client.query(`select pid, pg_terminate_backend(pid) from pg_stat_activity
    where pid <> pg_backend_pid() and query ilike '%listen%'`);
  t.equal(rows.length, 1, 'the connection that listens is ended');
  await until(t, () => gaps === 1, 'it says that something may be missing');
  await client.query("notify news, '3'");
  await until(t, () => heard.length === 2, 'and hears again');
  t.same(heard.splice(0).sort(), ['again: 3', 'news: 3']);

  await news.unlisten();
  await other.unlisten();
  await client.query(`notify news, '4'`);
  await client.query(`notify "Other ""x""", '5'`);
  await until(t, () => heard.length === 1 && told.length === 2, 'the other goes on');
  t.same(heard.splice(0), ['again: 4']);
  await second.unlisten();
  t.same((await db.sql`select count(*)::int as n from pg_listening_channels()`)[0]?.n, 0);
});

t.test('a database in the process listens', async (t) => {
  const db: Database = await open();
  t.teardown(() => db.close());
  const heard: Notification[] = [];
  await db.listen('a', (notification) => void heard.push(notification));
  await db.sql`notify a, 'x'`;
  await until(t, () => heard.length === 1, 'it hears');
  t.match(heard[0], { channel: 'a', payload: 'x' });
});
