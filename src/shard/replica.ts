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
import { unreachable } from '../base/assert.js';
import { DatabaseError } from '../base/errors.js';
import type { LogIndex, Term } from '../base/ids.js';
import type { Ready } from '../raft/index.js';
import type { ReplicaAccess } from './access.js';
import type { Driver } from './driver.js';
import type { ImageMessage } from './image-messages.js';
import type { EngineFailedMessage, OwnMessage, ReplicaMessage, TimerMessage } from './messages.js';
import { measure } from './measure.js';
import { noLeaderText } from './outbox.js';
import { makeParts, type Parts, type ReplicaParts } from './parts.js';
import type { ForwardedMessage, ForwardMessage, PeerMessage, RaftPeerMessage } from './peer.js';
import { isRequest, Requests } from './requests.js';
import { membersOf } from './standing.js';

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
  readonly #requests: Requests;
  /** What it was the last time that it looked. */
  #ledTerm: Term | undefined;
  #served = false;
  #leader: Driver['raft']['leader'];
  #candidateTerm = 0;
  readonly #onStopped: () => void;

  constructor(given: ReplicaParts, place: Place, self: Ref<ReplicaMessage>, onStopped: () => void) {
    this.#onStopped = onStopped;
    this.#parts = makeParts(given, place, self, {
      onReady: (ready, context) => this.#onReady(ready, context),
      propose: (ask, context) => this.#requests.take(ask, context),
    });
    this.#requests = new Requests(this.#parts);
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
    const { standing, driver } = this.#parts;
    if (standing.failure !== undefined) {
      this.#refuse(message, context);
      return;
    }
    driver.compareClocks(context);
    try {
      this.#receive(message, context);
    } catch (error) {
      const damaged = error instanceof DatabaseError && error.kind === 'data_corrupted';
      if (!damaged || this.#isAlone) throw error;
      standing.noteDamage(error.message);
    }
    if (standing.damage !== undefined) this.#onDamage(standing.damage, context);
  }

  /** Nothing more becomes durable: who waits has been told, and the process ends. */
  #refuse(message: ReplicaMessage, context: Context<ReplicaMessage>): void {
    const { failure } = this.#parts.standing;
    if (failure === undefined) return;
    switch (message.kind) {
      case 'shard.propose':
      case 'shard.read':
      case 'shard.takeNumbers':
      case 'shard.write':
      case 'shard.lock':
        this.#requests.refuse(message, failure, context);
        return;
      default:
    }
  }

  get #isAlone(): boolean {
    return membersOf(this.#parts.driver.raft.configuration).size <= 1;
  }

  /** Bytes are not those that were written: the other members have them still. */
  #onDamage(text: string, context: Context<ReplicaMessage>): void {
    const { standing, series, shard, driver, imageReceiver, makeRaft } = this.#parts;
    standing.damage = undefined;
    // Who read it was told; nobody else has the data.
    if (this.#isAlone) return;
    const ofLog = standing.logDamaged;
    standing.logDamaged = false;
    series.damages.value += 1;
    context.probe(ofLog ? 'shard.logDamaged' : 'shard.stateDamaged');
    context.log('error', 'shard.damaged', { shard, text });
    if (ofLog) {
      const life = { random: context.random.split(), needsSnapshot: true, lostEntries: true };
      driver.halt(() => makeRaft({ nowMs: driver.nowMs, ...life }), context);
    }
    imageReceiver.abandonState(context);
    this.#goOn(context);
  }

  #receive(message: ReplicaMessage, context: Context<ReplicaMessage>): void {
    const { hashes, members } = this.#parts;
    if (isRequest(message)) {
      this.#requests.receive(message, context);
      return;
    }
    switch (message.kind) {
      case 'shard.heartbeat':
      case 'shard.append':
      case 'shard.forward':
      case 'shard.forwarded':
        this.#onPeer(message, context);
        break;
      case 'shard.admit':
      case 'shard.ask':
      case 'shard.apply':
      case 'shard.persisted':
      case 'shard.fed':
        this.#onOwn(message, context);
        break;
      case 'shard.tick':
      case 'shard.disk':
      case 'shard.feed':
      case 'shard.collect':
      case 'shard.retry':
      case 'shard.reread':
      case 'shard.leaderless':
      case 'shard.retain':
      case 'shard.lockTimer':
        this.#onTimer(message, context);
        break;
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

  #onOwn(message: OwnMessage, context: Context<ReplicaMessage>): void {
    const { driver, leadership, applier, feed, reads } = this.#parts;
    switch (message.kind) {
      case 'shard.admit':
        leadership.onAdmit(context);
        return;
      case 'shard.ask':
        reads.onAsk(context);
        return;
      case 'shard.apply':
        applier.onApply(context);
        return;
      case 'shard.persisted':
        driver.onPersisted(message, context);
        feed.onDurable(context);
        return;
      case 'shard.fed':
        feed.onFed(message, context);
        leadership.goOn(context);
        this.#parts.imageReceiver.look(context);
        return;
      default:
        unreachable(message);
    }
  }

  #onPeer(
    message: RaftPeerMessage | ForwardMessage | ForwardedMessage,
    context: Context<ReplicaMessage>,
  ): void {
    if (this.#isForeign(message)) return;
    switch (message.kind) {
      case 'shard.heartbeat':
      case 'shard.append':
        this.#onRaft(message, context);
        return;
      case 'shard.forward':
        this.#requests.onForward(message, context);
        return;
      case 'shard.forwarded':
        this.#parts.outbox.onForwarded(message, context);
        return;
      default:
        unreachable(message);
    }
  }

  #onTimer(message: TimerMessage, context: Context<ReplicaMessage>): void {
    const { driver, feed, outbox, reads } = this.#parts;
    switch (message.kind) {
      case 'shard.tick':
        driver.onTimer(context);
        return;
      case 'shard.disk':
        driver.onDiskTimer(context);
        return;
      case 'shard.feed':
        feed.onTimer(context);
        return;
      case 'shard.collect':
        this.#collect(context);
        return;
      case 'shard.retry':
        outbox.onTimer(context);
        return;
      case 'shard.reread':
        reads.onTimer(context);
        return;
      case 'shard.leaderless':
        this.#onLeaderless(context);
        return;
      case 'shard.retain':
        this.#requests.onRetainTimer(context);
        return;
      case 'shard.lockTimer':
        this.#parts.locks.onTimer(context);
        return;
      default:
        unreachable(message.kind);
    }
  }

  #start(context: Context<ReplicaMessage>): void {
    const { driver, makeRaft, limits, standing, log, imageReceiver } = this.#parts;
    const { nowMs, random } = context;
    const lost = { needsSnapshot: !standing.isWhole, lostEntries: log.damage !== undefined };
    driver.restart(makeRaft({ nowMs, random: random.split(), ...lost }));
    context.setTimer('shard.leaderless', limits.leaderWaitMs, { kind: 'shard.leaderless' });
    driver.step({ kind: 'raft.tick' }, context);
    imageReceiver.seek(context);
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
        imageReceiver.seek(context);
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

  #onReady(ready: Ready, context: Context<ReplicaMessage>): void {
    if (ready.reads.length > 0) this.#parts.reads.onAnswers(ready.reads, context);
    if (ready.snapshots.length > 0) this.#parts.imageSender.want(ready.snapshots);
  }

  /** After a turn that may have moved anything: applies, and looks who leads. */
  #goOn(context: Context<ReplicaMessage>): void {
    const { driver, applier, state, outbox, reads, hashes, members, imageSender, log, locks } =
      this.#parts;
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
    if (log.damage !== undefined && !driver.raft.recovering) driver.recovered(context);
    members.look(context);
    locks.look(context);
    measure(this.#parts);
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
      else for (const ask of leadership.holdArrived()) this.#requests.hold(ask, context);
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
    const { shard, driver, state, reads, collector, leases } = this.#parts;
    const { term } = driver.raft;
    leases.serve(term, context.nowMs);
    context.log('info', 'shard.ready', { shard, term, appliedIndex: state.index });
    this.#requests.onServing(context);
    reads.onLeader(context);
    collector.maybeSchedule(context);
  }

  /** Another replica leads, or nobody: what was under way is the next leader's to tell. */
  #onDeposed(context: Context<ReplicaMessage>): void {
    const { leadership, shard, driver, collector, imageSender } = this.#parts;
    imageSender.stopAll();
    const { unknown, untouched } = leadership.end();
    collector.reset();
    context.log('info', 'shard.deposed', {
      shard,
      term: driver.raft.term,
      underWay: unknown.length,
    });
    if (unknown.length > 0) context.probe('shard.deposedWithFlights');
    for (const ask of unknown) {
      ask.handedOver = true;
      // Who asked from another node asks the next leader by itself.
      if (typeof ask.asker !== 'number') this.#requests.hold(ask, context);
    }
    for (const ask of untouched) this.#requests.hold(ask, context);
    this.#requests.onDeposed(context);
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
      if (typeof ask.asker === 'number') this.#requests.hold(ask, context);
      else answers.refuse(ask, failure.reason, failure.text, context);
    }
    outbox.giveUpAll(context);
    reads.refuseAll(failure.reason, failure.text, context);
  }
}
