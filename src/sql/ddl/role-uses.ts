/** What a role is used by: why it cannot be dropped (PostgreSQL's pg_shdepend). */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { columnGrants } from '../accounts/index.js';
import type {
  DefaultPrivileges,
  Descriptor,
  Grant,
  OwnedDescriptor,
  RoleDescriptor,
} from '../catalogue/index.js';
import type { DdlContext } from './context.js';
import { describe } from './describe.js';

/** Objects that something of belongs to the role or is granted to or by it, in order of creation. */
export function usedBy({ catalogue }: DdlContext, role: ObjectId): readonly Descriptor[] {
  return catalogue.dependents(role).toSorted((a, b) => a.object - b.object);
}

export function isOwned(object: Descriptor): object is OwnedDescriptor {
  return object.kind !== 'role' && object.kind !== 'index';
}

function names(grants: readonly Grant[] | undefined, role: ObjectId): boolean {
  return (grants ?? []).some(({ grantee, grantor }) => grantee === role || grantor === role);
}

/** Raises dependent_objects_still_exist, with all that uses the role. */
export function refuseUsed(context: DdlContext, role: RoleDescriptor): void {
  const lines = usesOf(context, role);
  if (lines.length === 0) return;
  const text = `role "${role.name}" cannot be dropped because some objects depend on it`;
  raise('dependent_objects_still_exist', text, { detail: lines.join('\n') });
}

function usesOf(context: DdlContext, role: RoleDescriptor): readonly string[] {
  const own = role.defaultPrivileges.map((one) => `owner of ${shownDefaults(context, role, one)}`);
  const others = usedBy(context, role.object).flatMap((object): string[] => {
    if (object.kind === 'role') {
      const granted = object.memberOf.filter(({ grantor }) => grantor === role.object);
      return [
        ...object.defaultPrivileges
          .filter(({ privileges }) => names(privileges, role.object))
          .map((one) => `privileges for ${shownDefaults(context, object, one)}`),
        ...granted.map((one) => {
          const { name } = context.catalogue.object(one.role);
          return `privileges for membership of role ${object.name} in role ${name}`;
        }),
      ];
    }
    if (!isOwned(object)) return [];
    const shown = object.kind === 'database' ? database(context) : describe(context, object);
    if (object.owner === role.object) return [`owner of ${shown}`];
    const of = columnGrants(object);
    const columns = columnsOf(object).filter(([position]) => names(of.get(position), role.object));
    return [
      ...(names(object.privileges, role.object) ? [`privileges for ${shown}`] : []),
      ...columns.map(([, name]) => `privileges for column ${name} of ${shown}`),
    ];
  });
  return [...own, ...others];
}

/** Positions and names. */
function columnsOf(object: OwnedDescriptor): readonly (readonly [number, string])[] {
  if (object.kind === 'table') return object.columns.map(({ position, name }) => [position, name]);
  return object.kind === 'view' ? object.columns.map(({ name }, i) => [i + 1, name]) : [];
}

function database({ bind }: DdlContext): string {
  return `database ${bind.functions.database}`;
}

const plurals: Readonly<Record<DefaultPrivileges['kind'], string>> = {
  table: 'relations',
  sequence: 'sequences',
  function: 'functions',
  schema: 'schemas',
  type: 'types',
};

function shownDefaults(
  { catalogue }: DdlContext,
  role: RoleDescriptor,
  { kind, schema }: DefaultPrivileges,
): string {
  const where = schema === undefined ? '' : ` in schema ${catalogue.object(schema).name}`;
  return `default privileges on new ${plurals[kind]} belonging to role ${role.name}${where}`;
}
