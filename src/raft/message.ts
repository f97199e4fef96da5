/**
 * The messages between the members of a group. A voter answers itself as it answers any other, by a
 * message that leaves once its own disk has the change; so a leader counts itself by the same rule.
 *
 * All may be lost, repeated and reordered. Every message carries the sender's term; a higher one than
 * the receiver's makes it a follower of that term, pre-votes and what grants them apart.
 */
import type { LogIndex, NodeId, Term } from '../base/ids.js';
import type { LogEntry } from '../storage/index.js';

interface Addressed {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Term;
}

/**
 * Purpose: asks for a vote in `term` (RequestVote of the paper), or, when `pre`, whether it would be
 * given (section 9.6 of the thesis). From a candidate to every voter. Loss: the election fails and is
 * tried again.
 */
export interface VoteRequest extends Addressed {
  readonly kind: 'raft.vote';
  /** Of a pre-vote: the term that the sender would campaign in; its own is one less. */
  readonly term: Term;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  readonly pre: boolean;
  /**
   * The leader of the term before asked for this election, by {@link TimeoutNow} of this round: promises
   * given to it up to this round do not bar the vote. Undefined: nobody asked.
   */
  readonly transferRound: number | undefined;
}

/**
 * Purpose: a vote for or against the candidate of `term`. From a voter, itself included, to the
 * candidate, when the term and the vote are on the voter's disk; answers to pre-votes and refusals need no
 * disk. Loss: the candidate lacks this vote, and a later election asks again; the voter gives no
 * other vote in this term, also after a restart.
 */
export interface VoteAnswer extends Addressed {
  readonly kind: 'raft.voteAnswer';
  readonly granted: boolean;
  readonly pre: boolean;
}

/**
 * Purpose: brings entries, the commit index and proof that its leader lives (AppendEntries). Without
 * entries it is a heartbeat. From the leader to each other member. Loss: repeated when the next answer
 * shows the gap.
 */
export interface AppendRequest extends Addressed {
  readonly kind: 'raft.append';
  /** The entry before the first one sent. */
  readonly prevIndex: LogIndex;
  readonly prevTerm: Term;
  /** To a witness they come without payloads, configurations apart. */
  readonly entries: readonly LogEntry[];
  readonly commitIndex: LogIndex;
  /** The leader's last entry: what a member that lost entries must reach before it counts again. */
  readonly lastIndex: LogIndex;
  /** As the newest answer of the receiver had it: so this was sent after its loss, and `lastIndex` covers it. */
  readonly recovery: number;
  /**
   * Rises with every round of messages of this leader. An answer that names it proves that the
   * leader led when it sent the round: leases and read indexes rest on it.
   */
  readonly round: number;
  /** The group falls asleep: no heartbeat follows until it wakes (see RaftNode.hibernating). */
  readonly hibernate: boolean;
}

/**
 * Purpose: how far a member's log agrees with its leader's. From a member, the leader included, to the
 * leader of `term`, when the entries up to `matchIndex` are on the member's disk. A refusal says where the
 * logs may still agree. Loss: entries commit later, with the next answer, which covers this one.
 */
export interface AppendAnswer extends Addressed {
  readonly kind: 'raft.appendAnswer';
  readonly matchIndex: LogIndex;
  /** The last entry received that agrees with the leader's, durable or not: shows what was lost. */
  readonly receivedIndex: LogIndex;
  /** The newest round received: the promise not to vote for another counts from when it was sent. */
  readonly round: number;
  /** Set when `prevIndex` of the request did not fit. */
  readonly refused:
    | undefined
    | {
        /** `prevIndex` of what is refused, so that a late refusal is recognised. */
        readonly prevIndex: LogIndex;
        /** The last entry that may agree: of term `hintTerm` or an earlier one. */
        readonly hintIndex: LogIndex;
        readonly hintTerm: Term;
      };
  /** The member cannot use entries: it has lost data or lags behind what is kept, and needs a snapshot. */
  readonly needsSnapshot: boolean;
  /**
   * Not 0: it has lost entries that it had acknowledged, and `matchIndex` does not count for commits yet. Another
   * number in each life of the member.
   */
  readonly recovery: number;
}

/** Purpose: asks the leader up to where a read must have applied. From any member. Loss: asked again. */
export interface ReadIndexRequest extends Addressed {
  readonly kind: 'raft.readIndex';
  /** The asker's own number for all reads that wait for this answer. */
  readonly read: number;
}

/**
 * Purpose: the answer, when the leader has proof that it led after the question came. Loss: asked
 * again. `index` undefined: the receiver does not lead or cannot prove it.
 */
export interface ReadIndexAnswer extends Addressed {
  readonly kind: 'raft.readIndexAnswer';
  readonly read: number;
  readonly index: LogIndex | undefined;
}

/** Purpose: the receiver shall campaign at once. From a leader that hands over. Loss: it goes on leading. */
export interface TimeoutNow extends Addressed {
  readonly kind: 'raft.timeoutNow';
  /** The leader's newest round; it begins no other while it hands over, so no lease outlives this message. */
  readonly round: number;
}

export type RaftMessage =
  | VoteRequest
  | VoteAnswer
  | AppendRequest
  | AppendAnswer
  | ReadIndexRequest
  | ReadIndexAnswer
  | TimeoutNow;
