/** ALTER TABLE, and what ALTER INDEX, VIEW and SEQUENCE say in the same form. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { RelationDescriptor, TableDescriptor, ViewDescriptor } from '../catalogue/index.js';
import { as, type ast, fields, notSupported, the } from '../parse/index.js';
import { addTo, alterType, setColumnDefault } from './alter-column.js';
import { alterConstraint, dropConstraint, validateConstraint } from './alter-constraint.js';
import { addIdentity, dropIdentity, setIdentityOptions } from './alter-identity.js';
import { setNotNull } from './column.js';
import { addTableConstraint } from './constraint.js';
import { type DdlContext, type DdlWork, shownName } from './context.js';
import { TableDraft } from './draft.js';
import { dropTableColumn } from './drop-column.js';
import { primaryKeyOf } from './foreign-key.js';
import { changeOwner } from './owner.js';
import { addParentIndexes, attach, attachIndex, detach } from './partition.js';
import { checkUnique } from './partition-by.js';
import { requireOwner } from './permission.js';
import { roleSpec } from './role-spec.js';
import { checkStorageParameters, isSecurityInvoker } from './storage-parameters.js';
import { saveWithRows } from './tasks.js';

export function* alterTable(context: DdlContext, body: ast.AlterTableStmt): DdlWork {
  const { bind } = context;
  const read = fields(bind.source, 'AlterTableStmt', body, [
    ...(['relation', 'cmds', 'objtype', 'missing_ok'] as const),
  ]);
  const words = (read.objtype ?? 'OBJECT_TABLE').replace('OBJECT_', '').replaceAll('_', ' ');
  const tag = `ALTER ${words}`;
  const reference = must(read.relation, 'ALTER TABLE names one');
  const { schemaname, relname = '' } = fields(bind.source, 'RangeVar', reference, [
    ...(['schemaname', 'relname', 'inh'] as const),
  ]);
  const only = reference.inh !== true;
  const given = (read.cmds ?? []).map((node) => the(node, 'AlterTableCmd'));
  const found =
    read.objtype === 'OBJECT_TYPE' ? undefined : bind.catalogue.relation(schemaname, relname);
  if (read.objtype === 'OBJECT_TYPE') return notSupported(bind.source, 'ALTER TYPE', undefined);
  if (found === undefined) {
    const text = `relation "${shownName(schemaname, relname)}" does not exist`;
    if (read.missing_ok !== true) raise('undefined_table', text);
    context.notice(`${text}, skipping`);
    return tag;
  }
  requireOwner(context, found);
  if (found.kind !== 'table') {
    for (const command of given) alterOther(context, words, command, found);
    return tag;
  }
  if (read.objtype !== 'OBJECT_TABLE') {
    const article = words === 'INDEX' ? 'an' : 'a';
    raise('wrong_object_type', `"${relname}" is not ${article} ${words.toLowerCase()}`);
  }
  const owner = given.findLast(({ subtype }) => subtype === 'AT_ChangeOwner')?.newowner;
  const others = given.filter(({ subtype }) => subtype !== 'AT_ChangeOwner');
  if (others.length > 0) yield* alter(context, found, others, only);
  if (owner !== undefined) {
    const now = context.catalogue.object(found.object) as TableDescriptor;
    changeOwner(context, now, roleSpec(context, owner));
  }
  return tag;
}

/** Parameters of storage say nothing of what is stored; all else is the table's. */
function alterOther(
  context: DdlContext,
  words: string,
  command: ast.AlterTableCmd,
  found: RelationDescriptor,
): void {
  const { bind } = context;
  const subtype = command.subtype ?? 'AT_AddColumn';
  if (subtype === 'AT_AttachPartition' && found.kind === 'index') {
    attachIndex(context, found, the(command.def, 'PartitionCmd'));
    return;
  }
  if (subtype === 'AT_ChangeOwner') {
    // An index goes with its table.
    if (found.kind !== 'index')
      changeOwner(context, found, roleSpec(context, command.newowner ?? {}));
    return;
  }
  if (subtype === 'AT_SetLogged' || subtype === 'AT_SetUnLogged') return;
  if (subtype === 'AT_SetRelOptions' || subtype === 'AT_ResetRelOptions') {
    const nodes = as(command.def, 'List')?.items;
    checkStorageParameters(bind, nodes);
    if (found.kind === 'view') setInvoker(context, found, nodes, subtype);
    return;
  }
  notSupported(bind.source, `ALTER ${words} ${subtype.slice('AT_'.length)}`, undefined);
}

/** SET and RESET (security_invoker). */
function setInvoker(
  { catalogue }: DdlContext,
  view: ViewDescriptor,
  nodes: readonly ast.Node[] | undefined,
  subtype: 'AT_SetRelOptions' | 'AT_ResetRelOptions',
): void {
  const isSaid = nodes?.some((node) => the(node, 'DefElem').defname === 'security_invoker');
  if (isSaid !== true) return;
  const securityInvoker = subtype === 'AT_SetRelOptions' && isSecurityInvoker(nodes);
  catalogue.put({ ...view, securityInvoker, version: view.version + 1 }, view);
}

/** PostgreSQL's order of work: what takes away first, then types, columns, the rest. */
const passes: readonly (readonly ast.AlterTableType[])[] = [
  ['AT_DropColumn', 'AT_DropConstraint'],
  ['AT_AlterColumnType'],
  ['AT_AddColumn'],
];

function passOf({ subtype }: ast.AlterTableCmd): number {
  const pass = passes.findIndex((types) => types.includes(subtype ?? 'AT_AddColumn'));
  return pass < 0 ? passes.length : pass;
}

function* alter(
  context: DdlContext,
  table: TableDescriptor,
  given: readonly ast.AlterTableCmd[],
  only: boolean,
): DdlWork<void> {
  const [first] = given;
  if (first?.subtype === 'AT_AttachPartition') {
    return yield* attach(context, table, the(first.def, 'PartitionCmd'));
  }
  if (first?.subtype === 'AT_DetachPartition') {
    return detach(context, table, the(first.def, 'PartitionCmd'));
  }
  const draft = TableDraft.alter(context, table);
  const sorted = given.toSorted((a, b) => passOf(a) - passOf(b));
  for (const command of sorted) applyCommand(draft, command);
  draft.bindLater();
  const { partitioning } = draft.table;
  if (partitioning !== undefined) checkUnique(draft, partitioning.keys);
  yield* saveWithRows(draft);
  draft.removal.apply();
  if (partitioning === undefined || only) return;
  for (const object of partitioning.partitions) {
    const partition = context.catalogue.object(object) as TableDescriptor;
    const own = given.map((command) => commandFor(table, partition, command));
    yield* alter(context, partition, own, false);
    yield* linkIndexes(context, table.object, object);
  }
}

/** A constraint that is an index has another name in a partition. */
function commandFor(
  table: TableDescriptor,
  partition: TableDescriptor,
  command: ast.AlterTableCmd,
): ast.AlterTableCmd {
  if (command.subtype === 'AT_AddConstraint') {
    const constraint = the(command.def, 'Constraint');
    const { conname: _, ...unnamed } = constraint;
    const isKey = constraint.contype === 'CONSTR_PRIMARY' || constraint.contype === 'CONSTR_UNIQUE';
    return isKey ? { ...command, def: { Constraint: unnamed } } : command;
  }
  if (command.subtype !== 'AT_DropConstraint') return command;
  if (table.primaryKeyName === command.name && partition.primaryKeyName !== undefined) {
    return { ...command, name: partition.primaryKeyName };
  }
  const index = table.indexes.find(({ name }) => name === command.name);
  const part = partition.indexes.find(({ partOf }) => partOf === index?.object);
  return index === undefined || part === undefined ? command : { ...command, name: part.name };
}

/** The partition's index that is like one of the parent is its part from now on. */
function* linkIndexes(
  context: DdlContext,
  parent: TableDescriptor['object'],
  partition: TableDescriptor['object'],
): DdlWork<void> {
  const { catalogue } = context;
  const table = catalogue.object(parent) as TableDescriptor;
  const draft = TableDraft.alter(context, catalogue.object(partition) as TableDescriptor);
  const linked = new Set(draft.table.indexes.map(({ partOf }) => partOf));
  const missing = table.indexes.filter(({ object }) => !linked.has(object));
  if (missing.length === 0) return;
  addParentIndexes(draft, { ...table, primaryKey: [], indexes: missing });
  yield* saveWithRows(draft);
}

type Command = Pick<
  ast.AlterTableCmd,
  'subtype' | 'name' | 'num' | 'def' | 'behavior' | 'missing_ok' | 'recurse' | 'newowner'
>;

function applyCommand(draft: TableDraft, body: ast.AlterTableCmd): void {
  const { bind } = draft.context;
  const read = fields(bind.source, 'AlterTableCmd', body, [
    ...(['subtype', 'name', 'num', 'def', 'behavior', 'missing_ok', 'recurse'] as const),
    'newowner',
  ]);
  const { subtype = 'AT_AddColumn' } = read;
  const apply = commands[subtype];
  if (apply !== undefined) {
    apply(draft, read.name ?? '', read);
    return;
  }
  const words = subtype.slice('AT_'.length).replace(/([a-z])([A-Z])/g, '$1 $2');
  notSupported(bind.source, `ALTER TABLE ${words}`, undefined);
}

type Apply = (draft: TableDraft, name: string, command: Command) => void;

/** How values are kept and what is known of them is not the client's to say: only the column must be there. */
const takeNote: Apply = (draft, name) => {
  columnOf(draft, name);
};

const takeParameters: Apply = (draft, _name, { def }) => {
  checkStorageParameters(draft.context.bind, as(def, 'List')?.items);
};

const cascades = ({ behavior }: Command): boolean => behavior === 'DROP_CASCADE';

const commands: Partial<Record<ast.AlterTableType, Apply>> = {
  AT_AddColumn: (draft, _name, { def, missing_ok }) =>
    addTo(draft, the(def, 'ColumnDef'), missing_ok === true),
  AT_DropColumn: (draft, name, command) =>
    dropTableColumn(draft, name, command.missing_ok === true, cascades(command)),
  AT_ColumnDefault: (draft, name, { def }) => setColumnDefault(draft, name, def),
  AT_SetNotNull: setColumnNotNull,
  AT_DropNotNull: dropNotNull,
  AT_AlterColumnType: (draft, name, { def }) => alterType(draft, name, the(def, 'ColumnDef')),
  AT_AddConstraint: (draft, _name, { def }) => addTableConstraint(draft, the(def, 'Constraint')),
  AT_DropConstraint: (draft, name, command) =>
    dropConstraint(draft, name, command.missing_ok === true, cascades(command)),
  AT_ValidateConstraint: validateConstraint,
  AT_AlterConstraint: (draft, _name, { def }) => alterConstraint(draft, def),
  AT_AddIdentity: (draft, name, { def }) => addIdentity(draft, name, the(def, 'Constraint')),
  AT_SetIdentity: (draft, name, { def }) => setIdentityOptions(draft, name, def),
  AT_DropIdentity: (draft, name, { missing_ok }) => dropIdentity(draft, name, missing_ok === true),
  AT_DropExpression: (draft, name, { missing_ok }) =>
    dropExpression(draft, name, missing_ok === true),
  AT_SetStatistics: takeNote,
  AT_SetStorage: takeNote,
  AT_SetCompression: takeNote,
  AT_SetOptions: takeNote,
  AT_ResetOptions: takeNote,
  AT_SetRelOptions: takeParameters,
  AT_ResetRelOptions: takeParameters,
  // Rows are as durable either way.
  AT_SetLogged: () => undefined,
  AT_SetUnLogged: () => undefined,
};

function setColumnNotNull(draft: TableDraft, name: string): void {
  const column = columnOf(draft, name);
  if (column.notNull) return;
  setNotNull(draft, column, undefined);
  draft.tasks.push({ kind: 'notNull', position: column.position });
}

export function columnOf(draft: TableDraft, name: string) {
  const column = draft.column(name);
  if (column !== undefined) return column;
  const text = `column "${name}" of relation "${draft.table.name}" does not exist`;
  return raise('undefined_column', text);
}

function dropNotNull(draft: TableDraft, name: string): void {
  const column = columnOf(draft, name);
  if (column.identity !== undefined) {
    const text = `column "${name}" of relation "${draft.table.name}" is an identity column`;
    raise('syntax_error', text);
  }
  if (primaryKeyOf(draft.table)?.includes(column.position) === true) {
    raise('invalid_table_definition', `column "${name}" is in a primary key`);
  }
  draft.setColumn(column.position, { notNull: false });
}

function dropExpression(draft: TableDraft, name: string, missingOk: boolean): void {
  const column = columnOf(draft, name);
  if (column.generated !== undefined) {
    draft.setColumn(column.position, { generated: undefined });
  } else {
    const text = `column "${name}" of relation "${draft.table.name}" is not a stored generated column`;
    if (!missingOk) raise('object_not_in_prerequisite_state', text);
    draft.context.notice(`${text}, skipping`);
  }
}
