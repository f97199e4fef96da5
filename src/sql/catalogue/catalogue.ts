/** Tables by name, as a transaction sees them, and the changes of CREATE and DROP. */
import { raise } from '../../base/errors.js';
import type { DatabaseId, ObjectId, StorageId } from '../../base/ids.js';
import type { ShardAccess } from '../../shard/protocol.js';
import type { TransactionBuffer } from '../../txn/buffer.js';
import type { NewTable } from '../plan/statement.js';
import type { ColumnDefault, SequenceDescriptor, TableDescriptor } from './descriptor.js';
import type { NumberSource } from './numbers.js';
import {
  decodeDescriptor,
  decodeName,
  descriptorKey,
  encodeDescriptor,
  encodeName,
  lastIdKey,
  nameKey,
} from './rows.js';

/** User data; the catalogue itself is database 0. */
export const userDatabase = 1 as DatabaseId;

/** Ids below are kept for objects of the system. */
const firstId = 1000n;

interface Reader {
  get(key: Uint8Array): Uint8Array | undefined;
}

function readTable(reader: Reader, schema: string, name: string): TableDescriptor | undefined {
  const entry = reader.get(nameKey(userDatabase, schema, name));
  if (entry === undefined) return undefined;
  const object = decodeName(entry);
  const row = reader.get(descriptorKey(object));
  if (row === undefined) {
    raise('data_corrupted', `the catalogue names table ${name} but does not describe it`);
  }
  return decodeDescriptor(row);
}

/**
 * The tables as of the newest commit, shared by the sessions of a place. It forgets all names when
 * the catalogue changes; a table that did not change keeps its descriptor object, and with it plans.
 */
export class CatalogueCache {
  #version = -1;
  readonly #tables = new Map<string, TableDescriptor | undefined>();
  readonly #objects = new Map<ObjectId, TableDescriptor>();

  /** `reader` shows the newest commit, which `version` counts. */
  find(reader: Reader, version: number, schema: string, name: string): TableDescriptor | undefined {
    if (version !== this.#version) {
      this.#tables.clear();
      this.#version = version;
    }
    const key = `${schema}.${name}`;
    if (this.#tables.has(key)) return this.#tables.get(key);
    // Names come from clients: the table must not grow with their inventions.
    if (this.#tables.size >= tablesMax) this.#tables.clear();
    const table = this.#shared(readTable(reader, schema, name));
    this.#tables.set(key, table);
    return table;
  }

  #shared(table: TableDescriptor | undefined): TableDescriptor | undefined {
    if (table === undefined) return undefined;
    const known = this.#objects.get(table.object);
    if (known !== undefined && known.version === table.version) return known;
    if (this.#objects.size >= tablesMax) this.#objects.clear();
    this.#objects.set(table.object, table);
    return table;
  }
}

/** Names that a place keeps at most. */
const tablesMax = 10_000;

/** The catalogue within one transaction: its snapshot with its own changes. */
export class TransactionCatalogue {
  readonly #access: Pick<ShardAccess, 'catalogueVersion'>;
  readonly #buffer: TransactionBuffer;
  readonly #cache: CatalogueCache;
  readonly #numbers: NumberSource;
  readonly #version: number;
  #changed = false;

  /** Made at once with the transaction's snapshot. */
  constructor(
    access: Pick<ShardAccess, 'catalogueVersion'>,
    buffer: TransactionBuffer,
    cache: CatalogueCache,
    numbers: NumberSource,
  ) {
    this.#numbers = numbers;
    this.#access = access;
    this.#buffer = buffer;
    this.#cache = cache;
    this.#version = access.catalogueVersion;
  }

  /** Whether it sees what the newest commit has: then plans are shared with other sessions. */
  get isCurrent(): boolean {
    return !this.#changed && this.#version === this.#access.catalogueVersion;
  }

  find(schema: string, name: string): TableDescriptor | undefined {
    if (!this.isCurrent) return readTable(this.#buffer, schema, name);
    return this.#cache.find(this.#buffer, this.#version, schema, name);
  }

  /** Adds a table. False when its name is taken. A statement of the buffer is open. */
  create(table: NewTable): boolean {
    if (this.find(table.schema, table.name) !== undefined) return false;
    const ids = new Ids(this.#numbers, this.#buffer, table);
    const descriptor = describe(table, ids);
    const key = nameKey(userDatabase, table.schema, table.name);
    this.#buffer.put(key, encodeName(descriptor.object));
    this.#buffer.put(descriptorKey(descriptor.object), encodeDescriptor(descriptor));
    this.#changed = true;
    return true;
  }

  /** Removes a table and what it stored. A statement of the buffer is open. */
  drop(table: TableDescriptor): void {
    const buffer = this.#buffer;
    buffer.delete(nameKey(table.database, table.schema, table.name));
    buffer.delete(descriptorKey(table.object));
    buffer.touch(table.object, table.version);
    buffer.fence(table.object, table.version + 1);
    buffer.discard(table.database, table.storage);
    for (const sequence of sequencesOf(table)) buffer.discard(table.database, sequence.storage);
    this.#changed = true;
  }
}

function sequencesOf(table: TableDescriptor): SequenceDescriptor[] {
  const sequences = table.rowNumbers === undefined ? [] : [table.rowNumbers];
  for (const { default: given } of table.columns) {
    if (given?.kind === 'sequence') sequences.push(given.sequence);
  }
  return sequences;
}

/** Ids for the objects and storages of a new table, taken in one go. */
class Ids {
  #next: bigint;

  constructor(numbers: NumberSource, buffer: TransactionBuffer, table: NewTable) {
    // An object and a storage for the table and for each sequence, row numbers among them.
    const sequences = table.defaults.filter((one) => one?.kind === 'sequence').length;
    const count = 2 * (2 + sequences);
    const last = numbers.take(lastIdKey, firstId, 1n, count);
    buffer.advance(lastIdKey, last);
    this.#next = last - BigInt(count) + 1n;
  }

  object(): ObjectId {
    return this.#take() as ObjectId;
  }

  storage(): StorageId {
    return this.#take() as StorageId;
  }

  #take(): number {
    const id = this.#next;
    if (id > 0xffff_ffffn) {
      raise('program_limit_exceeded', 'all ids of objects and storages have been given');
    }
    this.#next += 1n;
    return Number(id);
  }
}

function describe(table: NewTable, ids: Ids): TableDescriptor {
  const object = ids.object();
  const storage = ids.storage();
  const columns = table.columns.map((column, i) => ({
    ...column,
    default: describeDefault(table, column.name, table.defaults[i], ids),
  }));
  const rowNumbers: SequenceDescriptor = {
    object: ids.object(),
    storage: ids.storage(),
    name: `${table.name}_row_numbers`,
    start: 1n,
    increment: 1n,
    maximum: 9_223_372_036_854_775_807n,
  };
  return {
    object,
    version: 1,
    database: userDatabase,
    storage,
    schema: table.schema,
    name: table.name,
    columns,
    primaryKey: table.primaryKey,
    primaryKeyName: table.primaryKeyName,
    rowNumbers: table.primaryKey.length === 0 ? rowNumbers : undefined,
  };
}

function describeDefault(
  table: NewTable,
  column: string,
  given: NewTable['defaults'][number],
  ids: Ids,
): ColumnDefault | undefined {
  if (given?.kind !== 'sequence') return given;
  const { start, increment, maximum } = given.sequence;
  const sequence = {
    object: ids.object(),
    storage: ids.storage(),
    name: `${table.name}_${column}_seq`,
    start,
    increment,
    maximum,
  };
  return { kind: 'sequence', sequence };
}
