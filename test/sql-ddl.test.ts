/**
 * DDL beside what PostgreSQL can be asked for (sql-differential.test.ts): catalogues of earlier versions,
 * temporary objects between sessions, plans that live on, savepoints of the buffer, nodes that follow.
 */
import t from 'tap';
import { ByteWriter } from '#src/base/bytes.js';
import type { DatabaseId, ObjectId, StorageId } from '#src/base/ids.js';
import { descriptorKey } from '#src/sql/catalogue/index.js';
import { nameKey } from '#src/sql/catalogue/rows.js';
import { dataPrefix, keyKind } from '#src/storage/keys.js';
import { TransactionBuffer } from '#src/txn/buffer.js';
import { Database } from './sql-execute/database.js';
import { rowsOf, ScriptedSession } from './sql/scripted-replica.js';
import { TestNode } from './sql/session-client.js';

/** A table as the first version kept it: `CREATE TABLE old (id serial PRIMARY KEY, a text DEFAULT 'x')`. */
const firstVersion = `{"object":1000,"version":1,"database":1,"storage":1001,"schema":"public","name":"old",
"columns":[{"position":1,"name":"id","type":"int4","typeModifier":-1,"notNull":true,"default":{"kind":"sequence",
"sequence":{"object":1002,"storage":1003,"name":"old_id_seq","start":{"$int8":"1"},"increment":{"$int8":"1"},
"maximum":{"$int8":"2147483647"}}}},{"position":2,"name":"a","type":"text","typeModifier":-1,"notNull":false,
"default":{"kind":"expression","sql":"'x'"}}],"primaryKey":[1],"primaryKeyName":"old_pkey"}`;

t.test('a catalogue of the first version is read, used and changed', async (t) => {
  const database = new Database();
  const put = (key: Uint8Array, value: Uint8Array) => ({ op: 'put', key, value }) as const;
  const object = 1000 as ObjectId;
  const writes = [
    put(
      nameKey('relation', 1 as DatabaseId, 'public', 'old'),
      new ByteWriter().uint8(1).uint53(object).finish(),
    ),
    put(descriptorKey(object), new ByteWriter().uint8(1).uint53(1).text(firstVersion).finish()),
  ];
  database.pairs.apply({ writes } as never);
  database.run("INSERT INTO old VALUES (DEFAULT, 'given'), (DEFAULT, DEFAULT)");
  t.equal(database.print('SELECT * FROM old ORDER BY id'), '1|given\n2|x');
  database.run('ALTER TABLE old ADD COLUMN b int DEFAULT 5, ADD CHECK (b > 0)');
  database.run('INSERT INTO old VALUES (7)');
  t.equal(database.print('SELECT * FROM old ORDER BY id'), '1|given|5\n2|x|5\n7|x|5');
  t.throws(() => database.run('INSERT INTO old VALUES (8, NULL, 0)'), /old_b_check/);
  t.throws(() => database.run('CREATE TABLE old (a int)'), /already exists/);
  database.run('ALTER TABLE old RENAME TO renewed');
  database.run('CREATE VIEW seen AS SELECT a FROM renewed WHERE b = 5');
  t.equal(database.print('SELECT count(*) FROM seen'), '3');
  database.run('CREATE ROLE later');
  database.run('GRANT SELECT (a), INSERT ON renewed TO later');
  database.run('ALTER TABLE renewed OWNER TO later');
  t.throws(() => database.run('DROP ROLE later'), /cannot be dropped/);
  database.run('DROP TABLE renewed CASCADE');
  database.run('DROP ROLE later');
  t.throws(() => database.run('SELECT * FROM seen'), /does not exist/);
});

t.test('a savepoint takes back writes, discards, guards of objects and fences', async (t) => {
  const stored = new Map([['a', 'stored']]);
  const reader = {
    get: (key: Uint8Array) => {
      const value = stored.get(Buffer.from(key).toString());
      return value === undefined ? undefined : Buffer.from(value);
    },
    scan: () => undefined,
  };
  const buffer = new TransactionBuffer(reader);
  const key = (name: string) => Buffer.from(name);
  const read = (name: string) => buffer.get(key(name))?.toString();
  const write = (name: string, value: string | undefined) => {
    buffer.beginStatement();
    if (value === undefined) buffer.delete(key(name));
    else buffer.put(key(name), Buffer.from(value));
    buffer.endStatement();
  };
  write('a', 'first');
  const outer = buffer.savepoint();
  write('a', undefined);
  write('b', 'new');
  const inner = buffer.savepoint();
  buffer.beginStatement();
  buffer.discard(1 as DatabaseId, 9 as StorageId);
  buffer.touch(5 as ObjectId, 2);
  buffer.fence(5 as ObjectId, 3);
  buffer.put(key('b'), Buffer.from('newer'));
  buffer.endStatement();
  t.same([read('a'), read('b')], [undefined, 'newer']);
  const before = buffer.bytes;
  buffer.rollbackTo(inner);
  t.ok(buffer.bytes < before, 'what is taken back is not counted');
  t.same([read('a'), read('b')], [undefined, 'new']);
  buffer.rollbackTo(outer);
  t.same([read('a'), read('b')], ['first', undefined]);
  // A version older than the one that was taken back can be asked for again.
  buffer.beginStatement();
  buffer.touch(5 as ObjectId, 1);
  buffer.endStatement();
  buffer.rollbackTo(outer);
  buffer.forgetSavepoints();
  const { writes, objects, fences } = buffer.proposal(1 as never, 1 as never);
  t.same(
    writes.map((one) =>
      one.op === 'put' ? `${key('').toString()}${one.key}=${one.value}` : one.op,
    ),
    ['a=first'],
  );
  t.same([objects, fences], [[], []]);
});

t.test('temporary objects are the session’s own and end with it', async (t) => {
  const node = await TestNode.start();
  const [one, other] = [node.connect(), node.connect()];
  await one.rows('CREATE TABLE shared (a int)');
  await one.rows('INSERT INTO shared VALUES (1)');
  const text = 'SELECT a FROM shared';
  // The plan is kept and used by both.
  t.same(await one.rows(text), [[1]]);
  t.same(await other.rows(text), [[1]]);
  await one.rows('CREATE TEMP TABLE shared (a text, id serial)');
  await one.rows("INSERT INTO shared VALUES ('mine')");
  t.same(await one.rows(text), [['mine']], 'the temporary one hides the other');
  t.same(await other.rows(text), [[1]], 'the plan of the other session means what it meant');
  t.same(await one.rows(text), [['mine']]);
  await other.rows('CREATE TEMP TABLE shared (a bool)');
  t.same(await other.rows(text), []);
  t.same(await one.rows('SELECT id FROM shared'), [[1]]);
  t.same(await one.rows('BEGIN; DELETE FROM shared; ROLLBACK; SELECT count(*) FROM shared'), [
    [1n],
  ]);
  await one.rows('CREATE TEMP TABLE more AS SELECT n FROM generate_series(1, 1000) n');
  t.same(await one.rows('SELECT count(*), sum(n) FROM more'), [[1000n, 500_500n]]);
  t.match(await other.error('SELECT * FROM more'), /does not exist/);
  await one.rows('DROP TABLE shared');
  t.same(await one.rows(text), [[1]]);
  t.same(node.logged, []);
});

t.test('a plan follows what its names mean', async (t) => {
  const node = await TestNode.start();
  const client = node.connect();
  await client.rows('CREATE TABLE t (a int); INSERT INTO t VALUES (1)');
  await client.rows('CREATE VIEW v AS SELECT a AS x FROM t');
  await client.rows("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  const all = 'SELECT x, f() FROM v';
  t.same(await client.rows(all), [[1, 1]]);
  await client.rows('ALTER TABLE t RENAME a TO b');
  t.same(await client.rows(all), [[1, 1]]);
  await client.rows("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'");
  t.same(await client.rows(all), [[1, 2]]);
  await client.rows('CREATE OR REPLACE VIEW v AS SELECT b + 10 AS x FROM t');
  t.same(await client.rows(all), [[11, 2]]);
  await client.rows('CREATE SCHEMA first; CREATE TABLE first.t (c text)');
  t.same(await client.rows('SELECT * FROM t'), [[1]]);
  await client.rows('SET search_path TO first, public');
  t.same(await client.rows('SELECT * FROM t'), []);
  await client.rows('RESET search_path');
  t.same(await client.rows('SELECT * FROM t'), [[1]]);
});

t.test('DDL that fails midway leaves nothing behind, in a block too', async (t) => {
  const node = await TestNode.start();
  const client = node.connect();
  await client.rows('CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)');
  t.match(await client.error('ALTER TABLE t ADD COLUMN b int DEFAULT 1, ADD UNIQUE (a)'), /^23505/);
  t.same(await client.rows('SELECT * FROM t'), [[1], [1]]);
  await client.rows('BEGIN; SAVEPOINT s');
  t.match(await client.error('ALTER TABLE t ADD COLUMN b int DEFAULT 1, ADD UNIQUE (a)'), /^23505/);
  await client.rows('ROLLBACK TO s; INSERT INTO t VALUES (2); COMMIT');
  t.same(await client.rows('SELECT * FROM t'), [[1], [1], [2]]);
  await client.rows('BEGIN; SAVEPOINT s; ALTER TABLE t ADD COLUMN b int DEFAULT 1; ROLLBACK TO s');
  await client.rows('INSERT INTO t VALUES (3); COMMIT');
  t.same(await client.rows('SELECT * FROM t WHERE a = 3'), [[3]], 'the old version is not fenced');
});

t.test('nextval on a node that follows gives rows with numbers of the leader only', async (t) => {
  const session = await ScriptedSession.start();
  session.run('CREATE SEQUENCE s');
  session.replica.leads = false;
  session.replica.givesNumbers = false;
  // Somebody else has taken some that are not applied here.
  const key = dataPrefix(1 as DatabaseId, 1001 as StorageId, keyKind.row);
  const request = session.execute("SELECT nextval('s') FROM (VALUES (1), (2)) v");
  session.answerRead();
  t.same(session.answersTo(request), [], 'nothing with guessed numbers has left');
  const asked = session.take('shard.takeNumbers');
  t.equal(asked.count, 2);
  t.same(Buffer.from(asked.key), Buffer.from(key));
  session.send({ kind: 'shard.numbers', token: asked.token, last: 12n, term: 3 as never });
  const proposal = session.take('shard.propose');
  session.replica.commit(proposal.proposal);
  session.send({ kind: 'shard.committed', token: proposal.token, timestamp: 2 as never });
  t.same(rowsOf(session.answersTo(request)), [[11n], [12n]]);
});

t.test('a primary key that is added becomes the order of the rows', async (t) => {
  const database = new Database();
  database.run('CREATE TABLE late (id int, note text)');
  database.run("INSERT INTO late SELECT 100 - g, 'n' || g FROM generate_series(1, 5) g");
  database.run('ALTER TABLE late ADD PRIMARY KEY (id), ADD COLUMN extra int DEFAULT 3');
  t.equal(database.print('SELECT id, extra FROM late'), '95|3\n96|3\n97|3\n98|3\n99|3');
  t.throws(() => database.run('INSERT INTO late VALUES (95)'), /late_pkey/);
  database.run('INSERT INTO late VALUES (94)');
  t.equal(database.print('SELECT note FROM late WHERE id = 96'), 'n4');
  database.run('ALTER TABLE late DROP CONSTRAINT late_pkey');
  database.run('INSERT INTO late VALUES (94)');
  t.throws(() => database.run('ALTER TABLE late ADD PRIMARY KEY (id)'), {
    message: 'could not create unique index "late_pkey"',
    details: { detail: 'Key (id)=(94) is duplicated.' },
  });
  t.throws(() => database.run('ALTER TABLE late ADD PRIMARY KEY (note)'), {
    message: 'column "note" of relation "late" contains null values',
  });
});

t.test(
  'rows that are too many to be written anew keep their places under a new primary key',
  async (t) => {
    const database = new Database();
    database.run('CREATE TABLE wide (id int, note text)');
    const insert = "INSERT INTO wide SELECT 100 - g, repeat('x', 200000) FROM generate_series";
    for (const from of [1, 21, 41]) database.run(`${insert}(${from}, ${from + 19}) g`);
    database.run('ALTER TABLE wide ADD PRIMARY KEY (id)');
    t.equal(database.print('SELECT id FROM wide').split('\n')[0], '99');
    t.equal(database.print('SELECT id, length(note) FROM wide WHERE id = 70'), '70|200000');
    t.throws(() => database.run('INSERT INTO wide VALUES (70)'), /wide_pkey/);
  },
);

t.test('a foreign key to a partitioned table is refused, not checked wrongly', async (t) => {
  const database = new Database();
  database.run('CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY RANGE (id)');
  database.run('CREATE TABLE part PARTITION OF whole FOR VALUES FROM (0) TO (9)');
  database.run('CREATE TABLE child (id int)');
  database.run('ALTER TABLE child ADD FOREIGN KEY (id) REFERENCES part');
  database.run('INSERT INTO whole VALUES (1)');
  database.run('INSERT INTO child VALUES (1)');
  t.throws(
    () => database.run('INSERT INTO child VALUES (2)'),
    /violates foreign key constraint "child_id_fkey"$/,
  );
  t.throws(() => database.run('DELETE FROM whole'), /constraint "child_id_fkey" on table "child"$/);
  const refusal = { kind: 'feature_not_supported', message: /to a partitioned table/ };
  t.throws(() => database.run('CREATE TABLE c (id int REFERENCES whole)'), refusal);
  t.throws(() => database.run('ALTER TABLE child ADD FOREIGN KEY (id) REFERENCES whole'), refusal);
});
