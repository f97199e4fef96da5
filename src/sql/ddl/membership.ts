/** GRANT and REVOKE of roles, as from PostgreSQL 16 on: who grants it is a part of a membership. */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import {
  bootstrapRole,
  databaseOwnerRole,
  type Membership,
  Principal,
  type RoleDescriptor,
} from '../catalogue/index.js';
import { as, type ast, fields, notSupported, the } from '../parse/index.js';
import { audited } from './audited.js';
import type { DdlContext } from './context.js';
import { principalOf, roleNamed, roleOf } from './permission.js';
import { roleSpec, roleSpecs } from './role-spec.js';

/** What is said of a membership; undefined: nothing. */
export interface MembershipOptions {
  readonly admin: boolean | undefined;
  readonly inherit: boolean | undefined;
  readonly set: boolean | undefined;
}

export const nothingSaid: MembershipOptions = {
  admin: undefined,
  inherit: undefined,
  set: undefined,
};

export function grantRole(context: DdlContext, body: ast.GrantRoleStmt): string {
  const { bind } = context;
  const read = fields(bind.source, 'GrantRoleStmt', body, [
    ...(['granted_roles', 'grantee_roles', 'is_grant', 'opt', 'grantor', 'behavior'] as const),
  ]);
  const grants = read.is_grant === true;
  const grantor = read.grantor && roleSpec(context, read.grantor).object;
  const members = roleSpecs(context, read.grantee_roles);
  const options = optionsOf(context, read.opt);
  for (const node of read.granted_roles ?? []) {
    const { priv_name: name = '', cols } = the(node, 'AccessPriv');
    if (cols !== undefined) {
      const text = 'column names cannot be included in GRANT/REVOKE ROLE';
      raise('invalid_grant_operation', text);
    }
    const role = roleNamed(context, name);
    if (grants) addMembers(context, role, members, options, grantor);
    else {
      const only = (['admin', 'inherit', 'set'] as const).find((one) => options[one] !== undefined);
      const cascade = read.behavior === 'DROP_CASCADE';
      removeMembers(context, role, members, { cascade, only }, grantor);
    }
  }
  audited(context, bind.source.text.trim());
  return grants ? 'GRANT ROLE' : 'REVOKE ROLE';
}

function optionsOf(
  { bind }: DdlContext,
  nodes: readonly ast.Node[] | undefined,
): MembershipOptions {
  const given: { -readonly [K in keyof MembershipOptions]: MembershipOptions[K] } = {
    ...nothingSaid,
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

type Verb = 'grant' | 'revoke';

/** As the statement has left it so far: it may have made the role that it grants. */
function principalNow(context: DdlContext): Principal {
  return new Principal(principalOf(context).role, context.catalogue);
}

/** Raises insufficient_privilege unless the statement's role may grant or revoke the other. */
function requireAdmin(context: DdlContext, role: RoleDescriptor, verb: Verb): void {
  const principal = principalNow(context);
  if (role.object === databaseOwnerRole && verb === 'grant') {
    const text = `role "${role.name}" cannot have explicit members`;
    raise('feature_not_supported', text);
  }
  if (principal.isSuperuser) return;
  if (!role.superuser && principal.isAdminOf(role.object)) return;
  raise('insufficient_privilege', `permission denied to ${verb} role "${role.name}"`, {
    detail: role.superuser
      ? `Only roles with the SUPERUSER attribute may ${verb} roles with the SUPERUSER attribute.`
      : `Only roles with the ADMIN option on role "${role.name}" may ${verb} this role.`,
  });
}

/** Who grants: whom the statement names, or whose admin option it goes by. */
function grantorOf(
  context: DdlContext,
  role: RoleDescriptor,
  given: ObjectId | undefined,
  verb: Verb,
): ObjectId {
  const principal = principalNow(context);
  if (given === undefined) {
    const best = principal.bestAdminOf(role.object);
    if (best !== undefined) return best;
    const text = `no possible grantors for role "${role.name}"`;
    return raise('insufficient_privilege', text);
  }
  const { name } = roleOf(context, given);
  const text =
    verb === 'grant'
      ? `permission denied to grant privileges as role "${name}"`
      : `permission denied to revoke privileges granted by role "${name}"`;
  if (!principal.hasPrivilegesOf(given)) {
    const what = verb === 'grant' ? 'grant privileges as' : 'revoke privileges granted by';
    const detail = `Only roles with privileges of role "${name}" may ${what} this role.`;
    raise('insufficient_privilege', text, { detail });
  }
  const as = principal.as(given);
  if (verb === 'grant' && given !== bootstrapRole && !hasOwnAdmin(as, role.object)) {
    const detail = `The grantor must have the ADMIN option on role "${role.name}".`;
    raise('insufficient_privilege', text, { detail });
  }
  return given;
}

function hasOwnAdmin(grantor: Principal, role: ObjectId): boolean {
  return grantor.descriptor?.memberOf.some((one) => one.role === role && one.admin) === true;
}

/** Who makes a role without being a superuser administers it from then on. */
export function addCreator(context: DdlContext, { object }: RoleDescriptor): void {
  const creator = roleOf(context, principalOf(context).role);
  const own = { role: object, grantor: bootstrapRole, admin: true, inherit: false, set: false };
  put(context, creator, [...creator.memberOf, own, ...selfGrant(context, object)]);
}

/** What createrole_self_grant says beside that. */
function selfGrant({ bind }: DdlContext, role: ObjectId): readonly Membership[] {
  const said = (bind.functions.setting('createrole_self_grant') ?? '')
    .toLowerCase()
    .split(/[\s,]+/);
  const [set, inherit] = [said.includes('set'), said.includes('inherit')];
  if (!set && !inherit) return [];
  const grantor = bind.catalogue.principal.role;
  return [{ role, grantor, admin: false, inherit, set }];
}

/** Makes roles members of `role`, or changes the options of those that are. */
export function addMembers(
  context: DdlContext,
  role: RoleDescriptor,
  members: readonly RoleDescriptor[],
  options: MembershipOptions,
  given?: ObjectId,
): void {
  const { catalogue } = context;
  if (members.length === 0) return;
  requireAdmin(context, role, 'grant');
  const grantor = grantorOf(context, role, given, 'grant');
  for (const { object } of members) {
    const member = roleOf(context, object);
    if (new Principal(role.object, catalogue).memberships.has(object)) {
      const text = `role "${role.name}" is a member of role "${member.name}"`;
      raise('invalid_grant_operation', text);
    }
    if (options.admin === true) checkCircle(context, role, member, grantor);
    const isIt = (one: Membership): boolean => one.role === role.object && one.grantor === grantor;
    const before = member.memberOf.find(isIt);
    const now: Membership = {
      role: role.object,
      grantor,
      admin: options.admin ?? before?.admin ?? false,
      inherit: options.inherit ?? before?.inherit ?? member.inherit,
      set: options.set ?? before?.set ?? true,
    };
    if (before !== undefined && sameOptions(before, now)) {
      const by = roleOf(context, grantor).name;
      const text = `role "${member.name}" has already been granted membership in role "${role.name}" by role "${by}"`;
      context.notice(text);
      continue;
    }
    const others = member.memberOf.filter((one) => !isIt(one));
    put(context, member, [...others, now]);
  }
}

function sameOptions(a: Membership, b: Membership): boolean {
  return a.admin === b.admin && a.inherit === b.inherit && a.set === b.set;
}

/** The grantor has its admin option not from the member alone. */
function checkCircle(
  context: DdlContext,
  role: RoleDescriptor,
  member: RoleDescriptor,
  grantor: ObjectId,
): void {
  const seen = new Set<ObjectId>();
  const isFrom = (object: ObjectId): boolean => {
    if (object === member.object) return true;
    if (object === bootstrapRole || seen.has(object)) return false;
    seen.add(object);
    const by = roleOf(context, object).memberOf.filter(
      (one) => one.role === role.object && one.admin,
    );
    return by.length > 0 && by.every((one) => isFrom(one.grantor));
  };
  if (grantor === bootstrapRole || !isFrom(grantor)) return;
  raise('invalid_grant_operation', 'ADMIN option cannot be granted back to your own grantor');
}

/** Takes memberships away, or only an option of them. */
export function removeMembers(
  context: DdlContext,
  role: RoleDescriptor,
  members: readonly RoleDescriptor[],
  how: { readonly cascade: boolean; readonly only: keyof MembershipOptions | undefined },
  given?: ObjectId,
): void {
  if (members.length === 0) return;
  requireAdmin(context, role, 'revoke');
  const grantor = grantorOf(context, role, given, 'revoke');
  for (const { object } of members) {
    const member = roleOf(context, object);
    const before = member.memberOf.find(
      (one) => one.role === role.object && one.grantor === grantor,
    );
    if (before === undefined) {
      const by = roleOf(context, grantor).name;
      const text = `role "${member.name}" has not been granted membership in role "${role.name}" by role "${by}"`;
      context.notice(text, '01000');
      continue;
    }
    const { only } = how;
    const others = member.memberOf.filter((one) => one !== before);
    put(context, member, only === undefined ? others : [...others, { ...before, [only]: false }]);
    const losesAdmin = before.admin && (only === undefined || only === 'admin');
    if (losesAdmin) revokeGrantedBy(context, role, object, how.cascade);
  }
}

/** What a member has granted by an admin option that it has no more. */
function revokeGrantedBy(
  context: DdlContext,
  role: RoleDescriptor,
  grantor: ObjectId,
  cascade: boolean,
): void {
  const has = roleOf(context, grantor).memberOf.some(
    (one) => one.role === role.object && one.admin,
  );
  if (has) return;
  for (const one of context.catalogue.dependents(grantor)) {
    if (one.kind !== 'role') continue;
    const member = roleOf(context, one.object);
    const given = member.memberOf.find(
      (membership) => membership.role === role.object && membership.grantor === grantor,
    );
    if (given === undefined) continue;
    if (!cascade) {
      raise('dependent_objects_still_exist', 'dependent privileges exist', {
        hint: 'Use CASCADE to revoke them too.',
      });
    }
    put(
      context,
      member,
      member.memberOf.filter((membership) => membership !== given),
    );
    if (given.admin) revokeGrantedBy(context, role, member.object, cascade);
  }
}

function put(
  { catalogue }: DdlContext,
  member: RoleDescriptor,
  memberOf: readonly Membership[],
): void {
  catalogue.put({ ...member, memberOf, version: member.version + 1 }, member);
}
