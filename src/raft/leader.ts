/** What a member does as the leader of a term. */
import { assert, must } from '../base/assert.js';
import type { LogIndex, NodeId } from '../base/ids.js';
import type { Configuration } from '../storage/index.js';
import type { EntryDraft, MemberProgress, Members } from './contract.js';
import {
  allMembers,
  changeRefusal,
  finalOf,
  isJoint,
  isVoter,
  isWitness,
  jointOf,
  rolledBack,
  votersChanged,
} from './membership.js';
import type { AppendAnswer, ReadIndexRequest } from './message.js';
import { LeaderReads } from './reads.js';
import { Replication } from './replication.js';
import type { MemberState } from './state.js';
import { Transfer } from './transfer.js';

/** A learner that lacks more entries than this does not become a voter. */
const behindMax = 1024;

/**
 * Invariants:
 * - A leader only appends: it never replaces or removes an entry of its own log.
 * - It commits by counting only entries of its own term (section 5.4.2).
 * - It has one change of the members under way at a time, and none before it knows what is committed.
 * - A lease lies within the promises of a majority.
 */
export class Leader {
  readonly #state: MemberState;
  readonly #replication: Replication;
  readonly #reads = new LeaderReads();
  /** The leader's first entry. Before it is committed the leader does not know what is. */
  readonly #noopIndex: LogIndex;
  #transfer: Transfer | undefined;
  #leaseUntilMs = Number.NEGATIVE_INFINITY;
  #heartbeatAtMs: number;
  #quorumCheckAtMs: number;
  /** Answers are missed from then on only: a hibernating leader gets none. */
  #awakeSinceMs: number;
  /** It has been given time to hear the answers that came while it stood still; once before it steps down. */
  #excused = false;
  /** The last time that there was something to do. */
  #busyMs: number;
  #hibernating = false;
  /** It must lead no more. */
  over = false;

  constructor(state: MemberState) {
    const { nowMs, tail, timeouts } = state;
    this.#state = state;
    this.#replication = new Replication(state);
    this.#noopIndex = (tail.lastIndex + 1) as LogIndex;
    this.#heartbeatAtMs = nowMs + state.timing.heartbeatMs;
    this.#quorumCheckAtMs = nowMs + timeouts.quorumMs;
    this.#awakeSinceMs = nowMs;
    this.#busyMs = nowMs;
    this.#append(state.noop());
  }

  get serves(): boolean {
    return this.#knowsCommitted && !this.#isHandingOver;
  }

  get hibernating(): boolean {
    return this.#hibernating;
  }

  get transferTo(): NodeId | undefined {
    return this.#transfer?.to;
  }

  get progress(): MemberProgress[] {
    return this.#replication.status();
  }

  /** For how long the lease still holds, milliseconds. */
  leaseMs(nowMs: number): number {
    const { rules, isSoleVoter } = this.#state;
    if (!this.#knowsCommitted || (this.#isHandingOver && rules.leaseEndsWithTransfer)) return 0;
    // Nobody else can be elected.
    if (isSoleVoter) return Number.POSITIVE_INFINITY;
    if (this.#hibernating || !this.#state.timing.leaseReads) return 0;
    // One that is to go: a lone voter that stays and restarts waits for no promise.
    if (!isVoter(this.#state.configuration, this.#state.id)) return 0;
    return Math.max(0, this.#leaseUntilMs - nowMs);
  }

  /** Whether others have promised to vote for nobody yet, whatever that is used for. */
  get isPromised(): boolean {
    return this.#state.nowMs < this.#leaseUntilMs;
  }

  /** The round of the request to take over, while one is out. */
  get handedOverRound(): number | undefined {
    return this.#isHandingOver ? this.#replication.round : undefined;
  }

  get hasReady(): boolean {
    if (this.#hibernating) return false;
    return this.#replication.wanted || (this.#reads.wantRound && !this.#replication.frozen);
  }

  get deadlineMs(): number {
    if (this.#hibernating || !this.#replication.hasOthers) return Number.POSITIVE_INFINITY;
    const transfer = this.#transfer?.endMs ?? Number.POSITIVE_INFINITY;
    const { newsAtMs } = this.#replication;
    return Math.min(this.#heartbeatAtMs, this.#quorumCheckAtMs, transfer, newsAtMs);
  }

  propose(drafts: readonly EntryDraft[]): void {
    assert(!this.#isHandingOver, 'a leader that hands over takes nothing', this.transferTo);
    this.wake();
    this.#busyMs = this.#state.nowMs;
    for (const draft of drafts) this.#append(draft);
  }

  read(read: number): void {
    this.wake();
    const { nowMs, commitIndex, reads } = this.#state;
    this.#busyMs = nowMs;
    if (this.leaseMs(nowMs) > 0) reads.push({ read, index: commitIndex });
    else this.#reads.addOwn(read, commitIndex);
  }

  onReadIndex({ from, read }: ReadIndexRequest): void {
    if (this.#replication.of(from) === undefined) return;
    this.wake();
    const { nowMs, commitIndex } = this.#state;
    this.#busyMs = nowMs;
    if (this.leaseMs(nowMs) > 0) this.#answerRead(from, read, commitIndex);
    else this.#reads.addAsked(from, read, commitIndex);
  }

  onAppendAnswer(answer: AppendAnswer): void {
    const progress = this.#replication.of(answer.from);
    if (progress === undefined) return;
    const behind = answer.refused !== undefined || answer.needsSnapshot;
    if (behind || answer.receivedIndex < this.#state.tail.lastIndex) this.wake();
    const counts = this.#replication.onAnswer(progress, answer);
    this.#extendLease();
    if (counts) this.#maybeCommit();
    this.#answerReads();
    this.#advanceTransfer();
  }

  /** Entries that were on their way to this member's disk are there. */
  onPersisted(): void {
    this.#replication.wanted = true;
    this.#maybeCommit();
  }

  tick(): void {
    const { nowMs, timing } = this.#state;
    if (this.#hibernating) return;
    if (nowMs >= this.#quorumCheckAtMs && !this.#hasQuorum() && !this.#excusesLateness()) {
      this.over = true;
      return;
    }
    this.#tickTransfer();
    if (nowMs >= this.#replication.newsAtMs) this.#replication.wanted = true;
    if (nowMs < this.#heartbeatAtMs) return;
    this.#heartbeatAtMs = nowMs + timing.heartbeatMs;
    this.#giveUpDisk();
    if (this.#maybeHibernate()) return;
    this.#replication.heartbeat();
  }

  /** Goes on as if it had never slept; what it knew of the others may be out of date. */
  wake(): void {
    if (!this.#hibernating) return;
    const { nowMs, timing, timeouts } = this.#state;
    this.#hibernating = false;
    this.#busyMs = nowMs;
    this.#awakeSinceMs = nowMs;
    this.#heartbeatAtMs = nowMs + timing.heartbeatMs;
    this.#quorumCheckAtMs = nowMs + timeouts.quorumMs;
    this.#replication.callAll();
  }

  clockJumped(): void {
    this.#replication.endLeases(this.#replication.frozen);
    this.#leaseUntilMs = Number.NEGATIVE_INFINITY;
    this.#replication.callAll();
  }

  timingChanged(): void {
    const { nowMs, timing, timeouts } = this.#state;
    this.#heartbeatAtMs = Math.min(this.#heartbeatAtMs, nowMs + timing.heartbeatMs);
    this.#quorumCheckAtMs = Math.min(this.#quorumCheckAtMs, nowMs + timeouts.quorumMs);
  }

  peerDown(peer: NodeId): void {
    this.#replication.peerDown(peer);
  }

  snapshotSent(to: NodeId, index: LogIndex | undefined): void {
    this.wake();
    this.#replication.snapshotSent(to, index);
  }

  /** The disk is unwell: hands over to a member that can lead, if there is one. */
  diskUnhealthy(): void {
    this.wake();
    this.#giveUpDisk();
  }

  /** Why leadership cannot be handed to `to`, or, when undefined, to anybody. */
  transferRefusal(to: NodeId | undefined): string | undefined {
    if (this.#transfer !== undefined) return `leadership goes to node ${this.#transfer.to} already`;
    if (to === undefined) {
      return this.#successor() === undefined ? 'no other member can lead now' : undefined;
    }
    if (to === this.#state.id) return `node ${to} leads already`;
    const progress = this.#replication.of(to);
    const { configuration } = this.#state;
    if (progress === undefined || !configuration.voters.includes(to))
      return `node ${to} is no voter`;
    if (isWitness(configuration, to)) return `node ${to} is a witness`;
    if (!this.#replication.isActive(progress)) return `node ${to} does not answer`;
    if (progress.state !== 'replicate') return `node ${to} lags behind`;
    return undefined;
  }

  transfer(to: NodeId | undefined): void {
    if (this.transferRefusal(to) !== undefined) return;
    this.wake();
    const target = must(to ?? this.#successor(), 'somebody can lead');
    this.#beginTransfer(target, false);
  }

  refusalOf(members: Members): string | undefined {
    const refusal = this.#strictRefusalOf(members);
    if (refusal !== undefined) return refusal;
    const { configuration, id, tail } = this.#state;
    const { voters, witnesses } = members;
    const inactive = (node: NodeId): boolean => {
      const progress = this.#replication.of(node);
      return node !== id && (progress === undefined || !this.#replication.isActive(progress));
    };
    for (const voter of voters) {
      if (configuration.voters.includes(voter) || witnesses.includes(voter)) continue;
      const progress = this.#replication.of(voter);
      const behind = tail.lastIndex - (progress?.matchIndex ?? 0);
      if (inactive(voter)) return `node ${voter} does not answer`;
      if (progress?.state !== 'replicate' || behind > behindMax) {
        return `node ${voter} lacks ${behind} entries; it must catch up first`;
      }
    }
    const active = voters.filter((voter) => !inactive(voter) || this.#isNew(voter)).length;
    if (active * 2 <= voters.length) return 'most of the new voters do not answer';
    return undefined;
  }

  reconfigure(members: Members, joint: boolean): void {
    const refusal = this.#strictRefusalOf(members);
    assert(refusal === undefined, 'a change of the members that was refused', refusal);
    this.wake();
    const { configuration } = this.#state;
    const { voters, learners, witnesses } = members;
    const next =
      joint || votersChanged(configuration, members) > 1
        ? jointOf(configuration, members)
        : { voters, outgoing: [], learners, witnesses };
    this.#appendConfiguration(next);
  }

  rollback(): void {
    const { configuration } = this.#state;
    if (!isJoint(configuration)) return;
    this.wake();
    this.#appendConfiguration(rolledBack(configuration));
  }

  /** Puts what is to be sent into the messages. */
  compose(): void {
    if (this.#hibernating) return;
    const begun = this.#replication.compose(this.#reads.wantRound);
    if (begun !== undefined) this.#reads.begin(begun);
    // A lone voter needs nobody's answer.
    this.#answerReads();
  }

  /** Leads no more: nobody can answer the reads that wait. */
  end(): void {
    for (const { own, asked } of this.#reads.takeAll()) {
      for (const read of own) this.#state.reads.push({ read, index: undefined });
      for (const { node, read } of asked) this.#sendReadIndex(node, read, undefined);
    }
  }

  /** Refusals that no passing of time and no answer of others decides. */
  #strictRefusalOf(members: Members): string | undefined {
    const { configuration, isSettled } = this.#state;
    if (!this.#knowsCommitted) return 'the leader does not know yet what is committed';
    if (!isSettled) return 'another change of the members is under way';
    if (this.#transfer !== undefined) return 'the leadership is being handed over';
    return changeRefusal(configuration, members);
  }

  get #knowsCommitted(): boolean {
    return this.#state.appliedIndex >= this.#noopIndex;
  }

  get #isHandingOver(): boolean {
    return this.#transfer?.stage === 'handingOver';
  }

  #isNew(node: NodeId): boolean {
    return !allMembers(this.#state.configuration).includes(node);
  }

  #append(draft: EntryDraft): void {
    const { term, tail } = this.#state;
    tail.append({
      term,
      index: (tail.lastIndex + 1) as LogIndex,
      kind: draft.kind,
      transaction: draft.transaction,
      timestamp: draft.timestamp,
      origin: draft.origin,
      wallMs: draft.wallMs,
      objects: draft.objects,
      client: draft.client,
      request: draft.request,
      payload: draft.payload,
    });
    this.#replication.wanted = true;
  }

  #appendConfiguration(configuration: Configuration): void {
    this.#busyMs = this.#state.nowMs;
    this.#append(this.#state.configurationDraft(configuration));
    this.#replication.syncMembers(Number.NEGATIVE_INFINITY);
    this.#extendLease();
  }

  #maybeCommit(): void {
    const { term, tail, durableIndex, commitIndex, rules } = this.#state;
    const index = this.#replication.quorum(durableIndex, (one) => one.countedIndex) as LogIndex;
    if (index <= commitIndex) return;
    const entryTerm = must(tail.termAt(index), 'a matched entry is in the log');
    assert(entryTerm <= term, 'an entry of a term to come', entryTerm, term);
    if (!rules.countsForCommit(entryTerm, term)) return;
    this.#state.commit(index);
    this.#replication.wanted = true;
    if (index >= this.#noopIndex) this.#onCommitted();
  }

  /** A change of the members goes on by itself, also one that an earlier leader began. */
  #onCommitted(): void {
    const { configuration, commitIndex, tail, id } = this.#state;
    this.#answerReads();
    if (tail.configurationIndex > commitIndex) return;
    if (isJoint(configuration)) this.#appendConfiguration(finalOf(configuration));
    else if (!configuration.voters.includes(id) && this.#transfer?.thenEnd !== true) {
      this.#handOverForGood();
    }
  }

  #handOverForGood(): void {
    const successor = this.#successor();
    if (successor === undefined) this.over = true;
    else this.#beginTransfer(successor, true);
  }

  #extendLease(): void {
    const from = this.#replication.quorum(Number.POSITIVE_INFINITY, (one) => one.leaseFromMs);
    this.#leaseUntilMs = from + this.#state.leaseMs;
  }

  #answerReads(): void {
    if (this.#state.commitIndex < this.#noopIndex) return;
    const round = this.#replication.quorum(Number.POSITIVE_INFINITY, (one) => one.round);
    for (const batch of this.#reads.take(round)) {
      // What an earlier leader committed lies before the leader's first entry.
      const index = Math.max(batch.index, this.#noopIndex) as LogIndex;
      for (const read of batch.own) this.#state.reads.push({ read, index });
      for (const { node, read } of batch.asked) this.#answerRead(node, read, index);
    }
  }

  #answerRead(node: NodeId, read: number, index: LogIndex): void {
    this.#sendReadIndex(node, read, index);
    const progress = this.#replication.of(node);
    // It cannot apply what it does not know to be committed.
    if (progress === undefined || progress.commitSent >= index) return;
    progress.due = true;
    this.#replication.wanted = true;
  }

  #sendReadIndex(node: NodeId, read: number, index: LogIndex | undefined): void {
    const { id, term, messages } = this.#state;
    messages.push({ kind: 'raft.readIndexAnswer', from: id, to: node, term, read, index });
  }

  /** Whether a majority has answered within an election timeout. */
  #hasQuorum(): boolean {
    const { nowMs, timeouts } = this.#state;
    const answeredMs = this.#replication.quorum(nowMs, (one) =>
      Math.max(one.answeredMs, this.#awakeSinceMs),
    );
    this.#quorumCheckAtMs = answeredMs + timeouts.quorumMs;
    if (nowMs >= this.#quorumCheckAtMs) return false;
    this.#excused = false;
    return true;
  }

  /** Whether its tick is late, because this process stood still: the answers of the others may lie unread. */
  #excusesLateness(): boolean {
    const { nowMs, timing } = this.#state;
    if (this.#excused || nowMs < this.#heartbeatAtMs + timing.heartbeatMs / 2) return false;
    this.#excused = true;
    this.#quorumCheckAtMs = nowMs + timing.heartbeatMs;
    return true;
  }

  /** The voter that could lead soonest. */
  #successor(): NodeId | undefined {
    const { configuration } = this.#state;
    let best: { readonly node: NodeId; readonly matchIndex: LogIndex } | undefined;
    for (const progress of this.#replication.others) {
      const { node, matchIndex, state } = progress;
      if (!configuration.voters.includes(node) || isWitness(configuration, node)) continue;
      if (state !== 'replicate' || !this.#replication.isActive(progress)) continue;
      if (best === undefined || matchIndex > best.matchIndex) best = { node, matchIndex };
    }
    return best?.node;
  }

  #beginTransfer(to: NodeId, thenEnd: boolean): void {
    this.#transfer = new Transfer(this.#state, to, thenEnd);
    this.#advanceTransfer();
  }

  #advanceTransfer(): void {
    const progress = this.#transfer && this.#replication.of(this.#transfer.to);
    if (this.#transfer === undefined || progress === undefined) return;
    if (this.#transfer.catchesUp(progress) && this.#state.rules.leaseEndsWithTransfer) {
      this.#replication.endLeases(true);
      this.#leaseUntilMs = Number.NEGATIVE_INFINITY;
    }
    this.#transfer.maybeSend(progress, this.#replication.round);
  }

  #tickTransfer(): void {
    if (this.#transfer === undefined) return;
    const { nowMs } = this.#state;
    const gone = this.#replication.of(this.#transfer.to) === undefined;
    if (nowMs < this.#transfer.endMs && !gone) {
      this.#advanceTransfer();
      return;
    }
    const { thenEnd } = this.#transfer;
    this.#transfer = undefined;
    this.#replication.unfreeze();
    this.#replication.callAll();
    if (thenEnd) this.over = true;
  }

  #giveUpDisk(): void {
    const { diskHealthy, isSoleVoter } = this.#state;
    if (diskHealthy || isSoleVoter || this.#transfer !== undefined) return;
    const successor = this.#successor();
    // Without one a slow leader is better than none.
    if (successor !== undefined) this.#beginTransfer(successor, true);
  }

  /** Goes to sleep when all that answer have everything and nothing has happened for long. */
  #maybeHibernate(): boolean {
    const { nowMs, timing, tail, commitIndex, appliedIndex, isSettled } = this.#state;
    if (nowMs < this.#busyMs + timing.hibernateMs || !isSettled) return false;
    if (!this.#replication.hasOthers) return false;
    if (commitIndex !== tail.lastIndex || appliedIndex !== commitIndex) return false;
    if (this.#transfer !== undefined || !this.#reads.isEmpty) return false;
    for (const progress of this.#replication.others) {
      const { matchIndex, commitSent, state } = progress;
      if (state === 'snapshot') return false;
      if (!this.#replication.isActive(progress)) continue;
      if (matchIndex !== tail.lastIndex || commitSent !== commitIndex) return false;
    }
    this.#replication.composeHibernation();
    this.#hibernating = true;
    return true;
  }
}
