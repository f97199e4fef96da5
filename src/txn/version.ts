/**
 * One version of a row, as it lies under its key:
 *
 *     flags:1  commit timestamp:8  transaction:8  payload
 *
 * The high half of the flags is the version of the format. A tombstone says that the row was deleted;
 * a counter (the last value of a sequence) keeps no older versions and is seen by every snapshot.
 */
import { assert } from '../base/assert.js';
import { readInt64, writeInt64 } from '../base/bytes.js';
import { raise } from '../base/errors.js';
import type { Timestamp, TransactionId } from '../base/ids.js';

const versionHeaderBytes = 17;

const format = 0x10;
const tombstoneFlag = 0x01;
const counterFlag = 0x02;

export type VersionKind = 'value' | 'tombstone' | 'counter';

const flagsOf = {
  value: format,
  tombstone: format | tombstoneFlag,
  counter: format | counterFlag,
} as const satisfies Record<VersionKind, number>;

const empty = new Uint8Array(0);

export function encodeVersion(
  kind: VersionKind,
  timestamp: Timestamp,
  transaction: TransactionId,
  payload: Uint8Array = empty,
): Uint8Array {
  assert(kind !== 'tombstone' || payload.length === 0, 'a tombstone holds nothing');
  assert(Number.isSafeInteger(timestamp) && timestamp > 0, 'no timestamp', timestamp);
  const bytes = Buffer.allocUnsafe(versionHeaderBytes + payload.length);
  bytes[0] = flagsOf[kind];
  writeUint53(bytes, timestamp, 1);
  writeUint53(bytes, transaction, 9);
  bytes.set(payload, versionHeaderBytes);
  return bytes;
}

/** Every stored version passes here once per read; raises `data_corrupted` for an unknown format. */
export function isTombstone(version: Uint8Array): boolean {
  return (flags(version) & tombstoneFlag) !== 0;
}

export function isCounter(version: Uint8Array): boolean {
  return (flags(version) & counterFlag) !== 0;
}

export function timestampOf(version: Uint8Array): Timestamp {
  return readUint53(version, 1) as Timestamp;
}

export function transactionOf(version: Uint8Array): TransactionId {
  return readUint53(version, 9) as TransactionId;
}

/** A view into `version`. */
export function payloadOf(version: Uint8Array): Uint8Array {
  return version.subarray(versionHeaderBytes);
}

/** The payload of a counter. */
export function encodeCounter(value: bigint): Uint8Array {
  const bytes = Buffer.allocUnsafe(8);
  writeInt64(bytes, value, 0);
  return bytes;
}

export function decodeCounter(payload: Uint8Array): bigint {
  if (payload.length !== 8) raise('data_corrupted', `a counter of ${payload.length} bytes`);
  return readInt64(payload, 0);
}

function flags(version: Uint8Array): number {
  const value = version[0] ?? 0;
  if ((value & 0xf0) !== format || version.length < versionHeaderBytes) {
    raise('data_corrupted', `a version of unknown format ${value}`);
  }
  return value;
}

function writeUint53(target: Buffer, value: number, at: number): void {
  target.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
  target.writeUInt32BE(value >>> 0, at + 4);
}

/** By hand: a Buffer view for each read would cost more than the read. */
function readUint53(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at) * 0x1_0000_0000 + readUint32(bytes, at + 4);
}

function readUint32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  const low = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  return ((high << 16) | low) >>> 0;
}
