/** CREATE TABLE ... PARTITION OF, ATTACH and DETACH PARTITION. */
import { must } from '../../base/assert.js';
import { DatabaseError, raise } from '../../base/errors.js';
import { bindWriteRules } from '../bind/table-rules.js';
import type {
  IndexDescriptor,
  IndexName,
  PartitionBound,
  Partitioning,
  TableDescriptor,
} from '../catalogue/index.js';
import { validatePartition } from '../execute/index.js';
import { as, type ast, fields, notSupported, the } from '../parse/index.js';
import { addConstraints, appendColumn } from './column.js';
import type { DdlContext, DdlWork } from './context.js';
import { TableDraft } from './draft.js';
import { boundOf, defaultOf } from './partition-bound.js';
import { requireOwner } from './permission.js';
import { saveWithRows } from './tasks.js';

export interface Partitioned extends TableDescriptor {
  readonly partitioning: Partitioning;
}

/** The table that a partition is of. Raises wrong_object_type when it is not partitioned. */
export function parentOf(context: DdlContext, reference: ast.RangeVar): Partitioned {
  const { bind } = context;
  const { schemaname, relname = '' } = fields(bind.source, 'RangeVar', reference, [
    ...(['schemaname', 'relname'] as const),
  ]);
  const found = bind.catalogue.relation(schemaname, relname);
  if (found === undefined) {
    return bind.raise(
      reference.location,
      'undefined_table',
      `relation "${relname}" does not exist`,
    );
  }
  if (found.kind !== 'table' || found.partitioning === undefined) {
    return bind.raise(undefined, 'invalid_object_definition', `"${relname}" is not partitioned`);
  }
  requireOwner(context, found);
  return { ...found, partitioning: found.partitioning };
}

/** The columns and constraints of PARTITION OF: the parent's, changed as the statement says. */
export function inherit(
  draft: TableDraft,
  parent: Partitioned,
  elements: readonly ast.Node[],
  spec: ast.PartitionBoundSpec,
): void {
  const { context } = draft;
  for (const { position: _, identity: __, default: given, ...column } of parent.columns) {
    const isIdentity = __ !== undefined;
    appendColumn(draft, {
      ...column,
      ...(!isIdentity && given !== undefined && { default: given }),
    });
  }
  for (const node of elements) changeColumn(draft, node);
  draft.set({
    checks: parent.checks,
    foreignKeys: parent.foreignKeys,
    uses: parent.uses,
    partitionOf: { parent: parent.object, bound: boundOf(context, parent, draft.table.name, spec) },
  });
}

/** A column of PARTITION OF has no type: it says what is other than in the parent. */
function changeColumn(draft: TableDraft, node: ast.Node): void {
  const { bind } = draft.context;
  const column = as(node, 'ColumnDef');
  if (column === undefined) {
    draft.tableConstraints.push(the(node, 'Constraint'));
    return;
  }
  const { colname = '', constraints } = fields(bind.source, 'ColumnDef', column, [
    ...(['colname', 'constraints'] as const),
  ]);
  const found = draft.column(colname);
  if (found === undefined) raiseMissing(colname);
  const all = (constraints ?? []).map((one) => the(one, 'Constraint'));
  if (all.some(({ contype }) => contype === 'CONSTR_DEFAULT')) {
    draft.setColumn(found.position, { default: undefined });
  }
  addConstraints(draft, found.position, all);
}

function raiseMissing(name: string): never {
  raise('undefined_column', `column "${name}" does not exist`);
}

/** Gives the draft the keys and indexes of the parent that it has not. */
export function addParentIndexes(draft: TableDraft, parent: TableDescriptor): void {
  const own = (position: number): number => {
    const column = parent.columns.find((one) => one.position === position);
    return must(draft.column(must(column, 'a column of the parent').name), 'the partition has it')
      .position;
  };
  const isNew = draft.before === undefined;
  if (parent.primaryKey.length > 0) {
    const primaryKey = parent.primaryKey.map(own);
    const { table } = draft;
    const has =
      table.primaryKey.join() === primaryKey.join() || table.indexes.some(({ primary }) => primary);
    if (!has && isNew) {
      draft.set({ primaryKey, primaryKeyName: draft.makeName(undefined, 'pkey') });
    } else if (!has) {
      addIndex(draft, primaryIndex(draft, primaryKey));
    }
  }
  for (const index of parent.indexes) {
    const keys = index.keys.map((key) => ({
      ...key,
      column: key.column === undefined ? undefined : own(key.column),
    }));
    const wanted = { ...index, keys, include: index.include.map(own), partOf: index.object };
    const found = draft.table.indexes.find(
      (one) => one.partOf === undefined && isSame(one, wanted),
    );
    if (found !== undefined) {
      const indexes = draft.table.indexes.map((one) =>
        one === found ? { ...one, partOf: index.object } : one,
      );
      draft.set({ indexes });
      continue;
    }
    const names = keys.map(({ column }) =>
      column === undefined ? 'expr' : draft.columnAt(column).name,
    );
    const label = index.primary ? 'pkey' : index.constraint === undefined ? 'idx' : 'key';
    const name = draft.makeName(index.primary ? undefined : names.join('_'), label);
    addIndex(draft, { ...wanted, ...draft.newIndexIds(), name });
  }
}

function addIndex(draft: TableDraft, index: IndexDescriptor): void {
  draft.set({ indexes: [...draft.table.indexes, index] });
  if (draft.before !== undefined) draft.tasks.push({ kind: 'index', index: index.name });
}

function primaryIndex(draft: TableDraft, positions: readonly number[]): IndexDescriptor {
  return {
    ...draft.newIndexIds(),
    name: draft.makeName(undefined, 'pkey'),
    unique: true,
    nullsNotDistinct: false,
    keys: positions.map((position) => {
      const { type, typeModifier, collation } = draft.columnAt(position);
      const order = { descending: false, nullsFirst: false };
      return { column: position, expression: undefined, type, typeModifier, collation, ...order };
    }),
    include: [],
    predicate: undefined,
    primary: true,
    partOf: undefined,
    constraint: 'immediate',
    comment: undefined,
  };
}

function isSame(a: IndexDescriptor, b: IndexDescriptor): boolean {
  const shape = ({ unique, keys, predicate, constraint, include }: IndexDescriptor): string =>
    JSON.stringify([
      unique,
      predicate,
      constraint !== undefined,
      include,
      keys.map((key) => [key.column, key.expression, key.descending]),
    ]);
  return shape(a) === shape(b);
}

/** The parent knows of one more partition, or of one less. */
export function setPartitions(
  { catalogue }: DdlContext,
  parent: TableDescriptor['object'],
  change: (
    partitions: readonly TableDescriptor['object'][],
  ) => readonly TableDescriptor['object'][],
): void {
  const before = catalogue.objectIfThere(parent);
  if (before?.kind !== 'table' || before.partitioning === undefined) return;
  const { partitioning } = before;
  const partitions = change(partitioning.partitions);
  const after = { ...before, partitioning: { ...partitioning, partitions } };
  catalogue.put({ ...after, version: before.version + 1 }, before);
}

/** Rows of the default partition that belong to the new one: there must be none. */
export function* checkDefault(context: DdlContext, parent: Partitioned): DdlWork<void> {
  const other = defaultOf(context, parent.partitioning);
  if (other === undefined || other.partitioning !== undefined) return;
  try {
    yield* validate(context, other);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.kind !== 'check_violation') throw error;
    const text = `updated partition constraint for default partition "${other.name}" would be violated by some row`;
    raise('check_violation', text, { schema: other.schema, table: other.name });
  }
}

function* validate({ bind, execution }: DdlContext, table: TableDescriptor): DdlWork<void> {
  const rules = bindWriteRules(bind, table);
  for (const _ of validatePartition(rules, execution)) yield 'turn';
}

export function* attach(
  context: DdlContext,
  parent: TableDescriptor,
  command: ast.PartitionCmd,
): DdlWork<void> {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'PartitionCmd', command, ['name', 'bound']);
  const { partitioning } = parent;
  if (partitioning === undefined) {
    return raise('wrong_object_type', `table "${parent.name}" is not partitioned`);
  }
  const { schemaname, relname = '' } = must(read.name, 'ATTACH names a partition');
  const child = bind.catalogue.relation(schemaname, relname);
  if (child === undefined) {
    return raise('undefined_table', `relation "${relname}" does not exist`);
  }
  if (child.kind !== 'table') return raise('wrong_object_type', `"${relname}" is not a table`);
  if (child.partitionOf !== undefined) {
    return raise('wrong_object_type', `"${relname}" is already a partition`);
  }
  requireOwner(context, child);
  checkShape(parent, child);
  const bound: PartitionBound = boundOf(context, parent, child.name, must(read.bound, 'a bound'));
  const draft = TableDraft.alter(context, child);
  draft.set({ partitionOf: { parent: parent.object, bound } });
  addParentIndexes(draft, parent);
  setPartitions(context, parent.object, (all) => [...all, child.object]);
  yield* saveWithRows(draft);
  const now = catalogue.object(child.object) as TableDescriptor;
  if (now.partitioning === undefined) yield* validate(context, now);
  const { partitioning: both } = catalogue.object(parent.object) as TableDescriptor;
  yield* checkDefault(context, { ...parent, partitioning: both ?? partitioning });
}

/** A partition has the parent's columns, in whatever order, and its checks. */
function checkShape(parent: TableDescriptor, child: TableDescriptor): void {
  const mismatch = (text: string, detail?: string): never =>
    raise('datatype_mismatch', text, detail === undefined ? {} : { detail });
  for (const { name } of child.columns) {
    if (parent.columns.some((column) => column.name === name)) continue;
    const text = `table "${child.name}" contains column "${name}" not found in parent "${parent.name}"`;
    mismatch(text, 'The new partition may contain only the columns present in parent.');
  }
  for (const column of parent.columns) {
    const own = child.columns.find(({ name }) => name === column.name);
    if (own === undefined) {
      raise('datatype_mismatch', `child table is missing column "${column.name}"`);
    }
    if (own.type !== column.type || own.typeModifier !== column.typeModifier) {
      mismatch(`child table "${child.name}" has different type for column "${column.name}"`);
    }
    if (column.notNull && !own.notNull) {
      mismatch(`column "${column.name}" in child table must be marked NOT NULL`);
    }
  }
  for (const { name } of parent.checks) {
    if (child.checks.some((check) => check.name === name)) continue;
    mismatch(`child table is missing constraint "${name}"`);
  }
}

/** ALTER INDEX ... ATTACH PARTITION. */
export function attachIndex(
  context: DdlContext,
  parent: IndexName,
  command: ast.PartitionCmd,
): void {
  const { bind, catalogue } = context;
  const { name } = fields(bind.source, 'PartitionCmd', command, ['name']);
  const { schemaname, relname = '' } = must(name, 'ATTACH names an index');
  const child = bind.catalogue.relation(schemaname, relname);
  if (child === undefined) raise('undefined_table', `relation "${relname}" does not exist`);
  if (child.kind !== 'index') raise('wrong_object_type', `"${relname}" is not an index`);
  const table = catalogue.object(child.table) as TableDescriptor;
  if (table.partitionOf?.parent !== parent.table) {
    const text = `cannot attach index "${relname}" as a partition of index "${parent.name}"`;
    raise('object_not_in_prerequisite_state', text, {
      detail: `Index "${relname}" is not an index on any partition of table "${catalogue.object(parent.table).name}".`,
    });
  }
  const draft = TableDraft.alter(context, table);
  const indexes = table.indexes.map((index) =>
    index.object === child.object ? { ...index, partOf: parent.object } : index,
  );
  draft.set({ indexes });
  draft.save();
}

export function detach(
  context: DdlContext,
  parent: TableDescriptor,
  command: ast.PartitionCmd,
): void {
  const { bind } = context;
  const read = fields(bind.source, 'PartitionCmd', command, ['name', 'concurrent']);
  if (read.concurrent === true) notSupported(bind.source, 'DETACH CONCURRENTLY', undefined);
  const { schemaname, relname = '' } = must(read.name, 'DETACH names a partition');
  const child = bind.catalogue.relation(schemaname, relname);
  if (child === undefined) raise('undefined_table', `relation "${relname}" does not exist`);
  if (child.kind !== 'table' || child.partitionOf?.parent !== parent.object) {
    const text = `relation "${relname}" is not a partition of relation "${parent.name}"`;
    raise('undefined_table', text);
  }
  const draft = TableDraft.alter(context, child);
  const indexes = child.indexes.map((index) => ({ ...index, partOf: undefined }));
  draft.set({ partitionOf: undefined, indexes });
  draft.save();
  setPartitions(context, parent.object, (all) => all.filter((one) => one !== child.object));
}
