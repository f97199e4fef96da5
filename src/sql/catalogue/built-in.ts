/**
 * Objects that are there without having been made: roles, the schema `public`, the database. They have
 * rows only once they were changed.
 */
import type { DatabaseId, ObjectId } from '../../base/ids.js';
import type {
  DatabaseDescriptor,
  Descriptor,
  RoleDescriptor,
  SchemaDescriptor,
} from './descriptor.js';
import { right } from './grants.js';

/** The superuser of the first start. */
export const bootstrapRole = 10 as ObjectId;
/** The name that the bootstrap role has until it is given another. */
export const bootstrapRoleName = 'admin';
/** Whose members the owner of the database is one of. */
export const databaseOwnerRole = 30 as ObjectId;
export const publicSchemaObject = 2 as ObjectId;
export const databaseObject = 3 as ObjectId;

/** Predefined roles by their names: object and OID of PostgreSQL. */
const predefined = {
  pg_database_owner: [databaseOwnerRole, 6171],
  pg_read_all_data: [31, 6181],
  pg_write_all_data: [32, 6182],
  pg_monitor: [33, 3373],
  pg_read_all_settings: [34, 3374],
  pg_read_all_stats: [35, 3375],
  pg_stat_scan_tables: [36, 3377],
  pg_read_server_files: [37, 4569],
  pg_write_server_files: [38, 4570],
  pg_execute_server_program: [39, 4571],
  pg_signal_backend: [40, 4200],
  pg_checkpoint: [41, 4544],
} as const;

export type PredefinedRole = keyof typeof predefined;

export function predefinedRole(name: PredefinedRole): ObjectId {
  return predefined[name][0] as ObjectId;
}

const database = 1 as DatabaseId;
const common = { version: 0, database, schema: '', comment: undefined } as const;

/** A role as CREATE ROLE makes it. */
export const plainRole = {
  kind: 'role',
  ...common,
  superuser: false,
  inherit: true,
  createRole: false,
  createDatabase: false,
  login: false,
  replication: false,
  bypassRowSecurity: false,
  connectionLimit: -1,
  verifier: undefined,
  validUntil: undefined,
  memberOf: [],
  settings: [],
  defaultPrivileges: [],
} as const satisfies Omit<RoleDescriptor, 'object' | 'name'>;

/** pg_monitor is a member of these. */
const monitored: readonly PredefinedRole[] = [
  'pg_read_all_settings',
  'pg_read_all_stats',
  'pg_stat_scan_tables',
];

function predefinedRoles(): RoleDescriptor[] {
  return (Object.keys(predefined) as PredefinedRole[]).map((name) => ({
    ...plainRole,
    object: predefinedRole(name),
    name,
    memberOf:
      name !== 'pg_monitor'
        ? []
        : monitored.map((one) => ({
            role: predefinedRole(one),
            grantor: bootstrapRole,
            admin: false,
            inherit: true,
            set: true,
          })),
  }));
}

const bootstrap: RoleDescriptor = {
  ...plainRole,
  object: bootstrapRole,
  name: bootstrapRoleName,
  superuser: true,
  createRole: true,
  createDatabase: true,
  login: true,
  replication: true,
  bypassRowSecurity: true,
};

/** As PostgreSQL 15 has it: its owner creates there, everyone uses it. */
const publicSchema: SchemaDescriptor = {
  kind: 'schema',
  ...common,
  object: publicSchemaObject,
  schema: 'public',
  name: 'public',
  owner: databaseOwnerRole,
  privileges: [
    {
      grantee: databaseOwnerRole,
      grantor: databaseOwnerRole,
      rights: right.usage | right.create,
      options: 0,
    },
    { grantee: 0 as ObjectId, grantor: databaseOwnerRole, rights: right.usage, options: 0 },
  ],
};

const onlyDatabase: DatabaseDescriptor = {
  kind: 'database',
  ...common,
  object: databaseObject,
  name: 'shardforge',
  owner: bootstrapRole,
  privileges: undefined,
  settings: [],
};

export const builtInRoles: readonly RoleDescriptor[] = [bootstrap, ...predefinedRoles()];

const byObject: ReadonlyMap<ObjectId, Descriptor> = new Map(
  [...builtInRoles, publicSchema, onlyDatabase].map((one): [ObjectId, Descriptor] => [
    one.object,
    one,
  ]),
);

/** The object as it is as long as it has no row; undefined when it was made by somebody. */
export function builtIn(object: ObjectId): Descriptor | undefined {
  return byObject.get(object);
}

const systemOids: ReadonlyMap<ObjectId, number> = new Map<ObjectId, number>([
  [bootstrapRole, 10],
  [publicSchemaObject, 2200],
  [databaseObject, 5],
  ...Object.values(predefined).map(([object, oid]): [ObjectId, number] => [
    object as ObjectId,
    oid,
  ]),
]);

const systemObjects = new Map([...systemOids].map(([object, oid]) => [oid, object]));

/** What the objects of users are as OIDs: no OID of PostgreSQL's own objects is as high. */
export const firstOid = 15_384;

/** The OID of an object: PostgreSQL's own where it has the same. */
export function oidOf(object: ObjectId): number {
  return systemOids.get(object) ?? object + firstOid;
}

/** The object that an OID may stand for. */
export function objectOfOid(oid: number): ObjectId {
  return systemObjects.get(oid) ?? ((oid - firstOid) as ObjectId);
}
