/**
 * The engine: an ordered key-value map on one device, one per store.
 *
 * What it guarantees:
 * - `commit` never blocks the caller for the device. Batches become durable in the order of their
 *   tickets, each whole or not at all: after a crash the engine holds a prefix of the tickets.
 * - `commitLater` is a lane of its own: the same holds for it, and between the two there is no order.
 *   After a crash the engine holds a prefix of each, whatever the order of the calls was.
 * - In each lane one flush is in flight at a time; batches that arrive meanwhile share the next one.
 * - `get` and `scan` see at least every durable batch. They may lag behind `commit`, so whoever
 *   commits keeps what it wrote in memory until the ticket is durable.
 * - Keys are compared as unsigned bytes. Values carry a checksum bound to their key; a value that
 *   fails it raises `data_corrupted`, it is never returned.
 * - No read holds a transaction of the device beyond the turn.
 */
import type { Brand } from '../base/ids.js';

/** The place of a batch in the engine's order of commits, counted from 1. */
export type Ticket = Brand<number, 'Ticket'>;

/** A half-open range of keys: `from <= key < to`. */
export interface Span {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

export interface Put {
  readonly key: Uint8Array;
  /** Undefined deletes the key; deleting an absent key is allowed. */
  readonly value: Uint8Array | undefined;
}

/** What one commit changes, applied in order. The engine owns the arrays from the call on. */
export type Batch = readonly Put[];

/**
 * Sees one pair of a scan; returns false to end the scan. Both arrays are valid during the call
 * only: copy what is kept. It may read the engine and commit to it.
 */
export type Visit = (key: Uint8Array, value: Uint8Array) => boolean;

export interface EngineStats {
  /** Bytes of the map in use, as the device sees them. */
  readonly usedBytes: number;
  /** Bytes of the log file's segments that hold something. */
  readonly logBytes: number;
  /** Flushes of `commit` that are complete and the seconds spent in them. */
  readonly flushes: number;
  readonly flushSeconds: number;
  /** Upper bounds (seconds) and counts of the flush latency histogram. */
  readonly flushLatency: { readonly bounds: readonly number[]; readonly counts: readonly number[] };
}

export interface Engine {
  /** The value of `key`, valid until the next call of an engine on this thread. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** Visits the pairs of `span` in ascending order of key, descending when `reverse`. */
  scan(span: Span, visit: Visit, reverse?: boolean): void;
  /** The first `keysMax` keys of `span`, ascending, also of those whose values are damaged. */
  keys(span: Span, keysMax?: number): readonly Uint8Array[];
  /** Queues `batch`; returns at once. */
  commit(batch: Batch): Ticket;
  /** Every ticket up to this one is on stable storage. */
  readonly durableTicket: Ticket;
  /**
   * As `commit`, for what nobody waits for: its tickets are counted apart, and it may take its time
   * while those of `commit` overtake it. It takes no keys of the spaces `log` and `hardState`.
   */
  commitLater(batch: Batch): Ticket;
  /** As `durableTicket`, of `commitLater`. */
  readonly laterTicket: Ticket;
  /**
   * `listener` is called, never inside `commit`, each time `durableTicket` or `laterTicket` has risen, or with the
   * error that stopped the engine (disk full, I/O error): after it nothing more becomes durable.
   */
  onDurable(listener: (failure: Error | undefined) => void): void;
  stats(): EngineStats;
  /** Resolves when all that was committed is durable and the device is released. */
  close(): Promise<void>;
}
