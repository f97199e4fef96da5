/**
 * A cluster of three processes on loopback: what replication costs, how long writes stop when the
 * leader dies or hands over, how fast a node catches up.
 *
 *     node build/bench/raft.js [--only writes|failover|transfer|catchup|steady] [--seconds N] [--kills N]
 *         [--megabytes N] [--minutes N] [--profile DIR]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { must } from '#src/base/assert.js';
import { BenchCluster, type BenchNode } from './cluster.js';
import { clientFrame, LeanClient } from './lean-client.js';
import { execute, measure, print, type Result, type Scenario, sleep, type Target } from './load.js';

const { values: args } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '5' },
    kills: { type: 'string', default: '50' },
    megabytes: { type: 'string', default: '1024' },
    minutes: { type: 'string', default: '10' },
    profile: { type: 'string' },
  },
});
const seconds = Number(args.seconds);
const profiling =
  args.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${args.profile}`];
const text = 'a name of some length, as they are in tables of customers and orders';
const insert = 'INSERT INTO bench (id, name, amount) VALUES ($1, $2, $3)';
const select = 'SELECT id, name, amount FROM bench WHERE id = $1';
const table = 'CREATE TABLE bench (id int PRIMARY KEY, name text NOT NULL, amount numeric)';

let nextId = 1;
const sequential = (): string => {
  nextId += 1;
  return `[${nextId},"${text}",1]`;
};
const scattered = (): string => {
  nextId += 1;
  // A permutation of 31 bits: no key comes twice.
  return `[${Math.imul(nextId, 0x9e3779b1) & 0x7fff_ffff},"${text}",1]`;
};
const anyRow = (): string => `[${1 + Math.floor(Math.random() * 10_000)}]`;

const writes: readonly Scenario[] = [
  { name: 'insert 1x1', connections: 1, inFlight: 1, prepare: insert, params: sequential },
  { name: 'insert 64x1', connections: 64, inFlight: 1, prepare: insert, params: sequential },
  { name: 'insert 16x4', connections: 16, inFlight: 4, prepare: insert, params: sequential },
];
const randomWrites: readonly Scenario[] = [
  { name: 'random 64x1', connections: 64, inFlight: 1, prepare: insert, params: scattered },
];
const reads: readonly Scenario[] = [
  { name: 'select 1x1', connections: 1, inFlight: 1, prepare: select, params: anyRow },
  { name: 'select 16x16', connections: 16, inFlight: 16, prepare: select, params: anyRow },
];

async function withCluster(
  size: number,
  run: (cluster: BenchCluster) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'shardforge-raft-'));
  const cluster = await BenchCluster.start(directory, size, profiling);
  try {
    await run(cluster);
  } finally {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function load(port: number): Promise<void> {
  await execute(port, table);
  nextId = 0;
  for (let first = 0; first < 10_000; first += 500) {
    const rows = Array.from({ length: 500 }, () => {
      nextId += 1;
      return `(${nextId},'${text}',1)`;
    });
    await execute(port, `INSERT INTO bench VALUES ${rows.join(',')}`);
  }
}

async function runAll(scenarios: readonly Scenario[], target: Target): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const scenario of scenarios) results.push(await measure(scenario, target, seconds));
  return results;
}

async function compareWrites(): Promise<void> {
  for (const size of [1, 3]) {
    await withCluster(size, async (cluster) => {
      const leader = size === 1 ? must(cluster.nodes[0], 'a node') : await cluster.leader();
      const target: Target = { port: leader.httpPort, cpuSeconds: cluster.cpuSeconds };
      await load(leader.httpPort);
      console.log(size === 1 ? 'one node' : '\nthree nodes, clients at the leader');
      const results = [...(await runAll(reads, target)), ...(await runAll(writes, target))];
      await execute(leader.httpPort, 'DROP TABLE bench');
      await execute(leader.httpPort, table);
      print([...results, ...(await runAll(randomWrites, target))]);
      const follower = cluster.nodes.find((node) => node !== leader);
      if (follower === undefined) return;
      await execute(leader.httpPort, 'DROP TABLE bench');
      await load(leader.httpPort);
      console.log('\nthree nodes, clients at a follower');
      const there: Target = { port: follower.httpPort, cpuSeconds: cluster.cpuSeconds };
      print([...(await runAll(reads, there)), ...(await runAll(writes.slice(0, 2), there))]);
    });
  }
}

/** Writes one row again and again to any node that answers, and notes when each was acknowledged. */
class Prober {
  readonly acknowledgedMs: number[] = [];
  readonly failures: string[] = [];
  readonly #nodes: readonly BenchNode[];
  #at = 0;
  #over = false;
  readonly #done: Promise<void>;

  constructor(nodes: readonly BenchNode[], first: number) {
    this.#nodes = nodes;
    this.#at = first;
    this.#done = this.#run();
  }

  stop(): Promise<void> {
    this.#over = true;
    return this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      const { httpPort } = must(this.#nodes[this.#at % this.#nodes.length], 'a node');
      await this.#use(httpPort).catch(() => undefined);
      this.#at += 1;
    }
  }

  /** Resolves when the node does not answer. */
  async #use(port: number): Promise<void> {
    let answered: (payload: string) => void = () => undefined;
    const client = await LeanClient.open(port, (payload) => answered(payload.toString()));
    const sql = 'UPDATE probe SET n = n + 1 WHERE id = 1';
    for (let silent = false; !silent && !this.#over; ) {
      const answer = new Promise<string>((resolve) => {
        answered = resolve;
      });
      client.send(clientFrame(JSON.stringify({ op: 'execute', id: 1, sql })));
      const got = await Promise.race([answer, sleep(0.3).then(() => undefined)]);
      if (got === undefined) silent = true;
      else if (got.includes('"op":"error"')) this.failures.push(got);
      else this.acknowledgedMs.push(performance.now());
      await sleep(0.002);
    }
    client.close();
  }
}

function quantiles(valuesMs: readonly number[]): string {
  const sorted = [...valuesMs].sort((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, most ${at(1)} ms of ${sorted.length}`;
}

async function failover(): Promise<void> {
  await withCluster(3, async (cluster) => {
    await setUpProbe(cluster);
    const pausesMs: number[] = [];
    for (let kill = 0; kill < Number(args.kills); kill += 1) {
      const leader = await cluster.leader();
      const others = cluster.nodes.filter((node) => node !== leader);
      const prober = new Prober(others, kill);
      await sleep(1 + Math.random());
      const killedMs = performance.now();
      await cluster.kill(leader);
      for (let waits = 0; waits < 500; waits += 1) {
        if ((prober.acknowledgedMs.at(-1) ?? 0) > killedMs + 20) break;
        await sleep(0.01);
      }
      await prober.stop();
      // What was acknowledged in the first moments had been on its way.
      const after = prober.acknowledgedMs.filter((atMs) => atMs > killedMs);
      const before = prober.acknowledgedMs.filter((atMs) => atMs <= killedMs).at(-1) ?? killedMs;
      const gaps = after.map((atMs, i) => atMs - (after[i - 1] ?? before));
      pausesMs.push(Math.max(...gaps));
      cluster.launch(leader);
      for (const node of cluster.nodes) await cluster.ready(node);
    }
    console.log(
      `leader killed, longest pause between two acknowledged writes: ${quantiles(pausesMs)}`,
    );
  });
}

async function setUpProbe(cluster: BenchCluster): Promise<void> {
  const { httpPort } = await cluster.leader();
  await execute(httpPort, 'CREATE TABLE probe (id int PRIMARY KEY, n int NOT NULL)');
  await execute(httpPort, 'INSERT INTO probe VALUES (1, 0)');
}

async function transfer(): Promise<void> {
  await withCluster(3, async (cluster) => {
    await setUpProbe(cluster);
    const prober = new Prober(cluster.nodes, 0);
    const pausesMs: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      await sleep(0.5);
      const leader = await cluster.leader();
      const target = must(cluster.nodes[leader.number % cluster.nodes.length], 'another node');
      const fromMs = performance.now();
      await execute(leader.httpPort, `SELECT shardforge.cluster_transfer(${target.number})`);
      await sleep(0.3);
      const times = prober.acknowledgedMs.filter((atMs) => atMs > fromMs - 20);
      pausesMs.push(Math.max(...times.slice(1).map((atMs, i) => atMs - (times[i] ?? atMs))));
    }
    await prober.stop();
    const { failures } = prober;
    console.log(`planned transfer, longest pause between two writes: ${quantiles(pausesMs)}`);
    console.log(`failed writes: ${failures.length} ${failures[0] ?? ''}`);
  });
}

async function catchUp(): Promise<void> {
  await withCluster(3, async (cluster) => {
    const leader = await cluster.leader();
    const { httpPort } = leader;
    const lagging = must(
      cluster.nodes.find((node) => node !== leader),
      'a follower',
    );
    await execute(httpPort, 'CREATE TABLE bulk (id int PRIMARY KEY, body text NOT NULL)');
    await cluster.kill(lagging);
    const body = 'x'.repeat(1000);
    const megabytes = Number(args.megabytes);
    for (let megabyte = 0; megabyte < megabytes; megabyte += 1) {
      const rows = Array.from({ length: 1000 }, (_, i) => `(${megabyte * 1000 + i},'${body}')`);
      // Longer texts are parsed on threads of their own, which takes longer than all the rest.
      for (let first = 0; first < rows.length; first += 100) {
        await execute(
          httpPort,
          `INSERT INTO bulk VALUES ${rows.slice(first, first + 100).join(',')}`,
        );
      }
    }
    const wanted = must(await cluster.metric(leader, 'shardforge_raft_commit_index'), 'an index');
    const startMs = performance.now();
    const startCpu = cluster.cpuSeconds();
    let mostBytes = 0;
    cluster.launch(lagging);
    for (;;) {
      await sleep(0.1);
      for (const node of [leader, lagging]) {
        mostBytes = Math.max(mostBytes, cluster.residentBytes(node));
      }
      const applied = await cluster.metric(lagging, 'shardforge_raft_applied_index');
      if ((applied ?? 0) >= wanted) break;
    }
    const elapsed = (performance.now() - startMs) / 1000;
    console.log(
      `caught up on ${megabytes} MB in ${elapsed.toFixed(1)} s, ${(megabytes / elapsed).toFixed(0)} MB/s, ` +
        `most resident memory ${(mostBytes / 2 ** 20).toFixed(0)} MB, ` +
        `${(cluster.cpuSeconds() - startCpu).toFixed(1)} CPU seconds`,
    );
  });
}

/** Full load for minutes: the term must not change. */
async function steady(): Promise<void> {
  await withCluster(3, async (cluster) => {
    const leader = await cluster.leader();
    await load(leader.httpPort);
    const before = await cluster.metric(leader, 'shardforge_raft_term');
    const target: Target = { port: leader.httpPort, cpuSeconds: cluster.cpuSeconds };
    const scenario = must(writes[1], 'a scenario');
    print([await measure(scenario, target, Number(args.minutes) * 60)]);
    const after = await cluster.metric(leader, 'shardforge_raft_term');
    console.log(`${args.minutes} minutes of full load: term ${before} before, ${after} after`);
  });
}

const parts = { writes: compareWrites, failover, transfer, catchup: catchUp, steady };
for (const [name, run] of Object.entries(parts)) {
  if (args.only === '' || args.only === name) await run();
}
