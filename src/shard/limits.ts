/** The limits of a shard replica; docs/limits.md lists them. */
export interface ShardLimits {
  /** Proposals that wait or are in flight; further ones are refused with 53400. */
  readonly proposalsMax: number;
  /** Bytes of the proposals that wait or are in flight; further ones are refused with 53400. */
  readonly proposalBytesMax: number;
  /** Bytes of what one transaction changes; larger ones are refused with 54000. */
  readonly entryBytesMax: number;
  /** Bytes of applied changes in memory above which proposals wait until the engine has caught up. */
  readonly overlayBytesMax: number;
  /** Bytes of applied changes that are handed to the engine in one batch. */
  readonly applyBatchBytes: number;
  /** Milliseconds after which applied changes are handed to the engine however few they are. */
  readonly applyDelayMs: number;
  /** Entries admitted or applied in one turn. */
  readonly turnEntriesMax: number;
  /** Bytes of the entries read from the log to be applied in one turn; one entry may be larger. */
  readonly turnBytesMax: number;
  /** Writes checked or applied in one turn; a larger transaction takes several. */
  readonly turnWritesMax: number;
  /** Applied entries that stay in the log. */
  readonly logTailEntries: number;
  /** Bytes of applied entries above which none stays in the log. */
  readonly logTailBytes: number;
  /** Milliseconds between two looks for what can be collected. */
  readonly collectDelayMs: number;
  /** Milliseconds until the next look for what can be collected after one that found nothing. */
  readonly collectIdleDelayMs: number;
  /** Versions removed by one collection. */
  readonly collectKeysMax: number;
  /** Superseded versions remembered; further ones are found by walking the key space. */
  readonly garbageItemsMax: number;
  /** Pairs that one step of the walk for superseded versions looks at. */
  readonly sweepPairsMax: number;
  /** Milliseconds between two steps of the walk for superseded versions. */
  readonly sweepDelayMs: number;
  /** Milliseconds that a group of several members keeps superseded versions, for snapshots on followers. */
  readonly retainMs: number;
  /** Milliseconds between two reports of a follower's oldest snapshot to the leader. */
  readonly retainReportMs: number;
  /** Milliseconds that reads and writes wait for a leader. */
  readonly leaderWaitMs: number;
  /** Milliseconds after which a leader that does not answer is asked again. */
  readonly forwardRetryMs: number;
  /**
   * Milliseconds after which the advisory locks of a node that is not heard of go to others; its own sessions with
   * locks are ended at three quarters of it. The same at all nodes.
   */
  readonly lockLeaseMs: number;
  /** Milliseconds that a batch of the log takes to the disk before the replica gives up leading. */
  readonly diskStallMs: number;
  /** Milliseconds by which wall and monotonic clock may move apart between two looks at them. */
  readonly clockJumpMs: number;
  /** Bytes of applied entries that stay in the log while a member lags that needs them. */
  readonly logHeldBytes: number;
  /** Bytes of one chunk of a snapshot. */
  readonly imageChunkBytes: number;
  /** Chunks of a snapshot that are on their way at once. */
  readonly imageWindowChunks: number;
  /** Pairs that a turn reads, writes or removes for a snapshot. */
  readonly imagePairsMax: number;
  /** Milliseconds without an answer after which a snapshot goes on from the last chunk that arrived. */
  readonly imageRetryMs: number;
  /** Milliseconds without any progress after which a snapshot is given up. */
  readonly imageStallMs: number;
  /** Pairs that a turn reads for a hash of the state. */
  readonly hashPairsMax: number;
  /** Bytes that a turn reads for a hash of the state; one pair may be larger. */
  readonly hashBytesMax: number;
  /** Turns after which the piece of the key space ends that is hashed at once. */
  readonly hashTurnsMax: number;
}

const mebibyte = 1024 * 1024;

export const defaultShardLimits: ShardLimits = {
  proposalsMax: 8192,
  proposalBytesMax: 64 * mebibyte,
  entryBytesMax: 16 * mebibyte,
  overlayBytesMax: 64 * mebibyte,
  applyBatchBytes: mebibyte / 2,
  applyDelayMs: 1000,
  turnEntriesMax: 256,
  turnBytesMax: mebibyte / 4,
  turnWritesMax: 1024,
  logTailEntries: 1024,
  logTailBytes: mebibyte,
  collectDelayMs: 100,
  collectIdleDelayMs: 1000,
  collectKeysMax: 512,
  garbageItemsMax: 131_072,
  sweepPairsMax: 2048,
  sweepDelayMs: 10,
  retainMs: 3000,
  retainReportMs: 1000,
  leaderWaitMs: 5000,
  forwardRetryMs: 500,
  lockLeaseMs: 5000,
  diskStallMs: 500,
  clockJumpMs: 20,
  logHeldBytes: 256 * mebibyte,
  imageChunkBytes: mebibyte / 4,
  imageWindowChunks: 8,
  imagePairsMax: 2048,
  imageRetryMs: 1000,
  imageStallMs: 15_000,
  hashPairsMax: 1024,
  hashBytesMax: mebibyte,
  hashTurnsMax: 16,
};
