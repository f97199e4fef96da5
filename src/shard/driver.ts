/**
 * Drives the Raft core of a replica: tells it messages and time, makes durable what it wants durable,
 * sends what it wants sent.
 *
 * Entries for followers leave before the own disk has them; whatever rests on the own disk, the member's
 * answers to itself among it, comes back as `shard.persisted` when the batch is durable.
 *
 * Invariants: every Ready is carried out, in order, and before the next step; `durableIndex` never
 * counts an entry that the disk may not have.
 */
import type { Context, Persisted, Ref } from '../actors/actor.js';
import { assert } from '../base/assert.js';
import type { LogIndex, NodeId, ShardId, Term } from '../base/ids.js';
import type { RaftInput, RaftMessage, RaftNode, Ready } from '../raft/index.js';
import type { Configuration, HardState, RaftLog } from '../storage/index.js';
import type { ShardLimits } from './limits.js';
import type { PersistedMessage, ReplicaMessage } from './messages.js';
import type { ShardSeries } from './metrics.js';
import type { ForwardedMessage, ForwardMessage, RaftPeerMessage } from './peer.js';
import { membersOf } from './standing.js';

export interface DriverParts {
  readonly shard: ShardId;
  readonly node: NodeId;
  readonly clusterId: string;
  /** {@link clusterHash} of it. */
  readonly cluster: number;
  readonly self: Ref<ReplicaMessage>;
  readonly log: RaftLog;
  readonly raft: RaftNode;
  /** What the group begins with. */
  readonly configuration: Configuration;
  readonly limits: ShardLimits;
  readonly series: ShardSeries;
  /** Told what a Ready asks of others. */
  readonly onReady: (ready: Ready, context: Context<ReplicaMessage>) => void;
  /** Told how long the machine may have stood still, when its clocks have moved apart. */
  readonly onStoodStill: (forMs: number) => void;
}

/** A batch on its way to the disk. */
interface Flush {
  readonly generation: number;
  readonly sinceMs: number;
  /** The last entry of the log that the disk has with it. */
  lastIndex: LogIndex;
}

export class Driver {
  readonly #parts: DriverParts;
  raft: RaftNode;
  /** The last entry that is known to be committed. */
  committed: LogIndex;
  /** The last entry that is on this member's disk. */
  durableIndex: LogIndex;
  #flushes: Flush[] = [];
  #halted: (() => RaftNode) | undefined;
  /** What operators have set since this process began. */
  #timing: (RaftInput & { readonly kind: 'raft.timing' }) | undefined;
  /** The time of the last step. */
  nowMs = 0;
  /** When the timer of the core goes off. */
  #timerMs = Number.POSITIVE_INFINITY;
  #watchesDisk = false;
  #diskHealthy = true;
  /** The monotonic and the wall clock of the last turn. */
  #clocks: { readonly nowMs: number; readonly wallMs: number } | undefined;

  constructor(parts: DriverParts) {
    this.#parts = parts;
    this.raft = parts.raft;
    this.committed = parts.raft.appliedIndex;
    this.durableIndex = parts.log.lastIndex;
  }

  /** Tells the core something; what follows from it is carried out by {@link carryOut}. */
  step(input: RaftInput, context: Context<ReplicaMessage>): void {
    this.nowMs = context.nowMs;
    if (input.kind === 'raft.timing') this.#timing = input;
    if (this.#halted !== undefined) return;
    this.raft.step(input, context.nowMs);
    this.carryOut(context);
  }

  /** The core's timer went off, or something else happened that it should know the time of. */
  onTimer(context: Context<ReplicaMessage>): void {
    this.#timerMs = Number.POSITIVE_INFINITY;
    this.step({ kind: 'raft.tick' }, context);
  }

  onPersisted({ generation, messages }: PersistedMessage, context: Context<ReplicaMessage>): void {
    this.#parts.log.markDurable(generation);
    while (this.#flushes[0] !== undefined && this.#flushes[0].generation <= generation) {
      this.durableIndex = this.#flushes[0].lastIndex;
      this.#flushes.shift();
    }
    if (this.#halted !== undefined && this.#flushes.length === 0) {
      const make = this.#halted;
      this.#halted = undefined;
      this.restart(make());
      this.carryOut(context);
      // What came with the flush was for the life before.
      return;
    }
    if (!this.#diskHealthy) this.#lookAtDisk(context);
    for (const message of messages) this.step(message, context);
  }

  /** Does what the core asks for, and sees to its next tick. */
  carryOut(context: Context<ReplicaMessage>): void {
    if (this.#halted !== undefined) return;
    while (this.raft.hasReady) {
      const ready = this.raft.ready();
      if (ready.mustSync) this.#persist(ready, context);
      else assert(ready.messagesAfterPersist.length === 0, 'nothing to persist before a message');
      for (const message of ready.messages) this.#send(message, context);
      if (ready.committed !== undefined) this.committed = ready.committed.to;
      this.#parts.onReady(ready, context);
    }
    const deadlineMs = this.raft.deadlineMs ?? Number.POSITIVE_INFINITY;
    // A deadline that moves away leaves the timer: it goes off early and is set again.
    if (deadlineMs < this.#timerMs) {
      this.#timerMs = deadlineMs;
      const delayMs = Math.max(0, deadlineMs - context.nowMs);
      context.setTimer('shard.tick', delayMs, { kind: 'shard.tick' });
    }
  }

  /** By timer: whether the oldest batch is on its way for too long. */
  onDiskTimer(context: Context<ReplicaMessage>): void {
    this.#watchesDisk = false;
    this.#lookAtDisk(context);
    this.#watchDisk(context);
  }

  /** Asks all members for the commit index: a leader that sleeps wakes, and sees what this member lacks. */
  callMembers(context: Context<ReplicaMessage>): void {
    const { node } = this.#parts;
    const { term, configuration } = this.raft;
    for (const to of membersOf(configuration)) {
      if (to === node) continue;
      this.#send({ kind: 'raft.readIndex', from: node, to, term, read: 0 }, context);
    }
  }

  /** Sends to the replica of another node. */
  sendPeer(
    to: NodeId,
    message: RaftPeerMessage | ForwardMessage | ForwardedMessage,
    context: Context<ReplicaMessage>,
  ): void {
    assert(to !== this.#parts.node, 'a peer is another node', to);
    context.send(this.peer(to), message);
  }

  /** The group's replica at another node: of the same name at the same place. */
  peer(node: NodeId): Ref<ReplicaMessage> {
    const { place, name } = this.#parts.self;
    return { node, place, name };
  }

  /** A log begun anew by a snapshot is on its way to the disk. */
  persistInstalled(
    generation: number,
    puts: readonly unknown[],
    context: Context<ReplicaMessage>,
  ): Persisted {
    this.#cut((this.#parts.log.firstIndex - 1) as LogIndex);
    return this.#flush(generation, puts, [], context);
  }

  /** The state is that after `index`: what comes next is handed out again. */
  installed(index: LogIndex): void {
    this.committed = index;
    this.durableIndex = Math.max(this.durableIndex, index) as LogIndex;
  }

  /** The damage of the log is no more: the other members have given back what was lost. */
  recovered(context: Context<ReplicaMessage>): void {
    context.probe('shard.logRecovered');
    const { number, puts } = this.#parts.log.recovered();
    this.#flush(number, puts, [], context);
  }

  /**
   * The core cannot go on with this log. Another life of it begins when all that is on its way to the disk is
   * there: it takes what it finds in the log for durable. Until then it hears and does nothing.
   */
  halt(make: () => RaftNode, context: Context<ReplicaMessage>): void {
    this.restart(make());
    if (this.#flushes.length > 0) this.#halted = make;
    else this.carryOut(context);
  }

  /** Another life of the core, with another view of the state. */
  restart(raft: RaftNode): void {
    this.raft = raft;
    this.committed = raft.appliedIndex;
    this.#timerMs = Number.POSITIVE_INFINITY;
    if (this.#timing !== undefined) raft.step(this.#timing, this.nowMs);
  }

  #persist(ready: Ready, context: Context<ReplicaMessage>): void {
    const { log, node, series } = this.#parts;
    const first = ready.entries[0];
    if (first !== undefined) {
      series.batchEntries.observe(ready.entries.length);
      if (first.index <= log.lastIndex) {
        context.probe('shard.suffixReplaced');
        this.#cut((first.index - 1) as LogIndex);
      }
    }
    const hardState = ready.ballot === undefined ? undefined : this.#hardState(ready.ballot);
    const { number, puts } = log.append(ready.entries, hardState);
    const own: RaftMessage[] = [];
    const others: RaftMessage[] = [];
    for (const message of ready.messagesAfterPersist) {
      (message.to === node ? own : others).push(message);
    }
    const persisted = this.#flush(number, puts, own, context);
    for (const message of others) {
      context.sendDurable(persisted, this.peer(message.to), this.#envelope(message));
    }
  }

  #flush(
    generation: number,
    puts: readonly unknown[],
    messages: readonly RaftMessage[],
    context: Context<ReplicaMessage>,
  ): Persisted {
    const persisted = context.persist(puts);
    const { lastIndex } = this.#parts.log;
    this.#flushes.push({ generation, sinceMs: context.nowMs, lastIndex });
    context.sendDurable(persisted, context.self, { kind: 'shard.persisted', generation, messages });
    this.#watchDisk(context);
    return persisted;
  }

  /** The entries after `index` are replaced: what the disk has of them, or gets yet, does not count. */
  #cut(index: LogIndex): void {
    this.durableIndex = Math.min(this.durableIndex, index) as LogIndex;
    for (const flush of this.#flushes) {
      flush.lastIndex = Math.min(flush.lastIndex, index) as LogIndex;
    }
  }

  #send(message: RaftMessage, context: Context<ReplicaMessage>): void {
    assert(message.to !== this.#parts.node, 'a message to itself waits for the disk', message.kind);
    context.send(this.peer(message.to), this.#envelope(message));
  }

  #envelope(message: RaftMessage): RaftPeerMessage {
    const brings = message.kind === 'raft.append' && message.entries.length > 0;
    const { cluster } = this.#parts;
    return { kind: brings ? 'shard.append' : 'shard.heartbeat', cluster, message };
  }

  #hardState(ballot: { readonly term: Term; readonly vote: NodeId | undefined }): HardState {
    const { clusterId, configuration, log } = this.#parts;
    const first: HardState = {
      ...ballot,
      clusterId,
      configuration,
      lastSnapshot: { index: 0 as LogIndex, term: 0 as Term },
    };
    return { ...first, ...log.hardState, ...ballot };
  }

  /** One timer looks after all batches: it costs a busy disk nothing. */
  #watchDisk(context: Context<ReplicaMessage>): void {
    const oldest = this.#flushes[0];
    if (this.#watchesDisk || oldest === undefined) return;
    this.#watchesDisk = true;
    const dueMs = oldest.sinceMs + this.#parts.limits.diskStallMs;
    // Not again and again while a batch is late.
    const delayMs = Math.max(dueMs - context.nowMs, this.#parts.limits.diskStallMs / 4);
    context.setTimer('shard.disk', delayMs, { kind: 'shard.disk' });
  }

  #lookAtDisk(context: Context<ReplicaMessage>): void {
    const { limits, shard } = this.#parts;
    const oldestMs = this.#flushes[0]?.sinceMs ?? context.nowMs;
    const healthy = context.nowMs < oldestMs + limits.diskStallMs;
    if (healthy === this.#diskHealthy) return;
    this.#diskHealthy = healthy;
    context.probe(healthy ? 'shard.diskWell' : 'shard.diskStalled');
    context.log(healthy ? 'info' : 'warn', healthy ? 'shard.diskWell' : 'shard.diskStalled', {
      shard,
      forMs: context.nowMs - oldestMs,
    });
    this.step({ kind: 'raft.disk', healthy }, context);
  }

  /** Wall and monotonic clock that move apart say that the machine stood still (pitfall 6). */
  compareClocks(context: Context<ReplicaMessage>): void {
    const { nowMs, wallMs } = context;
    const apartMs = this.#clocksApartMs(nowMs, wallMs);
    if (apartMs < this.#parts.limits.clockJumpMs) {
      this.#clocks = { nowMs, wallMs };
      return;
    }
    this.#parts.onStoodStill(this.stoodStillMs(nowMs, wallMs));
    this.#clocks = { nowMs, wallMs };
    context.probe('shard.clockJumped');
    context.log('warn', 'shard.clockJumped', { shard: this.#parts.shard, byMs: apartMs });
    this.step({ kind: 'raft.clockJumped' }, context);
  }

  /** Whether wall and monotonic clock go together since the last turn: otherwise no lease can be relied on. */
  clocksAgree(nowMs: number, wallMs: number): boolean {
    return this.#clocksApartMs(nowMs, wallMs) < this.#parts.limits.clockJumpMs;
  }

  /** For so long the machine may have stood still since the last turn, by its wall clock. */
  stoodStillMs(nowMs: number, wallMs: number): number {
    if (this.#clocks === undefined) return 0;
    return Math.max(0, wallMs - this.#clocks.wallMs - (nowMs - this.#clocks.nowMs));
  }

  #clocksApartMs(nowMs: number, wallMs: number): number {
    if (this.#clocks === undefined) return 0;
    return Math.abs(wallMs - this.#clocks.wallMs - (nowMs - this.#clocks.nowMs));
  }
}
