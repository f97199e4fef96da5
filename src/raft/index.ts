/**
 * The Raft core: agreement of a group's members on one log, without I/O, clock or randomness.
 *
 * The driver feeds {@link RaftNode.step} and carries out each {@link Ready}. Writing is asynchronous:
 * the answers that a write allows, the member's answers to itself among them, come in
 * `messagesAfterPersist`; the driver sends them when the write is durable, and the protocol goes on
 * when they arrive. So a leader's entries may reach followers before its own disk.
 *
 * It guarantees: at most one leader in a term; entries handed out as committed are durable on a
 * majority, the same at every member, and handed out once, in order; a leader serves nothing
 * (`serves`) before it has applied an entry of its own term.
 *
 * It must not know: what entries mean, how they are stored, who carries messages. Groups have one
 * voter so far: the messages defined are those that such a group sends.
 */
export type { AppendAnswer, RaftMessage, VoteAnswer } from './message.js';
export type {
  Ballot,
  EntryDraft,
  Members,
  MemberProgress,
  RaftFlow,
  RaftStatus,
  RaftTiming,
} from './contract.js';
export { RaftNode, type RaftInput, type Ready } from './node.js';
