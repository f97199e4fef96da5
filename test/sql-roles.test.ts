/** Roles as sessions and doors meet them: passwords, signing in, plans of several roles, the audit table. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import t from 'tap';
import { must } from '#src/base/assert.js';
import {
  accountsAnswers,
  accountsName,
  type AccountsMessage,
  type FoundMessage,
} from '#src/sql/index.js';
import { shardPlace } from '#src/node/index.js';
import type { NodeId } from '#src/base/ids.js';
import { type Client, TestNode } from './sql/session-client.js';

async function run(client: Client, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) await client.rows(text);
}

/** Whether a verifier is that of a password (RFC 5802). */
function fits(verifier: string, password: string): boolean {
  const [, rounds = '', salt = '', stored = '', server = ''] =
    /^SCRAM-SHA-256\$(\d+):(.+)\$(.+):(.+)$/.exec(verifier) ?? [];
  const key = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(rounds), 32, 'sha256');
  const mac = (text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const storedKey = createHash('sha256').update(mac('Client Key')).digest('base64');
  return stored === storedKey && server === mac('Server Key').toString('base64');
}

async function verifierOf(client: Client, role: string): Promise<string | null> {
  const rows = await client.rows(`SELECT rolpassword FROM pg_authid WHERE rolname = '${role}'`);
  return (rows[0]?.[0] ?? null) as string | null;
}

/** Asks the accounts of the node as a door does. */
async function find(node: TestNode, name: string): Promise<FoundMessage> {
  return await new Promise((resolve) => {
    const door = node.dispatcher.door<FoundMessage>('asker', accountsAnswers, (message) => {
      door.close();
      resolve(message);
    });
    const ref = { node: 1 as NodeId, place: shardPlace, name: accountsName };
    door.post<AccountsMessage>(ref, { kind: 'accounts.find', find: 7, name, replyTo: door.ref });
  });
}

t.test('a password is kept as a SCRAM-SHA-256 verifier and nothing else', async (t) => {
  const node = await TestNode.start();
  const client = node.connect();
  await run(client, "CREATE ROLE alice LOGIN PASSWORD 'open sesame'");
  const verifier = must(await verifierOf(client, 'alice'), 'a verifier');
  t.ok(fits(verifier, 'open sesame'));
  t.notOk(fits(verifier, 'open Sesame'));
  await run(client, "CREATE ROLE bob PASSWORD 'open sesame'");
  t.not(await verifierOf(client, 'bob'), verifier, 'each with a salt of its own');
  await run(client, `ALTER ROLE bob PASSWORD '${verifier}'`);
  t.equal(await verifierOf(client, 'bob'), verifier, 'a verifier is taken as it is');
  await run(client, "ALTER ROLE bob PASSWORD 'I\u00adX \u00a0\u2168'");
  t.ok(fits((await verifierOf(client, 'bob')) ?? '', 'IX  IX'), 'SASLprep as clients do it');
  await run(client, 'ALTER ROLE bob PASSWORD NULL');
  t.equal(await verifierOf(client, 'bob'), null);
  const md5 = `ALTER ROLE bob PASSWORD 'md5${'0'.repeat(32)}'`;
  t.equal(await client.error(md5), '0A000 passwords hashed with md5 are not supported');
  await run(client, 'SET ROLE alice');
  t.equal(await client.error('TABLE pg_authid'), '42501 permission denied for table pg_authid');
  t.equal(await client.error('TABLE pg_shadow'), '42501 permission denied for view pg_shadow');
  t.same(await client.rows("SELECT rolpassword FROM pg_roles WHERE rolname = 'alice'"), [
    ['********'],
  ]);
  t.same(node.logged, []);
});

t.test('doors learn of a role what signing in needs', async (t) => {
  const node = await TestNode.start();
  const client = node.connect();
  t.match(await find(node, 'admin'), {
    find: 7,
    login: { role: 10, superuser: true, canLogin: true, initial: true, mayConnect: true },
  });
  t.equal((await find(node, 'nobody')).login, undefined);
  await run(
    client,
    'CREATE ROLE staff NOLOGIN',
    'CREATE ROLE team IN ROLE staff',
    "CREATE USER alice IN ROLE team VALID UNTIL '2030-01-02 03:04:05Z' CONNECTION LIMIT 3",
    'ALTER DATABASE shardforge SET work_mem = 100',
    "ALTER ROLE alice SET TimeZone = 'Europe/Berlin'",
    'ALTER ROLE alice IN DATABASE shardforge SET work_mem = 200',
  );
  const { login } = await find(node, 'alice');
  t.match(login, {
    name: 'alice',
    verifier: undefined,
    canLogin: true,
    superuser: false,
    memberOf: ['alice', 'team', 'staff'],
    connectionLimit: 3,
    validUntilMs: Date.UTC(2030, 0, 2, 3, 4, 5),
    mayConnect: true,
    settings: { TimeZone: 'Europe/Berlin', work_mem: '200' },
    initial: false,
  });
  await run(
    client,
    'REVOKE CONNECT ON DATABASE shardforge FROM PUBLIC',
    'ALTER ROLE admin NOLOGIN',
  );
  t.equal((await find(node, 'alice')).login?.mayConnect, false);
  t.match((await find(node, 'admin')).login, { initial: false, canLogin: false, mayConnect: true });
  await run(client, 'ALTER ROLE alice RESET ALL', 'CREATE USER second SUPERUSER');
  await run(node.signIn('second'), 'ALTER ROLE admin RENAME TO root');
  t.same((await find(node, 'alice')).login?.settings, { work_mem: '200' });
  t.equal((await find(node, 'admin')).login, undefined);
  t.equal((await find(node, 'root')).login?.role, 10);
});

t.test('who has signed in acts as that role, and as no other that it may not be', async (t) => {
  const node = await TestNode.start();
  const owner = node.connect();
  await run(owner, 'CREATE ROLE team', 'CREATE USER alice IN ROLE team', 'CREATE USER eve');
  const alice = node.signIn('alice');
  t.same(await alice.rows('SELECT current_user, session_user'), [['alice', 'alice']]);
  t.same(await alice.rows("SELECT current_setting('is_superuser')"), [['off']]);
  await run(alice, 'SET ROLE team');
  t.same(await alice.rows('SELECT current_user, session_user'), [['team', 'alice']]);
  t.equal(await alice.error('SET ROLE eve'), '42501 permission denied to set role "eve"');
  t.equal(
    await alice.error("SELECT set_config('role', 'admin', false)"),
    '42501 permission denied to set role "admin"',
  );
  t.equal(
    await alice.error('SET SESSION AUTHORIZATION eve'),
    '42501 permission denied to set session authorization "eve"',
  );
  t.same(await alice.rows('SELECT current_user'), [['team']]);
  await run(alice, 'DISCARD ALL');
  t.same(await alice.rows('SELECT current_user'), [['alice']]);
  const sly = node.signIn('alice', { role: 'admin' });
  t.equal(await sly.error('SELECT 1'), '42501 permission denied to set role "admin"');
  const quiet = node.signIn('alice', { log_min_duration_statement: '-1' });
  const denied = '42501 permission denied to set parameter "log_min_duration_statement"';
  t.equal(await quiet.error('SELECT 1'), denied);
  t.equal(await alice.error('SET log_min_duration_statement = -1'), denied);
  t.equal(await alice.error('ALTER ROLE alice SET log_min_duration_statement = -1'), denied);
  const ghost = node.signIn('ghost');
  t.equal(await ghost.error('SELECT 1'), '28000 role "ghost" does not exist');
  await run(owner, 'SET SESSION AUTHORIZATION alice', 'SET ROLE team');
  t.same(await owner.rows('SELECT current_user, session_user'), [['team', 'alice']]);
  await run(owner, 'SET SESSION AUTHORIZATION eve');
  t.same(await owner.rows('SELECT current_user, session_user'), [['eve', 'eve']]);
  t.equal(await owner.error('CREATE ROLE x'), '42501 permission denied to create role');
  await run(owner, 'RESET SESSION AUTHORIZATION', 'CREATE ROLE x');
  t.match(
    await alice.error('SELECT shardforge.cluster_decommission(1)'),
    /^42501 permission denied|^0A000/,
  );
});

t.test('a plan that sessions share is run by those who may', async (t) => {
  const node = await TestNode.start();
  const owner = node.connect();
  await run(
    owner,
    'CREATE TABLE t (id int PRIMARY KEY, v text)',
    "INSERT INTO t VALUES (1, 'one')",
    'CREATE USER alice',
    'CREATE USER bob',
    'GRANT SELECT ON t TO alice',
  );
  const alice = node.signIn('alice');
  const bob = node.signIn('bob');
  const text = 'SELECT v FROM t WHERE id = $1';
  const hits = (): number => node.metric('shardforge_plan_cache_lookups_total', { result: 'hit' });
  for (let i = 0; i < 3; i += 1) {
    t.same(await alice.rows(text, ['1']), [['one']]);
    t.equal(await bob.error(text, ['1']), '42501 permission denied for table t');
    t.same(await owner.rows(text, ['1']), [['one']]);
  }
  t.ok(hits() >= 6, `${hits()} executions took the plan of others`);
  await run(owner, 'REVOKE SELECT ON t FROM alice', 'GRANT SELECT (v) ON t TO bob');
  t.equal(await alice.error(text, ['1']), '42501 permission denied for table t');
  t.equal(await bob.error(text, ['1']), '42501 permission denied for table t');
  await run(owner, 'GRANT SELECT (id) ON t TO bob');
  t.same(await bob.rows(text, ['1']), [['one']]);
  await run(owner, 'REVOKE USAGE ON SCHEMA public FROM PUBLIC');
  t.equal(await bob.error(text, ['1']), '42P01 relation "t" does not exist');
  t.same(await owner.rows(text, ['1']), [['one']]);
  await run(owner, 'GRANT USAGE ON SCHEMA public TO PUBLIC', 'CREATE ROLE r', 'GRANT r TO alice');
  t.equal(await alice.error(text, ['1']), '42501 permission denied for table t');
  await run(owner, 'GRANT SELECT ON t TO r');
  t.same(await alice.rows(text, ['1']), [['one']]);
  await run(owner, 'REVOKE r FROM alice');
  t.equal(await alice.error(text, ['1']), '42501 permission denied for table t');
  t.same(node.logged, []);
});

t.test('a write that was begun before its right was taken away does not commit', async (t) => {
  const node = await TestNode.start();
  const owner = node.connect();
  await run(owner, 'CREATE TABLE t (id int)', 'CREATE USER alice', 'GRANT ALL ON t TO alice');
  const alice = node.signIn('alice');
  await run(alice, 'BEGIN', 'INSERT INTO t VALUES (1)');
  await run(owner, 'REVOKE INSERT ON t FROM alice');
  t.match(await alice.error('COMMIT'), /^40001 /);
  t.equal(await alice.error('INSERT INTO t VALUES (1)'), '42501 permission denied for table t');
  await run(owner, 'BEGIN', 'GRANT INSERT ON t TO alice');
  t.equal(await alice.error('INSERT INTO t VALUES (1)'), '42501 permission denied for table t');
  await run(owner, 'ROLLBACK');
  t.equal(await alice.error('INSERT INTO t VALUES (1)'), '42501 permission denied for table t');
});

t.test('a role is not dropped while somebody makes something for it', async (t) => {
  const node = await TestNode.start();
  const owner = node.connect();
  const other = node.connect();
  await run(
    owner,
    'CREATE ROLE alice',
    'BEGIN',
    'CREATE TABLE t (id int)',
    'ALTER TABLE t OWNER TO alice',
  );
  await run(other, 'DROP ROLE alice');
  t.match(await owner.error('COMMIT'), /^40001 /);
  await run(owner, 'CREATE ROLE alice', 'CREATE TABLE t (id int)', 'BEGIN', 'DROP ROLE alice');
  await run(other, 'GRANT SELECT ON t TO alice');
  t.match(await owner.error('COMMIT'), /^40001 /);
  t.equal(
    await owner.error('DROP ROLE alice'),
    '2BP01 role "alice" cannot be dropped because some objects depend on it',
  );
  await run(owner, 'DROP TABLE t', 'CREATE SCHEMA s');
  await run(owner, 'ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO alice');
  t.match(await owner.error('DROP ROLE alice'), /^2BP01 /);
  await run(owner, 'DROP SCHEMA s');
  const alice = node.signIn('alice');
  await run(alice, 'SELECT 1');
  await run(owner, 'DROP ROLE alice');
  t.match(await alice.error('CREATE TEMP TABLE x (a int)'), /^42704 role with OID .* dropped/);
});

t.test('what only some roles may: attributes and predefined roles', async (t) => {
  const files = {
    read: () => ({ next: () => undefined, close: () => undefined }),
    write: () => ({ write: () => undefined, end: () => undefined, abort: () => undefined }),
  };
  const node = await TestNode.start({}, { files: files as never });
  const owner = node.connect();
  await run(
    owner,
    'CREATE TABLE t (id int)',
    'INSERT INTO t VALUES (1)',
    'CREATE USER alice',
    'CREATE USER maker CREATEROLE CREATEDB',
  );
  const alice = node.signIn('alice');
  const maker = node.signIn('maker');
  const file = "COPY (SELECT 1) TO '/tmp/x'";
  const notAllowed = [
    [file, 'permission denied to COPY to a file'],
    ['CHECKPOINT', 'permission denied to execute CHECKPOINT command'],
    ['TABLE t', 'permission denied for table t'],
    ['DELETE FROM t', 'permission denied for table t'],
    ['TABLE shardforge.audit', 'permission denied for table audit'],
    ['CREATE ROLE x', 'permission denied to create role'],
    ['DROP ROLE maker', 'permission denied to drop role'],
    ['ALTER ROLE maker CREATEDB', 'permission denied to alter role'],
    ['ALTER ROLE maker RENAME TO y', 'permission denied to rename role'],
    ['GRANT maker TO alice', 'permission denied to grant role "maker"'],
    ['CREATE SCHEMA s', 'permission denied for database shardforge'],
    ['ALTER DATABASE shardforge SET work_mem = 64', 'must be owner of database shardforge'],
    ['ALTER ROLE ALL SET work_mem = 64', 'permission denied to alter setting'],
    ['REASSIGN OWNED BY maker TO alice', 'permission denied to reassign objects'],
    ['DROP OWNED BY maker', 'permission denied to drop objects'],
  ] as const;
  for (const [text, message] of notAllowed) t.equal(await alice.error(text), `42501 ${message}`);
  await run(alice, "ALTER ROLE alice PASSWORD 'her own'", 'ALTER ROLE alice SET work_mem = 64');
  const refused = [
    ['CREATE ROLE x SUPERUSER', 'permission denied to create role'],
    ['CREATE ROLE x REPLICATION', 'permission denied to create role'],
    ['CREATE ROLE x BYPASSRLS', 'permission denied to create role'],
    ['ALTER ROLE admin LOGIN', 'permission denied to alter role'],
    ['GRANT admin TO maker', 'permission denied to grant role "admin"'],
  ] as const;
  for (const [text, message] of refused) t.equal(await maker.error(text), `42501 ${message}`);
  await run(maker, 'CREATE ROLE x', 'GRANT x TO alice', 'ALTER ROLE x NOINHERIT', 'DROP ROLE x');
  await run(
    owner,
    'GRANT pg_read_all_data, pg_checkpoint, pg_write_server_files TO alice',
    'GRANT CREATE ON DATABASE shardforge TO alice',
  );
  t.same(await alice.rows('TABLE t'), [[1]]);
  await run(alice, 'CHECKPOINT', 'CREATE SCHEMA s', 'CREATE TABLE s.own (x int)');
  t.equal(await alice.error('DELETE FROM t'), '42501 permission denied for table t');
  t.equal(await alice.error('COPY t FROM STDIN'), '42501 permission denied for table t');
  const others = [
    ['DROP ROLE admin', '55006 current user cannot be dropped'],
    [
      'DROP ROLE pg_monitor',
      '2BP01 cannot drop role pg_monitor because it is required by the database system',
    ],
    ['CREATE ROLE pg_mine', '42939 role name "pg_mine" is reserved'],
    ['CREATE ROLE alice', '42710 role "alice" already exists'],
    ['ALTER ROLE nobody LOGIN', '42704 role "nobody" does not exist'],
    ['CREATE ROLE z LOGIN NOLOGIN', '42601 conflicting or redundant options'],
    ['CREATE ROLE z CONNECTION LIMIT -2', '22023 invalid connection limit: -2'],
    [
      "CREATE ROLE z VALID UNTIL 'never'",
      '22007 invalid input syntax for type timestamp with time zone: "never"',
    ],
    [
      'ALTER ROLE alice SET nothing_there = 1',
      '42704 unrecognized configuration parameter "nothing_there"',
    ],
    ['ALTER ROLE admin NOSUPERUSER', '0A000 permission denied to alter role'],
    [
      'GRANT pg_database_owner TO alice',
      '0A000 role "pg_database_owner" cannot have explicit members',
    ],
    [
      'REASSIGN OWNED BY admin TO alice',
      '2BP01 cannot reassign ownership of objects owned by role admin because they are required by the database system',
    ],
    [
      'ALTER TABLE t ENABLE ROW LEVEL SECURITY',
      '0A000 ALTER TABLE Enable Row Security is not supported',
    ],
    ['CREATE POLICY p ON t', '0A000 CREATE POLICY is not supported'],
  ] as const;
  for (const [text, message] of others) t.equal(await owner.error(text), message);
  t.same(node.logged, []);
});

t.test(
  'the audit table has the changes of rights that were committed, and what doors report',
  async (t) => {
    const node = await TestNode.start();
    const owner = node.connect();
    await run(
      owner,
      "CREATE ROLE alice LOGIN PASSWORD 'top secret'",
      "ALTER ROLE alice PASSWORD 'more secret'",
      'CREATE TABLE t (id int)',
      'BEGIN',
      'GRANT DELETE ON t TO alice',
      'ROLLBACK',
      'GRANT SELECT ON t TO alice',
    );
    const ref = { node: 1 as NodeId, place: shardPlace, name: accountsName };
    const event = {
      ...({
        kind: 'sign_in_failed',
        role: 'eve',
        database: 'shardforge',
        address: '10.0.0.1:5',
      } as const),
      ...{
        door: 'postgres',
        method: 'scram-sha-256',
        encrypted: true,
        reason: 'password',
        session: 9,
      },
    };
    node.dispatcher.post<AccountsMessage>(ref, { kind: 'accounts.audit', event });
    let rows = await owner.rows('TABLE shardforge.audit');
    for (let i = 0; i < 100 && rows.length < 4; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      rows = await owner.rows('TABLE shardforge.audit');
    }
    // Rows of one millisecond are in no order.
    const change = (detail: string) => [
      ...['rights', 'tester', 'shardforge', null, 'sql', null, false, detail, null],
    ];
    t.same(
      new Set(rows.map(([, ...rest]) => JSON.stringify(rest))),
      new Set(
        [
          change('CREATE ROLE alice'),
          change('ALTER ROLE alice (password)'),
          change('GRANT SELECT ON t TO alice'),
          [
            ...['sign_in_failed', 'eve', 'shardforge', '10.0.0.1:5', 'postgres'],
            ...['scram-sha-256', true, 'password', 9],
          ],
        ].map((row) => JSON.stringify(row)),
      ),
    );
    t.same(await owner.rows("SELECT count(*) FROM shardforge.audit WHERE detail ~ 'secret'"), [
      [0n],
    ]);
    t.same(await owner.rows("SELECT now() - max(at) < interval '1 minute' FROM shardforge.audit"), [
      [true],
    ]);
  },
);
