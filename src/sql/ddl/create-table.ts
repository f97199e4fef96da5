/** CREATE TABLE. */
import { must } from '../../base/assert.js';
import { as, type ast, fields, nodeNotSupported } from '../parse/index.js';
import { addColumn } from './column.js';
import { addTableConstraint } from './constraint.js';
import { type DdlContext, placeOfRelation } from './context.js';
import { TableDraft } from './draft.js';
import { addLike } from './like.js';
import { checkStorageParameters } from './storage-parameters.js';
import { temporaryDatabase, type TableDescriptor } from '../catalogue/index.js';

export function createTable(context: DdlContext, body: ast.CreateStmt): string {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'CreateStmt', body, [
    ...(['relation', 'tableElts', 'if_not_exists', 'oncommit', 'options', 'accessMethod'] as const),
  ]);
  const reference = must(read.relation, 'CREATE TABLE names a table');
  const place = placeOfRelation(context, reference);
  checkAccessMethod(context, read.accessMethod);
  checkStorageParameters(bind, read.options);
  if (catalogue.relation(place.database, place.schema, place.name) !== undefined) {
    if (read.if_not_exists === true) return 'CREATE TABLE';
    bind.raise(undefined, 'duplicate_table', `relation "${place.name}" already exists`);
  }
  const draft = TableDraft.create(context, place);
  draft.set({ onCommit: onCommitOf(draft, read.oncommit) });
  for (const node of read.tableElts ?? []) {
    const column = as(node, 'ColumnDef');
    const constraint = as(node, 'Constraint');
    const like = as(node, 'TableLikeClause');
    if (column !== undefined) addColumn(draft, column);
    else if (constraint !== undefined) draft.tableConstraints.push(constraint);
    else if (like !== undefined) addLike(draft, like);
    else nodeNotSupported(bind.source, node);
  }
  for (const constraint of draft.tableConstraints) addTableConstraint(draft, constraint);
  draft.bindLater();
  draft.save();
  return 'CREATE TABLE';
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
