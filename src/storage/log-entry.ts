/**
 * What the log is made of: entries, configurations, the hard state; and how they are written.
 *
 * Entries lie in records: one entry after the other in the value of one key, so that the engine has
 * one put for all that is appended together. Every entry begins with the version of its format and
 * says how long it is; the checksum that the engine keeps of each value covers all that the record
 * holds. A decoder that meets a version it does not know, or bytes left over, raises
 * `data_corrupted`.
 */
import { assert } from '../base/assert.js';
import { ByteReader, ByteWriter } from '../base/bytes.js';
import { raise } from '../base/errors.js';
import type { LogIndex, NodeId, ObjectId, Term, Timestamp, TransactionId } from '../base/ids.js';

/**
 * `noop`: a new leader's first entry. `write`: the evaluated changes of one transaction. `gc`: versions
 * older than a timestamp may go. `configuration`: the payload is an encoded {@link Configuration}.
 * `epoch`: a node takes a number for its transaction ids.
 */
export type LogEntryKind = 'noop' | 'write' | 'gc' | 'configuration' | 'epoch';

/** An object that the writes touch, with the version of its schema (pitfall 12). */
export interface EntryObject {
  readonly object: ObjectId;
  readonly version: number;
}

export interface LogEntry {
  readonly term: Term;
  readonly index: LogIndex;
  readonly kind: LogEntryKind;
  /** 0 when no transaction stands behind the entry. */
  readonly transaction: TransactionId;
  /** The commit timestamp; of other kinds the newest one before it. */
  readonly timestamp: Timestamp;
  /** The node that proposed it. */
  readonly origin: NodeId;
  /** Wall clock of the proposer, milliseconds since 1970: shown, never decides. */
  readonly wallMs: number;
  readonly objects: readonly EntryObject[];
  /** Who asked, when the client said so: for audit and for recognising repeated requests. */
  readonly client: string | undefined;
  readonly request: string | undefined;
  /** Bytes that only the writer's layer understands. */
  readonly payload: Uint8Array;
}

/** Who takes part in a group. */
export interface Configuration {
  readonly voters: readonly NodeId[];
  /** The voters being left during a joint change; otherwise empty. */
  readonly outgoing: readonly NodeId[];
  /** Get the log and do not vote. */
  readonly learners: readonly NodeId[];
  /** Those voters that keep the log's metadata and no data. */
  readonly witnesses: readonly NodeId[];
}

/** What a member must not forget; written in one batch with the entries it goes with. */
export interface HardState {
  readonly term: Term;
  readonly vote: NodeId | undefined;
  /** The configuration at `lastSnapshot`; entries of kind `configuration` after it supersede it. */
  readonly configuration: Configuration;
  /** UUID of the cluster that the group belongs to. */
  readonly clusterId: string;
  /** The last entry that compaction removed; index 0 and term 0 before. */
  readonly lastSnapshot: { readonly index: LogIndex; readonly term: Term };
}

const formatVersion = 1;
const kinds: readonly LogEntryKind[] = ['noop', 'write', 'gc', 'configuration', 'epoch'];
const writer = new ByteWriter(4096);

/**
 * Bytes that one record holds; a longer entry is a record of its own. Bounds what a replaced suffix
 * writes again, and what reading one entry has to look through.
 */
const recordBytesMax = 64 * 1024;

/** Entries that the engine keeps as one value. */
export interface LogRecord {
  /** The index of the last entry, under which the record lies. */
  readonly last: LogIndex;
  readonly bytes: Uint8Array;
}

/** The entries, in order, in as few records as their bound allows. */
export function encodeLogRecords(entries: readonly LogEntry[]): readonly LogRecord[] {
  const records: LogRecord[] = [];
  let last: LogIndex | undefined;
  writer.clear();
  for (const entry of entries) {
    assert(last === undefined || entry.index === last + 1, 'entries without a gap', entry.index);
    if (last !== undefined && writer.length + entry.payload.length > recordBytesMax) {
      records.push({ last, bytes: writer.finish() });
      writer.clear();
    }
    writeLogEntry(entry);
    last = entry.index;
  }
  if (last !== undefined) records.push({ last, bytes: writer.finish() });
  return records;
}

/** Visits the entries of a record; `visit` returns false to end. Payloads are views of `bytes`. */
export function decodeLogRecord(bytes: Uint8Array, visit: (entry: LogEntry) => boolean): void {
  const reader = new ByteReader(bytes);
  while (reader.remaining > 0 && visit(readLogEntry(reader)));
}

function writeLogEntry(entry: LogEntry): void {
  const kind = kinds.indexOf(entry.kind);
  assert(kind >= 0, 'unknown kind of entry', entry.kind);
  assert(entry.index > 0, 'entries count from 1', entry.index);
  const flags = (entry.client === undefined ? 0 : 1) | (entry.request === undefined ? 0 : 2);
  writer.uint8(formatVersion).uint8(kind).uint8(flags);
  writer.uint53(entry.term).uint53(entry.index).uint53(entry.transaction);
  writer
    .uint53(entry.timestamp)
    .uint32(entry.origin)
    .uint53(Math.max(0, Math.floor(entry.wallMs)));
  writer.uint16(entry.objects.length);
  for (const { object, version } of entry.objects) writer.uint53(object).uint53(version);
  if (entry.client !== undefined) writer.text(entry.client);
  if (entry.request !== undefined) writer.text(entry.request);
  writer.bytes(entry.payload);
}

function readLogEntry(reader: ByteReader): LogEntry {
  checkVersion(reader, 'log entry');
  const kind = kinds[reader.uint8()];
  if (kind === undefined) raise('data_corrupted', 'log entry of unknown kind');
  const flags = reader.uint8();
  const term = reader.uint53() as Term;
  const index = reader.uint53() as LogIndex;
  const transaction = reader.uint53() as TransactionId;
  const timestamp = reader.uint53() as Timestamp;
  const origin = reader.uint32() as NodeId;
  const wallMs = reader.uint53();
  const objects: EntryObject[] = [];
  for (let left = reader.uint16(); left > 0; left -= 1) {
    objects.push({ object: reader.uint53() as ObjectId, version: reader.uint53() });
  }
  const client = (flags & 1) === 0 ? undefined : reader.text();
  const request = (flags & 2) === 0 ? undefined : reader.text();
  const payload = reader.bytes();
  return {
    term,
    index,
    kind,
    transaction,
    timestamp,
    origin,
    wallMs,
    objects,
    client,
    request,
    payload,
  };
}

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const bytes = new ByteWriter().uint8(formatVersion);
  writeConfiguration(bytes, configuration);
  return bytes.finish();
}

export function decodeConfiguration(bytes: Uint8Array): Configuration {
  const reader = new ByteReader(bytes);
  checkVersion(reader, 'configuration');
  const configuration = readConfiguration(reader);
  checkEnd(reader, 'configuration');
  return configuration;
}

export function encodeHardState(state: HardState): Uint8Array {
  const bytes = new ByteWriter().uint8(formatVersion);
  bytes
    .uint53(state.term)
    .uint32(state.vote ?? 0)
    .text(state.clusterId);
  bytes.uint53(state.lastSnapshot.index).uint53(state.lastSnapshot.term);
  writeConfiguration(bytes, state.configuration);
  return bytes.finish();
}

export function decodeHardState(bytes: Uint8Array): HardState {
  const reader = new ByteReader(bytes);
  checkVersion(reader, 'hard state');
  const term = reader.uint53() as Term;
  const vote = reader.uint32() as NodeId;
  const clusterId = reader.text();
  const lastSnapshot = { index: reader.uint53() as LogIndex, term: reader.uint53() as Term };
  const configuration = readConfiguration(reader);
  checkEnd(reader, 'hard state');
  return { term, vote: vote === 0 ? undefined : vote, configuration, clusterId, lastSnapshot };
}

function writeConfiguration(bytes: ByteWriter, configuration: Configuration): void {
  const { voters, outgoing, learners, witnesses } = configuration;
  for (const members of [voters, outgoing, learners, witnesses]) {
    bytes.uint16(members.length);
    for (const member of members) bytes.uint32(member);
  }
}

function readConfiguration(reader: ByteReader): Configuration {
  const members = (): NodeId[] => {
    const read: NodeId[] = [];
    for (let left = reader.uint16(); left > 0; left -= 1) read.push(reader.uint32() as NodeId);
    return read;
  };
  return {
    voters: members(),
    outgoing: members(),
    learners: members(),
    witnesses: members(),
  };
}

function checkVersion(reader: ByteReader, what: string): void {
  const version = reader.uint8();
  if (version !== formatVersion) raise('data_corrupted', `${what} of unknown format ${version}`);
}

function checkEnd(reader: ByteReader, what: string): void {
  if (reader.remaining !== 0) raise('data_corrupted', `${what} with bytes left over`);
}
