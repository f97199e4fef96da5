/** Cluster actors of several nodes in virtual time: a network, directories, and processes that die. */
import {
  type Envelope,
  encodeMessage,
  decodeMessage,
  Dispatcher,
  type PlaceId,
} from '#src/actors/index.js';
import { must } from '#src/base/assert.js';
import type { NodeId } from '#src/base/ids.js';
import { Metrics } from '#src/base/metrics.js';
import { Random } from '#src/base/random.js';
import {
  type ClusterLimits,
  clusterKind,
  type Formation,
  hostMessages,
  type Role,
  type StateMessage,
} from '#src/cluster/index.js';
import { replicaArguments } from '#src/cluster/index.js';
import { ClusterHost, defaultTiming, replicaRef, shardPlace } from '#src/node/index.js';
import { World } from '#src/sim/world.js';
import { activityKind } from '#src/sql/session/activity.js';
import type { AdminAnswer, AdminMessage, AdminValue } from '#src/sql/session/protocol.js';
import { FakeGroup } from './group.js';

export interface NodeOptions {
  readonly seeds?: readonly number[];
  readonly join?: readonly number[];
  readonly role?: Role;
  readonly limits?: Partial<ClusterLimits>;
}

/** What survives a crash. */
interface Disk {
  instance: string;
  formation: Formation | undefined;
}

export class Node {
  readonly id: NodeId;
  readonly logged: string[] = [];
  readonly #worlds: Worlds;
  readonly #options: NodeOptions;
  readonly disk: Disk;
  dispatcher: Dispatcher | undefined;
  host: ClusterHost | undefined;
  wanted: readonly number[] = [];
  stopRequested = false;
  logLevel = '';
  #calls = 0;
  /** Turns left before the crash. */
  turnsLeft = Number.POSITIVE_INFINITY;

  constructor(worlds: Worlds, id: number, options: NodeOptions) {
    this.id = id as NodeId;
    this.#worlds = worlds;
    this.#options = options;
    this.disk = { instance: worlds.uuid(), formation: undefined };
  }

  get alive(): boolean {
    return this.dispatcher !== undefined;
  }

  get state(): StateMessage | undefined {
    return this.host?.state;
  }

  get ready(): boolean {
    return this.state !== undefined && this.state.notReady === undefined;
  }

  start(): void {
    const { world, group } = this.#worlds;
    const dispatcher: Dispatcher = new Dispatcher({
      node: this.id,
      seed: this.id,
      clock: { nowMs: () => world.nowMs, wallMs: () => world.nowMs },
      schedule: {
        soon: () => this.#later(0, dispatcher),
        at: (dueMs) => this.#later(Math.max(0, dueMs - world.nowMs), dispatcher),
      },
      log: (level, event, fields) =>
        this.logged.push(`${level} ${event} ${JSON.stringify(fields)}`),
      fatal: (error) => {
        throw error;
      },
      transmit: (envelope) => this.#worlds.transmit(this, envelope),
      encodeAll: true,
    });
    this.dispatcher = dispatcher;
    dispatcher.addPlace(0 as PlaceId);
    dispatcher.addPlace(shardPlace);
    dispatcher.registerKind(group.kind((to, message) => dispatcher.post(to, message)));
    dispatcher.registerKind(clusterKind(new Metrics()));
    dispatcher.registerMessages(hostMessages);
    // The host tells the sessions' places who lives; nobody is there.
    dispatcher.registerKind(activityKind);
    const { node, parts } = {
      node: this.id,
      parts: {
        ...{ shard: 1 as never, node: this.id, incarnation: 1, timing: defaultTiming },
        observer: { node: this.id, place: 0 as PlaceId, name: 'cluster' },
      },
    };
    const { formation } = this.disk;
    if (formation !== undefined) {
      dispatcher.spawn(
        'replica',
        replicaRef(node).name,
        replicaArguments(parts, formation),
        shardPlace,
      );
    }
    const { seeds = [], join = [], role = 'voter', limits = {} } = this.#options;
    this.host = new ClusterHost({
      doors: dispatcher,
      args: {
        ...{ node, instance: this.disk.instance, address: addressOf(this.id), role, limits },
        ...{ seeds: seeds.map(addressOf), join: join.map(addressOf), version: 'test' },
        newClusterId: this.#worlds.uuid(),
        replica: { ref: replicaRef(node), place: shardPlace, parts },
      },
      links: {
        connect: (peers) => {
          this.wanted = peers.map(({ address }) => Number(address.split(':')[1]));
          this.#worlds.dialSoon();
        },
      },
      store: this.#store(dispatcher),
      onState: () => undefined,
      onControl: (control) => {
        if ('stop' in control) this.stopRequested = true;
        else this.logLevel = control.logLevel;
      },
    });
    this.host.listens(`127.0.0.1:${8000 + this.id}`);
  }

  /** Dies at once; what is not durable is gone. */
  crash(): void {
    const { dispatcher } = this;
    if (dispatcher === undefined) return;
    this.dispatcher = undefined;
    this.host = undefined;
    this.wanted = [];
    this.turnsLeft = Number.POSITIVE_INFINITY;
    this.#worlds.unlinkAll(this);
    this.#worlds.group.died(this.id);
  }

  /** Loses its disk while it is down. */
  forget(): void {
    this.disk.instance = this.#worlds.uuid();
    this.disk.formation = undefined;
  }

  /** Calls a function of schema `shardforge`; the answer comes while time passes. */
  call(name: string, ...args: AdminValue[]): () => AdminAnswer | undefined {
    const dispatcher = must(this.dispatcher, 'the node lives');
    this.#calls += 1;
    let answer: AdminAnswer | undefined;
    const door = dispatcher.door<AdminAnswer>(
      `session/${this.#calls}`,
      [{ kind: 'sql.adminAnswer', priority: 'normal', flow: 'reply' }],
      (message) => {
        answer = message;
      },
    );
    const message: AdminMessage = {
      ...{ kind: 'sql.admin', call: this.#calls, name, arguments: args, replyTo: door.ref },
    };
    door.post(must(this.host, 'the node lives').admin, message);
    return () => answer;
  }

  #store(dispatcher: Dispatcher): {
    formation: Formation | undefined;
    write: (f: Formation, done: () => void) => void;
  } {
    const { disk } = this;
    return {
      get formation() {
        return disk.formation;
      },
      write: (formation, done) => {
        this.#worlds.world.after(this.#worlds.random.fraction() * 20, () => {
          if (this.dispatcher !== dispatcher) return;
          disk.formation = formation;
          done();
        });
      },
    };
  }

  #later(delayMs: number, dispatcher: Dispatcher): void {
    this.#worlds.world.after(delayMs, () => {
      if (this.dispatcher !== dispatcher) return;
      dispatcher.drain(1);
      this.turnsLeft -= 1;
      if (this.turnsLeft <= 0) this.crash();
    });
  }
}

export class Worlds {
  readonly random: Random;
  readonly world: World;
  readonly group = new FakeGroup();
  readonly nodes = new Map<number, Node>();
  /** Pairs that have a link, as `1-2`. */
  readonly #links = new Set<string>();
  readonly #cut = new Set<string>();
  #dialing = false;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.world = new World(this.random.split());
  }

  add(id: number, options: NodeOptions): Node {
    const node = new Node(this, id, options);
    this.nodes.set(id, node);
    return node;
  }

  node(id: number): Node {
    return must(this.nodes.get(id), 'the node is known');
  }

  uuid(): string {
    const hex = Array.from({ length: 32 }, () => this.random.below(16).toString(16)).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  /** Lets time pass until `condition` holds; false when that takes longer than `withinMs`. */
  until(condition: () => boolean, withinMs = 20_000): boolean {
    const endMs = this.world.nowMs + withinMs;
    while (!condition()) {
      if (this.world.nowMs > endMs || !this.world.step()) return false;
    }
    return true;
  }

  pass(ms: number): void {
    let over = false;
    this.world.after(ms, () => {
      over = true;
    });
    this.until(() => over, ms + 1000);
  }

  /** Messages from one node to another vanish, also those of a link that stands. */
  cut(from: number, to: number): void {
    this.#cut.add(`${from}>${to}`);
  }

  heal(): void {
    this.#cut.clear();
    this.dialSoon();
  }

  dialSoon(): void {
    if (this.#dialing) return;
    this.#dialing = true;
    this.world.after(5 + this.random.fraction() * 20, () => {
      this.#dialing = false;
      for (const node of this.nodes.values()) {
        for (const other of node.wanted) this.#link(node, this.nodes.get(other));
      }
    });
  }

  /** Links a node to all others at once, as when they dial it while it starts. */
  linkNow(node: Node): void {
    for (const other of this.nodes.values()) if (other !== node) this.#link(node, other);
  }

  unlinkAll(dead: Node): void {
    for (const link of [...this.#links]) {
      const [a, b] = link.split('-').map(Number);
      if (a !== dead.id && b !== dead.id) continue;
      this.#links.delete(link);
      this.nodes.get(a === dead.id ? Number(b) : Number(a))?.host?.peerDown(dead.id);
    }
  }

  transmit(from: Node, { to, from: sender, type, message }: Envelope): boolean {
    if (!this.#links.has(linkOf(from.id, to.node))) return false;
    const bytes = encodeMessage(type, message);
    const target = this.nodes.get(to.node)?.dispatcher;
    this.world.after(0.1 + this.random.fraction() * 2, () => {
      const node = this.nodes.get(to.node);
      if (node?.dispatcher === undefined || node.dispatcher !== target) return;
      if (this.#cut.has(`${from.id}>${to.node}`)) return;
      // A codec that loses something is noticed here.
      decodeMessage(type, bytes);
      node.dispatcher.deliverBytes(to, sender, type.kind, bytes);
    });
    return true;
  }

  #link(one: Node, other: Node | undefined): void {
    if (other === undefined || !one.alive) return;
    const name = linkOf(one.id, other.id);
    if (this.#links.has(name)) return;
    if (!other.alive) {
      this.world.after(100, () => this.dialSoon());
      return;
    }
    this.#links.add(name);
    one.host?.peerUp({ node: other.id, instance: other.disk.instance });
    other.host?.peerUp({ node: one.id, instance: one.disk.instance });
  }
}

function linkOf(a: number, b: number): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`;
}

function addressOf(id: number): string {
  return `127.0.0.1:${id}`;
}
