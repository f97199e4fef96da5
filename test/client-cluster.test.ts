/**
 * The SDK with a cluster of three processes: what users see of it, on whichever node, while nodes die,
 * freeze and are left alone.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { connect, type Database, ShardForgeError } from '#src/client/index.js';
import { errorOf } from './client/fixture.js';
import { ProcessCluster } from './cluster/processes.js';

t.setTimeout(120_000);

const directory = mkdtempSync(join(tmpdir(), 'shardforge-client-'));
const cluster = await ProcessCluster.start({ directory, nodes: 3, proxies: false });
const opened: Database[] = [];
t.teardown(async () => {
  for (const database of opened) await database.close(0);
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function open(...args: Parameters<typeof connect>): Promise<Database> {
  const database = await connect(...args);
  opened.push(database);
  return database;
}

async function leader(): Promise<number> {
  for (;;) {
    const number = await cluster.leader();
    if (number !== undefined) return number;
    await sleep(20);
  }
}

/** Inserts until one is acknowledged; gives the number of those whose outcome is unknown. */
async function insertOne(database: Database): Promise<number> {
  for (let unknown = 0; ; unknown += 1) {
    try {
      await database.query("insert into s (v) values ('x')");
      return unknown;
    } catch (error) {
      if (!(error instanceof ShardForgeError) || error.retry !== 'unknown') throw error;
    }
  }
}

const countOf = async (database: Database): Promise<number> =>
  Number((await database.query<{ c: number }>('select count(*)::int as c from s'))[0]?.c);

t.test('any node: the newest is read, and numbers are 1, 2, 3', async (t) => {
  const nodes = await Promise.all(cluster.urls.map((url) => open(url)));
  const at = (i: number): Database => must(nodes[i % nodes.length], 'a database per node');
  await at(0).query('create table s (id serial primary key, v text)');
  const ids: unknown[] = [];
  for (let i = 0; i < 30; i += 1) {
    const [row] = await at(i).query<{ id: number }>("insert into s (v) values ('x') returning id");
    ids.push(row?.id);
    const [seen] = await at(i + 1).query('select v from s where id = $1', [i + 1]);
    t.same(seen, { v: 'x' }, 'another node has it at once');
  }
  t.same(
    ids,
    [...ids.keys()].map((i) => i + 1),
  );
  await Promise.all(
    nodes.flatMap((database) =>
      Array.from({ length: 20 }, () => database.query("insert into s (v) values ('a'), ('b')")),
    ),
  );
  const [{ c, m } = {}] = await at(1).query('select count(*)::int as c, max(id) as m from s');
  t.equal(c, m, 'also when all insert at once there are no gaps');
});

t.test(
  'a node that leads is killed, then one is frozen: clients go on, nothing is done twice',
  async (t) => {
    const database = await open([...cluster.urls]);
    for (const fault of ['kill', 'freeze'] as const) {
      const before = await countOf(database);
      const number = await leader();
      const node = cluster.node(number);
      if (fault === 'kill') await cluster.kill(number);
      else node.freeze();
      const [count, unknown] = await Promise.all([countOf(database), insertOne(database)]);
      t.ok(count >= before, `${fault}: a read is answered by another node`);
      const after = await countOf(database);
      t.ok(after > before && after <= before + 1 + unknown, 'a row for what was acknowledged');
      await database.transaction(
        async (tx) => void (await tx.query("insert into s (v) values ('t')")),
      );
      t.equal(
        await countOf(database),
        after + 1,
        'a transaction is run until it is committed, once',
      );
      if (fault === 'freeze') node.thaw();
      else {
        await cluster.launch(number);
        await cluster.node(number).ready();
      }
    }
    const [row] = await database.query(
      'select count(*)::int as c, count(distinct id)::int as d from s',
    );
    t.equal(row?.c, row?.d);
  },
);

t.test('a node without a majority refuses; stale reads are to be had and say so', async (t) => {
  const number = await leader();
  const alone = await open(must(cluster.urls[number - 1], 'its address'), { retryMs: 0 });
  const session = await alone.session();
  const count = await countOf(alone);
  await session.sql`set shardforge.stale_reads = on`;
  const others = [1, 2, 3].filter((other) => other !== number);
  for (const other of others) cluster.node(other).freeze();
  // Its lease may hold for a while, and for some seconds it waits for an election.
  t.equal((await errorOf(insertUntilRefused(alone))).sqlstate, 'SF010');
  const stale = await session.query<{ c: number }>('select count(*)::int as c from s');
  t.ok(stale.stale);
  t.ok(Number(stale[0]?.c) >= count, 'what it has is a whole state');
  t.equal((await errorOf(session.query("insert into s (v) values ('y')"))).sqlstate, 'SF010');
  t.equal((await errorOf(alone.query('select * from s'))).sqlstate, 'SF010');
  for (const other of others) cluster.node(other).thaw();
  session.release();
  const healed = await open([...cluster.urls]);
  t.ok((await countOf(healed)) >= count);
});

async function insertUntilRefused(database: Database): Promise<void> {
  for (;;) {
    const insert = database.query("insert into s (v) values ('z')", [], { timeoutMs: 1_000 });
    try {
      await insert;
    } catch (error) {
      const waits = error instanceof ShardForgeError && ['57014', '40003'].includes(error.sqlstate);
      if (!waits) throw error;
    }
  }
}
