/** pg_constraint: checks, keys and foreign keys of tables, checks of domains. */
import {
  type CheckDescriptor,
  type ConstraintTiming,
  firstTemporaryId,
  type ForeignKeyAction,
  type ForeignKeyDescriptor,
  oidOf,
  type TableDescriptor,
  type TypeDescriptor,
} from '../../catalogue/index.js';
import { ArrayValue, type Value } from '../../types/index.js';
import { numberOf, systemRelation } from '../define.js';
import { catalogSchema } from '../facts.js';
import type { SystemCatalogue, TableIndex } from '../system-catalogue.js';
import type { ObjectId } from '../../../base/ids.js';

export type ConstraintItem =
  | { readonly kind: 'key'; readonly oid: number; readonly of: TableIndex }
  | {
      readonly kind: 'check';
      readonly oid: number;
      readonly table: TableDescriptor;
      readonly of: CheckDescriptor;
    }
  | {
      readonly kind: 'foreign';
      readonly oid: number;
      readonly table: TableDescriptor;
      readonly of: ForeignKeyDescriptor;
    }
  | {
      readonly kind: 'domain';
      readonly oid: number;
      readonly type: TypeDescriptor;
      readonly of: CheckDescriptor;
    };

/**
 * OIDs of constraints that have no object of their own: the object that they are of and their place,
 * checks at even places and foreign keys at odd ones. An object takes several ids, so that one with
 * more places than `places` reaches into numbers that belong to it all the same.
 */
const lasting = 0x8000_0000;
const temporary = 0xe000_0000;
const places = 64;
/** Ids that the parts of an object may take behind it. */
const reach = 32;

export function constraintOid(object: ObjectId, place: number): number {
  return object >= firstTemporaryId
    ? temporary + (object - firstTemporaryId) * places + place
    : lasting + object * places + place;
}

export function constraintsOfTable(
  view: SystemCatalogue,
  table: TableDescriptor,
): readonly ConstraintItem[] {
  const keys = view
    .indexesOf(table)
    .filter(({ index }) => index === undefined || index.constraint !== undefined)
    .map((of): ConstraintItem => ({ kind: 'key', oid: oidOf(of.name.object), of }));
  const checks = table.checks.map((of, i): ConstraintItem => {
    return { kind: 'check', oid: constraintOid(table.object, 2 * i), table, of };
  });
  const foreign = table.foreignKeys.map((of, i): ConstraintItem => {
    return { kind: 'foreign', oid: constraintOid(table.object, 2 * i + 1), table, of };
  });
  return [...keys, ...checks, ...foreign];
}

export function constraintsOfDomain(type: TypeDescriptor): readonly ConstraintItem[] {
  if (type.definition.form !== 'domain') return [];
  return type.definition.checks.map((of, i) => {
    return { kind: 'domain', oid: constraintOid(type.object, 2 * i), type, of };
  });
}

function listConstraints(view: SystemCatalogue): readonly ConstraintItem[] {
  return view.all().flatMap((object) => {
    if (object.kind === 'table') return constraintsOfTable(view, object);
    return object.kind === 'type' ? constraintsOfDomain(object) : [];
  });
}

function constraints(view: SystemCatalogue): readonly ConstraintItem[] {
  return view.once(listConstraints);
}

export function constraintByOid(view: SystemCatalogue, oid: number): ConstraintItem | undefined {
  if (oid < lasting) {
    const name = view.object(oid);
    const of = name?.kind === 'index' ? view.indexOf(name) : undefined;
    if (of === undefined) return undefined;
    return constraintsOfTable(view, of.table).find((one) => one.oid === oid);
  }
  const object =
    oid >= temporary
      ? firstTemporaryId + Math.floor((oid - temporary) / places)
      : Math.floor((oid - lasting) / places);
  for (let back = 0; back <= reach; back += 1) {
    const found = view.catalogue.objectIfThere((object - back) as ObjectId);
    const all =
      found?.kind === 'table'
        ? constraintsOfTable(view, found)
        : found?.kind === 'type'
          ? constraintsOfDomain(found)
          : [];
    const one = all.find((item) => item.oid === oid);
    if (one !== undefined) return one;
  }
  return undefined;
}

function nameOfConstraint(item: ConstraintItem): string {
  return item.kind === 'key' ? item.of.name.name : item.of.name;
}

function tableOf(item: ConstraintItem): TableDescriptor | undefined {
  if (item.kind === 'domain') return undefined;
  return item.kind === 'key' ? item.of.table : item.table;
}

export function constraintType(item: ConstraintItem): string {
  switch (item.kind) {
    case 'key':
      return item.of.index === undefined || item.of.index.primary ? 'p' : 'u';
    case 'foreign':
      return 'f';
    default:
      return 'c';
  }
}

export function timingOf(item: ConstraintItem): ConstraintTiming {
  if (item.kind === 'foreign') return item.of.timing;
  return (item.kind === 'key' && item.of.index?.constraint) || 'immediate';
}

function isValidated(item: ConstraintItem): boolean {
  return item.kind === 'key' || item.of.validated;
}

/** The index that a constraint goes by: its own, or the key that a foreign key references. */
function indexOf(item: ConstraintItem, view: SystemCatalogue): number {
  if (item.kind === 'key') return item.oid;
  if (item.kind !== 'foreign') return 0;
  return referencedIndex(view, item.of);
}

function referencedIndex(view: SystemCatalogue, key: ForeignKeyDescriptor): number {
  const table = view.catalogue.objectIfThere(key.references);
  if (table?.kind !== 'table') return 0;
  const wanted = [...key.referencedColumns].sort((a, b) => a - b).join();
  const found = view.indexesOf(table).find(({ index }) => {
    const columns =
      index === undefined
        ? table.primaryKey
        : index.unique && index.predicate === undefined
          ? index.keys.map(({ column }) => column ?? 0)
          : [];
    return [...columns].sort((a, b) => a - b).join() === wanted;
  });
  return found === undefined ? 0 : oidOf(found.name.object);
}

const actions: Readonly<Record<ForeignKeyAction, string>> = {
  noAction: 'a',
  restrict: 'r',
  cascade: 'c',
  setNull: 'n',
  setDefault: 'd',
};

function columnsOf(item: ConstraintItem, view: SystemCatalogue): Value {
  switch (item.kind) {
    case 'foreign':
      return ArrayValue.of(item.of.columns);
    case 'check':
      return numbers(view.home.deparse.columnsRead(item.table, item.of.expression));
    case 'key': {
      const { index, table } = item.of;
      return ArrayValue.of(
        index === undefined ? table.primaryKey : index.keys.map(({ column }) => column ?? 0),
      );
    }
    default:
      return null;
  }
}

function numbers(list: readonly number[]): Value {
  return list.length === 0 ? null : ArrayValue.of(list);
}

/** The columns that SET NULL or SET DEFAULT sets, where they are not all. */
function columnsSet(item: ConstraintItem): Value {
  if (item.kind !== 'foreign') return null;
  const { onDeleteColumns, columns } = item.of;
  return onDeleteColumns.length === columns.length ? null : numbers(onDeleteColumns);
}

function foreign(item: ConstraintItem): ForeignKeyDescriptor | undefined {
  return item.kind === 'foreign' ? item.of : undefined;
}

/** That of the partitioned parent, which it came from. */
function parentOf(item: ConstraintItem, view: SystemCatalogue): number {
  const table = tableOf(item);
  const above = table?.partitionOf && view.catalogue.objectIfThere(table.partitionOf.parent);
  if (above?.kind !== 'table' || table === undefined) return 0;
  if (item.kind === 'key') {
    const { index } = item.of;
    if (index === undefined) {
      const key = view.indexesOf(above).find((one) => one.index === undefined);
      return key === undefined ? 0 : oidOf(key.name.object);
    }
    return index.partOf === undefined ? 0 : oidOf(index.partOf);
  }
  if (item.kind !== 'foreign') return 0;
  const wanted = columnNames(table, item.of.columns);
  const place = above.foreignKeys.findIndex(
    (one) => one.references === item.of.references && columnNames(above, one.columns) === wanted,
  );
  return place < 0 ? 0 : constraintOid(above.object, 2 * place + 1);
}

function columnNames({ columns }: TableDescriptor, positions: readonly number[]): string {
  return positions
    .map((position) => columns.find((column) => column.position === position)?.name)
    .join('\0');
}

/** Whether a check of a partition is that of its parent. */
function isInherited(item: ConstraintItem, view: SystemCatalogue): boolean {
  const table = tableOf(item);
  if (table?.partitionOf === undefined) return false;
  if (item.kind !== 'check') return parentOf(item, view) !== 0;
  const above = view.catalogue.objectIfThere(table.partitionOf.parent);
  return above?.kind === 'table' && above.checks.some(({ name }) => name === item.of.name);
}

function none(): Value {
  return null;
}

function listOfOne<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

export const constraintRelation = systemRelation<ConstraintItem>(catalogSchema, 'pg_constraint', {
  items: constraints,
  guess: 1000,
  find: {
    oid: (view, value) => listOfOne(constraintByOid(view, numberOf(value))),
    conrelid: (view, value) => {
      const table = view.table(numberOf(value));
      return table === undefined ? [] : constraintsOfTable(view, table);
    },
    contypid: (view, value) => {
      const type = view.object(numberOf(value));
      return type?.kind === 'type' ? constraintsOfDomain(type) : constraints(view);
    },
    confrelid: (view, value) => {
      const table = view.table(numberOf(value));
      if (table === undefined) return constraints(view);
      return table.referencedBy.flatMap((object) => {
        const child = view.catalogue.objectIfThere(object);
        return child?.kind === 'table' ? constraintsOfTable(view, child) : [];
      });
    },
  },
  values: {
    oid: ({ oid }) => oid,
    conname: nameOfConstraint,
    connamespace: (item, view) => {
      if (item.kind === 'domain') return view.schemaOid(item.type);
      return view.schemaOid(item.kind === 'key' ? item.of.table : item.table);
    },
    contype: constraintType,
    condeferrable: (item) => timingOf(item) !== 'immediate',
    condeferred: (item) => timingOf(item) === 'deferred',
    convalidated: isValidated,
    conrelid: (item) => oidOfTable(tableOf(item)),
    contypid: (item) => (item.kind === 'domain' ? oidOf(item.type.object) : 0),
    conindid: indexOf,
    conparentid: parentOf,
    confrelid: (item) => {
      const key = foreign(item);
      return key === undefined ? 0 : oidOf(key.references);
    },
    confupdtype: (item) => actionOf(foreign(item)?.onUpdate),
    confdeltype: (item) => actionOf(foreign(item)?.onDelete),
    confmatchtype: (item) => {
      const key = foreign(item);
      return key === undefined ? ' ' : key.match === 'full' ? 'f' : 's';
    },
    conislocal: (item, view) => !isInherited(item, view),
    coninhcount: (item, view) => (isInherited(item, view) ? 1 : 0),
    connoinherit: (item) => item.kind === 'key' || item.kind === 'foreign',
    conkey: columnsOf,
    confkey: (item) => {
      const key = foreign(item);
      return key === undefined ? null : ArrayValue.of(key.referencedColumns);
    },
    conpfeqop: none,
    conppeqop: none,
    conffeqop: none,
    confdelsetcols: columnsSet,
    conexclop: none,
    conbin: (item) => (item.kind === 'check' || item.kind === 'domain' ? item.of.expression : null),
  },
});

function actionOf(action: ForeignKeyAction | undefined): string {
  return action === undefined ? ' ' : actions[action];
}

function oidOfTable(table: TableDescriptor | undefined): number {
  return table === undefined ? 0 : oidOf(table.object);
}
