/**
 * The messages and the resource by which sessions use a shard replica.
 *
 * Reading is a call, not a message: sessions and query fragments run at the place of the replica and
 * read through {@link ShardAccess} within their turn. Writing is a message: a proposal is refused at
 * once or answered when it is durable, committed and applied, so whoever sees the answer can read it.
 */
import type { Message, Ref, ResourceToken } from '../actors/actor.js';
import type { ErrorName } from '../base/errors.js';
import type { ShardId, Timestamp, TransactionId } from '../base/ids.js';
import type { Span, Visit } from '../storage/engine.js';
import type { Proposal } from '../txn/transaction.js';

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

/** What the actors of a replica's place may do with it in their turn. */
export interface ShardAccess {
  readonly shard: ShardId;
  readonly replica: Ref<ProposeMessage>;
  /** False until the replica leads and has applied an entry of its term; then SQL is served. */
  readonly ready: boolean;
  /** The newest applied commit: what a snapshot taken now reads at. */
  readonly appliedTimestamp: Timestamp;
  /** Rises whenever a commit that changed the catalogue is applied. Plans compare it. */
  readonly catalogueVersion: number;
  /** The value of `key` at a snapshot, valid until the next call. Absent and deleted are undefined. */
  get(key: Uint8Array, at: Timestamp): Uint8Array | undefined;
  /** Visits live pairs at a snapshot in order of key; re-seek with the last key to go on later. */
  scan(span: Span, at: Timestamp, visit: Visit, reverse?: boolean): void;
  /** A snapshot of now that stays readable until closed. Each opening is closed once. */
  openSnapshot(): Timestamp;
  closeSnapshot(at: Timestamp): void;
  /** An id never given before, also across restarts. */
  nextTransactionId(): TransactionId;
  /**
   * Takes numbers from the sequence stored under `key`: the new last value, `increment` times
   * `count` beyond the one before it (`start - increment` when there is none). The caller proposes an
   * `advance` to it; a number whose advance never commits may be given again after a restart.
   */
  advanceSequence(key: Uint8Array, start: bigint, increment: bigint, count: number): bigint;
}

export const shardAccess: ResourceToken<ShardAccess> = { name: 'shard.access' };
