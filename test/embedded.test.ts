/**
 * The SDK against the real node, in this process and over a socket: both must behave the same.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { connect } from '#src/client/index.js';
import { checkConfig, startNode } from '#src/node/index.js';
import { type Database, open, ShardForgeError } from '#src/embedded.js';

const run = promisify(execFile);

/** The error that the promise fails with. */
async function errorOf(promise: PromiseLike<unknown>): Promise<ShardForgeError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ShardForgeError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function directory(test: Test): string {
  const made = mkdtempSync(join(tmpdir(), 'shardforge-embedded-'));
  test.teardown(() => rmSync(made, { recursive: true, force: true }));
  return join(made, 'data');
}

/** A database over a socket to a node in memory; closing it stops the node. */
async function overSocket(): Promise<Database> {
  const data = { directory: ':memory:' };
  const auth = { rules: [{ addresses: ['loopback'], method: 'trust' }] };
  const config = checkConfig({ data, http: { port: 0 }, workers: 0, auth });
  const node = await startNode(config, {
    log: () => undefined,
    fatal: (error) => {
      throw error;
    },
  });
  const database = await connect(`ws://${node.addresses[0]}`);
  const close = database.close.bind(database);
  database.close = async (graceMs) => {
    await close(graceMs);
    await node.stop(0);
  };
  return database;
}

for (const [where, make] of [
  ['embedded', open],
  ['over a socket', overSocket],
] as const) {
  t.test(`statements ${where}`, async (test) => {
    const db = await make();
    test.teardown(() => db.close());
    await statements(test, db);
    await transactions(test, db);
    await iteration(test, db);
    await cancelling(test, db);
  });
}

async function statements(test: Test, db: Database): Promise<void> {
  await db.query(`create table sample (
    id int primary key, big int8, amount numeric(10, 2), ratio float8, half float4, yes boolean,
    name text, day date, local timestamp, at timestamptz, doc jsonb, bytes bytea, key uuid)`);
  const at = new Date('2026-11-21T08:00:00.123Z');
  const row = {
    ...{ id: 1, big: 9007199254740993n, amount: '1.10', ratio: 0.1, half: 0.1, yes: true },
    ...{ name: 'naïve "😀"', day: '2026-11-21', local: '2026-11-21 08:00:00.5', at },
    ...{ doc: { a: [1, null, 'x'] }, bytes: Uint8Array.of(0, 255, 10) },
    key: '123e4567-e89b-12d3-a456-426614174000',
  };
  const values = Object.values(row);
  const inserted = await db.sql`insert into sample values ${db.sql.rows([values])} returning *`;
  test.strictSame([...inserted], [row], 'what goes in comes out');
  test.equal(inserted.tag, 'INSERT 0 1');
  await db.sql`insert into sample (id, ratio, half) values (2, ${Number.NaN}, ${-0})`;
  const [special] = await db.sql`select ratio, half, big from sample where id = 2`;
  test.ok(Number.isNaN(special?.ratio) && Object.is(special?.half, -0) && special?.big === null);
  const ids = await db.sql<{ id: number }>`select id from sample where id in ${db.sql.list([2, 1])}
    order by ${db.sql.identifier('sample', 'id')}`;
  test.same(ids, [{ id: 1 }, { id: 2 }]);
  const error = await errorOf(db.sql`insert into sample (id) values (${1})`);
  test.match(error, { sqlstate: '23505', condition: 'unique_violation', table: 'sample' });
  test.match(await errorOf(db.query('select nothing from sample')), {
    ...{ sqlstate: '42703', position: 8, retry: 'never' },
  });
  const results = await db.query('select 1 as a; select 2 as b').results();
  test.same(results, [[{ a: 1 }], [{ b: 2 }]]);
  const prepared = await db.prepare<{ name: string }>('select name from sample where id = $1');
  test.same(
    [prepared.parameterTypes, prepared.columns],
    [['int4'], [{ name: 'name', type: 'text' }]],
  );
  test.same(await prepared.execute([1]), [{ name: 'naïve "😀"' }]);
  test.match(await errorOf(db.query(`select '${'x'.repeat(2 ** 23)}'`)), { sqlstate: '54000' });
  const many = Array.from({ length: 500 }, (_, i) => db.sql<{ n: number }>`select ${i}::int as n`);
  test.same(
    (await Promise.all(many)).map(([first]) => first?.n),
    many.map((_, i) => i),
    'hundreds at once',
  );
}

async function transactions(test: Test, db: Database): Promise<void> {
  await db.query('create table account (id int primary key, balance int8 not null)');
  await db.sql`insert into account values ${db.sql.rows([
    [1, 100],
    [2, 0],
  ])}`;
  let runs = 0;
  const move = (): Promise<void> =>
    db.transaction(
      async (tx) => {
        runs += 1;
        const [from] = await tx.sql<{ balance: number }>`select balance from account where id = 1`;
        await tx.sql`update account set balance = ${(from?.balance ?? 0) - 1} where id = 1`;
        await tx.sql`update account set balance = balance + 1 where id = 2`;
      },
      { attempts: 100 },
    );
  await Promise.all(Array.from({ length: 20 }, move));
  const balances = await db.sql`select balance from account order by id`;
  test.same(balances, [{ balance: 80 }, { balance: 20 }], 'every transfer happened once');
  test.ok(runs > 20, 'those that met ran again');
  await test.rejects(
    db.transaction(async (tx) => {
      await tx.sql`delete from account`;
      throw new Error('no');
    }),
    { message: 'no' },
  );
  test.same(await db.sql`select count(*) from account`, [{ count: 2 }], 'rolled back');
  const session = await db.session();
  await session.sql`begin`;
  await errorOf(session.sql`select 1 / 0`);
  test.equal(session.status, 'failed');
  test.equal((await errorOf(session.sql`select 1`)).sqlstate, '25P02');
  session.release();
  test.same(await db.sql`select 1 as one`, [{ one: 1 }]);
  const set = await db.session();
  await set.query("set timezone = 'Asia/Tokyo'");
  const zones = async (from: { query(text: string): PromiseLike<unknown> }): Promise<unknown> =>
    await from.query("select '2026-11-21 00:00+00'::timestamptz::text as at");
  test.same(await zones(set), [{ at: '2026-11-21 09:00:00+09' }]);
  set.release();
  const after = await Promise.all(Array.from({ length: 40 }, () => zones(db)));
  const inUtc = [{ at: '2026-11-21 00:00:00+00' }];
  test.same(after, new Array(40).fill(inUtc), 'settings end with their session');
  test.match(await errorOf(db.query("set timezone = 'UTC'")), { sqlstate: '55000' });
}

async function iteration(test: Test, db: Database): Promise<void> {
  await db.query('create table series (n int primary key, filler text)');
  const filler = 'x'.repeat(200);
  for (let i = 0; i < 20; i += 1) {
    const rows = Array.from({ length: 1000 }, (_, j) => [i * 1000 + j, filler]);
    await db.sql`insert into series values ${db.sql.rows(rows)}`;
  }
  let next = 0;
  for await (const row of db.sql<{ n: number }>`select n, filler from series order by n`) {
    if (row.n !== next) test.fail(`row ${next} is ${row.n}`);
    next += 1;
    if (next % 5000 === 0) await db.sql`select count(*) from series where n < ${next}`;
  }
  test.equal(next, 20_000, 'every row once, in order');
  for await (const row of db.sql<{ n: number }>`select n from series order by n`) {
    if (row.n === 10) break;
  }
  const kept = await db.transaction(async (tx) => {
    for await (const row of tx.sql<{ n: number }>`select n from series order by n`) {
      if (row.n === 10) break;
    }
    return await tx.sql`select count(*) from series`;
  });
  test.same(kept, [{ count: 20_000 }], 'leaving an iteration does not fail the transaction');
}

async function cancelling(test: Test, db: Database): Promise<void> {
  const endless = 'select count(*) from series a, series b where a.n + b.n < 0';
  const error = await errorOf(db.query(endless, [], { timeoutMs: 50 }));
  test.equal(error.sqlstate, '57014');
  test.same(await db.sql`select 1 as one`, [{ one: 1 }]);
}

t.test('a directory keeps what was committed, and has one owner', async (test) => {
  const dir = directory(test);
  const first = await open({ dir });
  await first.query('create table t (a int primary key)');
  await first.sql`insert into t values (1)`;
  test.match(await errorOf(open({ dir })), { sqlstate: 'SF001', condition: 'directory_locked' });
  await first.close();
  const second = await open({ dir });
  test.same(await second.sql`select a from t`, [{ a: 1 }]);
  await second.close();
  test.equal((await errorOf(second.sql`select 1`)).sqlstate, '08003');
  test.equal((await errorOf(open({ config: { nonsense: 1 } as never }))).sqlstate, 'F0000');
});

t.test('two databases of one process know nothing of each other', async (test) => {
  const events: string[] = [];
  const a = await open({ onLog: (_level, event) => events.push(event) });
  const b = await open();
  await a.query('create table t (a int)');
  test.equal((await errorOf(b.query('select * from t'))).sqlstate, '42P01');
  await Promise.all([a.close(), b.close()]);
  test.ok(events.length > 0, 'what the node reports is heard where it is asked for');
});

const fillsDisk = `
import { open } from '#src/embedded.js';
const db = await open({ dir: process.argv[1] });
await db.query('create table t (a int primary key, b text)');
let acknowledged = 0;
const said = [];
try {
  for (;;) {
    await db.query('insert into t values ($1, $2)', [acknowledged, 'x'.repeat(100_000)]);
    acknowledged += 1;
  }
} catch (error) {
  said.push(error.sqlstate, error.retry);
}
await db.sql\`select 1\`.catch((error) => said.push(error.sqlstate, error.retry));
await db.close();
console.log(JSON.stringify({ acknowledged, said }));
`;

t.test(
  'a disk that takes no more: the caller is told, nothing acknowledged is lost',
  async (test) => {
    const dir = directory(test);
    const limited = 'ulimit -f 4000; exec "$0" --input-type=module -e "$1" "$2"';
    const { stdout } = await run('bash', ['-c', limited, process.execPath, fillsDisk, dir]);
    const { acknowledged, said } = JSON.parse(stdout) as { acknowledged: number; said: string[] };
    test.ok(acknowledged > 0);
    test.same(said, ['08006', 'unknown', '08006', 'never']);
    const again = await open({ dir });
    const [row] = await again.sql<{ count: number }>`select count(*) from t`;
    const count = row?.count ?? 0;
    test.ok(count === acknowledged || count === acknowledged + 1, 'the last one is unknown');
    await again.close();
  },
);
