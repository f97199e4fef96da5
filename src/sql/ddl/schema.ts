/** CREATE SCHEMA. */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { userDatabase } from '../catalogue/index.js';
import { type ast, fields, notSupported } from '../parse/index.js';
import type { DdlContext } from './context.js';
import { ownershipOf } from './ownership.js';

export function createSchema(context: DdlContext, body: ast.CreateSchemaStmt): string {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'CreateSchemaStmt', body, [
    ...(['schemaname', 'authrole', 'schemaElts', 'if_not_exists'] as const),
  ]);
  if (read.schemaElts !== undefined) {
    notSupported(bind.source, 'CREATE SCHEMA with elements', undefined);
  }
  // Whoever owns it: there are no roles yet, and the schema of a role bears its name.
  const name = read.schemaname ?? read.authrole?.rolename ?? bind.functions.user;
  if (name.startsWith('pg_')) {
    raise('reserved_name', `unacceptable schema name "${name}"`, {
      detail: 'The prefix "pg_" is reserved for system schemas.',
    });
  }
  if (bind.catalogue.hasSchema(name)) {
    const text = `schema "${name}" already exists`;
    if (read.if_not_exists !== true) raise('duplicate_schema', text);
    context.notice(`${text}, skipping`, '42P06');
    return 'CREATE SCHEMA';
  }
  catalogue.put({
    kind: 'schema',
    object: catalogue.newId(userDatabase) as ObjectId,
    version: 1,
    database: userDatabase,
    schema: name,
    name,
    comment: undefined,
    ...ownershipOf(context, 'schema', undefined),
  });
  return 'CREATE SCHEMA';
}
