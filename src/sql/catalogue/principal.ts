/** What a role may do, of itself and through the roles that it is a member of (PostgreSQL's acl.c). */
import { unreachable } from '../../base/assert.js';
import type { ObjectId } from '../../base/ids.js';
import { bootstrapRole, databaseOwnerRole, predefinedRole } from './built-in.js';
import type {
  DatabaseDescriptor,
  Descriptor,
  Membership,
  OwnedDescriptor,
  RoleDescriptor,
} from './descriptor.js';
import {
  allRights,
  defaultGrants,
  everyone,
  type Grant,
  type GrantableKind,
  right,
} from './grants.js';

/** Where roles are read. */
export interface RoleReader {
  objectIfThere(object: ObjectId): Descriptor | undefined;
  readonly database: DatabaseDescriptor;
}

/** What rights on an object are called after. */
export function grantableKind(object: OwnedDescriptor): GrantableKind {
  switch (object.kind) {
    case 'table':
    case 'view':
      return 'table';
    case 'sequence':
    case 'schema':
    case 'type':
    case 'function':
    case 'database':
      return object.kind;
    default:
      return unreachable(object);
  }
}

/** What is granted on an object, by default where nothing was said. */
export function grantsOn(object: OwnedDescriptor): readonly Grant[] {
  return object.privileges ?? defaultGrants(grantableKind(object), object.owner);
}

/** Rights that membership in a predefined role gives on all objects of a kind. */
function predefinedRights(kind: GrantableKind): readonly (readonly [ObjectId, number])[] {
  const reads = predefinedRole('pg_read_all_data');
  const writes = predefinedRole('pg_write_all_data');
  switch (kind) {
    case 'table':
      return [
        [reads, right.select],
        [writes, right.insert | right.update | right.delete],
      ];
    case 'sequence':
      return [
        [reads, right.select],
        [writes, right.update],
      ];
    case 'schema':
      return [
        [reads, right.usage],
        [writes, right.usage],
      ];
    default:
      return [];
  }
}

export class Principal {
  readonly role: ObjectId;
  readonly isSuperuser: boolean;
  readonly #reader: RoleReader | undefined;
  #acting: ReadonlySet<ObjectId> | undefined;
  #member: ReadonlySet<ObjectId> | undefined;

  /** Without a reader the role may do everything. */
  constructor(role: ObjectId, reader: RoleReader | undefined) {
    this.role = role;
    this.#reader = reader;
    this.isSuperuser = reader === undefined || roleOf(reader, role)?.superuser === true;
  }

  /** The role itself; undefined when it is gone. */
  get descriptor(): RoleDescriptor | undefined {
    return this.#reader && roleOf(this.#reader, this.role);
  }

  /** The role has been dropped. */
  get isGone(): boolean {
    return this.#reader !== undefined && this.descriptor === undefined;
  }

  /** Another role's view of the same catalogue. */
  as(role: ObjectId): Principal {
    return role === this.role ? this : new Principal(role, this.#reader);
  }

  /** Whether what `role` may do counts for this one too, without SET ROLE. */
  hasPrivilegesOf(role: ObjectId): boolean {
    return this.isSuperuser || this.acting.has(role);
  }

  /** The roles whose privileges it has, itself first. */
  get acting(): ReadonlySet<ObjectId> {
    this.#acting ??= this.#closure(({ inherit }) => inherit);
    return this.#acting;
  }

  /** Whether it is a member of `role`, however. */
  isMemberOf(role: ObjectId): boolean {
    return this.isSuperuser || this.memberships.has(role);
  }

  /** The roles that it is a member of, directly or through others, itself first. */
  get memberships(): ReadonlySet<ObjectId> {
    this.#member ??= this.#closure(() => true);
    return this.#member;
  }

  /** Whether SET ROLE may take it to `role`. */
  maySetRole(role: ObjectId): boolean {
    return this.isSuperuser || this.#closure(({ set }) => set).has(role);
  }

  /** Whether it may make others members of `role`. */
  isAdminOf(role: ObjectId): boolean {
    if (this.isSuperuser) return true;
    const reader = this.#reader;
    if (reader === undefined) return true;
    return [...this.memberships].some((member) => hasAdmin(roleOf(reader, member), role));
  }

  isOwnerOf({ owner }: OwnedDescriptor): boolean {
    return this.hasPrivilegesOf(owner);
  }

  /** The rights that it has on an object as a whole. */
  rightsOn(object: OwnedDescriptor): number {
    const kind = grantableKind(object);
    if (this.isSuperuser) return allRights[kind];
    let rights = this.rightsOf(grantsOn(object));
    for (const [role, given] of predefinedRights(kind)) {
      if (this.acting.has(role)) rights |= given;
    }
    return rights;
  }

  /** The rights that grants give it. */
  rightsOf(grants: readonly Grant[] | undefined): number {
    let rights = 0;
    for (const { grantee, rights: given } of grants ?? []) {
      if (grantee === everyone || this.acting.has(grantee)) rights |= given;
    }
    return rights;
  }

  /** The rights that it may grant on: all those of an object that belongs to it. */
  optionsOn(object: OwnedDescriptor, grants: readonly Grant[] = grantsOn(object)): number {
    if (this.hasPrivilegesOf(object.owner)) return allRights[grantableKind(object)];
    let options = 0;
    for (const { grantee, options: given } of grants) {
      if (grantee !== everyone && this.acting.has(grantee)) options |= given;
    }
    return options;
  }

  /**
   * The role by whose admin option it may grant `role`, as near to itself as can be; undefined without
   * one.
   */
  bestAdminOf(role: ObjectId): ObjectId | undefined {
    const reader = this.#reader;
    if (reader === undefined || this.isSuperuser) return bootstrapRole;
    return [...this.acting].find((one) => hasAdmin(roleOf(reader, one), role));
  }

  #closure(follows: (membership: Membership) => boolean): ReadonlySet<ObjectId> {
    const found = new Set([this.role]);
    const reader = this.#reader;
    if (reader === undefined) return found;
    // A set is visited in the order of insertion, what is added meanwhile too.
    for (const object of found) {
      const member = roleOf(reader, object);
      for (const membership of member?.memberOf ?? []) {
        if (follows(membership)) found.add(membership.role);
      }
      if (reader.database.owner === object) found.add(databaseOwnerRole);
    }
    return found;
  }
}

function hasAdmin(member: RoleDescriptor | undefined, role: ObjectId): boolean {
  return member?.memberOf.some((one) => one.role === role && one.admin) === true;
}

function roleOf(reader: RoleReader, role: ObjectId): RoleDescriptor | undefined {
  const found = reader.objectIfThere(role);
  return found?.kind === 'role' ? found : undefined;
}

/** Where there are no roles: whoever asks may do everything. */
export const unrestricted = new Principal(bootstrapRole, undefined);
