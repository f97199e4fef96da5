/** What is said of objects, sizes, encodings and the server. */
import { raise } from '../../../base/errors.js';
import { oidOf } from '../../catalogue/index.js';
import {
  type ArrayValue,
  type NamedOid,
  type Row,
  typeNamed,
  type Value,
} from '../../types/index.js';
import { catalogKeywords } from '../facts/keywords.js';
import { relationFacts } from '../facts.js';
import { catalogs, oids } from '../oids.js';
import { classByOid, relationKind } from '../relations/class.js';
import { commentsAt, type Comment, sharedComments } from '../relations/comments.js';
import type { SystemCatalogue } from '../system-catalogue.js';
import type { SystemFunction, SystemSet } from './index.js';
import { namedOid } from './naming.js';

function catalogOf(name: Value): number | undefined {
  return relationFacts.find((one) => one.schema === 'pg_catalog' && one.name === name)?.oid;
}

function textOf(
  comments: Iterable<Comment>,
  object: number,
  catalog: number | undefined,
  column: number,
): Value {
  for (const one of comments) {
    const fits = one.object === object && one.column === column;
    if (fits && (catalog === undefined || one.catalog === catalog)) return one.text;
  }
  return null;
}

/** Names of encodings by their numbers (pg_enc). */
const encodings: ReadonlyMap<number, string> = new Map([
  [0, 'SQL_ASCII'],
  [6, 'UTF8'],
  [8, 'LATIN1'],
]);

function encodingNumber(name: string): number {
  const plain = name.replace(/[^A-Za-z0-9]/g, '').toUpperCase();
  for (const [number, one] of encodings) {
    if (one.replace('_', '') === plain) return number;
  }
  return plain === 'UNICODE' ? 6 : -1;
}

function updatable(view: SystemCatalogue, relation: Value): Value {
  const [item] = classByOid(view, (relation as NamedOid).oid);
  if (item === undefined) return 0;
  const kind = relationKind(item);
  // Bits of INSERT, UPDATE and DELETE.
  return item.kind !== 'system' && (kind === 'r' || kind === 'p') ? 28 : 0;
}

function filenode(view: SystemCatalogue, relation: Value): Value {
  const { oid } = relation as NamedOid;
  const [item] = classByOid(view, oid);
  return item !== undefined && 'riS'.includes(relationKind(item)) ? oid : null;
}

function replicaIndex(view: SystemCatalogue, relation: Value): Value {
  const table = view.table((relation as NamedOid).oid);
  const found =
    table && view.indexesOf(table).find(({ index }) => index === undefined || index.primary);
  return found === undefined ? null : namedOid(view, 'regclass', oidOf(found.name.object));
}

function indexColumnHas(view: SystemCatalogue, relation: Value, column: Value, what: Value): Value {
  const object = view.object((relation as NamedOid).oid);
  const item = object?.kind === 'index' ? view.indexOf(object) : undefined;
  if (item === undefined) return null;
  const keys = item.index?.keys;
  const key = keys?.[(column as number) - 1];
  const descending = key?.descending === true;
  const nullsFirst = key?.nullsFirst === true;
  switch (what) {
    case 'asc':
      return !descending;
    case 'desc':
      return descending;
    case 'nulls_first':
      return nullsFirst;
    case 'nulls_last':
      return !nullsFirst;
    case 'orderable':
    case 'returnable':
    case 'search_array':
    case 'search_nulls':
      return true;
    case 'distance_orderable':
      return false;
    default:
      return null;
  }
}

const indexHas: Readonly<Record<string, boolean>> = {
  clusterable: false,
  index_scan: true,
  bitmap_scan: false,
  backward_scan: true,
};

const methodHas: Readonly<Record<string, boolean>> = {
  can_order: true,
  can_unique: true,
  can_multi_col: true,
  can_exclude: false,
  can_include: true,
};

function startedAt({ home }: SystemCatalogue): Value {
  if (home.startedAt !== undefined) return home.startedAt();
  return raise('feature_not_supported', 'the time of the start is not known here');
}

export const factFunctions: Readonly<Record<string, SystemFunction>> = {
  obj_description: (view, oid, catalog) =>
    textOf(
      commentsAt(view, oid as number),
      oid as number,
      catalog === undefined ? undefined : (catalogOf(catalog ?? null) ?? -1),
      0,
    ),
  col_description: (view, oid, column) =>
    (column as number) === 0
      ? null
      : textOf(commentsAt(view, oid as number), oid as number, catalogs.pg_class, column as number),
  shobj_description: (view, oid, catalog) =>
    textOf(sharedComments(view), oid as number, catalogOf(catalog ?? null) ?? -1, 0),
  pg_get_replica_identity_index: (view, relation) => replicaIndex(view, relation ?? null),
  pg_relation_is_publishable: (view, relation) => updatable(view, relation ?? null) !== 0,
  pg_relation_is_updatable: (view, relation) => updatable(view, relation ?? null),
  pg_column_is_updatable: (view, relation) => updatable(view, relation ?? null) !== 0,
  pg_indexam_has_property: (_view, method, what) =>
    method === oids.btree ? (methodHas[what as string] ?? null) : null,
  pg_index_has_property: (_view, _relation, what) => indexHas[what as string] ?? null,
  pg_index_column_has_property: (view, relation, column, what) =>
    indexColumnHas(view, relation ?? null, column ?? null, what ?? null),
  // Nobody counts the bytes of single relations (docs/sql.md).
  pg_relation_size: () => null,
  pg_table_size: () => null,
  pg_indexes_size: () => null,
  pg_total_relation_size: () => null,
  pg_database_size: () => null,
  pg_tablespace_size: () => null,
  pg_relation_filenode: (view, relation) => filenode(view, relation ?? null),
  pg_relation_filepath: () => null,
  pg_tablespace_location: () => '',
  pg_sequence_last_value: (view, relation) => {
    const { oid } = relation as NamedOid;
    const { sequences } = view.home.functions;
    if (view.object(oid)?.kind !== 'sequence' || sequences === undefined) return null;
    const { lastValue, isCalled } = sequences.state(oid);
    return isCalled ? lastValue : null;
  },
  pg_collation_actual_version: () => null,
  pg_database_collation_actual_version: () => null,
  row_security_active: () => false,
  pg_encoding_to_char: (_view, number) => encodings.get(number as number) ?? '',
  pg_char_to_encoding: (_view, name) => encodingNumber(name as string),
  pg_client_encoding: () => 'UTF8',
  getdatabaseencoding: () => 'UTF8',
  pg_is_in_recovery: () => false,
  pg_is_wal_replay_paused: () =>
    raise('object_not_in_prerequisite_state', 'recovery is not in progress', {
      hint: 'Recovery control functions can only be executed during recovery.',
    }),
  pg_postmaster_start_time: (view) => startedAt(view),
  pg_conf_load_time: (view) => startedAt(view),
};

const categories: Readonly<Record<string, string>> = {
  U: 'unreserved',
  C: 'unreserved (cannot be function or type name)',
  T: 'reserved (can be function or type name)',
  R: 'reserved',
};

function* keywords(): Iterable<Row> {
  for (const line of catalogKeywords.trim().split(/;\s*/)) {
    const [word, category, bare] = line.split(' ');
    if (word === undefined || category === undefined) continue;
    const isBare = bare === 't';
    const said = isBare ? 'can be bare label' : 'requires AS';
    yield [word, category, isBare, categories[category] ?? '', said];
  }
}

function* partitionTree(view: SystemCatalogue, oid: number): Iterable<Row> {
  const walk = function* (at: number, parent: Value, level: number): Iterable<Row> {
    const table = view.table(at);
    if (table === undefined) return;
    const isLeaf = table.partitioning === undefined;
    const own = namedOid(view, 'regclass', at);
    yield [own, parent, isLeaf, level];
    for (const one of table.partitioning?.partitions ?? []) {
      yield* walk(oidOf(one), own, level + 1);
    }
  };
  const root = view.table(oid);
  if (root === undefined || (root.partitionOf ?? root.partitioning) === undefined) return;
  const above = root.partitionOf && namedOid(view, 'regclass', oidOf(root.partitionOf.parent));
  yield* walk(oid, above ?? null, 0);
}

function* ancestors(view: SystemCatalogue, oid: number): Iterable<Value> {
  let table = view.table(oid);
  if (table?.partitionOf === undefined && table?.partitioning === undefined) return;
  while (table !== undefined) {
    yield namedOid(view, 'regclass', oidOf(table.object));
    table = table.partitionOf && view.table(oidOf(table.partitionOf.parent));
  }
}

function* options(list: Value): Iterable<Row> {
  for (const one of (list as ArrayValue).elements) {
    const [, name = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(one as string) ?? [];
    yield [name, value ?? null];
  }
}

export const factSets: Readonly<Record<string, SystemSet>> = {
  pg_get_keywords: keywords,
  pg_partition_tree: (view, relation) => partitionTree(view, (relation as NamedOid).oid),
  pg_partition_ancestors: (view, relation) => ancestors(view, (relation as NamedOid).oid),
  pg_options_to_table: (_view, list) => options(list ?? null),
  pg_tablespace_databases: (view) => [oidOf(view.catalogue.database.object)],
  pg_sequence_parameters: (view, oid) => {
    const found = view.object(oid as number);
    if (found?.kind !== 'sequence') return [];
    const { start, minimum, maximum, increment, cycle, cache, type } = found;
    return [[start, minimum, maximum, increment, cycle, cache, typeNamed(type).oid]];
  },
};
