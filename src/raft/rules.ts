/**
 * The rules that a hasty implementation breaks without noticing, each in one place and named, so that
 * tests can break one on purpose and see that their checkers notice.
 */
import type { LogIndex, Term } from '../base/ids.js';

/** Where a log ends. */
export interface LogEnd {
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}

export interface RaftRules {
  /** Whether a candidate's log holds all that may be committed, as far as the voter can know. */
  readonly logSuffices: (candidate: LogEnd, own: LogEnd) => boolean;
  /** Whether a leader of `term` may commit an entry of `entryTerm` because a majority holds it. */
  readonly countsForCommit: (entryTerm: Term, term: Term) => boolean;
  /** A vote leaves when it is on stable storage: a second one in its term after a crash is a second leader. */
  readonly votesWhenDurable: boolean;
  /** A leader that hands over reads no more under its lease: its successor need not wait for the end of it. */
  readonly leaseEndsWithTransfer: boolean;
  /** After a restart a member keeps the promise that it may have given before (pitfall 6). */
  readonly waitsAfterRestart: boolean;
}

export const raftRules: RaftRules = {
  // Section 5.4.1.
  logSuffices: (candidate, own) =>
    candidate.lastTerm > own.lastTerm ||
    (candidate.lastTerm === own.lastTerm && candidate.lastIndex >= own.lastIndex),
  // Section 5.4.2 and Figure 8: an older entry on a majority can still be replaced.
  countsForCommit: (entryTerm, term) => entryTerm === term,
  votesWhenDurable: true,
  leaseEndsWithTransfer: true,
  waitsAfterRestart: true,
};
