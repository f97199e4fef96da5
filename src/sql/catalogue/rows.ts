/**
 * The rows of the catalogue: database 0, storage 1; those of temporary objects lie in the session's
 * own database (see temporary.ts of the sessions) under the same keys.
 *
 *     01 database:4 schema 00 name 00           -> object id of a relation
 *     02 object:8                               -> descriptor of the object
 *     03                                        -> last id given to an object or storage (a sequence)
 *     04 database:4 schema 00 name 00           -> object id of a type
 *     05 database:4 schema 00 name 00 object:8  -> object id of a function
 *     06 database:4 name 00                     -> object id of a schema
 *     07 object:8 dependent:8                   -> object id of an object that depends on the first
 *     08 name 00                                -> object id of a role
 *     09                                        -> object id of the database, once it was changed
 *
 * A value begins with its format version; a descriptor's row has the object's version next and then
 * JSON, so that later versions can add fields.
 */
import { assert, must } from '../../base/assert.js';
import { ByteReader, ByteWriter, prefixEnd } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { DatabaseId, ObjectId, StorageId } from '../../base/ids.js';
import type { Span } from '../../storage/engine.js';
import { dataPrefix, keyKind } from '../../storage/keys.js';
import { firstOid } from './built-in.js';
import { completed } from './complete.js';
import type { Descriptor } from './descriptor.js';

const catalogueDatabase = 0 as DatabaseId;
const catalogueStorage = 1 as StorageId;

/** Objects of a session alone: database, catalogue rows and data of theirs never leave it. */
export const temporaryDatabase = 2 as DatabaseId;

/** The schema of a session's temporary objects, under whatever number it goes elsewhere. */
export const temporarySchema = 'pg_temp';

/** Ids of temporary objects begin here; others end below. */
export const firstTemporaryId = 0xf000_0000;

const rowKind = {
  relation: 1,
  descriptor: 2,
  lastId: 3,
  type: 4,
  function: 5,
  schema: 6,
  dependent: 7,
  role: 8,
  database: 9,
} as const;

/** What a name of a schema can stand for. */
export type NameKind = 'relation' | 'type' | 'function';

/**
 * The format of all values. Format 1 knew tables with a primary key only, format 2 no owners and rights; what
 * they wrote is read.
 */
const format = 3;

function begin(database: DatabaseId, kind: number): ByteWriter {
  const home = database === temporaryDatabase ? temporaryDatabase : catalogueDatabase;
  const prefix = dataPrefix(home, catalogueStorage, keyKind.row);
  return new ByteWriter().raw(prefix).uint8(kind);
}

function databaseOf(object: ObjectId): DatabaseId {
  return object >= firstTemporaryId ? temporaryDatabase : catalogueDatabase;
}

function namePrefix(
  kind: NameKind,
  database: DatabaseId,
  schema: string,
  name: string,
): ByteWriter {
  assert(!schema.includes('\0') && !name.includes('\0'), 'a name has no NUL');
  return begin(database, rowKind[kind])
    .uint32(database)
    .raw(Buffer.from(`${schema}\0${name}\0`, 'utf8'));
}

/** Where the id of a relation or type lies. */
export function nameKey(
  kind: Exclude<NameKind, 'function'>,
  database: DatabaseId,
  schema: string,
  name: string,
): Uint8Array {
  return namePrefix(kind, database, schema, name).finish();
}

export function functionKey(
  database: DatabaseId,
  schema: string,
  name: string,
  object: ObjectId,
): Uint8Array {
  return namePrefix('function', database, schema, name).uint53(object).finish();
}

/** All functions of a name. */
export function functionSpan(database: DatabaseId, schema: string, name: string): Span {
  return spanOf(namePrefix('function', database, schema, name).finish());
}

/** All names of a kind in a schema. */
export function schemaSpan(kind: NameKind, database: DatabaseId, schema: string): Span {
  const from = begin(database, rowKind[kind])
    .uint32(database)
    .raw(Buffer.from(`${schema}\0`, 'utf8'))
    .finish();
  return spanOf(from);
}

export function schemaKey(database: DatabaseId, name: string): Uint8Array {
  assert(!name.includes('\0'), 'a name has no NUL');
  return begin(database, rowKind.schema)
    .uint32(database)
    .raw(Buffer.from(`${name}\0`, 'utf8'))
    .finish();
}

export function descriptorKey(object: ObjectId): Uint8Array {
  return begin(databaseOf(object), rowKind.descriptor).uint53(object).finish();
}

/** All descriptors: of lasting objects, or of the session's own. */
export function descriptorSpan(temporary: boolean): Span {
  const database = temporary ? temporaryDatabase : catalogueDatabase;
  return spanOf(begin(database, rowKind.descriptor).finish());
}

/** The version of the object that a descriptor's row is of. */
export function versionOf(bytes: Uint8Array): number {
  return readerOf(bytes).uint53();
}

/** The object whose descriptor lies under the key. */
export function objectOfKey(key: Uint8Array): ObjectId {
  return new ByteReader(key.subarray(key.length - 8)).uint53() as ObjectId;
}

/** A temporary object's needs are kept with it: nothing that stays depends on it. */
export function dependentKey(object: ObjectId, dependent: ObjectId): Uint8Array {
  return begin(databaseOf(dependent), rowKind.dependent).uint53(object).uint53(dependent).finish();
}

/** Everything that depends on `object`: among lasting objects and among the session's own. */
export function dependentSpans(object: ObjectId): readonly Span[] {
  return [catalogueDatabase, temporaryDatabase].map((database) =>
    spanOf(begin(database, rowKind.dependent).uint53(object).finish()),
  );
}

export function roleKey(name: string): Uint8Array {
  assert(!name.includes('\0'), 'a name has no NUL');
  return begin(catalogueDatabase, rowKind.role)
    .raw(Buffer.from(`${name}\0`, 'utf8'))
    .finish();
}

/** All roles that have rows, in order of their names. */
export const roleSpan: Span = spanOf(begin(catalogueDatabase, rowKind.role).finish());

export const databaseKey: Uint8Array = begin(catalogueDatabase, rowKind.database).finish();

export const lastIdKey: Uint8Array = begin(catalogueDatabase, rowKind.lastId).finish();

function spanOf(from: Uint8Array): Span {
  return { from, to: must(prefixEnd(from), 'a data prefix has an end') };
}

export function encodeName(object: ObjectId): Uint8Array {
  return new ByteWriter().uint8(format).uint53(object).finish();
}

export function decodeName(bytes: Uint8Array): ObjectId {
  const reader = readerOf(bytes);
  return reader.uint53() as ObjectId;
}

export function encodeDescriptor(descriptor: Descriptor): Uint8Array {
  const { version } = descriptor;
  return new ByteWriter().uint8(format).uint53(version).text(toJson(descriptor)).finish();
}

/** `typeOf` gives the name of a user's type by the object that a descriptor keeps in its place. */
export function decodeDescriptor(
  bytes: Uint8Array,
  typeOf: (object: ObjectId) => string,
): Descriptor {
  const reader = readerOf(bytes);
  const version = reader.uint53();
  const descriptor = completed(fromJson(reader.text(), typeOf));
  assert(descriptor.version === version, 'a descriptor has the version of its row');
  return descriptor;
}

function readerOf(bytes: Uint8Array): ByteReader {
  const reader = new ByteReader(bytes);
  const found = reader.uint8();
  if (found < 1 || found > format) {
    raise('data_corrupted', `a catalogue row has format ${found}; this version knows ${format}`);
  }
  return reader;
}

/** Fields of descriptors that hold the name of a type. */
const typeFields: ReadonlySet<string> = new Set(['type', 'base', 'returns']);

/**
 * The object behind the name of a user's type, which begins with its OID, and whether it is that of an
 * array of it.
 */
const userType = /^(_?)(?:enum|domain|composite):\[(\d+)/;

/** The object of a user's type, or of the elements of an array of one; undefined for other types. */
export function objectOfType(name: string): ObjectId | undefined {
  const oid = userType.exec(name)?.[2];
  return oid === undefined ? undefined : ((Number(oid) - firstOid) as ObjectId);
}

function toJson(descriptor: Descriptor): string {
  return JSON.stringify(descriptor, (key, value: unknown) => {
    if (typeof value === 'bigint') return { $int8: value.toString() };
    if (typeof value !== 'string' || !typeFields.has(key)) return value;
    const object = objectOfType(value);
    return object === undefined ? value : `${value.startsWith('_') ? '_' : ''}@${object}`;
  });
}

const storedType = /^(_?)@(\d+)$/;

/** Checksums of the store guard the text: what it says was written by `toJson`. */
function fromJson(text: string, typeOf: (object: ObjectId) => string): Partial<Descriptor> {
  return JSON.parse(text, (key, value: unknown) => {
    if (typeof value === 'object' && value !== null && '$int8' in value) {
      return BigInt(String(value.$int8));
    }
    if (typeof value !== 'string' || !typeFields.has(key)) return value;
    const [, array, object] = storedType.exec(value) ?? [];
    if (object === undefined) return value;
    return `${array ?? ''}${typeOf(Number(object) as ObjectId)}`;
  }) as Partial<Descriptor>;
}
