/** pg_class: tables, indexes, sequences, views, composite types and the system relations themselves. */
import {
  type Descriptor,
  oidOf,
  type RelationDescriptor,
  type TypeDescriptor,
  temporaryDatabase,
} from '../../catalogue/index.js';
import { ArrayValue, type Value } from '../../types/index.js';
import { aclOf } from '../acl.js';
import { always, numberOf, systemRelation } from '../define.js';
import { catalogSchema, type RelationFacts, relationFacts } from '../facts.js';
import { oids } from '../oids.js';
import { partitionBoundText } from '../partition-text.js';
import type { SystemCatalogue, TableIndex } from '../system-catalogue.js';

/** What a row of pg_class is about. */
export type ClassItem =
  | { readonly kind: 'relation'; readonly of: Exclude<RelationDescriptor, { kind: 'index' }> }
  | { readonly kind: 'index'; readonly of: TableIndex }
  | { readonly kind: 'type'; readonly of: TypeDescriptor }
  | { readonly kind: 'system'; readonly of: RelationFacts };

const systemItems: readonly ClassItem[] = relationFacts.map((of) => ({ kind: 'system', of }));
const systemByOid = new Map(relationFacts.map((of) => [of.oid, of]));

/** What an object is in pg_class. */
function itemsOf(view: SystemCatalogue, object: Descriptor | undefined): readonly ClassItem[] {
  switch (object?.kind) {
    case 'table':
    case 'view':
    case 'sequence':
      return [{ kind: 'relation', of: object }];
    case 'index': {
      const of = view.indexOf(object);
      return of === undefined ? [] : [{ kind: 'index', of }];
    }
    case 'type':
      return object.definition.form === 'composite' ? [{ kind: 'type', of: object }] : [];
    default:
      return [];
  }
}

function listItems(view: SystemCatalogue): readonly ClassItem[] {
  return [...systemItems, ...view.all().flatMap((object) => itemsOf(view, object))];
}

export function classItems(view: SystemCatalogue): readonly ClassItem[] {
  return view.once(listItems);
}

function nameItems(view: SystemCatalogue): ReadonlyMap<string, readonly ClassItem[]> {
  const named = new Map<string, ClassItem[]>();
  for (const item of classItems(view)) {
    const list = named.get(nameOf(item));
    if (list === undefined) named.set(nameOf(item), [item]);
    else list.push(item);
  }
  return named;
}

export function classByOid(view: SystemCatalogue, oid: number): readonly ClassItem[] {
  const system = systemByOid.get(oid);
  return system === undefined ? itemsOf(view, view.object(oid)) : [{ kind: 'system', of: system }];
}

export function oidOfClass({ kind, of }: ClassItem): number {
  if (kind === 'system') return of.oid;
  return oidOf(kind === 'index' ? of.name.object : of.object);
}

function nameOf({ kind, of }: ClassItem): string {
  return kind === 'index' ? of.name.name : of.name;
}

export function relationKind(item: ClassItem): string {
  switch (item.kind) {
    case 'index':
      return item.of.table.partitioning === undefined ? 'i' : 'I';
    case 'type':
      return 'c';
    case 'system':
      return item.of.kind === 'view' ? 'v' : 'r';
    case 'relation':
      break;
  }
  const { of } = item;
  if (of.kind === 'sequence') return 'S';
  if (of.kind === 'view') return 'v';
  return of.partitioning === undefined ? 'r' : 'p';
}

function schemaOidOfClass(item: ClassItem, view: SystemCatalogue): number {
  if (item.kind === 'system') {
    return item.of.schema === catalogSchema ? oids.catalogSchema : oids.informationSchema;
  }
  return view.schemaOid(item.kind === 'index' ? item.of.table : item.of);
}

function ownerOf(item: ClassItem): number {
  if (item.kind === 'system') return oids.bootstrapRole;
  return oidOf(item.kind === 'index' ? item.of.table.owner : item.of.owner);
}

function tableOf(item: ClassItem) {
  return item.kind === 'relation' && item.of.kind === 'table' ? item.of : undefined;
}

function isTemporary(item: ClassItem): boolean {
  if (item.kind === 'system') return false;
  const { database } = item.kind === 'index' ? item.of.name : item.of;
  return database === temporaryDatabase;
}

function rowTypeOf(item: ClassItem): number {
  const kind = relationKind(item);
  return item.kind === 'system' || 'iIS'.includes(kind) ? 0 : oidOfClass(item);
}

function methodOf(item: ClassItem): number {
  const kind = relationKind(item);
  if (kind === 'i' || kind === 'I') return oids.btree;
  return kind === 'r' ? oids.heap : 0;
}

/** Partitioned tables and views have no rows of their own. */
function fileOf(item: ClassItem): number {
  return 'riS'.includes(relationKind(item)) ? oidOfClass(item) : 0;
}

export function columnCount(item: ClassItem): number {
  switch (item.kind) {
    case 'system':
      return item.of.columns.length;
    case 'type':
      return item.of.definition.form === 'composite' ? item.of.definition.attributes.length : 0;
    case 'index': {
      const { index, table } = item.of;
      return index === undefined
        ? table.primaryKey.length
        : index.keys.length + index.include.length;
    }
    case 'relation':
      break;
  }
  const { of } = item;
  if (of.kind === 'sequence') return 3;
  return of.kind === 'table' ? of.lastPosition : of.columns.length;
}

/** Foreign keys are kept by triggers in PostgreSQL, and psql asks for them only where there are some. */
function hasTriggers(item: ClassItem): boolean {
  const table = tableOf(item);
  return table !== undefined && table.foreignKeys.length + table.referencedBy.length > 0;
}

function hasIndex(item: ClassItem): boolean {
  const table = tableOf(item);
  return table !== undefined && (table.primaryKeyName !== undefined || table.indexes.length > 0);
}

function replicaIdentity(item: ClassItem): string {
  const kind = relationKind(item);
  return item.kind !== 'system' && (kind === 'r' || kind === 'p') ? 'd' : 'n';
}

function isPartition(item: ClassItem): boolean {
  if (item.kind === 'index') return item.of.table.partitionOf !== undefined;
  return tableOf(item)?.partitionOf !== undefined;
}

function boundOf(item: ClassItem): Value {
  const bound = tableOf(item)?.partitionOf?.bound;
  return bound === undefined ? null : partitionBoundText(bound);
}

function optionsOf(item: ClassItem): Value {
  const view = item.kind === 'relation' && item.of.kind === 'view' ? item.of : undefined;
  return view === undefined ? null : viewOptions(view);
}

function viewOptions({ securityInvoker }: { readonly securityInvoker: boolean }): Value {
  return securityInvoker ? ArrayValue.of(['security_invoker=true']) : null;
}

export const classRelation = systemRelation<ClassItem>(catalogSchema, 'pg_class', {
  items: classItems,
  guess: 2000,
  find: {
    oid: (view, value) => classByOid(view, numberOf(value)),
    relname: (view, value) => view.once(nameItems).get(value as string) ?? [],
  },
  values: {
    oid: oidOfClass,
    relname: nameOf,
    relnamespace: schemaOidOfClass,
    reltype: rowTypeOf,
    reloftype: always(0),
    relowner: ownerOf,
    relam: methodOf,
    relfilenode: fileOf,
    reltablespace: always(0),
    relpages: always(0),
    reltuples: always(-1),
    relallvisible: always(0),
    reltoastrelid: always(0),
    relhasindex: hasIndex,
    relisshared: always(false),
    relpersistence: (item) => (isTemporary(item) ? 't' : 'p'),
    relkind: relationKind,
    relnatts: columnCount,
    relchecks: (item) => tableOf(item)?.checks.length ?? 0,
    relhasrules: (item) => relationKind(item) === 'v',
    relhastriggers: hasTriggers,
    relhassubclass: (item) => (tableOf(item)?.partitioning?.partitions.length ?? 0) > 0,
    relrowsecurity: always(false),
    relforcerowsecurity: always(false),
    relispopulated: always(true),
    relreplident: replicaIdentity,
    relispartition: isPartition,
    relrewrite: always(0),
    relfrozenxid: always(0),
    relminmxid: always(0),
    relacl: (item, view) => (item.kind === 'relation' ? aclOf(view, item.of) : null),
    reloptions: optionsOf,
    relpartbound: boundOf,
  },
});
