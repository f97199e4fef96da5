/** CREATE, ALTER and DROP of roles: users and groups are roles. */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { verifierOf } from '../accounts/scram.js';
import {
  bootstrapRole,
  builtIn,
  plainRole,
  type RoleDescriptor,
  userDatabase,
} from '../catalogue/index.js';
import { type ast, fields, the } from '../parse/index.js';
import { audited } from './audited.js';
import type { DdlContext, DdlWork } from './context.js';
import { addMembers, removeMembers } from './membership.js';
import { principalOf, roleNamed, sessionRole } from './permission.js';
import { roleOptions, type RoleOptions } from './role-options.js';
import { roleSpec } from './role-spec.js';
import { refuseUsed } from './role-uses.js';

function denied(text: string): never {
  raise('insufficient_privilege', text);
}

/** Names that are kept for the system. */
function refuseReserved(name: string): void {
  if (name.startsWith('pg_')) {
    raise('reserved_name', `role name "${name}" is reserved`, {
      detail: 'Role names starting with "pg_" are reserved.',
    });
  }
  if (name === 'public' || name === 'none') {
    raise('reserved_name', `role name "${name}" is reserved`);
  }
}

export function* createRole(context: DdlContext, body: ast.CreateRoleStmt): DdlWork {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'CreateRoleStmt', body, ['stmt_type', 'role', 'options']);
  const name = read.role ?? '';
  const options = roleOptions(context, read.options);
  const { attributes } = options;
  const principal = principalOf(context);
  if (!principal.isSuperuser) {
    if (attributes.superuser === true) denied('must be superuser to create superusers');
    if (attributes.replication === true) denied('must be superuser to create replication users');
    if (attributes.bypassRowSecurity === true)
      denied('must be superuser to create bypassrls users');
    if (principal.descriptor?.createRole !== true) denied('permission denied to create role');
  }
  refuseReserved(name);
  if (catalogue.role(name) !== undefined) {
    raise('duplicate_object', `role "${name}" already exists`);
  }
  const login = read.stmt_type === 'ROLESTMT_USER';
  const role: RoleDescriptor = {
    ...plainRole,
    object: catalogue.newId(userDatabase) as ObjectId,
    version: 1,
    name,
    login,
    ...attributes,
    verifier: yield* verifier(context, options),
  };
  catalogue.put(role);
  const given = { admin: false, inherit: undefined, set: undefined };
  for (const one of options.into) addMembers(context, one, [role], given, undefined);
  addMembers(context, role, options.members ?? [], given, undefined);
  addMembers(context, role, options.admins, { ...given, admin: true }, undefined);
  audited(context, `CREATE ROLE ${name}`);
  return 'CREATE ROLE';
}

function* verifier({ bind }: DdlContext, { password }: RoleOptions): DdlWork<string | undefined> {
  if (password === null || password === undefined) return undefined;
  return yield* verifierOf(password, bind.functions.random);
}

/** ALTER ROLE, and ALTER GROUP ... ADD and DROP USER. */
export function* alterRole(context: DdlContext, body: ast.AlterRoleStmt): DdlWork {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'AlterRoleStmt', body, ['role', 'options', 'action']);
  const options = roleOptions(context, read.options);
  const role = roleSpec(context, read.role ?? {});
  checkAlter(context, role, options);
  const { attributes, password } = options;
  if (role.object === bootstrapRole && attributes.superuser === false) {
    raise('feature_not_supported', 'the bootstrap user must have the SUPERUSER attribute');
  }
  if (Object.keys(attributes).length > 0 || password !== undefined) {
    const own = yield* verifier(context, options);
    const now = catalogue.object(role.object) as RoleDescriptor;
    const changed = {
      ...now,
      ...attributes,
      verifier: password === undefined ? now.verifier : own,
      version: now.version + 1,
    };
    catalogue.put(changed, now);
  }
  const given = { admin: false, inherit: undefined, set: undefined };
  const { members = [] } = options;
  if (read.action === 1) addMembers(context, role, members, given, undefined);
  else removeMembers(context, role, members, { cascade: false, only: undefined });
  audited(context, `ALTER ROLE ${role.name}${password === undefined ? '' : ' (password)'}`);
  return 'ALTER ROLE';
}

/** Who may change what of a role (PostgreSQL 15's rules). */
function checkAlter(context: DdlContext, role: RoleDescriptor, options: RoleOptions): void {
  const principal = principalOf(context);
  if (principal.isSuperuser) return;
  const { attributes, password, members } = options;
  if (role.superuser || attributes.superuser !== undefined) {
    denied('must be superuser to alter superuser roles or change superuser attribute');
  }
  if (role.replication || attributes.replication !== undefined) {
    denied('must be superuser to alter replication roles or change replication attribute');
  }
  if (attributes.bypassRowSecurity !== undefined) {
    denied('must be superuser to change bypassrls attribute');
  }
  if (principal.descriptor?.createRole === true) return;
  const onlyPassword =
    password !== undefined && Object.keys(attributes).length === 0 && members === undefined;
  if (onlyPassword && role.object === principal.role) return;
  // Members are a matter of the admin option.
  if (members !== undefined && Object.keys(attributes).length === 0 && password === undefined)
    return;
  denied('permission denied');
}

export function dropRole(context: DdlContext, body: ast.DropRoleStmt): string {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'DropRoleStmt', body, ['roles', 'missing_ok']);
  const principal = principalOf(context);
  const mayDrop = principal.isSuperuser || principal.descriptor?.createRole === true;
  if (!mayDrop) denied('permission denied to drop role');
  for (const node of read.roles ?? []) {
    const spec = the(node, 'RoleSpec');
    if (spec.roletype !== 'ROLESPEC_CSTRING') {
      raise('syntax_error', 'cannot use special role specifier in DROP ROLE');
    }
    const name = spec.rolename ?? '';
    const role = catalogue.role(name);
    if (role === undefined) {
      if (read.missing_ok !== true) roleNamed(context, name);
      context.notice(`role "${name}" does not exist, skipping`);
      continue;
    }
    dropOne(context, role);
  }
  return 'DROP ROLE';
}

function dropOne(context: DdlContext, role: RoleDescriptor): void {
  const { catalogue } = context;
  const principal = principalOf(context);
  if (role.object === principal.role) raise('object_in_use', 'current user cannot be dropped');
  if (role.object === sessionRole(context)?.object) {
    raise('object_in_use', 'session user cannot be dropped');
  }
  if (role.superuser && !principal.isSuperuser) denied('must be superuser to drop superusers');
  if (builtIn(role.object) !== undefined) {
    const text = `cannot drop role ${role.name} because it is required by the database system`;
    raise('dependent_objects_still_exist', text);
  }
  refuseUsed(context, role);
  for (const one of catalogue.dependents(role.object)) {
    if (one.kind !== 'role') continue;
    const memberOf = one.memberOf
      .filter((membership) => membership.role !== role.object)
      .map((membership) =>
        membership.grantor === role.object ? { ...membership, grantor: bootstrapRole } : membership,
      );
    catalogue.put({ ...one, memberOf, version: one.version + 1 }, one);
  }
  catalogue.remove(catalogue.object(role.object));
  audited(context, `DROP ROLE ${role.name}`);
}

/** ALTER ROLE ... RENAME TO. */
export function renameRole(context: DdlContext, name: string, to: string): string {
  const { catalogue } = context;
  const principal = principalOf(context);
  const role = roleNamed(context, name);
  if (role.object === sessionRole(context)?.object) {
    raise('feature_not_supported', 'session user cannot be renamed');
  }
  if (role.object === principal.role) {
    raise('feature_not_supported', 'current user cannot be renamed');
  }
  refuseReserved(name);
  refuseReserved(to);
  if (catalogue.role(to) !== undefined) raise('duplicate_object', `role "${to}" already exists`);
  if (role.superuser && !principal.isSuperuser) denied('must be superuser to rename superusers');
  if (!principal.isSuperuser && principal.descriptor?.createRole !== true) {
    denied('permission denied to rename role');
  }
  catalogue.put({ ...role, name: to, version: role.version + 1 }, role);
  audited(context, `ALTER ROLE ${name} RENAME TO ${to}`);
  return 'ALTER ROLE';
}
