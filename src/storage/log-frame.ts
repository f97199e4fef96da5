/**
 * How the log file is written: one frame for each flush.
 *
 *     header   magic:4 checksum:4 sequence:8 oldest:8 flags:4 records:4 indexBytes:4 valueBytes:4
 *     index    of each record: keyBytes:2 valueBytes:4 key
 *     values   of each record that is no delete: checksum:4 value
 *
 * Numbers are little-endian; a frame begins at a multiple of 8. The first checksum is over the rest
 * of the header and the index, keyed by the salt of the log: bytes of another log, or of a user who
 * writes what looks like a frame, are none. Each value has its own, bound to its key, so that damage
 * in one value leaves the others readable.
 */
import { assert } from '../base/assert.js';
import { checksum, checksumBytes } from './checksum.js';
import type { Put } from './engine.js';

/** `SFL` and the version of the format. */
const magic = Buffer.from('SFL\u0001', 'latin1');
const magicNumber = magic.readUInt32LE(0);
export const frameHeaderBytes = 40;
const alignment = 8;
const recordHeaderBytes = 6;
const deleted = 0xffff_ffff;
const closedFlag = 1;

/** The header of a frame. */
export interface Frame {
  /** Where it begins in its segment. */
  readonly at: number;
  /** Of the whole frame; the next one may begin behind it. */
  readonly bytes: number;
  /** Counted from 1 over all frames that the log ever had. */
  readonly sequence: number;
  /** The first sequence number of the oldest segment that the log needed when this was written. */
  readonly oldest: number;
  /** Written when the log was closed: no frame had been begun after it. */
  readonly closed: boolean;
  readonly records: number;
  readonly indexBytes: number;
}

/** A record as it lies in a segment. */
export interface FrameRecord {
  /** A view of the bytes read. */
  readonly key: Uint8Array;
  /** Where its checksum and value lie in the segment, and how long both are; undefined for a delete. */
  readonly place: { readonly at: number; readonly bytes: number } | undefined;
}

/** Bytes of the frame that holds `records`. */
export function frameBytes(records: readonly Put[]): number {
  let bytes = frameHeaderBytes;
  for (const { key, value } of records) {
    bytes += recordHeaderBytes + key.length;
    if (value !== undefined) bytes += checksumBytes + value.length;
  }
  return Math.ceil(bytes / alignment) * alignment;
}

export interface FrameOptions {
  readonly sequence: number;
  readonly oldest: number;
  readonly closed: boolean;
  readonly salt: Uint8Array;
}

/**
 * Writes the frame of `records` to the start of `target`; `onPlace` hears of each record, in order,
 * where its value lies from the frame's start, and nothing for a delete.
 */
export function writeFrame(
  target: Buffer,
  records: readonly Put[],
  options: FrameOptions,
  onPlace: (record: Put, at: number, bytes: number) => void,
): void {
  assert(options.oldest <= options.sequence, 'the oldest segment is not newer than the frame');
  const indexBytes = records.reduce((sum, { key }) => sum + recordHeaderBytes + key.length, 0);
  const valuesAt = frameHeaderBytes + indexBytes;
  let at = frameHeaderBytes;
  let valueAt = valuesAt;
  for (const record of records) {
    const { key, value } = record;
    target.writeUInt16LE(key.length, at);
    target.writeUInt32LE(value === undefined ? deleted : value.length, at + 2);
    target.set(key, at + recordHeaderBytes);
    at += recordHeaderBytes + key.length;
    if (value === undefined) {
      onPlace(record, 0, 0);
      continue;
    }
    target.writeInt32LE(checksum(key, value, 0, value.length), valueAt);
    target.set(value, valueAt + checksumBytes);
    onPlace(record, valueAt, checksumBytes + value.length);
    valueAt += checksumBytes + value.length;
  }
  assert(at === valuesAt, 'the index has the length counted', at, valuesAt);
  target.writeUInt32LE(magicNumber, 0);
  writeUint53(target, options.sequence, 8);
  writeUint53(target, options.oldest, 16);
  target.writeUInt32LE(options.closed ? closedFlag : 0, 24);
  target.writeUInt32LE(records.length, 28);
  target.writeUInt32LE(indexBytes, 32);
  target.writeUInt32LE(valueAt - valuesAt, 36);
  target.writeInt32LE(checksum(options.salt, target, 8, valuesAt), 4);
}

/**
 * The frame that begins at `at`; undefined when none does. `reader.to(n)` gives the segment's bytes, at
 * least up to n or its end. Values are not looked at.
 */
export function readFrame(
  reader: { to(end: number): Buffer },
  at: number,
  salt: Uint8Array,
): Frame | undefined {
  const header = reader.to(at + frameHeaderBytes);
  if (header.length < at + frameHeaderBytes || header.readUInt32LE(at) !== magicNumber) {
    return undefined;
  }
  const indexBytes = header.readUInt32LE(at + 32);
  const valuesAt = at + frameHeaderBytes + indexBytes;
  const bytes = reader.to(valuesAt);
  if (bytes.length < valuesAt) return undefined;
  if (bytes.readInt32LE(at + 4) !== checksum(salt, bytes, at + 8, valuesAt)) return undefined;
  const length = frameHeaderBytes + indexBytes + bytes.readUInt32LE(at + 36);
  return {
    at,
    bytes: Math.ceil(length / alignment) * alignment,
    sequence: readUint53(bytes, at + 8),
    oldest: readUint53(bytes, at + 16),
    closed: (bytes.readUInt32LE(at + 24) & closedFlag) !== 0,
    records: bytes.readUInt32LE(at + 28),
    indexBytes,
  };
}

/** The first frame at or after `from` with at least that sequence number, whatever lies before it. */
export function findFrame(
  bytes: Buffer,
  from: number,
  sequenceMin: number,
  salt: Uint8Array,
): Frame | undefined {
  for (let at = bytes.indexOf(magic, from); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    if (at % alignment !== 0) continue;
    const frame = readFrame({ to: () => bytes }, at, salt);
    if (frame !== undefined && frame.sequence >= sequenceMin) return frame;
  }
  return undefined;
}

/** The records of a frame whose header was read from `bytes`. */
export function frameRecords(bytes: Buffer, frame: Frame): readonly FrameRecord[] {
  const records: FrameRecord[] = [];
  let at = frame.at + frameHeaderBytes;
  let valueAt = at + frame.indexBytes;
  for (let n = 0; n < frame.records; n += 1) {
    const keyBytes = bytes.readUInt16LE(at);
    const valueBytes = bytes.readUInt32LE(at + 2);
    at += recordHeaderBytes;
    const key = new Uint8Array(bytes.buffer, bytes.byteOffset + at, keyBytes);
    at += keyBytes;
    const length = checksumBytes + valueBytes;
    const place = valueBytes === deleted ? undefined : { at: valueAt, bytes: length };
    records.push({ key, place });
    if (place !== undefined) valueAt += length;
  }
  return records;
}

/** Whether checksum and value, as they lie in a frame, belong to `key`. */
export function soundValue(key: Uint8Array, stored: Buffer): boolean {
  if (stored.length < checksumBytes) return false;
  return stored.readInt32LE(0) === checksum(key, stored, checksumBytes, stored.length);
}

function writeUint53(target: Buffer, value: number, at: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, 'number out of range', value);
  target.writeUInt32LE(value >>> 0, at);
  target.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
}

function readUint53(source: Buffer, at: number): number {
  return source.readUInt32LE(at + 4) * 0x1_0000_0000 + source.readUInt32LE(at);
}
