/** GRANT and REVOKE of roles. */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import {
  databaseOwnerRole,
  type Membership,
  Principal,
  type RoleDescriptor,
} from '../catalogue/index.js';
import { as, type ast, fields, notSupported, the } from '../parse/index.js';
import { audited } from './audited.js';
import type { DdlContext } from './context.js';
import { principalOf, roleNamed } from './permission.js';
import { roleSpec, roleSpecs } from './role-spec.js';

/** What is said of a membership; undefined: nothing. */
export interface MembershipOptions {
  readonly admin: boolean | undefined;
  readonly inherit: boolean | undefined;
  readonly set: boolean | undefined;
}

export function grantRole(context: DdlContext, body: ast.GrantRoleStmt): string {
  const { bind } = context;
  const read = fields(bind.source, 'GrantRoleStmt', body, [
    ...(['granted_roles', 'grantee_roles', 'is_grant', 'opt', 'grantor', 'behavior'] as const),
  ]);
  const grants = read.is_grant === true;
  const grantor = read.grantor === undefined ? undefined : roleSpec(context, read.grantor);
  if (grantor !== undefined) checkGrantor(context, grantor);
  const members = roleSpecs(context, read.grantee_roles);
  const options = optionsOf(context, read.opt);
  for (const node of read.granted_roles ?? []) {
    const { priv_name: name = '', cols } = the(node, 'AccessPriv');
    if (cols !== undefined) {
      const text = 'column names cannot be included in GRANT/REVOKE ROLE';
      raise('invalid_grant_operation', text);
    }
    const role = roleNamed(context, name);
    if (grants) addMembers(context, role, members, options, grantor?.object);
    else {
      const only = (['admin', 'inherit', 'set'] as const).find((one) => options[one] !== undefined);
      const cascade = read.behavior === 'DROP_CASCADE';
      removeMembers(context, role, members, { cascade, only });
    }
  }
  const tag = grants ? 'GRANT ROLE' : 'REVOKE ROLE';
  audited(context, bind.source.text.trim());
  return tag;
}

function checkGrantor(context: DdlContext, grantor: RoleDescriptor): void {
  const principal = principalOf(context);
  if (principal.isSuperuser || grantor.object === principal.role) return;
  raise('insufficient_privilege', 'must be superuser to set grantor');
}

function optionsOf(
  { bind }: DdlContext,
  nodes: readonly ast.Node[] | undefined,
): MembershipOptions {
  const given: { -readonly [K in keyof MembershipOptions]: MembershipOptions[K] } = {
    ...{ admin: undefined, inherit: undefined, set: undefined },
  };
  for (const node of nodes ?? []) {
    const { defname = '', arg, location } = the(node, 'DefElem');
    if (defname !== 'admin' && defname !== 'inherit' && defname !== 'set') {
      notSupported(bind.source, `role option ${defname.toUpperCase()}`, location);
    }
    given[defname] = as(arg, 'Boolean')?.boolval === true;
  }
  return given;
}

/** The admin option on the role, or CREATEROLE for roles that are no superusers. */
function requireAdmin(context: DdlContext, role: RoleDescriptor): void {
  const principal = principalOf(context);
  if (principal.isSuperuser) return;
  if (role.superuser) raise('insufficient_privilege', 'must be superuser to alter superusers');
  if (principal.descriptor?.createRole === true || principal.isAdminOf(role.object)) return;
  raise('insufficient_privilege', `must have admin option on role "${role.name}"`);
}

/** Makes roles members of `role`, or changes the options of those that are. */
export function addMembers(
  context: DdlContext,
  role: RoleDescriptor,
  members: readonly RoleDescriptor[],
  options: MembershipOptions,
  grantor: ObjectId | undefined,
): void {
  const { catalogue } = context;
  if (members.length === 0) return;
  requireAdmin(context, role);
  for (const { object } of members) {
    const member = catalogue.object(object) as RoleDescriptor;
    if (role.object === databaseOwnerRole) {
      const text = `role "${role.name}" cannot have explicit members`;
      raise('invalid_grant_operation', text);
    }
    if (new Principal(role.object, catalogue).memberships.has(object)) {
      const text = `role "${role.name}" is a member of role "${member.name}"`;
      raise('invalid_grant_operation', text);
    }
    const before = member.memberOf.find((one) => one.role === role.object);
    const says = Object.values(options).some((option) => option !== undefined && option);
    if (
      before !== undefined &&
      !says &&
      options.inherit === undefined &&
      options.set === undefined
    ) {
      const text = `role "${member.name}" is already a member of role "${role.name}"`;
      context.notice(text);
      continue;
    }
    const now: Membership = {
      role: role.object,
      grantor: grantor ?? principalOf(context).role,
      admin: options.admin ?? before?.admin ?? false,
      inherit: options.inherit ?? before?.inherit,
      set: options.set ?? before?.set ?? true,
    };
    const others = member.memberOf.filter((one) => one.role !== role.object);
    put(context, member, [...others, now]);
  }
}

/** Takes memberships away, or only an option of them. */
export function removeMembers(
  context: DdlContext,
  role: RoleDescriptor,
  members: readonly RoleDescriptor[],
  how: { readonly cascade: boolean; readonly only: keyof MembershipOptions | undefined },
): void {
  if (members.length === 0) return;
  requireAdmin(context, role);
  for (const { object } of members) {
    const member = context.catalogue.object(object) as RoleDescriptor;
    const before = member.memberOf.find((one) => one.role === role.object);
    if (before === undefined) {
      const text = `role "${member.name}" is not a member of role "${role.name}"`;
      context.notice(text, '01000');
      continue;
    }
    const { only } = how;
    const others = member.memberOf.filter((one) => one !== before);
    if (only === undefined) put(context, member, others);
    else put(context, member, [...others, { ...before, [only]: false }]);
  }
}

function put(
  { catalogue }: DdlContext,
  member: RoleDescriptor,
  memberOf: readonly Membership[],
): void {
  catalogue.put({ ...member, memberOf, version: member.version + 1 }, member);
}
