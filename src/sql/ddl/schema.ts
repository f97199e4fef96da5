/** CREATE SCHEMA. */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { type RoleDescriptor, right, userDatabase } from '../catalogue/index.js';
import { type ast, fields, notSupported } from '../parse/index.js';
import { systemSchemas } from '../system/index.js';
import type { DdlContext } from './context.js';
import { ownershipOf } from './ownership.js';
import { principalOf, requireMember } from './permission.js';
import { roleSpec } from './role-spec.js';

export function createSchema(context: DdlContext, body: ast.CreateSchemaStmt): string {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'CreateSchemaStmt', body, [
    ...(['schemaname', 'authrole', 'schemaElts', 'if_not_exists'] as const),
  ]);
  if (read.schemaElts !== undefined) {
    notSupported(bind.source, 'CREATE SCHEMA with elements', undefined);
  }
  const given = read.authrole && roleSpec(context, read.authrole);
  const name = read.schemaname ?? given?.name ?? bind.functions.user;
  requireCreate(context, given);
  if (name.startsWith('pg_')) {
    raise('reserved_name', `unacceptable schema name "${name}"`, {
      detail: 'The prefix "pg_" is reserved for system schemas.',
    });
  }
  if (bind.catalogue.hasSchema(name) || systemSchemas.has(name)) {
    const text = `schema "${name}" already exists`;
    if (read.if_not_exists !== true) raise('duplicate_schema', text);
    context.notice(`${text}, skipping`, '42P06');
    return 'CREATE SCHEMA';
  }
  const own = ownershipOf(context, 'schema', undefined);
  const ownership = given === undefined ? own : { owner: given.object, privileges: undefined };
  catalogue.put({
    kind: 'schema',
    object: catalogue.newId(userDatabase) as ObjectId,
    version: 1,
    database: userDatabase,
    schema: name,
    name,
    comment: undefined,
    ...ownership,
  });
  return 'CREATE SCHEMA';
}

/** Raises insufficient_privilege unless the role may make a schema, which may be another's. */
function requireCreate(context: DdlContext, owner: RoleDescriptor | undefined): void {
  const { bind, catalogue } = context;
  if ((principalOf(context).rightsOn(catalogue.database) & right.create) === 0) {
    const text = `permission denied for database ${bind.functions.database}`;
    raise('insufficient_privilege', text);
  }
  if (owner !== undefined) requireMember(context, owner);
}
