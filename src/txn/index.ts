/**
 * Versions and transactions of one shard, without I/O, clock or randomness: what a row version is,
 * how a snapshot reads, when a proposal may commit, what applying a log entry changes, what may be
 * collected, and what a session buffers until it commits.
 *
 * Until the work on transactions across shards it gives snapshot isolation on one shard: a transaction
 * reads what was committed when its snapshot was opened, and of two that write the same key while
 * both are open the first to commit wins.
 *
 * It guarantees: {@link ShardState} depends on the log only; a snapshot sees the same until it is
 * closed; no version that an open snapshot sees is collected.
 *
 * It must not know: SQL, Raft's rules, actors, how the log or the engine are written.
 */
export { type Admission, AdmissionCheck } from './admission.js';
export { modeName } from './advisory-deadlock.js';
export { type AdvisoryEvent, AdvisoryLocks, type AdvisoryRow } from './advisory-locks.js';
export {
  type AdvisoryMode,
  type AdvisoryName,
  type AdvisoryOperation,
  type AdvisoryOwner,
  type AdvisoryRequest,
  type LifeId,
  operationBytes,
} from './advisory-operations.js';
export { GuardedKeys } from './guarded-keys.js';
export { type SnapshotReader, TransactionBuffer } from './buffer.js';
export { CommitClock } from './clock.js';
export { GarbageQueue, nextCollection, Sweep } from './garbage.js';
export { Latches } from './latches.js';
export {
  type Change,
  type Collection,
  decodeChange,
  decodeCollection,
  decodeProposal,
  encodeChange,
  encodeCollection,
  encodeEpochFloor,
  encodeProposal,
} from './payload.js';
export { getVersion, historySpan, scanVersions, versionAt, type VersionReader } from './read.js';
export { Sequences } from './sequences.js';
export { OpenSnapshots } from './snapshots.js';
export {
  type CheckedVersions,
  type News,
  ShardState,
  type StateWatcher,
  type VersionStore,
} from './state.js';
export type { Notification, ObjectVersion, Proposal, Write } from './transaction.js';
export {
  decodeCounter,
  encodeCounter,
  encodeVersion,
  isCounter,
  isTombstone,
  payloadOf,
  timestampOf,
  transactionOf,
} from './version.js';
