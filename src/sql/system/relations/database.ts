/** pg_database, pg_tablespace, pg_collation, and roles: pg_authid, pg_auth_members, settings and defaults of roles. */
import {
  databaseObject,
  type DefaultPrivileges,
  type InitialSetting,
  type Membership,
  oidOf,
  type RoleDescriptor,
} from '../../catalogue/index.js';
import { ArrayValue } from '../../types/index.js';
import { aclOf, aclTextOf } from '../acl.js';
import { collations } from '../collations.js';
import { always, numberOf, systemRelation } from '../define.js';
import { catalogSchema } from '../facts.js';
import { oids } from '../oids.js';
import type { SystemCatalogue } from '../system-catalogue.js';

const utf8 = 6;

export const databaseRelation = systemRelation(catalogSchema, 'pg_database', {
  items: (view) => [view.catalogue.database],
  guess: 1,
  values: {
    oid: ({ object }) => oidOf(object),
    datname: (_database, view) => view.home.functions.database,
    datdba: ({ owner }) => oidOf(owner),
    encoding: always(utf8),
    datlocprovider: always('c'),
    datistemplate: always(false),
    datallowconn: always(true),
    datconnlimit: always(-1),
    datfrozenxid: always(0),
    datminmxid: always(0),
    dattablespace: always(oids.defaultTablespace),
    datcollate: always('C'),
    datctype: always('C'),
    daticulocale: always(null),
    datcollversion: always(null),
    datacl: (database, view) => aclOf(view, database),
  },
});

const tablespaces = [
  { oid: 1663, name: 'pg_default' },
  { oid: 1664, name: 'pg_global' },
];

export const tablespaceRelation = systemRelation(catalogSchema, 'pg_tablespace', {
  items: () => tablespaces,
  guess: 2,
  values: {
    oid: ({ oid }) => oid,
    spcname: ({ name }) => name,
    spcowner: always(oids.bootstrapRole),
    spcacl: always(null),
    spcoptions: always(null),
  },
});

export const collationRelation = systemRelation(catalogSchema, 'pg_collation', {
  items: () => collations,
  guess: 20,
  find: { oid: (_view, value) => collations.filter(({ oid }) => oid === numberOf(value)) },
  values: {
    oid: ({ oid }) => oid,
    collname: ({ name }) => name,
    collnamespace: always(oids.catalogSchema),
    collowner: always(oids.bootstrapRole),
    collprovider: ({ provider }) => provider,
    collisdeterministic: always(true),
    collencoding: ({ encoding }) => encoding,
    collcollate: ({ locale }) => locale,
    collctype: ({ locale }) => locale,
    colliculocale: ({ icuLocale }) => icuLocale,
    collversion: always(null),
  },
});

function rolesOf(view: SystemCatalogue, oid: number): readonly RoleDescriptor[] {
  return view.catalogue.roles().filter(({ object }) => oidOf(object) === oid);
}

export const rolesRelation = systemRelation<RoleDescriptor>(catalogSchema, 'pg_authid', {
  items: (view) => view.catalogue.roles(),
  guess: 20,
  find: {
    oid: (view, value) => rolesOf(view, numberOf(value)),
    rolname: (view, value) => {
      const found = view.catalogue.role(value as string);
      return found === undefined ? [] : [found];
    },
  },
  values: {
    oid: ({ object }) => oidOf(object),
    rolname: ({ name }) => name,
    rolsuper: ({ superuser }) => superuser,
    rolinherit: ({ inherit }) => inherit,
    rolcreaterole: ({ createRole }) => createRole,
    rolcreatedb: ({ createDatabase }) => createDatabase,
    rolcanlogin: ({ login }) => login,
    rolreplication: ({ replication }) => replication,
    rolbypassrls: ({ bypassRowSecurity }) => bypassRowSecurity,
    rolconnlimit: ({ connectionLimit }) => connectionLimit,
    rolpassword: ({ verifier }) => verifier ?? null,
    rolvaliduntil: ({ validUntil }) => validUntil ?? null,
  },
});

interface Member {
  readonly member: RoleDescriptor;
  readonly of: Membership;
}

function* members(view: SystemCatalogue): Iterable<Member> {
  for (const member of view.catalogue.roles()) {
    for (const of of member.memberOf) yield { member, of };
  }
}

export const membersRelation = systemRelation<Member>(catalogSchema, 'pg_auth_members', {
  items: members,
  guess: 20,
  values: {
    roleid: ({ of }) => oidOf(of.role),
    member: ({ member }) => oidOf(member.object),
    grantor: ({ of }) => oidOf(of.grantor),
    admin_option: ({ of }) => of.admin,
  },
});

interface Settings {
  readonly role: number;
  readonly database: number;
  readonly settings: readonly InitialSetting[];
}

/** Settings of roles and of the database, together where they are of one pair. */
function* settings(view: SystemCatalogue): Iterable<Settings> {
  const database = oidOf(databaseObject);
  for (const { object, settings: list } of view.catalogue.roles()) {
    for (const inDatabase of [false, true]) {
      const found = list.filter((one) => one.inDatabase === inDatabase);
      if (found.length === 0) continue;
      yield { role: oidOf(object), database: inDatabase ? database : 0, settings: found };
    }
  }
  const { settings: own } = view.catalogue.database;
  if (own.length > 0) yield { role: 0, database, settings: own };
}

export const roleSettingsRelation = systemRelation<Settings>(catalogSchema, 'pg_db_role_setting', {
  items: settings,
  guess: 5,
  values: {
    setdatabase: ({ database }) => database,
    setrole: ({ role }) => role,
    setconfig: ({ settings: list }) =>
      ArrayValue.of(list.map(({ name, value }) => `${name}=${value}`)),
  },
});

interface Defaults {
  readonly role: RoleDescriptor;
  readonly of: DefaultPrivileges;
  readonly place: number;
}

function* defaults(view: SystemCatalogue): Iterable<Defaults> {
  for (const role of view.catalogue.roles()) {
    for (const [place, of] of role.defaultPrivileges.entries()) yield { role, of, place };
  }
}

const kinds = { table: 'r', sequence: 'S', function: 'f', type: 'T', schema: 'n' } as const;

export const defaultAclRelation = systemRelation<Defaults>(catalogSchema, 'pg_default_acl', {
  items: defaults,
  guess: 5,
  values: {
    oid: ({ role, place }) => oidOf(role.object) * 64 + place,
    defaclrole: ({ role }) => oidOf(role.object),
    defaclnamespace: ({ of }) => (of.schema === undefined ? 0 : oidOf(of.schema)),
    defaclobjtype: ({ of }) => kinds[of.kind],
    defaclacl: ({ of }, view) => aclTextOf(view, of.privileges),
  },
});
