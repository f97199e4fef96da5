/**
 * The key map: every kind of key in a store, in its physical order.
 *
 *     01 group:4 index:8                              Raft log entries, up to and with that index
 *     02 group:4                                      Raft hard state (term, vote, configuration)
 *     02 group:4 01                                   what is known to be damaged in a group's log
 *     03 group:4                                      applied state of a replica
 *     03 group:4 01                                   how far a snapshot has come that replaces it
 *     04 name                                         store's own records (format, incarnation)
 *     10 database:4 storage:4 01 key                  newest version of a row
 *     10 database:4 storage:4 02 kind key ~timestamp:8  older version, newest first
 *     10 database:4 storage:4 03 key                  index entry
 *     10 database:4 storage:4 04..06 key              column block, quad, CRDT state (reserved)
 *
 * Keys from 10 on are the shared key space that shards cut into ranges; they carry no shard id, so a
 * split relabels and copies nothing. Within a storage no key is a prefix of another (sql/ encodes
 * key columns so), hence a history key never falls among the versions of another row.
 * `~timestamp` is 2^53 - 1 - timestamp.
 */
import { assert, unreachable } from '../base/assert.js';
import type { DatabaseId, LogIndex, ShardId, StorageId, Timestamp } from '../base/ids.js';

export const keySpace = {
  log: 0x01,
  hardState: 0x02,
  applied: 0x03,
  store: 0x04,
  data: 0x10,
} as const;

export const keyKind = {
  row: 0x01,
  history: 0x02,
  index: 0x03,
  columnBlock: 0x04,
  quad: 0x05,
  crdt: 0x06,
} as const;

export type KeyKind = (typeof keyKind)[keyof typeof keyKind];

/** LMDB refuses longer keys (pitfall 24); rows and history need room for prefix and timestamp. */
export const keyBytesMax = 1978;
/** The most bytes that the key columns of a row or index entry may take. */
export const userKeyBytesMax = keyBytesMax - 19;

/** Ends the key of a damage or an image: they sort behind the hard state or the applied state of their group. */
const secondMark = 0x01;
/** Bytes before the key columns. */
export const dataPrefixBytes = 10;
const kindAt = 9;

/** Where the record lies whose last entry has that index. */
export function logKey(group: ShardId, last: LogIndex): Uint8Array {
  const key = Buffer.allocUnsafe(13);
  key[0] = keySpace.log;
  key.writeUInt32BE(group, 1);
  writeUint53(key, last, 5);
  return key;
}

export type GroupSpace = 'hardState' | 'damage' | 'applied' | 'image';

export function groupKey(space: GroupSpace, group: ShardId): Uint8Array {
  const second = space === 'damage' || space === 'image';
  const key = Buffer.allocUnsafe(second ? 6 : 5);
  key[0] = keySpace[space === 'hardState' || space === 'damage' ? 'hardState' : 'applied'];
  key.writeUInt32BE(group, 1);
  if (second) key[5] = secondMark;
  return key;
}

export function storeKey(name: string): Uint8Array {
  return Buffer.concat([Buffer.of(keySpace.store), Buffer.from(name, 'utf8')]);
}

/** What all keys of a kind in a storage begin with. */
export function dataPrefix(database: DatabaseId, storage: StorageId, kind: KeyKind): Uint8Array {
  const key = Buffer.allocUnsafe(dataPrefixBytes);
  key[0] = keySpace.data;
  key.writeUInt32BE(database, 1);
  key.writeUInt32BE(storage, 5);
  key[kindAt] = kind;
  return key;
}

/** Where the version of `rowKey` that was written at `timestamp` lies once it is not the newest. */
export function historyKey(rowKey: Uint8Array, timestamp: Timestamp): Uint8Array {
  const kind = rowKey[kindAt] ?? 0;
  assert(rowKey[0] === keySpace.data && kind !== keyKind.history, 'no row key');
  const key = Buffer.allocUnsafe(rowKey.length + 9);
  key.set(rowKey);
  key[kindAt] = keyKind.history;
  // The kind goes along: a row and an index entry of one storage may have equal key columns.
  key[dataPrefixBytes] = kind;
  key.set(rowKey.subarray(dataPrefixBytes), dataPrefixBytes + 1);
  writeUint53(key, Number.MAX_SAFE_INTEGER - timestamp, rowKey.length + 1);
  return key;
}

/** Whether the key was made by {@link historyKey}. */
export function isHistoryKey(key: Uint8Array): boolean {
  return key[0] === keySpace.data && key[kindAt] === keyKind.history;
}

/** Undoes {@link historyKey}; undefined for any other key. */
export function splitHistoryKey(
  key: Uint8Array,
): { readonly rowKey: Uint8Array; readonly timestamp: Timestamp } | undefined {
  if (!isHistoryKey(key)) return undefined;
  const end = key.length - 8;
  assert(end > dataPrefixBytes, 'a history key ends too early', key.length);
  const rowKey = Buffer.allocUnsafe(end - 1);
  rowKey.set(key.subarray(0, kindAt));
  rowKey.set(key.subarray(dataPrefixBytes, end), kindAt);
  const bytes = Buffer.from(key.buffer, key.byteOffset + end, 8);
  const inverse = bytes.readUInt32BE(0) * 0x1_0000_0000 + bytes.readUInt32BE(4);
  return { rowKey, timestamp: (Number.MAX_SAFE_INTEGER - inverse) as Timestamp };
}

/** What a key of a store stands for. */
export type ParsedKey =
  | { readonly space: 'log'; readonly group: ShardId; readonly last: LogIndex }
  | { readonly space: GroupSpace; readonly group: ShardId }
  | { readonly space: 'store'; readonly name: string }
  | {
      readonly space: 'data';
      readonly database: DatabaseId;
      readonly storage: StorageId;
      readonly kind: Exclude<keyof typeof keyKind, 'history'>;
      readonly key: Uint8Array;
      /** Of an older version. */
      readonly timestamp: Timestamp | undefined;
    }
  /** No key that this version writes. */
  | { readonly space: 'unknown' };

/** Takes any bytes. Arrays in the result are views of `bytes`. */
export function parseKey(bytes: Uint8Array): ParsedKey {
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const unknown: ParsedKey = { space: 'unknown' };
  if (key[0] === keySpace.data) return parseDataKey(key) ?? unknown;
  if (key[0] === keySpace.store) {
    const name = key.toString('utf8', 1);
    return Buffer.from(name).equals(key.subarray(1)) ? { space: 'store', name } : unknown;
  }
  if (key.length < 5) return unknown;
  const group = key.readUInt32BE(1) as ShardId;
  if (key[0] === keySpace.log && key.length === 13) {
    const last = readUint53(key, 5);
    return last === undefined ? unknown : { space: 'log', group, last: last as LogIndex };
  }
  const second = key.length === 6 && key[5] === secondMark;
  if (key.length !== 5 && !second) return unknown;
  if (key[0] === keySpace.hardState) return { space: second ? 'damage' : 'hardState', group };
  if (key[0] === keySpace.applied) return { space: second ? 'image' : 'applied', group };
  return unknown;
}

function parseDataKey(key: Buffer): ParsedKey | undefined {
  if (key.length < dataPrefixBytes) return undefined;
  const database = key.readUInt32BE(1) as DatabaseId;
  const storage = key.readUInt32BE(5) as StorageId;
  const older = key[kindAt] === keyKind.history;
  const kind = kindNames.get(older ? key[dataPrefixBytes] : key[kindAt]);
  if (kind === undefined) return undefined;
  if (!older) {
    const rest = key.subarray(dataPrefixBytes);
    return { space: 'data', database, storage, kind, key: rest, timestamp: undefined };
  }
  if (key.length < dataPrefixBytes + 9) return undefined;
  const inverted = readUint53(key, key.length - 8);
  if (inverted === undefined) return undefined;
  const timestamp = (Number.MAX_SAFE_INTEGER - inverted) as Timestamp;
  const rest = key.subarray(dataPrefixBytes + 1, -8);
  return { space: 'data', database, storage, kind, key: rest, timestamp };
}

const kindNames = new Map<number | undefined, Exclude<keyof typeof keyKind, 'history'>>([
  [keyKind.row, 'row'],
  [keyKind.index, 'index'],
  [keyKind.columnBlock, 'columnBlock'],
  [keyKind.quad, 'quad'],
  [keyKind.crdt, 'crdt'],
]);

/**
 * Any bytes as a line to read, different for different keys: `row/1/100/0004`, an older version with
 * its timestamp, `row/1/100/0004@7`.
 */
export function printKey(bytes: Uint8Array): string {
  const parsed = parseKey(bytes);
  switch (parsed.space) {
    case 'log':
      return `log/${parsed.group}/${parsed.last}`;
    case 'hardState':
    case 'damage':
    case 'applied':
    case 'image':
      return `${parsed.space}/${parsed.group}`;
    case 'store':
      return `store/${parsed.name}`;
    case 'data': {
      const { kind, database, storage, key, timestamp } = parsed;
      const line = `${kind}/${database}/${storage}/${Buffer.from(key).toString('hex')}`;
      return timestamp === undefined ? line : `${line}@${timestamp}`;
    }
    case 'unknown':
      return `bytes/${Buffer.from(bytes).toString('hex')}`;
    default:
      return unreachable(parsed);
  }
}

function writeUint53(target: Buffer, value: number, at: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, 'number out of range', value);
  target.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
  target.writeUInt32BE(value >>> 0, at + 4);
}

/** Undefined when the number is 2^53 or more. */
function readUint53(source: Buffer, at: number): number | undefined {
  const value = source.readUInt32BE(at) * 0x1_0000_0000 + source.readUInt32BE(at + 4);
  return Number.isSafeInteger(value) ? value : undefined;
}
