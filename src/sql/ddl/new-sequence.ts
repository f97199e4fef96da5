/** New sequences. */
import type { DatabaseId, ObjectId, StorageId } from '../../base/ids.js';
import type { SequenceDescriptor, TransactionCatalogue } from '../catalogue/index.js';
import type { Ownership } from './ownership.js';

/** A sequence with all options at their defaults. A statement of the catalogue's buffer is open. */
export function emptySequence(
  catalogue: TransactionCatalogue,
  place: { readonly database: DatabaseId; readonly schema: string; readonly name: string },
  { owner, privileges }: Ownership,
): SequenceDescriptor {
  const { database, schema, name } = place;
  return {
    kind: 'sequence',
    object: catalogue.newId(database) as ObjectId,
    version: 1,
    ...{ database, schema, name },
    storage: catalogue.newId(database) as StorageId,
    comment: undefined,
    ...{ owner, privileges },
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
