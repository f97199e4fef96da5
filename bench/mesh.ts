/**
 * The mesh between two processes: messages of 100 bytes a second with what they cost both, and round
 * trips alone and while bulk flows.
 *
 *     node build/bench/mesh.js [--seconds N] [--bytes N] [--json]
 *         [--profile DIR]   has the receiver write its CPU profile there
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { type Parcel, type PlaceId, processClock } from '#src/actors/index.js';
import { must } from '#src/base/assert.js';
import type { NodeId } from '#src/base/ids.js';
import { Metrics } from '#src/base/metrics.js';
import { type Mesh, openMesh } from '#src/net/mesh/index.js';
import { cpuSeconds } from './cpu.js';

const { values: args } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    bytes: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
    peer: { type: 'string' },
    profile: { type: 'string' },
  },
});
const seconds = Number(args.seconds);
const place = 1 as PlaceId;
/** Messages sent in one turn, as an event loop under load has them. */
const perTurn = 50;
/** Messages on the way: a receiver that is slower holds the sender back. */
const inFlightMax = 4000;

function open(node: number, deliver: (mesh: Mesh, parcel: Parcel) => void): Promise<Mesh> {
  const mesh = openMesh({
    ...{ node: node as NodeId, instance: `bench-${node}`, version: 'bench', host: '127.0.0.1' },
    ...{
      port: 0,
      security: { kind: 'loopback' },
      clusterId: undefined,
      reliable: [],
      metrics: new Metrics(),
      log: () => undefined,
    },
    deliver: (parcel) => deliver(must(opened, 'an open mesh'), parcel as Parcel),
  });
  let opened: Mesh | undefined;
  return mesh.then((made) => {
    opened = made;
    return made;
  });
}

function parcelTo(node: number, kind: string, bytes: Uint8Array): Parcel {
  const from = { node: (3 - node) as NodeId, place, name: 'session/1' };
  const to = { node: node as NodeId, place, name: 'replica/1' };
  const priority = kind === 'bulk' ? 'low' : kind === 'ping' ? 'critical' : 'normal';
  return { to, from, kind, priority, flow: 'reply', bytes };
}

/** The other process: it answers pings, and every hundredth message of a flood. */
async function serve(address: string): Promise<void> {
  let flooded = 0;
  const answer = Buffer.alloc(8);
  const mesh = await open(2, (mesh, { kind, bytes }) => {
    if (kind === 'ping') {
      mesh.carrier(parcelTo(1, 'ping', bytes));
      mesh.flush();
    } else if (kind === 'flood') {
      flooded += 1;
      if (flooded % 100 === 0) mesh.carrier(parcelTo(1, 'flooded', answer));
    }
  });
  mesh.setPeers([{ address, node: 1 as NodeId }]);
  process.on('disconnect', () => process.exit(0));
}

interface Flood {
  readonly perSecond: number;
  readonly senderCpu: number;
  readonly receiverCpu: number;
}

class Bench {
  readonly #pid: number;
  readonly #mesh: Mesh;
  arrived: (kind: string) => void = () => undefined;

  constructor(mesh: Mesh, pid: number) {
    this.#mesh = mesh;
    this.#pid = pid;
  }

  async flood(): Promise<Flood> {
    const message = Buffer.alloc(Number(args.bytes));
    let sent = 0;
    let received = 0;
    this.arrived = (kind) => {
      if (kind === 'flooded') received += 100;
    };
    const cpu = [cpuSeconds(process.pid), cpuSeconds(this.#pid)] as const;
    const startMs = processClock.nowMs();
    while (processClock.nowMs() - startMs < seconds * 1000) {
      for (let i = 0; i < perTurn && sent - received < inFlightMax; i += 1) {
        this.#mesh.carrier(parcelTo(2, 'flood', message));
        sent += 1;
      }
      this.#mesh.flush();
      await new Promise(setImmediate);
    }
    const tookSeconds = (processClock.nowMs() - startMs) / 1000;
    return {
      perSecond: received / tookSeconds,
      senderCpu: (cpuSeconds(process.pid) - cpu[0]) / tookSeconds,
      receiverCpu: (cpuSeconds(this.#pid) - cpu[1]) / tookSeconds,
    };
  }

  /** Times in ms, ascending. */
  async roundTrips(
    bulk: boolean,
  ): Promise<{ readonly ms: number[]; readonly bulkPerSecond: number }> {
    const ms: number[] = [];
    const chunk = Buffer.alloc(60_000);
    const bytes = Buffer.alloc(100);
    let bulkBytes = 0;
    const startMs = processClock.nowMs();
    while (processClock.nowMs() - startMs < seconds * 1000) {
      const sentMs = processClock.nowMs();
      const answer = new Promise<void>((resolve) => {
        this.arrived = () => resolve();
      });
      this.#mesh.carrier(parcelTo(2, 'ping', bytes));
      // As a snapshot does: never more than some chunks ahead.
      const queued = this.#mesh.peers()[0]?.queuedBytes ?? 0;
      if (bulk && queued < 1_000_000) {
        for (let i = 0; i < 16; i += 1) this.#mesh.carrier(parcelTo(2, 'bulk', chunk));
        bulkBytes += 16 * chunk.length;
      }
      this.#mesh.flush();
      await answer;
      ms.push(processClock.nowMs() - sentMs);
    }
    const bulkPerSecond = (bulkBytes * 1000) / (processClock.nowMs() - startMs);
    return { ms: ms.sort((a, b) => a - b), bulkPerSecond };
  }
}

async function measure(): Promise<void> {
  let bench: Bench | undefined;
  const mesh = await open(1, (_, { kind }) => bench?.arrived(kind));
  const execArgv =
    args.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${args.profile}`];
  const peer = fork(new URL(import.meta.url), ['--peer', mesh.address, '--bytes', args.bytes], {
    execArgv,
  });
  while (!mesh.peers().some(({ bulk }) => bulk)) await new Promise((r) => setTimeout(r, 10));
  bench = new Bench(mesh, must(peer.pid, 'a started process has a pid'));
  // The first run is for the compiler.
  await bench.flood();
  const flood = await bench.flood();
  const alone = await bench.roundTrips(false);
  const loaded = await bench.roundTrips(true);
  peer.disconnect();
  await once(peer, 'exit');
  await mesh.close();
  const at = (ms: readonly number[], part: number): number => ms[Math.floor(ms.length * part)] ?? 0;
  const report = {
    ...flood,
    roundTripP50Ms: at(alone.ms, 0.5),
    roundTripP99Ms: at(alone.ms, 0.99),
    underBulkP50Ms: at(loaded.ms, 0.5),
    underBulkP99Ms: at(loaded.ms, 0.99),
    bulkMegabytesPerSecond: loaded.bulkPerSecond / 1e6,
  };
  if (args.json) {
    console.log(JSON.stringify(report));
    return;
  }
  console.log(
    `${args.bytes}-byte messages  ${Math.round(flood.perSecond)} a second, CPU: sender ${(flood.senderCpu * 100).toFixed(0)} %, receiver ${(flood.receiverCpu * 100).toFixed(0)} %`,
  );
  console.log(
    `round trip         p50 ${report.roundTripP50Ms.toFixed(3)} ms, p99 ${report.roundTripP99Ms.toFixed(3)} ms`,
  );
  console.log(
    `beside bulk        p50 ${report.underBulkP50Ms.toFixed(3)} ms, p99 ${report.underBulkP99Ms.toFixed(3)} ms, ${report.bulkMegabytesPerSecond.toFixed(0)} MB/s of bulk`,
  );
}

if (args.peer === undefined) await measure();
else await serve(args.peer);
