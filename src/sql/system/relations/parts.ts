/** pg_index, pg_attrdef, pg_sequence, pg_enum, pg_inherits, pg_partitioned_table: parts of objects. */
import { quotedText } from '../../functions/index.js';
import {
  type ColumnDescriptor,
  type IndexKey,
  oidOf,
  type SequenceDescriptor,
  type TableDescriptor,
  type TypeDescriptor,
} from '../../catalogue/index.js';
import { type Value, vectorOf } from '../../types/index.js';
import { collationOid } from '../collations.js';
import { always, numberOf, systemRelation } from '../define.js';
import { catalogSchema, factsOfType, oidOfTypeName } from '../facts.js';
import { defaultClassOf } from '../operator-facts.js';
import type { SystemCatalogue, TableIndex } from '../system-catalogue.js';
import { baseTypeName, type TypeName } from '../../types/index.js';
import { treeOf } from '../trees.js';
import { constraintOid, timingOf } from './constraint.js';

function listIndexes(view: SystemCatalogue): readonly TableIndex[] {
  return [...view.allOf('table')].flatMap((table) => view.indexesOf(table));
}

function indexes(view: SystemCatalogue): readonly TableIndex[] {
  return view.once(listIndexes);
}

/** The key columns of an index, with that of a primary key in the order of the rows. */
export function keysOf({ table, index }: TableIndex): readonly IndexKey[] {
  if (index !== undefined) return index.keys;
  return table.primaryKey.flatMap((position) => {
    const column = table.columns.find((one) => one.position === position);
    return column === undefined ? [] : [keyOf(column)];
  });
}

function keyOf({ position, type, typeModifier, collation }: ColumnDescriptor): IndexKey {
  return {
    ...{ column: position, expression: undefined, type, typeModifier, collation },
    descending: false,
    nullsFirst: false,
  };
}

/** Key columns, then included ones. */
function columnCount(item: TableIndex): number {
  return keysOf(item).length + (item.index?.include.length ?? 0);
}

function collationOfKey({ type, collation }: Pick<IndexKey, 'type' | 'collation'>): number {
  if (collation !== undefined) return collationOid(collation);
  return factsOfType(oidOfTypeName(baseTypeName(type as TypeName)))?.collation ?? 0;
}

function optionOf({ descending, nullsFirst }: IndexKey): number {
  return (descending ? 1 : 0) + (nullsFirst ? 2 : 0);
}

function isPrimary({ index }: TableIndex): boolean {
  return index === undefined || index.primary;
}

/** Expressions of an index: as many as it has keys that are no columns. */
function expressionsOf(item: TableIndex): Value {
  const found = keysOf(item).flatMap(({ expression }) => expression ?? []);
  return found.length === 0 ? null : found.join(', ');
}

export const indexRelation = systemRelation<TableIndex>(catalogSchema, 'pg_index', {
  items: indexes,
  guess: 1000,
  find: {
    indexrelid: (view, value) => {
      const name = view.object(numberOf(value));
      const found = name?.kind === 'index' ? view.indexOf(name) : undefined;
      return found === undefined ? [] : [found];
    },
    indrelid: (view, value) => {
      const table = view.table(numberOf(value));
      return table === undefined ? [] : view.indexesOf(table);
    },
  },
  values: {
    indexrelid: ({ name }) => oidOf(name.object),
    indrelid: ({ table }) => oidOf(table.object),
    indnatts: columnCount,
    indnkeyatts: (item) => keysOf(item).length,
    indisunique: ({ index }) => index === undefined || index.unique,
    indnullsnotdistinct: ({ index }) => index?.nullsNotDistinct === true,
    indisprimary: isPrimary,
    indisexclusion: always(false),
    indimmediate: (of) => timingOf({ kind: 'key', oid: 0, of }) === 'immediate',
    indisclustered: always(false),
    indisvalid: always(true),
    indcheckxmin: always(false),
    indisready: always(true),
    indislive: always(true),
    indisreplident: always(false),
    indkey: (item) =>
      vectorOf([...keysOf(item).map(({ column }) => column ?? 0), ...(item.index?.include ?? [])]),
    indcollation: (item) => vectorOf(keysOf(item).map(collationOfKey)),
    indclass: (item) => vectorOf(keysOf(item).map(({ type }) => defaultClassOf(type))),
    indoption: (item) => vectorOf(keysOf(item).map(optionOf)),
    indexprs: expressionsOf,
    indpred: ({ index }) => index?.predicate ?? null,
  },
});

export interface DefaultItem {
  readonly table: TableDescriptor;
  readonly column: ColumnDescriptor;
}

/** DEFAULT NULL is none. */
export function hasDefault({ default: value, identity, generated }: ColumnDescriptor): boolean {
  if (generated !== undefined) return true;
  if (value === undefined || identity !== undefined) return false;
  return value.kind === 'sequence' || !/^\s*null\s*(::.*)?$/i.test(value.sql);
}

export function defaultsOf(table: TableDescriptor): readonly DefaultItem[] {
  return table.columns.filter(hasDefault).map((column) => ({ table, column }));
}

export function oidOfDefault({ table, column }: DefaultItem): number {
  return constraintOid(table.object, column.position);
}

/** What a column takes by itself, in SQL. */
export function defaultText(view: SystemCatalogue, { column }: DefaultItem): string {
  if (column.generated !== undefined) return column.generated;
  const { default: value } = column;
  if (value?.kind === 'expression') return value.sql;
  if (value === undefined) return '';
  return `nextval(${quotedText(view.relationName(value.sequence))}::regclass)`;
}

function* allDefaults(view: SystemCatalogue): Iterable<DefaultItem> {
  for (const table of view.allOf('table')) yield* defaultsOf(table);
}

export const defaultRelation = systemRelation<DefaultItem>(catalogSchema, 'pg_attrdef', {
  items: allDefaults,
  guess: 1000,
  find: {
    adrelid: (view, value) => {
      const table = view.table(numberOf(value));
      return table === undefined ? [] : defaultsOf(table);
    },
  },
  values: {
    oid: oidOfDefault,
    adrelid: ({ table }) => oidOf(table.object),
    adnum: ({ column }) => column.position,
    adbin: (item, view) => treeOf(defaultText(view, item), item.column.position),
  },
});

export const sequenceRelation = systemRelation<SequenceDescriptor>(catalogSchema, 'pg_sequence', {
  items: (view) => view.allOf('sequence'),
  guess: 100,
  find: {
    seqrelid: (view, value) => {
      const found = view.object(numberOf(value));
      return found?.kind === 'sequence' ? [found] : [];
    },
  },
  values: {
    seqrelid: ({ object }) => oidOf(object),
    seqtypid: ({ type }) => oidOfTypeName(type),
    seqstart: ({ start }) => start,
    seqincrement: ({ increment }) => increment,
    seqmax: ({ maximum }) => maximum,
    seqmin: ({ minimum }) => minimum,
    seqcache: ({ cache }) => cache,
    seqcycle: ({ cycle }) => cycle,
  },
});

interface Label {
  readonly type: TypeDescriptor;
  readonly place: number;
  readonly order: number;
  readonly label: string;
}

function labelsOf(type: TypeDescriptor): readonly Label[] {
  const { definition } = type;
  if (definition.form !== 'enum') return [];
  return definition.labels.map(({ id, order, label }) => ({ type, place: id, order, label }));
}

function* labels(view: SystemCatalogue): Iterable<Label> {
  for (const type of view.allOf('type')) yield* labelsOf(type);
}

export const enumRelation = systemRelation<Label>(catalogSchema, 'pg_enum', {
  items: labels,
  guess: 100,
  find: {
    enumtypid: (view, value) => {
      const type = view.object(numberOf(value));
      return type?.kind === 'type' ? labelsOf(type) : [];
    },
  },
  values: {
    oid: ({ type, place }) => constraintOid(type.object, place),
    enumtypid: ({ type }) => oidOf(type.object),
    enumsortorder: ({ order }) => order,
    enumlabel: ({ label }) => label,
  },
});

interface Heir {
  readonly child: number;
  readonly parent: number;
}

function* heirs(view: SystemCatalogue): Iterable<Heir> {
  for (const table of view.allOf('table')) yield* heirsOf(view, table);
}

/** A table and its indexes under those that they are partitions of. */
function* heirsOf(view: SystemCatalogue, table: TableDescriptor): Iterable<Heir> {
  if (table.partitionOf === undefined) return;
  const parent = view.catalogue.objectIfThere(table.partitionOf.parent);
  if (parent?.kind !== 'table') return;
  yield { child: oidOf(table.object), parent: oidOf(parent.object) };
  for (const item of view.indexesOf(table)) {
    const above = parentIndex(view, parent, item);
    if (above !== 0) yield { child: oidOf(item.name.object), parent: above };
  }
}

function parentIndex(
  view: SystemCatalogue,
  parent: TableDescriptor,
  { index }: TableIndex,
): number {
  if (index?.partOf !== undefined) return oidOf(index.partOf);
  if (index !== undefined) return 0;
  const key = view.indexesOf(parent).find(isPrimary);
  return key === undefined ? 0 : oidOf(key.name.object);
}

export const inheritsRelation = systemRelation<Heir>(catalogSchema, 'pg_inherits', {
  items: heirs,
  guess: 100,
  find: {
    inhrelid: (view, value) => {
      const object = view.object(numberOf(value));
      const table = object?.kind === 'index' ? view.indexOf(object)?.table : object;
      return table?.kind === 'table' ? heirsOf(view, table) : [];
    },
    inhparent: (view, value) => {
      const object = view.object(numberOf(value));
      const table = object?.kind === 'index' ? view.indexOf(object)?.table : object;
      if (table?.kind !== 'table') return [];
      return (table.partitioning?.partitions ?? []).flatMap((partition) => {
        const child = view.catalogue.objectIfThere(partition);
        return child?.kind === 'table' ? [...heirsOf(view, child)] : [];
      });
    },
  },
  values: {
    inhrelid: ({ child }) => child,
    inhparent: ({ parent }) => parent,
    inhseqno: always(1),
    inhdetachpending: always(false),
  },
});

const strategies = { list: 'l', range: 'r', hash: 'h' } as const;

function partitioned(table: TableDescriptor) {
  return table.partitioning === undefined ? [] : [{ table, by: table.partitioning }];
}

function* allPartitioned(view: SystemCatalogue) {
  for (const table of view.allOf('table')) yield* partitioned(table);
}

export const partitionedRelation = systemRelation(catalogSchema, 'pg_partitioned_table', {
  items: allPartitioned,
  guess: 20,
  find: {
    partrelid: (view, value) => {
      const table = view.table(numberOf(value));
      return table === undefined ? [] : partitioned(table);
    },
  },
  values: {
    partrelid: ({ table }) => oidOf(table.object),
    partstrat: ({ by }) => strategies[by.strategy],
    partnatts: ({ by }) => by.keys.length,
    partdefid: ({ by }, view) => {
      const found = by.partitions.find((partition) => {
        const child = view.catalogue.objectIfThere(partition);
        return child?.kind === 'table' && child.partitionOf?.bound.kind === 'default';
      });
      return found === undefined ? 0 : oidOf(found);
    },
    partattrs: ({ by }) => vectorOf(by.keys.map(({ column }) => column ?? 0)),
    partclass: ({ by }) => vectorOf(by.keys.map(({ type }) => defaultClassOf(type))),
    partcollation: ({ by }) => vectorOf(by.keys.map(collationOfKey)),
    partexprs: ({ by }) => {
      const found = by.keys.flatMap(({ expression }) => expression ?? []);
      return found.length === 0 ? null : found.join(', ');
    },
  },
});
