/** The catalogue as system relations and functions see it: by OIDs, within the session's transaction. */
import type { SettingRow } from '../settings/index.js';
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import {
  type CatalogueLookup,
  type Descriptor,
  type IndexDescriptor,
  type IndexName,
  objectOfOid,
  oidOf,
  type RelationDescriptor,
  type SequenceDescriptor,
  type TableDescriptor,
  temporaryDatabase,
  type TransactionCatalogue,
  userDatabase,
  type ViewDescriptor,
} from '../catalogue/index.js';
import {
  type FunctionContext,
  type NamedOid,
  type RegisteredTypeName,
  type Row,
  type SystemAccess,
  typeNamed,
  type Value,
} from '../types/index.js';
import type { AdvisoryRow } from '../../txn/index.js';
import type { ApiToken, AuditEntry } from '../accounts/index.js';
import type { Deparse } from './deparse.js';
import { systemFunction, systemSet } from './functions/index.js';
import { namedOid, relationName } from './functions/naming.js';
import { registeredOid } from './functions/registered.js';
import { oids } from './oids.js';

/** What system relations need of their session. */
export interface SystemHome {
  readonly functions: FunctionContext;
  /** The catalogue of the open transaction. */
  catalogue(): TransactionCatalogue;
  /** The same by names. */
  lookup(): CatalogueLookup;
  settings(): readonly SettingRow[];
  prepared(): readonly OwnStatement[];
  cursors(): readonly OwnCursor[];
  /** Advisory locks of the cluster, as far as this node knows. */
  locks(): Iterable<AdvisoryRow>;
  /** The rows of the audit table, the oldest first. */
  audit(): readonly AuditEntry[];
  /** All API tokens. */
  apiTokens(): readonly ApiToken[];
  readonly deparse: Deparse;
  /** When the node began to serve: a timestamptz; undefined where nobody knows. */
  readonly startedAt?: () => Value;
}

/** A prepared statement of the session. */
export interface OwnStatement {
  readonly name: string;
  readonly statement: string;
  /** Milliseconds since 1970. */
  readonly preparedMs: number;
  /** Names of types. */
  readonly parameters: readonly string[];
  readonly fromSql: boolean;
}

/** A cursor of the session. */
export interface OwnCursor {
  readonly name: string;
  readonly statement: string;
  readonly hold: boolean;
  readonly scrolls: boolean;
  readonly declaredMs: number;
}

/** An index of a table; that of a primary key in the order of the rows has no descriptor of its own. */
export interface TableIndex {
  readonly name: IndexName;
  readonly table: TableDescriptor;
  readonly index: IndexDescriptor | undefined;
}

/** What was made of a list of all objects, by who made it. */
const madeOf = new WeakMap<readonly Descriptor[], Map<unknown, unknown>>();

/** Indexes of tables: a table that is another one is another descriptor. */
const indexesOf = new WeakMap<TableDescriptor, readonly TableIndex[]>();

export class SystemCatalogue implements SystemAccess {
  readonly home: SystemHome;

  constructor(home: SystemHome) {
    this.home = home;
  }

  rows(name: string, values: readonly Value[]): Iterable<Value | Row> {
    return must(systemSet(name), `a system function ${name}`)(this, ...values);
  }

  registered(type: Exclude<RegisteredTypeName, 'regclass' | 'regtype'>, text: string): NamedOid {
    return registeredOid(this, type, text);
  }

  named(type: RegisteredTypeName, oid: number): NamedOid {
    return namedOid(this, type, oid);
  }

  call(name: string, values: readonly Value[]): Value {
    return must(systemFunction(name), `a system function ${name}`)(this, ...values);
  }

  get catalogue(): TransactionCatalogue {
    return this.home.catalogue();
  }

  get lookup(): CatalogueLookup {
    return this.home.lookup();
  }

  /** All objects that users made. */
  all(): readonly Descriptor[] {
    return this.catalogue.all();
  }

  *allOf<K extends Descriptor['kind']>(kind: K): Iterable<Extract<Descriptor, { kind: K }>> {
    for (const object of this.all()) {
      if (object.kind === kind) yield object as Extract<Descriptor, { kind: K }>;
    }
  }

  /** The object of an OID that a client gives. */
  object(oid: number): Descriptor | undefined {
    const object = objectOfOid(oid);
    return object < 1 ? undefined : this.catalogue.objectIfThere(object);
  }

  roleName(role: ObjectId): string {
    const found = this.catalogue.objectIfThere(role);
    return found?.name ?? String(oidOf(role));
  }

  table(oid: number): TableDescriptor | undefined {
    const found = this.object(oid);
    return found?.kind === 'table' ? found : undefined;
  }

  /** As regclass prints it. */
  relationName(relation: Pick<RelationDescriptor, 'schema' | 'name' | 'object'>): string {
    return relationName(this, relation);
  }

  isTemporary({ database }: Descriptor): boolean {
    return database === temporaryDatabase;
  }

  raiseColumn(column: string, relation: string): never {
    const text = `column "${column}" of relation "${relation}" does not exist`;
    return raise('undefined_column', text);
  }

  /** The OID of the schema of an object. */
  schemaOid({ schema, database }: Pick<Descriptor, 'schema' | 'database'>): number {
    if (database === temporaryDatabase) return oids.temporarySchema;
    const found = this.catalogue.schema(userDatabase, schema);
    return found === undefined ? 0 : oidOf(found.object);
  }

  /** The indexes of a table, that of its primary key first. */
  indexesOf(table: TableDescriptor): readonly TableIndex[] {
    const known = indexesOf.get(table);
    if (known !== undefined) return known;
    const { database, schema, primaryKeyName, indexes } = table;
    const found: TableIndex[] = [];
    if (primaryKeyName !== undefined) {
      const name = this.catalogue.relation(database, schema, primaryKeyName);
      if (name?.kind === 'index') found.push({ name, table, index: undefined });
    }
    for (const index of indexes) {
      const name = this.catalogue.object(index.object);
      if (name.kind === 'index') found.push({ name, table, index });
    }
    indexesOf.set(table, found);
    return found;
  }

  /** The index that a name of one is of. */
  indexOf(name: IndexName): TableIndex | undefined {
    const table = this.catalogue.object(name.table);
    if (table.kind !== 'table') return undefined;
    return { name, table, index: table.indexes.find(({ object }) => object === name.object) };
  }

  /** The sequences that go with columns of a table. */
  sequencesOf(table: TableDescriptor): readonly SequenceDescriptor[] {
    return this.once(ownedSequences).get(table.object) ?? [];
  }

  /** The views that read a table. */
  viewsOf(table: TableDescriptor): readonly ViewDescriptor[] {
    return this.once(viewsByTable).get(table.object) ?? [];
  }

  /** What `make` gives, once as long as the catalogue stays as it is. */
  once<T>(make: (view: SystemCatalogue) => T): T {
    const all = this.all();
    const made = madeOf.get(all) ?? new Map<unknown, unknown>();
    madeOf.set(all, made);
    if (!made.has(make)) made.set(make, make(this));
    return made.get(make) as T;
  }
}

function ownedSequences(view: SystemCatalogue): ReadonlyMap<number, readonly SequenceDescriptor[]> {
  const found = new Map<number, SequenceDescriptor[]>();
  for (const sequence of view.allOf('sequence')) {
    if (sequence.ownedBy !== undefined) addTo(found, sequence.ownedBy.table, sequence);
  }
  return found;
}

function viewsByTable(view: SystemCatalogue): ReadonlyMap<number, readonly ViewDescriptor[]> {
  const found = new Map<number, ViewDescriptor[]>();
  for (const one of view.allOf('view')) {
    for (const object of new Set(one.references.map((of) => of.object))) addTo(found, object, one);
  }
  return found;
}

function addTo<T>(lists: Map<number, T[]>, key: number, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

/** The OID of a type by the name that expressions have it by. */
export function typeOid(name: string): number {
  return typeNamed(name).oid;
}
