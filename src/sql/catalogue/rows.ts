/**
 * The rows of the catalogue: database 0, storage 1.
 *
 *     01 database:4 schema 00 name    -> object id of the table
 *     02 object:8                     -> descriptor of the object
 *     03                              -> last id given to an object or storage (a sequence)
 *
 * A value begins with its format version; a descriptor's row has the object's version next and then
 * JSON, so that later versions can add fields.
 */
import { assert } from '../../base/assert.js';
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { DatabaseId, ObjectId, StorageId } from '../../base/ids.js';
import { dataPrefix, keyKind } from '../../storage/keys.js';
import type { TableDescriptor } from './descriptor.js';

const catalogueDatabase = 0 as DatabaseId;
const catalogueStorage = 1 as StorageId;
const prefix = dataPrefix(catalogueDatabase, catalogueStorage, keyKind.row);

const rowKind = { name: 1, descriptor: 2, lastId: 3 } as const;

/** The format of both kinds of values. */
const format = 1;

export function nameKey(database: DatabaseId, schema: string, name: string): Uint8Array {
  assert(!schema.includes('\0') && !name.includes('\0'), 'a name has no NUL');
  return new ByteWriter()
    .raw(prefix)
    .uint8(rowKind.name)
    .uint32(database)
    .raw(Buffer.from(`${schema}\0${name}\0`, 'utf8'))
    .finish();
}

export function descriptorKey(object: ObjectId): Uint8Array {
  return new ByteWriter().raw(prefix).uint8(rowKind.descriptor).uint53(object).finish();
}

export const lastIdKey: Uint8Array = new ByteWriter().raw(prefix).uint8(rowKind.lastId).finish();

export function encodeName(object: ObjectId): Uint8Array {
  return new ByteWriter().uint8(format).uint53(object).finish();
}

export function decodeName(bytes: Uint8Array): ObjectId {
  const reader = readerOf(bytes);
  return reader.uint53() as ObjectId;
}

export function encodeDescriptor(descriptor: TableDescriptor): Uint8Array {
  const { version } = descriptor;
  return new ByteWriter().uint8(format).uint53(version).text(toJson(descriptor)).finish();
}

export function decodeDescriptor(bytes: Uint8Array): TableDescriptor {
  const reader = readerOf(bytes);
  const version = reader.uint53();
  const descriptor = fromJson(reader.text());
  assert(descriptor.version === version, 'a descriptor has the version of its row');
  return descriptor;
}

function readerOf(bytes: Uint8Array): ByteReader {
  const reader = new ByteReader(bytes);
  const found = reader.uint8();
  if (found !== format) {
    raise('data_corrupted', `a catalogue row has format ${found}; this version knows ${format}`);
  }
  return reader;
}

function toJson(descriptor: TableDescriptor): string {
  return JSON.stringify(descriptor, (_key, value: unknown) =>
    typeof value === 'bigint' ? { $int8: value.toString() } : value,
  );
}

/** Checksums of the store guard the text: what it says was written by `toJson`. */
function fromJson(text: string): TableDescriptor {
  const plain = JSON.parse(text, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && '$int8' in value
      ? BigInt(String(value.$int8))
      : value,
  ) as TableDescriptor;
  // JSON leaves out what is undefined; a descriptor has every field.
  const { primaryKeyName, rowNumbers, columns } = plain;
  return {
    ...plain,
    columns: columns.map((column) => ({
      ...column,
      default: column.default ?? undefined,
      identity: column.identity ?? undefined,
    })),
    primaryKeyName: primaryKeyName ?? undefined,
    rowNumbers: rowNumbers ?? undefined,
  };
}
