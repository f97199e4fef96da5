/**
 * System relations: pg_catalog, information_schema and what schema shardforge shows, computed from the
 * catalogue of the session's transaction, and the functions that go with them.
 *
 * Guarantees: names, types and order of columns are those of PostgreSQL 15 (facts/); what nobody counts
 * or keeps is NULL or left out, never made up; a lookup by OID or name reads only what it asks for. Must
 * not know: plans, statements, storage.
 */
export { catalogSchema, systemSchemas } from './facts.js';
export { partsOfName } from './functions/registered.js';
export type { SystemColumn, SystemRelation } from './relation.js';
export { systemRelationNamed } from './relations/index.js';
export type { Deparse, Named } from './deparse.js';
export type { SessionReport } from './session-report.js';
export {
  type OwnCursor,
  type OwnStatement,
  SystemCatalogue,
  type SystemHome,
} from './system-catalogue.js';
export { systemViewNamed, type SystemViewText } from './views/index.js';
