/** Branded numbers, so that a term is never passed where an index belongs. All stay below 2^53. */

declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A process of the cluster. A lone node is 1. */
export type NodeId = Brand<number, 'NodeId'>;
/** One LMDB environment of a node, counted from 0 and fixed when the directory is made. */
export type StoreId = Brand<number, 'StoreId'>;
/** A shard: one contiguous range of the key space and one Raft group. */
export type ShardId = Brand<number, 'ShardId'>;
/** A Raft term. 0 is before the first election. */
export type Term = Brand<number, 'Term'>;
/** The position of an entry in a Raft log. 0 is before the first entry. */
export type LogIndex = Brand<number, 'LogIndex'>;
/**
 * The instant of a commit: milliseconds since 1970 times 4096 plus a counter, strictly increasing in
 * a shard even when clocks jump. 0 is before every commit.
 */
export type Timestamp = Brand<number, 'Timestamp'>;
/**
 * A transaction: the incarnation of its node (a number never given twice) times 2^32 plus a counter.
 * It is stored with what the transaction wrote, so that a retried proposal is recognised.
 */
export type TransactionId = Brand<number, 'TransactionId'>;
/** A table, index, sequence or other object of the catalogue. Survives renames. */
export type ObjectId = Brand<number, 'ObjectId'>;
/** Where the rows of an object lie. TRUNCATE, rewrite and clone give an object a new one. */
export type StorageId = Brand<number, 'StorageId'>;
/** A database of the cluster. 0 is the system database (catalogue, shard map, settings). */
export type DatabaseId = Brand<number, 'DatabaseId'>;
