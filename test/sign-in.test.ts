/** Signing in, without sockets: SCRAM, verifiers, rules, seats, certificates' hashes, who is told what. */
import { randomBytes } from 'node:crypto';
import { PGlite } from '@electric-sql/pglite';
import fc from 'fast-check';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { DatabaseError } from '#src/base/errors.js';
import type { Accounts } from '#src/net/index.js';
import type { AuditEvent, Login } from '#src/sql/index.js';
import {
  endPointHash,
  faultInRule,
  makeVerifier,
  readVerifier,
  ScramServer,
  Seats,
  SignIn,
  type SignInRule,
  trustsOthers,
  verifiesPassword,
  type Visitor,
} from '#src/net/sign-in/index.js';
import { ScramClient } from './sign-in/scram-client.js';

const pencil =
  'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=';
const verifierOf = (text: string) => must(readVerifier(text), 'a verifier');

function server(more: Partial<ConstructorParameters<typeof ScramServer>[0]> = {}): ScramServer {
  const verifier = verifierOf(pencil);
  const nonce = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  const mechanism = 'SCRAM-SHA-256';
  return new ScramServer({ mechanism, verifier, nonce, binding: undefined, ...more });
}

/** What it is refused with: SQLSTATE, message and detail. */
function refusal(step: () => unknown): string {
  try {
    return `taken: ${String(step())}`;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return [error.sqlstate, error.message, error.details.detail].filter(Boolean).join(' | ');
  }
}

t.test('the exchange of RFC 7677', async (t) => {
  const one = server();
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  t.equal(
    one.first('n,,n=user,r=rOprNGfwEbeRWgbNEkqO'),
    `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
  );
  t.equal(
    one.final(`c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`),
    'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  );
  t.equal(await makeVerifier('pencil', 4096, verifierOf(pencil).salt), pencil);
  t.ok(await verifiesPassword(verifierOf(pencil), 'pencil'));
  t.notOk(await verifiesPassword(verifierOf(pencil), 'Pencil'));
});

t.test('what is no verifier', async (t) => {
  t.same(must(readVerifier(pencil), 'one').iterations, 4096);
  for (const text of [
    '',
    'md5d1e9f2c7f0c8e5d8f5c1f4b2a3d4e5f6',
    pencil.replace('SHA-256$', 'SHA-1$'),
    pencil.replace('4096', '0'),
    pencil.replace('4096', '99999999'),
    pencil.replace('W22ZaJ0SNY7soEsUEjb6gQ==', ''),
    pencil.replace('qY=:', 'qQ==:'),
    `${pencil}\n`,
  ]) {
    t.equal(readVerifier(text), undefined, JSON.stringify(text));
  }
});

t.test('passwords are prepared as PostgreSQL prepares them', async (t) => {
  const postgres = await PGlite.create();
  const passwords = [
    ...['pencil', ' two  blanks ', 'I\u00adX', '\u00aa', '\u2168', 'caf\u0065\u0301', 'ｆｕｌｌ'],
    // Forbidden: taken as they are.
    ...['bell\u0007', '\u0627\u0031', '\u00a0', '\u00ad', 'unassigned \u{e0fff}', '🔑 of 한글'],
  ];
  for (const [i, password] of passwords.entries()) {
    await postgres.exec(`CREATE ROLE r${i} PASSWORD '${password}'`);
    const { rows } = await postgres.query<{ rolpassword: string }>(
      'SELECT rolpassword FROM pg_authid WHERE rolname = $1',
      [`r${i}`],
    );
    const text = must(rows[0], 'the role').rolpassword;
    const { iterations, salt } = verifierOf(text);
    t.equal(await makeVerifier(password, iterations, salt), text, JSON.stringify(password));
  }
  await postgres.close();
});

t.test('channel binding: what each side says it can', async (t) => {
  const binding = randomBytes(32);
  const plus = { mechanism: 'SCRAM-SHA-256-PLUS', binding } as const;
  const run = (
    options: Parameters<typeof server>[0],
    flag: string,
    bound: Uint8Array = binding,
  ): string =>
    refusal(() => {
      const more = flag.startsWith('p') ? { binding: bound } : {};
      const client = new ScramClient({ password: 'pencil', nonce: 'abc', flag, ...more });
      const one = server(options);
      const answer = one.final(client.final(one.first(client.first())));
      return answer !== undefined && client.believes(answer);
    });
  t.equal(run({}, 'n'), 'taken: true');
  t.equal(run({}, 'y'), 'taken: true', 'it could, we cannot');
  t.equal(run({ binding }, 'n'), 'taken: true', 'we could, it cannot');
  t.equal(run(plus, 'p=tls-server-end-point'), 'taken: true');
  t.match(run({ binding }, 'y'), /^28000 \| SCRAM channel binding negotiation error \| .*thinks/);
  t.match(
    run(plus, 'p=tls-server-end-point', randomBytes(32)),
    /^28000 \| SCRAM channel binding check failed/,
    'somebody has put another certificate between',
  );
  t.match(
    run(plus, 'n'),
    /^08P01 \| malformed SCRAM message \| The client selected SCRAM.*-PLUS, but/,
  );
  t.match(
    run(plus, 'y'),
    /^08P01 \| malformed SCRAM message \| The client selected SCRAM.*-PLUS, but/,
  );
  t.match(run({}, 'p=tls-server-end-point'), /^08P01 \| malformed.* without channel binding, but/);
  t.match(
    run(plus, 'p=tls-unique'),
    /^08P01 \| unsupported SCRAM channel-binding type "tls-unique"/,
  );
  t.match(run({}, 'x'), /^08P01 \| malformed.*\| Unexpected channel-binding flag "'x'"/);
});

t.test('messages that are none', async (t) => {
  const first = (message: string): string => refusal(() => server().first(message));
  t.match(first(''), /^08P01 \| malformed/);
  t.match(first('n'), /^08P01 \| malformed SCRAM message \| Comma expected.* "0x00"/);
  t.match(first('nx,'), /^08P01 \| malformed SCRAM message \| Comma expected.* "'x'"/);
  t.match(first('n,'), /^08P01 \| malformed SCRAM message \| Unexpected attribute "0x00"/);
  t.match(first('n,a=admin,n=,r=abc'), /^0A000 \| client uses authorization identity/);
  t.match(first('n,b,n=,r=abc'), /^08P01 .*Unexpected attribute "'b'" in client-first-message/);
  t.match(first('n,,m=x,n=,r=abc'), /^0A000 \| client requires an unsupported SCRAM extension/);
  t.match(first('n,,n=,x=abc'), /^08P01 .*Expected attribute "r" but found "'x'"/);
  t.match(first('n,,n=,r:abc'), /^08P01 .*Expected character "=" for attribute "r"/);
  t.match(first('n,,n=,r=a\tc'), /^08P01 \| non-printable characters in SCRAM nonce/);
  t.match(first('n,,n=,r=abc,x=later'), /^taken/, 'extensions are not looked at');

  const proof = Buffer.alloc(32).toString('base64');
  const last = (change: (message: string) => string): string =>
    refusal(() => {
      const one = server();
      const nonce = one.first('n,,n=,r=abc').split(',')[0] ?? '';
      return one.final(change(`c=biws,${nonce},p=${proof}`));
    });
  t.equal(
    last((text) => text),
    'taken: undefined',
    'another password',
  );
  t.match(
    last((text) => text.replace('r=abc', 'r=abd')),
    /^08P01 .*Nonce does not match/,
  );
  t.match(
    last((text) => text.replace('biws', 'eSws')),
    /^08P01 \| unexpected SCRAM channel-binding/,
  );
  t.match(
    last((text) => text.replace('p=A', 'p=!')),
    /Malformed proof in client-final-message/,
  );
  t.match(
    last((text) => text.replace(proof, 'AAAA')),
    /Malformed proof in client-final-message/,
  );
  t.match(
    last((text) => `${text},x=y`),
    /Garbage found at the end/,
  );
  t.match(
    last((text) => text.replace(/,p=.*/, '')),
    /Attribute expected, but found end/,
  );
  t.equal(
    last((text) => text.replace(',p=', ',x=y,p=')),
    'taken: undefined',
  );
});

t.test('whatever is changed on the way, nobody gets in and nothing breaks', async () => {
  const verifier = verifierOf(await makeVerifier('secret', 1));
  const messages = fc.record({
    password: fc.oneof(fc.constant('secret'), fc.string()),
    nonce: fc.stringMatching(/^[!-+\--~]{1,40}$/),
    at: fc.nat(200),
    insert: fc.option(fc.string({ minLength: 1, maxLength: 3 })),
    which: fc.constantFrom('first', 'final'),
  });
  fc.assert(
    fc.property(messages, ({ password, nonce, at, insert, which }) => {
      const client = new ScramClient({ password, nonce });
      const changed = (text: string): string =>
        insert === null ? text : `${text.slice(0, at)}${insert}${text.slice(at)}`;
      const one = server({ verifier, nonce: 'server' });
      let answer: string | undefined;
      let sent = '';
      try {
        const said = client.first();
        const first = one.first(which === 'first' ? changed(said) : said);
        const final = client.final(first);
        sent = which === 'final' ? changed(final) : final;
        answer = one.final(sent);
      } catch (error) {
        return error instanceof DatabaseError && insert !== null;
      }
      if (insert === null) return (answer !== undefined) === (password === 'secret');
      return answer === undefined;
    }),
    { numRuns: 2000 },
  );
});

const alice: Login = {
  ...{ role: 17, name: 'alice', verifier: pencil, canLogin: true, superuser: false },
  ...{ memberOf: ['alice', 'staff'], connectionLimit: -1, validUntilMs: undefined, initial: false },
  ...{ mayConnect: true, settings: { work_mem: '8MB' } },
};
const root: Login = { ...alice, role: 10, name: 'admin', superuser: true, memberOf: ['admin'] };

class FakeAccounts implements Accounts {
  readonly audited: AuditEvent[] = [];
  readonly logins: readonly Login[];
  fault: DatabaseError | undefined;

  constructor(...logins: readonly Login[]) {
    this.logins = logins;
  }

  async find(name: string): Promise<Login | undefined> {
    if (this.fault !== undefined) throw this.fault;
    return this.logins.find((login) => login.name === name);
  }

  async token(): Promise<undefined> {
    return undefined;
  }

  audit(event: AuditEvent): void {
    this.audited.push(event);
  }
}

function gate(
  accounts: Accounts,
  rules: readonly SignInRule[] = [],
  limits = { connections: 100, reservedConnections: 3 },
): SignIn {
  return new SignIn({
    ...{ accounts, rules, seats: new Seats(limits), secret: () => Buffer.from('of the cluster') },
    ...{ nowMs: () => 1_000_000, log: () => undefined },
  });
}

const visitor = (more: Partial<Visitor> = {}): Visitor => ({
  ...{ door: 'postgres', user: 'alice', database: 'shardforge', address: '127.0.0.1' },
  ...{ port: 40_000, encrypted: false, ...more },
});

/** Signs in with a password by SCRAM; how it ended. */
async function tryPassword(door: SignIn, who: Visitor, password: string): Promise<string> {
  const client = new ScramClient({ password, nonce: 'mine' });
  try {
    const attempt = await door.begin(who);
    if (attempt.method === 'scram-sha-256') {
      const first = attempt.scramFirst('SCRAM-SHA-256', undefined, client.first());
      attempt.scramFinal(client.final(first));
    }
    return `in by ${attempt.admit().signedIn.method}`;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return `${error.sqlstate} ${error.message}`;
  }
}

t.test('rules: the first that fits decides', async (t) => {
  const rules: readonly SignInRule[] = [
    { users: ['mallory'], method: 'reject' },
    { users: ['+staff'], addresses: ['10.1.0.0/16', 'fd00::/8'], method: 'trust' },
    { databases: ['other'], method: 'trust' },
    { addresses: ['loopback', '192.0.2.7'], transport: 'tls', method: 'cert' },
    { addresses: ['loopback'], method: 'scram-sha-256' },
  ];
  const door = gate(new FakeAccounts(alice, root), rules);
  const method = async (more: Partial<Visitor>): Promise<string> => {
    const found = await door.begin(visitor(more)).catch((error: Error) => error);
    return found instanceof Error ? found.message : found.method;
  };
  t.equal(await method({}), 'scram-sha-256');
  t.equal(await method({ address: '::ffff:127.0.0.1' }), 'scram-sha-256');
  t.equal(await method({ address: '::1' }), 'scram-sha-256');
  t.equal(await method({ encrypted: true }), 'cert');
  t.equal(await method({ address: '192.0.2.7', encrypted: true }), 'cert');
  t.equal(await method({ address: '10.1.2.3' }), 'trust');
  t.equal(await method({ address: '::ffff:10.1.2.3' }), 'trust');
  t.equal(await method({ address: 'fd12::1' }), 'trust');
  t.equal(await method({ database: 'other', address: '8.8.8.8' }), 'trust');
  t.equal(
    await method({ user: 'admin', address: '10.1.2.3' }),
    'no pg_hba.conf entry for host "10.1.2.3", user "admin", database "shardforge", no encryption',
    'who is not of the staff',
  );
  t.match(await method({ user: 'mallory', encrypted: true }), /rejects.* SSL encryption$/);

  const usual = gate(new FakeAccounts(alice));
  const asked = async (more: Partial<Visitor>): Promise<string> =>
    (await usual.begin(visitor(more)).catch(() => undefined))?.method ?? 'refused';
  t.equal(await asked({}), 'scram-sha-256', 'without rules passwords on loopback');
  t.equal(await asked({ address: '10.0.0.1', encrypted: true }), 'scram-sha-256', 'and by TLS');
  t.equal(await asked({ address: '10.0.0.1' }), 'refused', 'and nothing else');
});

t.test('rules that are none', async (t) => {
  t.equal(
    faultInRule({ method: 'trust', addresses: ['10.0.0.0/8', '::1', 'loopback'] }),
    undefined,
  );
  t.match(faultInRule('trust'), /no object/);
  t.match(faultInRule({}), /needs a method of trust, scram-sha-256, cert, reject/);
  t.match(faultInRule({ method: 'md5' }), /needs a method/);
  t.match(faultInRule({ method: 'trust', user: 'a' }), /unknown key user/);
  t.match(faultInRule({ method: 'trust', users: 'a' }), /users that are no list/);
  t.match(faultInRule({ method: 'trust', addresses: ['10.0.0.0/33'] }), /address "10.0.0.0\/33"/);
  t.match(faultInRule({ method: 'trust', addresses: ['example.org'] }), /address "example.org"/);
  t.match(faultInRule({ method: 'trust', transport: 'ssl' }), /transport/);
  t.match(faultInRule({ method: 'trust', certificateNames: {} }), /only the method cert/);
  t.match(faultInRule({ method: 'cert', certificateNames: { a: 'b' } }), /not lists of roles/);
  t.ok(trustsOthers({ method: 'trust' }));
  t.ok(trustsOthers({ method: 'trust', addresses: ['loopback', '10.0.0.1'] }));
  t.ok(trustsOthers({ method: 'trust', addresses: ['127.0.0.0/7'] }));
  t.notOk(trustsOthers({ method: 'trust', addresses: ['loopback', '127.0.0.0/8', '::1/128'] }));
  t.notOk(trustsOthers({ method: 'scram-sha-256' }));
});

t.test('passwords: who fails learns nothing, the audit tells why', async (t) => {
  const expired = { ...alice, name: 'expired', validUntilMs: 999_999 };
  const without = { ...alice, name: 'without', verifier: undefined };
  const locked = { ...alice, name: 'locked', canLogin: false };
  const outside = { ...alice, name: 'outside', mayConnect: false };
  const accounts = new FakeAccounts(alice, expired, without, locked, outside);
  const door = gate(accounts);
  const attempt = (user: string, password = 'pencil', database = 'shardforge'): Promise<string> =>
    tryPassword(door, visitor({ user, database }), password);
  t.equal(await attempt('alice'), 'in by scram-sha-256');
  const refused = (user: string): string =>
    `28P01 password authentication failed for user "${user}"`;
  t.equal(await attempt('alice', 'wrong'), refused('alice'));
  for (const user of ['nobody', 'expired', 'without']) {
    t.equal(await attempt(user), refused(user));
  }
  t.equal(await attempt('locked'), '28000 role "locked" is not permitted to log in');
  t.equal(await attempt('alice', 'pencil', 'x'), '3D000 database "x" does not exist');
  t.equal(await attempt('outside'), '42501 permission denied for database "shardforge"');
  t.same(
    accounts.audited.map(({ kind, role, reason }) => [kind, role, reason]),
    [
      ['sign_in', 'alice', undefined],
      ['sign_in_failed', 'alice', 'the password is another one'],
      ['sign_in_failed', 'nobody', 'the role does not exist'],
      ['sign_in_failed', 'expired', 'the password has expired'],
      ['sign_in_failed', 'without', 'the role has no password'],
      ['sign_in_failed', 'locked', 'role "locked" is not permitted to log in'],
      ['sign_in_failed', 'alice', 'database "x" does not exist'],
      [
        ...['sign_in_failed', 'outside'],
        'permission denied for database "shardforge": User does not have CONNECT privilege.',
      ],
    ],
  );

  const saltOf = async (door: SignIn, user: string): Promise<string> => {
    const attempt = await door.begin(visitor({ user }));
    return attempt.scramFirst('SCRAM-SHA-256', undefined, 'n,,n=,r=x').split(',s=')[1] ?? '';
  };
  const salt = await saltOf(door, 'nobody');
  t.match(salt, /^[A-Za-z0-9+/]{22}==,i=4096$/, 'looks like any other');
  t.equal(await saltOf(door, 'nobody'), salt, 'is the same each time');
  t.equal(await saltOf(gate(new FakeAccounts()), 'nobody'), salt, 'at every node of the cluster');
  t.not(await saltOf(door, 'nobody2'), salt, 'and another for another name');

  const plain = await door.begin(visitor());
  await t.rejects(plain.password('wrong'), { message: /^password authentication failed/ });
  const right = await door.begin(visitor());
  await right.password('pencil');
  const { signedIn, roleSettings } = right.admit();
  t.same(signedIn, { role: 'alice', method: 'scram-sha-256', address: '127.0.0.1:40000' });
  t.same(roleSettings, { work_mem: '8MB' });
  const unknown = await door.begin(visitor({ user: 'nobody' }));
  await t.rejects(unknown.password('pencil'), { message: /^password authentication failed/ });
});

t.test('nobody is let in before the proof', async (t) => {
  const door = gate(new FakeAccounts(alice));
  const attempt = await door.begin(visitor());
  t.throws(() => attempt.admit(), /proved/);
  const client = new ScramClient({ password: 'wrong', nonce: 'mine' });
  const failing = await door.begin(visitor());
  const first = failing.scramFirst('SCRAM-SHA-256', undefined, client.first());
  t.throws(() => failing.scramFinal(client.final(first)), {
    message: /^password authentication failed/,
  });
  t.throws(() => failing.admit(), /proved/);
  t.throws(() => failing.scramFinal('again'), /begun/);
});

t.test('certificates: the common name is the role, or stands for some', async (t) => {
  const door = (rule: Partial<SignInRule> = {}): SignIn =>
    gate(new FakeAccounts(alice, root), [{ method: 'cert', ...rule }]);
  const attempt = (commonName: string | undefined, one = door(), user = 'alice'): Promise<string> =>
    tryPassword(one, visitor({ user, encrypted: true, commonName }), '');
  t.equal(await attempt('alice'), 'in by cert');
  t.equal(await attempt('bob'), '28000 certificate authentication failed for user "alice"');
  t.equal(await attempt(undefined), '28000 connection requires a valid client certificate');
  const mapped = door({ certificateNames: { 'Alice Smith': ['alice', 'admin'] } });
  t.equal(await attempt('Alice Smith', mapped), 'in by cert');
  t.equal(await attempt('Alice Smith', mapped, 'admin'), 'in by cert');
  t.match(await attempt('alice', mapped), /^28000 certificate authentication failed/);
  t.match(await attempt('constructor', mapped), /^28000 certificate authentication failed/);
});

t.test('seats: some are kept for superusers, roles have limits of their own', async (t) => {
  const two = { ...alice, name: 'two', connectionLimit: 2 };
  const trust: readonly SignInRule[] = [{ addresses: ['loopback'], method: 'trust' }];
  const limits = { connections: 5, reservedConnections: 2 };
  const door = gate(new FakeAccounts(alice, root, two), trust, limits);
  const enter = async (user: string) => (await door.begin(visitor({ user }))).admit();
  const first = await enter('two');
  await enter('two');
  await t.rejects(enter('two'), { message: 'too many connections for role "two"' });
  await enter('alice');
  await t.rejects(enter('alice'), { message: /reserved for non-/ });
  await enter('admin');
  t.equal(door.full, undefined);
  await enter('admin');
  t.match(door.full, { kind: 'too_many_connections', message: /sorry, too many clients already/ });
  await t.rejects(enter('admin'), { message: /sorry, too many clients already/ });
  first.leave(7);
  t.equal(door.full, undefined, 'a seat is free again');
  t.throws(() => first.leave(), /was in/);
});

t.test('when the accounts cannot be asked only who is trusted gets in', async (t) => {
  const accounts = new FakeAccounts();
  accounts.fault = new DatabaseError('cannot_connect_now', 'no majority');
  const trust = gate(accounts, [{ addresses: ['loopback'], method: 'trust' }]);
  t.equal(await tryPassword(trust, visitor(), ''), 'in by trust');
  t.equal(await tryPassword(gate(accounts), visitor(), 'pencil'), '57P03 no majority');
  const knows = gate(new FakeAccounts(alice), [{ addresses: ['loopback'], method: 'trust' }]);
  t.equal(
    await tryPassword(knows, visitor({ user: 'bob' }), ''),
    '28000 role "bob" does not exist',
  );
});

t.test('the hash of a certificate is that of its signature', async (t) => {
  t.equal(endPointHash(randomBytes(40)), undefined);
  t.equal(endPointHash(Buffer.alloc(0)), undefined);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const hash = endPointHash(Buffer.concat([Buffer.of(0x30), bytes]));
      return hash === undefined || hash.length >= 28;
    }),
  );
});
