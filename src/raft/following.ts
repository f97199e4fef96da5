/** What a member does and remembers as a follower: taking entries, answering, promising. */
import { assert } from '../base/assert.js';
import type { LogIndex, NodeId, Term } from '../base/ids.js';
import type { LogEntry } from '../storage/index.js';
import type { AppendAnswer, AppendRequest, VoteRequest } from './message.js';
import { isMember } from './membership.js';
import { FollowerReads } from './reads.js';
import type { MemberState } from './state.js';

/** So many refused pre-votes in a row are repeated soon. */
const soonRetriesMax = 3;

/**
 * Invariants: entries up to `#agreedIndex` are those of the leader of this term; a promise given to a leader
 * outlives its term; an answer claims nothing that a crash could take back.
 */
export class Following {
  readonly #state: MemberState;
  readonly reads: FollowerReads;
  /** Whom this member follows in this term. */
  #leader: NodeId | undefined;
  #agreedIndex = 0 as LogIndex;
  /** The newest round of the leader. */
  #round = 0;
  #heardMs = Number.NEGATIVE_INFINITY;
  #answeredMs = Number.NEGATIVE_INFINITY;
  #answeredRound = 0;
  #promisedUntilMs = Number.NEGATIVE_INFINITY;
  /** When to campaign, or, for one that must not, when to ask for a leader. */
  #electionAtMs: number;
  #hibernating = false;
  /** It has been given time to hear what came while it stood still; once before each election. */
  #excused = false;
  /** What a member that lost entries must reach: the end of the log of the leader of that term. */
  #recoverTo: { readonly term: Term; readonly index: LogIndex } | undefined;

  constructor(state: MemberState) {
    this.#state = state;
    this.reads = new FollowerReads(state);
    const wait = state.isSoleVoter ? 0 : state.timeouts.draw();
    this.#electionAtMs = Math.max(state.nowMs, state.isQuiet ? state.quietUntilMs : 0) + wait;
  }

  get leader(): NodeId | undefined {
    return this.#leader;
  }

  /** Whether it has waited long enough for a leader. */
  get isElectionDue(): boolean {
    return !this.#hibernating && this.#state.nowMs >= this.#electionAtMs;
  }

  get hibernating(): boolean {
    return this.#hibernating;
  }

  get deadlineMs(): number {
    const { configuration, id, mayElect } = this.#state;
    const elects = !this.#hibernating && (mayElect || isMember(configuration, id));
    return Math.min(elects ? this.#electionAtMs : Number.POSITIVE_INFINITY, this.reads.deadlineMs);
  }

  /** Nobody leads, as far as this member knows. */
  forgetLeader(): void {
    this.#leader = undefined;
    this.#hibernating = false;
    this.reads.fail();
  }

  /** What the leader of the term before said means nothing any more; what was promised to it still does. */
  enterTerm(): void {
    this.#round = 0;
    this.#answeredRound = 0;
    this.#agreedIndex = 0 as LogIndex;
    this.#recoverTo = undefined;
  }

  /** Waits anew before it campaigns. */
  resetElection(): void {
    this.#excused = false;
    this.#electAt(this.#state.nowMs + this.#state.timeouts.draw());
  }

  /** To vote for itself would break a promise as a vote for another would. */
  #electAt(ms: number): void {
    this.#electionAtMs = Math.max(ms, this.#promisedUntilMs);
  }

  /** Whether a promise stands against an election; the leader itself may have waived it. */
  isBound(request: VoteRequest): boolean {
    const { nowMs, term } = this.#state;
    if (nowMs >= this.#promisedUntilMs) return false;
    const waived = request.transferRound;
    if (waived === undefined || request.term <= term) return true;
    // A promise to an earlier leader than the one that hands over has ended with that one's election.
    return request.term === term + 1 && this.#round > waived;
  }

  /** Whether the leader that asks this member to take over has taken back nothing since. */
  isNewest(round: number): boolean {
    return this.#round <= round;
  }

  /**
   * Whether the timeout is seen late, because this process or its machine stood still: what the leader sent may lie
   * unread, or the leader stood still too. Then it waits for the time of a heartbeat more.
   */
  excusesLateness(): boolean {
    const { nowMs, timing } = this.#state;
    if (this.#excused || nowMs < this.#electionAtMs + timing.heartbeatMs / 2) return false;
    this.#excused = true;
    this.#electAt(nowMs + timing.heartbeatMs);
    return true;
  }

  /** Waits for a leader again. */
  wake(): void {
    if (!this.#hibernating) return;
    this.#hibernating = false;
    this.#heardMs = this.#state.nowMs;
    this.resetElection();
  }

  /** Others may be bound by promises that end soon: asks again before a whole timeout has passed. */
  retrySoon(): void {
    const { nowMs, timeouts, timing } = this.#state;
    if (timeouts.failed > soonRetriesMax) return;
    const soon = nowMs + timing.heartbeatMs / 2 + timeouts.drawShort();
    this.#electAt(Math.min(this.#electionAtMs, soon));
  }

  /** The leader's process is down: campaigns as soon as the promise to it allows. */
  leaderDown(): void {
    this.wake();
    const { nowMs, timeouts } = this.#state;
    const soon = Math.max(nowMs, this.#promisedUntilMs) + timeouts.drawShort();
    this.#electAt(Math.min(this.#electionAtMs, soon));
  }

  onAppend(request: AppendRequest): void {
    const state = this.#state;
    assert(request.term === state.term, 'an append of another term', request.term, state.term);
    this.#hear(request);
    // What was sent before the loss, and comes late, says nothing of what was acknowledged since.
    if (state.recovering && request.recovery === state.recovery) {
      this.#recoverTo ??= { term: request.term, index: request.lastIndex };
    }
    const { prevIndex, prevTerm, entries } = request;
    const { tail } = state;
    // Up to there all logs are the same, and what was compacted has no terms any more.
    const settled = Math.max(state.commitIndex, tail.firstIndex - 1);
    if (prevIndex > settled && tail.termAt(prevIndex) !== prevTerm) {
      this.#refuse(request);
      return;
    }
    const appended = this.#take(entries);
    const last = (prevIndex + entries.length) as LogIndex;
    const news = last > this.#agreedIndex || request.round > this.#answeredRound;
    if (last > this.#agreedIndex) this.#agreedIndex = Math.min(last, tail.lastIndex) as LogIndex;
    this.commit(request.commitIndex);
    this.#hibernating =
      request.hibernate && state.commitIndex === tail.lastIndex && last === tail.lastIndex;
    this.#recover();
    // Entries are answered when they are on the disk; but the leader must not take a slow disk for death.
    const late = state.nowMs >= this.#answeredMs + state.timing.heartbeatMs / 2;
    if (late || (news && !appended)) this.#answer(undefined);
  }

  /** The sender leads no more, and finds it out by the term. */
  refuseLate({ from }: AppendRequest): void {
    const { id, term, messages } = this.#state;
    messages.push({
      kind: 'raft.appendAnswer',
      term,
      from: id,
      to: from,
      matchIndex: 0 as LogIndex,
      receivedIndex: 0 as LogIndex,
      round: 0,
      refused: undefined,
      needsSnapshot: false,
      recovery: 0,
    });
  }

  /** The leader of this term says that it has committed that much. */
  commit(index: LogIndex): void {
    const commitIndex = Math.min(index, this.#agreedIndex) as LogIndex;
    if (commitIndex > this.#state.commitIndex) this.#state.commit(commitIndex);
  }

  /** Entries that were on their way to this member's disk are there. */
  onPersisted(): void {
    this.#recover();
    if (this.#leader !== undefined) this.#answer(undefined);
  }

  /** The driver has put a snapshot in the place of the state. */
  onInstalled(index: LogIndex): void {
    const { tail } = this.#state;
    const agreed = Math.min(this.#agreedIndex, tail.lastIndex);
    this.#agreedIndex = Math.max(agreed, index) as LogIndex;
    this.#recover();
    if (this.#leader !== undefined) this.#answer(undefined);
  }

  #hear({ from, round, hibernate }: AppendRequest): void {
    const { nowMs, timeouts, timing, promiseMs, id } = this.#state;
    assert(from !== id, 'an append of its own');
    assert(this.#leader === undefined || this.#leader === from, 'two leaders in a term', from);
    if (this.#leader === from && !this.#hibernating) {
      timeouts.observe(nowMs - this.#heardMs - timing.heartbeatMs);
    }
    this.#leader = from;
    this.#state.isMissed = false;
    this.#heardMs = nowMs;
    this.#round = Math.max(this.#round, round);
    this.#promisedUntilMs = Math.max(this.#promisedUntilMs, nowMs + promiseMs);
    timeouts.settled();
    this.resetElection();
    if (!hibernate) this.#hibernating = false;
    this.reads.ask(from);
  }

  /** Takes those entries that the log has not; whether there were any. */
  #take(entries: readonly LogEntry[]): boolean {
    const { tail, commitIndex } = this.#state;
    const settled = Math.max(commitIndex, tail.firstIndex - 1);
    let appended = false;
    for (const entry of entries) {
      if (entry.index > tail.lastIndex) tail.append(entry);
      else if (entry.index <= settled || tail.termAt(entry.index) === entry.term) continue;
      else {
        this.#state.replacing(entry.index);
        tail.replace(entry);
      }
      appended = true;
    }
    return appended;
  }

  /** Names the last entry that may agree: terms never fall, so those of higher terms cannot. */
  #refuse({ prevIndex, prevTerm }: AppendRequest): void {
    const { tail } = this.#state;
    const hintIndex = tail.lastOfTermAtMost(prevTerm, prevIndex);
    const hintTerm = tail.termAt(hintIndex) ?? (0 as Term);
    this.#answer({ prevIndex, hintIndex, hintTerm });
  }

  #recover(): void {
    const state = this.#state;
    if (!state.recovering || state.needsSnapshot) return;
    if (this.#recoverTo === undefined) return;
    const reached = Math.min(this.#agreedIndex, state.durableIndex);
    if (reached >= this.#recoverTo.index) state.recovery = 0;
  }

  #answer(refused: AppendAnswer['refused']): void {
    const { id, term, durableTerm, durableIndex, nowMs, needsSnapshot, recovery } = this.#state;
    assert(this.#leader !== undefined, 'an answer to nobody');
    // A crash would put it back to an earlier term, where the entries could still be replaced, or to before its
    // first one, where nobody remembers that it may have promised something.
    const isDurable = durableTerm === term;
    const matched = isDurable ? Math.min(this.#agreedIndex, durableIndex) : 0;
    this.#answeredMs = nowMs;
    if (isDurable) this.#answeredRound = this.#round;
    this.#state.messages.push({
      kind: 'raft.appendAnswer',
      term,
      from: id,
      to: this.#leader,
      matchIndex: matched as LogIndex,
      receivedIndex: this.#agreedIndex,
      round: isDurable ? this.#round : 0,
      refused,
      needsSnapshot,
      recovery,
    });
  }
}
