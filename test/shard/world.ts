/**
 * One store with one replica under virtual time: a dispatcher, a memory engine whose flushes end when
 * the test says so, and a client that collects answers. Crashes keep a prefix of the pending batches.
 */
import type { PlaceId, Ref } from '#src/actors/index.js';
import { Dispatcher } from '#src/actors/index.js';
import { must } from '#src/base/assert.js';
import type { NodeId, ShardId } from '#src/base/ids.js';
import { Metrics } from '#src/base/metrics.js';
import {
  proposeAnswers,
  type ReplicaMessage,
  replicaKind,
  type ShardLimits,
  shardMetrics,
  storeEngine,
} from '#src/shard/index.js';
import { type ProposeAnswer, type ShardAccess, shardAccess } from '#src/shard/protocol.js';
import { type MemoryContents, MemoryEngine } from '#src/storage/index.js';
import type { Proposal } from '#src/txn/index.js';

export const shard = 1 as ShardId;
const storePlace = 1 as PlaceId;

export interface WorldOptions {
  readonly limits?: Partial<ShardLimits>;
  /** Sees the writes of each batch as it is handed to the engine. */
  readonly onCommit?: (batch: readonly unknown[]) => void;
  /** Also encode local messages. */
  readonly encodeAll?: boolean;
}

export class ShardWorld {
  nowMs = 0;
  wallMs = 1_700_000_000_000;
  engine: MemoryEngine;
  dispatcher: Dispatcher;
  access: ShardAccess;
  metrics = new Metrics();
  readonly answers: ProposeAnswer[] = [];
  /** Lines of the log and errors that would have ended the process. */
  readonly events: string[] = [];
  incarnation = 0;
  readonly #options: WorldOptions;
  #client: Ref<ProposeAnswer>;
  #replica: Ref<ReplicaMessage>;
  #finish: (() => void)[] = [];
  #token = 0;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    const started = this.#start(undefined);
    this.engine = started.engine;
    this.dispatcher = started.dispatcher;
    this.access = started.access;
    this.#client = started.client;
    this.#replica = started.replica;
  }

  /** Runs turns until none waits. Time and disk stand still. */
  run(): void {
    while (this.dispatcher.drain());
  }

  /** Runs that many turns, or fewer when none waits. */
  turns(count: number): void {
    this.dispatcher.drain(count);
  }

  /** The disk has the flush under way; its news wait for their turn. */
  finishFlush(): void {
    this.#finish.shift()?.();
  }

  /** Ends the flush under way, if any. */
  flush(): boolean {
    const finish = this.#finish.shift();
    finish?.();
    this.run();
    return finish !== undefined;
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
      const next = this.dispatcher.nextTimerMs;
      if (next === undefined || next > until) break;
      this.wallMs += next - this.nowMs;
      this.nowMs = next;
      this.#proceed(hold);
    }
    this.wallMs += until - this.nowMs;
    this.nowMs = until;
    this.#proceed(hold);
  }

  #proceed(hold: boolean): void {
    if (hold) this.run();
    else this.settle();
  }

  /** Sends a proposal; returns its token. */
  propose(proposal: Proposal): number {
    this.#token += 1;
    this.dispatcher.post(this.#replica, {
      kind: 'shard.propose',
      shard,
      token: this.#token,
      proposal,
      replyTo: this.#client,
    });
    return this.#token;
  }

  answer(token: number): ProposeAnswer | undefined {
    return this.answers.find((answer) => answer.token === token);
  }

  /** The disk fails: nothing that is pending becomes durable. */
  failEngine(reason: 'disk_full' | 'io_error'): void {
    this.engine.fail(reason);
    this.dispatcher.post(this.#replica, { kind: 'shard.engineFailed', reason, text: reason });
    this.run();
  }

  /** The process dies; `surviving` of the pending batches had reached the disk. Starts again. */
  restart(surviving: number): void {
    const contents = this.engine.crash(surviving);
    this.#finish = [];
    const started = this.#start(contents);
    this.engine = started.engine;
    this.dispatcher = started.dispatcher;
    this.access = started.access;
    this.#client = started.client;
    this.#replica = started.replica;
  }

  #start(contents: MemoryContents | undefined) {
    this.incarnation += 1;
    this.metrics = new Metrics();
    const engine = new MemoryEngine({
      schedule: (finish) => this.#finish.push(finish),
      ...(contents === undefined ? {} : { contents }),
    });
    const dispatcher = new Dispatcher({
      node: 1 as NodeId,
      seed: 1,
      clock: { nowMs: () => this.nowMs, wallMs: () => this.wallMs },
      schedule: { soon: () => {}, at: () => {} },
      log: (level, event, fields) =>
        this.events.push(`${level} ${event} ${JSON.stringify(fields)}`),
      fatal: (error) => this.events.push(`fatal ${error.message}`),
      encodeAll: this.#options.encodeAll === true,
    });
    dispatcher.registerKind(replicaKind);
    dispatcher.registerMessages(proposeAnswers);
    dispatcher.addPlace(0 as PlaceId);
    const place = dispatcher.addPlace(storePlace, {
      commit: (batch) => {
        this.#options.onCommit?.(batch);
        return engine.commit(batch as never);
      },
      get durableTicket() {
        return engine.durableTicket;
      },
      commitLater: (batch) => {
        this.#options.onCommit?.(batch);
        return engine.commitLater(batch as never);
      },
      get laterTicket() {
        return engine.laterTicket;
      },
      onDurable: (listener) => engine.onDurable(listener),
    });
    place.provide(storeEngine, engine);
    place.provide(shardMetrics, this.metrics);
    const client = dispatcher.door<ProposeAnswer>('client', proposeAnswers, (answer) =>
      this.answers.push(answer),
    );
    const args = {
      shard,
      node: 1 as NodeId,
      incarnation: this.incarnation,
      clusterId: '00000000-0000-4000-8000-000000000001',
      limits: this.#options.limits ?? {},
    };
    const replica = dispatcher.spawn<ReplicaMessage>('replica', 'replica/1', args, storePlace);
    const access = must(place.resource(shardAccess), 'the replica provides its access');
    return { engine, dispatcher, access, client: client.ref, replica };
  }
}
