/** OWNER TO, REASSIGN OWNED and DROP OWNED. */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { columnGrants, denied, grantsOfNewOwner } from '../accounts/index.js';
import {
  builtIn,
  type Grant,
  type OwnedDescriptor,
  type RoleDescriptor,
  right,
} from '../catalogue/index.js';
import { as, type ast, fields, notSupported, stringOf, the } from '../parse/index.js';
import { audited } from './audited.js';
import { type DdlContext, pathOf, shownName } from './context.js';
import { findFunction } from './find-function.js';
import { schemaNamed } from './grant-objects.js';
import {
  databaseNamed,
  principalOf,
  requireCreateIn,
  requireMember,
  requireOwner,
} from './permission.js';
import { Removal } from './removal.js';
import { roleSpec, roleSpecs } from './role-spec.js';
import { isOwned, usedBy } from './role-uses.js';
import { replaceInColumns } from './sequence.js';

/** ALTER ... OWNER TO of what is no relation. */
export function alterOwner(context: DdlContext, body: ast.AlterOwnerStmt): string {
  const { bind } = context;
  const read = fields(bind.source, 'AlterOwnerStmt', body, [
    ...(['objectType', 'relation', 'object', 'newowner'] as const),
  ]);
  const object = objectOf(context, read);
  changeOwner(context, object, roleSpec(context, read.newowner ?? {}));
  return `ALTER ${(read.objectType ?? '').replace('OBJECT_', '').replaceAll('_', ' ')}`;
}

function objectOf(context: DdlContext, body: ast.AlterOwnerStmt): OwnedDescriptor {
  const { bind } = context;
  switch (body.objectType) {
    case 'OBJECT_SCHEMA':
      return schemaNamed(context, stringOf(body.object));
    case 'OBJECT_DATABASE':
      return databaseNamed(context, stringOf(body.object));
    case 'OBJECT_FUNCTION':
    case 'OBJECT_ROUTINE': {
      const found = findFunction(context, the(body.object, 'ObjectWithArgs'), false);
      return found ?? raise('undefined_function', 'there is no such function');
    }
    case 'OBJECT_TYPE':
    case 'OBJECT_DOMAIN': {
      const names = as(body.object, 'List')?.items;
      const { schema, name } = pathOf(context, names);
      const found = bind.catalogue.type(schema, name);
      if (found !== undefined) return found;
      return raise('undefined_object', `type "${shownName(schema, name)}" does not exist`);
    }
    default: {
      const words = (body.objectType ?? '').replace('OBJECT_', '').replaceAll('_', ' ');
      return notSupported(bind.source, `ALTER ${words} OWNER TO`, undefined);
    }
  }
}

/** Gives an object that the statement's role owns to another. */
export function changeOwner(
  context: DdlContext,
  object: OwnedDescriptor,
  to: RoleDescriptor,
): void {
  const { catalogue } = context;
  if (object.kind === 'sequence' && object.ownedBy !== undefined) {
    const table = catalogue.object(object.ownedBy.table).name;
    raise('feature_not_supported', `cannot change owner of sequence "${object.name}"`, {
      detail: `Sequence "${object.name}" is linked to table "${table}".`,
    });
  }
  if (object.owner === to.object) return;
  const principal = principalOf(context);
  if (!principal.isSuperuser) {
    requireOwner(context, object);
    requireMember(context, to);
    checkNewOwner(context, object, to);
  }
  giveTo(context, object, to.object);
  audited(context, `owner of ${object.kind} ${object.name} is ${to.name}`);
}

/** The new owner could have made the object himself. */
function checkNewOwner(context: DdlContext, object: OwnedDescriptor, to: RoleDescriptor): void {
  const { catalogue } = context;
  const principal = principalOf(context);
  if (object.kind === 'database') {
    if (principal.descriptor?.createDatabase === true) return;
    raise('insufficient_privilege', 'permission denied to change owner of database');
  }
  if (object.kind === 'schema') {
    if ((principal.rightsOn(catalogue.database) & right.create) !== 0) return;
    denied({ kind: 'database', name: context.bind.functions.database });
  }
  requireCreateIn(catalogue, principal.as(to.object), object.schema);
}

function giveTo(context: DdlContext, object: OwnedDescriptor, to: ObjectId): void {
  const { catalogue } = context;
  const from = object.owner;
  const moved = (grants: readonly Grant[] | undefined) => grantsOfNewOwner(grants, from, to);
  const changed = {
    ...object,
    owner: to,
    privileges: moved(object.privileges),
    version: object.version + 1,
  };
  if (changed.kind !== 'table') {
    catalogue.put(changed, object);
    if (changed.kind === 'sequence') replaceInColumns(context, changed);
    return;
  }
  const columns = changed.columns.map((column) => ({
    ...column,
    privileges: moved(column.privileges),
  }));
  catalogue.put({ ...changed, columns }, object);
  for (const one of catalogue.dependents(object.object)) {
    if (one.kind === 'sequence' && one.ownedBy?.table === object.object) giveTo(context, one, to);
  }
}

/** Raises for roles that the system needs. */
function refuseBuiltIn(role: RoleDescriptor, what: string): void {
  if (builtIn(role.object) === undefined) return;
  const text = `cannot ${what} objects owned by role ${role.name} because they are required by the database system`;
  raise('dependent_objects_still_exist', text);
}

export function reassignOwned(context: DdlContext, body: ast.ReassignOwnedStmt): string {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'ReassignOwnedStmt', body, ['roles', 'newrole']);
  const roles = roleSpecs(context, read.roles);
  const principal = principalOf(context);
  const to = roleSpec(context, read.newrole ?? {});
  for (const role of [...roles, to]) {
    if (principal.hasPrivilegesOf(role.object)) continue;
    const what = role === to ? 'reassign objects to it' : 'reassign objects owned by it';
    raise('insufficient_privilege', 'permission denied to reassign objects', {
      detail: `Only roles with privileges of role "${role.name}" may ${what}.`,
    });
  }
  for (const role of roles) {
    refuseBuiltIn(role, 'reassign ownership of');
    for (const { object } of usedBy(context, role.object)) {
      const one = catalogue.object(object);
      const follows = one.kind === 'sequence' && one.ownedBy !== undefined;
      if (!isOwned(one) || one.owner !== role.object || follows) continue;
      giveTo(context, one, to.object);
    }
  }
  audited(context, bind.source.text.trim());
  return 'REASSIGN OWNED';
}

export function dropOwned(context: DdlContext, body: ast.DropOwnedStmt): string {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'DropOwnedStmt', body, ['roles', 'behavior']);
  const principal = principalOf(context);
  const roles = roleSpecs(context, read.roles);
  for (const role of roles) {
    if (principal.hasPrivilegesOf(role.object)) continue;
    raise('insufficient_privilege', 'permission denied to drop objects', {
      detail: `Only roles with privileges of role "${role.name}" may drop objects owned by it.`,
    });
  }
  const removal = new Removal(context);
  for (const role of roles) {
    refuseBuiltIn(role, 'drop');
    for (const one of usedBy(context, role.object)) {
      const belongs = isOwned(one) && one.owner === role.object && one.kind !== 'database';
      const follows = one.kind === 'sequence' && one.ownedBy !== undefined;
      if (belongs && !follows) removal.add(one);
      else forget(context, catalogue.object(one.object), role.object);
    }
    const own = catalogue.object(role.object) as RoleDescriptor;
    if (own.defaultPrivileges.length > 0) {
      catalogue.put({ ...own, defaultPrivileges: [], version: own.version + 1 }, own);
    }
  }
  removal.resolve(read.behavior === 'DROP_CASCADE');
  removal.apply();
  audited(context, bind.source.text.trim());
  return 'DROP OWNED';
}

/** What is granted to the role, or by it, is taken away. */
function forget(
  context: DdlContext,
  object: ReturnType<DdlContext['catalogue']['object']>,
  role: ObjectId,
): void {
  const { catalogue } = context;
  const rest = (grants: readonly Grant[]): readonly Grant[] =>
    grants.filter(({ grantee, grantor }) => grantee !== role && grantor !== role);
  const version = object.version + 1;
  if (object.kind === 'role') {
    const defaultPrivileges = object.defaultPrivileges.map((one) => ({
      ...one,
      privileges: rest(one.privileges),
    }));
    const memberOf = object.memberOf.filter(({ grantor }) => grantor !== role);
    catalogue.put({ ...object, defaultPrivileges, memberOf, version }, object);
    return;
  }
  if (!isOwned(object)) return;
  const privileges = object.privileges && rest(object.privileges);
  const of = columnGrants(object);
  const own = (position: number): readonly Grant[] | undefined => {
    const left = rest(of.get(position) ?? []);
    return left.length === 0 ? undefined : left;
  };
  if (object.kind === 'table') {
    const columns = object.columns.map((one) => ({ ...one, privileges: own(one.position) }));
    catalogue.put({ ...object, privileges, columns, version }, object);
  } else if (object.kind === 'view') {
    const columns = object.columns.map((one, i) => ({ ...one, privileges: own(i + 1) }));
    catalogue.put({ ...object, privileges, columns, version }, object);
  } else {
    const changed = { ...object, privileges, version };
    catalogue.put(changed, object);
    if (changed.kind === 'sequence') replaceInColumns(context, changed);
  }
}
