/**
 * The replica actor: one member of a shard's Raft group with the state that its log has made.
 *
 *     propose -> leader -> admit: check, stamp, latch -> log -> durable -> committed -> applied -> answer
 *
 * Its parts: the {@link Driver} has the Raft core and the log, the {@link Applier} makes of committed entries
 * the state that sessions read through {@link ReplicaAccess}, {@link Leadership} admits proposals
 * while it leads, the {@link Outbox} hands them to the leader while another does. This class brings messages to
 * them and tells them when leaders come and go.
 *
 * Recovery is the same path: what the log holds beyond the applied state is committed by the first entry of
 * a new term, and applied before anything is served.
 *
 * Invariants:
 * - A proposal is answered `committed` only after its entry is durable on a majority and applied.
 * - What was admitted, or handed to a leader, is answered by what the log says became of it.
 */
import type { Actor, Context, Place, Ref } from '../actors/actor.js';
import { assert, unreachable } from '../base/assert.js';
import type { LogIndex, Term } from '../base/ids.js';
import type { Ready } from '../raft/index.js';
import type { ReplicaAccess } from './access.js';
import { type Ask, textOf } from './answers.js';
import { proposalBytes } from './arrivals.js';
import type { Driver } from './driver.js';
import type { ImageMessage } from './image-messages.js';
import type { EngineFailedMessage, ReplicaMessage } from './messages.js';
import { noLeaderText } from './outbox.js';
import { makeParts, type Parts, type ReplicaParts } from './parts.js';
import type { ForwardMessage, PeerMessage, RaftPeerMessage } from './peer.js';
import type {
  ProposeMessage,
  ReadMessage,
  Refusal,
  TakeNumbersMessage,
  WriteMessage,
} from './protocol.js';

/** What the simulator looks at from outside. */
export interface ObservedReplica {
  readonly raft: Driver['raft'];
  readonly log: Parts['log'];
  readonly appliedIndex: LogIndex;
  /** Equal at replicas that have applied the same entries. Reads the whole state. */
  stateHash(): string;
}

export class Replica implements Actor<ReplicaMessage>, ObservedReplica {
  readonly #parts: Parts;
  /** What it was the last time that it looked. */
  #ledTerm: Term | undefined;
  #served = false;
  #leader: Driver['raft']['leader'];
  #candidateTerm = 0;
  #retaining = false;
  /** What other replicas asked of this leader while it did not serve. */
  #early: ForwardMessage[] = [];
  readonly #onStopped: () => void;

  constructor(
    given: ReplicaParts,
    place: Place,
    self: Ref<ReplicaMessage>,
    onStopped: () => void,
  ) {
    this.#onStopped = onStopped;
    this.#parts = makeParts(given, place, self, (ready, context) => this.#onReady(ready, context));
  }

  stopped(): void {
    this.#onStopped();
  }

  get access(): ReplicaAccess {
    return this.#parts.access;
  }

  get raft(): Driver['raft'] {
    return this.#parts.driver.raft;
  }

  get log(): Parts['log'] {
    return this.#parts.log;
  }

  get appliedIndex(): LogIndex {
    return this.#parts.state.index;
  }

  stateHash(): string {
    return this.#parts.hashes.whole();
  }

  receive(message: ReplicaMessage, context: Context<ReplicaMessage>): void {
    const { standing } = this.#parts;
    // Nothing more becomes durable: who waits has been told, and the process ends.
    if (standing.failure === undefined) this.#receive(message, context);
    else this.#refuseAll(message, standing.failure, context);
  }

  #receive(message: ReplicaMessage, context: Context<ReplicaMessage>): void {
    const { driver, leadership, applier, feed, outbox, reads, hashes, members } = this.#parts;
    const { imageReceiver } = this.#parts;
    switch (message.kind) {
      case 'shard.propose':
        this.#onPropose(message, context);
        return;
      case 'shard.read':
        this.#onRead(message, context);
        return;
      case 'shard.takeNumbers':
        this.#onTakeNumbers(message, context);
        return;
      case 'shard.write':
        this.#onWrite(message, context);
        return;
      case 'shard.heartbeat':
      case 'shard.append':
        if (this.#isForeign(message)) return;
        this.#onRaft(message, context);
        break;
      case 'shard.forward':
        if (this.#isForeign(message)) return;
        this.#onForward(message, context);
        break;
      case 'shard.forwarded':
        if (this.#isForeign(message)) return;
        outbox.onForwarded(message, context);
        break;
      case 'shard.admit':
        leadership.onAdmit(context);
        break;
      case 'shard.ask':
        reads.onAsk(context);
        break;
      case 'shard.apply':
        applier.onApply(context);
        break;
      case 'shard.persisted':
        driver.onPersisted(message, context);
        feed.onDurable(context);
        break;
      case 'shard.fed':
        feed.onFed(message, context);
        leadership.goOn(context);
        imageReceiver.look(context);
        break;
      case 'shard.tick':
        driver.onTimer(context);
        break;
      case 'shard.disk':
        driver.onDiskTimer(context);
        break;
      case 'shard.feed':
        feed.onTimer(context);
        return;
      case 'shard.collect':
        this.#collect(context);
        break;
      case 'shard.retry':
        outbox.onTimer(context);
        break;
      case 'shard.reread':
        reads.onTimer(context);
        break;
      case 'shard.leaderless':
        this.#onLeaderless(context);
        break;
      case 'shard.retain':
        this.#onRetainTimer(context);
        return;
      case 'shard.hash':
        hashes.add(message, context);
        return;
      case 'shard.hashStep':
        hashes.step(context);
        return;
      case 'shard.follow':
      case 'shard.inspect':
      case 'shard.peerDown':
      case 'shard.timing':
      case 'shard.reconfigure':
      case 'shard.transfer':
        members.receive(message, context);
        break;
      case 'shard.image':
      case 'shard.imageChunk':
      case 'shard.imageAnswer':
      case 'shard.imageStep':
      case 'shard.imageTimer':
      case 'shard.imageSaved':
        this.#onImage(message, context);
        break;
      case 'actor.started':
        this.#start(context);
        break;
      case 'shard.engineFailed':
        this.#fail(message, context);
        return;
      default:
        unreachable(message);
    }
    this.#goOn(context);
  }

  #start(context: Context<ReplicaMessage>): void {
    const { driver, makeRaft, limits, standing, log } = this.#parts;
    const { nowMs, random } = context;
    const lost = { needsSnapshot: !standing.isWhole, lostEntries: log.damage !== undefined };
    driver.restart(makeRaft({ nowMs, random: random.split(), ...lost }));
    context.setTimer('shard.leaderless', limits.leaderWaitMs, { kind: 'shard.leaderless' });
    driver.step({ kind: 'raft.tick' }, context);
  }

  #onImage(message: ImageMessage, context: Context<ReplicaMessage>): void {
    const { imageSender, imageReceiver } = this.#parts;
    switch (message.kind) {
      case 'shard.image':
        if (!this.#isForeign(message)) imageReceiver.onBegin(message, context);
        return;
      case 'shard.imageChunk':
        if (!this.#isForeign(message)) imageReceiver.onChunk(message, context);
        return;
      case 'shard.imageAnswer':
        if (!this.#isForeign(message)) imageSender.onAnswer(message, context);
        return;
      case 'shard.imageStep':
        imageSender.step(context);
        imageReceiver.step(context);
        return;
      case 'shard.imageTimer':
        imageSender.onTimer(context);
        return;
      case 'shard.imageSaved':
        imageReceiver.onSaved(message, context);
        return;
      default:
        unreachable(message);
    }
  }

  /** Whether the message comes from another cluster: that is counted, and it goes no further. */
  #isForeign({ cluster }: PeerMessage): boolean {
    if (cluster === this.#parts.cluster) return false;
    this.#parts.series.foreign.value += 1;
    return true;
  }

  #onRaft({ message }: RaftPeerMessage, context: Context<ReplicaMessage>): void {
    const { node, driver } = this.#parts;
    // A message that was meant for the node that had this address before.
    if (message.to !== node || message.from === node) return;
    driver.step(message, context);
  }

  #onPropose(message: ProposeMessage, context: Context<ReplicaMessage>): void {
    assert(message.shard === this.#parts.shard, 'a proposal for another shard', message.shard);
    const { proposal, token, replyTo } = message;
    const bytes = proposalBytes(proposal);
    const { nowMs } = context;
    this.#take({ proposal, bytes, token, asker: replyTo, sinceMs: nowMs, handedOver: false }, context);
  }

  #take(ask: Ask, context: Context<ReplicaMessage>): void {
    const { driver, leadership, outbox, answers } = this.#parts;
    const refusal = this.#refusal(ask.bytes);
    if (refusal !== undefined) answers.refuse(ask, refusal.reason, refusal.text, context);
    else if (driver.raft.serves) leadership.take(ask, context);
    else outbox.keep(ask, context);
  }

  /** Why a proposal of that size is not taken now. */
  #refusal(bytes: number): Refusal | undefined {
    const { leadership, outbox, limits, standing, witness } = this.#parts;
    const { proposalsMax, proposalBytesMax, entryBytesMax } = limits;
    if (bytes > entryBytesMax) {
      const text = `changes of ${bytes} bytes in one transaction; the limit is ${entryBytesMax}`;
      return { reason: 'program_limit_exceeded', text };
    }
    const count = leadership.count + outbox.count;
    if (count >= proposalsMax || leadership.bytes + outbox.bytes > proposalBytesMax) {
      const text = `${count} transactions are committing; no more are taken`;
      return { reason: 'configuration_limit_exceeded', text };
    }
    if (standing.noQuorum) return { reason: 'no_quorum', text: noLeaderText };
    return witness ? standing.refusal : undefined;
  }

  #onRead(message: ReadMessage, context: Context<ReplicaMessage>): void {
    const { access, reads, series, standing, witness } = this.#parts;
    if (access.readable(context.nowMs)) {
      series.readsByLease.value += 1;
      reads.answer(message, context);
    } else if (standing.noQuorum || !standing.isWhole || witness) {
      const { reason, text } = standing.refusal ?? { reason: 'no_quorum', text: noLeaderText };
      context.send(message.replyTo, { kind: 'shard.refused', token: message.token, reason, text });
    } else {
      this.#retainSoon(context);
      reads.add(message, context);
    }
  }

  #onTakeNumbers(message: TakeNumbersMessage, context: Context<ReplicaMessage>): void {
    const { driver, outbox, limits, standing } = this.#parts;
    const { token, replyTo } = message;
    if (driver.raft.serves) this.#giveNumbers(message, context);
    else if (standing.noQuorum) {
      const text = noLeaderText;
      context.send(replyTo, { kind: 'shard.refused', token, reason: 'no_quorum', text });
    } else if (outbox.count >= limits.proposalsMax) {
      const text = 'too many requests wait for the leader';
      const reason = 'configuration_limit_exceeded';
      context.send(replyTo, { kind: 'shard.refused', token, reason, text });
    } else outbox.keepNumbers(message, context);
  }

  #giveNumbers(message: TakeNumbersMessage, context: Context<ReplicaMessage>): void {
    const { key, start, increment, count, token, replyTo } = message;
    const last = this.#parts.access.advanceSequence(key, start, increment, count);
    const { term } = this.#parts.driver.raft;
    context.send(replyTo, { kind: 'shard.numbers', token, last, term });
  }

  /** A small write of this node itself becomes a proposal as any other. */
  #onWrite(message: WriteMessage, context: Context<ReplicaMessage>): void {
    const { state, epochs, standing, answers, shard } = this.#parts;
    const { token, replyTo } = message;
    const asker = { token, asker: replyTo };
    const transaction = standing.isWhole ? epochs.next() : undefined;
    if (transaction === undefined) {
      const { reason, text } = standing.refusal ?? { reason: 'cannot_connect_now', text: 'not yet' };
      answers.refuse(asker, reason, text, context);
      return;
    }
    const snapshot = state.timestamp;
    const writes: ProposeMessage['proposal']['writes'][number][] = [];
    for (const { key, was, value } of message.writes) {
      const is = this.#parts.access.get(key, snapshot);
      const same = is === undefined ? was === undefined : was !== undefined && equal(is, was);
      if (!same) {
        answers.refuse(asker, 'conflict', textOf('conflict'), context);
        return;
      }
      writes.push(value === undefined ? { op: 'delete', key } : { op: 'put', key, value });
    }
    const guards = message.writes.map(({ key }) => key);
    const proposal = { transaction, snapshot, writes, guards, objects: [] };
    this.#onPropose({ kind: 'shard.propose', shard, token, proposal, replyTo }, context);
  }

  #onForward(message: ForwardMessage, context: Context<ReplicaMessage>): void {
    const { driver, answers, leadership, sequences, retention, node, limits } = this.#parts;
    const { from, token, work } = message;
    if (from === node) return;
    if (!driver.raft.serves) {
      // Elected and not serving yet, or handing over: one way or the other it is known soon.
      if (driver.raft.role !== 'leader') {
        answers.forwarded(from, token, { outcome: 'notLeader' }, context);
      } else if (this.#early.length < limits.proposalsMax) this.#early.push(message);
      return;
    }
    switch (work.work) {
      case 'propose': {
        const { proposal } = work;
        const bytes = proposalBytes(proposal);
        const sinceMs = context.nowMs;
        this.#take({ proposal, bytes, token, asker: from, sinceMs, handedOver: false }, context);
        return;
      }
      case 'takeNumbers': {
        const { key, start, increment, count } = work;
        const last = sequences.take(key, start, increment, count);
        const { term } = driver.raft;
        answers.forwarded(from, token, { outcome: 'numbers', last, term }, context);
        return;
      }
      case 'takeEpoch':
        leadership.giveEpoch({ node: from, token }, work.floor, context);
        return;
      case 'retain':
        retention.report(from, work.at, context.nowMs);
        return;
      default:
        unreachable(work);
    }
  }

  #onReady(ready: Ready, context: Context<ReplicaMessage>): void {
    if (ready.reads.length > 0) this.#parts.reads.onAnswers(ready.reads, context);
    if (ready.snapshots.length > 0) this.#parts.imageSender.want(ready.snapshots);
  }

  /** After a turn that may have moved anything: applies, and looks who leads. */
  #goOn(context: Context<ReplicaMessage>): void {
    const { driver, applier, state, outbox, reads, hashes, members, imageSender } = this.#parts;
    const before = state.index;
    do {
      driver.carryOut(context);
      applier.apply(context);
      this.#look(context);
      imageSender.look(context);
    } while (driver.raft.hasReady);
    if (state.index !== before) {
      outbox.onApplied(context);
      reads.onApplied(context);
      hashes.onApplied(context);
    }
    members.look(context);
    this.#measure();
  }

  /** Notices who leads and what this replica may do, and tells its parts what has changed. */
  #look(context: Context<ReplicaMessage>): void {
    const { driver, epochs, series, witness, collector, leadership, outbox } = this.#parts;
    const { raft } = driver;
    const leads = raft.role === 'leader';
    if (this.#ledTerm !== undefined && (!leads || raft.term !== this.#ledTerm)) {
      this.#ledTerm = undefined;
      this.#served = false;
      this.#onDeposed(context);
    }
    if (leads && this.#ledTerm === undefined) {
      this.#ledTerm = raft.term;
      collector.reset();
    }
    if (raft.role === 'candidate' && raft.term !== this.#candidateTerm) {
      this.#candidateTerm = raft.term;
      series.elections.value += 1;
    }
    if (raft.serves !== this.#served) {
      this.#served = raft.serves;
      if (this.#served) this.#onServing(context);
      else for (const ask of leadership.holdArrived()) this.#hold(ask, context);
    }
    if (raft.leader !== this.#leader) this.#onLeader(context);
    if (!epochs.wanted || witness) return;
    if (raft.serves) {
      outbox.dropEpoch();
      leadership.giveEpoch({ node: undefined, token: 0 }, this.#parts.incarnation, context);
    } else if (raft.leader !== undefined && !leads) {
      outbox.keepEpoch(this.#parts.incarnation, context);
    }
  }

  #onServing(context: Context<ReplicaMessage>): void {
    const { shard, driver, state, leadership, outbox, reads, collector } = this.#parts;
    const { term } = driver.raft;
    context.log('info', 'shard.ready', { shard, term, appliedIndex: state.index });
    for (const ask of outbox.takeProposals()) leadership.take(ask, context);
    for (const message of outbox.takeNumbers()) this.#giveNumbers(message, context);
    for (const message of this.#early.splice(0)) this.#onForward(message, context);
    reads.onLeader(context);
    collector.maybeSchedule(context);
  }

  /** Another replica leads, or nobody: what was under way is the next leader's to tell. */
  #onDeposed(context: Context<ReplicaMessage>): void {
    const { leadership, shard, driver, collector, imageSender } = this.#parts;
    imageSender.stopAll();
    const { unknown, untouched } = leadership.end();
    collector.reset();
    context.log('info', 'shard.deposed', { shard, term: driver.raft.term, underWay: unknown.length });
    if (unknown.length > 0) context.probe('shard.deposedWithFlights');
    for (const ask of unknown) {
      ask.handedOver = true;
      // Who asked from another node asks the next leader by itself.
      if (typeof ask.asker !== 'number') this.#hold(ask, context);
    }
    for (const ask of untouched) this.#hold(ask, context);
    for (const { from, token } of this.#early.splice(0)) {
      this.#parts.answers.forwarded(from, token, { outcome: 'notLeader' }, context);
    }
  }

  /** Keeps a proposal that this replica took as a leader for the next one. */
  #hold(ask: Ask, context: Context<ReplicaMessage>): void {
    const { outbox, answers } = this.#parts;
    if (typeof ask.asker !== 'number') outbox.keep(ask, context);
    else answers.forwarded(ask.asker, ask.token, { outcome: 'notLeader' }, context);
  }

  #onLeader(context: Context<ReplicaMessage>): void {
    const { driver, standing, outbox, reads, limits, series, node } = this.#parts;
    const { leader } = driver.raft;
    this.#leader = leader;
    series.leaderChanges.value += 1;
    if (leader === undefined) {
      const message = { kind: 'shard.leaderless' } as const;
      context.setTimer('shard.leaderless', limits.leaderWaitMs, message);
      return;
    }
    context.cancelTimer('shard.leaderless');
    standing.noQuorum = false;
    reads.onLeader(context);
    if (leader !== node) outbox.onLeader(context);
  }

  #onLeaderless(context: Context<ReplicaMessage>): void {
    const { standing, outbox, reads, shard, driver } = this.#parts;
    if (driver.raft.leader !== undefined || standing.noQuorum) return;
    standing.noQuorum = true;
    context.probe('shard.noQuorum');
    context.log('warn', 'shard.noQuorum', { shard, term: driver.raft.term });
    outbox.giveUpAll(context);
    reads.refuseAll('no_quorum', noLeaderText, context);
  }

  #collect(context: Context<ReplicaMessage>): void {
    const { driver, collector, leadership } = this.#parts;
    if (!driver.raft.serves) {
      collector.onTimer();
      return;
    }
    const payload = collector.next(context, (driver.raft.lastIndex + 1) as LogIndex);
    if (payload === undefined) return;
    leadership.propose([leadership.draft('gc', payload, context.wallMs)], context);
  }

  /** While snapshots are open here the leader is told what they need. */
  #retainSoon(context: Context<ReplicaMessage>): void {
    if (this.#retaining) return;
    this.#retaining = true;
    context.setTimer('shard.retain', this.#parts.limits.retainReportMs, { kind: 'shard.retain' });
  }

  #onRetainTimer(context: Context<ReplicaMessage>): void {
    const { snapshots, driver, node, cluster } = this.#parts;
    this.#retaining = false;
    const { oldest } = snapshots;
    const { leader } = driver.raft;
    if (oldest === undefined) return;
    if (leader !== undefined && leader !== node) {
      const work = { work: 'retain', at: oldest } as const;
      const message = { kind: 'shard.forward', cluster, from: node, token: 0, work } as const;
      driver.sendPeer(leader, message, context);
      context.probe('shard.snapshotReported');
    }
    this.#retainSoon(context);
  }

  /** The engine has stopped: what is under way may or may not be durable; nothing new is taken. */
  #fail(failure: EngineFailedMessage, context: Context<ReplicaMessage>): void {
    const { standing, leadership, outbox, reads, answers, shard } = this.#parts;
    standing.failure = { reason: failure.reason, text: failure.text };
    context.log('error', 'shard.engineFailed', { shard, text: failure.text });
    const text = 'the store failed while the transaction was being committed';
    const { unknown, untouched } = leadership.end();
    for (const ask of unknown) {
      if (typeof ask.asker === 'number') continue;
      answers.refuse(ask, 'statement_completion_unknown', text, context);
    }
    for (const ask of untouched) {
      if (typeof ask.asker === 'number') this.#hold(ask, context);
      else answers.refuse(ask, failure.reason, failure.text, context);
    }
    outbox.giveUpAll(context);
    reads.refuseAll(failure.reason, failure.text, context);
  }

  #refuseAll(message: ReplicaMessage, failure: Refusal, context: Context<ReplicaMessage>): void {
    const { answers } = this.#parts;
    switch (message.kind) {
      case 'shard.propose':
      case 'shard.read':
      case 'shard.takeNumbers':
      case 'shard.write': {
        const { token, replyTo } = message as ProposeMessage;
        answers.refuse({ token, asker: replyTo }, failure.reason, failure.text, context);
        return;
      }
      default:
    }
  }

  #measure(): void {
    const { series, driver, state, log, overlay, snapshots } = this.#parts;
    const { raft } = driver;
    series.term.value = raft.term;
    series.leads.value = raft.serves ? 1 : 0;
    series.leader.value = raft.leader ?? 0;
    series.hibernating.value = raft.hibernating ? 1 : 0;
    series.commitIndex.value = raft.commitIndex;
    series.appliedIndex.value = state.index;
    series.logEntries.value = log.lastIndex - log.firstIndex + 1;
    series.overlayBytes.value = overlay.bytes;
    series.historyPending.value = state.garbage;
    series.snapshots.value = snapshots.size;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
