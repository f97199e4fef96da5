/** Sessions of three nodes: each node knows of all, and ends what they do wherever they are. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { must } from '#src/base/assert.js';
import type { RunningNode } from '#src/node/index.js';
import { member, start } from './mesh/members.js';
import { int32, query, RawClient } from './postgres/raw.js';

t.setTimeout(240_000);

async function dial(node: RunningNode, name: string): Promise<{ client: RawClient; key: Buffer }> {
  const address = must(node.postgresAddress, 'it listens');
  const { client, greeting } = await RawClient.open(address, { application_name: name });
  const { body } = must(
    greeting.find(({ code }) => code === 'K'),
    'a key',
  );
  return { client, key: body };
}

t.test('sessions of a cluster', async (t) => {
  const members = [await member(t, 1), await member(t, 2), await member(t, 3)];
  const nodes = await Promise.all(members.map((each) => start(t, each, members)));
  await Promise.all(nodes.map(({ served }) => served));
  const sessions = await Promise.all(nodes.map((node, i) => dial(node, `of ${i + 1}`)));
  const [one, two, three] = sessions.map(({ client }) => client) as [
    RawClient,
    RawClient,
    RawClient,
  ];
  const key = must(sessions[0], 'a session').key;
  const pid = key.readInt32BE(0);

  const seen = async (
    client: RawClient,
    rest = '',
  ): Promise<readonly (readonly (string | null)[])[]> => {
    const columns = 'application_name, pid / 32768';
    const where = `application_name LIKE 'of %' ${rest}`;
    const text = `SELECT ${columns} FROM pg_stat_activity WHERE ${where} ORDER BY 1`;
    return (await client.ask(query(text))).rows;
  };
  const all = [
    ['of 1', '1'],
    ['of 2', '2'],
    ['of 3', '3'],
  ];
  for (const client of [one, two, three]) t.same(await seen(client), all);
  t.same((await one.ask(query('SELECT pg_backend_pid()'))).rows, [[String(pid)]]);

  const asleep = async (client: RawClient): Promise<void> => {
    while ((await seen(client, "AND wait_event = 'PgSleep'")).length === 0) await sleep(5);
  };
  await t.test('a cancel request at another node reaches the session', async (t) => {
    const sleeps = one.ask(query('SELECT pg_sleep(3600)'));
    await asleep(two);
    const request = async (secret: Buffer): Promise<void> => {
      const other = new RawClient(must(nodes[2]?.postgresAddress, 'it listens'));
      other.send(Buffer.concat([int32(16), int32(80_877_102), secret]));
      t.equal(await other.next(), undefined, 'it is not answered');
    };
    const wrong = Buffer.from(key);
    wrong.writeInt32BE(key.readInt32BE(4) ^ 1, 4);
    await request(wrong);
    await sleep(50);
    t.equal((await seen(two, "AND wait_event = 'PgSleep'")).length, 1, 'not with a wrong secret');
    await request(key);
    t.match((await sleeps).error, { C: '57014' });
  });

  await t.test('pg_cancel_backend and pg_terminate_backend', async (t) => {
    const sleeps = one.ask(query('SELECT pg_sleep(3600)'));
    await asleep(three);
    t.same((await three.ask(query(`SELECT pg_cancel_backend(${pid})`))).rows, [['t']]);
    t.match((await sleeps).error, { C: '57014' });
    t.same((await two.ask(query(`SELECT pg_terminate_backend(${pid}, 5000)`))).rows, [['t']]);
    const last = (await one.until('E'))[0]?.body.toString();
    t.match(last, /FATAL.*57P01.*terminating connection due to administrator command/s);
    t.equal(await one.next(), undefined, 'the connection is closed');
    t.same(await seen(two), all.slice(1));
    t.same((await two.ask(query(`SELECT pg_terminate_backend(${pid})`))).rows, [['f']]);
  });

  await t.test('a node that is gone does not hold up the others', async (t) => {
    await must(nodes[0], 'a node').stop(0);
    t.same(await seen(two), all.slice(1));
    t.same((await two.ask(query(`SELECT pg_cancel_backend(${pid})`))).rows, [['f']]);
  });
});
