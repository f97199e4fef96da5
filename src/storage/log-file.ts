/**
 * The log file: the lane of a store for what is waited for. Every flush is one frame (log-frame.ts),
 * one write into a preallocated segment, which is synced by the write itself (O_DSYNC).
 *
 *     commit -> queue -> frame: records moved forward, then the batches -> write -> durable
 *
 * It holds the keys of Raft's logs and hard states. A batch may hold other keys too: they lie in the
 * frame with the rest, and before the batch is called durable `redo` has brought them where they
 * belong. After a crash in between that is done at the next open, so that a batch stays whole.
 *
 * Segments are a queue: new frames go to the newest, and the oldest is used again when no live record
 * is left in it and a durable frame says so. When the queue grows to more than twice what lives in
 * it, every flush takes some live records of the oldest segment along.
 *
 * Invariants: one write is in flight; sequence numbers have no gap; what `live` names is durable.
 */
import { constants, fdatasync, fdatasyncSync, readSync, write } from 'node:fs';
import { assert, must } from '../base/assert.js';
import { DatabaseError, raise } from '../base/errors.js';
import type { ShardId } from '../base/ids.js';
import { checksumBytes } from './checksum.js';
import type { DiskRoom } from './disk-room.js';
import type { Batch, EngineStats, Put, Span, Ticket, Visit } from './engine.js';
import { type DurableListener, type Flush, FlushQueue } from './flush-queue.js';
import { groupKey, parseKey, printKey } from './keys.js';
import { damageNote, decodeDamage } from './log-damage.js';
import { isLogKey, type LiveRecords, type RecordPlace } from './live-records.js';
import { frameBytes, soundValue, writeFrame } from './log-frame.js';
import { type LogDamage, recoverLog, type RecoveredLog } from './log-recovery.js';
import {
  firstSegmentBytes,
  makeLog,
  readLogFormat,
  type Segment,
  Segments,
  segmentBytesDefault,
  strikeOut,
} from './log-segments.js';

export interface LogFileOptions {
  readonly folder: string;
  readonly room: DiskRoom;
  /** Brings what is not the log's own to its place; `sequence` rises, and the last one was kept there. */
  readonly redo: (sequence: number, puts: readonly Put[]) => Promise<void>;
  /** The number of the last redo that was kept. */
  readonly redone: number;
  readonly segmentBytes?: number;
  readonly beforeFlush?: (proceed: () => void) => void;
}

/** Bounds of a frame, which is read and written as a whole. */
const flushBounds = { putsMax: 10_000, bytesMax: 4 * 1024 * 1024 };
/** What a flush moves forward besides its own. */
const moveBytesMax = 64 * 1024;
/** Read at once when records are read in order. */
const chunkBytes = 256 * 1024;
/** Room for frames that is kept between flushes. */
const arenaBytesKept = 1024 * 1024;

export class LogFile {
  readonly #options: LogFileOptions;
  readonly #salt: Buffer;
  readonly #queue = new FlushQueue(flushBounds);
  readonly #segments: Segments;
  /** Those in use, oldest first; the last is being written. */
  readonly #used: Segment[];
  /** Out of use since a frame that is not known to be durable yet. */
  #retired: readonly Segment[] = [];
  readonly #live: LiveRecords;
  #sequence: number;
  /** Keys that lie, or lay, in the oldest segment and are to be moved out of it. */
  #moving: { readonly segment: number; readonly keys: Uint8Array[] } | undefined;
  /** Nothing written before this frame is to be kept: damage lies before it. */
  #soundFrom = 0;
  #arena = Buffer.allocUnsafeSlow(64 * 1024);
  #chunk = noChunk;
  #redo: RecoveredLog['redo'];
  readonly #damage: LogDamage | undefined;
  #starting = false;
  #open = true;
  /** Of what was written before the log was handed out. */
  #ticketsBefore = 0;
  /** A write is with the operating system, and who waits for its end. */
  #writing = false;
  #onWritten: (() => void) | undefined;

  /** Opens the log in a folder; raises `directory_damaged` when there is none. */
  static async open(options: LogFileOptions): Promise<LogFile> {
    const salt = readLogFormat(options.folder);
    if (salt === undefined) {
      raise('directory_damaged', `${options.folder} holds no log any more`);
    }
    const log = new LogFile(options, salt);
    await log.#recover();
    return log;
  }

  /** Makes an empty log; what lies in the folder is removed. */
  static make(folder: string, bytes = firstSegmentBytes): Promise<void> {
    return makeLog(folder, bytes, (salt) => {
      const first = Buffer.alloc(frameBytes([]));
      writeFrame(first, [], { sequence: 1, oldest: 1, closed: true, salt }, () => {});
      return first;
    });
  }

  private constructor(options: LogFileOptions, salt: Buffer) {
    const { folder, room, segmentBytes = segmentBytesDefault } = options;
    this.#options = options;
    this.#salt = salt;
    this.#segments = new Segments({ folder, segmentBytes, room });
    const found = recoverLog(this.#segments.openAll(), salt);
    if (found.torn !== undefined) strikeOut(found.torn.segment, found.torn.at);
    this.#used = [...found.segments];
    // A write that the process did not live to see the end of may be in the cache only.
    if (!found.closed) for (const { file } of found.segments) fdatasyncSync(file);
    for (const spare of found.spares) this.#segments.release(spare);
    this.#live = found.live;
    this.#sequence = found.sequence;
    this.#redo = found.redo;
    this.#damage = found.damage;
  }

  get durableTicket(): Ticket {
    return (this.#queue.durableTicket - this.#ticketsBefore) as Ticket;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    assert(this.#open, 'the engine is closed');
    const place = this.#live.find(key);
    return place === undefined ? undefined : this.#value(key, place, 0);
  }

  scan(span: Span, visit: Visit, reverse: boolean): boolean {
    assert(this.#open, 'the engine is closed');
    return this.#live.scan(span, reverse, (key, place) =>
      visit(key, this.#value(key, place, reverse ? 0 : chunkBytes)),
    );
  }

  /** The keys of `span`, also of values that are damaged. */
  keys(span: Span): readonly Uint8Array[] {
    const keys: Uint8Array[] = [];
    this.#live.scan(span, false, (key) => keys.push(key) > 0);
    return keys;
  }

  commit(batch: Batch): Ticket {
    assert(this.#open, 'the engine is closed');
    for (const { key } of batch) {
      assert(!isLogKey(key) || parseKey(key).space !== 'unknown', 'no key of the log', key.length);
    }
    const ticket = this.#queue.give(batch) - this.#ticketsBefore;
    this.#startSoon();
    return ticket as Ticket;
  }

  onDurable(listener: DurableListener): void {
    this.#queue.onDurable(listener);
  }

  /** Nothing more becomes durable. */
  fail(failure: Error): void {
    this.#queue.fail(failure);
  }

  stats(): EngineStats {
    const bytes = this.#used.reduce((sum, segment) => sum + segment.bytes, 0);
    return this.#queue.stats(0, bytes);
  }

  /** Resolves when all that was committed is durable. */
  settled(): Promise<void> {
    return this.#queue.settled();
  }

  async close(): Promise<void> {
    assert(this.#open, 'the engine is closed');
    await this.#queue.settled();
    this.#open = false;
    if (this.#writing) {
      await new Promise<void>((resolve) => {
        this.#onWritten = resolve;
      });
    }
    if (this.#queue.failure === undefined) await this.#writeClosed();
    await this.#segments.close([...this.#used, ...this.#retired]);
  }

  /** After it the next open need not look for frames behind the last one. */
  #writeClosed(): Promise<void> {
    const bytes = frameBytes([]);
    // Without room the next open looks; a failure to write loses nothing.
    if (!this.#fits(bytes)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#queue.onDurable(() => resolve());
      this.#write([], bytes, true, () => resolve());
    });
  }

  async #recover(): Promise<void> {
    const { redo, redone } = this.#options;
    if (this.#redo !== undefined && this.#redo.sequence > redone) {
      await redo(this.#redo.sequence, this.#redo.puts);
    }
    this.#redo = undefined;
    const damage = this.#damage;
    if (damage === undefined) return;
    // Noted for each group; then everything leaves the segments that hold the damage.
    this.#soundFrom = this.#sequence + 1;
    this.commit(
      this.#live.groups.map((group) =>
        damageNote(group, damage.hardStates.has(group) ? 'hardState' : 'entries', damage.text),
      ),
    );
    while (must(this.#used[0], 'a segment').first < this.#soundFrom) {
      this.commit([]);
      await this.#queue.settled();
      if (this.#queue.failure !== undefined) throw this.#queue.failure;
    }
    this.#ticketsBefore = this.#queue.durableTicket;
  }

  #startSoon(): void {
    if (this.#starting || !this.#queue.startable) return;
    // At the end of the turn, so that all that the turn commits shares the flush.
    this.#starting = true;
    queueMicrotask(() => this.#start());
  }

  #start(): void {
    this.#starting = false;
    if (!this.#queue.startable) return;
    const flush = this.#queue.take();
    const { beforeFlush } = this.#options;
    if (beforeFlush === undefined) this.#flush(flush);
    else beforeFlush(() => this.#flush(flush));
  }

  #flush(flush: Flush): void {
    // The other lane failed while this one was held back: the files may be closed.
    if (this.#queue.failure !== undefined) return;
    const moves = this.#takeMoves();
    const only = flush.batches.length === 1 && moves.length === 0 ? flush.batches[0] : undefined;
    const records = only ?? [...moves, ...flush.batches.flat()];
    const begunMs = performance.now();
    const written = (others: readonly Put[]): void => {
      if (others.length === 0) this.#finish(begunMs);
      else {
        const { redo } = this.#options;
        redo(this.#sequence, others).then(
          () => this.#finish(begunMs),
          (error: unknown) => this.#failed(error),
        );
      }
    };
    const bytes = frameBytes(records);
    if (this.#fits(bytes)) this.#write(records, bytes, false, written);
    else {
      this.#roll(bytes).then(
        () => {
          if (this.#queue.failure === undefined) this.#write(records, bytes, false, written);
        },
        (error: unknown) => this.#failed(error),
      );
    }
  }

  #finish(begunMs: number): void {
    if (this.#queue.failure !== undefined) return;
    this.#queue.finish((performance.now() - begunMs) / 1000);
    if (!this.#starting) this.#start();
  }

  get #active(): Segment {
    return must(this.#used.at(-1), 'a segment is being written');
  }

  #fits(bytes: number): boolean {
    const { first, end, bytes: size } = this.#active;
    return end + bytes <= size && first >= this.#soundFrom;
  }

  async #roll(bytes: number): Promise<void> {
    const segment = this.#segments.spare(bytes) ?? (await this.#segments.need(bytes));
    segment.first = this.#sequence + 1;
    segment.end = 0;
    this.#used.push(segment);
  }

  /** Writes the next frame; hands on what it holds of others when it is on stable storage. */
  #write(
    records: readonly Put[],
    bytes: number,
    closed: boolean,
    written: (others: readonly Put[]) => void,
  ): void {
    const segment = this.#active;
    const oldest = must(this.#used[0], 'a segment').first;
    const sequence = this.#sequence + 1;
    const at = segment.end;
    assert(at + bytes <= segment.bytes, 'a frame fits its segment', bytes);
    const frame = this.#frameRoom(bytes);
    frame.fill(0, bytes - 8, bytes);
    const places: (RecordPlace | undefined)[] = [];
    writeFrame(
      frame,
      records,
      { sequence, oldest, closed, salt: this.#salt },
      (put, from, length) => {
        const place = { segment: segment.number, at: at + from, bytes: length };
        places.push(put.value === undefined ? undefined : place);
      },
    );
    const done = (): void => {
      this.#sequence = sequence;
      segment.end = at + bytes;
      const others: Put[] = [];
      for (const [n, put] of records.entries()) {
        if (isLogKey(put.key)) this.#live.set(put.key, places[n]);
        else others.push(put);
      }
      this.#retire(oldest);
      written(others);
    };
    this.#writeAll(segment.file, frame, bytes, at, done);
  }

  #writeAll(file: number, frame: Buffer, bytes: number, at: number, done: () => void): void {
    let left = bytes;
    this.#writing = true;
    const end = (error: Error | null): void => {
      this.#writing = false;
      if (error === null) done();
      else this.#failed(error);
      this.#onWritten?.();
    };
    const step = (): void => {
      write(file, frame, bytes - left, left, at + bytes - left, (error, count) => {
        left -= count;
        if (error === null && left > 0) step();
        else if (error !== null || syncsByWrite) end(error);
        else fdatasync(file, end);
      });
    };
    step();
  }

  /** `oldest` is durable: nobody will ask for the segments before it. */
  #retire(oldest: number): void {
    const free = this.#retired.filter(({ first }) => first < oldest);
    const retired = this.#retired.filter(({ first }) => first >= oldest);
    for (const segment of free) this.#segments.release(segment);
    for (
      let segment = must(this.#used[0], 'a segment');
      segment !== this.#active && this.#live.recordsIn(segment.number) === 0;
      segment = must(this.#used[0], 'a segment')
    ) {
      this.#used.shift();
      retired.push(segment);
      if (this.#moving?.segment === segment.number) this.#moving = undefined;
      if (this.#chunk.segment === segment.number) this.#chunk = noChunk;
    }
    this.#retired = retired;
    const { end, bytes } = this.#active;
    if (end > bytes / 2) this.#segments.prepare(bytes);
  }

  /** Live records of the oldest segment that go along with the next flush. */
  #takeMoves(): readonly Put[] {
    const oldest = must(this.#used[0], 'a segment');
    const size = this.#used.reduce((sum, { bytes }) => sum + bytes, 0);
    const long = size > 2 * (this.#live.bytes + this.#active.bytes);
    if (oldest === this.#active || (!long && oldest.first >= this.#soundFrom)) return [];
    if (this.#moving?.segment !== oldest.number) {
      this.#moving = { segment: oldest.number, keys: this.#live.keysIn(oldest.number).reverse() };
    }
    const moves: Put[] = [];
    const { keys } = this.#moving;
    for (let bytes = 0, key = keys.pop(); key !== undefined; key = keys.pop()) {
      const place = this.#live.find(key);
      if (place?.segment !== oldest.number) continue;
      moves.push(...this.#moved(key, place));
      bytes += place.bytes;
      if (bytes >= moveBytesMax) break;
    }
    return moves;
  }

  /** A damaged record cannot be moved: its group is told so instead. */
  #moved(key: Uint8Array, place: RecordPlace): readonly Put[] {
    const stored = this.#read(place, chunkBytes);
    if (soundValue(key, stored)) return [{ key, value: stored.subarray(checksumBytes) }];
    const parsed = parseKey(key);
    assert('group' in parsed, 'a key of the log names its group');
    const worst = parsed.space !== 'log' || this.#doubtsHardState(parsed.group);
    const text = `${printKey(key)} fails its checksum`;
    const note = damageNote(parsed.group, worst ? 'hardState' : 'entries', text);
    return [note, ...(parsed.space === 'damage' ? [] : [{ key, value: undefined }])];
  }

  /** Whether the group's note of damage says so, or cannot be read. */
  #doubtsHardState(group: ShardId): boolean {
    const key = groupKey('damage', group);
    const place = this.#live.find(key);
    if (place === undefined) return false;
    const stored = this.#read(place, 0);
    return (
      !soundValue(key, stored) || decodeDamage(stored.subarray(checksumBytes)).what === 'hardState'
    );
  }

  #value(key: Uint8Array, place: RecordPlace, readBytes: number): Uint8Array {
    const stored = this.#read(place, readBytes);
    if (!soundValue(key, stored)) {
      raise('data_corrupted', `the value of ${printKey(key)} fails its checksum`);
    }
    return new Uint8Array(
      stored.buffer,
      stored.byteOffset + checksumBytes,
      stored.length - checksumBytes,
    );
  }

  /** Checksum and value; reads at least `readBytes` where there are so many, for who asks next. */
  #read({ segment, at, bytes }: RecordPlace, readBytes: number): Buffer {
    const { segment: read, from, bytes: chunk } = this.#chunk;
    if (read === segment && at >= from && at + bytes <= from + chunk.length) {
      return chunk.subarray(at - from, at - from + bytes);
    }
    const { file, end } = must(
      this.#used.find(({ number }) => number === segment),
      'a live record lies in a segment in use',
    );
    const wanted = Math.max(bytes, Math.min(readBytes, end - at));
    const fresh = Buffer.allocUnsafeSlow(wanted);
    const got = readSync(file, fresh, 0, wanted, at);
    if (readBytes > 0) this.#chunk = { segment, from: at, bytes: fresh.subarray(0, got) };
    return fresh.subarray(0, Math.min(bytes, got));
  }

  #frameRoom(bytes: number): Buffer {
    if (bytes > arenaBytesKept) return Buffer.allocUnsafeSlow(bytes);
    if (bytes > this.#arena.length) this.#arena = Buffer.allocUnsafeSlow(bytes * 2);
    return this.#arena;
  }

  #failed(error: unknown): void {
    if (error instanceof DatabaseError) {
      this.#queue.fail(error);
      return;
    }
    const { code, message } = error as { code?: string; message?: string };
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    const reason = `the log ${this.#options.folder} cannot be written: ${message ?? String(error)}`;
    this.#queue.fail(new DatabaseError(full ? 'disk_full' : 'io_error', reason));
  }
}

const noChunk = { segment: -1, from: 0, bytes: Buffer.alloc(0) };
/** Windows knows no O_DSYNC. */
const syncsByWrite = constants.O_DSYNC !== undefined;
