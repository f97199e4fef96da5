/**
 * The catalogue: what tables, views, sequences, types, functions and schemas there are, kept as
 * versioned rows of the system database in the same key space and transactions as all data, so that
 * DDL is transactional.
 *
 * Guarantees: a transaction sees the objects of its snapshot with its own changes; writes planned with
 * a table that was changed or dropped since are refused (fence); descriptors of earlier versions are
 * read. Must not know: SQL text, plans.
 */
export {
  CatalogueCache,
  type TemporaryIds,
  temporaryTables,
  TransactionCatalogue,
  userDatabase,
} from './catalogue.js';
export { dependenciesOf } from './dependencies.js';
export type {
  CheckDescriptor,
  ColumnDefault,
  ColumnDescriptor,
  ConstraintTiming,
  Descriptor,
  ForeignKeyAction,
  ForeignKeyDescriptor,
  FunctionDescriptor,
  FunctionParameter,
  IndexDescriptor,
  IndexKey,
  IndexName,
  PartitionBound,
  Partitioning,
  PartitionKey,
  RangeDatum,
  Reference,
  RelationDescriptor,
  SchemaDescriptor,
  SequenceDescriptor,
  TableDescriptor,
  TypeDefinition,
  TypeDescriptor,
  ViewColumn,
  ViewDescriptor,
} from './descriptor.js';
export { type CatalogueLookup, noObjects, tableNamed } from './names.js';
export type { NumberSource } from './numbers.js';
export { type Found, isAsFound, RecordingLookup } from './recording.js';
export { PathLookup } from './path.js';
export {
  descriptorKey,
  firstOid,
  firstTemporaryId,
  objectOfType,
  schemaKey,
  temporaryDatabase,
  temporarySchema,
} from './rows.js';
export { rowTypeNameOf, typeNameOf } from './type-names.js';
