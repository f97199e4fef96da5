/** ALTER DEFAULT PRIVILEGES. */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import {
  allRights,
  type DefaultPrivileges,
  defaultGrants,
  type Grant,
  type RoleDescriptor,
} from '../catalogue/index.js';
import { as, type ast, fields, stringOf, the } from '../parse/index.js';
import { audited } from './audited.js';
import type { DdlContext } from './context.js';
import { askedOf, type Change, changed, changeOf } from './grant.js';
import { kindGranted, schemaNamed } from './grant-objects.js';
import { principalOf, roleOf } from './permission.js';
import { roleSpecs } from './role-spec.js';

export function alterDefaultPrivileges(
  context: DdlContext,
  body: ast.AlterDefaultPrivilegesStmt,
): string {
  const { bind } = context;
  const read = fields(bind.source, 'AlterDefaultPrivilegesStmt', body, ['options', 'action']);
  const action = read.action ?? {};
  let roles: readonly RoleDescriptor[] = [roleOf(context, principalOf(context).role)];
  let schemas: readonly (ObjectId | undefined)[] = [undefined];
  for (const node of read.options ?? []) {
    const { defname, arg } = the(node, 'DefElem');
    const items = as(arg, 'List')?.items ?? [];
    if (defname === 'roles') roles = roleSpecs(context, items);
    else schemas = items.map((item) => schemaNamed(context, stringOf(item)).object);
  }
  const kind = kindGranted(context, action);
  if (kind === 'database') return raise('internal_error', 'databases have no default privileges');
  if (kind === 'schema' && schemas[0] !== undefined) {
    const text = 'cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS';
    raise('invalid_grant_operation', text);
  }
  const rights = askedOf(action.privileges, kind).rights ?? allRights[kind];
  const change = changeOf(context, action);
  for (const { object } of roles) {
    for (const schema of schemas) changeDefaults(context, object, { kind, schema }, rights, change);
  }
  audited(context, bind.source.text.trim());
  return 'ALTER DEFAULT PRIVILEGES';
}

function changeDefaults(
  context: DdlContext,
  object: ObjectId,
  { kind, schema }: Pick<DefaultPrivileges, 'kind' | 'schema'>,
  rights: number,
  change: Change,
): void {
  const { catalogue } = context;
  const role = roleOf(context, object);
  if (!principalOf(context).hasPrivilegesOf(object)) {
    raise('insufficient_privilege', 'permission denied to change default privileges');
  }
  // In a schema they are beside what holds elsewhere.
  const first = schema === undefined ? defaultGrants(kind, object) : [];
  const isIt = (one: DefaultPrivileges): boolean => one.kind === kind && one.schema === schema;
  const before = role.defaultPrivileges.find(isIt)?.privileges ?? first;
  const privileges = changed(context, { owner: object }, before, rights, object, change);
  const others = role.defaultPrivileges.filter((one) => !isIt(one));
  const defaultPrivileges = sameGrants(privileges, first)
    ? others
    : [...others, { kind, schema, privileges }];
  catalogue.put({ ...role, defaultPrivileges, version: role.version + 1 }, role);
}

function sameGrants(a: readonly Grant[], b: readonly Grant[]): boolean {
  const shown = (grants: readonly Grant[]): string =>
    grants
      .map(({ grantee, grantor, rights, options }) => [grantee, grantor, rights, options].join())
      .sort()
      .join(' ');
  return shown(a) === shown(b);
}
