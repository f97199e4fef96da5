/**
 * What a transaction is, as its session sees it. Until the work on transactions across shards:
 * snapshot isolation on one shard, the first committer wins (docs/decisions/).
 */
import type {
  DatabaseId,
  ObjectId,
  StorageId,
  Term,
  Timestamp,
  TransactionId,
} from '../base/ids.js';
import type { AdvisoryOperation, AdvisoryOwner } from './advisory-operations.js';

/** One change to the key space. Keys and values are bytes of the shared key space (storage/keys). */
export type Write =
  | { readonly op: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly op: 'delete'; readonly key: Uint8Array }
  /**
   * Raises the number stored under `key` to at least `to`, or lowers it to at most `to` when
   * `descending`: a sequence's last value, eight bytes. Such writes of two transactions commute and
   * never conflict, and every snapshot sees the newest.
   */
  | {
      readonly op: 'advance';
      readonly key: Uint8Array;
      readonly to: bigint;
      readonly descending?: boolean;
    }
  /** The storage is no longer named by the catalogue: its range may be cleared once no snapshot needs it. */
  | { readonly op: 'discard'; readonly database: DatabaseId; readonly storage: StorageId };

/** A table, with the version of its schema that the statement was planned with (pitfall 12). */
export interface ObjectVersion {
  readonly object: ObjectId;
  readonly version: number;
}

/** What NOTIFY sends: told to the sessions that listen, at all replicas, when it is applied. */
export interface Notification {
  readonly channel: string;
  readonly payload: string;
  /** Of the session that sends. */
  readonly pid: number;
}

/** What a transaction asks its shard to commit, all or nothing. */
export interface Proposal {
  readonly transaction: TransactionId;
  /** Every key of `writes` and `guards` must have no version newer than this. */
  readonly snapshot: Timestamp;
  readonly writes: readonly Write[];
  /**
   * Keys that must not have changed, such as those of rows that written ones reference. One that is
   * among the writes too must not have been guarded by others since the snapshot.
   */
  readonly guards: readonly Uint8Array[];
  /** What the statements were planned with: refused when the shard has seen a newer version. */
  readonly objects: readonly ObjectVersion[];
  /**
   * From this commit on the shard refuses older versions of these objects, and takes no proposal
   * that names one while this one is in flight. Every DDL names what it changes here.
   */
  readonly fences?: readonly ObjectVersion[];
  /**
   * The leader's term in which numbers of sequences were taken that the writes use. Another term's
   * leader may give the same numbers to others, so it refuses the proposal as a conflict.
   */
  readonly numbersTerm?: Term | undefined;
  /** In the order in which they were sent. Absent where there are none. */
  readonly notifications?: readonly Notification[] | undefined;
  /** What is done to advisory locks, in order. Absent where there is nothing. */
  readonly locks?: readonly AdvisoryOperation[] | undefined;
  /**
   * The session has advisory locks: refused once it has none any more, for others may have got them. Absent for
   * sessions without. Session 0 is the node itself, which shows that its life goes on.
   */
  readonly holder?: AdvisoryOwner | undefined;
}
