/**
 * The replica actor: one member of a shard's Raft group with the state that its log has made.
 *
 *     propose -> admit: check, stamp, latch -> log -> durable -> committed -> applied -> answer
 *
 * All proposals of one drain are admitted together and written as one batch. Reads go past the actor,
 * through {@link ReplicaAccess}. Recovery is the same path: what the log holds beyond the applied
 * state is committed by the first entry of the new term, and applied before anything is served.
 *
 * Invariants:
 * - A proposal is answered `committed` only after its entry is durable, committed and applied.
 * - From its timestamp until it is applied a proposal holds its keys latched.
 * - Entries are admitted in the order of their timestamps.
 */
import type { Actor, Context, Place, Ref } from '../actors/actor.js';
import { assert, unreachable } from '../base/assert.js';
import { type ErrorName, raise } from '../base/errors.js';
import type { LogIndex, NodeId, ShardId, Term, Timestamp, TransactionId } from '../base/ids.js';
import { Random } from '../base/random.js';
import { type EntryDraft, RaftNode } from '../raft/index.js';
import { type HardState, type LogEntry, Overlay, RaftLog } from '../storage/index.js';
import { groupKey } from '../storage/keys.js';
import {
  AdmissionCheck,
  CommitClock,
  encodeChange,
  GarbageQueue,
  Latches,
  OpenSnapshots,
  Sequences,
  ShardState,
} from '../txn/index.js';
import { ReplicaAccess } from './access.js';
import { type Arrival, Arrivals, proposalBytes } from './arrivals.js';
import { Collector } from './collector.js';
import { Feed } from './feed.js';
import { type Asker, Flights, type Waiter } from './flights.js';
import type { ShardLimits } from './limits.js';
import type { EngineFailedMessage, RaftEnvelope, ReplicaMessage } from './messages.js';
import { type ShardSeries, shardSeries } from './metrics.js';
import type { ProposeMessage, RefusedMessage } from './protocol.js';
import { shardMetrics, storeEngine } from './resources.js';

export interface ReplicaParts {
  readonly shard: ShardId;
  readonly node: NodeId;
  /** A number that no earlier start of any node had. */
  readonly incarnation: number;
  /** UUID of the cluster. */
  readonly clusterId: string;
  readonly limits: ShardLimits;
}

const noBytes = new Uint8Array(0);
/** A lone voter waits for nobody. */
const raftTiming = {
  heartbeatMs: 50,
  electionMsMin: 150,
  electionMsMax: 300,
  leaseMs: 120,
  clockDrift: 0.01,
  leaseReads: true,
  hibernateMs: Number.POSITIVE_INFINITY,
};
const raftFlow = { appendBytesMax: 1, inFlightBytesMax: 1, inFlightMessagesMax: 1 };

export class Replica implements Actor<ReplicaMessage> {
  readonly access: ReplicaAccess;
  readonly #parts: ReplicaParts;
  readonly #limits: ShardLimits;
  readonly #series: ShardSeries;
  readonly #overlay: Overlay;
  readonly #log: RaftLog;
  readonly #node: RaftNode;
  readonly #state: ShardState;
  readonly #clock = new CommitClock();
  readonly #latches = new Latches();
  readonly #flights = new Flights(this.#latches);
  readonly #snapshots = new OpenSnapshots();
  readonly #sequences: Sequences;
  readonly #collector: Collector;
  readonly #feed: Feed;
  /** Proposals of this drain, or held back because the overlay is full. */
  readonly #arrivals = new Arrivals();
  #admitting = false;
  #applying = false;
  /** The last entry known to be committed. */
  #committed: LogIndex;
  /** The entry that is applied in part. */
  #partial: readonly LogEntry[] | undefined;
  #failure: EngineFailedMessage | undefined;

  constructor(parts: ReplicaParts, place: Place, self: Ref<ReplicaMessage>) {
    const { shard, node, clusterId, limits } = parts;
    const engine = place.resource(storeEngine);
    this.#parts = parts;
    this.#limits = limits;
    this.#series = shardSeries(place.resource(shardMetrics), shard);
    this.#overlay = new Overlay(engine);
    this.#log = new RaftLog(engine, shard);
    const hardState = this.#log.hardState;
    if (hardState !== undefined && hardState.clusterId !== clusterId) {
      raise('directory_foreign', `the data belongs to cluster ${hardState.clusterId}`);
    }
    const record = engine.get(groupKey('applied', shard));
    const garbage = new GarbageQueue(limits.garbageItemsMax);
    this.#state = new ShardState(this.#overlay, garbage, record);
    if (this.#state.garbage > 0) garbage.forget();
    if (this.#state.index > this.#log.lastIndex) {
      raise('data_corrupted', `the log ends at ${this.#log.lastIndex}, before the applied state`);
    }
    this.#committed = this.#state.index;
    this.#clock.observe(this.#state.timestamp);
    this.#node = new RaftNode(this.#log, {
      id: node,
      configuration: { voters: [node], outgoing: [], learners: [], witnesses: [] },
      ballot: { term: hardState?.term ?? (0 as Term), vote: hardState?.vote },
      appliedIndex: this.#state.index,
      timing: raftTiming,
      flow: raftFlow,
      random: new Random(node),
      nowMs: 0,
      mayHavePromised: false,
      needsSnapshot: false,
      lostEntries: false,
      noop: () => this.#draft('noop', noBytes, 0),
      configurationDraft: () => this.#draft('noop', noBytes, 0),
    });
    this.#sequences = new Sequences(this.#overlay);
    const state = this.#state;
    const overlay = this.#overlay;
    this.#collector = new Collector({
      state,
      overlay,
      garbage,
      snapshots: this.#snapshots,
      limits,
    });
    const { applyBytes } = this.#series;
    this.#feed = new Feed({ shard, overlay, log: this.#log, state, limits, applyBytes });
    this.access = new ReplicaAccess({
      shard,
      replica: self,
      incarnation: parts.incarnation,
      overlay,
      state,
      node: this.#node,
      snapshots: this.#snapshots,
      sequences: this.#sequences,
    });
  }

  receive(message: ReplicaMessage, context: Context<ReplicaMessage>): void {
    switch (message.kind) {
      case 'shard.propose':
        this.#onPropose(message, context);
        return;
      case 'shard.admit':
        this.#admitting = false;
        this.#admitArrived(context);
        return;
      case 'shard.raft':
        this.#onRaft(message, context);
        return;
      case 'shard.apply':
        this.#applying = false;
        this.#apply(context);
        return;
      case 'shard.fed':
        this.#feed.onFed(message, context);
        this.#measure();
        if (this.#arrivals.count > 0) this.#admitSoon(context);
        return;
      case 'shard.feed':
        this.#feed.onTimer(context);
        return;
      case 'shard.collect':
        this.#collect(context);
        return;
      case 'actor.started':
        this.#node.step({ kind: 'raft.tick' }, context.nowMs);
        this.#carryOut(context);
        return;
      case 'shard.engineFailed':
        this.#fail(message, context);
        return;
      default:
        unreachable(message);
    }
  }

  #onPropose(message: ProposeMessage, context: Context<ReplicaMessage>): void {
    assert(message.shard === this.#parts.shard, 'a proposal for another shard', message.shard);
    const bytes = proposalBytes(message.proposal);
    const refusal = this.#refusal(bytes);
    if (refusal !== undefined) {
      this.#refuse(message, refusal.reason, refusal.text, context);
      return;
    }
    this.#arrivals.add(message, bytes);
    this.#admitSoon(context);
  }

  /** Why a proposal of that size is not taken now. */
  #refusal(bytes: number): { readonly reason: ErrorName; readonly text: string } | undefined {
    if (this.#failure !== undefined) return this.#failure;
    if (!this.#node.serves) {
      return { reason: 'cannot_connect_now', text: 'the shard is not ready yet' };
    }
    const { proposalsMax, proposalBytesMax, entryBytesMax } = this.#limits;
    if (bytes > entryBytesMax) {
      const text = `changes of ${bytes} bytes in one transaction; the limit is ${entryBytesMax}`;
      return { reason: 'program_limit_exceeded', text };
    }
    const count = this.#arrivals.count + this.#flights.count;
    if (count >= proposalsMax || this.#arrivals.bytes + this.#flights.bytes > proposalBytesMax) {
      const text = `${count} transactions are committing; no more are taken`;
      return { reason: 'configuration_limit_exceeded', text };
    }
    return undefined;
  }

  #admitSoon(context: Context<ReplicaMessage>): void {
    if (this.#admitting) return;
    this.#admitting = true;
    context.send(context.self, { kind: 'shard.admit' });
  }

  /** Admits what has arrived, as one batch of the log. */
  #admitArrived(context: Context<ReplicaMessage>): void {
    if (this.#arrivals.count === 0 || this.#failure !== undefined) return;
    const { overlayBytesMax, turnEntriesMax, turnWritesMax } = this.#limits;
    if (this.#overlay.bytes > overlayBytesMax) {
      context.probe('shard.overlayFull');
      return;
    }
    const drafts: EntryDraft[] = [];
    let writesLeft = turnWritesMax;
    for (let left = turnEntriesMax; left > 0 && writesLeft > 0; left -= 1) {
      const { first } = this.#arrivals;
      if (first === undefined) break;
      const index = (this.#node.lastIndex + 1 + drafts.length) as LogIndex;
      const admitted = this.#admitFirst(first, writesLeft, index, context);
      writesLeft -= first.message.proposal.writes.length;
      if (admitted === 'partly') break;
      this.#arrivals.removeFirst();
      if (admitted !== undefined) drafts.push(admitted);
    }
    if (this.#arrivals.count > 0) this.#admitSoon(context);
    if (drafts.length === 0) return;
    this.#node.step({ kind: 'raft.propose', drafts }, context.nowMs);
    this.#carryOut(context);
  }

  /** Checks a proposal: its draft; undefined when it is answered already or waits for another. */
  #admitFirst(
    arrival: Arrival,
    keysMax: number,
    index: LogIndex,
    context: Context<ReplicaMessage>,
  ): EntryDraft | 'partly' | undefined {
    const { message, bytes } = arrival;
    const { proposal, token, replyTo } = message;
    if (arrival.check === undefined) {
      if (this.#isRepeated(message, context)) return undefined;
      arrival.check = new AdmissionCheck(proposal, this.#state, this.#overlay, this.#latches);
    }
    const admission = arrival.check.step(keysMax, this.#collector.horizon);
    if (admission === undefined) return 'partly';
    if (admission.kind === 'refused') {
      const { reason, until } = admission;
      if (until === undefined) this.#refuse(message, reason, textOf(reason), context);
      else {
        this.#series.latchConflicts.value += 1;
        context.probe('shard.latchConflict');
        this.#flights.join(until, { token, replyTo, reason });
      }
      return undefined;
    }
    const { keys, checked } = admission;
    this.#flights.depart({ index, proposal, bytes, keys, checked, token, replyTo });
    const payload = encodeChange({ writes: proposal.writes, fences: proposal.fences ?? [] });
    return {
      kind: 'write',
      transaction: proposal.transaction,
      timestamp: this.#stamp(context),
      origin: this.#parts.node,
      wallMs: context.wallMs,
      objects: proposal.objects,
      client: undefined,
      request: undefined,
      payload,
    };
  }

  /** Whether the transaction was proposed before; then this one is answered, or will be. */
  #isRepeated(message: ProposeMessage, context: Context<ReplicaMessage>): boolean {
    const { proposal, token, replyTo } = message;
    const underWay = this.#flights.entryOf(proposal.transaction);
    if (underWay !== undefined) {
      this.#flights.join(underWay, { token, replyTo, reason: undefined });
      return true;
    }
    const familiarity = this.#state.familiarity(proposal.transaction);
    if (familiarity === 'new') return false;
    if (familiarity === 'known') {
      context.probe('shard.transactionKnown');
      // Its own timestamp is not kept; whoever reads at the newest one sees its changes.
      this.#commit(message, this.#state.timestamp, context);
    } else {
      const text = 'the transaction is too old to tell whether it was committed before';
      this.#refuse(message, 'statement_completion_unknown', text, context);
    }
    return true;
  }

  #stamp(context: Context<ReplicaMessage>): Timestamp {
    const last = this.#clock.last;
    // Not the few milliseconds by which two turns may differ.
    if (context.wallMs * 4096 < last - 4_096_000) context.probe('shard.clockWentBack');
    return this.#clock.next(context.wallMs);
  }

  #draft(kind: 'noop' | 'gc', payload: Uint8Array, wallMs: number): EntryDraft {
    return {
      kind,
      transaction: 0 as TransactionId,
      timestamp: this.#clock.last,
      origin: this.#parts.node,
      wallMs,
      objects: [],
      client: undefined,
      request: undefined,
      payload,
    };
  }

  #onRaft({ generation, message }: RaftEnvelope, context: Context<ReplicaMessage>): void {
    this.#log.markDurable(generation);
    this.#node.step(message, context.nowMs);
    this.#carryOut(context);
  }

  /** Does what the Raft core asks for. */
  #carryOut(context: Context<ReplicaMessage>): void {
    if (this.#failure !== undefined) return;
    while (this.#node.hasReady) {
      const ready = this.#node.ready();
      assert(ready.messages.length === 0, 'a lone voter has nobody to tell');
      if (ready.mustSync) {
        if (ready.entries.length > 0) this.#series.batchEntries.observe(ready.entries.length);
        const hardState = ready.ballot === undefined ? undefined : this.#hardState(ready.ballot);
        const { number: generation, puts } = this.#log.append(ready.entries, hardState);
        const persisted = context.persist(puts);
        for (const message of ready.messagesAfterPersist) {
          assert(
            message.kind === 'raft.voteAnswer' || message.kind === 'raft.appendAnswer',
            'a lone voter answers itself only',
            message.kind,
          );
          context.sendDurable(persisted, context.self, { kind: 'shard.raft', generation, message });
        }
      } else assert(ready.messagesAfterPersist.length === 0, 'nothing to persist before a message');
      if (ready.committed !== undefined) this.#committed = ready.committed.to;
    }
    this.#apply(context);
    this.#measure();
  }

  #hardState(ballot: { readonly term: Term; readonly vote: NodeId | undefined }): HardState {
    const { node, clusterId } = this.#parts;
    const first: HardState = {
      ...ballot,
      clusterId,
      configuration: { voters: [node], outgoing: [], learners: [], witnesses: [] },
      lastSnapshot: { index: 0 as LogIndex, term: 0 as Term },
    };
    return { ...first, ...this.#log.hardState, ...ballot };
  }

  /** Applies committed entries, as many as a turn takes, and answers for them. */
  #apply(context: Context<ReplicaMessage>): void {
    if (this.#applying || this.#state.index === this.#committed) return;
    const { turnEntriesMax, turnBytesMax, turnWritesMax } = this.#limits;
    const from = (this.#state.index + 1) as LogIndex;
    const to = Math.min(this.#committed, from + turnEntriesMax - 1) as LogIndex;
    const served = this.#node.serves;
    if (!served && to > from) context.probe('shard.logReplayed');
    // An entry applied in part is at hand; the log may have to read it from the engine.
    const entries = this.#partial ?? this.#log.read(from, to, turnBytesMax);
    this.#partial = undefined;
    let writesLeft = turnWritesMax;
    for (const entry of entries) {
      const writes = this.#applyEntry(entry, writesLeft, context);
      if (this.#state.isPartial) this.#partial = [entry];
      writesLeft -= writes;
      if (writesLeft <= 0) break;
    }
    this.#node.applied(this.#state.index);
    if (!served && this.#node.serves) this.#onServing(context);
    if (this.#state.index < this.#committed) {
      this.#applying = true;
      context.send(context.self, { kind: 'shard.apply' });
    }
    this.#feed.maybeFeed(context);
    this.#collector.maybeSchedule(context);
  }

  /** Applies the entry, up to `writesMax` of its writes; returns about how many it took. */
  #applyEntry(entry: LogEntry, writesMax: number, context: Context<ReplicaMessage>): number {
    const flight = this.#flights.find(entry.index);
    let took = 1;
    if (flight === undefined) {
      if (this.#state.apply(entry, writesMax) === 'partly') return writesMax;
    } else {
      const { writes, fences = [] } = flight.proposal;
      const applied = this.#state.apply(entry, writesMax, { writes, fences }, flight.checked);
      if (applied === 'partly') return writesMax;
      assert(applied === 'applied', 'a transaction was proposed twice', entry.transaction);
      took += writes.length;
      for (const write of writes) this.#sequences.applied(write);
      this.#flights.land(flight);
      this.#commit(flight, entry.timestamp, context);
      for (const waiter of this.#flights.takeWaiters(entry.index)) {
        this.#answerWaiter(waiter, entry.timestamp, context);
      }
    }
    this.#clock.observe(entry.timestamp);
    this.#feed.applied(entry.payload.length);
    if (entry.kind === 'gc') this.#collector.applied(entry.index, context);
    return took;
  }

  #onServing(context: Context<ReplicaMessage>): void {
    context.log('info', 'shard.ready', {
      shard: this.#parts.shard,
      term: this.#node.term,
      appliedIndex: this.#state.index,
    });
  }

  #collect(context: Context<ReplicaMessage>): void {
    if (this.#failure !== undefined || !this.#node.serves) return;
    const payload = this.#collector.next(context, (this.#node.lastIndex + 1) as LogIndex);
    if (payload === undefined) return;
    const draft = this.#draft('gc', payload, context.wallMs);
    this.#node.step({ kind: 'raft.propose', drafts: [draft] }, context.nowMs);
    this.#carryOut(context);
  }

  #answerWaiter(waiter: Waiter, timestamp: Timestamp, context: Context<ReplicaMessage>): void {
    if (waiter.reason === undefined) this.#commit(waiter, timestamp, context);
    else this.#refuse(waiter, waiter.reason, textOf(waiter.reason), context);
  }

  #commit({ token, replyTo }: Asker, timestamp: Timestamp, context: Context<ReplicaMessage>): void {
    this.#series.proposals.committed.value += 1;
    context.send(replyTo, { kind: 'shard.committed', token, timestamp });
  }

  #refuse(
    { token, replyTo }: Asker,
    reason: RefusedMessage['reason'],
    text: string,
    context: Context<ReplicaMessage>,
  ): void {
    const outcome = reason === 'conflict' || reason === 'staleObject' ? reason : 'refused';
    this.#series.proposals[outcome].value += 1;
    context.send(replyTo, { kind: 'shard.refused', token, reason, text });
  }

  /** The engine has stopped: what is under way may or may not be durable; nothing new is taken. */
  #fail(failure: EngineFailedMessage, context: Context<ReplicaMessage>): void {
    this.#failure = failure;
    context.log('error', 'shard.engineFailed', { shard: this.#parts.shard, text: failure.text });
    const unknown = 'the store failed while the transaction was being committed';
    for (const asker of this.#flights.abandon()) {
      this.#series.proposals.failed.value += 1;
      const { token, replyTo } = asker;
      const reason = 'statement_completion_unknown';
      context.send(replyTo, { kind: 'shard.refused', token, reason, text: unknown });
    }
    for (let { first } = this.#arrivals; first !== undefined; { first } = this.#arrivals) {
      this.#refuse(first.message, failure.reason, failure.text, context);
      this.#arrivals.removeFirst();
    }
  }

  #measure(): void {
    const series = this.#series;
    series.term.value = this.#node.term;
    series.commitIndex.value = this.#node.commitIndex;
    series.appliedIndex.value = this.#state.index;
    series.logEntries.value = this.#log.lastIndex - this.#log.firstIndex + 1;
    series.overlayBytes.value = this.#overlay.bytes;
    series.historyPending.value = this.#state.garbage;
    series.snapshots.value = this.#snapshots.size;
  }
}

function textOf(reason: RefusedMessage['reason']): string {
  return reason === 'staleObject'
    ? 'an object that the statement uses was changed'
    : 'could not serialize access due to concurrent update';
}
