/** A node's part in its cluster: the mesh to the other nodes and the host of its cluster actor. */
import { randomUUID } from 'node:crypto';
import type { Ref, Runtime } from '../actors/index.js';
import type { Metrics } from '../base/metrics.js';
import type { HostMessage, Peer, StateMessage } from '../cluster/index.js';
import type { Log } from '../net/index.js';
import type { Mesh } from '../net/mesh/index.js';
import type { AdminMessage } from '../sql/session/protocol.js';
import { ClusterHost } from './cluster-host.js';
import type { NodeConfig } from './config.js';
import { isAnyHost } from './config-rules.js';
import { type Identity, replicaParts } from './identity.js';
import { openNodeMesh } from './mesh.js';
import { replicaRef, shardPlace } from './place.js';

export type Control = Extract<HostMessage, { kind: 'cluster.control' }>['control'];

export interface ClusterSideParts {
  readonly config: NodeConfig;
  readonly identity: Identity;
  readonly runtime: Runtime;
  readonly version: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly onState: (state: StateMessage) => void;
  readonly onControl: (control: Control) => void;
}

/** The cluster actor gives up after less; this is for the case that it cannot answer. */
const handOverMs = 3000;

export class ClusterSide {
  readonly #parts: ClusterSideParts;
  /** Where the cluster actor is, before it is there: sessions send to it by then. */
  readonly admin: Ref<AdminMessage>;
  #host: ClusterHost | undefined;
  #mesh: Mesh | undefined;

  constructor(parts: ClusterSideParts) {
    this.#parts = parts;
    this.admin = { node: parts.identity.node, place: 0 as Ref<never>['place'], name: 'cluster' };
  }

  /** Why SQL is not served as far as the cluster goes; undefined while it is. */
  get notReady(): string | undefined {
    const { config } = this.#parts;
    if (!config.mesh.enabled) return undefined;
    const state = this.#host?.state;
    return state === undefined ? 'the node is starting' : state.notReady;
  }

  get meshAddress(): string | undefined {
    return this.#mesh?.address;
  }

  /** Where the leader takes SQL; undefined when unknown or without a mesh. */
  get leaderUrl(): string | undefined {
    const http = this.#host?.state?.leaderHttp;
    const scheme = this.#parts.config.tls.certificateFile === '' ? 'ws' : 'wss';
    return this.#mesh === undefined || http === undefined ? undefined : `${scheme}://${http}`;
  }

  /** How the node stands, in a line. */
  get summary(): string {
    const state = this.#host?.state;
    if (state === undefined) return 'starting';
    const { leader, leads, voters, votersAlive } = state;
    const lead = leads ? 'leads' : `follows node ${leader ?? 'none'}`;
    return `${lead}; ${votersAlive} of ${voters} voters alive`;
  }

  async open(): Promise<void> {
    const { config, identity, runtime, version, onState, onControl } = this.#parts;
    const { node, instance, formations } = identity;
    const early: Peer[] = [];
    if (config.mesh.enabled) {
      this.#mesh = await openNodeMesh({
        ...this.#parts,
        onPeer: (peer) => {
          if (this.#host === undefined) early.push(peer);
          else this.#host.peerUp(peer);
        },
        onPeerLost: (lost) => this.#host?.peerDown(lost),
      });
    }
    const { seeds, join, role, checkIntervalMs } = config.cluster;
    this.#host = new ClusterHost({
      doors: runtime,
      args: {
        ...{ node, instance, version, seeds, join, role },
        address: this.#mesh?.advertise,
        newClusterId: randomUUID(),
        limits: { checkIntervalMs: checkIntervalMs === 0 ? Infinity : checkIntervalMs },
        replica: {
          ref: replicaRef(node),
          place: shardPlace,
          parts: replicaParts(config, identity),
        },
      },
      links: { connect: (peers) => this.#mesh?.setPeers(peers) },
      store: formations,
      onState: (state) => {
        if (state.clusterId !== undefined) this.#mesh?.setIdentity(state.clusterId);
        onState(state);
      },
      onControl,
    });
    for (const peer of early) this.#host.peerUp(peer);
  }

  /** SQL is taken at this address; if that is every one, other nodes are told the mesh's. */
  listens(http: string): void {
    const { host } = this.#parts.config.http;
    const port = http.slice(http.lastIndexOf(':'));
    const advertise = this.#mesh?.advertise;
    const name = advertise?.slice(0, advertise.lastIndexOf(':'));
    this.#host?.listens(isAnyHost(host) && name !== undefined ? `${name}${port}` : http);
  }

  dump(): void {
    this.#host?.dump();
    this.#parts.log('info', 'node.links', { links: this.#mesh?.peers() ?? [] });
  }

  /** Has another node lead before this one stops, if there is one. */
  async handOver(): Promise<void> {
    const host = this.#host;
    if (host === undefined || this.#mesh === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, handOverMs);
      host.handOver(resolve);
    });
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    await this.#mesh?.close();
  }
}
