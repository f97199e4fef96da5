/** The messages of the Raft core as bytes: fixed fields, entries as the log writes them. */
import type { ByteReader, ByteWriter } from '../base/bytes.js';
import { unreachable } from '../base/assert.js';
import { raise } from '../base/errors.js';
import type { LogIndex, NodeId, Term } from '../base/ids.js';
import type { RaftMessage } from '../raft/index.js';
import { decodeLogRecord, encodeLogRecords, type LogEntry } from '../storage/index.js';

const kinds = [
  'raft.vote',
  'raft.voteAnswer',
  'raft.append',
  'raft.appendAnswer',
  'raft.readIndex',
  'raft.readIndexAnswer',
  'raft.timeoutNow',
] as const satisfies readonly RaftMessage['kind'][];

export function writeRaftMessage(writer: ByteWriter, message: RaftMessage): void {
  writer.uint8(kinds.indexOf(message.kind)).uint32(message.from).uint32(message.to);
  writer.varint(message.term);
  switch (message.kind) {
    case 'raft.vote':
      writer.varint(message.lastIndex).varint(message.lastTerm).uint8(Number(message.pre));
      optional(writer, message.transferRound);
      return;
    case 'raft.voteAnswer':
      writer.uint8(Number(message.granted)).uint8(Number(message.pre));
      return;
    case 'raft.append': {
      writer.varint(message.prevIndex).varint(message.prevTerm).varint(message.commitIndex);
      writer.varint(message.lastIndex).varint(message.recovery).varint(message.round);
      writer.uint8(Number(message.hibernate));
      const records = recordsOf(message.entries);
      writer.varint(records.length);
      for (const { bytes } of records) writer.bytes(bytes);
      return;
    }
    case 'raft.appendAnswer': {
      writer.varint(message.matchIndex).varint(message.receivedIndex).varint(message.round);
      writer.uint8(Number(message.needsSnapshot)).varint(message.recovery);
      const { refused } = message;
      writer.uint8(refused === undefined ? 0 : 1);
      if (refused === undefined) return;
      writer.varint(refused.prevIndex).varint(refused.hintIndex).varint(refused.hintTerm);
      return;
    }
    case 'raft.readIndex':
      writer.uint53(message.read);
      return;
    case 'raft.readIndexAnswer':
      writer.uint53(message.read);
      optional(writer, message.index);
      return;
    case 'raft.timeoutNow':
      writer.varint(message.round);
      return;
    default:
      unreachable(message);
  }
}

/** Followers that are at the same place get the same entries: they are written once for all. */
const written = new WeakMap<readonly LogEntry[], ReturnType<typeof encodeLogRecords>>();

function recordsOf(entries: readonly LogEntry[]): ReturnType<typeof encodeLogRecords> {
  let records = written.get(entries);
  if (records === undefined) {
    records = encodeLogRecords(entries);
    written.set(entries, records);
  }
  return records;
}

/** Raises `data_corrupted` for what {@link writeRaftMessage} did not write. Payloads are views. */
export function readRaftMessage(reader: ByteReader): RaftMessage {
  const kind = kinds[reader.uint8()];
  const from = reader.uint32() as NodeId;
  const to = reader.uint32() as NodeId;
  const term = reader.varint() as Term;
  const head = { from, to, term };
  switch (kind) {
    case 'raft.vote': {
      const lastIndex = reader.varint() as LogIndex;
      const lastTerm = reader.varint() as Term;
      const pre = flag(reader);
      return { kind, ...head, lastIndex, lastTerm, pre, transferRound: readOptional(reader) };
    }
    case 'raft.voteAnswer':
      return { kind, ...head, granted: flag(reader), pre: flag(reader) };
    case 'raft.append': {
      const prevIndex = reader.varint() as LogIndex;
      const prevTerm = reader.varint() as Term;
      const commitIndex = reader.varint() as LogIndex;
      const lastIndex = reader.varint() as LogIndex;
      const recovery = reader.varint();
      const round = reader.varint();
      const hibernate = flag(reader);
      const entries = readEntries(reader, prevIndex);
      const indexes = { prevIndex, commitIndex, lastIndex };
      return { kind, ...head, ...indexes, prevTerm, entries, recovery, round, hibernate };
    }
    case 'raft.appendAnswer': {
      const matchIndex = reader.varint() as LogIndex;
      const receivedIndex = reader.varint() as LogIndex;
      const round = reader.varint();
      const needsSnapshot = flag(reader);
      const recovery = reader.varint();
      const refused = flag(reader)
        ? {
            prevIndex: reader.varint() as LogIndex,
            hintIndex: reader.varint() as LogIndex,
            hintTerm: reader.varint() as Term,
          }
        : undefined;
      const indexes = { matchIndex, receivedIndex };
      return { kind, ...head, ...indexes, round, refused, needsSnapshot, recovery };
    }
    case 'raft.readIndex':
      return { kind, ...head, read: reader.uint53() };
    case 'raft.readIndexAnswer': {
      const read = reader.uint53();
      return { kind, ...head, read, index: readOptional(reader) as LogIndex | undefined };
    }
    case 'raft.timeoutNow':
      return { kind, ...head, round: reader.varint() };
    case undefined:
      return raise('data_corrupted', 'a Raft message of unknown kind');
    default:
      return unreachable(kind);
  }
}

function readEntries(reader: ByteReader, prevIndex: LogIndex): readonly LogEntry[] {
  const entries: LogEntry[] = [];
  for (let left = reader.varint(); left > 0; left -= 1) {
    decodeLogRecord(reader.bytes(), (entry) => {
      if (entry.index !== prevIndex + entries.length + 1) {
        raise('data_corrupted', `entry ${entry.index} of a message is out of order`);
      }
      entries.push(entry);
      return true;
    });
  }
  return entries;
}

function optional(writer: ByteWriter, value: number | undefined): void {
  writer.uint8(value === undefined ? 0 : 1);
  if (value !== undefined) writer.varint(value);
}

function readOptional(reader: ByteReader): number | undefined {
  return flag(reader) ? reader.varint() : undefined;
}

function flag(reader: ByteReader): boolean {
  const value = reader.uint8();
  if (value > 1) raise('data_corrupted', `a flag of ${value}`);
  return value === 1;
}
