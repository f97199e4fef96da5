/** API tokens: made by SQL, shown once, taken over WebSocket and HTTP in place of a password. */
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { must } from '#src/base/assert.js';
import { DatabaseError } from '#src/base/errors.js';
import { connect, type ConnectOptions, type Database, ShardForgeError } from '#src/client/index.js';
import { checkConfig, type RunningNode, startNode } from '#src/node/index.js';
import { provenCaller } from '#src/net/http-sign-in.js';
import { Seats, SignIn, type SignInRule } from '#src/net/index.js';
import { type AuditEvent, type Login, tokenHash } from '#src/sql/index.js';

t.setTimeout(240_000);

interface Started {
  readonly node: RunningNode;
  /** As `admin`. */
  readonly admin: Database;
  readonly logged: readonly string[];
}

async function start(
  t: Test,
  rules: readonly SignInRule[] = [],
  directory = ':memory:',
): Promise<Started> {
  const logged: string[] = [];
  const config = checkConfig({
    ...{ workers: 0, data: { directory }, admin: { password: 'first' }, auth: { rules } },
    ...{ http: { enabled: true, port: 0 }, postgres: { enabled: false } },
  });
  const node = await startNode(config, {
    log: (_level, event, fields) => logged.push(`${event} ${JSON.stringify(fields)}`),
    fatal: (error: Error): never => {
      throw error;
    },
  });
  t.teardown(() => node.stop(0));
  const admin = await connect(urlOf(node), { password: 'first' });
  t.teardown(() => admin.close());
  return { node, admin, logged };
}

function urlOf(node: RunningNode): string {
  return `ws://${must(node.addresses[0], 'it listens')}`;
}

async function made(db: Database, call: string): Promise<string> {
  const [row] = await db.query<{ token: string }>(`SELECT shardforge.${call} AS token`);
  return must(row, 'a row').token;
}

/** With which SQLSTATE the call fails; empty when it does not. */
async function refusal(db: Database, call: string): Promise<string> {
  try {
    await made(db, call);
    return '';
  } catch (error) {
    if (!(error instanceof ShardForgeError)) throw error;
    return error.sqlstate;
  }
}

/** Who the node takes the client for, or the error. */
async function attempt(node: RunningNode, options: ConnectOptions): Promise<string> {
  try {
    const db = await connect(urlOf(node), options);
    const [row] = await db.query<{ who: string }>('SELECT session_user AS who');
    await db.close();
    return must(row, 'a row').who;
  } catch (error) {
    if (!(error instanceof ShardForgeError)) throw error;
    return `${error.sqlstate} ${error.message}`;
  }
}

function metrics(node: RunningNode, authorization: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const url = `${urlOf(node).replace('ws', 'http')}/metrics`;
    const request = get(url, { headers: { authorization } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject);
  });
}

const wrong = '28P01 password authentication failed for user "admin"';

t.test('a token in place of a password', async (t) => {
  const { node, admin, logged } = await start(t);
  await admin.query("CREATE ROLE alice LOGIN PASSWORD 'wonder'");
  const token = await made(admin, "create_api_token('scraper', '1 hour', 'alice')");
  t.match(token, /^sf_[A-Za-z0-9_-]{43}$/);
  t.equal(await attempt(node, { token }), 'alice');
  t.equal(await attempt(node, { user: 'admin', token }), 'alice', 'whoever one says one is');
  t.equal(await attempt(node, { token: `${token}x` }), wrong);
  t.match(await attempt(node, { token: 'other' }), /^28000 .*nor Bearer with an API token/);
  t.equal(await metrics(node, `Bearer ${token}`), 200);
  t.equal(await metrics(node, `bearer ${token}`), 200);
  t.equal(await metrics(node, `Bearer ${token}x`), 401);
  t.match(await attempt(node, { token, password: 'first' }), /^22023 a password and a token/);
  await t.rejects(connect('ws://192.0.2.1:1', { token }), {
    message: 'a token for 192.0.2.1:1 would be readable',
  });

  const shown = 'SELECT name, role, valid_until - created_at AS valid FROM shardforge.api_tokens';
  t.match(await admin.query(shown), [{ name: 'scraper', role: 'alice', valid: '01:00:00' }]);
  const events =
    "SELECT event, role, detail FROM shardforge.audit WHERE method = 'token' OR event = 'rights'";
  let kept = await admin.query(`${events} ORDER BY at`);
  while (kept.length < 7) kept = await admin.query(`${events} ORDER BY at`);
  t.match(JSON.stringify(kept), /CREATE API TOKEN scraper FOR alice/);
  t.match(JSON.stringify(kept), /the token is not known, has ended or is void/);
  t.match(logged.join('\n'), /rights.changed .*CREATE API TOKEN scraper/);
  t.notMatch(logged.join('\n') + JSON.stringify(kept), token, 'which stands nowhere');
  await admin.query('ALTER ROLE alice NOLOGIN');
  t.equal(await attempt(node, { token }), '28000 role "alice" is not permitted to log in');
  t.equal(await metrics(node, `Bearer ${token}`), 401);
});

t.test('tokens end', async (t) => {
  const { node, admin } = await start(t);
  const soon = await made(admin, "create_api_token('soon', interval '2 seconds')");
  const ever = await made(admin, "create_api_token('ever')");
  t.equal(await attempt(node, { token: soon }), 'admin');
  let outcome = 'admin';
  while (outcome === 'admin') outcome = await attempt(node, { token: soon });
  t.equal(outcome, wrong, 'by the time');
  t.equal(await attempt(node, { token: ever }), 'admin');
  const dropped = await admin.query("SELECT shardforge.drop_api_token('ever') AS dropped");
  t.same(dropped, [{ dropped: true }]);
  t.equal(await attempt(node, { token: ever }), wrong, 'by being dropped');
  t.equal(await refusal(admin, "drop_api_token('ever')"), '42704');

  await admin.query('CREATE ROLE bob LOGIN');
  const his = await made(admin, "create_api_token('his', NULL, 'bob')");
  t.equal(await attempt(node, { token: his }), 'bob');
  await admin.query('ALTER ROLE bob RENAME TO robert');
  t.equal(await attempt(node, { token: his }), 'robert');
  await admin.query('DROP ROLE robert; CREATE ROLE robert LOGIN');
  t.equal(await attempt(node, { token: his }), wrong, 'with the role, whatever its name is');
  t.same(await admin.query('SELECT name FROM shardforge.api_tokens'), [{ name: 'soon' }]);
});

t.test('who makes tokens of whom', async (t) => {
  const { node, admin } = await start(t);
  await admin.query("CREATE ROLE ann LOGIN PASSWORD 'a'; CREATE ROLE ben LOGIN PASSWORD 'b'");
  const ann = await connect(urlOf(node), { user: 'ann', password: 'a' });
  t.teardown(() => ann.close());
  const own = await made(ann, "create_api_token('of ann')");
  t.equal(await attempt(node, { token: own }), 'ann');
  await made(admin, "create_api_token('of ben', NULL, 'ben')");
  const names = 'SELECT name FROM shardforge.api_tokens ORDER BY name';
  t.same(await ann.query(names), [{ name: 'of ann' }]);
  t.same(await admin.query(names), [{ name: 'of ann' }, { name: 'of ben' }]);
  for (const [call, sqlstate] of [
    ["create_api_token('more', NULL, 'ben')", '42501'],
    ["create_api_token('more', NULL, 'nobody')", '42501'],
    ["drop_api_token('of ben')", '42704'],
    ["create_api_token('of ann')", '42710'],
    ["create_api_token('')", '22023'],
    ['create_api_token(NULL)', '22023'],
    ['create_api_token()', '22023'],
    ["create_api_token('more', '-1 day')", '22023'],
    ["create_api_token('more', 'soon')", '22007'],
  ] as const) {
    t.equal(await refusal(ann, call), sqlstate, call);
  }
  t.equal(await refusal(admin, "create_api_token('x', NULL, 'nobody')"), '42704');
  const reading = ann.transaction(async (tx) => {
    await tx.query('SET TRANSACTION READ ONLY');
    await tx.query("SELECT shardforge.create_api_token('more')");
  });
  await t.rejects(reading, /^cannot execute create_api_token\(\) in a read-only transaction/);
  const [kept] = await ann.query<{ token: string }>(
    'SELECT shardforge.create_api_token($1, $2) AS token',
    ['by parameters', '1 day'],
  );
  t.equal(await attempt(node, { token: must(kept, 'a row').token }), 'ann');
});

t.test('a token is made when its transaction commits', async (t) => {
  const { node, admin } = await start(t);
  let token = '';
  const undo = new Error('taken back');
  const transaction = admin.transaction(async (tx) => {
    const make = "SELECT shardforge.create_api_token('one') AS token";
    const [row] = await tx.query<{ token: string }>(make);
    token = must(row, 'a row').token;
    t.same(await tx.query('SELECT name FROM shardforge.api_tokens'), [{ name: 'one' }]);
    throw undo;
  });
  await t.rejects(transaction, undo);
  t.equal(await attempt(node, { token }), wrong);
  t.equal(await attempt(node, { token: await made(admin, "create_api_token('one')") }), 'admin');
});

t.test('the rules hold for tokens', async (t) => {
  const loopback = { addresses: ['loopback'] };
  const { node, admin } = await start(t, [
    { ...loopback, users: ['outside'], method: 'reject' },
    { ...loopback, users: ['trusted'], method: 'trust' },
    { ...loopback, method: 'scram-sha-256' },
  ]);
  await admin.query('CREATE ROLE outside LOGIN; CREATE ROLE trusted LOGIN');
  const outside = await made(admin, "create_api_token('a', NULL, 'outside')");
  const trusted = await made(admin, "create_api_token('b', NULL, 'trusted')");
  t.match(await attempt(node, { token: outside }), /^28000 pg_hba.conf rejects connection/);
  t.equal(await metrics(node, `Bearer ${outside}`), 401);
  t.equal(await attempt(node, { token: trusted }), 'trusted');
  t.equal(await attempt(node, { user: 'trusted' }), 'trusted');
  t.match(await attempt(node, { user: 'trusted', token: `${trusted}x` }), /^28P01/);
});

t.test('a token is proof enough but where a certificate is asked for', async (t) => {
  const audited: AuditEvent[] = [];
  const alice: Login = {
    ...{ role: 100, name: 'alice', verifier: undefined, canLogin: true, superuser: false },
    ...{ memberOf: ['alice'], connectionLimit: -1, validUntilMs: undefined, mayConnect: true },
    ...{ settings: {}, initial: false },
  };
  let asked = 0;
  let isLost = false;
  const gate = (method: SignInRule['method']): SignIn =>
    new SignIn({
      accounts: {
        find: async () => undefined,
        async token(hash) {
          asked += 1;
          if (isLost) throw new DatabaseError('cannot_connect_now', 'no majority');
          return hash === tokenHash('sf_alice') ? alice : undefined;
        },
        audit: (event) => audited.push(event),
      },
      rules: [{ method }],
      seats: new Seats({ connections: 100, reservedConnections: 3 }),
      ...{ secret: () => Buffer.from('none'), nowMs: Date.now, log: () => undefined },
    });
  const told = async (come: () => ReturnType<SignIn['begin']>): Promise<string> => {
    try {
      const { role, method } = (await come()).admit().signedIn;
      return `${role} by ${method}`;
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      return `${error.sqlstate} ${error.message}`;
    }
  };
  const from = (
    remoteAddress: string,
    method: SignInRule['method'],
    token = 'sf_alice',
  ): Promise<string> => {
    const socket = { remoteAddress, remotePort: 40_000 } as Socket;
    const caller = { door: 'http', socket, user: 'admin', database: 'shardforge' };
    return told(() => provenCaller(gate(method), { ...caller, authorization: `Bearer ${token}` }));
  };
  t.equal(await from('127.0.0.1', 'scram-sha-256'), 'alice by token');
  t.equal(await from('::1', 'trust'), 'alice by token');
  t.match(await from('::1', 'reject'), /^28000 pg_hba.conf rejects .* user "alice"/);
  t.match(await from('::1', 'trust', 'sf_eve'), wrong);
  t.match(audited.at(-1), { kind: 'sign_in_failed', role: 'admin', method: 'token' });

  const before = asked;
  const readable = '28000 passwords and tokens are taken over TLS only, or from this machine';
  t.equal(await from('192.0.2.1', 'scram-sha-256'), readable);
  t.equal(await from('192.0.2.1', 'trust'), readable);
  t.equal(asked, before, 'what others may have read is not even looked up');

  const certified = (commonName: string): Promise<string> => {
    const who = { door: 'http', user: 'admin', database: 'shardforge', address: '192.0.2.1' };
    const how = { port: 40_000, encrypted: true, commonName, token: 'sf_alice' };
    return told(() => gate('cert').begin({ ...who, ...how }));
  };
  t.equal(await certified('alice'), 'alice by cert');
  t.match(await certified('admin'), /^28000 certificate authentication failed for user "alice"/);
  isLost = true;
  t.equal(await from('::1', 'trust'), '57P03 no majority');
});

t.test('tokens outlive the node', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'shardforge-tokens-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const first = await start(t, [], directory);
  const token = await made(first.admin, "create_api_token('kept')");
  await first.admin.close();
  await first.node.stop(0);
  const second = await start(t, [], directory);
  t.equal(await attempt(second.node, { token }), 'admin');
  t.equal(await metrics(second.node, `Bearer ${token}`), 200);
});
