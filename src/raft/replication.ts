/** How a leader brings its log to the other members: what each has, what is under way, what to send next. */
import { assert, must } from '../base/assert.js';
import type { LogIndex, NodeId, Term } from '../base/ids.js';
import type { LogEntry } from '../storage/index.js';
import type { MemberProgress } from './contract.js';
import { allMembers, isVoter, isWitness } from './membership.js';
import type { AppendAnswer } from './message.js';
import { Progress } from './progress.js';
import { quorumValue } from './quorum.js';
import { Rounds } from './rounds.js';
import type { MemberState } from './state.js';

const noBytes = new Uint8Array(0);
/** Within so many milliseconds all messages are of one round. */
const roundMs = 1;
/**
 * The commit index goes with the next entries. Alone it waits for this share of a heartbeat: told at
 * once, it would double the messages of whoever writes one thing after the other.
 */
const newsShare = 1 / 8;

/**
 * Invariants: there is a Progress for every member but the leader; no round begins while rounds are frozen;
 * rounds up to `#leaseAfter` give no lease.
 */
export class Replication {
  readonly #state: MemberState;
  readonly #rounds = new Rounds();
  #progress = new Map<NodeId, Progress>();
  /** Set when there may be something to send. */
  wanted = true;
  /** Handing over: no round begins, so that no promise outlives the request to take over. */
  #frozen = false;
  #leaseAfter = 0;

  constructor(state: MemberState) {
    this.#state = state;
    this.syncMembers(state.nowMs);
  }

  get others(): Iterable<Progress> {
    return this.#progress.values();
  }

  get hasOthers(): boolean {
    return this.#progress.size > 0;
  }

  get round(): number {
    return this.#rounds.current;
  }

  of(node: NodeId): Progress | undefined {
    return this.#progress.get(node);
  }

  /** Follows a change of the configuration; who is new is taken to have answered at `answeredMs`. */
  syncMembers(answeredMs: number): void {
    const { id, configuration, tail } = this.#state;
    const before = this.#progress;
    this.#progress = new Map();
    for (const node of allMembers(configuration)) {
      if (node === id) continue;
      const next = (tail.lastIndex + 1) as LogIndex;
      this.#progress.set(node, before.get(node) ?? new Progress(node, next, answeredMs));
    }
    this.wanted = true;
  }

  /** The highest value that a majority has, the leader itself with `own`. */
  quorum(own: number, valueAt: (progress: Progress) => number): number {
    const { id, configuration } = this.#state;
    return quorumValue(configuration, (voter) => {
      if (voter === id) return own;
      const progress = this.#progress.get(voter);
      return progress === undefined ? Number.NEGATIVE_INFINITY : valueAt(progress);
    });
  }

  isActive({ answeredMs, down }: Progress): boolean {
    const { nowMs, timeouts } = this.#state;
    return !down && nowMs < answeredMs + timeouts.quorumMs;
  }

  /** Answers to rounds up to now give no lease. With `frozen` no further round begins. */
  endLeases(frozen: boolean): void {
    this.#leaseAfter = this.#rounds.current;
    this.#frozen = frozen;
    for (const progress of this.others) progress.leaseFromMs = Number.NEGATIVE_INFINITY;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** When the commit index is to be told to somebody who has not heard of it; Infinity: all have. */
  get newsAtMs(): number {
    let atMs = Number.POSITIVE_INFINITY;
    for (const progress of this.others) atMs = Math.min(atMs, this.#newsAtMs(progress));
    return atMs;
  }

  unfreeze(): void {
    this.#frozen = false;
  }

  /** Every member gets a message with the next Ready that lets one go. */
  callAll(): void {
    for (const progress of this.others) progress.due = true;
    this.wanted = true;
  }

  /** Members that got nothing for about `heartbeatMs` get a message. */
  heartbeat(): void {
    const { nowMs, timing } = this.#state;
    for (const progress of this.others) {
      if (nowMs >= progress.sentMs + timing.heartbeatMs / 2) progress.due = true;
    }
    this.wanted = true;
  }

  /** Takes note of an answer; whether the entries that count for commits have become more. */
  onAnswer(progress: Progress, answer: AppendAnswer): boolean {
    this.#notice(progress, answer.round);
    const { refused, matchIndex, receivedIndex } = answer;
    const { lastIndex } = this.#state.tail;
    assert(matchIndex <= lastIndex, 'a match beyond the log', matchIndex, lastIndex);
    assert(receivedIndex <= lastIndex, 'received beyond the log', receivedIndex, lastIndex);
    this.wanted = true;
    // What it must reach is what this leader has now.
    if (answer.recovery !== progress.recovery && answer.recovery !== 0) progress.due = true;
    progress.recovery = answer.recovery;
    if (answer.needsSnapshot) {
      progress.forget();
      this.#needSnapshot(progress);
      return false;
    }
    if (refused !== undefined) {
      if (answer.recovery !== 0) progress.forget();
      this.#onRefused(progress, refused);
      return false;
    }
    const counts = progress.matched(matchIndex, answer.recovery === 0);
    if (progress.state === 'probe' && receivedIndex + 1 >= progress.nextIndex) {
      progress.toReplicate(receivedIndex, this.#state.nowMs);
    } else if (progress.state === 'replicate') this.#repairLoss(progress, answer);
    return counts;
  }

  /** The driver has ended to send a snapshot. */
  snapshotSent(node: NodeId, index: LogIndex | undefined): void {
    const progress = this.#progress.get(node);
    if (progress?.state !== 'snapshot') return;
    const from = Math.max(progress.matchIndex, index ?? 0);
    assert(from <= this.#state.tail.lastIndex, 'a snapshot beyond the log', from);
    progress.toProbe((from + 1) as LogIndex);
    // After one in vain the member must answer before the next one begins.
    if (index === undefined) progress.down = true;
    progress.due = true;
    this.wanted = true;
  }

  /** The process of `node` is gone as far as anybody knows: what is on the way to it is lost. */
  peerDown(node: NodeId): void {
    const progress = this.#progress.get(node);
    if (progress === undefined) return;
    progress.down = true;
    if (progress.state === 'replicate') progress.toProbe((progress.matchIndex + 1) as LogIndex);
  }

  /** Puts what each member should get now into the messages; `askAll`: a new round to all voters. */
  compose(askAll: boolean): number | undefined {
    this.wanted = false;
    let begun: number | undefined;
    if (askAll && !this.#frozen) {
      begun = this.#rounds.begin(this.#state.nowMs);
      for (const progress of this.others) progress.due = true;
    }
    for (const progress of this.others) this.#send(progress);
    return begun;
  }

  /** Tells all members that no heartbeat follows. */
  composeHibernation(): void {
    for (const progress of this.others) {
      this.#sendEmpty(progress, this.#state.tail.lastIndex, true);
    }
  }

  status(): MemberProgress[] {
    const { configuration } = this.#state;
    return [...this.others].map((progress) => ({
      node: progress.node,
      role: isWitness(configuration, progress.node)
        ? 'witness'
        : isVoter(configuration, progress.node)
          ? 'voter'
          : 'learner',
      state: progress.state,
      matchIndex: progress.matchIndex,
      nextIndex: progress.nextIndex,
      inFlightBytes: progress.inFlightBytes,
      active: this.isActive(progress),
    }));
  }

  #notice(progress: Progress, round: number): void {
    const { nowMs, timeouts } = this.#state;
    if (!this.isActive(progress)) progress.due = true;
    progress.answeredMs = nowMs;
    progress.down = false;
    if (round <= progress.round) return;
    progress.round = round;
    const sentMs = this.#rounds.sentMsOf(round);
    if (sentMs === undefined) return;
    timeouts.observe(nowMs - sentMs);
    if (round > this.#leaseAfter) progress.leaseFromMs = sentMs;
  }

  #onRefused(
    progress: Progress,
    { prevIndex, hintIndex, hintTerm }: NonNullable<AppendAnswer['refused']>,
  ): void {
    // Late: it has answered since that it has more, or another place is being tried.
    if (prevIndex <= progress.matchIndex || progress.state === 'snapshot') return;
    if (progress.state === 'probe' && prevIndex !== progress.nextIndex - 1) return;
    const agreed = this.#state.tail.lastOfTermAtMost(hintTerm, hintIndex);
    const last = Math.max(progress.matchIndex, Math.min(agreed, prevIndex - 1));
    progress.toProbe((last + 1) as LogIndex);
  }

  /** Sends again what cannot be on its way any more: later messages have been answered. */
  #repairLoss(progress: Progress, { round, receivedIndex }: AppendAnswer): void {
    const sentMs = this.#rounds.sentMsOf(round);
    if (sentMs === undefined) return;
    // A heartbeat may overtake entries; it does not by the time of a heartbeat.
    if (!progress.hasLost(receivedIndex, sentMs - this.#state.timing.heartbeatMs)) return;
    progress.toProbe((Math.max(receivedIndex, progress.matchIndex) + 1) as LogIndex);
  }

  #needSnapshot(progress: Progress): void {
    if (progress.state === 'snapshot' || !this.isActive(progress)) return;
    progress.toSnapshot();
    this.#state.snapshots.push(progress.node);
  }

  #send(progress: Progress): void {
    const { tail, flow } = this.#state;
    const before = (progress.nextIndex - 1) as LogIndex;
    const known = tail.termAt(before) !== undefined;
    if (!known && progress.state !== 'snapshot') this.#needSnapshot(progress);
    const to = this.#sendableTo(progress);
    let sent = false;
    if (progress.state === 'probe' && known && !progress.probed && this.isActive(progress)) {
      sent = true;
      if (progress.nextIndex <= to) this.#sendEntries(progress, to);
      else this.#sendEmpty(progress, before, false);
      progress.probed = true;
    } else if (progress.state === 'replicate') {
      while (progress.nextIndex <= to && !progress.isFull(flow)) {
        this.#sendEntries(progress, to);
        sent = true;
      }
    }
    if (sent || !(progress.due || this.#state.nowMs >= this.#newsAtMs(progress))) return;
    // What is in flight may arrive later than this: only what matches cannot be refused.
    const prevIndex = progress.state === 'probe' && known ? before : progress.matchIndex;
    this.#sendEmpty(progress, prevIndex, false);
  }

  #newsAtMs({ commitSent, state, sentMs }: Progress): number {
    const { commitIndex, timing } = this.#state;
    if (commitIndex <= commitSent || state !== 'replicate') return Number.POSITIVE_INFINITY;
    return sentMs + timing.heartbeatMs * newsShare;
  }

  /**
   * Entries leave before they are on the leader's disk; but to a witness only what so many voters with data have on
   * their disks that the witnesses make them a majority. What a witness holds bars all who lack it from being
   * elected: held by fewer, it could be lost with voters that a group bears to lose, and nobody would lead any more.
   */
  #sendableTo({ node }: Progress): LogIndex {
    const { id, configuration, tail, durableIndex } = this.#state;
    if (!isWitness(configuration, node)) return tail.lastIndex;
    const held = quorumValue(configuration, (voter) => {
      if (isWitness(configuration, voter)) return Number.POSITIVE_INFINITY;
      return voter === id ? durableIndex : (this.#progress.get(voter)?.countedIndex ?? 0);
    });
    assert(held <= tail.lastIndex, 'witnesses are no majority', held, tail.lastIndex);
    return held as LogIndex;
  }

  #sendEntries(progress: Progress, to: LogIndex): void {
    const { tail, flow, configuration, nowMs } = this.#state;
    const from = progress.nextIndex;
    let entries = tail.read(from, to, flow.appendBytesMax);
    const last = must(entries.at(-1), 'the log has the entry to send');
    let bytes = 0;
    if (isWitness(configuration, progress.node)) entries = entries.map(withoutPayload);
    for (const { payload } of entries) bytes += payload.length;
    this.#push(progress, (from - 1) as LogIndex, entries, false);
    progress.sent(last.index, bytes, nowMs);
  }

  #sendEmpty(progress: Progress, prevIndex: LogIndex, hibernate: boolean): void {
    const known = this.#state.tail.termAt(prevIndex) !== undefined;
    this.#push(progress, known ? prevIndex : (0 as LogIndex), [], hibernate);
  }

  #push(
    progress: Progress,
    prevIndex: LogIndex,
    entries: readonly LogEntry[],
    hibernate: boolean,
  ): void {
    const { id, term, tail, commitIndex, nowMs, messages } = this.#state;
    if (!this.#frozen && nowMs >= this.#rounds.sentMs + roundMs) this.#rounds.begin(nowMs);
    const prevTerm = prevIndex === 0 ? (0 as Term) : tail.termAt(prevIndex);
    messages.push({
      kind: 'raft.append',
      term,
      from: id,
      to: progress.node,
      prevIndex,
      prevTerm: must(prevTerm, 'the entry before those sent has a term'),
      entries,
      commitIndex,
      lastIndex: tail.lastIndex,
      recovery: progress.recovery,
      round: this.#rounds.current,
      hibernate,
    });
    progress.due = false;
    progress.sentMs = nowMs;
    progress.commitSent = commitIndex;
  }
}

/** What a witness keeps of an entry. It must know who the members are. */
function withoutPayload(entry: LogEntry): LogEntry {
  return entry.kind === 'configuration' ? entry : { ...entry, payload: noBytes };
}
