/**
 * The payloads of log entries of this layer: what a transaction changes (kind `write`), what is
 * collected (kind `gc`), the least epoch to give (kind `epoch`). They are evaluated: applying one needs
 * nothing but the state before it. And proposals, as they travel to the leader's replica.
 */
import { unreachable } from '../base/assert.js';
import { ByteReader, ByteWriter } from '../base/bytes.js';
import { raise } from '../base/errors.js';
import type {
  DatabaseId,
  ObjectId,
  StorageId,
  Term,
  Timestamp,
  TransactionId,
} from '../base/ids.js';
import type { Span } from '../storage/engine.js';
import { dataPrefixBytes, isHistoryKey, keySpace, userKeyBytesMax } from '../storage/keys.js';
import {
  type AdvisoryOperation,
  type AdvisoryOwner,
  type LifeId,
  readOperations,
  writeOperations,
} from './advisory-operations.js';
import type { Notification, ObjectVersion, Proposal, Write } from './transaction.js';

/** What a committed transaction changes. */
export interface Change {
  readonly writes: readonly Write[];
  readonly fences: readonly ObjectVersion[];
  readonly notifications?: readonly Notification[] | undefined;
  readonly locks?: readonly AdvisoryOperation[] | undefined;
}

/** What no snapshot needs any more. */
export interface Collection {
  /** No proposal with an older snapshot is taken from now on. */
  readonly horizon: Timestamp;
  /** History keys, and keys whose newest version is a tombstone. */
  readonly keys: readonly Uint8Array[];
  /** Ranges of discarded storages that are removed whole. */
  readonly spans: readonly Span[];
  /** Discarded storages of which nothing is left. */
  readonly cleared: readonly StorageName[];
}

export interface StorageName {
  readonly database: DatabaseId;
  readonly storage: StorageId;
}

const format = 1;
/** A change that tells sessions something, or is about locks; a proposal of a session that has some. */
const formatWithMore = 2;
const none: readonly never[] = [];
const operations = { put: 1, delete: 2, advance: 3, descend: 4, discard: 5 } as const;
const writer = new ByteWriter(64 * 1024);

export function encodeChange(change: Change): Uint8Array {
  const { notifications = none, locks = none } = change;
  const hasMore = notifications.length + locks.length > 0;
  writer
    .clear()
    .uint8(hasMore ? formatWithMore : format)
    .uint16(change.fences.length);
  for (const { object, version } of change.fences) writer.uint53(object).uint53(version);
  writer.uint32(change.writes.length);
  for (const write of change.writes) {
    switch (write.op) {
      case 'put':
        writer.uint8(operations.put);
        key(write.key);
        writer.bytes(write.value);
        break;
      case 'delete':
        writer.uint8(operations.delete);
        key(write.key);
        break;
      case 'advance':
        writer.uint8(write.descending === true ? operations.descend : operations.advance);
        key(write.key);
        writer.int64(write.to);
        break;
      case 'discard':
        writer.uint8(operations.discard).uint32(write.database).uint32(write.storage);
        break;
      default:
        unreachable(write);
    }
  }
  if (hasMore) {
    writer.uint32(notifications.length);
    for (const { channel, payload, pid } of notifications) {
      writer.text(channel).text(payload).uint32(pid);
    }
    writeOperations(writer, locks);
  }
  return writer.finish();
}

/** Keys and values are views of `bytes`. */
export function decodeChange(bytes: Uint8Array): Change {
  const reader = new ByteReader(bytes);
  const hasMore = readFormat(reader) === formatWithMore;
  const fences: ObjectVersion[] = [];
  for (let left = reader.uint16(); left > 0; left -= 1) {
    fences.push({ object: reader.uint53() as ObjectId, version: reader.uint53() });
  }
  const writes: Write[] = [];
  for (let left = reader.uint32(); left > 0; left -= 1) writes.push(decodeWrite(reader));
  const more = hasMore
    ? { notifications: readNotifications(reader), locks: readOperations(reader) }
    : {};
  checkEnd(reader);
  return { writes, fences, ...more };
}

export function encodeCollection(collection: Collection): Uint8Array {
  writer.clear().uint8(format).uint53(collection.horizon).uint32(collection.keys.length);
  for (const bytes of collection.keys) key(bytes);
  writer.uint16(collection.spans.length);
  for (const { from, to } of collection.spans) {
    key(from);
    key(to);
  }
  writer.uint16(collection.cleared.length);
  for (const { database, storage } of collection.cleared) {
    writer.uint32(database).uint32(storage);
  }
  return writer.finish();
}

export function decodeCollection(bytes: Uint8Array): Collection {
  const reader = new ByteReader(bytes);
  checkFormat(reader);
  const horizon = reader.uint53() as Timestamp;
  const keys: Uint8Array[] = [];
  for (let left = reader.uint32(); left > 0; left -= 1) keys.push(readKey(reader));
  const spans: Span[] = [];
  for (let left = reader.uint16(); left > 0; left -= 1) {
    spans.push({ from: readKey(reader), to: readKey(reader) });
  }
  const cleared: StorageName[] = [];
  for (let left = reader.uint16(); left > 0; left -= 1) cleared.push(readStorageName(reader));
  checkEnd(reader);
  return { horizon, keys, spans, cleared };
}

/** `floor`: no epoch below it is given. */
export function encodeEpochFloor(floor: number): Uint8Array {
  return writer.clear().uint8(format).uint53(floor).finish();
}

export function decodeEpochFloor(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  checkFormat(reader);
  const floor = reader.uint53();
  checkEnd(reader);
  return floor;
}

export function encodeProposal(proposal: Proposal): Uint8Array {
  const { transaction, snapshot, writes, guards, objects, fences = [], numbersTerm } = proposal;
  const { notifications, locks, holder } = proposal;
  const change = encodeChange({ writes, fences, notifications, locks });
  writer.clear().uint8(holder === undefined ? format : formatWithMore);
  if (holder !== undefined) writer.uint53(holder.life).uint32(holder.session);
  writer.uint53(transaction).uint53(snapshot);
  writer.uint53(numbersTerm ?? noTerm).uint32(guards.length);
  for (const guard of guards) key(guard);
  writer.uint16(objects.length);
  for (const { object, version } of objects) writer.uint53(object).uint53(version);
  return writer.bytes(change).finish();
}

/** Takes bytes of another node: a key that no entry may hold is `data_corrupted` here, and goes no further. */
export function decodeProposal(bytes: Uint8Array): Proposal {
  const reader = new ByteReader(bytes);
  const holder = readFormat(reader) === formatWithMore ? { holder: readHolder(reader) } : {};
  const transaction = reader.uint53() as TransactionId;
  const snapshot = reader.uint53() as Timestamp;
  const numbersTerm = reader.uint53() as Term;
  const guards: Uint8Array[] = [];
  for (let left = reader.uint32(); left > 0; left -= 1) guards.push(checkedKey(readKey(reader)));
  const objects: ObjectVersion[] = [];
  for (let left = reader.uint16(); left > 0; left -= 1) {
    objects.push({ object: reader.uint53() as ObjectId, version: reader.uint53() });
  }
  const change = decodeChange(reader.bytes());
  checkEnd(reader);
  for (const write of change.writes) if (write.op !== 'discard') checkedKey(write.key);
  const proposal = { transaction, snapshot, guards, objects, ...change, ...holder };
  return numbersTerm === noTerm ? proposal : { ...proposal, numbersTerm };
}

/** Stands for no term: terms count from 1. */
const noTerm = 0 as Term;

function checkedKey(key: Uint8Array): Uint8Array {
  const isRow = key[0] === keySpace.data && key.length >= dataPrefixBytes && !isHistoryKey(key);
  if (!isRow || key.length > dataPrefixBytes + userKeyBytesMax) {
    raise('data_corrupted', `a key of ${key.length} bytes that names no row`);
  }
  return key;
}

export function readStorageName(reader: ByteReader): StorageName {
  return { database: reader.uint32() as DatabaseId, storage: reader.uint32() as StorageId };
}

function decodeWrite(reader: ByteReader): Write {
  const operation = reader.uint8();
  switch (operation) {
    case operations.put:
      return { op: 'put', key: readKey(reader), value: reader.bytes() };
    case operations.delete:
      return { op: 'delete', key: readKey(reader) };
    case operations.advance:
      return { op: 'advance', key: readKey(reader), to: reader.int64() };
    case operations.descend:
      return { op: 'advance', key: readKey(reader), to: reader.int64(), descending: true };
    case operations.discard:
      return { op: 'discard', ...readStorageName(reader) };
    default:
      raise('data_corrupted', `a write of unknown operation ${operation}`);
  }
}

function key(bytes: Uint8Array): void {
  writer.uint16(bytes.length).raw(bytes);
}

function readKey(reader: ByteReader): Uint8Array {
  return reader.raw(reader.uint16());
}

function readHolder(reader: ByteReader): AdvisoryOwner {
  return { life: reader.uint53() as LifeId, session: reader.uint32() };
}

function readNotifications(reader: ByteReader): readonly Notification[] {
  const notifications: Notification[] = [];
  for (let left = reader.uint32(); left > 0; left -= 1) {
    notifications.push({ channel: reader.text(), payload: reader.text(), pid: reader.uint32() });
  }
  return notifications;
}

/** Of a payload that may hold more than the first format has. */
function readFormat(reader: ByteReader): number {
  const version = reader.uint8();
  if (version === format || version === formatWithMore) return version;
  return raise('data_corrupted', `a payload of unknown format ${version}`);
}

function checkFormat(reader: ByteReader): void {
  const version = reader.uint8();
  if (version !== format) raise('data_corrupted', `a payload of unknown format ${version}`);
}

function checkEnd(reader: ByteReader): void {
  if (reader.remaining !== 0) raise('data_corrupted', 'a payload with bytes left over');
}
