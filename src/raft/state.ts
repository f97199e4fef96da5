/** What a member is and holds in every role. */
import { assert, must } from '../base/assert.js';
import type { LogIndex, NodeId, Term } from '../base/ids.js';
import type { Random } from '../base/random.js';
import type { Configuration, LogReader } from '../storage/index.js';
import type { EntryDraft, RaftFlow, RaftOptions, RaftTiming, Ready } from './contract.js';
import { isJoint, isSoleVoter, isVoter, isWitness } from './membership.js';
import type { RaftMessage } from './message.js';
import { type RaftRules, raftRules } from './rules.js';
import { LogTail } from './tail.js';
import { ElectionTimeouts } from './timeouts.js';

/**
 * Invariants:
 * - `term` never falls, and in a term a member votes once.
 * - A ballot is handed out to be persisted no later than the messages that rest on it.
 * - `appliedIndex` <= `commitIndex` <= the last index; none of them falls, but the applied one when a snapshot is
 *   put in the place of a damaged state.
 * - What lies up to `durableIndex` is on this member's disk.
 */
export class MemberState {
  readonly id: NodeId;
  readonly tail: LogTail;
  readonly flow: RaftFlow;
  readonly random: Random;
  readonly rules: RaftRules;
  readonly timeouts: ElectionTimeouts;
  /** As a follower promises it, and as a leader may count on it, whatever the clocks do. */
  readonly promiseMs: number;
  readonly leaseMs: number;
  readonly noop: () => EntryDraft;
  readonly configurationDraft: (configuration: Configuration) => EntryDraft;
  nowMs: number;
  term: Term;
  vote: NodeId | undefined;
  ballotChanged = false;
  /** The last term that is known to be on this member's disk. */
  durableTerm: Term;
  durableIndex: LogIndex;
  commitIndex: LogIndex;
  appliedIndex: LogIndex;
  /** The last entry handed out to be applied. */
  deliveredIndex: LogIndex;
  needsSnapshot: boolean;
  /** Not 0: entries that it had acknowledged are lost, and it has not all that they may have been. */
  recovery: number;
  diskHealthy = true;
  /** Since a leader was last heard, one that lacks entries of this member's log has asked for its vote. */
  isMissed = false;
  /** Until then it neither votes nor campaigns: something may have been promised that it does not know of. */
  quietUntilMs: number;
  messages: RaftMessage[] = [];
  messagesAfterPersist: RaftMessage[] = [];
  reads: { read: number; index: LogIndex | undefined }[] = [];
  snapshots: NodeId[] = [];
  /** Rises when entries are replaced: what was being written before says nothing about the log any more. */
  #replacements = 0;

  constructor(log: LogReader, options: RaftOptions) {
    const { ballot, appliedIndex, timing, nowMs } = options;
    assert(appliedIndex <= log.lastIndex, 'applied beyond the log', appliedIndex, log.lastIndex);
    assert(
      options.needsSnapshot || appliedIndex + 1 >= log.firstIndex,
      'entries to apply are compacted',
      appliedIndex,
    );
    const lastTerm = must(log.termAt(log.lastIndex), 'the last entry has a term');
    // A snapshot may be of a term that this member had not heard of; entries it takes in its own term only.
    const snapshotTerm = must(log.termAt((log.firstIndex - 1) as LogIndex), 'the log has a start');
    const known = Math.max(ballot.term, snapshotTerm) as Term;
    assert(lastTerm <= known, 'the log is ahead of the term', lastTerm, ballot.term);
    assert(timing.leaseMs <= timing.electionMsMin, 'a lease outlasts an election', timing.leaseMs);
    assert(timing.clockDrift >= 0 && timing.clockDrift < 1, 'clock drift', timing.clockDrift);
    this.id = options.id;
    this.tail = new LogTail(log, options.configuration);
    this.flow = options.flow;
    this.random = options.random;
    this.rules = options.rules ?? raftRules;
    this.timeouts = new ElectionTimeouts(timing, options.random);
    this.promiseMs = timing.leaseMs;
    this.leaseMs = timing.leaseMs * (1 - timing.clockDrift);
    this.noop = options.noop;
    this.configurationDraft = options.configurationDraft;
    this.nowMs = nowMs;
    this.term = known;
    this.vote = known === ballot.term ? ballot.vote : undefined;
    this.durableTerm = known;
    this.durableIndex = log.lastIndex;
    const settled = Math.max(appliedIndex, log.firstIndex - 1) as LogIndex;
    this.commitIndex = settled;
    this.appliedIndex = appliedIndex;
    this.deliveredIndex = appliedIndex;
    this.needsSnapshot = options.needsSnapshot;
    this.recovery = options.lostEntries ? 1 + options.random.below(0xffff_ffff) : 0;
    const promised = options.mayHavePromised && this.rules.waitsAfterRestart;
    this.quietUntilMs = promised ? nowMs + this.promiseMs : nowMs;
  }

  get timing(): RaftTiming {
    return this.timeouts.timing;
  }

  get configuration(): Configuration {
    return this.tail.configuration;
  }

  get recovering(): boolean {
    return this.recovery !== 0;
  }

  get isSoleVoter(): boolean {
    return isSoleVoter(this.configuration, this.id);
  }

  get isWitness(): boolean {
    return isWitness(this.configuration, this.id);
  }

  /**
   * Whether it may be needed as a leader: also when the newest configuration has it no more and is not known to
   * be committed, because this member may be the only one to hold it (section 4.2.2 of the thesis). A learner may
   * be needed when somebody who takes it for a voter cannot have its vote: perhaps nobody else can be elected.
   */
  get mayElect(): boolean {
    const { tail, id, commitIndex, configuration } = this;
    if (isVoter(configuration, id)) return true;
    if (this.isMissed && configuration.learners.includes(id)) return true;
    const { configurationIndex } = tail;
    return configurationIndex > commitIndex && isVoter(tail.configurationBefore, id);
  }

  /** Whether the newest configuration is the last of its change, and committed. */
  get isSettled(): boolean {
    return this.tail.configurationIndex <= this.commitIndex && !isJoint(this.configuration);
  }

  /** An earlier life may have promised something; a lone voter has nobody to promise it to. */
  get isQuiet(): boolean {
    return this.nowMs < this.quietUntilMs && !this.isSoleVoter;
  }

  /** What was promised cannot be measured by a clock that has jumped: it is promised again. */
  clockJumped(): void {
    this.quietUntilMs = this.nowMs + this.promiseMs;
  }

  enterTerm(term: Term): void {
    assert(term > this.term, 'the term never falls', term, this.term);
    this.term = term;
    this.vote = undefined;
    this.ballotChanged = true;
  }

  voteFor(candidate: NodeId): void {
    assert(this.vote === undefined || this.vote === candidate, 'one vote in a term', candidate);
    this.vote = candidate;
    // Also when it was given before: the answer must wait for the disk, and it may still be on its way there.
    this.ballotChanged = true;
  }

  commit(index: LogIndex): void {
    assert(index > this.commitIndex, 'the commit index falls', index, this.commitIndex);
    assert(index <= this.tail.lastIndex, 'commits beyond the log', index, this.tail.lastIndex);
    this.commitIndex = index;
  }

  applied(index: LogIndex): void {
    assert(index >= this.appliedIndex, 'applied index falls', index, this.appliedIndex);
    assert(index <= this.deliveredIndex, 'applied before it was handed out', index);
    this.appliedIndex = index;
  }

  /** The entries from `index` on are replaced. */
  replacing(index: LogIndex): void {
    assert(
      index > this.commitIndex,
      'a committed entry is never replaced',
      index,
      this.commitIndex,
    );
    this.#replacements += 1;
    this.durableIndex = Math.min(this.durableIndex, index - 1) as LogIndex;
  }

  /** A snapshot has taken the place of the state, and of the log up to `index` at least. */
  installed(index: LogIndex, lastIndex: LogIndex): void {
    assert(lastIndex >= index, 'the log ends before the snapshot', lastIndex, index);
    this.#replacements += 1;
    this.durableIndex = Math.max(index, Math.min(this.durableIndex, lastIndex)) as LogIndex;
    this.commitIndex = Math.max(index, this.commitIndex) as LogIndex;
    assert(this.commitIndex <= lastIndex, 'a snapshot took committed entries', lastIndex, index);
    this.appliedIndex = index;
    this.deliveredIndex = index;
    this.needsSnapshot = false;
  }

  /** Tells this member when what the next Ready holds is on its disk. */
  #answerSelf(): void {
    this.messagesAfterPersist.push({
      kind: 'raft.appendAnswer',
      term: this.term,
      from: this.id,
      to: this.id,
      matchIndex: this.tail.lastIndex,
      receivedIndex: this.tail.lastIndex,
      round: this.#replacements,
      refused: undefined,
      needsSnapshot: false,
      recovery: 0,
    });
  }

  /** What was handed out up to `index` is on the disk. */
  persisted(term: Term, index: LogIndex, replacements: number): void {
    // In a later term, or after entries were replaced, what comes of that is on its way too.
    if (term !== this.term) return;
    this.durableTerm = term;
    if (replacements !== this.#replacements || index <= this.durableIndex) return;
    assert(index <= this.tail.lastIndex, 'persisted beyond the log', index, this.tail.lastIndex);
    this.durableIndex = index;
  }

  get hasReady(): boolean {
    return (
      this.ballotChanged ||
      this.tail.hasPending ||
      this.messages.length > 0 ||
      this.messagesAfterPersist.length > 0 ||
      this.reads.length > 0 ||
      this.snapshots.length > 0 ||
      this.#hasCommitted
    );
  }

  get #hasCommitted(): boolean {
    return this.deliveredIndex < this.commitIndex && !this.needsSnapshot;
  }

  takeReady(): Ready {
    const { ballotChanged, commitIndex, deliveredIndex } = this;
    const mustSync = ballotChanged || this.tail.hasPending;
    if (mustSync && !this.#isOwnVoteAmongThem) this.#answerSelf();
    const committed = this.#hasCommitted
      ? { from: (deliveredIndex + 1) as LogIndex, to: commitIndex }
      : undefined;
    const ready: Ready = {
      ballot: ballotChanged ? { term: this.term, vote: this.vote } : undefined,
      entries: this.tail.take(),
      messages: this.messages,
      messagesAfterPersist: this.messagesAfterPersist,
      committed,
      reads: this.reads,
      snapshots: this.snapshots,
      mustSync,
    };
    assert(
      mustSync || ready.messagesAfterPersist.length === 0,
      'nothing to persist before a message',
    );
    this.ballotChanged = false;
    this.messages = [];
    this.messagesAfterPersist = [];
    this.reads = [];
    this.snapshots = [];
    if (committed !== undefined) this.deliveredIndex = commitIndex;
    return ready;
  }

  /** A candidate's vote for itself says all that an answer to itself would. */
  get #isOwnVoteAmongThem(): boolean {
    return (
      !this.tail.hasPending &&
      this.messagesAfterPersist.some(
        ({ kind, from, to }) => kind === 'raft.voteAnswer' && from === this.id && to === this.id,
      )
    );
  }
}
