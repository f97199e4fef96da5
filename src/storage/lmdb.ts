/**
 * The engine on disk: one LMDB environment. The only user of lmdb beside lmdb-lock.ts.
 *
 * Layout: one unnamed database; a value is preceded by its checksum (little-endian).
 *
 * - A flush is one LMDB transaction, written and synced by a thread of libuv's pool while the event
 *   loop goes on. `overlappingSync` is off, so a transaction becomes visible only once it is synced,
 *   and its promise means durable (a system call trace in the tests shows it).
 * - The map is reserved at open and never remapped: a pointer into it stays valid (pitfall 25).
 * - A read transaction begins with the first read of a turn and is given up at the turn's end, so it
 *   pins no pages (pitfall 17), and a turn after a flush sees what was flushed.
 */
import { constants } from 'node:os';
import type { RangeOptions, RootDatabase } from 'lmdb';
import { assert } from '../base/assert.js';
import { compareBytes } from '../base/bytes.js';
import { DatabaseError, raise } from '../base/errors.js';
import { checksum, checksumBytes } from './checksum.js';
import { DiskRoom } from './disk-room.js';
import type { Batch, Engine, EngineStats, Span, Ticket, Visit } from './engine.js';
import { type DurableListener, type Flush, FlushQueue } from './flush-queue.js';
import { keyBytesMax, printKey } from './keys.js';
import { lmdb } from './lmdb-module.js';

export interface LmdbEngineOptions {
  /** The folder of the environment. It is made when absent. */
  readonly path: string;
  /** Address space reserved; the store cannot outgrow it. 1 TiB costs 12 KB of disk. */
  readonly mapBytes?: number;
  /** Called before each flush, which waits until `proceed` is called: tests hold flushes back. */
  readonly beforeFlush?: (proceed: () => void) => void;
  /** The room on the disk, when others write to it too. */
  readonly room?: DiskRoom;
}

export const mapBytesDefault = 1024 ** 4;
/** From this length lmdb hands out plain arrays over its map, which close() would leave dangling. */
const mappedValueBytes = 16 * 1024 * 1024;
/** Room for encoded values that is kept between flushes. */
const arenaBytesKept = 4 * 1024 * 1024;
/** The most that one put takes beside its bytes: copies of the pages above it. */
const putPageBytes = 8 * 1024;

/** Encoded values; lmdb writes the bytes from `start` to `end`. */
interface Arena extends Buffer {
  start: number;
  end: number;
}

/** lmdb counts `start` from the beginning of the memory block, hence a block of its own. */
function arenaOf(bytes: number): Arena {
  return Object.assign(Buffer.allocUnsafeSlow(bytes), { start: 0, end: 0 });
}

/** A key that no engine key equals: keys have at least one byte, and the key spaces begin at 01. */
const kickKey = Buffer.of(0);

/** Up to this length V8 keeps an array on its own heap, where a new one is cheap. */
const heapArrayBytesMax = 64;

/** Keys are copied out of lmdb's buffer, values handed over in it. */
const codec = {
  keyEncoder: {
    writeKey(key: Uint8Array, target: Buffer, start: number): number {
      target.set(key, start);
      return start + key.length;
    },
    readKey(source: Buffer, start: number, end: number): Uint8Array {
      const length = end - start;
      if (length > heapArrayBytesMax) return copyOf(source, start, end);
      const key = new Uint8Array(length);
      for (let at = 0; at < length; at += 1) key[at] = source[start + at] as number;
      return key;
    },
  },
  encoder: {
    needsStableBuffer: false,
    encode: (value: Buffer): Buffer => value,
    decode: bufferOf,
  },
};

export class LmdbEngine implements Engine {
  readonly #database: RootDatabase<Buffer, Uint8Array>;
  readonly #queue = new FlushQueue();
  readonly #path: string;
  readonly #mapBytes: number;
  readonly #beforeFlush: ((proceed: () => void) => void) | undefined;
  #arena = arenaOf(64 * 1024);
  readonly #room: DiskRoom;
  /** What the map can still take at least. */
  #mapRoomBytes = 0;
  #starting = false;
  #reading = false;
  #open = true;

  /** Throws what lmdb throws when the environment cannot be opened. */
  constructor(options: LmdbEngineOptions) {
    this.#path = options.path;
    this.#mapBytes = options.mapBytes ?? mapBytesDefault;
    this.#beforeFlush = options.beforeFlush;
    this.#room = options.room ?? new DiskRoom(options.path);
    this.#database = lmdb().open<Buffer, Uint8Array>({
      path: options.path,
      mapSize: this.#mapBytes,
      compression: false,
      overlappingSync: false,
      // A batch is one transaction already, and #write starts it without waiting for the next turn.
      eventTurnBatching: false,
      txnStartThreshold: 1,
      ...codec,
    } as Parameters<typeof import('lmdb').open>[0]);
  }

  get durableTicket(): Ticket {
    return this.#queue.durableTicket;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#beginRead();
    if (key.length === 0 || key.length > keyBytesMax) return undefined;
    const found = this.#database.getBinaryFast(key);
    if (found === undefined) return undefined;
    const stored = bufferOf(found);
    // lmdb sets `length` on its shared buffer; the buffer itself is longer.
    const length = stored.length;
    verify(key, stored, length);
    if (length >= mappedValueBytes) return copyOf(stored, checksumBytes, length);
    return new Uint8Array(stored.buffer, stored.byteOffset + checksumBytes, length - checksumBytes);
  }

  scan(span: Span, visit: Visit, reverse = false): void {
    this.#beginRead();
    if (compareBytes(span.from, span.to) >= 0) return;
    const range = rangeOf(span, reverse);
    const pairs = this.#database.getRange(range)[Symbol.iterator]();
    try {
      for (let pair = pairs.next(); pair.done !== true; pair = pairs.next()) {
        const { key, value: stored } = pair.value;
        const length = stored.length;
        verify(key, stored, length);
        // Copied, because a read by `visit` overwrites lmdb's buffer.
        if (!visit(key, copyOf(stored, checksumBytes, length))) return;
      }
    } finally {
      pairs.return?.();
    }
  }

  keys(span: Span, keysMax?: number): readonly Uint8Array[] {
    this.#beginRead();
    if (compareBytes(span.from, span.to) >= 0) return [];
    const limit = keysMax === undefined ? {} : { limit: keysMax };
    return [...this.#database.getKeys({ ...rangeOf(span, false), ...limit })];
  }

  get laterTicket(): Ticket {
    return this.#queue.laterTicket;
  }

  commit(batch: Batch): Ticket {
    assert(this.#open, 'the engine is closed');
    const ticket = this.#queue.give(batch);
    this.#startSoon();
    return ticket;
  }

  commitLater(batch: Batch): Ticket {
    assert(this.#open, 'the engine is closed');
    const ticket = this.#queue.giveLater(batch);
    this.#startSoon();
    return ticket;
  }

  #startSoon(): void {
    if (this.#starting || !this.#queue.startable) return;
    // At the end of the turn, so that all that the turn commits shares the flush.
    this.#starting = true;
    queueMicrotask(() => this.#start());
  }

  onDurable(listener: DurableListener): void {
    this.#queue.onDurable(listener);
  }

  /** Nothing more becomes durable. */
  fail(failure: Error): void {
    this.#queue.fail(failure);
  }

  stats(): EngineStats {
    return this.#queue.stats(this.#usedBytes());
  }

  async close(): Promise<void> {
    assert(this.#open, 'the engine is closed');
    await this.#queue.settled();
    this.#open = false;
    await this.#database.close();
  }

  #beginRead(): void {
    assert(this.#open, 'the engine is closed');
    if (this.#reading) return;
    this.#reading = true;
    queueMicrotask(() => {
      this.#reading = false;
      if (this.#open) this.#database.resetReadTxn();
    });
  }

  #usedBytes(): number {
    this.#beginRead();
    const { lastPageNumber, pageSize } = this.#database.getStats() as {
      lastPageNumber: number;
      pageSize: number;
    };
    return (lastPageNumber + 1) * pageSize;
  }

  #start(): void {
    this.#starting = false;
    if (!this.#open || !this.#queue.startable) return;
    const flush = this.#queue.take();
    if (this.#beforeFlush === undefined) this.#flush(flush);
    else this.#beforeFlush(() => this.#flush(flush));
  }

  #flush(flush: Flush): void {
    const begun = performance.now();
    const full = this.#reserve(flush, begun);
    if (full !== undefined) {
      this.#queue.fail(new DatabaseError('disk_full', full));
      return;
    }
    this.#write(flush).then(
      () => {
        this.#database.resetReadTxn();
        if (this.#queue.failure !== undefined) return;
        this.#queue.finish((performance.now() - begun) / 1000);
        if (!this.#starting) this.#start();
      },
      (failure: unknown) => this.#failed(failure),
    );
  }

  /**
   * Sets room aside for the flush; says what is full when there is none. LMDB must not find out
   * itself: it would remap the full map, and on a full disk lmdb 3.5 writes its message beyond the
   * buffer, so that the process can no longer be trusted.
   */
  #reserve(flush: Flush, nowMs: number): string | undefined {
    const needed = flush.bytes * 2 + flush.puts * putPageBytes;
    if (needed > this.#mapRoomBytes) this.#mapRoomBytes = this.#mapBytes - this.#usedBytes();
    if (needed > this.#mapRoomBytes) {
      return `store ${this.#path} fills its map of ${this.#mapBytes} bytes`;
    }
    if (!this.#room.take(needed, nowMs)) return `the disk of store ${this.#path} is full`;
    this.#mapRoomBytes -= needed;
    return undefined;
  }

  /** Writes the batches as one LMDB transaction; resolves when it is synced. */
  #write(flush: Flush): Promise<boolean> {
    const database = this.#database;
    const arena = this.#encodeRoom(flush.bytes + flush.puts * checksumBytes);
    let at = 0;
    // lmdb begins a transaction in the next turn of the event loop, unless a second write finds one
    // due: removing an absent key first makes the batch begin at once, a turn earlier.
    void database.remove(kickKey);
    return database.batch(() => {
      for (const batch of flush.batches) {
        for (const { key, value } of batch) {
          if (value === undefined) {
            void database.remove(key);
            continue;
          }
          // lmdb notes the address of start..end in the call, so that one object serves all values.
          arena.start = at;
          arena.set(value, at + checksumBytes);
          arena.writeInt32LE(checksum(key, value, 0, value.length), at);
          at += checksumBytes + value.length;
          arena.end = at;
          void database.put(key, arena);
        }
      }
    });
  }

  /** lmdb's writing thread reads the values where they lie; one flush is in flight at a time. */
  #encodeRoom(bytes: number): Arena {
    if (bytes > arenaBytesKept) return arenaOf(bytes);
    if (bytes > this.#arena.length) this.#arena = arenaOf(bytes * 2);
    return this.#arena;
  }

  async #failed(failure: unknown): Promise<void> {
    let cause = failure;
    const commitError = (failure as { commitError?: Promise<unknown> }).commitError;
    if (commitError !== undefined) {
      await commitError.catch((error: unknown) => {
        cause = error;
      });
    }
    const { code, message } = cause as { code?: number; message?: string };
    const kind = code === constants.errno.ENOSPC ? 'disk_full' : 'io_error';
    const reason = `store ${this.#path} cannot write: ${message ?? String(cause)}`;
    this.#queue.fail(new DatabaseError(kind, reason));
  }
}

function bufferOf(stored: Uint8Array): Buffer {
  if (stored instanceof Buffer) return stored;
  return Buffer.from(stored.buffer, stored.byteOffset, stored.length);
}

/** The span in lmdb's terms; lmdb refuses bounds that are longer than keys may be. */
function rangeOf({ from, to }: Span, reverse: boolean): RangeOptions {
  // Every key that sorts before an overlong bound sorts before or with the bound cut short.
  const fromCut = from.length > keyBytesMax;
  const toCut = to.length > keyBytesMax;
  const low = fromCut ? from.subarray(0, keyBytesMax) : from;
  const high = toCut ? to.subarray(0, keyBytesMax) : to;
  return reverse
    ? { start: high, exclusiveStart: !toCut, end: low, inclusiveEnd: !fromCut, reverse }
    : { start: low, exclusiveStart: fromCut, end: high, inclusiveEnd: toCut };
}

/**
 * A copy of some bytes. Copies are cut from slabs, as a buffer of its own for each costs more than
 * the reading. Plain Uint8Arrays, whose `slice` copies; that of a Buffer would not.
 */
function copyOf(source: Buffer, from: number, to: number): Uint8Array {
  const length = to - from;
  if (length > slabBytes / 8)
    return new Uint8Array(source.buffer, source.byteOffset, to).slice(from);
  if (slabUsed + length > slabBytes) {
    slab = Buffer.allocUnsafeSlow(slabBytes);
    slabUsed = 0;
  }
  const at = slabUsed;
  slabUsed += length;
  source.copy(slab, at, from, to);
  return new Uint8Array(slab.buffer, at, length);
}

const slabBytes = 32 * 1024;
let slab = Buffer.allocUnsafeSlow(slabBytes);
let slabUsed = 0;

function verify(key: Uint8Array, stored: Buffer, length: number): void {
  if (
    length < checksumBytes ||
    stored.readInt32LE(0) !== checksum(key, stored, checksumBytes, length)
  ) {
    raise('data_corrupted', `the value of ${printKey(key)} fails its checksum`);
  }
}
