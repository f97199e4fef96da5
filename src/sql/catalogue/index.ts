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
export {
  bootstrapRole,
  bootstrapRoleName,
  builtIn,
  databaseObject,
  databaseOwnerRole,
  firstOid,
  objectOfOid,
  oidOf,
  plainRole,
  predefinedRole,
  type PredefinedRole,
  publicSchemaObject,
} from './built-in.js';
export { dependenciesOf } from './dependencies.js';
export {
  allRights,
  columnRights,
  defaultGrants,
  everyone,
  type Grant,
  type GrantableKind,
  right,
} from './grants.js';
export type {
  CheckDescriptor,
  ColumnDefault,
  ColumnDescriptor,
  ConstraintTiming,
  DatabaseDescriptor,
  DefaultPrivileges,
  Descriptor,
  ForeignKeyAction,
  ForeignKeyDescriptor,
  FunctionDescriptor,
  FunctionParameter,
  IndexDescriptor,
  IndexKey,
  IndexName,
  InitialSetting,
  Membership,
  OwnedDescriptor,
  PartitionBound,
  Partitioning,
  PartitionKey,
  RangeDatum,
  Reference,
  RelationDescriptor,
  RoleDescriptor,
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
  grantableKind,
  grantsOn,
  Principal,
  type RoleReader,
  unrestricted,
} from './principal.js';
export {
  descriptorKey,
  firstTemporaryId,
  objectOfType,
  schemaKey,
  temporaryDatabase,
  temporarySchema,
} from './rows.js';
export { arrayOidOf, elementOidOf, rowTypeNameOf, typeNameOf } from './type-names.js';
