/**
 * The catalogue: what tables there are, kept as versioned rows of the system database in the same
 * key space and transactions as all data, so that DDL is transactional.
 *
 * Guarantees: a transaction sees the tables of its snapshot with its own changes; a dropped table's
 * data is discarded and writes planned with it are refused (fence). Must not know: SQL text, plans.
 */
export { CatalogueCache, TransactionCatalogue, userDatabase } from './catalogue.js';
export type {
  ColumnDefault,
  ColumnDescriptor,
  SequenceDescriptor,
  TableDescriptor,
} from './descriptor.js';
export type { NumberSource } from './numbers.js';
