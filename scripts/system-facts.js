/**
 * Writes src/sql/system/facts: what PostgreSQL 15 says of its own relations, types, functions and
 * operators, as far as we have them. `node scripts/system-facts.js <psql's connection string>`; the
 * result is committed, and test/sql-system.test.ts compares it with a PostgreSQL 15 where there is one.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const [connection = ''] = process.argv.slice(2);

/** The rows of a query, as texts. */
function rows(sql) {
  const text = execFileSync(
    'psql',
    [connection, '-X', '-At', '-F', '\x1f', '-R', '\x1e', '-c', sql],
    {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  return body === '' ? [] : body.split('\x1e').map((line) => line.split('\x1f'));
}

/** Words behind `first`, broken into lines that are not too long. */
function wrapped(first, words) {
  const lines = [];
  let line = first;
  for (const word of words) {
    if (line.length + word.length > 108) {
      lines.push(line);
      line = ' ';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}

function write(name, comment, constant, text) {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${');
  writeFileSync(
    new URL(`../src/sql/system/facts/${name}.ts`, import.meta.url),
    `/** ${comment} Written by scripts/system-facts.js. */\nexport const ${constant} = \`\n${escaped}\n\`;\n`,
  );
}

const typeName = `CASE WHEN tn.nspname = 'pg_catalog' THEN t.typname ELSE tn.nspname || '.' || t.typname END`;

function relations(schema) {
  const found = new Map();
  for (const [oid, kind, relation, column, type, notNull] of rows(`
    SELECT c.oid, c.relkind, c.relname, a.attname, ${typeName}, a.attnotnull
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace tn ON tn.oid = t.typnamespace
    WHERE c.relkind IN ('r', 'v') AND c.relnamespace = '${schema}'::regnamespace
    ORDER BY c.relname COLLATE "C", a.attnum`)) {
    const head = `${oid} ${kind} ${relation}:`;
    const columns = found.get(head) ?? [];
    found.set(head, columns);
    const shown = type.replace('information_schema.', '.');
    columns.push(`${column} ${shown}${notNull === 't' ? '!' : ''}`);
  }
  return [...found]
    .map(([head, columns]) =>
      wrapped(
        head,
        columns.map((one, i) => (i === columns.length - 1 ? one : `${one},`)),
      ),
    )
    .join('\n');
}

const relationLines =
  'A line says OID, kind, name: columns with their types, `!` for NOT NULL, a type with a dot in front is a domain of information_schema.';
const catalog = relations('pg_catalog').split(/\n(?=\d)/);
const half = catalog.findIndex((line) => line.includes(' pg_stat'));
write(
  'relations',
  `The relations of pg_catalog. ${relationLines}`,
  'catalogRelations',
  catalog.slice(0, half).join('\n'),
);
write(
  'statistics-relations',
  `More relations of pg_catalog. ${relationLines}`,
  'moreCatalogRelations',
  catalog.slice(half).join('\n'),
);
write(
  'information-schema',
  `The relations of information_schema. ${relationLines}`,
  'informationRelations',
  relations('information_schema'),
);

const typeList = `
  bool int2 int4 int8 oid float4 float8 numeric text varchar bpchar name unknown bytea date time timestamp
  timestamptz interval json jsonb jsonpath uuid char timetz bit varbit int2vector oidvector tid xid cid xid8
  pg_node_tree aclitem inet pg_lsn pg_ndistinct pg_dependencies pg_mcv_list regclass regtype regproc
  regprocedure regoper regoperator regnamespace regrole regcollation record void any anyelement anyarray
  anynonarray anyenum anycompatible anycompatiblearray anycompatiblenonarray cstring internal trigger
  event_trigger language_handler index_am_handler table_am_handler`
  .trim()
  .split(/\s+/);
const ourTypes = [...typeList, ...typeList.map((name) => `_${name}`)]
  .map((name) => `'${name}'`)
  .join();

function shown(value) {
  return value === '' ? '-' : value;
}

const typeFacts = rows(`
  SELECT oid, typname, typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typsubscript,
    typelem, typarray, typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typalign,
    typstorage, typcollation
  FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typname IN (${ourTypes}) ORDER BY oid`);
write(
  'types',
  'Types of pg_catalog: OID, name and typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typsubscript, typelem, typarray, typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typalign, typstorage, typcollation.',
  'catalogTypes',
  typeFacts.map((row) => row.map(shown).join(' ')).join('\n'),
);

/** Names of functions that we have: whatever our sources define by a signature. */
function functionNames() {
  const names = new Set();
  for (const folder of ['functions', 'system/functions', 'accounts']) {
    const path = new URL(`../src/sql/${folder}/`, import.meta.url);
    for (const file of readdirSync(path)) {
      if (!file.endsWith('.ts')) continue;
      const text = readFileSync(new URL(file, path), 'utf8');
      for (const [, name] of text.matchAll(/['"`](\w+)(?:\(|['"`])/g)) names.add(name);
    }
  }
  return names;
}

const procColumns = `
  p.oid, p.proname, p.prolang, p.procost, p.prorows, p.provariadic, p.prokind, p.proisstrict, p.proretset,
  p.provolatile, p.proparallel, p.pronargdefaults, p.prorettype, replace(p.proargtypes::text, ' ', ','),
  replace(p.proallargtypes::text, ' ', ''), replace(p.proargmodes::text, ' ', ''),
  replace(p.proargnames::text, ' ', ''), p.prosrc`;
const known = `
  WITH known AS (SELECT oid FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typname IN (${ourTypes}))
  SELECT ${procColumns} FROM pg_proc p WHERE pronamespace = 'pg_catalog'::regnamespace
  AND prorettype IN (SELECT oid FROM known)
  AND NOT EXISTS (SELECT FROM unnest(proargtypes) a WHERE a NOT IN (SELECT oid FROM known))`;
const inAndOut = new Set([
  ...['enum_in', 'enum_out', 'enum_recv', 'enum_send', 'domain_in', 'domain_recv'],
  ...typeFacts.flatMap((row) => row.slice(8).filter((one) => /^[a-z]\w+$/.test(one))),
]);
const names = functionNames();
const operatorFunctions = new Set(
  rows(`SELECT DISTINCT proname FROM pg_proc WHERE oid IN (SELECT oprcode::oid FROM pg_operator
    UNION SELECT amproc::oid FROM pg_amproc UNION SELECT castfunc FROM pg_cast)`).map(
    ([name]) => name,
  ),
);
const others = new Set([
  'bthandler',
  'heap_tableam_handler',
  'hashhandler',
  'fmgr_internal_validator',
  'fmgr_c_validator',
  'fmgr_sql_validator',
]);
const procFacts = rows(`${known} ORDER BY p.oid`).filter(
  ([, name]) =>
    names.has(name) || inAndOut.has(name) || operatorFunctions.has(name) || others.has(name),
);
const procLine = (row) =>
  row
    .map(shown)
    .join(' ')
    .replaceAll(/( -)+$/g, '');
const procText =
  'Functions of pg_catalog: OID, name, prolang, procost, prorows, provariadic, prokind, proisstrict, proretset, provolatile, proparallel, pronargdefaults, prorettype, proargtypes, proallargtypes, proargmodes, proargnames, prosrc.';
const size = 460;
const parts = Math.ceil(procFacts.length / size);
for (let i = 0; i < parts; i += 1) {
  const lines = procFacts.slice(i * size, (i + 1) * size).map(procLine);
  write(`functions-${i + 1}`, procText, `catalogFunctions${i + 1}`, lines.join('\n'));
}
console.log(`${procFacts.length} functions in ${parts} files`);

/** Rows of a catalogue as lines of fields, in pieces that are not too long. */
function table(name, comment, sql, wraps = false) {
  const lines = rows(sql).map((row) => row.map(shown).join(' '));
  const text = wraps
    ? wrapped(
        lines[0] + ';',
        lines.slice(1).map((line) => `${line};`),
      )
    : lines.join('\n');
  write(
    name,
    comment,
    `catalog${name.replace(/(?:^|-)([a-z])/g, (_, letter) => letter.toUpperCase())}`,
    text,
  );
}

const ours = `SELECT oid FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typname IN (${ourTypes})`;
table(
  'operators',
  'Operators of pg_catalog: oid, oprname, oprkind, oprcanmerge, oprcanhash, oprleft, oprright, oprresult, oprcom, oprnegate, oprcode, oprrest, oprjoin.',
  `WITH known AS (${ours}) SELECT oid, oprname, oprkind, oprcanmerge, oprcanhash, oprleft, oprright, oprresult, oprcom,
     oprnegate, oprcode::oid, oprrest, oprjoin FROM pg_operator
   WHERE oprleft IN (SELECT oid FROM known UNION SELECT 0) AND oprright IN (SELECT oid FROM known)
   AND oprresult IN (SELECT oid FROM known) ORDER BY oid`,
  true,
);
const methods = `SELECT oid FROM pg_opfamily WHERE opfmethod IN (403, 405)`;
table(
  'operator-classes',
  'Operator classes of btree and hash: oid, opcmethod, opcname, opcfamily, opcintype, opcdefault, opckeytype.',
  `WITH known AS (${ours}) SELECT oid, opcmethod, opcname, opcfamily, opcintype, opcdefault, opckeytype FROM pg_opclass
   WHERE opcmethod IN (403, 405) AND opcintype IN (SELECT oid FROM known) ORDER BY oid`,
);
table(
  'operator-families',
  'Operator families of btree and hash: oid, opfmethod, opfname.',
  `WITH known AS (${ours}) SELECT oid, opfmethod, opfname FROM pg_opfamily WHERE oid IN (SELECT opcfamily FROM pg_opclass
   WHERE opcmethod IN (403, 405) AND opcintype IN (SELECT oid FROM known)) ORDER BY oid`,
);
table(
  'family-operators',
  'pg_amop: oid, amopfamily, amoplefttype, amoprighttype, amopstrategy, amopopr, amopmethod.',
  `WITH known AS (${ours}) SELECT oid, amopfamily, amoplefttype, amoprighttype, amopstrategy, amopopr, amopmethod
   FROM pg_amop WHERE amopfamily IN (${methods}) AND amoplefttype IN (SELECT oid FROM known)
   AND amoprighttype IN (SELECT oid FROM known) ORDER BY oid`,
  true,
);
table(
  'family-functions',
  'pg_amproc: oid, amprocfamily, amproclefttype, amprocrighttype, amprocnum, amproc.',
  `WITH known AS (${ours}) SELECT oid, amprocfamily, amproclefttype, amprocrighttype, amprocnum, amproc::oid
   FROM pg_amproc WHERE amprocfamily IN (${methods}) AND amproclefttype IN (SELECT oid FROM known)
   AND amprocrighttype IN (SELECT oid FROM known) ORDER BY oid`,
  true,
);
table(
  'casts',
  'pg_cast: oid, castsource, casttarget, castfunc, castcontext, castmethod.',
  `WITH known AS (${ours}) SELECT oid, castsource, casttarget, castfunc, castcontext, castmethod FROM pg_cast
   WHERE castsource IN (SELECT oid FROM known) AND casttarget IN (SELECT oid FROM known) ORDER BY oid`,
  true,
);
table(
  'keywords',
  'pg_get_keywords(): word, catcode, barelabel.',
  'SELECT word, catcode, barelabel FROM pg_get_keywords()',
  true,
);
