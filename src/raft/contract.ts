/** What the driver of a {@link RaftNode} gives it and gets from it. */
import type { LogIndex, NodeId, Term } from '../base/ids.js';
import type { Random } from '../base/random.js';
import type { Configuration, LogEntry } from '../storage/index.js';
import type { RaftMessage } from './message.js';
import type { RaftRules } from './rules.js';

/** An entry before the leader gives it its place. */
export type EntryDraft = Omit<LogEntry, 'term' | 'index'>;

/** Times in milliseconds of a monotonic clock whose rate is right within {@link RaftTiming.clockDrift}. */
export interface RaftTiming {
  readonly heartbeatMs: number;
  /** A member without a leader campaigns after a time drawn anew between these. */
  readonly electionMsMin: number;
  readonly electionMsMax: number;
  /**
   * For so long after a round was sent the leader serves reads by itself once a majority has answered
   * it, and so long those who answered vote for nobody else. Fixed for the life of the process, at
   * most `electionMsMin`: a change at run time never shortens a promise given. The same at all members of a
   * group, for good: the promise is measured by the one, the lease by the other.
   */
  readonly leaseMs: number;
  /** The share by which two clocks may differ in rate. */
  readonly clockDrift: number;
  /** Serve reads under the lease; without it every read asks a majority. */
  readonly leaseReads: boolean;
  /** Without anything to replicate for so long the group hibernates; Infinity never. */
  readonly hibernateMs: number;
}

/** Bounds of what one leader has under way to one follower, and of one message. */
export interface RaftFlow {
  readonly appendBytesMax: number;
  readonly inFlightBytesMax: number;
  readonly inFlightMessagesMax: number;
}

/** Who shall be members. Witnesses are among the voters. */
export interface Members {
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  readonly witnesses: readonly NodeId[];
}

/** What a member is told. The time is given beside it. */
export type RaftInput =
  | RaftMessage
  /** Time has passed: see {@link RaftNode.deadlineMs}. */
  | { readonly kind: 'raft.tick' }
  /** Of a leader that {@link RaftNode.serves} only. */
  | { readonly kind: 'raft.propose'; readonly drafts: readonly EntryDraft[] }
  /** Wants a linearizable read; {@link Ready.reads} answers with the same number. */
  | { readonly kind: 'raft.read'; readonly read: number }
  /** Of a leader, when {@link RaftNode.refusalOf} has nothing against it. `joint` even for one server. */
  | { readonly kind: 'raft.reconfigure'; readonly members: Members; readonly joint: boolean }
  /** Of a leader in a joint configuration: back to the old one. */
  | { readonly kind: 'raft.rollback' }
  /** Of a leader: hand over to `to`; undefined: to the most up-to-date voter. */
  | { readonly kind: 'raft.transfer'; readonly to: NodeId | undefined }
  /** The disk is too slow to lead, or is well again. A leader hands over or steps down. */
  | { readonly kind: 'raft.disk'; readonly healthy: boolean }
  /** The process of `peer` is dead or out of reach as far as the liveness between processes knows. */
  | { readonly kind: 'raft.peerDown'; readonly peer: NodeId }
  /** Wall and monotonic clock have moved apart: leases held and promises given cannot be relied on. */
  | { readonly kind: 'raft.clockJumped' }
  | { readonly kind: 'raft.timing'; readonly timing: RaftTiming }
  /** The driver ended to send a snapshot asked for by {@link Ready.snapshots}; `index` undefined: in vain. */
  | {
      readonly kind: 'raft.snapshotSent';
      readonly to: NodeId;
      readonly index: LogIndex | undefined;
    }
  /**
   * The driver has begun to put a snapshot in the place of the state: until `raft.installed` this member
   * neither leads nor hands out what is to be applied; what it handed out before need not be applied.
   */
  | { readonly kind: 'raft.installing' }
  /**
   * The driver has installed a snapshot durably: state, log and configuration. The log begins after it;
   * what followed an entry of the same index and term is kept, all else is gone. `index` is at least that of the
   * last entry compacted away before: an older snapshot is refused, for entries acknowledged would be gone.
   */
  | {
      readonly kind: 'raft.installed';
      readonly index: LogIndex;
      readonly term: Term;
      readonly configuration: Configuration;
    };

/** The part of the hard state that the protocol changes (Figure 2 of the paper). */
export interface Ballot {
  readonly term: Term;
  /** Who got this member's vote in `term`. */
  readonly vote: NodeId | undefined;
}

/**
 * What the driver has to do, in this order: write `ballot` and `entries` in one batch, send
 * `messages`, send `messagesAfterPersist` once the batch is on stable storage, apply `committed`,
 * answer `reads` when they are applied. Every Ready is carried out, in the order they were taken.
 */
export interface Ready {
  readonly ballot: Ballot | undefined;
  /** They continue the log, or replace its end from the first one's index on. */
  readonly entries: readonly LogEntry[];
  /** May leave before anything is written: entries to followers overtake the leader's own flush. */
  readonly messages: readonly RaftMessage[];
  /** Would break a promise after a crash if they left before the batch is durable. */
  readonly messagesAfterPersist: readonly RaftMessage[];
  /** The entries to apply next, both ends included, to be read from the log. */
  readonly committed: { readonly from: LogIndex; readonly to: LogIndex } | undefined;
  /**
   * Reads that may run once `index` is applied; undefined: nobody can say now, ask again.
   */
  readonly reads: readonly { readonly read: number; readonly index: LogIndex | undefined }[];
  /** Members that need a snapshot; each stands until `raft.snapshotSent`. */
  readonly snapshots: readonly NodeId[];
  /** Whether the batch matters for the protocol's promises and must be flushed. */
  readonly mustSync: boolean;
}

export interface RaftOptions {
  readonly id: NodeId;
  readonly ballot: Ballot;
  /**
   * Who takes part as long as the log says nothing: the first members of a new group, nobody for a
   * member that joins an old one.
   */
  readonly configuration: Configuration;
  /** The last applied entry: it and those before it were committed. */
  readonly appliedIndex: LogIndex;
  readonly timing: RaftTiming;
  readonly flow: RaftFlow;
  readonly random: Random;
  readonly nowMs: number;
  /**
   * An earlier life of this member may have promised a leader not to vote: it neither votes nor campaigns for a
   * lease (pitfall 6). False only when it has never been a member.
   */
  readonly mayHavePromised: boolean;
  /** The state is incomplete (a snapshot was cut short): it asks for one, and never leads until it has it. */
  readonly needsSnapshot: boolean;
  /** Entries that it had acknowledged are lost: as needsSnapshot, and it neither votes nor acknowledges. */
  readonly lostEntries: boolean;
  /** The first entry of a new leader: kind `noop`. */
  readonly noop: () => EntryDraft;
  /** An entry of kind `configuration`, its payload made by encodeConfiguration. */
  readonly configurationDraft: (configuration: Configuration) => EntryDraft;
  /** Tests plant bugs by other rules; production gives none. */
  readonly rules?: RaftRules;
}

/** What the leader knows of a member. */
export interface MemberProgress {
  readonly node: NodeId;
  readonly role: 'voter' | 'learner' | 'witness';
  /** `probe`: looks for where the logs agree; `replicate`: streams; `snapshot`: gets one. */
  readonly state: 'probe' | 'replicate' | 'snapshot';
  readonly matchIndex: LogIndex;
  readonly nextIndex: LogIndex;
  readonly inFlightBytes: number;
  /** Answered within the last election timeout. */
  readonly active: boolean;
}

/** For operators. */
export interface RaftStatus {
  readonly role: 'follower' | 'candidate' | 'leader';
  readonly term: Term;
  readonly leader: NodeId | undefined;
  readonly vote: NodeId | undefined;
  readonly lastIndex: LogIndex;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly configuration: Configuration;
  /** Empty but on a leader. */
  readonly progress: readonly MemberProgress[];
  readonly hibernating: boolean;
  /** Milliseconds for which a leader's lease still holds. */
  readonly leaseMs: number;
  readonly transferTo: NodeId | undefined;
  /** Elections lost in a row; the wait before the next one grows with them. */
  readonly failedElections: number;
  /** The round trip to the leader or its followers that election timeouts adapt to, milliseconds. */
  readonly roundTripMs: number;
}
