/**
 * The messages between the voters of a group. A voter answers itself as it answers any other, by a
 * message that leaves once its own disk has the change; so a leader counts itself by the same rule.
 */
import type { LogIndex, NodeId, Term } from '../base/ids.js';

/**
 * Purpose: a vote for a candidate. From a voter, itself included, to the candidate of `term`, when
 * the term and the vote are on the voter's disk. Loss: the candidate lacks this vote, and a later
 * election asks again; the voter gives no other vote in this term, also after a restart.
 */
export interface VoteAnswer {
  readonly kind: 'raft.voteAnswer';
  readonly term: Term;
  readonly from: NodeId;
  readonly to: NodeId;
}

/**
 * Purpose: how far a voter's log agrees with its leader's. From a voter, itself included, to the
 * leader of `term`, when the entries up to `matchIndex` are on the voter's disk. Loss: entries commit
 * later, with the next answer, which covers this one.
 */
export interface AppendAnswer {
  readonly kind: 'raft.appendAnswer';
  readonly term: Term;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly matchIndex: LogIndex;
}

export type RaftMessage = VoteAnswer | AppendAnswer;
