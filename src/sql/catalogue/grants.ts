/** Rights on objects as the catalogue keeps them (PostgreSQL's AclItem). */
import type { ObjectId } from '../../base/ids.js';

/** The grantee that stands for all roles. */
export const everyone = 0 as ObjectId;

/** What a role has granted to another, or to everyone. At most one for each pair of both. */
export interface Grant {
  /** `everyone` for PUBLIC. */
  readonly grantee: ObjectId;
  readonly grantor: ObjectId;
  /** Bits of `right`. */
  readonly rights: number;
  /** Those of them that the grantee may grant on. */
  readonly options: number;
}

/** Rights by the bits that PostgreSQL has for them (AclMode). */
export const right = {
  insert: 1,
  select: 1 << 1,
  update: 1 << 2,
  delete: 1 << 3,
  truncate: 1 << 4,
  references: 1 << 5,
  trigger: 1 << 6,
  execute: 1 << 7,
  usage: 1 << 8,
  create: 1 << 9,
  temporary: 1 << 10,
  connect: 1 << 11,
} as const;

/** What rights are granted on; `column` has none of its own by default. */
export type GrantableKind = 'table' | 'sequence' | 'database' | 'function' | 'schema' | 'type';

const ofTables =
  right.insert |
  right.select |
  right.update |
  right.delete |
  right.truncate |
  right.references |
  right.trigger;

/** All rights that there are on an object of the kind. */
export const allRights: Readonly<Record<GrantableKind, number>> = {
  table: ofTables,
  sequence: right.usage | right.select | right.update,
  database: right.create | right.temporary | right.connect,
  function: right.execute,
  schema: right.usage | right.create,
  type: right.usage,
};

/** All rights that there are on a column. */
export const columnRights = right.insert | right.select | right.update | right.references;

const ofEveryone: Readonly<Record<GrantableKind, number>> = {
  table: 0,
  sequence: 0,
  database: right.temporary | right.connect,
  function: right.execute,
  schema: 0,
  type: right.usage,
};

/** What holds where nothing was granted or revoked (acldefault). */
export function defaultGrants(kind: GrantableKind, owner: ObjectId): readonly Grant[] {
  const rights = ofEveryone[kind];
  const own: Grant = { grantee: owner, grantor: owner, rights: allRights[kind], options: 0 };
  return rights === 0 ? [own] : [{ grantee: everyone, grantor: owner, rights, options: 0 }, own];
}
