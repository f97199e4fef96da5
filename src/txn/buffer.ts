/**
 * What a transaction has written so far, kept with its session until it commits.
 *
 * A statement reads what the statements before it wrote, never what it writes itself: an UPDATE that
 * moves a row forward in the order of its scan must not meet it again (Halloween problem). Hence two
 * layers: `written`, which reads see, and `statement`, which becomes visible when the statement ends
 * or is dropped with it. Savepoints are places in a log of what the writes since then took the place of.
 */
import { assert } from '../base/assert.js';
import { byteString, compareBytes } from '../base/bytes.js';
import type {
  DatabaseId,
  ObjectId,
  StorageId,
  Term,
  Timestamp,
  TransactionId,
} from '../base/ids.js';
import type { Span, Visit } from '../storage/engine.js';
import type { ObjectVersion, Proposal, Write } from './transaction.js';
import { decodeCounter, encodeCounter } from './version.js';

/** A shard as one snapshot sees it: ShardAccess bound to a timestamp. */
export interface SnapshotReader {
  /** The value of `key`, valid until the next call. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** Visits live pairs in ascending order of key, descending when `reverse`. */
  scan(span: Span, visit: Visit, reverse?: boolean): void;
}

type KeyWrite = Exclude<Write, { readonly op: 'discard' }>;
type Discard = Extract<Write, { readonly op: 'discard' }>;

/** What an entry of a buffer costs beside its key and value, bytes. An estimate of V8's share. */
const entryBytes = 120;

/** Writes by key, the last one of each key only. */
class Layer {
  readonly writes = new Map<string, KeyWrite>();
  readonly discards: Discard[] = [];
  bytes = 0;
  #sorted: readonly KeyWrite[] | undefined;

  get isEmpty(): boolean {
    return this.writes.size === 0 && this.discards.length === 0;
  }

  set(write: KeyWrite): void {
    const name = byteString(write.key);
    const before = this.writes.get(name);
    if (before !== undefined) this.bytes -= sizeOf(before);
    this.writes.set(name, before === undefined ? write : merged(before, write));
    this.bytes += sizeOf(write);
    this.#sorted = undefined;
  }

  /** Puts back what lies under `key` now. */
  restoring(key: Uint8Array): () => void {
    const name = byteString(key);
    const before = this.writes.get(name);
    return () => {
      const now = this.writes.get(name);
      if (now !== undefined) this.bytes -= sizeOf(now);
      if (before === undefined) this.writes.delete(name);
      else {
        this.writes.set(name, before);
        this.bytes += sizeOf(before);
      }
      this.#sorted = undefined;
    };
  }

  /** In ascending order of key. Sorted when first asked for after a change. */
  sorted(): readonly KeyWrite[] {
    this.#sorted ??= [...this.writes.values()].sort((a, b) => compareBytes(a.key, b.key));
    return this.#sorted;
  }
}

/** The layer of all transactions that have written nothing; an ended statement takes its place. */
const nothing = new Layer();

function sizeOf(write: KeyWrite): number {
  return entryBytes + write.key.length + (write.op === 'put' ? write.value.length : 8);
}

/**
 * Two writes of one transaction to one key: the later one counts. An advance after a put (a sequence
 * made or set, then used) moves the value put; of two advances the further one stays.
 */
function merged(before: KeyWrite, after: KeyWrite): KeyWrite {
  if (after.op !== 'advance' || before.op === 'delete') return after;
  const value = before.op === 'put' ? decodeCounter(before.value) : before.to;
  const further = after.descending === true ? after.to < value : after.to > value;
  if (!further) return before;
  return before.op === 'put'
    ? { op: 'put', key: after.key, value: encodeCounter(after.to) }
    : after;
}

export class TransactionBuffer {
  readonly #reader: SnapshotReader;
  // Made when first needed: most transactions are one statement that has neither guards nor fences.
  #guards: Map<string, Uint8Array> | undefined;
  #objects: Map<ObjectId, number> | undefined;
  #fences: Map<ObjectId, number> | undefined;
  #written = nothing;
  #statement: Layer | undefined;
  /** Where the open statement began, once a part of it counts as written. */
  #began: { readonly undone: number; readonly hadSavepoints: boolean } | undefined;
  /** How to take back each change since the oldest savepoint, in order; undefined without savepoints. */
  #undo: (() => void)[] | undefined;

  /** `reader` is what the transaction reads where it has written nothing. */
  constructor(reader: SnapshotReader) {
    this.#reader = reader;
  }

  beginStatement(): void {
    assert(this.#statement === undefined, 'a statement is open already');
    this.#statement = new Layer();
  }

  /**
   * The rest of the statement sees what it has written so far, as if it were a statement of its own:
   * the actions of foreign keys and checks at its end. They stay or go together.
   */
  nextCommand(): void {
    if (this.#open().isEmpty) return;
    this.#began ??= {
      undone: this.#undo?.length ?? 0,
      hadSavepoints: this.#undo !== undefined,
    };
    this.#undo ??= [];
    this.#merge();
    this.#statement = new Layer();
  }

  /** Makes the statement's writes visible to the statements after it. */
  endStatement(): void {
    this.#merge();
    if (this.#began?.hadSavepoints === false) this.#undo = undefined;
    this.#began = undefined;
  }

  #merge(): void {
    const ended = this.#open();
    this.#statement = undefined;
    if (this.#written.isEmpty && this.#undo === undefined) {
      this.#written = ended;
      return;
    }
    if (ended.isEmpty) return;
    // The empty layer is shared by all transactions.
    if (this.#written === nothing) this.#written = new Layer();
    const written = this.#written;
    for (const write of ended.writes.values()) {
      if (this.#undo !== undefined) this.#undo.push(written.restoring(write.key));
      written.set(write);
    }
    if (ended.discards.length === 0) return;
    const { length } = written.discards;
    written.discards.push(...ended.discards);
    this.#undo?.push(() => written.discards.splice(length));
  }

  /** A place to come back to with {@link rollbackTo}. No statement may be open. */
  savepoint(): number {
    assert(this.#statement === undefined, 'a statement is open');
    this.#undo ??= [];
    return this.#undo.length;
  }

  /** Takes back all that was done since the savepoint, which stays. */
  rollbackTo(savepoint: number): void {
    assert(this.#statement === undefined, 'a statement is open');
    const undo = this.#undo;
    assert(undo !== undefined && savepoint <= undo.length, 'a savepoint is there', savepoint);
    while (undo.length > savepoint) undo.pop()?.();
  }

  /** No savepoint is left: what was done stays until the end. */
  forgetSavepoints(): void {
    this.#undo = undefined;
  }

  /** Drops what the statement wrote. Its guards and objects stay: they only make conflicts likelier. */
  abandonStatement(): void {
    this.#open();
    this.#statement = undefined;
    if (this.#began === undefined) return;
    const { undone, hadSavepoints } = this.#began;
    this.#began = undefined;
    this.rollbackTo(undone);
    if (!hadSavepoints) this.#undo = undefined;
  }

  /** What the statements before this one see: never the open statement's own writes. */
  get(key: Uint8Array): Uint8Array | undefined {
    if (this.#written.writes.size === 0) return this.#reader.get(key);
    return this.#resolve(this.#written.writes.get(byteString(key)), key);
  }

  /**
   * Like `get`, with the open statement's own writes: for uniqueness within a statement only, such as
   * INSERT of the same key twice.
   */
  getLatest(key: Uint8Array): Uint8Array | undefined {
    const { writes } = this.#open();
    if (writes.size === 0) return this.get(key);
    const name = byteString(key);
    return this.#resolve(writes.get(name) ?? this.#written.writes.get(name), key);
  }

  /** Whether the open statement has put or deleted `key`: a second change of a row is an error or void. */
  writtenByStatement(key: Uint8Array): boolean {
    return this.#open().writes.has(byteString(key));
  }

  /** Visits what `get` gives for the keys of `span`. The arrays are valid during the call only. */
  scan(span: Span, visit: Visit, reverse = false): void {
    const writes = this.#written.writes.size === 0 ? [] : inSpan(this.#written.sorted(), span);
    if (writes.length === 0) {
      this.#reader.scan(span, visit, reverse);
      return;
    }
    if (reverse) writes.reverse();
    scanMerged(this.#reader, writes, span, visit, reverse);
  }

  /** The buffer owns both arrays from now on; this holds for the keys of all its methods. */
  put(key: Uint8Array, value: Uint8Array): void {
    this.#open().set({ op: 'put', key, value });
  }

  delete(key: Uint8Array): void {
    this.#open().set({ op: 'delete', key });
  }

  /** Moves a sequence's last value to at least `to`, to at most `to` when `descending`. */
  advance(key: Uint8Array, to: bigint, descending = false): void {
    this.#open().set(
      descending ? { op: 'advance', key, to, descending } : { op: 'advance', key, to },
    );
  }

  /** The storage is no longer named by the catalogue: cleared once no snapshot needs it. */
  discard(database: DatabaseId, storage: StorageId): void {
    this.#open().discards.push({ op: 'discard', database, storage });
  }

  /**
   * The commit is refused if `key` was written after the snapshot: a row that is referenced. If the
   * transaction writes it too, also if somebody else has guarded it since.
   */
  guard(key: Uint8Array): void {
    this.#guards ??= new Map();
    this.#guards.set(byteString(key), key);
  }

  /** The commit is refused once the shard knows a newer version of the object. */
  touch(object: ObjectId, version: number): void {
    this.#objects ??= new Map();
    const before = this.#objects.get(object);
    assert(before === undefined || before <= version, 'an object went back', object, version);
    if (before !== undefined) return;
    const objects = this.#objects;
    objects.set(object, version);
    // What was read stays read; a version that is taken back must not be asked for.
    this.#undo?.push(() => objects.delete(object));
  }

  /** From this commit on the shard refuses what was planned with older versions of the object. */
  fence(object: ObjectId, version: number): void {
    this.#fences ??= new Map();
    const fences = this.#fences;
    const before = fences.get(object);
    fences.set(object, version);
    this.#undo?.push(() => {
      if (before === undefined) fences.delete(object);
      else fences.set(object, before);
    });
  }

  /** Memory held, bytes, for the accounts of statement and session. */
  get bytes(): number {
    return (
      this.#written.bytes +
      (this.#statement?.bytes ?? 0) +
      (sizeIn(this.#guards) + (this.#undo?.length ?? 0)) * entryBytes +
      (sizeIn(this.#objects) + sizeIn(this.#fences)) * 32
    );
  }

  /** True when there is nothing to propose. */
  get isEmpty(): boolean {
    return (
      this.#written.isEmpty && (this.#statement?.isEmpty ?? true) && sizeIn(this.#fences) === 0
    );
  }

  /**
   * What to commit, with numbers of sequences taken in `numbersTerm` if there are any. No statement
   * may be open.
   */
  proposal(transaction: TransactionId, snapshot: Timestamp, numbersTerm?: Term): Proposal {
    assert(this.#statement === undefined, 'a statement is open');
    const writes = this.#written.writes;
    return {
      transaction,
      snapshot,
      writes: [...writes.values(), ...this.#written.discards],
      guards: [...(this.#guards?.values() ?? [])],
      objects: versions(this.#objects),
      fences: versions(this.#fences),
      numbersTerm,
    };
  }

  #open(): Layer {
    assert(this.#statement !== undefined, 'no statement is open');
    return this.#statement;
  }

  #resolve(write: KeyWrite | undefined, key: Uint8Array): Uint8Array | undefined {
    if (write === undefined || write.op === 'advance') return this.#reader.get(key);
    return write.op === 'put' ? write.value : undefined;
  }
}

function sizeIn(map: ReadonlyMap<unknown, unknown> | undefined): number {
  return map === undefined ? 0 : map.size;
}

function versions(map: ReadonlyMap<ObjectId, number> | undefined): ObjectVersion[] {
  const list: ObjectVersion[] = [];
  for (const [object, version] of map ?? []) list.push({ object, version });
  return list;
}

/** The writes of `sorted` that change what a scan of `span` sees, in a new array. */
function inSpan(sorted: readonly KeyWrite[], span: Span): KeyWrite[] {
  const found: KeyWrite[] = [];
  for (let i = lowerBound(sorted, span.from); i < sorted.length; i += 1) {
    const write = sorted[i];
    if (write === undefined || compareBytes(write.key, span.to) >= 0) break;
    if (write.op !== 'advance') found.push(write);
  }
  return found;
}

function lowerBound(sorted: readonly KeyWrite[], key: Uint8Array): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const write = sorted[middle];
    assert(write !== undefined, 'middle lies inside');
    if (compareBytes(write.key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** `writes` are in the order of the scan. */
function scanMerged(
  reader: SnapshotReader,
  writes: readonly KeyWrite[],
  span: Span,
  visit: Visit,
  reverse: boolean,
): void {
  let next = 0;
  let goesOn = true;
  const show = (write: KeyWrite): boolean => write.op !== 'put' || visit(write.key, write.value);
  reader.scan(
    span,
    (key, value) => {
      for (; next < writes.length; next += 1) {
        const write = writes[next];
        assert(write !== undefined, 'next lies inside');
        const order = reverse ? compareBytes(key, write.key) : compareBytes(write.key, key);
        if (order > 0) break;
        goesOn = show(write);
        if (order === 0) {
          next += 1;
          return goesOn;
        }
        if (!goesOn) return false;
      }
      goesOn = visit(key, value);
      return goesOn;
    },
    reverse,
  );
  for (; goesOn && next < writes.length; next += 1) {
    const write = writes[next];
    assert(write !== undefined, 'next lies inside');
    goesOn = show(write);
  }
}
