/**
 * What can be collected and when: versions in the order in which they were superseded, and tombstones.
 *
 * The list is a memory of the leader only. When it is full, or after a start, it is incomplete, and
 * {@link Sweep} finds the rest by walking the key space in small steps.
 */
import { assert } from '../base/assert.js';
import { prefixEnd, successor } from '../base/bytes.js';
import type { Timestamp } from '../base/ids.js';
import type { Span } from '../storage/engine.js';
import { dataPrefix, isHistoryKey, keyKind, keySpace, splitHistoryKey } from '../storage/keys.js';
import type { Collection, StorageName } from './payload.js';
import { historySpan, type VersionReader } from './read.js';
import type { DiscardedStorage } from './state.js';
import { isTombstone, timestampOf } from './version.js';

export interface GarbageItem {
  /** Snapshots at or after it do not need the version. */
  readonly at: Timestamp;
  /** A history key, or the bare key of a tombstone. */
  readonly key: Uint8Array;
  readonly tombstone: boolean;
}

/** Takes note of garbage as it comes to be. */
export interface Garbage {
  add(item: GarbageItem): void;
}

/** First in, first out, bounded. What does not fit is forgotten and {@link complete} becomes false. */
export class GarbageQueue implements Garbage {
  readonly #itemsMax: number;
  #items: GarbageItem[] = [];
  #head = 0;
  #complete = true;

  constructor(itemsMax: number) {
    this.#itemsMax = itemsMax;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Whether all garbage is in the queue. */
  get complete(): boolean {
    return this.#complete;
  }

  get full(): boolean {
    return this.size >= this.#itemsMax;
  }

  add(item: GarbageItem): void {
    if (this.full) this.#complete = false;
    else this.#items.push(item);
  }

  /** There is garbage that was never added: a restart lost the queue. */
  forget(): void {
    this.#complete = false;
  }

  /** Forgets everything: the state is another one. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#complete = true;
  }

  /** The sweep starts over: garbage that it passed and could not add is lost otherwise. */
  beginSweep(): void {
    this.#complete = true;
  }

  /** The first item, if a snapshot at `horizon` does not need it; it leaves the queue. */
  take(horizon: Timestamp): GarbageItem | undefined {
    const item = this.#items[this.#head];
    if (item === undefined || item.at > horizon) return undefined;
    this.#head += 1;
    if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Items at the head that another replica's collection has removed leave, `itemsMax` at most. */
  dropCollected(reader: VersionReader, itemsMax: number): void {
    for (let left = itemsMax; left > 0; left -= 1) {
      const item = this.#items[this.#head];
      if (item === undefined) return;
      // A tombstone that was written over still stands for what the row was before it.
      const isThere = item.tombstone
        ? burial(reader, item).length > 0
        : reader.get(item.key) !== undefined;
      if (isThere) return;
      this.take(item.at);
    }
  }
}

/**
 * Walks the whole key space once, `pairsMax` pairs a step, for garbage that the queue does not know.
 * Items that are in the queue already may be found again: removing twice is harmless.
 */
export class Sweep {
  #from: Uint8Array | undefined = Uint8Array.of(keySpace.data);
  /** The row that the history under the cursor belongs to, and when its last seen version began. */
  #row: Uint8Array | undefined;
  #supersededAt = 0 as Timestamp;

  get done(): boolean {
    return this.#from === undefined;
  }

  step(reader: VersionReader, queue: GarbageQueue, pairsMax: number): void {
    assert(this.#from !== undefined, 'the sweep is over');
    const found: { readonly key: Uint8Array; readonly version: Uint8Array }[] = [];
    let pairs = 0;
    let last: Uint8Array | undefined;
    reader.scan({ from: this.#from, to: Uint8Array.of(keySpace.data + 1) }, (key, version) => {
      pairs += 1;
      if (isHistoryKey(key) || isTombstone(version)) {
        found.push({ key: Buffer.from(key), version: Buffer.from(version) });
      }
      if (pairs < pairsMax) return true;
      last = Buffer.from(key);
      return false;
    });
    this.#from = last === undefined ? undefined : successor(last);
    for (const { key, version } of found) this.#note(reader, queue, key, version);
  }

  #note(reader: VersionReader, queue: GarbageQueue, key: Uint8Array, version: Uint8Array): void {
    const older = splitHistoryKey(key);
    if (older === undefined) {
      queue.add({ at: timestampOf(version), key, tombstone: true });
      return;
    }
    if (this.#row === undefined || Buffer.compare(this.#row, older.rowKey) !== 0) {
      const newest = reader.get(older.rowKey);
      // Only a discarded storage loses rows before their history, and it is cleared whole.
      if (newest === undefined) return;
      this.#row = older.rowKey;
      this.#supersededAt = timestampOf(newest);
    }
    assert(older.timestamp < this.#supersededAt, 'older versions are older', older.timestamp);
    queue.add({ at: this.#supersededAt, key, tombstone: false });
    this.#supersededAt = older.timestamp;
  }
}

/**
 * The next collection at `horizon`: at most `keysMax` versions of the queue, and a piece of at most
 * that many pairs of one discarded storage. Undefined when there is nothing to do.
 */
export function nextCollection(
  reader: VersionReader,
  queue: GarbageQueue,
  discarded: Iterable<DiscardedStorage>,
  horizon: Timestamp,
  keysMax: number,
): Collection | undefined {
  const keys: Uint8Array[] = [];
  while (keys.length < keysMax) {
    const item = queue.take(horizon);
    if (item === undefined) break;
    if (item.tombstone) keys.push(...burial(reader, item));
    else keys.push(item.key);
  }
  const spans: Span[] = [];
  const cleared: StorageName[] = [];
  for (const { database, storage, at } of discarded) {
    if (at > horizon) continue;
    const piece = firstPairs(reader, storageSpan({ database, storage }), keysMax);
    if (piece.span !== undefined) spans.push(piece.span);
    if (piece.whole) cleared.push({ database, storage });
    break;
  }
  if (keys.length === 0 && spans.length === 0 && cleared.length === 0) return undefined;
  return { horizon, keys, spans, cleared };
}

/**
 * What goes with a tombstone: first what the row was before, for without the tombstone that would
 * show; then the tombstone, unless the row was written since. A later tombstone of the row stays: it
 * hides versions that this one does not.
 */
function burial(reader: VersionReader, { at, key }: GarbageItem): Uint8Array[] {
  const keys: Uint8Array[] = [];
  reader.scan(historySpan(key, at), (older) => {
    keys.push(Buffer.from(older));
    return true;
  });
  const newest = reader.get(key);
  if (newest !== undefined && isTombstone(newest) && timestampOf(newest) === at) keys.push(key);
  return keys;
}

function storageSpan({ database, storage }: StorageName): Span {
  const from = dataPrefix(database, storage, keyKind.row).subarray(0, 9);
  const to = prefixEnd(from);
  assert(to !== undefined, 'a storage has an end');
  return { from, to };
}

/** The part of `span` with its first `pairsMax` pairs, and whether that is all. */
function firstPairs(
  reader: VersionReader,
  span: Span,
  pairsMax: number,
): { readonly span: Span | undefined; readonly whole: boolean } {
  let pairs = 0;
  let end: Uint8Array | undefined;
  reader.scan(span, (key) => {
    if (pairs === pairsMax) {
      end = Buffer.from(key);
      return false;
    }
    pairs += 1;
    return true;
  });
  if (pairs === 0) return { span: undefined, whole: true };
  return { span: { from: span.from, to: end ?? span.to }, whole: end === undefined };
}
