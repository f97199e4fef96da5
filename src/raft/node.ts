/**
 * One member of a Raft group as a pure state machine (Ongaro and Ousterhout, "In Search of an
 * Understandable Consensus Algorithm", 2014; Ongaro's thesis, "Consensus: Bridging Theory and Practice",
 * 2014). See index.ts for its contract.
 */
import { assert, unreachable } from '../base/assert.js';
import type { LogIndex, NodeId, Term } from '../base/ids.js';
import type { Configuration, LogReader } from '../storage/index.js';
import { Candidacy } from './candidacy.js';
import type { Members, RaftInput, RaftOptions, RaftStatus, RaftTiming, Ready } from './contract.js';
import { Following } from './following.js';
import { Leader } from './leader.js';
import { isMember, isSame, isVoter } from './membership.js';
import type {
  AppendAnswer,
  AppendRequest,
  RaftMessage,
  ReadIndexAnswer,
  ReadIndexRequest,
  TimeoutNow,
  VoteAnswer,
  VoteRequest,
} from './message.js';
import { MemberState } from './state.js';

type Installed = RaftInput & { readonly kind: 'raft.installed' };

/**
 * A member is a leader, a candidate (of a pre-vote or an election) or else a follower; what it has
 * promised and heard as a follower outlives the roles. Invariants of its parts stand with them.
 */
export class RaftNode {
  readonly #state: MemberState;
  readonly #following: Following;
  #leader: Leader | undefined;
  #candidacy: Candidacy | undefined;

  /** `log` shows the entries of every Ready before the next step or Ready. */
  constructor(log: LogReader, options: RaftOptions) {
    this.#state = new MemberState(log, options);
    this.#following = new Following(this.#state);
  }

  get role(): RaftStatus['role'] {
    if (this.#leader !== undefined) return 'leader';
    return this.#candidacy === undefined ? 'follower' : 'candidate';
  }

  get term(): Term {
    return this.#state.term;
  }

  /** The leader of this term as far as this member knows. */
  get leader(): NodeId | undefined {
    return this.#leader === undefined ? this.#following.leader : this.#state.id;
  }

  /** Includes entries that the next Ready hands out. */
  get lastIndex(): LogIndex {
    return this.#state.tail.lastIndex;
  }

  get commitIndex(): LogIndex {
    return this.#state.commitIndex;
  }

  get appliedIndex(): LogIndex {
    return this.#state.appliedIndex;
  }

  /** The newest one of the log, whether committed or not. */
  get configuration(): Configuration {
    return this.#state.configuration;
  }

  /**
   * Leads, has applied an entry of its own term (so that what it has applied is all that earlier leaders
   * committed), and is not handing over.
   */
  get serves(): boolean {
    return this.#leader?.serves === true;
  }

  /** Sleeps until a message wakes it: there is nothing to agree on. */
  get hibernating(): boolean {
    return this.#leader === undefined ? this.#following.hibernating : this.#leader.hibernating;
  }

  /** Has lost entries that it had acknowledged and not got them back: see RaftOptions.lostEntries. */
  get recovering(): boolean {
    return this.#state.recovering;
  }

  /** When to step a `raft.tick`, on the clock of `nowMs`; undefined: not before something else happens. */
  get deadlineMs(): number | undefined {
    const deadlineMs =
      this.#leader === undefined ? this.#following.deadlineMs : this.#leader.deadlineMs;
    return deadlineMs === Number.POSITIVE_INFINITY ? undefined : deadlineMs;
  }

  /**
   * Whether what this member has applied is all that any member has answered for. Implies that it leads, and
   * has applied all that it knows to be committed: a follower may be ahead of it otherwise.
   */
  leaseHolds(nowMs: number): boolean {
    const { appliedIndex, commitIndex } = this.#state;
    if (this.#leader === undefined || appliedIndex < commitIndex) return false;
    return this.#leader.leaseMs(nowMs) > 0;
  }

  /** Why the members cannot be changed to `members` now; undefined when they can. */
  refusalOf(members: Members): string | undefined {
    return this.#leader === undefined
      ? 'this member does not lead'
      : this.#leader.refusalOf(members);
  }

  /** Why the leadership cannot go to `to`, or, when undefined, to anybody; undefined when it can. */
  transferRefusal(to: NodeId | undefined): string | undefined {
    return this.#leader === undefined
      ? 'this member does not lead'
      : this.#leader.transferRefusal(to);
  }

  status(nowMs: number): RaftStatus {
    const { term, vote, tail, commitIndex, appliedIndex, configuration, timeouts } = this.#state;
    return {
      role: this.role,
      term,
      leader: this.leader,
      vote,
      lastIndex: tail.lastIndex,
      commitIndex,
      appliedIndex,
      configuration,
      progress: this.#leader?.progress ?? [],
      hibernating: this.hibernating,
      leaseMs: this.#leader?.leaseMs(nowMs) ?? 0,
      transferTo: this.#leader?.transferTo,
      failedElections: timeouts.failed,
      roundTripMs: timeouts.roundTripMs,
    };
  }

  /** Takes one input. What follows from it gathers in the next Ready. `nowMs` is read after `input` came. */
  step(input: RaftInput, nowMs: number): void {
    // A clock that goes back would take back what was promised by it.
    this.#state.nowMs = Math.max(this.#state.nowMs, nowMs);
    switch (input.kind) {
      case 'raft.tick':
        this.#onTick();
        break;
      case 'raft.propose':
        assert(this.#leader !== undefined, 'only a leader takes proposals', this.role);
        this.#leader.propose(input.drafts);
        break;
      case 'raft.read':
        this.#onRead(input.read);
        break;
      case 'raft.reconfigure':
        assert(this.#leader !== undefined, 'only a leader changes the members', this.role);
        this.#leader.reconfigure(input.members, input.joint);
        break;
      case 'raft.rollback':
        this.#leader?.rollback();
        break;
      case 'raft.transfer':
        this.#leader?.transfer(input.to);
        break;
      case 'raft.disk':
        this.#state.diskHealthy = input.healthy;
        if (!input.healthy) this.#leader?.diskUnhealthy();
        break;
      case 'raft.peerDown':
        this.#onPeerDown(input.peer);
        break;
      case 'raft.clockJumped':
        this.#state.clockJumped();
        this.#leader?.clockJumped();
        break;
      case 'raft.timing':
        this.#onTiming(input.timing);
        break;
      case 'raft.snapshotSent':
        this.#leader?.snapshotSent(input.to, input.index);
        break;
      case 'raft.installing':
        this.#state.needsSnapshot = true;
        if (this.#leader !== undefined || this.#candidacy !== undefined) this.#follow();
        break;
      case 'raft.installed':
        this.#onInstalled(input);
        break;
      default:
        this.#onMessage(input);
    }
    if (this.#leader?.over === true) this.#follow();
  }

  get hasReady(): boolean {
    return this.#state.hasReady || this.#leader?.hasReady === true;
  }

  /** Everything to do since the Ready before; the caller carries it out before the next call or step. */
  ready(): Ready {
    this.#leader?.compose();
    return this.#state.takeReady();
  }

  /** The driver has applied the entries up to `index`. */
  applied(index: LogIndex): void {
    this.#state.applied(index);
  }

  #onMessage(message: RaftMessage): void {
    assert(message.to === this.#state.id, 'a message for another member', message.to);
    if (message.term > this.#state.term && !this.#onHigherTerm(message)) return;
    const isLate = message.term < this.#state.term;
    switch (message.kind) {
      case 'raft.vote':
        this.#onVote(message);
        return;
      case 'raft.voteAnswer':
        this.#onVoteAnswer(message);
        return;
      case 'raft.append':
        if (isLate) this.#following.refuseLate(message);
        else this.#onAppend(message);
        return;
      case 'raft.appendAnswer':
        if (message.from === this.#state.id) this.#onPersisted(message);
        else if (!isLate) this.#leader?.onAppendAnswer(message);
        return;
      case 'raft.readIndex':
        if (!isLate) this.#onReadIndex(message);
        return;
      case 'raft.readIndexAnswer':
        if (!isLate) this.#onReadIndexAnswer(message);
        return;
      case 'raft.timeoutNow':
        if (!isLate) this.#onTimeoutNow(message);
        return;
      default:
        unreachable(message);
    }
  }

  /** What a term to come means; whether the message is to be read further. */
  #onHigherTerm(message: RaftMessage): boolean {
    switch (message.kind) {
      case 'raft.vote':
        // Decides itself: a promise may bar it.
        return true;
      case 'raft.voteAnswer':
        // Granted is the term asked for, which nobody has entered.
        if (message.pre && message.granted) return true;
        break;
      case 'raft.append':
      case 'raft.timeoutNow':
        this.#enterTerm(message.term);
        return true;
      case 'raft.appendAnswer':
      case 'raft.readIndex':
      case 'raft.readIndexAnswer':
        break;
      default:
        unreachable(message);
    }
    // A member that was removed does not disturb those that stay.
    if (isMember(this.#state.configuration, message.from)) this.#enterTerm(message.term);
    return false;
  }

  #onTick(): void {
    if (this.#leader !== undefined) {
      this.#leader.tick();
      return;
    }
    this.#following.reads.tick(this.#following.leader);
    if (!this.#following.isElectionDue || this.#following.excusesLateness()) return;
    if (this.#candidacy !== undefined) this.#state.timeouts.electionFailed();
    this.#following.resetElection();
    if (this.#mayCampaign) this.#campaign(undefined);
    else {
      this.#follow();
      // Cannot lead, but a leader that sleeps hears that it is missed, and so do those that could lead.
      new Candidacy(this.#state, true).ask(undefined);
    }
  }

  get #mayCampaign(): boolean {
    const { mayElect, isWitness, needsSnapshot, recovering, diskHealthy, isQuiet } = this.#state;
    if (!mayElect || isWitness) return false;
    return !needsSnapshot && !recovering && diskHealthy && !isQuiet;
  }

  /** Finds out whether it would be elected, and only then stands; `transferRound`: stands at once. */
  #campaign(transferRound: number | undefined): void {
    this.#follow();
    const pre = new Candidacy(this.#state, true);
    if (transferRound !== undefined || pre.isWon) {
      this.#stand(transferRound);
      return;
    }
    this.#candidacy = pre;
    pre.ask(undefined);
  }

  #stand(transferRound: number | undefined): void {
    const { id } = this.#state;
    this.#enterTerm((this.#state.term + 1) as Term);
    this.#following.resetElection();
    this.#state.voteFor(id);
    this.#candidacy = new Candidacy(this.#state, false);
    this.#sendVote({ to: id, granted: true, pre: false, term: this.#state.term }, true);
    this.#candidacy.ask(transferRound);
  }

  #onVote(request: VoteRequest): void {
    this.#leader?.wake();
    this.#following.wake();
    const { term, tail, rules, recovering } = this.#state;
    const isComplete = rules.logSuffices(request, tail.end);
    if (!isComplete) this.#state.isMissed = true;
    const suffices = isComplete && !recovering;
    const isBarred = this.#isBarred(request);
    if (request.pre) {
      const granted = request.term > term && suffices && !isBarred;
      const { from, term: asked } = request;
      this.#sendVote({ to: from, granted, pre: true, term: granted ? asked : term }, false);
      return;
    }
    if (request.term > term) {
      // Silence: the candidate must not learn the term of one that is not free to choose.
      if (isBarred) return;
      this.#enterTerm(request.term);
    }
    const { vote } = this.#state;
    // It may have entered the term without voting, and be bound by what it promised in the one before.
    const isFree = vote === undefined && this.leader === undefined && suffices && !isBarred;
    const granted = request.term === this.#state.term && (isFree || vote === request.from);
    if (granted) {
      this.#state.voteFor(request.from);
      this.#following.resetElection();
    }
    const answer = { to: request.from, granted, pre: false, term: this.#state.term };
    this.#sendVote(answer, granted && rules.votesWhenDurable);
  }

  /** Whether something promised, perhaps in an earlier life, stands against an election now. */
  #isBarred(request: VoteRequest): boolean {
    if (this.#state.isQuiet) return true;
    if (this.#leader === undefined) return this.#following.isBound(request);
    // A leader that has lost its majority finds out by itself.
    if (request.pre) return true;
    const { handedOverRound } = this.#leader;
    if (request.transferRound !== undefined && request.transferRound === handedOverRound)
      return false;
    return this.#leader.isPromised;
  }

  #sendVote(
    answer: { to: NodeId; granted: boolean; pre: boolean; term: Term },
    afterPersist: boolean,
  ): void {
    const { messages, messagesAfterPersist, id } = this.#state;
    const outbox = afterPersist ? messagesAfterPersist : messages;
    outbox.push({ kind: 'raft.voteAnswer', from: id, ...answer });
  }

  #onVoteAnswer(answer: VoteAnswer): void {
    const { term, id, configuration } = this.#state;
    if (answer.from === id && answer.term === term) this.#state.durableTerm = term;
    // Answers to an election that is over say nothing about this one.
    if (this.#candidacy?.pre !== answer.pre) return;
    const asked = answer.pre && answer.granted ? term + 1 : term;
    if (answer.term !== asked || !isVoter(configuration, answer.from)) return;
    this.#candidacy.onAnswer(answer);
    if (this.#candidacy.isWon) {
      if (this.#candidacy.pre) this.#stand(undefined);
      else this.#lead();
    } else if (this.#candidacy.isLost) {
      this.#state.timeouts.electionFailed();
      if (this.#candidacy.pre) this.#following.retrySoon();
      this.#follow();
    }
  }

  #lead(): void {
    const { vote, id, ballotChanged, term } = this.#state;
    assert(vote === id, 'a winner voted for itself', vote);
    assert(!ballotChanged, 'elected before the term was persisted', term);
    this.#follow();
    this.#state.timeouts.settled();
    this.#leader = new Leader(this.#state);
  }

  /** Leads and campaigns no more, in the term that it is in. */
  #follow(): void {
    this.#leader?.end();
    const led = this.#leader !== undefined;
    this.#leader = undefined;
    this.#candidacy = undefined;
    this.#following.forgetLeader();
    if (led) this.#following.resetElection();
  }

  #enterTerm(term: Term): void {
    this.#follow();
    this.#following.enterTerm();
    this.#state.enterTerm(term);
  }

  #onAppend(request: AppendRequest): void {
    assert(this.#leader === undefined, 'two leaders in a term', request.from, request.term);
    if (this.#candidacy !== undefined) this.#follow();
    this.#following.onAppend(request);
  }

  #onPersisted({ term, matchIndex, round }: AppendAnswer): void {
    this.#state.persisted(term, matchIndex, round);
    if (term !== this.#state.term) return;
    if (this.#leader !== undefined) this.#leader.onPersisted();
    else this.#following.onPersisted();
  }

  #onRead(read: number): void {
    if (this.#leader !== undefined) {
      this.#leader.read(read);
      return;
    }
    this.#following.wake();
    this.#following.reads.add(read);
    this.#following.reads.ask(this.#following.leader);
  }

  #onReadIndex(request: ReadIndexRequest): void {
    if (this.#leader !== undefined) {
      this.#leader.onReadIndex(request);
      return;
    }
    const { id, term, messages } = this.#state;
    const { from, read } = request;
    messages.push({
      kind: 'raft.readIndexAnswer',
      from: id,
      to: from,
      term,
      read,
      index: undefined,
    });
  }

  #onReadIndexAnswer({ from, read, index }: ReadIndexAnswer): void {
    if (this.#leader !== undefined) return;
    // The reads wait for what is committed, and need not wait for a message that says so again.
    if (index !== undefined && from === this.#following.leader) this.#following.commit(index);
    this.#following.reads.answered(read, index, this.#following.leader);
  }

  #onTimeoutNow({ from, round }: TimeoutNow): void {
    if (this.#leader !== undefined || !this.#mayCampaign) return;
    const { leader } = this.#following;
    if ((leader !== undefined && leader !== from) || !this.#following.isNewest(round)) return;
    // A second request in this term finds the election under way, in the next one.
    this.#campaign(round);
  }

  #onPeerDown(peer: NodeId): void {
    if (this.#leader !== undefined) this.#leader.peerDown(peer);
    else if (this.#following.leader === peer) this.#following.leaderDown();
  }

  #onTiming(timing: RaftTiming): void {
    this.#state.timeouts.timing = timing;
    if (this.#leader !== undefined) this.#leader.timingChanged();
    else this.#following.resetElection();
  }

  #onInstalled({ index, term, configuration }: Installed): void {
    const { tail } = this.#state;
    assert(this.#leader === undefined, 'a leader needs no snapshot', index);
    assert(tail.termAt(index) === term, 'the log begins after the snapshot', index, term);
    if (this.#candidacy !== undefined) this.#follow();
    // Its entry is of a term that this member may not have heard of.
    if (term > this.#state.term) this.#enterTerm(term);
    tail.installed();
    assert(
      tail.lastIndex > index || isSame(tail.configuration, configuration),
      'the log has the configuration of the snapshot',
      index,
    );
    this.#state.installed(index, tail.lastIndex);
    this.#following.onInstalled(index);
  }
}
