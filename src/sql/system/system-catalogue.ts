/** The catalogue as system relations and functions see it: by OIDs, within the session's transaction. */
import { must } from '../../base/assert.js';
import type { ObjectId } from '../../base/ids.js';
import {
  type CatalogueLookup,
  type Descriptor,
  type IndexDescriptor,
  type IndexName,
  objectOfOid,
  oidOf,
  type SequenceDescriptor,
  type TableDescriptor,
  temporaryDatabase,
  type TransactionCatalogue,
  userDatabase,
} from '../catalogue/index.js';
import { type FunctionContext, type SystemAccess, typeNamed, type Value } from '../types/index.js';
import { systemFunction } from './functions/index.js';
import { oids } from './oids.js';

/** What system relations need of their session. */
export interface SystemHome {
  readonly functions: FunctionContext;
  /** The catalogue of the open transaction. */
  catalogue(): TransactionCatalogue;
  /** The same by names. */
  lookup(): CatalogueLookup;
  settings(): readonly SystemSetting[];
}

/** A row of pg_settings, under its names. */
export interface SystemSetting {
  readonly name: string;
  readonly setting: string;
  readonly unit: string | null;
  readonly category: string;
  readonly short_desc: string;
  readonly context: string;
  readonly vartype: string;
  readonly source: string;
  readonly min_val: string | null;
  readonly max_val: string | null;
  readonly enumvals: readonly string[] | null;
  readonly boot_val: string;
  readonly reset_val: string;
}

/** An index of a table; that of a primary key in the order of the rows has no descriptor of its own. */
export interface TableIndex {
  readonly name: IndexName;
  readonly table: TableDescriptor;
  readonly index: IndexDescriptor | undefined;
}

/** What was found out of a list of all objects. */
interface Found {
  readonly sequencesOf: ReadonlyMap<number, readonly SequenceDescriptor[]>;
}

const foundIn = new WeakMap<readonly Descriptor[], Found>();

export class SystemCatalogue implements SystemAccess {
  readonly home: SystemHome;

  constructor(home: SystemHome) {
    this.home = home;
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

  /** The OID of the schema of an object. */
  schemaOid({ schema, database }: Pick<Descriptor, 'schema' | 'database'>): number {
    if (database === temporaryDatabase) return oids.temporarySchema;
    const found = this.catalogue.schema(userDatabase, schema);
    return found === undefined ? 0 : oidOf(found.object);
  }

  /** The indexes of a table, that of its primary key first. */
  indexesOf(table: TableDescriptor): readonly TableIndex[] {
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
    return this.#found().sequencesOf.get(table.object) ?? [];
  }

  #found(): Found {
    const all = this.all();
    const known = foundIn.get(all);
    if (known !== undefined) return known;
    const sequencesOf = new Map<number, SequenceDescriptor[]>();
    for (const object of all) {
      if (object.kind !== 'sequence' || object.ownedBy === undefined) continue;
      const { table } = object.ownedBy;
      const list = sequencesOf.get(table) ?? [];
      sequencesOf.set(table, list);
      list.push(object);
    }
    const found = { sequencesOf };
    foundIn.set(all, found);
    return found;
  }
}

/** The OID of a type by the name that expressions have it by. */
export function typeOid(name: string): number {
  return typeNamed(name).oid;
}
