/**
 * Nodes with one store and one replica each under virtual time: dispatchers, memory engines whose flushes end
 * when the test says so, a network that carries parcels unless a link is cut, and a client on each that collects
 * answers. Crashes keep a prefix of the pending batches.
 */
import type { Envelope, PlaceId, Ref } from '#src/actors/index.js';
import { Dispatcher, encodeMessage } from '#src/actors/index.js';
import { must } from '#src/base/assert.js';
import type { NodeId, ShardId } from '#src/base/ids.js';
import { Metrics } from '#src/base/metrics.js';
import type { Members, RaftTiming } from '#src/raft/index.js';
import {
  defaultRaftTiming,
  type ObservedReplica,
  type ReplicaArguments,
  type ReplicaMessage,
  replicaAnswers,
  replicaKind,
  ShardDoor,
  type ShardLimits,
  shardDoor,
  chunkPacker,
  type Packing,
  packings,
  shardMetrics,
  storeEngine,
} from '#src/shard/index.js';
import { zlibPacker } from '#src/node/index.js';
import {
  type ChangeAnswer,
  type FollowedMessage,
  type HashAnswer,
  type NewsMessage,
  type NumbersAnswer,
  type ProposeAnswer,
  type ReadAnswer,
  type ReplicaStatus,
  type ShardAccess,
  shardAccess,
} from '#src/shard/protocol.js';
import { type MemoryContents, MemoryEngine } from '#src/storage/index.js';
import type { Proposal } from '#src/txn/index.js';

export const shard = 1 as ShardId;
const storePlace = 1 as PlaceId;

export type Answer =
  | ProposeAnswer
  | ReadAnswer
  | NumbersAnswer
  | ChangeAnswer
  | HashAnswer
  | ReplicaStatus;

export interface WorldOptions {
  readonly limits?: Partial<ShardLimits>;
  readonly timing?: RaftTiming;
  /** The first members; node 1 alone by default. */
  readonly genesis?: Members;
  /** Nodes that join later. */
  readonly joiners?: readonly NodeId[];
  readonly witnesses?: readonly NodeId[];
  /** Sees the writes of each batch as it is handed to the engine. */
  readonly onCommit?: (batch: readonly unknown[], node: NodeId) => void;
  /** How each node compresses the snapshots that it sends; each in its own way without. */
  readonly packing?: Packing;
  /** Also encode local messages. */
  readonly encodeAll?: boolean;
  /** What becomes of a message between nodes. */
  readonly fate?: () => 'now' | 'late' | 'lost';
  /** Sees every message that leaves for another node. */
  readonly onSend?: (envelope: Envelope, from: NodeId) => void;
}

/** A process. */
export class WorldNode {
  readonly id: NodeId;
  engine: MemoryEngine;
  dispatcher: Dispatcher;
  access: ShardAccess;
  metrics = new Metrics();
  replica: Ref<ReplicaMessage>;
  observed: ObservedReplica;
  incarnation = 0;
  alive = true;
  /** A value on its disk has rotted. */
  damaged = false;
  readonly news: NewsMessage[] = [];
  /** What came of `shard.follow`. */
  readonly followed: FollowedMessage[] = [];
  readonly #world: World;
  #client: Ref<Answer>;
  #finish: (() => void)[] = [];

  constructor(world: World, id: NodeId) {
    this.#world = world;
    this.id = id;
    const started = this.#start(undefined);
    this.engine = started.engine;
    this.dispatcher = started.dispatcher;
    this.access = started.access;
    this.#client = started.client;
    this.replica = started.replica;
    this.observed = started.observed();
  }

  get client(): Ref<Answer> {
    return this.#client;
  }

  /** The disk has the flush under way; its news wait for their turn. */
  finishFlush(): boolean {
    const finish = this.#finish.shift();
    finish?.();
    return finish !== undefined;
  }

  stop(): void {
    this.alive = false;
  }

  /** The disk fails: nothing that is pending becomes durable. */
  failEngine(reason: 'disk_full' | 'io_error'): void {
    this.engine.fail(reason);
    this.dispatcher.post(this.replica, { kind: 'shard.engineFailed', reason, text: reason });
  }

  /** The process dies; the first `surviving` of each lane's pending batches had reached the disk. Starts again. */
  restart(surviving: number, survivingLater: number): void {
    const contents = this.engine.crash(
      Math.min(surviving, this.engine.pending),
      Math.min(survivingLater, this.engine.pendingLater),
    );
    this.#finish = [];
    this.alive = true;
    const started = this.#start(contents);
    this.engine = started.engine;
    this.dispatcher = started.dispatcher;
    this.access = started.access;
    this.#client = started.client;
    this.replica = started.replica;
    this.observed = started.observed();
  }

  #start(contents: MemoryContents | undefined) {
    const world = this.#world;
    const { options } = world;
    this.incarnation += 1;
    this.metrics = new Metrics();
    const engine = new MemoryEngine({
      schedule: (finish) => this.#finish.push(finish),
      ...(contents === undefined ? {} : { contents }),
    });
    const dispatcher = new Dispatcher({
      node: this.id,
      seed: this.id,
      clock: { nowMs: () => world.nowMs, wallMs: () => world.wallMs },
      schedule: { soon: () => {}, at: () => {} },
      log: (level, event, fields) =>
        world.event(this.id, `${level} ${event} ${JSON.stringify(fields)}`),
      fatal: (error) => world.event(this.id, `fatal ${error.message}`),
      probe: (name) => world.probes.set(name, (world.probes.get(name) ?? 0) + 1),
      encodeAll: options.encodeAll === true,
      transmit: (envelope) => {
        if (envelope.to.node === this.id) return false;
        world.carry(this.id, envelope);
        return true;
      },
    });
    let observed: ObservedReplica | undefined;
    dispatcher.registerKind({
      ...replicaKind,
      create: (args: ReplicaArguments, place, self) => {
        const replica = replicaKind.create(args, place, self);
        observed = replica as unknown as ObservedReplica;
        return replica;
      },
    });
    dispatcher.registerMessages(replicaAnswers);
    dispatcher.addPlace(0 as PlaceId);
    const place = dispatcher.addPlace(storePlace, {
      commit: (batch) => {
        options.onCommit?.(batch, this.id);
        return engine.commit(batch as never);
      },
      get durableTicket() {
        return engine.durableTicket;
      },
      commitLater: (batch) => {
        options.onCommit?.(batch, this.id);
        return engine.commitLater(batch as never);
      },
      get laterTicket() {
        return engine.laterTicket;
      },
      onDurable: (listener) => engine.onDurable(listener),
    });
    place.provide(storeEngine, engine);
    place.provide(shardMetrics, this.metrics);
    place.provide(chunkPacker, zlibPacker);
    const replica: Ref<ReplicaMessage> = { node: this.id, place: storePlace, name: 'replica/1' };
    const door = new ShardDoor(shard, replica);
    place.provide(shardAccess, door);
    place.provide(shardDoor, door);
    const client = dispatcher.door<Answer | NewsMessage | FollowedMessage>(
      'client',
      replicaAnswers,
      (answer) => {
        if (answer.kind === 'shard.news') this.news.push(answer);
        else if (answer.kind === 'shard.followed') this.followed.push(answer);
        else world.answers.push(answer);
      },
    );
    const joins = options.joiners?.includes(this.id) === true;
    const args: ReplicaArguments = {
      shard,
      node: this.id,
      // Nodes may differ in it.
      packing: options.packing ?? must(packings[this.id % packings.length], 'a packing'),
      incarnation: this.incarnation,
      clusterId: '00000000-0000-4000-8000-000000000001',
      genesis: joins
        ? undefined
        : (options.genesis ?? { voters: [1 as NodeId], learners: [], witnesses: [] }),
      witness: options.witnesses?.includes(this.id) === true,
      timing: options.timing ?? defaultRaftTiming,
      observer: client.ref as Ref<NewsMessage>,
      limits: options.limits ?? {},
    };
    dispatcher.spawn<ReplicaMessage>('replica', 'replica/1', args, storePlace);
    return {
      engine,
      dispatcher,
      access: door as ShardAccess,
      client: client.ref as Ref<never> as Ref<Answer>,
      replica,
      observed: () => must(observed, 'the replica was made'),
    };
  }
}

interface Carried {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly deliver: () => void;
}

export class World {
  nowMs = 0;
  wallMs = 1_700_000_000_000;
  readonly options: WorldOptions;
  readonly nodes = new Map<NodeId, WorldNode>();
  readonly answers: Answer[] = [];
  /** Lines of the log and errors that would have ended a process. */
  readonly events: string[] = [];
  readonly probes = new Map<string, number>();
  /** Links that are cut, as `from>to`. */
  readonly cuts = new Set<string>();
  #wire: Carried[] = [];
  /** They arrive when time has passed. */
  #late: Carried[] = [];
  #token = 0;

  constructor(options: WorldOptions = {}) {
    this.options = options;
    const { voters, learners } = options.genesis ?? {
      voters: [1 as NodeId],
      learners: [],
    };
    for (const id of [...voters, ...learners, ...(options.joiners ?? [])]) {
      this.nodes.set(id, new WorldNode(this, id));
    }
  }

  node(id: number): WorldNode {
    return must(this.nodes.get(id as NodeId), `no node ${id}`);
  }

  get living(): readonly WorldNode[] {
    return [...this.nodes.values()].filter((node) => node.alive);
  }

  /** The node that leads and serves; undefined when none does. */
  get leader(): WorldNode | undefined {
    return this.living.find((node) => node.observed.raft.serves);
  }

  event(node: NodeId, line: string): void {
    this.events.push(
      this.nodes.size > 1 || this.options.genesis !== undefined ? `${node}: ${line}` : line,
    );
  }

  carry(from: NodeId, { to, message, type, from: sender }: Envelope): void {
    const envelope: Envelope = { to, message, type, from: sender };
    this.options.onSend?.(envelope, from);
    if (this.cuts.has(`${from}>${to.node}`)) return;
    const bytes = encodeMessage(type, message);
    const deliver = (): void => {
      const node = this.nodes.get(to.node);
      if (node?.alive === true) node.dispatcher.deliverBytes(to, sender, type.kind, bytes);
    };
    const fate = this.options.fate?.() ?? 'now';
    if (fate === 'now') this.#wire.push({ from, to: to.node, deliver });
    else if (fate === 'late') this.#late.push({ from, to: to.node, deliver });
  }

  /** Both directions of every link of the node. */
  isolate(id: number): void {
    for (const other of this.nodes.keys()) {
      if (other === id) continue;
      this.cuts.add(`${id}>${other}`);
      this.cuts.add(`${other}>${id}`);
    }
  }

  heal(): void {
    this.cuts.clear();
  }

  /** Runs turns and delivers what they send until none waits. Time and disks stand still. */
  run(): void {
    for (;;) {
      for (const node of this.living) while (node.dispatcher.drain());
      const wire = this.#wire;
      if (wire.length === 0) return;
      this.#wire = [];
      for (const { from, to, deliver } of wire) if (!this.cuts.has(`${from}>${to}`)) deliver();
    }
  }

  /** Ends the flushes under way, of one node or of all. */
  flush(only?: number): boolean {
    let any = false;
    for (const node of this.living) {
      if (only === undefined || node.id === only) any = node.finishFlush() || any;
    }
    this.run();
    return any;
  }

  /** Runs turns and flushes until nothing is under way. */
  settle(): void {
    this.run();
    while (this.flush());
  }

  /** Time passes; timers fire. With `hold` no flush ends meanwhile. */
  advance(ms: number, hold = false): void {
    const until = this.nowMs + ms;
    for (;;) {
      const timers = this.living.map((node) => node.dispatcher.nextTimerMs ?? until + 1);
      const next = Math.min(...timers, until + 1);
      if (next > until) break;
      this.wallMs += Math.max(0, next - this.nowMs);
      this.nowMs = Math.max(next, this.nowMs);
      this.#proceed(hold);
    }
    this.wallMs += until - this.nowMs;
    this.nowMs = until;
    this.#proceed(hold);
  }

  /** Lets time pass until it is so; false when it did not come about. */
  until(condition: () => boolean, limitMs = 20_000): boolean {
    const end = this.nowMs + limitMs;
    this.settle();
    while (!condition() && this.nowMs < end) this.advance(5);
    return condition();
  }

  #proceed(hold: boolean): void {
    this.#wire.push(...this.#late.splice(0));
    if (hold) this.run();
    else this.settle();
  }

  nextToken(): number {
    this.#token += 1;
    return this.#token;
  }

  /** Sends a proposal to a node's replica; returns its token. */
  propose(proposal: Proposal, at = 1): number {
    const token = this.nextToken();
    const { dispatcher, replica, client } = this.node(at);
    const message = { kind: 'shard.propose', shard, token, proposal, replyTo: client } as const;
    dispatcher.post(replica, message);
    return token;
  }

  /** Sends what is answered by its token. */
  ask(at: number, message: (token: number, replyTo: Ref<Answer>) => ReplicaMessage): number {
    const token = this.nextToken();
    const { dispatcher, replica, client } = this.node(at);
    dispatcher.post(replica, message(token, client));
    return token;
  }

  answer(token: number): Answer | undefined {
    return this.answers.find((answer) => answer.token === token);
  }
}

/** The world of one node. */
export class ShardWorld extends World {
  get only(): WorldNode {
    return this.node(1);
  }

  get access(): ShardAccess {
    return this.only.access;
  }

  get engine(): MemoryEngine {
    return this.only.engine;
  }

  get metrics(): Metrics {
    return this.only.metrics;
  }

  /** Runs that many turns, or fewer when none waits. */
  turns(count: number): void {
    this.only.dispatcher.drain(count);
  }

  finishFlush(): void {
    this.only.finishFlush();
  }

  failEngine(reason: 'disk_full' | 'io_error'): void {
    this.only.failEngine(reason);
    this.run();
  }

  restart(surviving: number, survivingLater = Number.POSITIVE_INFINITY): void {
    this.only.restart(surviving, survivingLater);
  }
}
