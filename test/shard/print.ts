/** Keys, versions and batches as the golden scripts of mvcc and shard write them. */
import type { DatabaseId, StorageId, Timestamp } from '#src/base/ids.js';
import type { LogEntry, Put, Span } from '#src/storage/index.js';
import { decodeHardState, decodeLogRecord } from '#src/storage/index.js';
import { dataPrefix, keyKind, keySpace, splitHistoryKey } from '#src/storage/keys.js';
import {
  decodeChange,
  decodeCollection,
  decodeCounter,
  isCounter,
  isTombstone,
  payloadOf,
  timestampOf,
  transactionOf,
  type Write,
} from '#src/txn/index.js';

/** `a` is row a of storage 1 of database 1; `3/a` of storage 3; `0.1/a` of database 0. */
export function keyOf(word: string): Uint8Array {
  const [, database = '1', storage = '1', name = ''] =
    /^(?:(?:(\d+)\.)?(\d+)\/)?(.*)$/.exec(word) ?? [];
  const prefix = dataPrefix(
    Number(database) as DatabaseId,
    Number(storage) as StorageId,
    keyKind.row,
  );
  return Buffer.concat([prefix, Buffer.from(name)]);
}

export function printKey(bytes: Uint8Array): string {
  const older = splitHistoryKey(bytes);
  if (older !== undefined) return `${printKey(older.rowKey)}@${older.timestamp}`;
  const key = Buffer.from(bytes);
  const database = key.readUInt32BE(1);
  const storage = key.readUInt32BE(5);
  const name = key.toString('latin1', 10);
  if (database !== 1) return `${database}.${storage}/${name}`;
  return storage === 1 ? name : `${storage}/${name}`;
}

/** All keys of a storage of database 1 from `from` up to `to`, `from` included. */
export function spanOf(from: string, to: string): Span {
  return { from: keyOf(from), to: keyOf(to) };
}

export function printVersion(version: Uint8Array | undefined): string {
  if (version === undefined) return 'nothing';
  const of = `at ${timestampOf(version)} by ${printTransaction(transactionOf(version))}`;
  if (isTombstone(version)) return `tombstone ${of}`;
  const payload = payloadOf(version);
  if (isCounter(version)) return `counter ${decodeCounter(payload)} ${of}`;
  return `'${Buffer.from(payload).toString('latin1')}' ${of}`;
}

/** `incarnation.counter`. */
export function printTransaction(id: number): string {
  return `${Math.floor(id / 2 ** 32)}.${id % 2 ** 32}`;
}

export function printWrite(write: Write): string {
  switch (write.op) {
    case 'put':
      return `put ${printKey(write.key)}='${Buffer.from(write.value).toString('latin1')}'`;
    case 'delete':
      return `delete ${printKey(write.key)}`;
    case 'advance':
      return `${write.descending === true ? 'descend' : 'advance'} ${printKey(write.key)} to ${write.to}`;
    case 'discard':
      return `discard ${write.database}.${write.storage}`;
  }
}

export function printEntry(entry: LogEntry): string {
  const head = `${entry.index} term=${entry.term} ${entry.kind}`;
  if (entry.kind === 'write') {
    const { writes, fences } = decodeChange(entry.payload);
    const parts = writes.map(printWrite);
    parts.push(...fences.map(({ object, version }) => `fence ${object}:${version}`));
    return `${head} ${printTransaction(entry.transaction)} at ${entry.timestamp}: ${parts.join(', ')}`;
  }
  if (entry.kind === 'gc') {
    const { horizon, keys, spans, cleared } = decodeCollection(entry.payload);
    const parts = keys.map((key) => `remove ${printKey(key)}`);
    parts.push(...spans.map(({ from, to }) => `clear ${printEnd(from)}..${printEnd(to)}`));
    parts.push(...cleared.map(({ database, storage }) => `cleared ${database}.${storage}`));
    return `${head} horizon ${horizon}: ${parts.join(', ')}`;
  }
  return head;
}

/** A bound of a span, which need not be a whole key. */
function printEnd(bytes: Uint8Array): string {
  if (bytes.length >= 10) return printKey(bytes);
  const key = Buffer.from(bytes);
  return `${key.readUInt32BE(1)}.${key.readUInt32BE(5)}/`;
}

/** What a batch for the engine holds, a line each; of a log record a line for each entry. */
export function printBatch(batch: readonly Put[]): readonly string[] {
  return batch.flatMap(({ key, value }) => {
    switch (key[0]) {
      case keySpace.log:
        if (value === undefined) return `log to ${Buffer.from(key).readUInt32BE(9)} removed`;
        return printRecord(value);
      case keySpace.hardState: {
        if (value === undefined) return 'hard state removed';
        const { term, vote, lastSnapshot } = decodeHardState(value);
        return `hard state term=${term} vote=${vote} compacted=${lastSnapshot.index}`;
      }
      case keySpace.applied:
        return 'applied state';
      default:
        return `${printKey(key)} = ${printVersion(value)}`;
    }
  });
}

function printRecord(record: Uint8Array): readonly string[] {
  const lines: string[] = [];
  decodeLogRecord(record, (entry) => {
    lines.push(`${lines.length === 0 ? 'log' : '  +'} ${printEntry(entry)}`);
    return true;
  });
  return lines;
}

export const stamp = (text: string | undefined): Timestamp => Number(text) as Timestamp;
