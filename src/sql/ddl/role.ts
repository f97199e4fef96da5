/** CREATE, ALTER and DROP of roles: users and groups are roles. */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { apiTokens, removeToken } from '../accounts/index.js';
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
import { addCreator, addMembers, nothingSaid, removeMembers } from './membership.js';
import { principalOf, roleNamed, sessionRole } from './permission.js';
import { roleOptions, type RoleOptions } from './role-options.js';
import { roleSpec, roleSpecs } from './role-spec.js';
import { refuseUsed } from './role-uses.js';

type Verb = 'create' | 'alter' | 'drop' | 'rename';

function denied(verb: Verb, detail: string): never {
  raise('insufficient_privilege', `permission denied to ${verb} role`, { detail });
}

/** A role that nobody but a superuser touches. */
function requireSuperuser(verb: Verb): never {
  const detail = `Only roles with the SUPERUSER attribute may ${verb} roles with the SUPERUSER attribute.`;
  return denied(verb, detail);
}

/** CREATEROLE and the admin option: who may change a role. */
function mayManage(context: DdlContext, role: RoleDescriptor): boolean {
  const principal = principalOf(context);
  return principal.isSuperuser || (mayCreate(context) && principal.isAdminOf(role.object));
}

function mayCreate(context: DdlContext): boolean {
  const principal = principalOf(context);
  return principal.isSuperuser || principal.descriptor?.createRole === true;
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
  if (!mayCreate(context)) {
    denied('create', 'Only roles with the CREATEROLE attribute may create roles.');
  }
  checkAttributes(context, (flag, word) => {
    if (attributes[flag] !== true) return;
    const detail = `Only roles with the ${word} attribute may create roles with the ${word} attribute.`;
    denied('create', detail);
  });
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
  for (const one of roleSpecs(context, options.into)) {
    addMembers(context, one, [role], nothingSaid);
  }
  // Who made it administers it.
  if (!principal.isSuperuser) addCreator(context, role);
  addMembers(context, role, roleSpecs(context, options.members), nothingSaid);
  addMembers(context, role, roleSpecs(context, options.admins), { ...nothingSaid, admin: true });
  audited(context, `CREATE ROLE ${name}`);
  return 'CREATE ROLE';
}

/** Attributes that only those give who have them. */
function checkAttributes(
  context: DdlContext,
  refuse: (
    flag: 'superuser' | 'createDatabase' | 'replication' | 'bypassRowSecurity',
    word: string,
  ) => void,
): void {
  const principal = principalOf(context);
  if (principal.isSuperuser) return;
  const own = principal.descriptor;
  if (own?.superuser !== true) refuse('superuser', 'SUPERUSER');
  if (own?.createDatabase !== true) refuse('createDatabase', 'CREATEDB');
  if (own?.replication !== true) refuse('replication', 'REPLICATION');
  if (own?.bypassRowSecurity !== true) refuse('bypassRowSecurity', 'BYPASSRLS');
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
    raise('feature_not_supported', 'permission denied to alter role', {
      detail: 'The bootstrap superuser must have the SUPERUSER attribute.',
    });
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
  const members = roleSpecs(context, options.members);
  if (read.action === 1) addMembers(context, role, members, nothingSaid);
  else removeMembers(context, role, members, { cascade: false, only: undefined });
  audited(context, `ALTER ROLE ${role.name}${password === undefined ? '' : ' (password)'}`);
  return 'ALTER ROLE';
}

/** Who may change what of a role. */
function checkAlter(context: DdlContext, role: RoleDescriptor, options: RoleOptions): void {
  const principal = principalOf(context);
  if (principal.isSuperuser) return;
  const { attributes, password, members } = options;
  if (role.superuser) requireSuperuser('alter');
  if (attributes.superuser !== undefined) {
    denied('alter', 'Only roles with the SUPERUSER attribute may change the SUPERUSER attribute.');
  }
  if (mayManage(context, role)) {
    checkAttributes(context, (flag, word) => {
      if (attributes[flag] === undefined) return;
      denied('alter', `Only roles with the ${word} attribute may change the ${word} attribute.`);
    });
  } else {
    if (Object.keys(attributes).length > 0) denied('alter', managers(role, 'alter'));
    if (password !== undefined && role.object !== principal.role) {
      const detail =
        "To change another role's password, the current user must have the CREATEROLE attribute and the ADMIN option on the role.";
      denied('alter', detail);
    }
  }
  if (members !== undefined && !principal.isAdminOf(role.object)) {
    const who = `Only roles with the ADMIN option on role "${role.name}"`;
    denied('alter', `${who} may add or drop members.`);
  }
}

function managers(role: RoleDescriptor, verb: Verb): string {
  return `Only roles with the CREATEROLE attribute and the ADMIN option on role "${role.name}" may ${verb} this role.`;
}

export function dropRole(context: DdlContext, body: ast.DropRoleStmt): string {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'DropRoleStmt', body, ['roles', 'missing_ok']);
  if (!mayCreate(context)) {
    const detail =
      'Only roles with the CREATEROLE attribute and the ADMIN option on the target roles may drop roles.';
    denied('drop', detail);
  }
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
  if (role.superuser && !principal.isSuperuser) requireSuperuser('drop');
  if (!mayManage(context, role)) denied('drop', managers(role, 'drop'));
  if (builtIn(role.object) !== undefined) {
    const text = `cannot drop role ${role.name} because it is required by the database system`;
    raise('dependent_objects_still_exist', text);
  }
  refuseUsed(context, role);
  for (const one of catalogue.dependents(role.object)) {
    if (one.kind !== 'role') continue;
    const memberOf = one.memberOf.filter((membership) => membership.role !== role.object);
    catalogue.put({ ...one, memberOf, version: one.version + 1 }, one);
  }
  catalogue.remove(catalogue.object(role.object));
  const { buffer } = context.execution;
  for (const token of apiTokens(buffer)) if (token.role === role.object) removeToken(buffer, token);
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
  if (role.superuser && !principal.isSuperuser) requireSuperuser('rename');
  if (!mayManage(context, role)) denied('rename', managers(role, 'rename'));
  catalogue.put({ ...role, name: to, version: role.version + 1 }, role);
  audited(context, `ALTER ROLE ${name} RENAME TO ${to}`);
  return 'ALTER ROLE';
}
