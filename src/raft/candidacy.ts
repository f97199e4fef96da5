/** An election, or the question before it whether one could be won, as the candidate sees it. */
import { assert } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import { allVoters } from './membership.js';
import type { VoteAnswer } from './message.js';
import { hasQuorum } from './quorum.js';
import type { MemberState } from './state.js';

export class Candidacy {
  /** Asks only whether it would be elected; nobody's term rises (section 9.6 of the thesis). */
  readonly pre: boolean;
  readonly #state: MemberState;
  readonly #startedMs: number;
  readonly #granted = new Set<NodeId>();
  readonly #refused = new Set<NodeId>();

  constructor(state: MemberState, pre: boolean) {
    this.#state = state;
    this.pre = pre;
    this.#startedMs = state.nowMs;
    // Its vote for itself counts when it is on its disk, and then it hears of it as of any other.
    if (pre) this.#granted.add(state.id);
  }

  get isWon(): boolean {
    return hasQuorum(this.#state.configuration, (voter) => this.#granted.has(voter));
  }

  get isLost(): boolean {
    return !hasQuorum(this.#state.configuration, (voter) => !this.#refused.has(voter));
  }

  /** Asks all other voters, an answer to this member itself apart. */
  ask(transferRound: number | undefined): void {
    const { id, term, tail, configuration, messages, messagesAfterPersist } = this.#state;
    // A request that left before the vote is on the disk could be answered to another life of this
    // member, with a shorter log and the same term.
    const outbox = this.pre ? messages : messagesAfterPersist;
    for (const voter of allVoters(configuration)) {
      if (voter === id) continue;
      outbox.push({
        kind: 'raft.vote',
        from: id,
        to: voter,
        term: this.pre ? ((term + 1) as typeof term) : term,
        ...tail.end,
        pre: this.pre,
        transferRound,
      });
    }
  }

  onAnswer({ from, granted, pre }: VoteAnswer): void {
    assert(pre === this.pre, 'an answer to another question', from);
    const { nowMs, timeouts, id } = this.#state;
    if (from !== id) timeouts.observe(nowMs - this.#startedMs);
    (granted ? this.#granted : this.#refused).add(from);
  }
}
