/** Views of information_schema over pg_catalog (chapter 37 of PostgreSQL's manual). */
const catalog = 'current_database()';
const yes = (condition: string): string => `CASE WHEN ${condition} THEN 'YES' ELSE 'NO' END`;
const nothing = (count: number): string => new Array(count).fill('NULL').join(', ');

/** What the session's role may see: what is its own, and what it has a right on. */
const tableRights = 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER';
const seesTable = `(pg_has_role(c.relowner, 'USAGE') OR has_table_privilege(c.oid, '${tableRights}')
  OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))`;
const ownsTable = "(pg_has_role(c.relowner, 'USAGE'))";

/** Lengths and precisions of a type by its OID and modifier. */
interface TypeFigures {
  readonly length: string;
  readonly octets: string;
  readonly precision: string;
  readonly radix: string;
  readonly scale: string;
  readonly datetime: string;
  readonly interval: string;
}

function figuresOf(type: string, modifier: string): TypeFigures {
  return {
    length: `CASE WHEN ${type} IN (1042, 1043) AND ${modifier} <> -1 THEN ${modifier} - 4 WHEN ${type} IN (1560, 1562) THEN ${modifier} END`,
    octets: `CASE WHEN ${type} IN (25, 1042, 1043) THEN CASE WHEN ${modifier} = -1 THEN 1073741824 ELSE (${modifier} - 4) * 4 END END`,
    precision: `CASE ${type}::int8 WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53
      WHEN 1700 THEN CASE WHEN ${modifier} = -1 THEN NULL ELSE ((${modifier} - 4) >> 16) & 65535 END END`,
    radix: `CASE WHEN ${type} IN (21, 23, 20, 700, 701) THEN 2 WHEN ${type} = 1700 THEN 10 END`,
    scale: `CASE WHEN ${type} IN (21, 23, 20) THEN 0 WHEN ${type} = 1700 THEN CASE WHEN ${modifier} = -1 THEN NULL ELSE (${modifier} - 4) & 65535 END END`,
    datetime: `CASE WHEN ${type} = 1082 THEN 0 WHEN ${type} IN (1083, 1114, 1184, 1266) THEN CASE WHEN ${modifier} < 0 THEN 6 ELSE ${modifier} END
      WHEN ${type} = 1186 THEN CASE WHEN ${modifier} < 0 OR ${modifier} & 65535 = 65535 THEN 6 ELSE ${modifier} & 65535 END END`,
    interval: `CASE WHEN ${type} = 1186 THEN upper(substring(format_type(${type}, ${modifier}) from 'interval[()0-9]* #"%#"' for '#')) END`,
  };
}

/** A type's name as the standard has it; `t` is its row, `nt` its schema. */
const dataType = (t: string, nt: string): string =>
  `CASE WHEN ${t}.typelem <> 0 AND ${t}.typlen = -1 THEN 'ARRAY' WHEN ${nt}.nspname = 'pg_catalog' THEN format_type(${t}.oid, NULL) ELSE 'USER-DEFINED' END`;

const figures = figuresOf('x.truetype', 'x.truemod');

/** Columns with their types, and the types under domains. */
const columnRows = `
  SELECT c.oid AS relid, n.nspname, c.relname, c.relkind, c.relowner, a.attname, a.attnum, a.attnotnull, a.attidentity,
    a.attgenerated, a.atttypid, a.attcollation, t.typtype, t.typnotnull, t.typname, nt.nspname AS typnsp,
    t.typbasetype, bt.typname AS basename, nbt.nspname AS basensp,
    CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END AS truetype,
    CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS truemod,
    CASE WHEN t.typtype = 'd' THEN ${dataType('bt', 'nbt')} ELSE ${dataType('t', 'nt')} END AS datatype
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
  JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace nt ON nt.oid = t.typnamespace
  LEFT JOIN pg_type bt ON bt.oid = t.typbasetype AND t.typtype = 'd' LEFT JOIN pg_namespace nbt ON nbt.oid = bt.typnamespace
  WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p')
    AND (pg_has_role(c.relowner, 'USAGE') OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'))`;

const collationColumns = (collation: string): string =>
  `CASE WHEN nco.nspname IS NOT NULL THEN ${catalog} END, nco.nspname, ${collation}`;

const columns = `
  SELECT ${catalog}, x.nspname, x.relname, x.attname, x.attnum,
    CASE WHEN x.attgenerated = '' THEN pg_get_expr(ad.adbin, ad.adrelid) END,
    ${yes("NOT (x.attnotnull OR (x.typtype = 'd' AND x.typnotnull))")}, x.datatype,
    ${figures.length}, ${figures.octets}, ${figures.precision}, ${figures.radix}, ${figures.scale}, ${figures.datetime},
    ${figures.interval}, NULL, NULL, NULL, NULL, ${collationColumns('co.collname')},
    CASE WHEN x.typtype = 'd' THEN ${catalog} END, CASE WHEN x.typtype = 'd' THEN x.typnsp END,
    CASE WHEN x.typtype = 'd' THEN x.typname END,
    ${catalog}, coalesce(x.basensp, x.typnsp), coalesce(x.basename, x.typname),
    NULL, NULL, NULL, NULL, x.attnum::text, 'NO', ${yes("x.attidentity IN ('a', 'd')")},
    CASE x.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END,
    s.seqstart::text, s.seqincrement::text, s.seqmax::text, s.seqmin::text,
    CASE WHEN x.attidentity IN ('a', 'd') THEN ${yes('s.seqcycle')} ELSE 'NO' END,
    CASE WHEN x.attgenerated <> '' THEN 'ALWAYS' ELSE 'NEVER' END,
    CASE WHEN x.attgenerated <> '' THEN pg_get_expr(ad.adbin, ad.adrelid) END,
    ${yes("x.relkind IN ('r', 'p')")}
  FROM (${columnRows}) x LEFT JOIN pg_attrdef ad ON ad.adrelid = x.relid AND ad.adnum = x.attnum
  LEFT JOIN pg_depend d ON d.refobjid = x.relid AND d.refobjsubid = x.attnum AND d.deptype = 'i'
    AND d.classid = 1259 AND d.refclassid = 1259 AND x.attidentity <> ''
  LEFT JOIN pg_sequence s ON s.seqrelid = d.objid
  LEFT JOIN pg_collation co ON co.oid = x.attcollation AND co.collname <> 'default'
  LEFT JOIN pg_namespace nco ON nco.oid = co.collnamespace`;

/** Constraints with their tables. */
const constraintRows = `
  pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_namespace nk ON nk.oid = k.connamespace`;

const tableConstraints = `
  SELECT ${catalog}, nk.nspname, k.conname, ${catalog}, n.nspname, c.relname,
    CASE k.contype WHEN 'c' THEN 'CHECK' WHEN 'f' THEN 'FOREIGN KEY' WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' END,
    ${yes('k.condeferrable')}, ${yes('k.condeferred')}, 'YES',
    CASE WHEN k.contype = 'u' THEN ${yes('NOT (SELECT i.indnullsnotdistinct FROM pg_index i WHERE i.indexrelid = k.conindid)')} END
  FROM ${constraintRows} WHERE k.contype NOT IN ('t', 'x') AND c.relkind IN ('r', 'p') AND ${seesTable}
  UNION ALL
  SELECT ${catalog}, n.nspname, n.oid::text || '_' || c.oid::text || '_' || a.attnum::text || '_not_null',
    ${catalog}, n.nspname, c.relname, 'CHECK', 'NO', 'NO', 'YES', NULL
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND ${seesTable}`;

const keyColumnUsage = `
  SELECT ${catalog}, u.nsp, u.conname, ${catalog}, u.nspname, u.relname, a.attname, u.place,
    CASE WHEN u.contype = 'f' THEN (
      SELECT s.place FROM (SELECT g.place, r.conkey[g.place] AS attnum FROM pg_constraint r,
        generate_subscripts(r.conkey, 1) AS g(place) WHERE r.contype IN ('p', 'u') AND r.conrelid = u.confrelid
        AND r.conindid = u.conindid) s WHERE s.attnum = u.confkey[u.place]) END
  FROM (SELECT nk.nspname AS nsp, k.conname, n.nspname, c.relname, k.conrelid, k.contype, k.conindid, k.conkey,
      k.confkey, k.confrelid, generate_subscripts(k.conkey, 1) AS place
    FROM ${constraintRows} WHERE k.contype IN ('p', 'u', 'f') AND c.relkind IN ('r', 'p') AND ${seesTable}) u
  JOIN pg_attribute a ON a.attrelid = u.conrelid AND a.attnum = u.conkey[u.place]`;

const referenced = `
  SELECT k.oid, k.conname, k.connamespace, CASE k.contype WHEN 'f' THEN k.confrelid ELSE k.conrelid END AS relid,
    CASE k.contype WHEN 'f' THEN k.confkey ELSE k.conkey END AS keys
  FROM pg_constraint k WHERE k.contype IN ('c', 'f', 'p', 'u') AND k.conrelid <> 0`;

const constraintColumnUsage = `
  SELECT ${catalog}, n.nspname, c.relname, a.attname, ${catalog}, nk.nspname, k.conname
  FROM (${referenced}) k JOIN pg_namespace nk ON nk.oid = k.connamespace
  JOIN pg_class c ON c.oid = k.relid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = k.relid AND a.attnum = ANY (k.keys)
  WHERE c.relkind IN ('r', 'p') AND ${ownsTable}`;

const rule = (column: string): string =>
  `CASE ${column} WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' WHEN 'a' THEN 'NO ACTION' END`;

const referentialConstraints = `
  SELECT ${catalog}, nk.nspname, k.conname, CASE WHEN nu.nspname IS NULL THEN NULL ELSE ${catalog} END, nu.nspname, u.conname,
    CASE k.confmatchtype WHEN 'f' THEN 'FULL' WHEN 'p' THEN 'PARTIAL' WHEN 's' THEN 'NONE' END,
    ${rule('k.confupdtype')}, ${rule('k.confdeltype')}
  FROM ${constraintRows}
  LEFT JOIN pg_constraint u ON u.conrelid = k.confrelid AND u.conindid = k.conindid AND u.contype IN ('p', 'u')
  LEFT JOIN pg_namespace nu ON nu.oid = u.connamespace
  WHERE k.contype = 'f' AND ${seesTable}`;

const checkConstraints = `
  SELECT ${catalog}, nk.nspname, k.conname, substring(pg_get_constraintdef(k.oid) from 7)
  FROM pg_constraint k JOIN pg_namespace nk ON nk.oid = k.connamespace LEFT JOIN pg_class c ON c.oid = k.conrelid
  LEFT JOIN pg_type t ON t.oid = k.contypid
  WHERE k.contype = 'c' AND pg_has_role(coalesce(c.relowner, t.typowner), 'USAGE')
  UNION ALL
  SELECT ${catalog}, n.nspname, n.oid::text || '_' || c.oid::text || '_' || a.attnum::text || '_not_null',
    a.attname || ' IS NOT NULL'
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND ${ownsTable}`;

const domain = figuresOf('t.typbasetype', 't.typtypmod');
const domainFrom = `pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_type bt ON bt.oid = t.typbasetype
  JOIN pg_namespace nbt ON nbt.oid = bt.typnamespace LEFT JOIN pg_collation co ON co.oid = t.typcollation AND co.collname <> 'default'
  LEFT JOIN pg_namespace nco ON nco.oid = co.collnamespace`;

const domains = `
  SELECT ${catalog}, n.nspname, t.typname, ${dataType('bt', 'nbt')}, ${domain.length}, ${domain.octets}, NULL, NULL, NULL,
    ${collationColumns('co.collname')}, ${domain.precision}, ${domain.radix}, ${domain.scale}, ${domain.datetime},
    ${domain.interval}, NULL, t.typdefault, ${catalog}, nbt.nspname, bt.typname, NULL, NULL, NULL, NULL, '1'
  FROM ${domainFrom} WHERE t.typtype = 'd' AND (pg_has_role(t.typowner, 'USAGE') OR has_type_privilege(t.oid, 'USAGE'))`;

const routineFrom =
  'pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang LEFT JOIN pg_type t ON t.oid = p.prorettype LEFT JOIN pg_namespace nt ON nt.oid = t.typnamespace';
const specificName = "p.proname || '_' || p.oid::text";
const seesRoutine =
  "(pg_has_role(p.proowner, 'USAGE') OR has_function_privilege(p.oid, 'EXECUTE'))";

const routines = `
  SELECT ${catalog}, n.nspname, ${specificName}, ${catalog}, n.nspname, p.proname,
    CASE p.prokind WHEN 'f' THEN 'FUNCTION' WHEN 'p' THEN 'PROCEDURE' END, ${nothing(6)},
    CASE WHEN p.prokind <> 'p' THEN ${dataType('t', 'nt')} END, ${nothing(14)},
    CASE WHEN nt.nspname IS NOT NULL THEN ${catalog} END, nt.nspname, t.typname, NULL, NULL, NULL, NULL,
    CASE WHEN p.prokind <> 'p' THEN 0 END, CASE WHEN l.lanname = 'sql' THEN 'SQL' ELSE 'EXTERNAL' END,
    CASE WHEN pg_has_role(p.proowner, 'USAGE') THEN p.prosrc END, CASE WHEN l.lanname = 'c' THEN p.prosrc END,
    upper(l.lanname), 'GENERAL', ${yes("p.provolatile = 'i'")}, 'MODIFIES', CASE WHEN p.prokind <> 'p' THEN ${yes('p.proisstrict')} END,
    NULL, 'YES', 0, NULL, NULL, CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END, ${nothing(7)}, 'NO',
    ${nothing(24)}
  FROM ${routineFrom} WHERE p.prokind IN ('f', 'p') AND ${seesRoutine}`;

const parameters = `
  SELECT ${catalog}, x.nspname, x.name, x.place, x.mode,
    'NO', 'NO', NULLIF(x.argname, ''), ${dataType('t', 'nt')}, ${nothing(14)}, ${catalog}, nt.nspname, t.typname,
    NULL, NULL, NULL, NULL, x.place::text, NULL
  FROM (SELECT n.nspname, ${specificName} AS name, g.place,
      CASE coalesce(p.proargmodes[g.place], 'i') WHEN 'i' THEN 'IN' WHEN 'o' THEN 'OUT' WHEN 'b' THEN 'INOUT' WHEN 'v' THEN 'IN' WHEN 't' THEN 'OUT' END AS mode,
      p.proargnames[g.place] AS argname, coalesce(p.proallargtypes[g.place], p.proargtypes[g.place - 1]) AS type
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
      LATERAL generate_series(1, coalesce(array_length(p.proallargtypes, 1), p.pronargs::int4)) AS g(place)
    WHERE ${seesRoutine}) x
  JOIN pg_type t ON t.oid = x.type JOIN pg_namespace nt ON nt.oid = t.typnamespace`;

const sequences = `
  SELECT ${catalog}, n.nspname, c.relname, format_type(s.seqtypid, NULL),
    CASE s.seqtypid::int8 WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 END, 2, 0, s.seqstart::text, s.seqmin::text, s.seqmax::text,
    s.seqincrement::text, ${yes('s.seqcycle')}
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 1259 AND d.deptype = 'i')
    AND (pg_has_role(c.relowner, 'USAGE') OR has_sequence_privilege(c.oid, 'SELECT, UPDATE, USAGE'))`;

const attribute = figuresOf('a.atttypid', 'a.atttypmod');

const attributes = `
  SELECT ${catalog}, n.nspname, c.relname, a.attname, a.attnum, NULL, ${yes('NOT a.attnotnull')}, ${dataType('t', 'nt')},
    ${attribute.length}, ${attribute.octets}, NULL, NULL, NULL, NULL, NULL, NULL, ${attribute.precision}, ${attribute.radix},
    ${attribute.scale}, ${attribute.datetime}, ${attribute.interval}, NULL, ${catalog}, nt.nspname, t.typname, NULL, NULL, NULL, NULL,
    a.attnum::text, 'NO'
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
  JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace nt ON nt.oid = t.typnamespace
  WHERE c.relkind = 'c' AND a.attnum > 0 AND NOT a.attisdropped`;

const tablePrivileges = `
  SELECT g.rolname, CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE r.rolname END, ${catalog}, n.nspname, c.relname, x.privilege_type,
    ${yes("pg_has_role(x.grantee, c.relowner, 'USAGE') OR x.is_grantable")}, ${yes("x.privilege_type = 'SELECT'")}
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
    LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS x
  JOIN pg_authid g ON g.oid = x.grantor LEFT JOIN pg_authid r ON r.oid = x.grantee
  WHERE c.relkind IN ('r', 'v', 'f', 'p')`;

export const informationViews: Readonly<Record<string, string>> = {
  information_schema_catalog_name: `SELECT ${catalog}`,
  schemata: `
    SELECT ${catalog}, n.nspname, a.rolname, NULL, NULL, NULL, NULL
    FROM pg_namespace n JOIN pg_authid a ON a.oid = n.nspowner
    WHERE pg_has_role(n.nspowner, 'USAGE') OR has_schema_privilege(n.oid, 'CREATE, USAGE')`,
  tables: `
    SELECT ${catalog}, n.nspname, c.relname,
      CASE WHEN c.relpersistence = 't' THEN 'LOCAL TEMPORARY' WHEN c.relkind IN ('r', 'p') THEN 'BASE TABLE' WHEN c.relkind = 'v' THEN 'VIEW' WHEN c.relkind = 'f' THEN 'FOREIGN' END,
      NULL, NULL, NULL, NULL, NULL, ${yes("c.relkind IN ('r', 'p')")}, 'NO', NULL
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'f', 'p') AND ${seesTable}`,
  columns,
  views: `
    SELECT ${catalog}, n.nspname, c.relname, CASE WHEN pg_has_role(c.relowner, 'USAGE') THEN pg_get_viewdef(c.oid) END,
      'NONE', 'NO', 'NO', 'NO', 'NO', 'NO'
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v' AND ${seesTable}`,
  table_constraints: tableConstraints,
  key_column_usage: keyColumnUsage,
  constraint_column_usage: constraintColumnUsage,
  constraint_table_usage: `
    SELECT ${catalog}, n.nspname, c.relname, ${catalog}, nk.nspname, k.conname
    FROM (${referenced}) k JOIN pg_namespace nk ON nk.oid = k.connamespace
    JOIN pg_class c ON c.oid = k.relid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_constraint o ON o.oid = k.oid WHERE o.contype IN ('f', 'p', 'u') AND ${ownsTable}`,
  referential_constraints: referentialConstraints,
  check_constraints: checkConstraints,
  domains,
  domain_constraints: `
    SELECT ${catalog}, n.nspname, k.conname, ${catalog}, n.nspname, t.typname, ${yes('k.condeferrable')}, ${yes('k.condeferred')}
    FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN pg_namespace n ON n.oid = t.typnamespace`,
  column_domain_usage: `
    SELECT ${catalog}, x.typnsp, x.typname, ${catalog}, x.nspname, x.relname, x.attname
    FROM (${columnRows}) x WHERE x.typtype = 'd'`,
  column_udt_usage: `
    SELECT ${catalog}, coalesce(x.basensp, x.typnsp), coalesce(x.basename, x.typname), ${catalog}, x.nspname, x.relname, x.attname
    FROM (${columnRows}) x`,
  attributes,
  user_defined_types: `
    SELECT ${catalog}, n.nspname, c.relname, 'STRUCTURED', 'YES', 'NO', ${nothing(23)}
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'c'`,
  routines,
  parameters,
  sequences,
  enabled_roles: `SELECT a.rolname FROM pg_authid a WHERE pg_has_role(a.oid, 'USAGE')`,
  applicable_roles: `
    SELECT a.rolname, b.rolname, ${yes('m.admin_option')}
    FROM pg_auth_members m JOIN pg_authid a ON a.oid = m.member JOIN pg_authid b ON b.oid = m.roleid
    WHERE pg_has_role(a.oid, 'USAGE')`,
  table_privileges: tablePrivileges,
  role_table_grants: `SELECT * FROM (${tablePrivileges}) p`,
  character_sets: `SELECT NULL, NULL, 'UTF8', 'UCS', 'UTF8', ${catalog}, 'pg_catalog', 'C'`,
  collations: `
    SELECT ${catalog}, n.nspname, c.collname, 'NO PAD' FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace`,
  view_table_usage: `
    SELECT DISTINCT ${catalog}, nv.nspname, v.relname, ${catalog}, n.nspname, c.relname
    FROM pg_class v JOIN pg_namespace nv ON nv.oid = v.relnamespace JOIN pg_depend d ON d.refobjid = v.oid AND d.deptype = 'i' AND d.classid = 2618
    JOIN pg_depend o ON o.objid = d.objid AND o.refobjid <> v.oid AND o.classid = 2618
    JOIN pg_class c ON c.oid = o.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE v.relkind = 'v' AND c.relkind IN ('r', 'v', 'p') AND ${ownsTable}`,
};
