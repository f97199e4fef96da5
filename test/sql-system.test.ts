/**
 * The system catalogues beside PostgreSQL 15: what psql shows of a schema of many objects, what drivers
 * and introspection ask, and the columns of every system relation. What PostgreSQL answered is committed
 * in test/postgres/catalogue, so that each difference is seen where none is installed, too; `UPDATE=1`
 * writes its answers anew.
 */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { relationFacts } from '#src/sql/system/facts.js';
import { wireNode } from './postgres/nodes.js';
import { noPostgres, startPostgres } from './postgres/real.js';

t.setTimeout(300_000);

const folder = 'test/postgres/catalogue';
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const missing = noPostgres();
const hasPsql = spawnSync('psql', ['--version']).status === 0;

/** A client that gives all values as the server's texts. */
async function connect(address: string): Promise<pg.Client> {
  const [host = '', port] = address.split(':');
  const client = new pg.Client({
    ...{ host, port: Number(port), user: 'admin', database: 'shardforge' },
    types: { getTypeParser: () => String },
  });
  await client.connect();
  return client;
}

/** The statements of a file, each with what it answers: a line for each row. */
async function answers(client: pg.Client, text: string): Promise<string> {
  const statements = text.split(/;\n/).filter((statement) => statement.trim() !== '');
  const lines: string[] = [];
  for (const statement of statements) {
    const shown = statement.trim();
    const { rows } = await client.query<(string | null)[]>({ text: shown, rowMode: 'array' });
    lines.push(`${shown};`, ...rows.map((row) => row.map((one) => one ?? '').join('|')), '');
  }
  return lines.join('\n');
}

/** What psql prints of the commands of a file. */
async function psqlOutput(address: string): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  const where = ['-h', host, '-p', port, '-U', 'admin', '-d', 'shardforge'];
  const env = { ...process.env, PGTZ: 'UTC', LC_ALL: 'C', PSQL_PAGER: '' };
  // The node runs in this process: nothing may hold it up.
  const options = { cwd: folder, env, timeout: 60_000 };
  const ran = promisify(execFile)('psql', [...where, '-X', '-a', '-f', 'psql.sql'], options);
  const { stdout, stderr } = await ran;
  return stdout + stderr;
}

const update = process.env.UPDATE === '1';

t.test('beside PostgreSQL 15', async (t) => {
  const { node, address } = await wireNode();
  t.teardown(() => node.stop());
  const ours = await connect(address);
  t.teardown(() => ours.end());
  await ours.query(read('schema.sql'));
  const real = missing === undefined ? await startPostgres() : undefined;
  if (real !== undefined) t.teardown(() => real.stop());
  const theirs = real && (await connect(real.address));
  if (theirs !== undefined) t.teardown(() => theirs.end());
  await theirs?.query(read('schema.sql'));

  await t.test('what drivers, tools and information_schema ask', async (t) => {
    const asked = read('queries.sql');
    if (theirs !== undefined) {
      const expected = await answers(theirs, asked);
      if (update) writeFileSync(join(folder, 'queries.txt'), expected);
      t.equal(expected, read('queries.txt'), 'PostgreSQL answers as it did');
    }
    t.equal(await answers(ours, asked), read('queries.txt'), 'and so does ShardForge');
  });

  await t.test('what psql describes', { skip: !hasPsql && 'psql is not installed' }, async (t) => {
    if (real !== undefined) {
      const expected = await psqlOutput(real.address);
      if (update) writeFileSync(join(folder, 'psql.txt'), expected);
      t.equal(expected, read('psql.txt'), 'PostgreSQL shows what it did');
    }
    t.equal(await psqlOutput(address), read('psql.txt'), 'and so does ShardForge');
  });

  await t.test('columns of system relations', { skip: missing ?? false }, async (t) => {
    const asked = `
      SELECT n.nspname || '.' || c.relname || ' ' || c.relkind::text, a.attnum, a.attname, t.typname, a.attnotnull
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
      JOIN pg_type t ON t.oid = a.atttypid
      WHERE c.relkind IN ('r', 'v') AND n.nspname IN ('pg_catalog', 'information_schema') AND a.attnum > 0
      ORDER BY 1, 2`;
    // Tables of the standard's features, which nobody reads.
    const rest = /^information_schema\.sql_(features|implementation_info|parts|sizing) /;
    const found = (await answers(ours, asked)).split('\n').filter((line) => !rest.test(line));
    const wanted = (await answers(must(theirs, 'it runs'), asked)).split('\n');
    t.same(
      found,
      wanted.filter((line) => !rest.test(line)),
    );
  });

  await t.test('all of them can be read', async (t) => {
    for (const { schema, name, columns } of relationFacts) {
      const result = await ours.query({
        text: `SELECT * FROM ${schema}.${name}`,
        rowMode: 'array',
      });
      t.same(
        result.fields.map((field) => field.name),
        columns.map((column) => column.name),
        `${schema}.${name}`,
      );
    }
  });
});

t.test('a view over a table with conditional indexes reads its own columns', async (t) => {
  const { node, address } = await wireNode();
  t.teardown(() => node.stop());
  const client = await connect(address);
  t.teardown(() => client.end());
  await client.query(`
    CREATE TABLE deal (id int PRIMARY KEY, note text, price int, kind text);
    CREATE INDEX deal_dear ON deal (price, (lower(kind))) WHERE price > 10;
    CREATE VIEW dear AS SELECT kind, price FROM deal WHERE price > 10;
    INSERT INTO deal VALUES (1, 'n', 5, 'A'), (2, 'm', 50, 'B')`);
  t.same((await client.query({ text: 'SELECT * FROM dear', rowMode: 'array' })).rows, [
    ['B', '50'],
  ]);
});

t.test('one relation among many is found by its keys', async (t) => {
  const { node, address } = await wireNode();
  t.teardown(() => node.stop());
  const client = await connect(address);
  t.teardown(() => client.end());
  await client.query('CREATE TABLE one (id serial PRIMARY KEY, a int CHECK (a > 0))');
  const { rows } = await client.query<string[]>({
    text: "SELECT 'one'::regclass::oid",
    rowMode: 'array',
  });
  const oid = rows[0]?.[0];
  // As psql asks for \d of one table.
  const statements = [
    `SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname OPERATOR(pg_catalog.~) '^(one)$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3`,
    `SELECT c.relchecks, am.amname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_class tc ON (c.reltoastrelid = tc.oid)
     LEFT JOIN pg_catalog.pg_am am ON (c.relam = am.oid) WHERE c.oid = '${oid}'`,
    `SELECT a.attname, (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d
     WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef) FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = '${oid}' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    `SELECT c2.relname, i.indisprimary, contype FROM pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i
     LEFT JOIN pg_catalog.pg_constraint con ON (conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN ('p','u','x'))
     WHERE c.oid = '${oid}' AND c.oid = i.indrelid AND i.indexrelid = c2.oid ORDER BY i.indisprimary DESC, c2.relname`,
    `SELECT d.refobjid FROM pg_catalog.pg_depend d WHERE d.objid = '${oid}'`,
    `SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'one'`,
  ];
  for (const statement of statements) {
    const plan = await client.query<string[]>({ text: `EXPLAIN ${statement}`, rowMode: 'array' });
    const lines = plan.rows.map(([line]) => line ?? '');
    // Of few rows, whatever users make.
    const scans = lines.filter(
      (line) => line.includes('Seq Scan') && !/pg_am|pg_collation/.test(line),
    );
    t.same(scans, [], `${statement.slice(0, 60)}\n${lines.join('\n')}`);
  }
});

t.test('the transaction sees its own objects and nobody else does', async (t) => {
  const { node, address } = await wireNode();
  t.teardown(() => node.stop());
  const [one, other] = [await connect(address), await connect(address)];
  t.teardown(() => Promise.all([one.end(), other.end()]));
  const names = async (client: pg.Client): Promise<readonly string[]> => {
    const text = 'SELECT relname FROM pg_class WHERE oid >= 16384 ORDER BY 1';
    const { rows } = await client.query<string[]>({ text, rowMode: 'array' });
    return rows.map(([name]) => name ?? '');
  };
  await one.query(
    'BEGIN; CREATE TABLE mine (id int PRIMARY KEY); CREATE TEMP TABLE passing (a int)',
  );
  t.same(await names(one), ['mine', 'mine_pkey', 'passing']);
  t.same(await names(other), []);
  await one.query('ALTER TABLE mine RENAME TO ours');
  t.same(await names(one), ['mine_pkey', 'ours', 'passing']);
  await one.query('ROLLBACK');
  t.same(await names(one), []);
  await one.query('CREATE TEMP TABLE passing (a int)');
  t.same(await names(one), ['passing']);
  t.same(await names(other), [], 'temporary tables are one session alone');
  const shown = await one.query({
    text: "SELECT 'passing'::regclass, pg_my_temp_schema() <> 0, 'pg_class'::regclass, 1259::regclass",
    rowMode: 'array',
  });
  t.same(shown.rows, [['passing', 't', 'pg_class', 'pg_class']]);
});

t.test('COPY takes system relations, and no views over them', async (t) => {
  const { node, address } = await wireNode();
  t.teardown(() => node.stop());
  const client = await connect(address);
  t.teardown(() => client.end());
  const ran = await client.query('COPY pg_namespace (nspname, oid) TO STDOUT').catch(String);
  t.not(typeof ran, 'string', 'it is sent');
  await t.rejects(client.query('COPY pg_tables TO STDOUT'), /cannot copy from view "pg_tables"/);
});

t.test('system relations cannot be changed', async (t) => {
  const { node, address } = await wireNode();
  t.teardown(() => node.stop());
  const client = await connect(address);
  t.teardown(() => client.end());
  for (const statement of [
    "INSERT INTO pg_class (relname) VALUES ('x')",
    "UPDATE pg_catalog.pg_class SET relname = 'x'",
    'DELETE FROM pg_attribute',
    'DROP TABLE pg_class',
    'TRUNCATE information_schema.tables',
    'ALTER TABLE pg_catalog.pg_class ADD COLUMN x int',
    'CREATE INDEX ON pg_class (relname)',
    'CREATE TABLE pg_catalog.mine (a int)',
  ]) {
    const ran = client.query(statement).then(
      () => 'done',
      (error: { readonly code?: string }) => error.code,
    );
    t.equal(await ran, '42501', statement);
  }
  await t.rejects(client.query('CREATE SCHEMA information_schema'), /already exists/);
  await client.query('VACUUM pg_catalog.pg_class');
  await client.query('ANALYZE pg_class');
  t.same((await client.query('SELECT count(*) AS n FROM pg_class')).rows.length, 1);
});
