/** COMMENT ON. */
import { raise } from '../../base/errors.js';
import type { Descriptor, TableDescriptor } from '../catalogue/index.js';
import { userDatabase } from '../catalogue/index.js';
import { as, type ast, fields, notSupported, stringsOf, the } from '../parse/index.js';
import { type DdlContext, pathOf, shownName } from './context.js';
import { findFunction } from './find-function.js';
import { databaseNamed, principalOf, requireOwner, roleNamed } from './permission.js';

export function comment(context: DdlContext, body: ast.CommentStmt): string {
  const { bind } = context;
  const read = fields(bind.source, 'CommentStmt', body, ['objtype', 'object', 'comment']);
  const text = read.comment === undefined || read.comment === '' ? undefined : read.comment;
  switch (read.objtype) {
    case 'OBJECT_TABLE':
    case 'OBJECT_VIEW':
    case 'OBJECT_SEQUENCE':
    case 'OBJECT_INDEX': {
      const kind = read.objtype.slice('OBJECT_'.length).toLowerCase();
      put(context, relation(context, kind, stringsOf(as(read.object, 'List')?.items)), text);
      break;
    }
    case 'OBJECT_COLUMN':
      commentColumn(context, stringsOf(as(read.object, 'List')?.items), text);
      break;
    case 'OBJECT_TABCONSTRAINT':
      commentConstraint(context, stringsOf(as(read.object, 'List')?.items), text);
      break;
    case 'OBJECT_TYPE':
    case 'OBJECT_DOMAIN': {
      const { schema, name } = pathOf(context, the(read.object, 'TypeName').names);
      const type = bind.catalogue.type(schema, name);
      if (type === undefined) {
        raise('undefined_object', `type "${shownName(schema, name)}" does not exist`);
      }
      put(context, type, text);
      break;
    }
    case 'OBJECT_FUNCTION': {
      const found = findFunction(context, the(read.object, 'ObjectWithArgs'), false);
      if (found !== undefined) put(context, found, text);
      break;
    }
    case 'OBJECT_SCHEMA': {
      const name = as(read.object, 'String')?.sval ?? '';
      const found = context.catalogue.schema(userDatabase, name);
      if (found === undefined) raise('invalid_schema_name', `schema "${name}" does not exist`);
      put(context, found, text);
      break;
    }
    case 'OBJECT_ROLE':
      commentRole(context, as(read.object, 'String')?.sval ?? '', text);
      break;
    case 'OBJECT_DATABASE':
      put(context, databaseNamed(context, as(read.object, 'String')?.sval ?? ''), text);
      break;
    default: {
      const what = (read.objtype ?? '').replace('OBJECT_', '').replaceAll('_', ' ');
      notSupported(bind.source, `COMMENT ON ${what}`, undefined);
    }
  }
  return 'COMMENT';
}

function commentRole(context: DdlContext, name: string, text: string | undefined): void {
  const role = roleNamed(context, name);
  const principal = principalOf(context);
  if (!principal.isSuperuser) {
    const needed = role.superuser ? 'SUPERUSER' : 'CREATEROLE';
    const has = !role.superuser && principal.descriptor?.createRole === true;
    const detail = has
      ? `The current user must have the ADMIN option on role "${name}".`
      : `The current user must have the ${needed} attribute.`;
    if (!has || !principal.isAdminOf(role.object)) {
      raise('insufficient_privilege', 'permission denied', { detail });
    }
  }
  context.catalogue.put({ ...role, comment: text, version: role.version + 1 }, role);
}

function put(context: DdlContext, object: Descriptor, text: string | undefined): void {
  requireOwner(context, object);
  context.catalogue.put({ ...object, comment: text, version: object.version + 1 }, object);
}

function relation({ bind }: DdlContext, kind: string, path: readonly string[]): Descriptor {
  const [schema, name = ''] = [path.at(-2), path.at(-1)];
  const found = bind.catalogue.relation(schema, name);
  if (found === undefined) {
    return raise('undefined_table', `relation "${shownName(schema, name)}" does not exist`);
  }
  if (found.kind === kind) return found;
  return raise('wrong_object_type', `"${name}" is not ${kind === 'index' ? 'an' : 'a'} ${kind}`);
}

function commentColumn(
  context: DdlContext,
  path: readonly string[],
  text: string | undefined,
): void {
  const table = relation(context, 'table', path.slice(0, -1)) as TableDescriptor;
  requireOwner(context, table, 'relation');
  const name = path.at(-1) ?? '';
  if (!table.columns.some((column) => column.name === name)) {
    const error = `column "${name}" of relation "${table.name}" does not exist`;
    raise('undefined_column', error);
  }
  const columns = table.columns.map((column) =>
    column.name === name ? { ...column, comment: text } : column,
  );
  context.catalogue.put({ ...table, columns, version: table.version + 1 }, table);
}

function commentConstraint(
  context: DdlContext,
  path: readonly string[],
  text: string | undefined,
): void {
  const table = relation(context, 'table', path.slice(0, -1)) as TableDescriptor;
  const name = path.at(-1) ?? '';
  requireOwner(context, table);
  const said = <T extends { readonly name: string }>(one: T): T =>
    one.name === name ? { ...one, comment: text } : one;
  const all = [...table.checks, ...table.foreignKeys, ...table.indexes];
  if (!all.some((one) => one.name === name) && table.primaryKeyName !== name) {
    raise('undefined_object', `constraint "${name}" for table "${table.name}" does not exist`);
  }
  const changed = {
    checks: table.checks.map(said),
    foreignKeys: table.foreignKeys.map(said),
    indexes: table.indexes.map(said),
  };
  context.catalogue.put({ ...table, ...changed, version: table.version + 1 }, table);
}
