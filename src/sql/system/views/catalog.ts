/** Views of pg_catalog over its tables. What nobody counts is NULL. */

const relationKinds = (kinds: string): string => `c.relkind IN (${kinds})`;

/** Rows of statistics that nobody keeps: names, and NULL for each figure. */
function statistics(columns: string, from: string, figures: number): string {
  const nothing = figures === 0 ? '' : `, ${new Array(figures).fill('NULL').join(', ')}`;
  return `SELECT ${columns}${nothing} FROM ${from}`;
}

const tables = `pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${relationKinds("'r', 't', 'm', 'p'")}`;
const systemOnly = "n.nspname IN ('pg_catalog', 'information_schema')";
const usersOnly = "n.nspname NOT IN ('pg_catalog', 'information_schema')";
const table = 'c.oid, n.nspname, c.relname';
const indexes =
  "pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid LEFT JOIN pg_namespace n ON n.oid = t.relnamespace WHERE t.relkind IN ('r', 't', 'm')";
const index = 't.oid, c.oid, n.nspname, t.relname, c.relname';
const sequences =
  "pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S'";

/** For all relations, those of the system and those of users. */
function threefold(
  name: (kind: 'all' | 'sys' | 'user') => string,
  columns: string,
  from: string,
  figures: number,
): Readonly<Record<string, string>> {
  return {
    [name('all')]: statistics(columns, from, figures),
    [name('sys')]: statistics(columns, `${from} AND ${systemOnly}`, figures),
    [name('user')]: statistics(columns, `${from} AND ${usersOnly}`, figures),
  };
}

export const catalogViews: Readonly<Record<string, string>> = {
  pg_roles: `
    SELECT a.rolname, a.rolsuper, a.rolinherit, a.rolcreaterole, a.rolcreatedb, a.rolcanlogin, a.rolreplication,
      a.rolconnlimit, '********'::text, a.rolvaliduntil, a.rolbypassrls, s.setconfig, a.oid
    FROM pg_authid a LEFT JOIN pg_db_role_setting s ON a.oid = s.setrole AND s.setdatabase = 0`,
  pg_shadow: `
    SELECT a.rolname, a.oid, a.rolcreatedb, a.rolsuper, a.rolreplication, a.rolbypassrls, a.rolpassword,
      a.rolvaliduntil, s.setconfig
    FROM pg_authid a LEFT JOIN pg_db_role_setting s ON a.oid = s.setrole AND s.setdatabase = 0
    WHERE a.rolcanlogin`,
  pg_group: `
    SELECT a.rolname, a.oid, ARRAY(SELECT m.member FROM pg_auth_members m WHERE m.roleid = a.oid)
    FROM pg_authid a WHERE NOT a.rolcanlogin`,
  pg_user: `
    SELECT usename, usesysid, usecreatedb, usesuper, userepl, usebypassrls, '********'::text, valuntil, useconfig
    FROM pg_shadow`,
  pg_views: `
    SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), pg_get_viewdef(c.oid)
    FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v'`,
  pg_tables: `
    SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), NULL, c.relhasindex, c.relhasrules, c.relhastriggers,
      c.relrowsecurity
    FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')`,
  pg_matviews: `
    SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), NULL, c.relhasindex, c.relispopulated,
      pg_get_viewdef(c.oid)
    FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm'`,
  pg_indexes: `
    SELECT n.nspname, c.relname, i.relname, NULL, pg_get_indexdef(i.oid)
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'p') AND i.relkind IN ('i', 'I')`,
  pg_sequences: `
    SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), s.seqtypid::regtype, s.seqstart, s.seqmin, s.seqmax,
      s.seqincrement, s.seqcycle, s.seqcache, pg_sequence_last_value(c.oid::regclass)
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace`,
  pg_rules: `
    SELECT n.nspname, c.relname, r.rulename, pg_get_ruledef(r.oid)
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE r.rulename <> '_RETURN'`,
  pg_stat_database: `
    SELECT oid, datname, ${new Array(26).fill('NULL').join(', ')} FROM pg_database`,
  ...threefold((kind) => `pg_stat_${kind}_tables`, table, tables, 20),
  ...threefold((kind) => `pg_stat_xact_${kind}_tables`, table, tables, 8),
  ...threefold((kind) => `pg_statio_${kind}_tables`, table, tables, 8),
  ...threefold((kind) => `pg_stat_${kind}_indexes`, index, indexes, 3),
  ...threefold((kind) => `pg_statio_${kind}_indexes`, index, indexes, 2),
  ...threefold((kind) => `pg_statio_${kind}_sequences`, table, sequences, 2),
};
