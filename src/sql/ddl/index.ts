/**
 * DDL: the statements that change the catalogue. Each reads its syntax tree, checks it against the
 * catalogue that it sees, changes descriptors and, where rows must fit the new definition, runs
 * statements of its own within the same transaction.
 *
 * Guarantees: PostgreSQL's errors; all of a statement or nothing (the caller takes back what a failed one
 * did); writes planned with an older definition are refused. Must not know: sessions, commits.
 */
export { audited } from './audited.js';
export { type DdlContext, type DdlWork, noPrepared } from './context.js';
export { ddlName, isDdl, runDdl } from './run.js';
