/** ON COMMIT DELETE ROWS and ON COMMIT DROP. */
import type { Timestamp, TransactionId } from '../../base/ids.js';
import { type SnapshotReader, TransactionBuffer } from '../../txn/buffer.js';
import {
  CatalogueCache,
  type Descriptor,
  type TableDescriptor,
  temporaryTables,
  TransactionCatalogue,
} from '../catalogue/index.js';
import type { TemporaryStore } from './temporary.js';

/** A transaction has committed: what was to stay until then goes. `newest` shows the state since. */
export function endTemporaryRows(store: TemporaryStore, newest: SnapshotReader): void {
  for (const table of temporaryTables(newest)) {
    if (table.onCommit === 'preserve') continue;
    if (table.onCommit === 'drop') {
      dropAll(store, newest, table);
      continue;
    }
    const storages = [table.storage, ...table.indexes.map(({ storage }) => storage)];
    const discards = storages.map((storage) => discardOf(table, storage));
    store.apply(discards);
  }
}

/** A table with all that depends on it, which is the session's too. */
function dropAll(store: TemporaryStore, newest: SnapshotReader, table: TableDescriptor): void {
  const buffer = new TransactionBuffer(newest);
  const access = { catalogueVersion: 0 };
  const numbers = { take: () => 0n };
  const catalogue = new TransactionCatalogue(access, buffer, new CatalogueCache(), numbers);
  const drop = (object: Descriptor): void => {
    if (catalogue.objectIfThere(object.object) === undefined) return;
    catalogue.remove(object);
    for (const dependent of catalogue.dependents(object.object)) drop(dependent);
    if (object.kind === 'sequence') catalogue.discard(object.database, object.storage);
  };
  buffer.beginStatement();
  drop(table);
  for (const { storage } of [table, ...table.indexes]) catalogue.discard(table.database, storage);
  buffer.endStatement();
  store.apply(buffer.proposal(0 as TransactionId, 0 as Timestamp).writes);
}

function discardOf({ database }: TableDescriptor, storage: TableDescriptor['storage']) {
  return { op: 'discard', database, storage } as const;
}
