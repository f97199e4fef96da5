/**
 * Linearizable reads without writing to the log (section 6.4 of the thesis). The leader of a term that has
 * committed an entry of its own proves by a round of messages that it led after the read came; then the
 * read may run on any member that has applied what was committed when it came.
 */
import type { LogIndex, NodeId } from '../base/ids.js';
import type { MemberState } from './state.js';

interface Batch {
  /** The round that proves it; undefined until one begins. */
  round: number | undefined;
  index: LogIndex;
  readonly own: number[];
  readonly asked: { readonly node: NodeId; readonly read: number }[];
}

/** The reads that wait for a leader's proof. */
export class LeaderReads {
  #batches: Batch[] = [];

  /** Whether reads wait for a round that has not begun. */
  get wantRound(): boolean {
    const last = this.#batches.at(-1);
    return last !== undefined && last.round === undefined;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  addOwn(read: number, commitIndex: LogIndex): void {
    this.#open(commitIndex).own.push(read);
  }

  addAsked(node: NodeId, read: number, commitIndex: LogIndex): void {
    for (const { asked } of this.#batches) {
      // Asked again: the earlier question is answered soon, and covers it.
      if (asked.some((one) => one.node === node && one.read === read)) return;
    }
    this.#open(commitIndex).asked.push({ node, read });
  }

  /** The reads that came up to now are proved by `round`. */
  begin(round: number): void {
    const last = this.#batches.at(-1);
    if (last !== undefined && last.round === undefined) last.round = round;
  }

  /** Takes the reads proved by rounds up to `round`. */
  take(round: number): readonly Batch[] {
    const count = this.#batches.findIndex((one) => one.round === undefined || one.round > round);
    return this.#batches.splice(0, count < 0 ? this.#batches.length : count);
  }

  takeAll(): readonly Batch[] {
    return this.#batches.splice(0);
  }

  #open(commitIndex: LogIndex): Batch {
    const last = this.#batches.at(-1);
    if (last !== undefined && last.round === undefined) {
      last.index = commitIndex;
      return last;
    }
    const batch: Batch = { round: undefined, index: commitIndex, own: [], asked: [] };
    this.#batches.push(batch);
    return batch;
  }
}

/** The reads of a member that does not lead: it asks the leader, again until it is answered. */
export class FollowerReads {
  readonly #state: MemberState;
  #waiting: number[] = [];
  #asked: { readonly read: number; readonly reads: readonly number[]; sentMs: number } | undefined;
  /** The oldest read waits since then. */
  #sinceMs = 0;
  /** Begins anywhere: an answer to an earlier life of this member must not answer this one. */
  #next: number;

  constructor(state: MemberState) {
    this.#state = state;
    this.#next = state.random.uint32() * 0x10_0000;
  }

  add(read: number): void {
    if (this.#waiting.length === 0 && this.#asked === undefined) this.#sinceMs = this.#state.nowMs;
    this.#waiting.push(read);
  }

  /** Asks `leader`, unless an answer is on its way. */
  ask(leader: NodeId | undefined): void {
    if (leader === undefined) return;
    const { nowMs } = this.#state;
    if (this.#asked === undefined) {
      if (this.#waiting.length === 0) return;
      this.#next += 1;
      this.#asked = { read: this.#next, reads: this.#waiting, sentMs: nowMs };
      this.#waiting = [];
    } else if (nowMs >= this.#asked.sentMs + this.#repeatMs) this.#asked.sentMs = nowMs;
    else return;
    const { id, term } = this.#state;
    const { read } = this.#asked;
    this.#state.messages.push({ kind: 'raft.readIndex', from: id, to: leader, term, read });
  }

  answered(read: number, index: LogIndex | undefined, leader: NodeId | undefined): void {
    if (this.#asked?.read !== read) return;
    for (const one of this.#asked.reads) this.#state.reads.push({ read: one, index });
    this.#asked = undefined;
    this.#sinceMs = this.#state.nowMs;
    this.ask(leader);
  }

  /** Repeats the question, or gives up when nobody can be asked. */
  tick(leader: NodeId | undefined): void {
    if (this.#isEmpty) return;
    if (this.#state.nowMs >= this.#sinceMs + this.#giveUpMs) this.fail();
    else this.ask(leader);
  }

  /** Nobody can say now. */
  fail(): void {
    for (const read of this.#asked?.reads ?? []) this.#state.reads.push({ read, index: undefined });
    for (const read of this.#waiting) this.#state.reads.push({ read, index: undefined });
    this.#asked = undefined;
    this.#waiting = [];
  }

  /** When to tick next. */
  get deadlineMs(): number {
    if (this.#isEmpty) return Number.POSITIVE_INFINITY;
    const giveUp = this.#sinceMs + this.#giveUpMs;
    return Math.min(
      giveUp,
      this.#asked === undefined ? giveUp : this.#asked.sentMs + this.#repeatMs,
    );
  }

  get #isEmpty(): boolean {
    return this.#asked === undefined && this.#waiting.length === 0;
  }

  get #repeatMs(): number {
    const { timing, roundTripMs } = this.#state.timeouts;
    return Math.max(timing.heartbeatMs, 2 * roundTripMs);
  }

  get #giveUpMs(): number {
    return this.#state.timeouts.quorumMs;
  }
}
