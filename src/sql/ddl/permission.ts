/** Rights that statements of this folder need. */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { denied, notOwner } from '../accounts/index.js';
import {
  type ColumnDescriptor,
  type Descriptor,
  objectOfType,
  oidOf,
  type OwnedDescriptor,
  type Principal,
  type RoleDescriptor,
  right,
  type TableDescriptor,
  type TransactionCatalogue,
  userDatabase,
} from '../catalogue/index.js';
import type { DdlContext } from './context.js';

export function principalOf({ bind }: DdlContext): Principal {
  return bind.catalogue.principal;
}

/** What an object belongs to when it belongs to no role of itself. */
function ownedOf(catalogue: TransactionCatalogue, object: Descriptor): OwnedDescriptor | undefined {
  if (object.kind === 'index') return catalogue.object(object.table) as TableDescriptor;
  return object.kind === 'role' ? undefined : object;
}

/** Raises insufficient_privilege unless the object belongs to the statement's role. */
export function requireOwner(context: DdlContext, object: Descriptor, shown?: string): void {
  const principal = principalOf(context);
  if (principal.isSuperuser) return;
  const owned = ownedOf(context.catalogue, object);
  if (owned === undefined || principal.isOwnerOf(owned)) return;
  notOwner({ kind: (shown ?? object.kind) as Descriptor['kind'], name: object.name });
}

/** As `requireOwner`; the owner of the schema may drop what is in it, too. */
export function requireDrop(context: DdlContext, object: Descriptor): void {
  const principal = principalOf(context);
  if (principal.isSuperuser) return;
  const schema = context.catalogue.schema(userDatabase, object.schema);
  if (object.kind !== 'schema' && schema !== undefined && principal.isOwnerOf(schema)) return;
  requireOwner(context, object);
}

/** Raises insufficient_privilege unless the object's rights hold for the statement's role. */
export function requireRight(context: DdlContext, object: OwnedDescriptor, bits: number): void {
  if ((principalOf(context).rightsOn(object) & bits) !== bits) denied(object);
}

/** Raises insufficient_privilege unless the role may make objects in the schema. */
export function requireCreateIn(
  catalogue: TransactionCatalogue,
  principal: Principal,
  schema: string,
): void {
  if (principal.isSuperuser) return;
  const found = catalogue.schema(userDatabase, schema);
  if (found !== undefined && (principal.rightsOn(found) & right.create) === 0) denied(found);
}

/** The database of the name. Raises invalid_catalog_name. */
export function databaseNamed({ bind, catalogue }: DdlContext, name: string) {
  if (name === bind.functions.database) return catalogue.database;
  return raise('invalid_catalog_name', `database "${name}" does not exist`);
}

/** Raises insufficient_privilege unless SET ROLE would take the role to `role`. */
export function requireMember({ bind }: DdlContext, role: RoleDescriptor): void {
  if (bind.catalogue.principal.maySetRole(role.object)) return;
  raise('insufficient_privilege', `must be able to SET ROLE "${role.name}"`);
}

export function roleNamed(
  { catalogue }: Pick<DdlContext, 'catalogue'>,
  name: string,
): RoleDescriptor {
  return catalogue.role(name) ?? raise('undefined_object', `role "${name}" does not exist`);
}

export function roleOf({ catalogue }: DdlContext, object: ObjectId): RoleDescriptor {
  const found = catalogue.objectIfThere(object);
  if (found?.kind === 'role') return found;
  return raise('undefined_object', `role with OID ${oidOf(object)} was concurrently dropped`);
}

/** The session's own role, as statements without one mean it. */
export function sessionRole({ bind, catalogue }: DdlContext): RoleDescriptor | undefined {
  const { sessionUser, user } = bind.functions;
  return catalogue.role(sessionUser ?? user);
}

/** Raises insufficient_privilege unless a user's type may be used in a definition. */
export function requireType(context: DdlContext, type: string): void {
  const object = objectOfType(type);
  if (object === undefined || principalOf(context).isSuperuser) return;
  const found = context.catalogue.object(object);
  if (found.kind === 'type') requireRight(context, found, right.usage);
}

/** Raises insufficient_privilege unless a foreign key may reference the columns. */
export function requireReferences(
  context: DdlContext,
  table: TableDescriptor,
  columns: readonly ColumnDescriptor[],
): void {
  const principal = principalOf(context);
  if ((principal.rightsOn(table) & right.references) !== 0) return;
  const may = ({ privileges }: ColumnDescriptor): boolean =>
    (principal.rightsOf(privileges) & right.references) !== 0;
  if (!columns.every(may)) denied(table);
}
