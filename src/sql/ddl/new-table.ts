/** From a table as CREATE TABLE says it to its descriptors. */
import type { DatabaseId, ObjectId, StorageId } from '../../base/ids.js';
import {
  type ColumnDefault,
  type SequenceDescriptor,
  type TableDescriptor,
  type TransactionCatalogue,
  userDatabase,
} from '../catalogue/index.js';
import type { NewTable } from '../plan/statement.js';

/** Adds a table. False when its name is taken. A statement of the buffer is open. */
export function createTable(catalogue: TransactionCatalogue, table: NewTable): boolean {
  const database = userDatabase;
  if (catalogue.relation(database, table.schema, table.name) !== undefined) return false;
  const object = catalogue.newId() as ObjectId;
  const storage = catalogue.newId() as StorageId;
  const sequences: SequenceDescriptor[] = [];
  const columns = table.columns.map((column, i) => {
    const given = table.defaults[i];
    let value: ColumnDefault | undefined;
    if (given?.kind === 'sequence') {
      const sequence: SequenceDescriptor = {
        ...newSequence(catalogue, database, table.schema, `${table.name}_${column.name}_seq`),
        ...given.sequence,
        type: column.type,
        ownedBy: { table: object, position: column.position },
      };
      sequences.push(sequence);
      value = { kind: 'sequence', sequence };
    } else value = given;
    return { ...column, default: value };
  });
  const descriptor: TableDescriptor = {
    kind: 'table',
    object,
    version: 1,
    database,
    storage,
    schema: table.schema,
    name: table.name,
    comment: undefined,
    columns,
    lastPosition: columns.length,
    primaryKey: table.primaryKey,
    primaryKeyName: table.primaryKeyName,
    rowNumbers:
      table.primaryKey.length === 0
        ? newSequence(catalogue, database, table.schema, `${table.name}_row_numbers`)
        : undefined,
    indexes: [],
    checks: [],
    foreignKeys: [],
    referencedBy: [],
    uses: [],
    onCommit: 'preserve',
  };
  catalogue.put(descriptor);
  for (const sequence of sequences) catalogue.put(sequence);
  return true;
}

function newSequence(
  catalogue: TransactionCatalogue,
  database: DatabaseId,
  schema: string,
  name: string,
): SequenceDescriptor {
  return {
    kind: 'sequence',
    object: catalogue.newId() as ObjectId,
    version: 1,
    database,
    storage: catalogue.newId() as StorageId,
    schema,
    name,
    comment: undefined,
    type: 'int8',
    start: 1n,
    increment: 1n,
    minimum: 1n,
    maximum: 9_223_372_036_854_775_807n,
    cycle: false,
    cache: 1n,
    ownedBy: undefined,
  };
}

/** Takes a table out with what it stored and its own sequences. */
export function dropTable(catalogue: TransactionCatalogue, table: TableDescriptor): void {
  const { database } = table;
  catalogue.remove(table);
  catalogue.discard(database, table.storage);
  if (table.rowNumbers !== undefined) catalogue.discard(database, table.rowNumbers.storage);
  for (const { default: given } of table.columns) {
    if (given?.kind !== 'sequence') continue;
    const { sequence } = given;
    catalogue.discard(database, sequence.storage);
    // Those of the first versions have no name of their own.
    const named = catalogue.objectIfThere(sequence.object);
    if (named !== undefined) catalogue.remove(named);
  }
}
