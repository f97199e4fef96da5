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
  garbageItemsMax: 65_536,
  sweepPairsMax: 2048,
  sweepDelayMs: 10,
};
