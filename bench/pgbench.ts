/**
 * pgbench against a node of ours, three nodes, and PostgreSQL 15 alone and with two synchronous standbys, in
 * one run with equal settings: selects by key and one-row inserts by prepared statements; memory of idle
 * connections, connecting, and streaming a large result. What counts is how much is done per second of the
 * servers' processor time.
 *
 *     node build/bench/pgbench.js [--seconds N] [--scale N] [--rounds N] [--json]
 *         [--only select,insert,replicated,idle,connect,stream]
 *         [--alone]         without PostgreSQL
 *         [--against DIR]   with another checkout of ours, built, in turn
 *         [--profile DIR]   has our servers write their CPU profiles there
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { must } from '#src/base/assert.js';
import { sleep } from './load.js';
import {
  hasPostgres,
  type Peer,
  type PgbenchResult,
  pgbenchPath,
  residentBytes,
  resetPeak,
  runPgbench,
  startOwn,
  startPostgres,
} from './peer.js';
import { WireClient } from './wire-client.js';

const { values: args } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    scale: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '1' },
    only: { type: 'string', default: 'select,insert,replicated,idle,connect,stream' },
    alone: { type: 'boolean', default: false },
    against: { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const seconds = Number(args.seconds);
const scale = Number(args.scale);
const rounds = Number(args.rounds);
const wanted = new Set(args.only.split(','));
const rowsOfScale = 100_000;
const idleConnections = 1000;
const connects = 200;
/** By number, not by time: V8 compiles what has run often, however busy the machine is. */
const warmUp = { clients: 16, length: { transactions: 2500 } };
const root = resolve(new URL('../..', import.meta.url).pathname);

/** pgbench's own tables, of which the selects read one, and that of the inserts. */
const tables = [
  'CREATE TABLE pgbench_accounts (aid int NOT NULL PRIMARY KEY, bid int, abalance int, filler char(84))',
  'CREATE TABLE bench (id bigserial PRIMARY KEY, name text NOT NULL, amount numeric)',
];
/** As pgbench's -S has it. */
const select = `\\set aid random(1, ${rowsOfScale} * :scale)
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
`;
const insert =
  "INSERT INTO bench (name, amount) VALUES ('a name of some length, as they are in tables of customers and orders', 1);\n";

interface Scenario {
  readonly name: string;
  readonly script: string;
  readonly clients: number;
}

const scenarios: Readonly<Record<'select' | 'insert' | 'replicated', readonly Scenario[]>> = {
  select: [1, 8, 32].map((clients) => ({
    name: `select, ${clients} clients`,
    script: select,
    clients,
  })),
  insert: [1, 32].map((clients) => ({
    name: `insert, ${clients} clients`,
    script: insert,
    clients,
  })),
  replicated: [1, 64].map((clients) => {
    return { name: `replicated insert, ${clients} clients`, script: insert, clients };
  }),
};

interface Line extends PgbenchResult {
  readonly scenario: string;
  readonly server: string;
}

const lines: Line[] = [];
const notes: string[] = [];

async function peersOf(size: 1 | 3): Promise<readonly Peer[]> {
  const nodeOptions =
    args.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(args.profile)}`];
  const peers = [await startOwn({ name: 'ShardForge', root, size, nodeOptions })];
  if (args.against !== undefined) {
    const other = { name: 'other build', root: resolve(args.against) };
    peers.push(await startOwn({ ...other, size, nodeOptions: [] }));
  }
  if (!args.alone && hasPostgres()) peers.push(await startPostgres(size));
  return peers;
}

async function load(peer: Peer, size: number): Promise<void> {
  const client = await WireClient.open(peer);
  for (const table of tables) await client.query(table);
  const batch = 20_000;
  for (let first = 1; first <= size * rowsOfScale; first += batch) {
    const last = Math.min(first + batch - 1, size * rowsOfScale);
    await client.copy('COPY pgbench_accounts FROM STDIN', rowsFrom(first, last));
  }
  if (peer.process === undefined) await client.query('VACUUM ANALYZE pgbench_accounts');
  client.close();
}

function* rowsFrom(first: number, last: number): Iterable<string> {
  for (let from = first; from <= last; from += 1000) {
    const to = Math.min(from + 999, last);
    yield Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\t1\t0\t\n`).join('');
  }
}

async function measureAll(peers: readonly Peer[], list: readonly Scenario[]): Promise<void> {
  const options = { scale, length: { seconds } };
  for (const { script, clients, name } of list) {
    for (const peer of peers) {
      await runPgbench(peer, script, { ...warmUp, scale });
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const peer of peers) {
        const result = await runPgbench(peer, script, { clients, ...options });
        lines.push({ scenario: name, server: peer.name, ...result });
        if (!args.json) console.log(shown({ scenario: name, server: peer.name, ...result }));
      }
    }
  }
}

const columns = ['a second', 'per CPU second', 'server CPU %', 'mean ms', 'p50 ms', 'p99 ms'];

function cells(texts: readonly string[]): string {
  const [scenario = '', server = '', ...rest] = texts;
  const numbers = rest.map((text) => text.padStart(14)).join(' ');
  return `${scenario.padEnd(30)} ${server.padEnd(14)} ${numbers}`;
}

function shown(line: Line): string {
  const { perSecond, perCpuSecond, serverCpuPercent, averageMs, p50Ms, p99Ms } = line;
  return cells([
    ...[line.scenario, line.server],
    ...[perSecond, perCpuSecond, serverCpuPercent].map((value) => String(Math.round(value))),
    ...[averageMs, p50Ms, p99Ms].map((value) => value.toFixed(3)),
  ]);
}

/** By what our figure per CPU second is larger than that of the others: medians over the rounds. */
function compare(): void {
  for (const scenario of new Set(lines.map((line) => line.scenario))) {
    const of = (server: string): number => {
      const all = lines.filter((line) => line.scenario === scenario && line.server === server);
      return median(all.map(({ perCpuSecond }) => perCpuSecond));
    };
    for (const server of new Set(lines.map((line) => line.server))) {
      if (server === 'ShardForge' || Number.isNaN(of(server))) continue;
      const times = (of('ShardForge') / of(server)).toFixed(2);
      notes.push(`${scenario}: ${times} times ${server} per CPU second`);
    }
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;

async function measureIdle({ name, process: pid, ...address }: Peer): Promise<void> {
  if (pid === undefined) return;
  await sleep(2);
  const before = residentBytes(pid).now;
  const clients: WireClient[] = [];
  for (let i = 0; i < idleConnections; i += 1) clients.push(await WireClient.open(address));
  await sleep(5);
  const held = residentBytes(pid).now - before;
  for (const client of clients) client.close();
  notes.push(`${name}: ${idleConnections} idle connections take ${megabytes(held)}`);
  await sleep(1);
}

async function measureConnect(peer: Peer): Promise<void> {
  const tookMs: number[] = [];
  const before = peer.cpuSeconds();
  for (let i = 0; i < connects; i += 1) {
    const beginMs = performance.now();
    const client = await WireClient.open(peer);
    await client.query('SELECT 1');
    tookMs.push(performance.now() - beginMs);
    client.close();
  }
  const cpuMs = ((peer.cpuSeconds() - before) * 1000) / connects;
  const sorted = tookMs.toSorted((a, b) => a - b);
  const p99 = must(sorted[Math.floor(connects * 0.99)], 'a connect');
  notes.push(
    `${peer.name}: connect and first query p50 ${median(tookMs).toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, ` +
      `${cpuMs.toFixed(2)} ms of the servers' CPU`,
  );
}

async function measureStream(peer: Peer): Promise<void> {
  const pid = peer.process;
  const client = await WireClient.open(peer);
  for (let round = 0; round < Math.max(2, rounds); round += 1) {
    await sleep(1);
    const idle = pid === undefined ? 0 : residentBytes(pid).now;
    if (pid !== undefined) resetPeak(pid);
    const before = peer.cpuSeconds();
    const beginMs = performance.now();
    const { rows, bytes } = await client.query('SELECT * FROM pgbench_accounts');
    const took = (performance.now() - beginMs) / 1000;
    const cpu = peer.cpuSeconds() - before;
    const memory =
      pid === undefined
        ? ''
        : `, memory at most ${megabytes(residentBytes(pid).peak - idle)} above idle`;
    notes.push(
      `${peer.name}: ${rows} rows, ${megabytes(bytes)}, at ${Math.round(rows / took)} a second, ` +
        `${Math.round(rows / cpu)} per CPU second${memory}`,
    );
  }
  client.close();
}

async function withPeers(
  size: 1 | 3,
  work: (peers: readonly Peer[]) => Promise<void>,
): Promise<void> {
  const peers = await peersOf(size);
  try {
    for (const peer of peers) await load(peer, size === 1 ? scale : 0);
    await work(peers);
  } finally {
    for (const peer of peers) await peer.stop();
  }
}

async function single(peers: readonly Peer[]): Promise<void> {
  // Before anything else has made the heap grow.
  if (wanted.has('idle')) for (const peer of peers) await measureIdle(peer);
  if (wanted.has('select')) await measureAll(peers, scenarios.select);
  if (wanted.has('connect')) for (const peer of peers) await measureConnect(peer);
  if (wanted.has('stream')) for (const peer of peers) await measureStream(peer);
  if (wanted.has('insert')) await measureAll(peers, scenarios.insert);
}

if (!hasPostgres()) throw new Error(`there is no ${pgbenchPath}: install postgresql-15`);
if (!args.json) console.log(cells(['', '', ...columns]));
if (['idle', 'select', 'connect', 'stream', 'insert'].some((name) => wanted.has(name))) {
  await withPeers(1, single);
}
if (wanted.has('replicated')) {
  await withPeers(3, (peers) => measureAll(peers, scenarios.replicated));
}
compare();
if (args.json) console.log(JSON.stringify({ lines, notes }, undefined, 2));
else console.log(`\n${notes.join('\n')}`);
