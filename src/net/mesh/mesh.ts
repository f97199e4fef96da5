import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { Carrier, Parcel } from '../../actors/index.js';
import { assert } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { NodeId } from '../../base/ids.js';
import { isLoopback, Material } from '../security/index.js';
import { Acceptor } from './acceptor.js';
import { dial, type PeerAddress, Target } from './dialer.js';
import { Greeting, type GreetingHost } from './greeting.js';
import type { Refusal } from './handshake.js';
import { defaultMeshLimits, greetingsMax, type MeshLimits, reloadMs, tickMs } from './limits.js';
import { Correspondence, Link } from './link.js';
import { Meter } from './meter.js';
import {
  type LinkStatus,
  type MeshOptions,
  type MeshClock,
  type MeshPeer,
  processClock,
} from './options.js';
import { RefusalLog } from './refusal-log.js';
import type { MeshSocket } from './socket.js';
import { type ConnectionClass, type Hello, nonceBytes, priorities, protocol } from './wire.js';

/** Of no concern to anybody: nobody did anything wrong. */
const quiet: ReadonlySet<Refusal> = new Set(['self', 'duplicate']);

/** A link that was up for less than this may still be unknown to a peer that dials. */
const settleMs = 500;

/** The links to all other nodes. */
export class Mesh implements GreetingHost {
  readonly #options: MeshOptions;
  readonly #limits: MeshLimits;
  readonly #clock: MeshClock;
  readonly #random: () => number;
  readonly #material: Material;
  readonly #meter: Meter;
  readonly #refusals: RefusalLog;
  readonly #reliable: ReadonlySet<string>;
  /** Made up at each start: a peer with another one is another process. */
  readonly #boot = randomBytes(8).toString('hex');
  readonly #links = new Map<NodeId, Link>();
  readonly #correspondence = new Map<NodeId, Correspondence>();
  readonly #greetings = new Set<Greeting>();
  /** By link that this node dialed: where its connection for bulk leads. */
  readonly #bulkTargets = new Map<Link, Target>();
  readonly #unflushed = new Set<Link>();
  /** Ends what is being dialed. */
  readonly #dials = new Set<() => void>();
  #targets: readonly Target[] = [];
  #acceptor: Acceptor | undefined;
  #stopTicks: () => void = () => undefined;
  #clusterId: string | undefined;
  #generation = 0;
  #tickedMs: number;
  #reloadedMs: number;
  #closed = false;

  private constructor(options: MeshOptions) {
    this.#options = options;
    this.#limits = { ...defaultMeshLimits, ...options.limits };
    this.#clock = options.clock ?? processClock;
    this.#random = options.random ?? Math.random;
    this.#clusterId = options.clusterId;
    this.#material = new Material(options.security);
    this.#meter = new Meter(options.metrics);
    this.#refusals = new RefusalLog(options.log, () => this.#clock.nowMs());
    this.#reliable = new Set(options.reliable);
    this.#tickedMs = this.#clock.nowMs();
    this.#reloadedMs = this.#tickedMs;
  }

  /** Listens. Raises `address_in_use`, and `config_invalid` for security that cannot be had. */
  static async open(options: MeshOptions): Promise<Mesh> {
    const { host, port, security } = options;
    if (security.kind === 'loopback' && !isLoopback(host)) {
      raise('config_invalid', `mesh.security loopback cannot listen on ${host}`);
    }
    if (isIP(host) !== 0 && /^[0.:]+$/.test(host) && (options.advertise ?? '') === '') {
      raise('config_invalid', `mesh.advertise is needed where mesh.host is ${host}`);
    }
    const mesh = new Mesh(options);
    mesh.#acceptor = await Acceptor.open({
      host,
      port,
      material: mesh.#material,
      accepted: (socket) => mesh.#greet(socket, undefined, 'main'),
      refused: (remote, reason, detail) => mesh.#count(remote, reason, detail),
    });
    mesh.#stopTicks = mesh.#clock.every(tickMs, () => mesh.#tick());
    return mesh;
  }

  /** `host:port` where it listens. */
  get address(): string {
    return this.#acceptor?.address ?? '';
  }

  /** `host:port` where others reach it. */
  get advertise(): string {
    const { advertise } = this.#options;
    return advertise === undefined || advertise === '' ? this.address : advertise;
  }

  /** Takes messages for other nodes; they leave with the next `flush`, or when the turn has ended. */
  readonly carrier: Carrier = (parcel) => {
    const link = this.#links.get(parcel.to.node);
    assert(parcel.from === undefined || parcel.from.node === this.#options.node, 'not our message');
    const taken = this.#reliable.has(parcel.kind)
      ? this.#putReliable(link, parcel)
      : link?.put(parcel) === 'taken';
    if (!taken) this.#meter.refusedMessage(parcel.flow);
    else if (link !== undefined) {
      if (this.#unflushed.size === 0) setImmediate(this.flush);
      this.#unflushed.add(link);
    }
    return taken;
  };

  /** Writes what was taken, in one write to each peer. To be called at the end of a turn. */
  readonly flush = (): void => {
    for (const link of this.#unflushed) link.flush();
    this.#unflushed.clear();
  };

  /** Keeps a link to each of these; links that others have made stay. The own address does no harm. */
  setPeers(peers: readonly PeerAddress[]): void {
    const before = new Map(this.#targets.map((target) => [target.address, target]));
    this.#targets = peers
      .filter(({ node }) => node !== this.#options.node)
      .map((peer) => {
        const target = before.get(peer.address);
        if (target === undefined) return new Target(peer);
        if (peer.node !== undefined) target.node = peer.node;
        return target;
      });
    this.#dialAll();
  }

  /** The node has come to belong to a cluster: from now on peers of others are refused, and links to them cut. */
  setIdentity(clusterId: string): void {
    if (this.#clusterId === clusterId) return;
    assert(this.#clusterId === undefined, 'a node belongs to one cluster', this.#clusterId);
    this.#clusterId = clusterId;
    for (const link of [...this.#links.values()]) {
      link.identify(clusterId);
      this.#cutForeign(link);
    }
  }

  /** Reads certificates or the secret again; raises `config_invalid` and goes on with the old ones. */
  reload(): void {
    this.#material.reload();
    const { tls } = this.#material;
    if (tls !== undefined) this.#acceptor?.secure(tls);
  }

  peers(): readonly LinkStatus[] {
    return [...this.#links.values()].map((link) => ({
      ...peerOf(link.peer, link.via),
      sinceMs: link.sinceMs,
      roundTripMs: link.roundTripMs,
      queuedBytes: priorities.reduce((sum, _, priority) => sum + link.queuedBytes(priority), 0),
      unackedBulkBytes: link.unackedBulkBytes,
      bulk: link.hasBulk,
    }));
  }

  /** Ends all links and listens no more. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.#stopTicks();
    for (const end of this.#dials) end();
    for (const greeting of [...this.#greetings]) greeting.socket.cut('the node stops');
    for (const link of [...this.#links.values()]) link.cut('the node stops');
    await this.#acceptor?.close();
  }

  known(greeting: Greeting, hello: Hello): ReturnType<GreetingHost['known']> {
    const refusal = this.#refusal(hello) ?? this.#conflict(greeting, hello);
    if (refusal !== undefined) {
      return { refusal, detail: refusal === 'cluster' ? clusterOf(hello) : '' };
    }
    if (this.#options.node > hello.node) return { generation: undefined };
    this.#generation += 1;
    return { generation: this.#generation };
  }

  taken(greeting: Greeting, hello: Hello, generation: number): void {
    this.#greetings.delete(greeting);
    const { target, socket } = greeting;
    if (target !== undefined) {
      target.node = hello.node;
      target.reached(this.#clock.nowMs(), 0);
    }
    const before = this.#links.get(hello.node);
    if (greeting.connection(hello) === 'bulk') {
      if (before?.peer.boot === hello.boot) before.attachBulk(socket);
      else socket.cut('there is no link to it');
      return;
    }
    // The welcomes of two connections may arrive in another order than they were sent.
    const late = before?.peer.boot === hello.boot && before.generation > generation;
    if (late) socket.cut('replaced');
    else this.#establish(socket, hello, generation, target?.address);
  }

  refused(greeting: Greeting, refusal: Refusal, detail: string): void {
    this.#greetings.delete(greeting);
    const { target, peer, socket } = greeting;
    const nowMs = this.#clock.nowMs();
    if (target !== undefined) {
      if (refusal === 'self') target.own = true;
      if (refusal === 'duplicate') this.#alreadyLinked(target, peer);
      else target.failed(nowMs, this.#limits, this.#random());
    }
    if (quiet.has(refusal)) return;
    const who = target?.address ?? socket.remote.replace(/:\d+$/, '');
    this.#count(peer === undefined ? who : `node ${peer.node} at ${who}`, refusal, detail);
  }

  failed(greeting: Greeting, reason: string): void {
    this.#greetings.delete(greeting);
    const { target, peer } = greeting;
    if (this.#closed || target === undefined) return;
    if (reason === 'duplicate') {
      this.#alreadyLinked(target, peer);
      return;
    }
    target.failed(this.#clock.nowMs(), this.#limits, this.#random());
    this.#refusals.write('mesh.not_taken', target.address, reason, {});
  }

  #alreadyLinked(target: Target, peer: Hello | undefined): void {
    if (peer !== undefined) target.node = peer.node;
    target.reached(this.#clock.nowMs(), settleMs);
  }

  #putReliable(link: Link | undefined, parcel: Parcel): boolean {
    const { node } = parcel.to;
    if (parcel.bytes.length > this.#limits.parcelBytesMax / 2) return false;
    const sender = this.#correspondenceWith(node).senders[priorities.indexOf(parcel.priority)];
    const sequence = sender?.keep(parcel, this.#clock.nowMs(), link !== undefined);
    if (sequence === undefined) return false;
    link?.put(parcel, sequence);
    return true;
  }

  #correspondenceWith(node: NodeId): Correspondence {
    const known = this.#correspondence.get(node);
    if (known !== undefined) return known;
    const made = new Correspondence(this.#limits, this.#meter);
    this.#correspondence.set(node, made);
    return made;
  }

  /** Why a peer that is who it says is not wanted. */
  #refusal(hello: Hello): Refusal | undefined {
    const { node, instance } = this.#options;
    if (hello.node === node) {
      return hello.instance === instance && hello.boot === this.#boot ? 'self' : 'node_id';
    }
    return this.#isForeign(hello) ? 'cluster' : undefined;
  }

  /** Whether it belongs to another cluster; not while one of both belongs to none. */
  #isForeign({ clusterId }: Hello): boolean {
    return (
      this.#clusterId !== undefined && clusterId !== undefined && clusterId !== this.#clusterId
    );
  }

  #cutForeign(link: Link): void {
    const { peer } = link;
    if (!this.#isForeign(peer)) return;
    this.#count(`node ${peer.node} at ${peer.address}`, 'cluster', clusterOf(peer));
    link.cut('another cluster');
  }

  /** Whether what is there already speaks against it. */
  #conflict(greeting: Greeting, hello: Hello): Refusal | undefined {
    const link = this.#links.get(hello.node);
    if (greeting.connection(hello) === 'bulk') {
      return link?.peer.boot === hello.boot ? undefined : 'duplicate';
    }
    if (link === undefined) return undefined;
    if (link.peer.instance !== hello.instance) return 'instance';
    // The node with the lower id decides; a new process of the peer has none of the links of the old.
    if (this.#options.node > hello.node || link.peer.boot !== hello.boot) return undefined;
    const older = this.#clock.nowMs() - link.sinceMs > settleMs;
    const lost = greeting.target === undefined && hello.replaces && older;
    return lost ? undefined : 'duplicate';
  }

  #establish(socket: MeshSocket, hello: Hello, generation: number, via: string | undefined): void {
    const { node } = hello;
    const before = this.#links.get(node);
    const { bulkBytesPerSecond = 0, deliver, onPeer, log } = this.#options;
    const link = new Link(
      socket,
      hello,
      { generation, via },
      {
        own: this.#options.node,
        limits: this.#limits,
        bulkBytesPerSecond,
        meter: this.#meter,
        nowMs: () => this.#clock.nowMs(),
        correspondence: this.#correspondenceWith(node),
        deliver,
        lost: (lost, reason) => this.#lost(lost, reason),
        identified: (identified) => this.#cutForeign(identified),
      },
    );
    this.#links.set(node, link);
    this.#meter.links.value = this.#links.size;
    if (via !== undefined) this.#bulkTargets.set(link, new Target({ address: via, node }));
    if (before !== undefined) {
      before.cut('replaced');
      if (before.peer.boot !== hello.boot) this.#options.onPeerLost?.(node, 'another process');
    }
    const fresh = before === undefined || before.peer.boot !== hello.boot;
    if (fresh) {
      log('info', 'mesh.peer', { node, address: hello.address, version: hello.version });
      onPeer?.(peerOf(hello, via));
    }
    link.open();
    // The node may have come to belong to a cluster since it said hello.
    this.#cutForeign(link);
    this.#dialAll();
  }

  #lost(link: Link, reason: string): void {
    const { node } = link.peer;
    this.#bulkTargets.delete(link);
    this.#unflushed.delete(link);
    this.#meter.lost.value += 1;
    if (this.#links.get(node) !== link) return;
    this.#links.delete(node);
    this.#meter.links.value = this.#links.size;
    if (this.#closed) return;
    this.#options.log('warn', 'mesh.peer_lost', { node, reason });
    this.#options.onPeerLost?.(node, reason);
    this.#dialAll();
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs();
    const lateMs = nowMs - this.#tickedMs - 2 * tickMs;
    this.#tickedMs = nowMs;
    for (const greeting of [...this.#greetings]) {
      if (nowMs >= greeting.deadlineMs) greeting.refuse('handshake_timeout', '');
    }
    for (const link of [...this.#links.values()]) link.tick(nowMs, Math.max(0, lateMs));
    for (const [node, { senders }] of this.#correspondence) {
      if (!this.#links.has(node)) for (const sender of senders) sender.tick(nowMs, undefined);
    }
    priorities.forEach((_, priority) => {
      let bytes = 0;
      for (const link of this.#links.values()) bytes += link.queuedBytes(priority);
      this.#meter.queued(priority, bytes);
    });
    this.#dialAll();
    if (nowMs - this.#reloadedMs >= reloadMs) this.#reloadChanged(nowMs);
  }

  #reloadChanged(nowMs: number): void {
    this.#reloadedMs = nowMs;
    if (!this.#material.changed()) return;
    try {
      this.reload();
      this.#options.log('info', 'mesh.reloaded', {});
    } catch (error) {
      this.#options.log('error', 'mesh.not_reloaded', { error });
    }
  }

  #dialAll(): void {
    if (this.#closed) return;
    const nowMs = this.#clock.nowMs();
    for (const target of this.#targets) {
      const linked = target.node !== undefined && this.#links.has(target.node);
      if (!linked && target.due(nowMs)) this.#dial(target, 'main');
    }
    for (const [link, target] of this.#bulkTargets) {
      if (!link.hasBulk && target.due(nowMs)) this.#dial(target, 'bulk');
    }
  }

  #dial(target: Target, connection: ConnectionClass): void {
    target.busy = true;
    this.#meter.dials.value += 1;
    const end = dial({
      address: target.address,
      own: this.#options.node,
      connection,
      material: this.#material,
      timeoutMs: this.#limits.handshakeMs,
      connected: (socket) => {
        this.#dials.delete(end);
        this.#greet(socket, target, connection);
      },
      failed: (reason, code) => {
        this.#dials.delete(end);
        target.failed(this.#clock.nowMs(), this.#limits, this.#random());
        if (this.#closed) return;
        if (ofSecurity(code)) this.#count(target.address, 'certificate', reason);
        else this.#refusals.write('mesh.unreachable', target.address, code, { detail: reason });
      },
    });
    this.#dials.add(end);
  }

  #greet(socket: MeshSocket, target: Target | undefined, connection: ConnectionClass): void {
    if (this.#closed) {
      socket.cut('the node stops');
      return;
    }
    const { node, instance, version, security } = this.#options;
    const known = target?.node;
    if (connection === 'main' && known !== undefined && this.#links.has(known)) {
      // The peer was faster.
      socket.cut('there is a link');
      target?.reached(this.#clock.nowMs(), settleMs);
      return;
    }
    const own: Hello = {
      ...(this.#options.protocol ?? protocol),
      ...{ node, instance, boot: this.#boot, connection, security: security.kind },
      ...{ clusterId: this.#clusterId, version, address: this.advertise, http: '' },
      nonce: randomBytes(nonceBytes),
      replaces: known !== undefined,
    };
    const greeting = new Greeting(
      socket,
      {
        side: socket.side,
        own,
        secret: this.#material.secret,
        certificate: security.kind === 'tls' ? socket.certificate : undefined,
      },
      {
        target,
        dialed: target && connection,
        deadlineMs: this.#clock.nowMs() + this.#limits.handshakeMs,
      },
      this,
    );
    const full = target === undefined && this.#greetings.size >= greetingsMax;
    this.#greetings.add(greeting);
    if (full) greeting.refuse('too_many', 'handshakes');
    else if (security.kind === 'loopback' && !socket.loopback) greeting.refuse('not_loopback', '');
    else greeting.start();
  }

  #count(peer: string, refusal: Refusal, detail: string): void {
    if (this.#closed) return;
    this.#meter.refused(refusal);
    this.#refusals.write('mesh.refused', peer, refusal, { detail });
  }
}

function peerOf(hello: Hello, via: string | undefined): MeshPeer {
  const { node, instance, version, address, clusterId } = hello;
  return { node, instance, version, address, clusterId, via };
}

function clusterOf({ clusterId }: Hello): string {
  return `it belongs to cluster ${clusterId}`;
}

/** Whether an error of Node says that TLS did not trust the peer or was not trusted. */
function ofSecurity(code: string): boolean {
  return /^ERR_(SSL|TLS)|CERT|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO/.test(code);
}
