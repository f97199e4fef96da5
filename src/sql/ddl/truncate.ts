/** TRUNCATE: the table begins anew in empty storages. */
import { raise } from '../../base/errors.js';
import type { ObjectId, StorageId } from '../../base/ids.js';
import { right, type TableDescriptor } from '../catalogue/index.js';
import { type ast, fields, the } from '../parse/index.js';
import { type DdlContext, shownName } from './context.js';
import { requireOwner, requireRight } from './permission.js';
import { restartSequence } from './sequence.js';

export function truncate(context: DdlContext, body: ast.TruncateStmt): string {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'TruncateStmt', body, [
    ...(['relations', 'restart_seqs', 'behavior'] as const),
  ]);
  const tables = new Map<ObjectId, TableDescriptor>();
  for (const node of read.relations ?? []) {
    const table = tableOf(context, the(node, 'RangeVar'));
    tables.set(table.object, table);
  }
  for (const table of tables.values()) {
    for (const child of table.referencedBy) {
      if (tables.has(child)) continue;
      const found = catalogue.object(child);
      if (found.kind !== 'table') continue;
      if (read.behavior !== 'DROP_CASCADE') refuse(table, found);
      requireRight(context, found, right.truncate);
      context.notice(`truncate cascades to table "${found.name}"`);
      tables.set(child, found);
    }
  }
  for (const table of tables.values()) emptyAll(context, table, read.restart_seqs === true);
  return 'TRUNCATE TABLE';
}

function tableOf(context: DdlContext, reference: ast.RangeVar): TableDescriptor {
  const { bind } = context;
  const { schemaname, relname = '' } = fields(bind.source, 'RangeVar', reference, [
    ...(['schemaname', 'relname', 'inh'] as const),
  ]);
  const found = bind.catalogue.relation(schemaname, relname);
  if (found === undefined) {
    return raise('undefined_table', `relation "${shownName(schemaname, relname)}" does not exist`);
  }
  if (found.kind === 'table') {
    requireRight(context, found, right.truncate);
    return found;
  }
  return raise('wrong_object_type', `"${relname}" is not a table`);
}

function refuse(table: TableDescriptor, child: TableDescriptor): never {
  raise('feature_not_supported', 'cannot truncate a table referenced in a foreign key constraint', {
    detail: `Table "${child.name}" references "${table.name}".`,
    hint: `Truncate table "${child.name}" at the same time, or use TRUNCATE ... CASCADE.`,
  });
}

/** A table with its partitions, if it has any. */
function emptyAll(context: DdlContext, table: TableDescriptor, restart: boolean): void {
  // A partition may have been named beside its parent.
  const now = context.catalogue.object(table.object) as TableDescriptor;
  empty(context, now, restart);
  for (const object of now.partitioning?.partitions ?? []) {
    emptyAll(context, context.catalogue.object(object) as TableDescriptor, restart);
  }
}

function empty(context: DdlContext, table: TableDescriptor, restart: boolean): void {
  const { catalogue } = context;
  const { database } = table;
  for (const { storage } of [table, ...table.indexes]) catalogue.discard(database, storage);
  const indexes = table.indexes.map((index) => ({
    ...index,
    storage: catalogue.newId(database) as StorageId,
  }));
  const storage = catalogue.newId(database) as StorageId;
  const version = table.version + 1;
  catalogue.put({ ...table, indexes, storage, version }, table);
  if (!restart) return;
  for (const { default: given } of table.columns) {
    if (given?.kind !== 'sequence') continue;
    requireOwner(context, given.sequence);
    restartSequence(context, given.sequence);
  }
}
