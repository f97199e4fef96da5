/** Which objects an object cannot be without. */
import { unreachable } from '../../base/assert.js';
import type { ObjectId } from '../../base/ids.js';
import { builtIn } from './built-in.js';
import type {
  Descriptor,
  OwnedDescriptor,
  RoleDescriptor,
  TableDescriptor,
  TypeDefinition,
} from './descriptor.js';
import { everyone, type Grant } from './grants.js';
import { objectOfType } from './rows.js';

/** Each once, itself never among them. */
export function dependenciesOf(descriptor: Descriptor): readonly ObjectId[] {
  const found = new Set([...needsOf(descriptor), ...rolesNeeded(descriptor)]);
  found.delete(descriptor.object);
  return [...found];
}

/** Those of them that are roles. The roles that are always there need not be told of. */
export function rolesNeeded(descriptor: Descriptor): readonly ObjectId[] {
  return rolesOf(descriptor).filter((role) => role !== everyone && builtIn(role) === undefined);
}

/** The roles that it belongs to, that something of it is granted to or by, or that it is a member of. */
function rolesOf(descriptor: Descriptor): readonly ObjectId[] {
  switch (descriptor.kind) {
    case 'table':
      return [
        ...ofOwned(descriptor),
        ...descriptor.columns.flatMap(({ privileges }) => ofGrants(privileges)),
      ];
    case 'view':
    case 'sequence':
    case 'schema':
    case 'type':
    case 'function':
    case 'database':
      return ofOwned(descriptor);
    case 'role':
      return ofRole(descriptor);
    case 'index':
      return [];
    default:
      return unreachable(descriptor);
  }
}

function ofOwned({ owner, privileges }: OwnedDescriptor): ObjectId[] {
  return [owner, ...ofGrants(privileges)];
}

function ofGrants(privileges: readonly Grant[] | undefined): ObjectId[] {
  return (privileges ?? []).flatMap(({ grantee, grantor }) => [grantee, grantor]);
}

function ofRole({ memberOf, defaultPrivileges }: RoleDescriptor): ObjectId[] {
  return [
    ...memberOf.flatMap(({ role, grantor }) => [role, grantor]),
    ...defaultPrivileges.flatMap(({ privileges }) => ofGrants(privileges)),
  ];
}

function needsOf(descriptor: Descriptor): ObjectId[] {
  switch (descriptor.kind) {
    case 'table':
      return ofTable(descriptor);
    case 'sequence':
      return descriptor.ownedBy === undefined ? [] : [descriptor.ownedBy.table];
    case 'index':
      return [descriptor.table];
    case 'view':
      return [
        ...descriptor.references.map(({ object }) => object),
        ...typesOf(descriptor.columns.map(({ type }) => type)),
      ];
    case 'function':
      return typesOf([descriptor.returns, ...descriptor.parameters.map(({ type }) => type)]);
    case 'type':
      return typesOf(partsOf(descriptor.definition));
    case 'role':
      return descriptor.defaultPrivileges.flatMap(({ schema }) => schema ?? []);
    case 'schema':
    case 'database':
      return [];
    default:
      return unreachable(descriptor);
  }
}

function ofTable(table: TableDescriptor): ObjectId[] {
  return [
    ...typesOf(table.columns.map(({ type }) => type)),
    ...table.foreignKeys.map(({ references }) => references),
    ...table.uses,
    ...(table.partitionOf === undefined ? [] : [table.partitionOf.parent]),
    ...table.columns.flatMap(({ default: given }) =>
      given?.kind === 'sequence' ? [given.sequence.object] : [],
    ),
  ];
}

function partsOf(definition: TypeDefinition): string[] {
  switch (definition.form) {
    case 'enum':
      return [];
    case 'domain':
      return [definition.base];
    case 'composite':
      return definition.attributes.map(({ type }) => type);
    default:
      return unreachable(definition);
  }
}

function typesOf(names: readonly string[]): ObjectId[] {
  return names.flatMap((name) => objectOfType(name) ?? []);
}
