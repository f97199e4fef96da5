/**
 * The Raft core: agreement of a group's members on one log, without I/O, clock or randomness.
 *
 * The driver feeds {@link RaftNode.step} and carries out each {@link Ready}. Writing is asynchronous:
 * what a write allows comes in `messagesAfterPersist`, the member's answers to itself among them; the
 * driver sends them when the write is durable, and the protocol goes on when they arrive. So a leader's
 * entries reach followers before its own disk, and a follower answers its leader when its own has them.
 *
 * It guarantees, whatever is lost, repeated, reordered or late, and whoever crashes: at most one leader in a
 * term; entries handed out as committed are durable on a majority, the same at every member, and handed out
 * once, in order; a leader serves nothing (`serves`) before it has applied an entry of its own term; a lease
 * holds (`leaseHolds`) at one member at a time, as long as clocks keep their rate within the bound given;
 * a read that was answered sees every write that was committed before it came.
 *
 * It must not know: what entries mean, configurations apart; how they are stored; who carries messages.
 */
export type {
  AppendAnswer,
  AppendRequest,
  RaftMessage,
  ReadIndexAnswer,
  ReadIndexRequest,
  TimeoutNow,
  VoteAnswer,
  VoteRequest,
} from './message.js';
export type {
  Ballot,
  EntryDraft,
  MemberProgress,
  Members,
  RaftFlow,
  RaftInput,
  RaftOptions,
  RaftStatus,
  RaftTiming,
  Ready,
} from './contract.js';
export { membersRefusal } from './membership.js';
export { RaftNode } from './node.js';
export { type LogEnd, type RaftRules, raftRules } from './rules.js';
