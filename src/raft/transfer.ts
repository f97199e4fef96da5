/** Handing the leadership over (section 3.10 of the thesis). */
import type { LogIndex, NodeId } from '../base/ids.js';
import type { Progress } from './progress.js';
import type { MemberState } from './state.js';

/**
 * `catchingUp`: the leader serves on while the target gets what was in the log when this began.
 * `handingOver`: it takes nothing new, and asks the target to campaign when it has everything.
 */
export class Transfer {
  readonly to: NodeId;
  /** The leader leads no more when this is over, whatever became of it. */
  readonly thenEnd: boolean;
  stage: 'catchingUp' | 'handingOver' = 'catchingUp';
  /** When to give up. */
  endMs: number;
  readonly #state: MemberState;
  readonly #catchUpTo: LogIndex;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(state: MemberState, to: NodeId, thenEnd: boolean) {
    this.#state = state;
    this.to = to;
    this.thenEnd = thenEnd;
    this.#catchUpTo = state.tail.lastIndex;
    this.endMs = state.nowMs + state.timeouts.quorumMs;
  }

  /** Whether the target has just caught up so far that the leader stops to serve. */
  catchesUp({ matchIndex }: Progress): boolean {
    if (this.stage !== 'catchingUp' || matchIndex < this.#catchUpTo) return false;
    this.stage = 'handingOver';
    this.endMs = this.#state.nowMs + this.#state.timeouts.quorumMs;
    return true;
  }

  /** Asks the target to campaign once it has everything; again when the request may be lost. */
  maybeSend({ matchIndex }: Progress, round: number): void {
    const { id, term, tail, nowMs, timing, messages } = this.#state;
    if (this.stage !== 'handingOver' || matchIndex < tail.lastIndex) return;
    if (nowMs < this.#askedMs + timing.heartbeatMs) return;
    this.#askedMs = nowMs;
    messages.push({ kind: 'raft.timeoutNow', from: id, to: this.to, term, round });
  }
}
