/** Objects by name and id, as a transaction sees them, and their changes. */
import { assert, must, unreachable } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { DatabaseId, ObjectId, StorageId } from '../../base/ids.js';
import type { ShardAccess } from '../../shard/protocol.js';
import type { Span, Visit } from '../../storage/engine.js';
import type { TransactionBuffer } from '../../txn/buffer.js';
import { builtIn, builtInRoles, databaseObject, publicSchemaObject } from './built-in.js';
import { dependenciesOf, rolesNeeded } from './dependencies.js';
import type {
  DatabaseDescriptor,
  Descriptor,
  FunctionDescriptor,
  RelationDescriptor,
  RoleDescriptor,
  SchemaDescriptor,
  TableDescriptor,
  TypeDescriptor,
} from './descriptor.js';
import type { NumberSource } from './numbers.js';
import {
  databaseKey,
  decodeDescriptor,
  decodeName,
  dependentKey,
  dependentSpans,
  descriptorKey,
  descriptorSpan,
  encodeDescriptor,
  encodeName,
  firstTemporaryId,
  functionKey,
  functionSpan,
  lastIdKey,
  nameKey,
  type NameKind,
  objectOfKey,
  roleKey,
  roleSpan,
  schemaKey,
  schemaSpan,
  temporaryDatabase,
  temporarySchema,
  versionOf,
} from './rows.js';
import { rowTypeNameOf, typeNameOf } from './type-names.js';

/** User data; the catalogue itself is database 0. */
export const userDatabase = 1 as DatabaseId;

/** Ids below are kept for objects of the system. */
const firstId = 1000n;

interface Reader {
  get(key: Uint8Array): Uint8Array | undefined;
  scan(span: Span, visit: Visit): void;
}

/** The object of the id. Raises data_corrupted when there is none: something names it. */
function readObject(reader: Reader, object: ObjectId): Descriptor {
  const row = reader.get(descriptorKey(object));
  if (row === undefined) {
    const known = builtIn(object);
    if (known !== undefined) return known;
    raise('data_corrupted', `the catalogue names object ${object} but does not describe it`);
  }
  return describedBy(reader, row);
}

/** What a descriptor's row says. */
function describedBy(reader: Reader, row: Uint8Array): Descriptor {
  return decodeDescriptor(row, (type) => {
    const descriptor = readObject(reader, type);
    if (descriptor.kind === 'table') return rowTypeNameOf(descriptor);
    assert(descriptor.kind === 'type', 'a column has a type', descriptor.kind);
    return typeNameOf(descriptor);
  });
}

/** Visits the objects that the rows of `span` name. */
function readNames(reader: Reader, span: Span): ObjectId[] {
  const objects: ObjectId[] = [];
  reader.scan(span, (_key, value) => {
    objects.push(decodeName(value));
    return true;
  });
  return objects;
}

/**
 * The objects as of the newest commit, shared by the sessions of a place. It forgets all names when
 * the catalogue changes; an object that did not change keeps its descriptor, and with it plans.
 */
export class CatalogueCache {
  #version = -1;
  readonly #found = new Map<string, readonly Descriptor[]>();
  readonly #objects = new Map<ObjectId, Descriptor>();
  #all: { readonly version: number; readonly objects: readonly Descriptor[] } | undefined;

  /** What `read` gave under `key` when it was first asked at this version of the catalogue. */
  find(version: number, key: string, read: () => readonly Descriptor[]): readonly Descriptor[] {
    if (version !== this.#version) {
      this.#found.clear();
      this.#version = version;
    }
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    // Names come from clients: the table must not grow with their inventions.
    if (this.#found.size >= objectsMax) this.#found.clear();
    const found = read().map((object) => this.#shared(object));
    this.#found.set(key, found);
    return found;
  }

  /** All objects as of this version, from what `reader` shows. */
  all(version: number, reader: Reader): readonly Descriptor[] {
    if (this.#all?.version === version) return this.#all.objects;
    const known = (object: ObjectId, newest: number): Descriptor | undefined => {
      const one = this.#objects.get(object);
      return one?.version === newest ? one : undefined;
    };
    const objects = readAll(reader, false, known).map((object) => this.#shared(object));
    this.#all = { version, objects };
    return objects;
  }

  #shared(object: Descriptor): Descriptor {
    const known = this.#objects.get(object.object);
    if (known !== undefined && known.version === object.version) return known;
    if (this.#objects.size >= objectsMax) this.#objects.clear();
    this.#objects.set(object.object, object);
    return object;
  }
}

/** All objects, in the order in which they were made; `known` may have some of them already. */
function readAll(
  reader: Reader,
  temporary: boolean,
  known: (object: ObjectId, version: number) => Descriptor | undefined,
): readonly Descriptor[] {
  const rows: Uint8Array[] = [];
  const found: (Descriptor | undefined)[] = [];
  reader.scan(descriptorSpan(temporary), (key, value) => {
    const shared = known(objectOfKey(key), versionOf(value));
    found.push(shared);
    // The bytes are lent for the time of the visit.
    if (shared === undefined) rows.push(Uint8Array.prototype.slice.call(value));
    return true;
  });
  let next = 0;
  return found.map((one) => {
    if (one !== undefined) return one;
    next += 1;
    return describedBy(reader, must(rows[next - 1], 'a row for each that is not known'));
  });
}

/** The temporary tables that `reader` shows. */
export function temporaryTables(reader: Reader): readonly TableDescriptor[] {
  const span = schemaSpan('relation', temporaryDatabase, temporarySchema);
  return readNames(reader, span)
    .map((object) => readObject(reader, object))
    .filter((object) => object.kind === 'table');
}

/** Names that a place keeps at most. */
const objectsMax = 10_000;

/** Gives ids of temporary objects and storages, from `firstTemporaryId` on, none twice in a session. */
export interface TemporaryIds {
  next(): number;
}

/** Where there are no sessions and hence no temporary objects. */
const noTemporaryIds: TemporaryIds = {
  next: () => raise('feature_not_supported', 'temporary objects are not supported here'),
};

/** The catalogue within one transaction: its snapshot with its own changes. */
export class TransactionCatalogue {
  readonly #access: Pick<ShardAccess, 'catalogueVersion'>;
  readonly #buffer: TransactionBuffer;
  readonly #cache: CatalogueCache;
  readonly #numbers: NumberSource;
  readonly #temporaryIds: TemporaryIds;
  readonly #version: number;
  #changed = false;
  /** One list for as long as both parts stay as they are: others keep what they make of it. */
  #joined:
    | {
        readonly lasting: readonly Descriptor[];
        readonly temporary: readonly Descriptor[];
        readonly all: readonly Descriptor[];
      }
    | undefined;
  /** What it read of a catalogue that is its own, until that changes. */
  #own: Map<string, readonly Descriptor[]> | undefined;

  /** Made at once with the transaction's snapshot. */
  constructor(
    access: Pick<ShardAccess, 'catalogueVersion'>,
    buffer: TransactionBuffer,
    cache: CatalogueCache,
    numbers: NumberSource,
    temporaryIds: TemporaryIds = noTemporaryIds,
  ) {
    this.#numbers = numbers;
    this.#temporaryIds = temporaryIds;
    this.#access = access;
    this.#buffer = buffer;
    this.#cache = cache;
    this.#version = access.catalogueVersion;
  }

  /** Whether it sees what the newest commit has: then plans are shared with other sessions. */
  get isCurrent(): boolean {
    return !this.#changed && this.#version === this.#access.catalogueVersion;
  }

  relation(database: DatabaseId, schema: string, name: string): RelationDescriptor | undefined {
    const [found] = this.#named('relation', database, schema, name);
    return found as RelationDescriptor | undefined;
  }

  type(database: DatabaseId, schema: string, name: string): TypeDescriptor | undefined {
    return this.#named('type', database, schema, name)[0] as TypeDescriptor | undefined;
  }

  functions(database: DatabaseId, schema: string, name: string): readonly FunctionDescriptor[] {
    return this.#named('function', database, schema, name) as readonly FunctionDescriptor[];
  }

  schema(database: DatabaseId, name: string): SchemaDescriptor | undefined {
    const [found] = this.#find(database, `schema\0${name}`, () => {
      const row = this.#buffer.get(schemaKey(database, name));
      if (row !== undefined) return [readObject(this.#buffer, decodeName(row))];
      return name === 'public' ? [readObject(this.#buffer, publicSchemaObject)] : [];
    });
    return found as SchemaDescriptor | undefined;
  }

  role(name: string): RoleDescriptor | undefined {
    const [found] = this.#find(userDatabase, `role\0${name}`, () => {
      const row = this.#buffer.get(roleKey(name));
      if (row !== undefined) return [readObject(this.#buffer, decodeName(row))];
      const known = builtInRoles.find((role) => role.name === name);
      // One that has another name now has a row.
      const now = known && readObject(this.#buffer, known.object);
      return now?.name === name ? [now] : [];
    });
    return found as RoleDescriptor | undefined;
  }

  /** All of them, those that are always there first. */
  roles(): readonly RoleDescriptor[] {
    const objects = new Set([
      ...builtInRoles.map(({ object }) => object),
      ...readNames(this.#buffer, roleSpan),
    ]);
    return [...objects].map((object) => this.object(object) as RoleDescriptor);
  }

  /** The only database. */
  get database(): DatabaseDescriptor {
    return this.object(databaseObject) as DatabaseDescriptor;
  }

  /** The object of an id that something names. */
  object(object: ObjectId): Descriptor {
    const database = object >= firstTemporaryId ? temporaryDatabase : userDatabase;
    const found = this.#find(database, `object\0${object}`, () => [
      readObject(this.#buffer, object),
    ])[0];
    assert(found !== undefined, 'read as one object');
    return found;
  }

  /** The object of an id that may be gone; read anew each time. */
  objectIfThere(object: ObjectId): Descriptor | undefined {
    // Clients ask for OIDs that are none.
    if (object < 1) return undefined;
    const there =
      builtIn(object) !== undefined || this.#buffer.get(descriptorKey(object)) !== undefined;
    return there ? this.object(object) : undefined;
  }

  /** All objects, in the order in which they were made; those of the session alone are the last. */
  all(): readonly Descriptor[] {
    const lasting = this.isCurrent
      ? this.#cache.all(this.#version, this.#buffer)
      : this.#ownAll('all lasting', false);
    const temporary = this.#ownAll('all temporary', true);
    if (temporary.length === 0) return lasting;
    const joined = this.#joined;
    if (joined?.lasting === lasting && joined.temporary === temporary) return joined.all;
    const all = [...lasting, ...temporary];
    this.#joined = { lasting, temporary, all };
    return all;
  }

  #ownAll(key: string, temporary: boolean): readonly Descriptor[] {
    const known = this.#own?.get(key);
    if (known !== undefined) return known;
    const found = readAll(this.#buffer, temporary, () => undefined);
    this.#own ??= new Map();
    this.#own.set(key, found);
    return found;
  }

  /** All objects of a kind in a schema, in order of their names. */
  inSchema(kind: NameKind, database: DatabaseId, schema: string): readonly Descriptor[] {
    const objects = readNames(this.#buffer, schemaSpan(kind, database, schema));
    return objects.map((object) => this.object(object));
  }

  /** What depends on an object, in order of creation. */
  dependents(object: ObjectId): readonly Descriptor[] {
    const found = dependentSpans(object).flatMap((span) => readNames(this.#buffer, span));
    return found.map((one) => this.object(one));
  }

  /** An id for an object or a storage of a database. A statement of the buffer is open. */
  newId(database: DatabaseId): number {
    if (database === temporaryDatabase) return this.#temporaryIds.next();
    const id = this.#numbers.take(lastIdKey, firstId, 1n, 1);
    this.#buffer.advance(lastIdKey, id);
    if (id >= BigInt(firstTemporaryId)) {
      raise('program_limit_exceeded', 'all ids of objects and storages have been given');
    }
    return Number(id);
  }

  /** Adds an object, or puts it in the place of `before`. A statement of the buffer is open. */
  put(descriptor: Descriptor, before?: Descriptor): void {
    const { object } = descriptor;
    if (before !== undefined) {
      assert(before.object === object && descriptor.version > before.version, 'a newer version');
      this.#supersede(before);
      this.#unname(before);
    }
    this.#buffer.put(nameOf(descriptor), encodeName(object));
    this.#buffer.put(descriptorKey(object), encodeDescriptor(descriptor));
    for (const needed of dependenciesOf(descriptor)) {
      this.#buffer.put(dependentKey(needed, object), encodeName(object));
    }
    this.#guardRoles(descriptor, before);
    this.#step();
  }

  /** A role that something begins to belong to, or is granted to, cannot be dropped at the same time. */
  #guardRoles(descriptor: Descriptor, before: Descriptor | undefined): void {
    if (descriptor.database === temporaryDatabase) return;
    const known = new Set(before === undefined ? [] : rolesNeeded(before));
    for (const role of rolesNeeded(descriptor)) {
      if (!known.has(role)) this.#buffer.guard(descriptorKey(role));
    }
  }

  /** Takes an object out; what it stored is the caller's to discard. A statement is open. */
  remove(descriptor: Descriptor): void {
    // Whoever makes something for a role meanwhile guards it.
    if (descriptor.kind === 'role') this.#buffer.guard(descriptorKey(descriptor.object));
    this.#supersede(descriptor);
    this.#unname(descriptor);
    this.#buffer.delete(descriptorKey(descriptor.object));
    this.#step();
  }

  /** The storage is named no more. A statement is open. */
  discard(database: DatabaseId, storage: StorageId): void {
    this.#buffer.discard(database, storage);
  }

  /** From the commit on nothing planned with this version is taken. */
  #supersede({ object, version }: Descriptor): void {
    this.#buffer.touch(object, version);
    this.#buffer.fence(object, version + 1);
  }

  #unname(descriptor: Descriptor): void {
    this.#buffer.delete(nameOf(descriptor));
    for (const needed of dependenciesOf(descriptor)) {
      this.#buffer.delete(dependentKey(needed, descriptor.object));
    }
  }

  /** Changes were taken back. */
  takenBack(): void {
    this.#own?.clear();
  }

  /** What follows in the same statement sees the change. */
  #step(): void {
    this.#changed = true;
    this.#own?.clear();
    this.#buffer.endStatement();
    this.#buffer.beginStatement();
  }

  #named(
    kind: NameKind,
    database: DatabaseId,
    schema: string,
    name: string,
  ): readonly Descriptor[] {
    return this.#find(database, `${kind}\0${schema}\0${name}`, () => {
      if (kind === 'function') {
        const objects = readNames(this.#buffer, functionSpan(database, schema, name));
        return objects.map((object) => readObject(this.#buffer, object));
      }
      const row = this.#buffer.get(nameKey(kind, database, schema, name));
      return row === undefined ? [] : [readObject(this.#buffer, decodeName(row))];
    });
  }

  #find(
    database: DatabaseId,
    key: string,
    read: () => readonly Descriptor[],
  ): readonly Descriptor[] {
    if (this.isCurrent && database === userDatabase) {
      return this.#cache.find(this.#version, key, read);
    }
    const own = `${database}\0${key}`;
    const known = this.#own?.get(own);
    if (known !== undefined) return known;
    this.#own ??= new Map();
    if (this.#own.size >= objectsMax) this.#own.clear();
    const found = read();
    this.#own.set(own, found);
    return found;
  }
}

function nameOf(descriptor: Descriptor): Uint8Array {
  const { kind, database, schema, name, object } = descriptor;
  switch (kind) {
    case 'schema':
      return schemaKey(database, name);
    case 'type':
      return nameKey('type', database, schema, name);
    case 'function':
      return functionKey(database, schema, name, object);
    case 'table':
    case 'view':
    case 'sequence':
    case 'index':
      return nameKey('relation', database, schema, name);
    case 'role':
      return roleKey(name);
    case 'database':
      return databaseKey;
    default:
      return unreachable(kind);
  }
}
