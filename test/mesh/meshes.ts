/** Meshes in one process on loopback, with what they heard. */
import { type Parcel, type PlaceId, type Priority, processClock } from '#src/actors/index.js';
import type { NodeId } from '#src/base/ids.js';
import { Metrics } from '#src/base/metrics.js';
import {
  type Mesh,
  type MeshClock,
  type MeshOptions,
  type MeshPeer,
  openMesh,
} from '#src/net/mesh/index.js';

export interface Heard {
  readonly from: string | undefined;
  readonly to: string;
  readonly kind: string;
  readonly bytes: Buffer;
}

export interface Logged {
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Node {
  readonly id: NodeId;
  readonly mesh: Mesh;
  readonly metrics: Metrics;
  readonly heard: Heard[];
  readonly peers: MeshPeer[];
  readonly lost: { readonly node: number; readonly reason: string }[];
  readonly logged: Logged[];
}

/** A clock that stands still until a test moves it, and ticks when told to. */
export class HandClock implements MeshClock {
  ms: number;
  tick: () => void = () => undefined;

  constructor(ms: number) {
    this.ms = ms;
  }

  nowMs(): number {
    return this.ms;
  }

  every(_: number, tick: () => void): () => void {
    this.tick = tick;
    return () => undefined;
  }
}

const opened: Mesh[] = [];

/** Opens a mesh that is closed by {@link closeAll}. */
export async function openNode(id: number, options: Partial<MeshOptions> = {}): Promise<Node> {
  const metrics = new Metrics();
  const heard: Heard[] = [];
  const peers: MeshPeer[] = [];
  const lost: { node: number; reason: string }[] = [];
  const logged: Logged[] = [];
  const mesh = await openMesh({
    node: id as NodeId,
    instance: `instance-${id}`,
    version: 'test',
    host: '127.0.0.1',
    port: 0,
    security: { kind: 'loopback' },
    ...{ clusterId: undefined, reliable: [] },
    metrics,
    log: (level, event, fields = {}) => logged.push({ level, event, fields }),
    deliver: ({ from, to, kind, bytes }) =>
      heard.push({ from: from?.name, to: to.name, kind, bytes: Buffer.from(bytes) }),
    onPeer: (peer) => peers.push(peer),
    onPeerLost: (node, reason) => lost.push({ node, reason }),
    ...options,
  });
  opened.push(mesh);
  return { id: id as NodeId, mesh, metrics, heard, peers, lost, logged };
}

export async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((mesh) => mesh.close()));
}

/** Polls: how long it takes is no part of any assertion. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = processClock.nowMs() + 20_000;
  while (!holds()) {
    if (processClock.nowMs() > deadlineMs) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Connects `from` to `to`, at its address or the one given. */
export async function link(from: Node, to: Node, address = to.mesh.address): Promise<void> {
  from.mesh.setPeers([{ address, node: to.id }]);
  await linked(from, to);
}

export async function linked(a: Node, b: Node): Promise<void> {
  const has = (one: Node, other: Node): boolean =>
    one.mesh.peers().some(({ node, bulk }) => node === other.id && bulk);
  await until(`nodes ${a.id} and ${b.id} are linked`, () => has(a, b) && has(b, a));
}

export interface Message {
  readonly priority?: Priority;
  readonly flow?: Parcel['flow'];
  readonly kind?: string;
  readonly to?: string;
  readonly fromPlace?: number;
}

export function parcel(from: Node, to: Node, bytes: Uint8Array, message: Message = {}): Parcel {
  const { priority = 'normal', flow = 'work', kind = `test.${priority}` } = message;
  return {
    to: { node: to.id, place: 1 as PlaceId, name: message.to ?? 'receiver' },
    from: { node: from.id, place: (message.fromPlace ?? 0) as PlaceId, name: 'sender' },
    ...{ kind, priority, flow, bytes },
  };
}

/** Sends a number; false when it is refused. */
export function send(from: Node, to: Node, number: number, message: Message = {}): boolean {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return from.mesh.carrier(parcel(from, to, bytes, message));
}

export function numbers(node: Node, kind?: string): number[] {
  return node.heard
    .filter((each) => kind === undefined || each.kind === kind)
    .map(({ bytes }) => bytes.readUInt32BE(0));
}

/** The value of a metric, over all series that have these labels. */
export function metric(node: Node, name: string, labels: Record<string, string> = {}): number {
  return node.metrics
    .snapshot()
    .filter(
      (sample) =>
        sample.name === `shardforge_mesh_${name}` &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    )
    .reduce((sum, { value }) => sum + value, 0);
}
