/** CREATE TABLE. */
import { must } from '../../base/assert.js';
import {
  as,
  type ast,
  fields,
  locationOf,
  nodeNotSupported,
  notSupported,
  the,
} from '../parse/index.js';
import { addColumn } from './column.js';
import { addTableConstraint } from './constraint.js';
import { type DdlContext, type DdlWork, placeOfRelation } from './context.js';
import { TableDraft } from './draft.js';
import { addLike } from './like.js';
import { addParentIndexes, checkDefault, inherit, parentOf, setPartitions } from './partition.js';
import { setPartitioning } from './partition-by.js';
import { checkStorageParameters } from './storage-parameters.js';
import { temporaryDatabase, type TableDescriptor } from '../catalogue/index.js';

export function* createTable(context: DdlContext, body: ast.CreateStmt): DdlWork {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'CreateStmt', body, [
    ...(['relation', 'tableElts', 'if_not_exists', 'oncommit', 'options', 'accessMethod'] as const),
    ...(['partbound', 'partspec', 'inhRelations'] as const),
  ]);
  const reference = must(read.relation, 'CREATE TABLE names a table');
  const place = placeOfRelation(context, reference, locationOf(reference));
  checkAccessMethod(context, read.accessMethod);
  checkStorageParameters(bind, read.options);
  if (catalogue.relation(place.database, place.schema, place.name) !== undefined) {
    const text = `relation "${place.name}" already exists`;
    if (read.if_not_exists !== true) bind.raise(undefined, 'duplicate_table', text);
    context.notice(`${text}, skipping`, '42P07');
    return 'CREATE TABLE';
  }
  const draft = TableDraft.create(context, place);
  draft.set({ onCommit: onCommitOf(draft, read.oncommit) });
  const parent = read.partbound && parentOf(context, the(read.inhRelations?.[0], 'RangeVar'));
  if (parent === undefined || read.partbound === undefined) {
    if (read.inhRelations !== undefined) notSupported(bind.source, 'INHERITS', undefined);
    addElements(draft, read.tableElts ?? []);
  } else {
    inherit(draft, parent, read.tableElts ?? [], read.partbound);
  }
  for (const constraint of draft.tableConstraints) addTableConstraint(draft, constraint);
  draft.bindLater();
  if (parent !== undefined) addParentIndexes(draft, parent);
  if (read.partspec !== undefined) setPartitioning(draft, read.partspec);
  const { object } = draft.save();
  if (parent !== undefined) {
    setPartitions(context, parent.object, (partitions) => [...partitions, object]);
    yield* checkDefault(context, parent);
  }
  return 'CREATE TABLE';
}

function addElements(draft: TableDraft, nodes: readonly ast.Node[]): void {
  for (const node of nodes) {
    const column = as(node, 'ColumnDef');
    const constraint = as(node, 'Constraint');
    const like = as(node, 'TableLikeClause');
    if (column !== undefined) addColumn(draft, column);
    else if (constraint !== undefined) draft.tableConstraints.push(constraint);
    else if (like !== undefined) addLike(draft, like);
    else nodeNotSupported(draft.context.bind.source, node);
  }
}

export function checkAccessMethod({ bind }: DdlContext, method: string | undefined): void {
  if (method === undefined || method === 'heap') return;
  bind.raise(undefined, 'undefined_object', `access method "${method}" does not exist`);
}

/** What ON COMMIT says. */
export function onCommitOf(
  { context, table }: TableDraft,
  action: ast.OnCommitAction | undefined,
): TableDescriptor['onCommit'] {
  if (action === undefined || action === 'ONCOMMIT_NOOP') return 'preserve';
  if (table.database !== temporaryDatabase) {
    const text = 'ON COMMIT can only be used on temporary tables';
    context.bind.raise(undefined, 'invalid_table_definition', text);
  }
  if (action === 'ONCOMMIT_DELETE_ROWS') return 'delete';
  return action === 'ONCOMMIT_DROP' ? 'drop' : 'preserve';
}
