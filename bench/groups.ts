/**
 * Many idle Raft groups on three processes: what they cost once they sleep, and how long it takes until
 * all have a leader again when a process is killed.
 *
 *     node build/bench/groups.js [--groups N] [--seconds N]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type PlaceId, type Ref, Runtime } from '#src/actors/index.js';
import { must } from '#src/base/assert.js';
import type { NodeId } from '#src/base/ids.js';
import { Metrics } from '#src/base/metrics.js';
import { openMesh } from '#src/net/mesh/index.js';
import type { PeerDownMessage } from '#src/shard/protocol.js';
import { freePort } from './cluster.js';
import { cpuSeconds } from './cpu.js';
import { beatType, groupName, type GroupsOptions, groupsPlace } from './groups-boot.js';
import { sleep } from './load.js';

const { values: args } = parseArgs({
  options: {
    groups: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    child: { type: 'string' },
  },
});
const beatMs = 100;
const silentMs = 300;
const nodes = [1, 2, 3] as NodeId[];

interface ChildOptions extends GroupsOptions {
  readonly ports: readonly number[];
}

/** What a child says of its groups. */
interface Report {
  readonly leaderless: number;
  readonly leads: number;
  readonly awake: number;
}

interface Beat {
  readonly kind: 'bench.beat';
  readonly from: NodeId;
}

/** One process: the groups, the mesh, and beats as the cluster actor of a node sends them. */
async function runChild(options: ChildOptions): Promise<void> {
  const { node, groups, ports } = options;
  const metrics = new Metrics();
  const log = (): void => undefined;
  const runtime = await Runtime.start({
    ...{ node, stores: 1, workers: 0, log, logLevel: 'error', seed: node },
    bootModule: new URL('./groups-boot.js', import.meta.url),
    bootOptions: options,
    fatal: (error) => {
      console.error(error);
      process.exit(1);
    },
  });
  const heardMs = new Map<NodeId, number>();
  const down = (peer: NodeId): void => {
    heardMs.delete(peer);
    for (let group = 1; group <= groups; group += 1) {
      const to: Ref<PeerDownMessage> = { node, place: groupsPlace, name: groupName(group) };
      runtime.post(to, { kind: 'shard.peerDown', node: peer });
    }
  };
  const mesh = await openMesh({
    ...{ node, instance: randomUUID(), version: 'bench', host: '127.0.0.1' },
    port: must(ports[node - 1], 'a port'),
    security: { kind: 'loopback' },
    clusterId: undefined,
    reliable: [],
    ...{ log, metrics },
    deliver: (parcel) => runtime.deliver(parcel),
    onPeerLost: down,
  });
  runtime.carrier = mesh.carrier;
  runtime.afterDrain(mesh.flush);
  mesh.setPeers(
    nodes
      .filter((peer) => peer !== node)
      .map((peer) => ({ node: peer, address: `127.0.0.1:${ports[peer - 1]}` })),
  );
  const beats = runtime.door<Beat>('beats', [beatType], ({ from }) => {
    heardMs.set(from, performance.now());
  });
  setInterval(() => {
    for (const peer of nodes) {
      if (peer === node) continue;
      const to: Ref<Beat> = { node: peer, place: 0 as PlaceId, name: 'beats' };
      if (heardMs.has(peer) || mesh.peers().length > 0) {
        beats.post(to, { kind: 'bench.beat', from: node });
      }
      const lastMs = heardMs.get(peer);
      if (lastMs !== undefined && performance.now() - lastMs > silentMs) down(peer);
    }
  }, beatMs);
  process.on('message', () => {
    void runtime.inspect().then(([thread]) => {
      const series = must(thread, 'a thread').metrics;
      const sum = (name: string): number =>
        series.filter((one) => one.name === name).reduce((total, one) => total + one.value, 0);
      const report: Report = {
        leaderless: Number(thread?.report),
        leads: sum('shardforge_raft_leads'),
        awake: groups - sum('shardforge_raft_hibernating'),
      };
      process.send?.(report);
    });
  });
}

async function ask(child: ChildProcess): Promise<Report> {
  const answer = once(child, 'message');
  child.send('report');
  return ((await answer) as [Report])[0];
}

async function until(
  children: readonly ChildProcess[],
  done: (reports: readonly Report[]) => boolean,
): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const reports = await Promise.all(children.map(ask));
    if (done(reports)) return performance.now() - startMs;
    await sleep(0.01);
  }
}

async function main(): Promise<void> {
  const groups = Number(args.groups);
  const seconds = Number(args.seconds);
  const root = mkdtempSync(join(tmpdir(), 'shardforge-groups-'));
  const ports = await Promise.all(nodes.map(() => freePort()));
  const children = nodes.map((node) => {
    const directory = join(root, String(node));
    const options: ChildOptions = { node, nodes, groups, directory, ports };
    return fork(new URL(import.meta.url).pathname, ['--child', JSON.stringify(options)]);
  });
  const electedMs = await until(children, (reports) =>
    reports.every(({ leaderless }) => leaderless === 0),
  );
  console.log(`${groups} groups have leaders after ${electedMs.toFixed(0)} ms`);
  const asleepMs = await until(children, (reports) => reports.every(({ awake }) => awake === 0));
  console.log(`all sleep after another ${asleepMs.toFixed(0)} ms`);
  await sleep(1);
  const before = children.map((child) => cpuSeconds(must(child.pid, 'a pid')));
  await sleep(seconds);
  const shares = children.map((child, i) => {
    const used = cpuSeconds(must(child.pid, 'a pid')) - (before[i] ?? 0);
    return `${((used / seconds) * 100).toFixed(2)} %`;
  });
  console.log(`idle: ${shares.join(', ')} of a core`);
  const [first, ...others] = children;
  const { leads } = await ask(must(first, 'a child'));
  first?.kill('SIGKILL');
  const backMs = await until(others, (reports) => {
    return reports.reduce((sum, report) => sum + report.leads, 0) === groups;
  });
  console.log(`a process that led ${leads} killed: all have leaders after ${backMs.toFixed(0)} ms`);
  for (const child of others) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
}

if (args.child === undefined) await main();
else await runChild(JSON.parse(args.child) as ChildOptions);
