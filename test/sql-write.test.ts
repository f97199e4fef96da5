/**
 * Writing rows: COPY in all its formats, what concurrent transactions may not do to foreign keys and
 * unique values, and that a statement that fails leaves nothing of itself. What PostgreSQL answers to
 * the same statements is compared in sql-differential.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { connect, ShardForgeError } from '#src/client/index.js';
import { open } from '#src/embedded.js';
import { checkConfig, inMemory, serverFiles, startNode } from '#src/node/index.js';
import { type Client, failureOf, resultsOf, tagsOf, TestNode } from './sql/session-client.js';

/** The lines that COPY TO STDOUT gives. */
async function copied(client: Client, text: string): Promise<string> {
  return (await client.rows(text)).map(([line]) => String(line)).join('');
}

/** The tag of COPY FROM STDIN with these data, or SQLSTATE, message and context of its error. */
async function copy(client: Client, text: string, data: string | Uint8Array): Promise<string> {
  client.copyData.push(data);
  const answers = await client.execute(text);
  client.copyData.length = 0;
  const failed = failureOf(answers);
  if (failed === undefined) return tagsOf(answers).join();
  const { context = '-' } = failed.details;
  return `${failed.kind}: ${failed.message} (${context})`;
}

/** SQLSTATE and message with which it is rejected. */
async function rejection(work: PromiseLike<unknown>): Promise<string> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    if (!(error instanceof ShardForgeError)) throw error;
    return `${error.sqlstate} ${error.message}`;
  }
}

t.test('COPY takes and gives text, CSV and the binary format', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'copy-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const node = await TestNode.start({}, { files: serverFiles([directory]) });
  const client = node.connect();
  await client.rows(
    'CREATE TABLE x (id int PRIMARY KEY, name text, amount numeric, at timestamptz)',
  );

  t.equal(
    await copy(
      client,
      'COPY x FROM STDIN',
      '1\ta\\tb\\n\\x41\\101\t1.50\t\\N\n2\t\\N\t-3\t2020-01-01\n\\.\nnot read',
    ),
    'COPY 2',
  );
  t.equal(
    await copied(client, 'COPY (SELECT * FROM x ORDER BY id) TO STDOUT'),
    '1\ta\\tb\\nAA\t1.50\t\\N\n2\t\\N\t-3\t2020-01-01 00:00:00+00\n',
  );
  t.equal(
    await copied(
      client,
      "COPY x (name, id) TO STDOUT (FORMAT csv, HEADER, NULL '-', FORCE_QUOTE (id))",
    ),
    'name,id\n"a\tb\nAA","1"\n-,"2"\n'.replace('"a\tb\nAA"', '"a\tb\nAA"'),
  );
  t.equal(
    await copy(
      client,
      'COPY x (id, name) FROM STDIN (FORMAT csv, HEADER match)',
      'id,name\r\n3,"a ""q""\r\nb"\r\n4,\r\n',
    ),
    'COPY 2',
  );
  t.strictSame(await client.rows('SELECT id, name FROM x WHERE id > 2 ORDER BY id'), [
    [3, 'a "q"\r\nb'],
    [4, null],
  ]);

  const file = join(directory, 'x.bin');
  t.strictSame(tagsOf(await client.execute(`COPY x TO '${file}' (FORMAT binary)`)), ['COPY 4']);
  t.equal(readFileSync(file).subarray(0, 6).toString(), 'PGCOPY');
  const before = await client.rows('SELECT * FROM x ORDER BY id');
  await client.rows('DELETE FROM x');
  t.equal(await copy(client, 'COPY x FROM STDIN (FORMAT binary)', readFileSync(file)), 'COPY 4');
  t.strictSame(await client.rows('SELECT * FROM x ORDER BY id'), before, 'nothing is lost');

  writeFileSync(file, '10\tten\t1\t\\N\n11\televen\t1\t\\N\n');
  t.strictSame(tagsOf(await client.execute(`COPY x FROM '${file}' WHERE id <> 10`)), ['COPY 1']);
  t.match(
    await client.error(`COPY x FROM '${directory}/none'`),
    /^58P01 could not open file .* No such file/,
  );
  t.match(await client.error(`COPY x FROM '${directory}/../../etc/passwd'`), /^42501 /);
});

t.test('COPY says where the data are wrong, and keeps nothing of them', async (t) => {
  const node = await TestNode.start();
  const client = node.connect();
  await client.rows('CREATE TABLE x (id int PRIMARY KEY, name varchar(3))');
  const rows: readonly (readonly [options: string, data: string, error: string])[] = [
    [
      '',
      '1\ta\nx\tb\n',
      'invalid_text_representation: invalid input syntax for type integer: "x" (COPY x, line 2, column id: "x")',
    ],
    ['', '1\n', 'bad_copy_file_format: missing data for column "name" (COPY x, line 1: "1")'],
    [
      '',
      '1\ta\tb\n',
      'bad_copy_file_format: extra data after last expected column (COPY x, line 1: "1\ta\tb")',
    ],
    [
      '',
      '1\ta\n2\tb\r\n',
      'bad_copy_file_format: literal carriage return found in data (COPY x, line 2)',
    ],
    ['', '1\ta\n\\.x\n', 'bad_copy_file_format: end-of-copy marker corrupt (COPY x, line 2)'],
    [
      '',
      '1\tlong\n',
      'string_data_right_truncation: value too long for type character varying(3) (COPY x, line 1, column name: "long")',
    ],
    [
      '(FORMAT csv)',
      '1,"a\n2,b\n',
      'bad_copy_file_format: unterminated CSV quoted field (COPY x, line 3: "1,"a\n2,b\n")',
    ],
    [
      '(FORMAT csv, HEADER match)',
      'id,nom\n1,a\n',
      'bad_copy_file_format: column name mismatch in header line field 2: got "nom", expected "name" (COPY x, line 1: "id,nom")',
    ],
    [
      '(FORMAT binary)',
      'no such thing at all',
      'bad_copy_file_format: COPY file signature not recognized (COPY x, line 1)',
    ],
  ];
  for (const [options, data, error] of rows) {
    t.equal(await copy(client, `COPY x FROM STDIN ${options}`, data), error);
  }
  t.match(
    await copy(client, 'COPY x FROM STDIN', '5\ta\n5\tb\n'),
    /^unique_violation: duplicate key/,
  );
  t.strictSame(await client.rows('SELECT * FROM x'), [], 'nothing is left of what failed');
  t.match(
    await copy(client, 'COPY x FROM STDIN', Buffer.from([0x31, 9, 0xff, 10])),
    /^character_not_in_repertoire/,
  );
});

t.test('no row is left that references nothing, whoever commits first', async (t) => {
  const node = await TestNode.start();
  const [one, other] = [node.connect(), node.connect()];
  await one.rows('CREATE TABLE parent (id int PRIMARY KEY, v int)');
  await one.rows('CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent)');
  await one.rows('INSERT INTO parent VALUES (1, 0), (2, 0), (3, 0)');

  for (const text of ['BEGIN', 'DELETE FROM parent WHERE id = 1']) await one.rows(text);
  for (const text of ['BEGIN', 'INSERT INTO child VALUES (1, 1)']) await other.rows(text);
  await other.rows('COMMIT');
  t.match(await one.error('COMMIT'), /^40001/, 'the parent is taken away after the child came');

  for (const text of ['BEGIN', 'INSERT INTO child VALUES (2, 2)']) await one.rows(text);
  for (const text of ['BEGIN', 'DELETE FROM parent WHERE id = 2']) await other.rows(text);
  await other.rows('COMMIT');
  t.match(await one.error('COMMIT'), /^40001/, 'the child comes after the parent was taken away');

  for (const text of ['BEGIN', 'INSERT INTO child VALUES (3, 3)']) await one.rows(text);
  for (const text of ['BEGIN', 'INSERT INTO child VALUES (4, 3)']) await other.rows(text);
  await other.rows('COMMIT');
  await one.rows('COMMIT');
  t.strictSame(
    await one.rows('SELECT id FROM child WHERE p = 3 ORDER BY id'),
    [[3], [4]],
    'children of one parent do not get in the way of each other',
  );
});

t.test('two transactions cannot make a value of a unique index twice', async (t) => {
  const node = await TestNode.start();
  const [one, other] = [node.connect(), node.connect()];
  await one.rows('CREATE TABLE u (id serial PRIMARY KEY, v int UNIQUE, w int UNIQUE DEFERRABLE)');
  for (const column of ['v', 'w']) {
    await one.rows('BEGIN');
    await other.rows('BEGIN');
    await one.rows(`INSERT INTO u (${column}) VALUES (7)`);
    await other.rows(`INSERT INTO u (${column}) VALUES (7)`);
    await one.rows('COMMIT');
    t.match(await other.error('COMMIT'), /^40001/, column);
    t.match(await other.error(`INSERT INTO u (${column}) VALUES (7)`), /^23505/);
  }
});

t.test('a statement that fails leaves nothing, also of what it did to other tables', async (t) => {
  const node = await TestNode.start();
  const client = node.connect();
  await client.rows('CREATE TABLE a (id int PRIMARY KEY)');
  await client.rows('CREATE TABLE b (id int PRIMARY KEY REFERENCES a ON DELETE CASCADE)');
  await client.rows('CREATE TABLE c (id int REFERENCES b)');
  await client.rows('INSERT INTO a VALUES (1), (2)');
  await client.rows('INSERT INTO b VALUES (1), (2)');
  await client.rows('INSERT INTO c VALUES (2)');
  await client.rows('BEGIN');
  await client.rows('INSERT INTO a VALUES (3)');
  await client.rows('SAVEPOINT s');
  t.match(await client.error('DELETE FROM a'), /^23503 update or delete on table "b"/);
  await client.rows('ROLLBACK TO s');
  t.strictSame(await client.rows('SELECT count(*) FROM a'), [[3n]]);
  t.strictSame(await client.rows('SELECT count(*) FROM b'), [[2n]], 'the cascade went with it');
  await client.rows('DELETE FROM c');
  await client.rows('DELETE FROM a WHERE id < 3');
  await client.rows('COMMIT');
  t.strictSame(await client.rows('SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)'), [
    [1n, 0n],
  ]);
});

t.test('an update finds each row once, though its index moves rows ahead of it', async (t) => {
  const node = await TestNode.start();
  const client = node.connect();
  await client.rows('CREATE TABLE h (id int PRIMARY KEY, pay int)');
  await client.rows('CREATE INDEX h_pay ON h (pay)');
  await client.rows('INSERT INTO h SELECT i, i FROM generate_series(1, 500) i');
  t.strictSame(tagsOf(await client.execute('UPDATE h SET pay = pay + 100 WHERE pay > 0')), [
    'UPDATE 500',
  ]);
  const [result] = resultsOf(await client.execute('SELECT sum(pay) FROM h WHERE pay > 100'));
  t.equal(String(must(result, 'a result').rows[0]?.[0]), String(500 * 100 + (500 * 501) / 2));
});

t.test('the SDK copies data in, over the network and embedded', async (t) => {
  const network = await startNode(
    checkConfig({
      ...{ workers: 0, data: { directory: inMemory }, http: { port: 0 } },
      auth: { rules: [{ addresses: ['loopback'], method: 'trust' }] },
    }),
    { log: () => undefined, fatal: t.error },
  );
  const embedded = await open();
  const remote = await connect(`ws://${must(network.addresses[0], 'the node listens')}`);
  t.teardown(async () => {
    await remote.close();
    await embedded.close();
    await network.stop(0);
  });
  for (const db of [embedded, remote]) {
    await db.query('CREATE TABLE x (id int PRIMARY KEY, name text)');
    const pieces = async function* (): AsyncGenerator<string> {
      for (let id = 0; id < 500; id += 1) yield `${id}\tname ${id}\n`;
    };
    t.equal(await db.query('COPY x FROM STDIN').copyFrom(pieces()), 500);
    const lines = await db.query<{ copy: string }>('COPY (SELECT * FROM x WHERE id < 2) TO STDOUT');
    t.strictSame(
      lines.map(({ copy: line }) => line),
      ['0\tname 0\n', '1\tname 1\n'],
    );
    const failing = async function* (): AsyncGenerator<string> {
      yield '1000\ta\n';
      throw new Error('the source is broken');
    };
    t.equal(
      await rejection(db.query('COPY x FROM STDIN').copyFrom(failing())),
      '57014 COPY from stdin failed: the source is broken',
    );
    t.match(await rejection(db.query('COPY x FROM STDIN').copyFrom('1000\ta\n1\tb\n')), /^23505/);
    t.match(await rejection(db.query('COPY x FROM STDIN')), /^57014/);
    const [row] = await db.query<{ n: bigint }>('SELECT count(*) AS n FROM x');
    t.equal(String(row?.n), '500', 'only what was complete has come');
    const binary = await db.query<{ copy: Uint8Array }>('COPY x TO STDOUT (FORMAT binary)');
    await db.query('TRUNCATE x');
    const bytes = binary.map(({ copy: part }) => part);
    t.equal(await db.query('COPY x FROM STDIN (FORMAT binary)').copyFrom(bytes), 500);
  }
});

t.test('statements that took long are kept, also when the node starts again', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'slow-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const logged: string[] = [];
  const onLog = (_: string, event: string): void => void logged.push(event);
  const first = await open({ dir, onLog });
  const session = await first.session();
  await session.query('SET log_min_duration_statement = 0');
  await session.query('SELECT 42 AS answer');
  t.match(await rejection(session.query('SELECT 1 / 0 AS nothing')), /^22012/);
  await session.query('SET log_min_duration_statement = -1');
  await session.query('SELECT 43');
  session.release();
  await first.close();
  t.ok(logged.includes('slow statement'), 'the log has them too');

  const second = await open({ dir });
  t.teardown(() => second.close());
  const kept = await second.query<{ statement: string; sqlstate: string; recent: boolean }>(
    "SELECT statement, sqlstate, at > now() - interval '1 hour' AS recent FROM shardforge.slow_statements WHERE statement LIKE 'SELECT%'",
  );
  t.strictSame(
    kept.map(({ statement, sqlstate, recent }) => [statement, sqlstate, recent]),
    [
      ['SELECT 42 AS answer', '00000', true],
      ['SELECT 1 / 0 AS nothing', '22012', true],
    ],
  );
});
