/**
 * The messages and the resource by which sessions use the replica of a shard on their own node, which
 * may lead or follow.
 *
 * Reading is a call, not a message: sessions and query fragments run at the place of the replica and
 * read through {@link ShardAccess} within their turn. Before a read that must be linearizable they see to
 * it that the replica has applied all that was committed (`readable`, {@link ReadMessage}). Writing is a
 * message: the replica admits a proposal itself when it leads, else it hands it to the leader, also to
 * the next one when that fails; the transaction id sees to it that it happens once. It is
 * answered when it is durable on a majority; whoever reads linearizably afterwards sees it.
 */
import type { Message, Ref, ResourceToken } from '../actors/actor.js';
import type { ErrorName } from '../base/errors.js';
import type { NodeId, ShardId, Term, Timestamp, TransactionId } from '../base/ids.js';
import type { Members, RaftStatus, RaftTiming } from '../raft/index.js';
import type { Span, Visit } from '../storage/engine.js';
import type { Configuration } from '../storage/index.js';
import type {
  AdvisoryMode,
  AdvisoryName,
  AdvisoryOwner,
  AdvisoryRow,
  Notification,
} from '../txn/index.js';
import type { Proposal } from '../txn/transaction.js';

/**
 * Asks for the leave to read what is committed now. Answered by `shard.readable` when the replica has
 * applied it, or by `shard.refused` (`no_quorum`, `cannot_connect_now`) when that cannot be known.
 */
export interface ReadMessage extends Message {
  readonly kind: 'shard.read';
  readonly token: number;
  readonly replyTo: Ref<ReadAnswer>;
}

export interface ReadableMessage extends Message {
  readonly kind: 'shard.readable';
  readonly token: number;
}

export type ReadAnswer = ReadableMessage | RefusedMessage;

/**
 * Takes `count` numbers of the sequence stored under `key` at the leader, whose memory knows the last one
 * given. Answered by `shard.numbers` or `shard.refused`.
 */
export interface TakeNumbersMessage extends Message {
  readonly kind: 'shard.takeNumbers';
  readonly token: number;
  readonly key: Uint8Array;
  readonly start: bigint;
  readonly increment: bigint;
  readonly count: number;
  readonly replyTo: Ref<NumbersAnswer>;
}

export interface NumbersMessage extends Message {
  readonly kind: 'shard.numbers';
  readonly token: number;
  /** The last of the numbers. */
  readonly last: bigint;
  /** Goes into {@link Proposal.numbersTerm} of the transaction that uses them. */
  readonly term: Term;
}

export type NumbersAnswer = NumbersMessage | RefusedMessage;

/**
 * Asks for the live pairs of a span, few of them, now and after each change: how a node learns of its
 * members. Answered by `shard.followed`, from the replica's own state, which may lag behind.
 */
export interface FollowMessage extends Message {
  readonly kind: 'shard.follow';
  readonly span: Span;
  readonly replyTo: Ref<FollowedMessage>;
}

export interface FollowedMessage extends Message {
  readonly kind: 'shard.followed';
  readonly rows: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[];
}

export interface ProposeMessage extends Message {
  readonly kind: 'shard.propose';
  readonly shard: ShardId;
  /** Comes back with the answer. */
  readonly token: number;
  readonly proposal: Proposal;
  readonly replyTo: Ref<ProposeAnswer>;
}

export interface CommittedMessage extends Message {
  readonly kind: 'shard.committed';
  readonly token: number;
  readonly timestamp: Timestamp;
}

/**
 * Nothing of the proposal happened. `conflict`: another transaction changed a key first, and its
 * change can be read by now. `staleObject`: an object has a newer version: plan again. Otherwise the
 * error to report.
 */
export interface RefusedMessage extends Message {
  readonly kind: 'shard.refused';
  readonly token: number;
  readonly reason: 'conflict' | 'staleObject' | ErrorName;
  readonly text: string;
}

export type ProposeAnswer = CommittedMessage | RefusedMessage;

/**
 * A small write of the node itself, such as a member's row: each value is replaced only if the newest
 * one applied here is `was`. Answered by `shard.committed` or `shard.refused` (`conflict` when a
 * value is another).
 */
export interface WriteMessage extends Message {
  readonly kind: 'shard.write';
  readonly token: number;
  /** Undefined: absent before, or to be deleted; `kept`: stays as it is, and the others rest on that. */
  readonly writes: readonly {
    readonly key: Uint8Array;
    readonly was: Uint8Array | undefined;
    readonly value: Uint8Array | 'kept' | undefined;
  }[];
  readonly replyTo: Ref<ProposeAnswer>;
}

/**
 * Asks for an advisory lock of the cluster, of which the session may ask for one at a time. Answered by
 * `shard.locked` or `shard.refused`; what was granted is the session's until `shard.unlock` or its end.
 */
export interface LockMessage extends Message {
  readonly kind: 'shard.lock';
  readonly token: number;
  readonly name: AdvisoryName;
  readonly mode: AdvisoryMode;
  /** Otherwise it is `refused` when it cannot be had at once. */
  readonly waits: boolean;
  /** Shown with it. */
  readonly pid: number;
  readonly replyTo: Ref<LockSessionMessage>;
}

/** Gives locks back, or gives up asking for them. It is not answered. */
export interface UnlockMessage extends Message {
  readonly kind: 'shard.unlock';
  readonly locks: readonly { readonly name: AdvisoryName; readonly mode: AdvisoryMode }[];
  readonly replyTo: Ref<LockSessionMessage>;
}

export interface LockedMessage extends Message {
  readonly kind: 'shard.locked';
  readonly token: number;
  /** `full`: there is room for no more locks in the cluster. */
  readonly outcome: 'granted' | 'refused' | 'deadlock' | 'full';
  /** Who waits for whom in a deadlock. */
  readonly detail?: string;
}

/** Others may have got the locks of the session, or it may have missed notifications: it must end. */
export interface LostMessage extends Message {
  readonly kind: 'shard.lost';
  readonly text: string;
}

/** What sessions hear that have asked for locks. */
export type LockSessionMessage = LockedMessage | RefusedMessage | LostMessage;

/** Notifications of one transaction on channels that the session listens on ({@link ShardAccess.listen}). */
export interface NotifiedMessage extends Message {
  readonly kind: 'shard.notified';
  readonly timestamp: Timestamp;
  readonly notifications: readonly Notification[];
}

/** What sessions hear that listen. */
export type ListenerMessage = NotifiedMessage | LostMessage;

/** What sessions ask of the replica of their place. */
export type SessionRequest =
  | ProposeMessage
  | ReadMessage
  | TakeNumbersMessage
  | LockMessage
  | UnlockMessage;

/** Why SQL is not served. */
export interface Refusal {
  readonly reason: ErrorName;
  readonly text: string;
}

/** The process of `node` is out of reach, as far as the liveness between processes knows. */
export interface PeerDownMessage extends Message {
  readonly kind: 'shard.peerDown';
  readonly node: NodeId;
}

/** Other times of the protocol from now on; the lease stays as it was when the process started. */
export interface TimingMessage extends Message {
  readonly kind: 'shard.timing';
  readonly timing: RaftTiming;
}

/** Asks how the replica does, whatever its role. Answered by `shard.status`. */
export interface InspectMessage extends Message {
  readonly kind: 'shard.inspect';
  readonly token: number;
  readonly replyTo: Ref<ReplicaStatus>;
}

export interface ReplicaStatus extends Message {
  readonly kind: 'shard.status';
  readonly token: number;
  readonly shard: ShardId;
  readonly raft: RaftStatus;
  readonly refusal: Refusal | undefined;
  /** Of snapshots under way, by member, bytes sent and (about) in all; of an incoming one by this node. */
  readonly snapshots: readonly {
    readonly node: NodeId;
    readonly bytes: number;
    readonly totalBytes: number;
  }[];
  readonly logEntries: number;
}

/**
 * Asks for a hash of the live rows of a piece of the key space: equal at all replicas. Counters are left out, as
 * they keep no older values. Every value of the piece is read, older ones too, so its checksums are verified.
 *
 * Without `at` the replica takes the newest commit applied and as large a piece from `from` on as it likes; the
 * answer has both, and the others are asked for the same. Answered by `shard.hashed`, when the replica has
 * applied `at`, or by `shard.refused` (`snapshot_too_old`, `cannot_connect_now`, `data_corrupted`).
 */
export interface HashMessage extends Message {
  readonly kind: 'shard.hash';
  readonly token: number;
  readonly at: Timestamp | undefined;
  /** The first key; empty is the first of all. */
  readonly from: Uint8Array;
  /** The first key behind it; undefined: to the end, or, without `at`, for the replica to choose. */
  readonly to: Uint8Array | undefined;
  readonly replyTo: Ref<HashAnswer>;
}

export interface HashedMessage extends Message {
  readonly kind: 'shard.hashed';
  readonly token: number;
  readonly at: Timestamp;
  /** Where the piece ended; undefined: with the key space. */
  readonly to: Uint8Array | undefined;
  readonly hash: string;
  readonly rows: number;
}

export type HashAnswer = HashedMessage | RefusedMessage;

/**
 * Asks the leader to change the members. Answered by `shard.changed` when the last configuration of
 * the change is committed, or by `shard.refused` (`cluster_change_refused`).
 */
export interface ReconfigureMessage extends Message {
  readonly kind: 'shard.reconfigure';
  readonly token: number;
  /** `rollback`: give up a joint change that does not end. */
  readonly members: Members | 'rollback';
  readonly joint: boolean;
  readonly replyTo: Ref<ChangeAnswer>;
}

/** Asks the leader to hand over; answered by `shard.changed` when another leads. */
export interface TransferMessage extends Message {
  readonly kind: 'shard.transfer';
  readonly token: number;
  /** Undefined: to the most up-to-date voter. */
  readonly to: NodeId | undefined;
  readonly replyTo: Ref<ChangeAnswer>;
}

export interface ChangedMessage extends Message {
  readonly kind: 'shard.changed';
  readonly token: number;
}

export type ChangeAnswer = ChangedMessage | RefusedMessage;

/** To the observer given at its start: something of this has changed. */
export interface NewsMessage extends Message {
  readonly kind: 'shard.news';
  readonly shard: ShardId;
  readonly role: RaftStatus['role'];
  readonly term: Term;
  readonly leader: NodeId | undefined;
  readonly configuration: Configuration;
  readonly refusal: Refusal | undefined;
}

/** What the actors of a replica's place may do with it in their turn. */
export interface ShardAccess {
  readonly shard: ShardId;
  readonly replica: Ref<SessionRequest>;
  /**
   * Why SQL is not served: no replica yet, an incomplete one, no leader for long (`no_quorum`).
   * Undefined while it is; a statement may still have to wait for an election.
   */
  readonly refusal: Refusal | undefined;
  /** The replica holds a whole state that may be old: reads that asked for stale ones may run. */
  readonly readableStale: boolean;
  /**
   * Whether a read at `appliedTimestamp` is linearizable now, by the leader's lease. Otherwise send a
   * `shard.read` and wait. The times were read after the request was taken from its queue; monotonic and wall
   * clock that moved apart since the replica's last turn say that the machine stood still (pitfall 6).
   */
  readable(nowMs: number, wallMs: number): boolean;
  /** The leader as far as known; itself when it leads. */
  readonly leader: NodeId | undefined;
  /** Whether sequences are advanced here (it leads); otherwise by `shard.takeNumbers`. */
  readonly givesNumbers: boolean;
  /** The term that goes into {@link Proposal.numbersTerm} with numbers taken here. */
  readonly term: Term;
  /** The newest applied commit: what a snapshot taken now reads at. */
  readonly appliedTimestamp: Timestamp;
  /** Rises whenever a commit that changed the catalogue is applied. Plans compare it. */
  readonly catalogueVersion: number;
  /** The value of `key` at a snapshot, valid until the next call. Absent and deleted are undefined. */
  get(key: Uint8Array, at: Timestamp): Uint8Array | undefined;
  /** Visits live pairs at a snapshot in order of key; re-seek with the last key to go on later. */
  scan(span: Span, at: Timestamp, visit: Visit, reverse?: boolean): void;
  /**
   * A snapshot of now that stays readable until closed. Each opening is closed once. On a follower it may
   * become unreadable when it is open for long: `get` and `scan` then raise `snapshot_too_old`.
   */
  openSnapshot(): Timestamp;
  closeSnapshot(at: Timestamp): void;
  /**
   * An id never given before, also across restarts. Raises `cannot_connect_now` while the replica has none to
   * give: the leader gives each node a range of them when it starts.
   */
  nextTransactionId(): TransactionId;
  /**
   * Takes numbers from the sequence stored under `key`: the new last value, `increment` times
   * `count` beyond the one before it (`start - increment` when there is none). The caller proposes an
   * `advance` to it; a number whose advance never commits may be given again by the next leader, which
   * refuses what still uses it (`numbersTerm`). Only where `givesNumbers`.
   */
  advanceSequence(key: Uint8Array, start: bigint, increment: bigint, count: number): bigint;
  /**
   * The session hears notifications on these channels from now on, on no others. Raises `cannot_connect_now`
   * without a whole state. It watches the replica, whose end is the end of what it hears.
   */
  listen(session: Ref<ListenerMessage>, channels: readonly string[]): void;
  /** Whether sessions of this node still have the advisory locks that they were given. */
  locksHold(nowMs: number, wallMs: number): boolean;
  /** What goes into {@link Proposal.holder} of the session of that name when it has locks. */
  lockHolder(session: string): AdvisoryOwner | undefined;
  /** All advisory locks of the cluster, as far as applied here. */
  advisoryLocks(): Iterable<AdvisoryRow>;
}

export const shardAccess: ResourceToken<ShardAccess> = { name: 'shard.access' };
