/** Who may sign in at a node: its first password, roles made by SQL, configurations that would let others in. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { get } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import t, { type Test } from 'tap';
import { must } from '#src/base/assert.js';
import { connect, type ConnectOptions, type ShardForgeError } from '#src/client/index.js';
import { makeVerifier } from '#src/net/sign-in/index.js';
import { checkConfig, loadConfig, type RunningNode, startNode } from '#src/node/index.js';
import { member, start } from './mesh/members.js';
import { TestAuthority } from './postgres/certificates.js';

t.setTimeout(240_000);

const fatal = (error: Error): never => {
  throw error;
};

interface Started {
  readonly node: RunningNode;
  readonly logged: readonly string[];
}

/** A node with this configuration, and what it logs. */
async function startWith(t: Test, more: object): Promise<Started> {
  const logged: string[] = [];
  const config = checkConfig({
    ...{ workers: 0, http: { enabled: false }, postgres: { enabled: true, port: 0 } },
    ...more,
  });
  const node = await startNode(config, {
    log: (_level, event, fields) => logged.push(`${event} ${JSON.stringify(fields)}`),
    fatal,
  });
  t.teardown(() => node.stop(0));
  return { node, logged };
}

function scratch(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'shardforge-sign-in-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A connection that is open. */
async function open(node: RunningNode, more: pg.ClientConfig): Promise<pg.Client> {
  const [host = '', port = ''] = must(node.postgresAddress, 'it listens').split(':');
  const client = new pg.Client({ host, port: Number(port), database: 'shardforge', ...more });
  await client.connect();
  return client;
}

/** `in` or the error. */
async function attempt(node: RunningNode, user: string, password?: string): Promise<string> {
  try {
    const more = password === undefined ? {} : { password };
    const client = await open(node, { user, ...more });
    await client.query('SELECT 1');
    await client.end();
    return 'in';
  } catch (error) {
    return `${(error as { code?: string }).code} ${(error as Error).message}`;
  }
}

const wrong = '28P01 password authentication failed for user "admin"';

t.test('the first start makes up a password, once', async (t) => {
  const directory = scratch(t);
  const file = join(directory, 'initial-admin-password');
  const first = await startWith(t, { data: { directory } });
  const password = readFileSync(file, 'utf8').trim();
  t.match(password, /^[A-Za-z0-9_-]{24}$/);
  t.equal(statSync(file).mode & 0o777, 0o600, 'for the eyes of its owner');
  const told = first.logged.find((line) => line.startsWith('auth.first_password'));
  t.match(told, file, 'the log says where it is');
  t.notMatch(first.logged.join('\n'), password, 'and not what it is');
  t.equal(await attempt(first.node, 'admin', password), 'in');
  t.equal(await attempt(first.node, 'admin', `${password}x`), wrong);
  t.equal(await attempt(first.node, 'nobody', password), wrong.replace('admin', 'nobody'));
  await first.node.stop(0);
  rmSync(file);

  const admin = { password: 'another one' };
  const second = await startWith(t, { data: { directory }, admin });
  t.notOk(existsSync(file), 'the next start makes up none');
  t.equal(await attempt(second.node, 'admin', password), 'in', 'nor takes that of the config');
  const client = await open(second.node, { user: 'admin', password });
  await client.query('ALTER ROLE admin PASSWORD NULL');
  await client.end();
  t.equal(await attempt(second.node, 'admin', password), wrong);
  await second.node.stop(0);

  const gone = { passwordFile: join(directory, 'not there') };
  const third = await startWith(t, { data: { directory }, admin: gone });
  t.notOk(existsSync(file), 'who takes the password away means it');
  t.equal(await attempt(third.node, 'admin', password), wrong);
});

t.test('the first password is given', async (t) => {
  const file = join(scratch(t), 'password');
  writeFileSync(file, 'from a file\nand no further\n');
  const verifier = await makeVerifier('hashed before', 5000);
  for (const [admin, password, workers] of [
    [{ password: 'Schlüssel 鍵' }, 'Schlüssel 鍵', 0],
    [{ password: verifier }, 'hashed before', 0],
    [{ passwordFile: file }, 'from a file', 2],
  ] as const) {
    const { node } = await startWith(t, { data: { directory: ':memory:' }, admin, workers });
    t.equal(await attempt(node, 'admin', password), 'in');
    await node.stop(0);
  }
  const given = loadConfig(undefined, { SHARDFORGE_ADMIN_PASSWORD: 'by the environment' });
  t.equal(given.admin.password, 'by the environment');
  const nowhere = { passwordFile: join(tmpdir(), 'not', 'there') };
  await t.rejects(startWith(t, { data: { directory: ':memory:' }, admin: nowhere }), {
    kind: 'config_invalid',
    message: /^admin.passwordFile: ENOENT/,
  });
});

t.test('a node that nobody can reach makes up none', async (t) => {
  const directory = scratch(t);
  const closed = { postgres: { enabled: false } };
  const { node } = await startWith(t, { data: { directory }, ...closed });
  await node.stop(0);
  t.notOk(existsSync(join(directory, 'initial-admin-password')));
});

t.test('roles made by SQL', async (t) => {
  const admin = { password: 'first' };
  const { node } = await startWith(t, { data: { directory: ':memory:' }, admin });
  const client = await open(node, { user: 'admin', password: 'first' });
  for (const text of [
    "CREATE ROLE alice LOGIN PASSWORD 'wonder'",
    "CREATE ROLE closed PASSWORD 'wonder'",
    "CREATE ROLE late LOGIN PASSWORD 'wonder' VALID UNTIL '2001-01-01'",
    "CREATE USER later PASSWORD 'wonder' VALID UNTIL '2999-01-01'",
    'CREATE ROLE blank LOGIN',
    "ALTER ROLE alice SET application_name = 'of the role'",
  ]) {
    await client.query(text);
  }
  t.equal(await attempt(node, 'alice', 'wonder'), 'in');
  t.equal(await attempt(node, 'later', 'wonder'), 'in');
  t.match(await attempt(node, 'alice', 'wander'), /^28P01/);
  t.equal(
    await attempt(node, 'closed', 'wonder'),
    '28000 role "closed" is not permitted to log in',
  );
  t.match(await attempt(node, 'late', 'wonder'), /^28P01/, 'the password has ended');
  t.match(await attempt(node, 'blank', 'wonder'), /^28P01/);
  const alice = await open(node, { user: 'alice', password: 'wonder' });
  const { rows } = await alice.query('SELECT current_user, session_user');
  t.same(rows, [{ current_user: 'alice', session_user: 'alice' }]);
  t.same((await alice.query('SHOW application_name')).rows, [{ application_name: 'of the role' }]);
  await client.query('ALTER ROLE alice CONNECTION LIMIT 1');
  const tooMany = '53300 too many connections for role "alice"';
  t.equal(await attempt(node, 'alice', 'wonder'), tooMany);
  await alice.end();
  let again = tooMany;
  while (again === tooMany) again = await attempt(node, 'alice', 'wonder');
  t.equal(again, 'in', 'as soon as there is a seat');
  await client.query('ALTER ROLE alice CONNECTION LIMIT -1');
  await client.query("ALTER ROLE alice PASSWORD 'changed'");
  t.match(await attempt(node, 'alice', 'wonder'), /^28P01/);
  t.equal(await attempt(node, 'alice', 'changed'), 'in');
  await client.query('REVOKE CONNECT ON DATABASE shardforge FROM PUBLIC');
  t.equal(
    await attempt(node, 'alice', 'changed'),
    '42501 permission denied for database "shardforge"',
  );
  t.equal(await attempt(node, 'admin', 'first'), 'in', 'whom no right is asked of');
  const audit = "SELECT event, detail FROM shardforge.audit WHERE role = 'late' ORDER BY at";
  const kept = { event: 'sign_in_failed', detail: 'the password has expired' };
  let events = (await client.query(audit)).rows;
  while (events.length === 0) events = (await client.query(audit)).rows;
  t.same(events, [kept], 'the audit table knows why');
  await client.end();
});

t.test('rules by membership, as roles change', async (t) => {
  const rules = [
    { users: ['+staff'], addresses: ['loopback'], method: 'trust' },
    { users: ['admin'], addresses: ['loopback'], method: 'scram-sha-256' },
  ];
  const { node } = await startWith(t, {
    ...{ data: { directory: ':memory:' }, admin: { password: 'first' }, auth: { rules } },
  });
  const client = await open(node, { user: 'admin', password: 'first' });
  await client.query('CREATE ROLE staff; CREATE ROLE crew IN ROLE staff; CREATE ROLE bob LOGIN');
  t.match(
    await attempt(node, 'bob'),
    /^28000 no pg_hba.conf entry for host "127.0.0.1", user "bob"/,
  );
  await client.query('GRANT crew TO bob');
  t.equal(await attempt(node, 'bob'), 'in');
  await client.query('REVOKE crew FROM bob');
  t.match(await attempt(node, 'bob'), /^28000/);
  await client.end();
});

t.test('of the nodes that form a cluster one makes up the password', async (t) => {
  const members = await Promise.all([1, 2, 3].map((id) => member(t, id)));
  const nodes = await Promise.all(members.map((each) => start(t, each, members)));
  await Promise.all(nodes.map(({ served }) => served));
  const told = (): readonly number[] =>
    members
      .filter(({ logged }) => logged.some(({ event }) => event === 'auth.first_password'))
      .map(({ id }) => id);
  while (told().length === 0) await sleep(20);
  const files = members.map(({ directory }) => join(directory, 'initial-admin-password'));
  t.same(
    files.map((file) => existsSync(file)),
    [true, false, false],
  );
  await sleep(200);
  t.same(told(), [1]);
  await Promise.all(nodes.map((node) => node.stop(0)));
  const again = await Promise.all(members.map((each) => start(t, each, members)));
  await Promise.all(again.map(({ served }) => served));
  await sleep(200);
  t.same(told(), [1], 'and never again');
});

t.test('beyond loopback, by TLS', async (t) => {
  const authority = await TestAuthority.make();
  const { certificate: certificateFile, key: keyFile } = await authority.sign('node', 'server');
  const more = {
    ...{ data: { directory: ':memory:' }, admin: { password: 'first' } },
    postgres: { enabled: true, host: '0.0.0.0', port: 0 },
  };
  const { node } = await startWith(t, { ...more, tls: { certificateFile, keyFile } });
  const ssl = { ca: readFileSync(authority.caFile), servername: 'localhost' };
  const port = Number(must(node.postgresAddress, 'it listens').split(':')[1]);
  const one = { host: '127.0.0.1', port, user: 'admin', database: 'shardforge' };
  const client = new pg.Client({ ...one, password: 'first', ssl, enableChannelBinding: true });
  await client.connect();
  const address =
    'SELECT client_addr::text AS address FROM pg_stat_activity WHERE pid = pg_backend_pid()';
  t.match((await client.query(address)).rows, [{ address: /^127.0.0.1($|\/32)/ }]);
  await client.end();
  await t.rejects(startWith(t, { ...more, tls: { certificateFile: keyFile, keyFile } }), {
    message: /^tls.certificateFile, tls.keyFile and tls.ciphers are of no use: /,
  });
  const unknown = { certificateFile, keyFile, ciphers: 'ROT13' };
  await t.rejects(startWith(t, { ...more, tls: unknown }), { message: /are of no use: .*cipher/ });
  await t.rejects(startWith(t, { ...more, tls: { certificateFile: `${keyFile}.not`, keyFile } }), {
    message: /^tls.certificateFile: ENOENT/,
  });
});

t.test('WebSocket and HTTP: the same users, by TLS', async (t) => {
  const authority = await TestAuthority.make();
  const { certificate: certificateFile, key: keyFile } = await authority.sign('node', 'server');
  const { caFile } = authority;
  const files = await authority.sign('bob', 'bob');
  const rules = [
    { users: ['bob'], method: 'cert' },
    { addresses: ['loopback'], method: 'scram-sha-256' },
  ];
  const { node } = await startWith(t, {
    ...{ data: { directory: ':memory:' }, admin: { password: 'first' }, auth: { rules } },
    ...{ http: { enabled: true, port: 0 }, tls: { certificateFile, keyFile, caFile } },
  });
  const url = `wss://${must(node.addresses[0], 'it listens')}`;
  const tls = { ca: readFileSync(caFile) };
  const ask = async (options: ConnectOptions, address = url): Promise<string> => {
    try {
      const db = await connect(address, { tls, ...options });
      const [row] = await db.query<{ who: string }>('SELECT current_user AS who');
      await db.close();
      return must(row, 'a row').who;
    } catch (error) {
      const { sqlstate, message } = error as ShardForgeError;
      return `${sqlstate} ${message}`;
    }
  };
  t.equal(await ask({ password: 'first' }), 'admin');
  t.equal(await ask({}, url.replace('//', '//admin:first@')), 'admin', 'by the address');
  t.equal(await ask({ password: 'wrong' }), wrong);
  t.match(await ask({ user: 'nobody', password: 'x' }), /^28P01 password authentication failed/);
  t.match(await ask({}), /^28000 user "admin" has to sign in with a password/);
  t.match(await ask({ user: 'bob' }), /^28000 connection requires a valid client certificate/);
  const db = await connect(url, { tls, password: 'first' });
  await db.query('CREATE ROLE bob LOGIN');
  await db.close();
  const own = { cert: readFileSync(files.certificate), key: readFileSync(files.key) };
  t.equal(await ask({ user: 'bob', tls: { ...tls, ...own } }), 'bob', 'by a certificate');
  t.match(await ask({ password: 'first' }, 'ws://192.0.2.1:1'), /^22023 .*would be readable/);

  const status = (path: string, authorization?: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = authorization === undefined ? {} : { authorization };
      const address = `${url.replace('wss', 'https')}${path}`;
      const request = get(address, { ...tls, headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', reject);
    });
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  t.equal(await status('/health'), 200, 'open to load balancers');
  t.equal(await status('/ready'), 200);
  t.equal(await status('/metrics'), 401);
  t.equal(await status('/metrics', basic('admin:no')), 401);
  t.equal(await status('/metrics', 'Basic !'), 401);
  t.equal(await status('/metrics', basic('admin:first')), 200);
});

t.test('what would let others in is refused unless it is named', async (t) => {
  const everywhere = { postgres: { enabled: true, host: '0.0.0.0' } };
  const tls = { certificateFile: 'server.crt', keyFile: 'server.key' };
  const trust = (more: object): object => ({ auth: { rules: [{ method: 'trust', ...more }] } });
  const allow = (...names: readonly string[]): object => ({ security: { allowInsecure: names } });
  const refused: readonly (readonly [object, RegExp])[] = [
    [
      { http: { host: '0.0.0.0' } },
      /http.host 0.0.0.0 is beyond loopback and needs tls.certificateFile, or name http.host in sec/,
    ],
    [everywhere, /postgres.host 0.0.0.0 is beyond loopback and needs tls.certificateFile, or name/],
    [{ ...everywhere, ...allow('http.host') }, /postgres.host 0.0.0.0 is beyond loopback/],
    [trust({}), /rule 1 trusts addresses beyond loopback: give it addresses .*or a name/],
    [trust({ name: 'lab' }), /rule 1 trusts addresses beyond.*or name lab in security.allowInsec/],
    [trust({ addresses: ['10.0.0.0/8'], name: 'lab' }), /rule 1 trusts addresses beyond loopback/],
    [{ tls: { certificateFile: 'a' } }, /tls.certificateFile and tls.keyFile need each other/],
    [{ tls: { caFile: 'a' } }, /tls.caFile needs tls.certificateFile/],
    [{ auth: { rules: [{ method: 'cert' }] } }, /method cert needs tls.caFile/],
    [{ auth: { rules: [{ method: 'md5' }] } }, /auth.rules: rule 1 needs a method of trust, scram/],
    [{ auth: { rules: { method: 'trust' } } }, /auth.rules must be a list of rules/],
    [{ admin: { password: 'a', passwordFile: 'b' } }, /say the same: give one of them/],
  ];
  for (const [config, message] of refused) {
    t.throws(() => checkConfig(config), { kind: 'config_invalid', message });
  }
  for (const config of [
    { ...everywhere, tls },
    { http: { host: '0.0.0.0' }, tls },
    { ...everywhere, ...allow('postgres.host') },
    { http: { host: '0.0.0.0' }, ...allow('http.host') },
    { ...trust({ name: 'lab' }), ...allow('lab') },
    trust({ addresses: ['loopback', '127.0.0.0/8', '::1'] }),
  ]) {
    t.doesNotThrow(() => checkConfig(config));
  }
  const text = readFileSync('docs/operations.md', 'utf8');
  const blocks = [...text.matchAll(/^```json\n(.*?)^```/gms)];
  t.equal(blocks.length, 2);
  for (const [, text = ''] of blocks) {
    t.doesNotThrow(() => checkConfig(JSON.parse(`{${text}}`)), 'what the documentation shows');
  }
  const rule = '[{"addresses": ["loopback"], "method": "trust"}]';
  const { auth } = loadConfig(undefined, { SHARDFORGE_AUTH_RULES: rule });
  t.same(auth.rules, [{ addresses: ['loopback'], method: 'trust' }]);
  t.throws(() => loadConfig(undefined, { SHARDFORGE_AUTH_RULES: 'trust' }), {
    kind: 'config_invalid',
    message: /SHARDFORGE_AUTH_RULES is not JSON/,
  });
  for (const name of ['node', 'cluster-1', 'cluster-2', 'cluster-3']) {
    const shipped = loadConfig(`config/${name}.json`, {}).auth.rules;
    t.match(shipped, [{ name: 'this machine', addresses: ['loopback'], method: 'trust' }]);
  }
});
