/**
 * The files of the log: preallocated, used one after the other, and used again when nothing in them is
 * needed any more, so that a write changes no metadata of the file system and its sync is one write of
 * the device. They are opened with O_DSYNC: the write is the sync.
 *
 *     log/format.json   the format, and the salt of the frames' checksums
 *     log/segment-N     frames (log-frame.ts); which ones count, and in which order, the frames say
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { assert, must } from '../base/assert.js';
import { DatabaseError, raise } from '../base/errors.js';
import type { DiskRoom } from './disk-room.js';
import { frameHeaderBytes } from './log-frame.js';
import { makeFolder, syncFolder, writeDurably } from './durable-file.js';

const logFormat = 1;
/** What a new log begins with: many databases never need more. */
export const firstSegmentBytes = 1024 * 1024;
/** The largest a segment is made, unless one flush needs more. */
export const segmentBytesDefault = 16 * 1024 * 1024;
/** Segments that wait to be used; more are removed. */
const sparesMax = 2;
const firstReadBytes = 64 * 1024;
const formatName = 'format.json';
const zeros = Buffer.alloc(1024 * 1024);
const blockBytes = 4096;

export interface Segment {
  /** In the file's name. */
  readonly number: number;
  readonly file: number;
  readonly bytes: number;
  /** The sequence number of its first frame. */
  first: number;
  /** Where the next frame may begin. */
  end: number;
}

/** The salt of the log in `folder`; undefined when there is no log. Raises `directory_damaged`. */
export function readLogFormat(folder: string): Buffer | undefined {
  const path = join(folder, formatName);
  try {
    const { format, salt } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    if (format === logFormat && typeof salt === 'string' && /^[0-9a-f]{32}$/.test(salt)) {
      return Buffer.from(salt, 'hex');
    }
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENOENT') return undefined;
    if (code !== undefined) throw error;
  }
  raise('directory_damaged', `${path} cannot be read as the format of a log`);
}

/** Makes an empty log in `folder`; `first` gives, by its salt, the bytes that its only segment begins with. */
export async function makeLog(
  folder: string,
  bytes: number,
  first: (salt: Buffer) => Buffer,
): Promise<void> {
  makeFolder(folder);
  for (const name of readdirSync(folder)) unlinkSync(join(folder, name));
  const salt = randomBytes(16);
  await makeSegment(folder, 0, bytes, first(salt));
  writeDurably(
    join(folder, formatName),
    `${JSON.stringify({ format: logFormat, salt: salt.toString('hex') })}\n`,
  );
}

/** The file appears only when all of it is on the disk. */
async function makeSegment(
  folder: string,
  number: number,
  bytes: number,
  begin: Buffer = Buffer.alloc(0),
): Promise<void> {
  const path = join(folder, `segment-${number}`);
  const file = await open(`${path}.new`, 'w');
  try {
    await file.write(begin, 0, begin.length, 0);
    for (let at = begin.length; at < bytes; ) {
      const { bytesWritten } = await file.write(zeros, 0, Math.min(zeros.length, bytes - at), at);
      at += bytesWritten;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  syncFolder(folder);
}

export interface SegmentsOptions {
  readonly folder: string;
  readonly segmentBytes: number;
  readonly room: DiskRoom;
}

/** The segments of an open log: which wait to be used, and the making of more. */
export class Segments {
  readonly #options: SegmentsOptions;
  readonly #spares: Segment[] = [];
  #nextNumber = 0;
  #making: Promise<void> | undefined;
  #closed = false;

  constructor(options: SegmentsOptions) {
    this.#options = options;
  }

  /** Opens all files of the folder; what was not finished is removed. */
  openAll(): readonly Segment[] {
    const { folder } = this.#options;
    const opened: Segment[] = [];
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.new')) unlinkSync(join(folder, name));
      const number = Number(/^segment-(\d+)$/.exec(name)?.[1] ?? -1);
      if (number >= 0) opened.push(this.#open(number));
    }
    return opened;
  }

  /** Everything in it is dead: it may be written again. */
  release(segment: Segment): void {
    // The largest are kept: they hold any frame.
    this.#spares.push(segment);
    this.#spares.sort((a, b) => a.bytes - b.bytes);
    if (this.#spares.length > sparesMax) this.#remove(must(this.#spares.shift(), 'a spare'));
  }

  /** Sees to it that a segment waits for when the one in use, of `size` bytes, is full. */
  prepare(size: number): void {
    if (this.#spares.length > 0 || this.#making !== undefined) return;
    const { segmentBytes } = this.#options;
    // A failure is heard of when the segment is needed, if there is still no room then.
    this.#make(Math.min(segmentBytes, size * 2)).catch(() => {});
  }

  /** A segment of at least `bytes` that waits to be used. */
  spare(bytes: number): Segment | undefined {
    const at = this.#spares.findIndex((segment) => segment.bytes >= bytes);
    return at < 0 ? undefined : this.#spares.splice(at, 1)[0];
  }

  /** As {@link spare}, made when there is none. Throws `disk_full` and what the file system throws. */
  async need(bytes: number): Promise<Segment> {
    await this.#making?.catch(() => {});
    if (!this.#spares.some((segment) => segment.bytes >= bytes)) {
      const least = Math.ceil(bytes / blockBytes) * blockBytes;
      await this.#make(Math.max(least, Math.min(this.#options.segmentBytes, least * 4)));
    }
    return must(this.spare(bytes), 'a segment was made');
  }

  async close(used: readonly Segment[]): Promise<void> {
    this.#closed = true;
    await this.#making?.catch(() => {});
    for (const { file } of [...used, ...this.#spares]) closeSync(file);
  }

  #open(number: number): Segment {
    const { O_RDWR, O_DSYNC } = constants;
    const path = join(this.#options.folder, `segment-${number}`);
    // Windows has no such flag; there LogFile syncs.
    const file = openSync(path, O_RDWR | (O_DSYNC ?? 0));
    this.#nextNumber = Math.max(this.#nextNumber, number + 1);
    return { number, file, bytes: fstatSync(file).size, first: 0, end: 0 };
  }

  #make(bytes: number): Promise<void> {
    assert(this.#making === undefined, 'one segment is made at a time');
    const making = this.#makeOne(bytes).finally(() => {
      this.#making = undefined;
    });
    this.#making = making;
    return making;
  }

  async #makeOne(bytes: number): Promise<void> {
    const { folder, room } = this.#options;
    assert(!this.#closed, 'the log is closed');
    if (!room.promise(bytes)) {
      throw new DatabaseError('disk_full', `the disk of ${folder} has no room for the log`);
    }
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    try {
      await makeSegment(folder, number, bytes);
      this.#spares.push(this.#open(number));
    } catch (error) {
      await unlink(join(folder, `segment-${number}.new`)).catch(() => {});
      throw error;
    } finally {
      room.keep(bytes);
    }
  }

  #remove({ number, file }: Segment): void {
    closeSync(file);
    unlink(join(this.#options.folder, `segment-${number}`)).catch(() => {});
  }
}

/** No frame begins there any more, also after a crash. */
export function strikeOut({ file }: Segment, at: number): void {
  const nothing = Buffer.alloc(frameHeaderBytes);
  assert(
    writeSync(file, nothing, 0, nothing.length, at) === nothing.length,
    'a header is written whole',
  );
  fdatasyncSync(file);
}

/** A segment's bytes, read as far as they are asked for. */
export class SegmentReader {
  readonly #segment: Segment;
  #bytes = Buffer.alloc(0);
  #read = 0;

  constructor(segment: Segment) {
    this.#segment = segment;
  }

  /** The bytes from the start to `end`, or to some place behind it; fewer where the file ends. */
  to(end: number): Buffer {
    const { bytes, file, number } = this.#segment;
    if (this.#bytes.length === 0) this.#bytes = Buffer.allocUnsafeSlow(bytes);
    const ahead = Math.max(firstReadBytes, Math.min(this.#read * 2, this.#read + zeros.length));
    const wanted = Math.min(bytes, Math.max(end, ahead));
    while (end > this.#read && this.#read < wanted) {
      const got = readSync(file, this.#bytes, this.#read, wanted - this.#read, this.#read);
      if (got === 0) raise('data_corrupted', `segment-${number} of the log cannot be read`);
      this.#read += got;
    }
    return this.#bytes.subarray(0, this.#read);
  }

  /** Gives the memory back. */
  forget(): void {
    this.#bytes = Buffer.alloc(0);
    this.#read = 0;
  }
}
