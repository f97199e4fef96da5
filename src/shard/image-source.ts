/**
 * The image of a state at one applied entry, read from the replica while it goes on applying.
 *
 * Row versions carry timestamps and older ones are kept, so what the key space was after the entry can be
 * told later, as long as nothing is collected: under each key lay the newest version up to the timestamp of
 * the entry, and the older ones lay in the history. Counters keep no older values; those that change meanwhile
 * are set aside as they were (docs/decisions/0012).
 *
 * Invariant: whatever is applied meanwhile, the pairs of all pieces together are those that lay there then.
 */
import { byteString, compareBytes, successor } from '../base/bytes.js';
import type { Timestamp } from '../base/ids.js';
import type { Put, Span, Visit } from '../storage/index.js';
import { isHistoryKey, keySpace, splitHistoryKey } from '../storage/keys.js';
import {
  historySpan,
  type StateWatcher,
  timestampOf,
  versionAt,
  type VersionReader,
} from '../txn/index.js';

export const imageStart = new Uint8Array(0);
/** Behind all pairs of an image. */
export const imageEnd = Uint8Array.of(keySpace.data + 1);
const dataStart = Uint8Array.of(keySpace.data);

export interface ImagePiece {
  /** Pairs with keys after the piece before and up to `through`. */
  readonly pairs: readonly Put[];
  readonly bytes: number;
  readonly through: Uint8Array;
}

/** A pair as the walk met it; `value` undefined: what lay there then must be looked up. */
interface Found {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

export class ImageSource implements StateWatcher {
  readonly #reader: VersionReader;
  readonly #at: Timestamp;
  /** Counters as they were; undefined: there was none. */
  readonly #counters = new Map<string, Uint8Array | undefined>();
  /** The row whose history the walk is in, and the version of it that lay under the bare key. */
  #row: Uint8Array | undefined;
  #promoted: Uint8Array | undefined;

  constructor(reader: VersionReader, at: Timestamp) {
    this.#reader = reader;
    this.#at = at;
  }

  advancing(key: Uint8Array, before: Uint8Array | undefined): void {
    // What has changed since is in the history, or was set aside when it did.
    if (before !== undefined && timestampOf(before) > this.#at) return;
    const name = byteString(key);
    if (!this.#counters.has(name)) this.#counters.set(name, before);
  }

  /** The pairs after `after`, of about `bytesMax` bytes and at most `pairsMax` looked at. */
  next(after: Uint8Array, bytesMax: number, pairsMax: number): ImagePiece {
    const from = after.length === 0 ? dataStart : successor(after);
    // Something may have been applied since the piece before, and a piece may be asked for again.
    this.#row = undefined;
    const found: Found[] = [];
    let looked = 0;
    let bytes = 0;
    let through: Uint8Array = imageEnd;
    const visit: Visit = (key, value) => {
      const older = isHistoryKey(key);
      const kept = Buffer.from(key);
      looked += 1;
      bytes += key.length + value.length;
      const since = older ? (splitHistoryKey(kept)?.timestamp ?? 0) : timestampOf(value);
      if (since <= this.#at) found.push({ key: kept, value: Buffer.from(value) });
      else if (!older) found.push({ key: kept, value: undefined });
      if (looked < pairsMax && bytes < bytesMax) return true;
      through = kept;
      return false;
    };
    const span: Span = { from, to: imageEnd };
    this.#reader.scan(span, visit);
    const pairs: Put[] = [];
    let pairBytes = 0;
    for (const one of found) {
      const value = isHistoryKey(one.key) ? this.#history(one) : this.#bare(one);
      if (value === undefined) continue;
      pairs.push({ key: one.key, value });
      pairBytes += one.key.length + value.length;
    }
    return { pairs, bytes: pairBytes, through };
  }

  /** What lay under the key of a row. */
  #bare({ key, value }: Found): Uint8Array | undefined {
    if (this.#counters.size > 0) {
      const name = byteString(key);
      if (this.#counters.has(name)) return this.#counters.get(name);
    }
    return value ?? versionAt(this.#reader, key, this.#at);
  }

  /** An older version, unless it was the newest one then. */
  #history({ key, value }: Found): Uint8Array | undefined {
    const older = splitHistoryKey(key);
    if (older === undefined) return value;
    if (this.#row === undefined || compareBytes(this.#row, older.rowKey) !== 0) {
      this.#row = older.rowKey;
      this.#promoted = this.#promotedOf(older.rowKey);
    }
    const promoted = this.#promoted;
    return promoted !== undefined && compareBytes(promoted, key) === 0 ? undefined : value;
  }

  #promotedOf(row: Uint8Array): Uint8Array | undefined {
    if (this.#counters.has(byteString(row))) return undefined;
    const newest = this.#reader.get(row);
    if (newest === undefined || timestampOf(newest) <= this.#at) return undefined;
    let promoted: Uint8Array | undefined;
    this.#reader.scan(historySpan(row, this.#at), (key) => {
      promoted = Buffer.from(key);
      return false;
    });
    return promoted;
  }
}
