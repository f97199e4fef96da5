/**
 * The state machine of a shard: what applying the log makes of the key space.
 *
 *     put over nothing        key -> version
 *     put over a version      history(key, its timestamp) -> it,  key -> version
 *     delete of a version     history(key, its timestamp) -> it,  key -> tombstone
 *     delete of nothing       nothing
 *     advance                 key -> counter, moved only in its direction; no history
 *     discard                 the storage is noted; collections clear it
 *     collection              history, tombstones and discarded ranges go
 *     epoch                   nothing: the next number is given
 *     notifications           nothing: who listens hears them
 *     operations on locks     nothing: the table of advisory locks is beside the key space
 */
import { assert, unreachable } from '../base/assert.js';
import { ByteReader, ByteWriter } from '../base/bytes.js';
import { raise } from '../base/errors.js';
import type { LogIndex, ObjectId, Term, Timestamp, TransactionId } from '../base/ids.js';
import type { LogEntry } from '../storage/index.js';
import { historyKey, isHistoryKey } from '../storage/keys.js';
import { type AdvisoryEvent, AdvisoryLocks } from './advisory-locks.js';
import type { Garbage } from './garbage.js';
import {
  type Change,
  type Collection,
  decodeChange,
  decodeCollection,
  decodeEpochFloor,
  readStorageName,
  type StorageName,
} from './payload.js';
import type { VersionReader } from './read.js';
import type { Notification, ObjectVersion, Write } from './transaction.js';
import {
  decodeCounter,
  encodeCounter,
  encodeVersion,
  isTombstone,
  payloadOf,
  timestampOf,
} from './version.js';
import { AppliedTransactions, type Familiarity } from './window.js';

/** Where versions lie. It owns what is set. */
export interface VersionStore extends VersionReader {
  set(key: Uint8Array, value: Uint8Array | undefined): void;
}

/** A storage that the catalogue no longer names, since `at`. */
export interface DiscardedStorage extends StorageName {
  readonly at: Timestamp;
}

/**
 * The newest versions that a proposal's check met, in the order of its writes, copied; so that the
 * apply need not look again. They hold while its keys are latched and `burials` stays the same.
 */
export interface CheckedVersions {
  readonly burials: number;
  readonly versions: readonly (Uint8Array | undefined)[];
}

/** What an entry has brought about that sessions are told of. */
export interface News {
  readonly timestamp: Timestamp;
  readonly notifications: readonly Notification[];
  readonly events: readonly AdvisoryEvent[];
}

/**
 * 'known': nothing was changed, the entry's transaction was applied before. 'forgotten': nothing was changed, as
 * nobody can tell any more whether it was.
 */
export type Applied = 'applied' | 'partly' | Exclude<Familiarity, 'new'>;

/** A write entry between its first and its last step. */
interface Begun {
  readonly familiarity: Familiarity;
  readonly change: Change;
  readonly versions: CheckedVersions['versions'] | undefined;
  /** How many of the writes are applied. */
  writes: number;
  catalogue: boolean;
}

/** Format 1 had no epochs: the incarnations of its transaction ids stand for them. */
const format = 2;
/** With advisory locks. */
const formatWithLocks = 3;
const none: readonly never[] = [];

/** Told of what leaves no trace in the key space, so that an image of an earlier state stays possible. */
export interface StateWatcher {
  /** The counter under `key` is about to be replaced; undefined: there is none yet. */
  advancing(key: Uint8Array, before: Uint8Array | undefined): void;
}

/**
 * Invariants:
 * - It changes only by {@link apply}, entry after entry, and depends on nothing but the entries: two
 *   replicas that applied the same entries are equal.
 * - Timestamps of applied changes rise strictly; the newest version of a key has the highest.
 * - `garbage` counts the versions in history and the tombstones under bare keys.
 * - Whatever a snapshot at or above `horizon` sees is kept.
 */
export class ShardState {
  readonly #store: VersionStore;
  readonly #collector: Garbage;
  readonly #fences = new Map<ObjectId, number>();
  readonly #discarded = new Map<string, DiscardedStorage>();
  #transactions = new AppliedTransactions();
  #begun: Begun | undefined;
  #index = 0 as LogIndex;
  #term = 0 as Term;
  #timestamp = 0 as Timestamp;
  #horizon = 0 as Timestamp;
  #garbage = 0;
  #epoch = 0;
  #burials = 0;
  #catalogueVersion = 1;
  #locks = new AdvisoryLocks();
  #news: News | undefined;
  readonly #watchers = new Set<StateWatcher>();

  /** `record` is what {@link encode} gave for the state that `store` holds; undefined for an empty one. */
  constructor(store: VersionStore, garbage: Garbage, record: Uint8Array | undefined) {
    this.#store = store;
    this.#collector = garbage;
    if (record !== undefined) this.#decode(record);
  }

  /** The last entry applied. */
  get index(): LogIndex {
    return this.#index;
  }

  get term(): Term {
    return this.#term;
  }

  /** The newest commit applied. */
  get timestamp(): Timestamp {
    return this.#timestamp;
  }

  /** Snapshots below it may miss versions. */
  get horizon(): Timestamp {
    return this.#horizon;
  }

  get garbage(): number {
    return this.#garbage;
  }

  /** The last epoch given: the high half of a node's transaction ids, taken anew at each of its starts. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Rises whenever a tombstone is removed. */
  get burials(): number {
    return this.#burials;
  }

  /** An entry is applied in part: the key space is between two states. */
  get isPartial(): boolean {
    return this.#begun !== undefined;
  }

  /** Rises with each change of the system database; counted from 1 at each start. */
  get catalogueVersion(): number {
    return this.#catalogueVersion;
  }

  /** Read only: it changes with entries. */
  get locks(): Pick<AdvisoryLocks, 'rows' | 'lives' | 'has' | 'knows' | 'isEmpty'> {
    return this.#locks;
  }

  /** What the last entry applied has brought about, once; undefined for most entries. */
  takeNews(): News | undefined {
    const news = this.#news;
    if (news !== undefined) this.#news = undefined;
    return news;
  }

  /** Storages that await clearing. */
  get discardedCount(): number {
    return this.#discarded.size;
  }

  get discarded(): Iterable<DiscardedStorage> {
    return this.#discarded.values();
  }

  /** The oldest version of the object that proposals may name. */
  minimumVersion(object: ObjectId): number {
    return this.#fences.get(object) ?? 0;
  }

  familiarity(transaction: TransactionId): Familiarity {
    return this.#transactions.familiarity(transaction);
  }

  /** Whether transactions of the epoch can still be told from repeated ones. */
  remembers(epoch: number): boolean {
    return this.#transactions.remembers(epoch);
  }

  watch(watcher: StateWatcher): void {
    this.#watchers.add(watcher);
  }

  unwatch(watcher: StateWatcher): void {
    this.#watchers.delete(watcher);
  }

  /**
   * The key space was replaced by an image of another state, or has become useless (undefined): the state
   * at that image. What reads by `catalogueVersion` reads anew.
   */
  replace(record: Uint8Array | undefined): void {
    this.#fences.clear();
    this.#discarded.clear();
    this.#transactions = new AppliedTransactions();
    this.#begun = undefined;
    this.#index = 0 as LogIndex;
    this.#term = 0 as Term;
    this.#timestamp = 0 as Timestamp;
    this.#horizon = 0 as Timestamp;
    this.#garbage = 0;
    this.#epoch = 0;
    this.#burials += 1;
    this.#catalogueVersion += 1;
    this.#locks = new AdvisoryLocks();
    this.#news = undefined;
    if (record !== undefined) this.#decode(record);
  }

  /** How many superseded versions and tombstones an image has brought. */
  recount(garbage: number): void {
    assert(garbage >= 0, 'a count of garbage', garbage);
    this.#garbage = garbage;
  }

  /** For a member without data: takes note that the entry was committed, and applies nothing of it. */
  skip(entry: LogEntry): void {
    assert(entry.index === this.#index + 1, 'entries are skipped in order', entry.index);
    this.#index = entry.index;
    this.#term = entry.term;
  }

  /**
   * Applies the entry after the last one, up to `writesMax` of its writes. While it returns 'partly'
   * it is called again with the same entry: until then snapshots do not see any of it, and the state
   * must not be stored. `change` and `checked` spare decoding and reading where the proposer still
   * has them.
   */
  apply(entry: LogEntry, writesMax: number, change?: Change, checked?: CheckedVersions): Applied {
    assert(entry.index === this.#index + 1, 'entries are applied in order', entry.index);
    assert(entry.term >= this.#term, 'terms never fall', entry.term, this.#term);
    let applied: Applied = 'applied';
    switch (entry.kind) {
      case 'write':
        this.#begun ??= this.#begin(entry, change, checked);
        applied = this.#applyWrites(entry, this.#begun, writesMax);
        if (applied === 'partly') return applied;
        this.#begun = undefined;
        break;
      case 'gc':
        this.#collect(decodeCollection(entry.payload));
        break;
      case 'epoch':
        this.#epoch = Math.max(this.#epoch + 1, decodeEpochFloor(entry.payload));
        this.#transactions.begin(this.#epoch);
        break;
      case 'noop':
      case 'configuration':
        break;
      default:
        unreachable(entry.kind);
    }
    this.#index = entry.index;
    this.#term = entry.term;
    return applied;
  }

  /** What to store beside the key space, in the batch that brings it to this state. */
  encode(): Uint8Array {
    assert(!this.isPartial, 'an entry is applied in part', this.#index + 1);
    const hasLocks = !this.#locks.isEmpty;
    const writer = new ByteWriter(8192).uint8(hasLocks ? formatWithLocks : format);
    writer.uint53(this.#index).uint53(this.#term);
    writer.uint53(this.#timestamp).uint53(this.#horizon).uint53(this.#garbage);
    writer.uint53(this.#epoch);
    writer.uint32(this.#fences.size);
    for (const [object, version] of this.#fences) writer.uint53(object).uint53(version);
    writer.uint32(this.#discarded.size);
    for (const { database, storage, at } of this.#discarded.values()) {
      writer.uint32(database).uint32(storage).uint53(at);
    }
    this.#transactions.encode(writer);
    if (hasLocks) this.#locks.encode(writer);
    return writer.finish();
  }

  #decode(record: Uint8Array): void {
    const reader = new ByteReader(record);
    const version = reader.uint8();
    if (version < 1 || version > formatWithLocks) {
      raise('data_corrupted', `applied state of unknown format ${version}`);
    }
    this.#index = reader.uint53() as LogIndex;
    this.#term = reader.uint53() as Term;
    this.#timestamp = reader.uint53() as Timestamp;
    this.#horizon = reader.uint53() as Timestamp;
    this.#garbage = reader.uint53();
    if (version > 1) this.#epoch = reader.uint53();
    for (let left = reader.uint32(); left > 0; left -= 1) {
      this.#fences.set(reader.uint53() as ObjectId, reader.uint53());
    }
    for (let left = reader.uint32(); left > 0; left -= 1) {
      this.#discard(readStorageName(reader), reader.uint53() as Timestamp);
    }
    this.#transactions = AppliedTransactions.decode(reader);
    this.#epoch = Math.max(this.#epoch, this.#transactions.newest);
    if (version === formatWithLocks) this.#locks = AdvisoryLocks.decode(reader);
    if (reader.remaining !== 0) raise('data_corrupted', 'applied state with bytes left over');
  }

  #begin(entry: LogEntry, change: Change | undefined, checked: CheckedVersions | undefined): Begun {
    const { transaction, timestamp } = entry;
    assert(timestamp > this.#timestamp, 'commits rise', timestamp, this.#timestamp);
    return {
      familiarity: this.#transactions.familiarity(transaction),
      change: change ?? decodeChange(entry.payload),
      versions: checked?.burials === this.#burials ? checked.versions : undefined,
      writes: 0,
      catalogue: false,
    };
  }

  #applyWrites(entry: LogEntry, begun: Begun, writesMax: number): Applied {
    const { writes, fences } = begun.change;
    if (begun.familiarity === 'new') {
      const end = Math.min(writes.length, begun.writes + writesMax);
      for (let i = begun.writes; i < end; i += 1) {
        const write = writes[i];
        assert(write !== undefined, 'i lies inside');
        this.#applyOne(write, entry, begun.versions, i);
        begun.catalogue ||=
          write.op !== 'advance' && (write.op === 'discard' || inCatalogue(write.key));
      }
      begun.writes = end;
      if (end < writes.length) return 'partly';
      this.#transactions.add(entry.transaction);
      for (const fence of fences) this.#fence(fence);
      if (begun.catalogue) this.#catalogueVersion += 1;
      const { notifications, locks } = begun.change;
      if (notifications !== undefined || locks !== undefined) {
        const events = locks === undefined ? none : this.#locks.apply(locks);
        this.#news = { timestamp: entry.timestamp, notifications: notifications ?? none, events };
      }
    }
    this.#timestamp = entry.timestamp;
    return begun.familiarity === 'new' ? 'applied' : begun.familiarity;
  }

  #applyOne(
    write: Write,
    { timestamp, transaction }: LogEntry,
    known: readonly (Uint8Array | undefined)[] | undefined,
    at: number,
  ): void {
    if (write.op === 'discard') {
      this.#discard(write, timestamp);
      return;
    }
    if (write.op === 'advance') {
      this.#advance(write, timestamp, transaction);
      return;
    }
    const { key } = write;
    const before = known === undefined ? copyOf(this.#store.get(key)) : known[at];
    if (write.op === 'put') {
      if (before !== undefined) {
        const older = this.#supersede(key, before, timestamp);
        this.#collector.add({ at: timestamp, key: older, tombstone: false });
      }
      this.#store.set(key, encodeVersion('value', timestamp, transaction, write.value));
      return;
    }
    if (before === undefined || isTombstone(before)) return;
    this.#supersede(key, before, timestamp);
    this.#store.set(key, encodeVersion('tombstone', timestamp, transaction));
    this.#garbage += 1;
    // What the row was before is collected with its tombstone.
    this.#collector.add({ at: timestamp, key, tombstone: true });
  }

  /** The version under `key` becomes an older one, under the key returned. A tombstone was counted already. */
  #supersede(key: Uint8Array, before: Uint8Array, timestamp: Timestamp): Uint8Array {
    const since = timestampOf(before);
    assert(since < timestamp, 'versions of a key rise', since, timestamp);
    const older = historyKey(key, since);
    this.#store.set(older, before);
    if (!isTombstone(before)) this.#garbage += 1;
    return older;
  }

  #advance(
    { key, to, descending }: Extract<Write, { readonly op: 'advance' }>,
    timestamp: Timestamp,
    transaction: TransactionId,
  ): void {
    const before = this.#watchers.size === 0 ? this.#store.get(key) : this.#tellWatchers(key);
    if (before !== undefined) {
      // The sequence was dropped while the advance was on its way.
      if (isTombstone(before)) return;
      const value = decodeCounter(payloadOf(before));
      if (descending === true ? value <= to : value >= to) return;
    }
    this.#store.set(key, encodeVersion('counter', timestamp, transaction, encodeCounter(to)));
  }

  #tellWatchers(key: Uint8Array): Uint8Array | undefined {
    const before = copyOf(this.#store.get(key));
    for (const watcher of this.#watchers) watcher.advancing(key, before);
    return before;
  }

  #fence({ object, version }: ObjectVersion): void {
    if (version > this.minimumVersion(object)) this.#fences.set(object, version);
  }

  #discard({ database, storage }: StorageName, at: Timestamp): void {
    this.#discarded.set(`${database}/${storage}`, { database, storage, at });
  }

  #collect(collection: Collection): void {
    assert(collection.horizon >= this.#horizon, 'the horizon never falls', collection.horizon);
    assert(collection.horizon <= this.#timestamp, 'the horizon is past', collection.horizon);
    this.#horizon = collection.horizon;
    for (const key of collection.keys) this.#remove(key);
    for (const span of collection.spans) {
      const keys: Uint8Array[] = [];
      this.#store.scan(span, (key, version) => {
        if (isHistoryKey(key) || isTombstone(version)) this.#garbage -= 1;
        keys.push(Buffer.from(key));
        return true;
      });
      for (const key of keys) this.#store.set(key, undefined);
    }
    for (const { database, storage } of collection.cleared) {
      this.#discarded.delete(`${database}/${storage}`);
    }
    assert(this.#garbage >= 0, 'more was collected than there was', this.#garbage);
  }

  #remove(key: Uint8Array): void {
    const version = this.#store.get(key);
    if (version === undefined) return;
    const buried = !isHistoryKey(key);
    // The row was written again since the collection was proposed.
    if (buried && !(isTombstone(version) && timestampOf(version) <= this.#horizon)) return;
    if (buried) this.#burials += 1;
    this.#garbage -= 1;
    this.#store.set(key, undefined);
  }
}

function copyOf(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes);
}

/** Whether the key lies in database 0. */
function inCatalogue(key: Uint8Array): boolean {
  return key[1] === 0 && key[2] === 0 && key[3] === 0 && key[4] === 0;
}
