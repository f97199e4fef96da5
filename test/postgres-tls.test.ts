/** Connections of PostgreSQL's clients by TLS, and certificates of clients; by psql and drivers where they can. */
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import pg from 'pg';
import postgres from 'postgres';
import t from 'tap';
import { endOf, gssRequest, keyOf, named, signedIn, sslRequest } from './postgres/by-hand.js';
import { type SignatureName, signatures, TestAuthority } from './postgres/certificates.js';
import { openDoor, password, type TestDoor } from './postgres/door.js';
import { int32, query, RawClient, startup } from './postgres/raw.js';

t.setTimeout(240_000);

t.test('TLS', async (t) => {
  const authority = await TestAuthority.make();
  const certificate = await authority.sign('shardforge', 'server');
  const { caFile } = authority;
  const ca = readFileSync(caFile);
  const door = await openDoor({ certificate, caFile, timeoutMs: 600_000 });
  t.teardown(() => door.close());
  const { host, port } = door;
  const client = (more: pg.ClientConfig): pg.Client =>
    new pg.Client({ host, port, ...named, password, ...more });
  const tryOne = async (one: pg.Client): Promise<string> => {
    try {
      await one.connect();
      const { rows } = await one.query<{ one: number }>('SELECT 1 AS one');
      await one.end();
      return `answered ${rows[0]?.one}`;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const ssl = { ca, servername: 'localhost' };

  await t.test('node-postgres: asked for, at once, bound to the certificate', async (t) => {
    t.equal(await tryOne(client({})), 'answered 1', 'without it, on loopback');
    t.equal(await tryOne(client({ ssl })), 'answered 1');
    t.equal(await tryOne(client({ ssl, sslnegotiation: 'direct' })), 'answered 1');
    t.equal(await tryOne(client({ ssl, enableChannelBinding: true })), 'answered 1');
    const all = { ssl, enableChannelBinding: true, sslnegotiation: 'direct' } as const;
    t.equal(await tryOne(client(all)), 'answered 1');
    const signIns = door.audited.filter(({ kind }) => kind === 'sign_in');
    t.same(
      signIns.map(({ encrypted }) => encrypted),
      [false, true, true, true, true],
    );
    t.match(await tryOne(client({ ssl, password: 'no' })), /^password authentication failed/);
    t.match(await tryOne(client({ ssl: { ...ssl, servername: 'other' } })), /altnames/);
    t.match(
      await tryOne(client({ ssl: true })),
      /verify|self-signed|issuer/,
      'an unknown authority',
    );
  });

  await t.test('postgres.js', async (t) => {
    const sql = postgres({ host, port, ...named, password, ssl, max: 2 });
    t.same([...(await sql`SELECT 1 AS one`)], [{ one: 1 }]);
    await sql.end();
  });

  await t.test('versions and names of protocols', async (t) => {
    const over = (more: object): Promise<TLSSocket | string> =>
      new Promise((resolve) => {
        const socket = connectTls({ host, port, ca, servername: 'localhost', ...more });
        socket.on('secureConnect', () => resolve(socket));
        socket.on('error', (error) => resolve((error as { code?: string }).code ?? error.message));
      });
    const named = { ALPNProtocols: ['postgresql'] };
    const versions = await Promise.all(
      (['TLSv1.2', 'TLSv1.3'] as const).map(async (version) => {
        const one = await over({ ...named, minVersion: version, maxVersion: version });
        if (typeof one === 'string') return one;
        const spoken = one.getProtocol();
        one.destroy();
        return spoken;
      }),
    );
    t.same(versions, ['TLSv1.2', 'TLSv1.3']);
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' };
    t.type(await over({ ...named, ...old }), 'string', 'older ones are refused');
    t.type(await over({ ALPNProtocols: ['h2', 'http/1.1'] }), 'string', 'not for this server');

    const nameless = await over({});
    if (typeof nameless === 'string') throw new Error(nameless);
    nameless.write(startup(0x0003_0000, { user: 'admin', database: 'shardforge' }));
    const bytes: Buffer[] = [];
    for await (const chunk of nameless) bytes.push(chunk as Buffer);
    t.match(
      Buffer.concat(bytes).toString(),
      /FATAL.*08P01.*received direct SSL connection request without ALPN/,
    );

    const strict = await openDoor({ certificate, minimumVersion: 'TLSv1.3' });
    t.teardown(() => strict.close());
    const at = { ...named, port: strict.port };
    t.type(await over({ ...at, maxVersion: 'TLSv1.2' }), 'string');
    const ciphers = 'TLS_CHACHA20_POLY1305_SHA256';
    const choosy = await openDoor({ certificate, ciphers, minimumVersion: 'TLSv1.3' });
    t.teardown(() => choosy.close());
    const chosen = await over({ ...named, port: choosy.port });
    if (typeof chosen === 'string') throw new Error(chosen);
    t.equal(chosen.getCipher().name, ciphers);
    chosen.destroy();
    const newest = await over(at);
    if (typeof newest === 'string') throw new Error(newest);
    newest.destroy();
  });

  await t.test('nothing plain gets in before or beside the handshake', async (t) => {
    const hasty = new RawClient(door.address);
    hasty.send(sslRequest, startup(0x0003_0000, named));
    t.match(await endOf(hasty), /^FATAL 08P01 received unencrypted data after SSL request/);
    const plain = new RawClient(door.address);
    plain.send(sslRequest);
    t.same(await plain.bytes(1), Buffer.from('S'));
    plain.send(startup(0x0003_0000, named));
    const alert = await plain.bytes(1);
    t.ok(alert === undefined || alert[0] === 0x15, 'an alert of TLS or an end, and no message');
    plain.close();
    const late = new RawClient(door.address);
    late.send(gssRequest);
    t.same(await late.bytes(1), Buffer.from('N'));
    late.send(Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05]));
    t.match(await endOf(late), /^FATAL 08P01 invalid length of startup packet/);
  });

  await t.test('clients that go away in their handshake are forgotten', async (t) => {
    const hello = Buffer.from([0x16, 0x03, 0x01, 0x02]);
    const ways: readonly ((socket: Socket) => void)[] = [
      (socket) => socket.write(sslRequest, () => socket.destroy()),
      (socket) => socket.write(sslRequest, () => socket.end()),
      (socket) => socket.write(hello, () => socket.destroy()),
      (socket) => socket.write(hello, () => socket.end()),
      (socket) => socket.write(Buffer.concat([sslRequest, hello]), () => socket.destroy()),
    ];
    for (const way of ways) {
      const socket = connectTcp(port, host, () => way(socket));
      socket.on('error', () => undefined).resume();
    }
    await sleep(100);
    while (door.connections() > 0) await sleep(20);
    t.equal(await tryOne(client({ ssl })), 'answered 1', 'the door stands');
  });

  await t.test('a client that has ended its side gets its answers', async (t) => {
    const alpn = { ALPNProtocols: ['postgresql'], allowHalfOpen: true };
    const over = new RawClient(connectTls({ host, port, ...ssl, ...alpn }));
    const { client: one } = await signedIn(door, 0x0003_0000, over);
    one.send(query('SELECT count(*) FROM generate_series(1, 10000)'));
    one.socket.end();
    t.match((await one.until('Z')).map(({ code }) => code).join(''), 'TDCZ');
  });

  await t.test('cancel by a long key, over TLS', async (t) => {
    const { client: plain, greeting } = await signedIn(door, 0x0003_0002);
    const key = keyOf(greeting);
    t.equal(key.length, 4 + 32);
    const long = plain.ask(query('SELECT count(*) FROM generate_series(1, 1000000000)'));
    const cancel = (secret: Buffer): Promise<void> =>
      new Promise((resolve) => {
        const socket = connectTls({ host, port, ...ssl, ALPNProtocols: ['postgresql'] }, () => {
          socket.write(Buffer.concat([int32(12 + secret.length - 4), int32(80_877_102), secret]));
        });
        socket.on('close', () => resolve()).resume();
      });
    await cancel(key.subarray(0, 8));
    const wrong = Buffer.from(key);
    wrong.writeUInt8(wrong.readUInt8(35) ^ 1, 35);
    await cancel(wrong);
    const state = await Promise.race([long, sleep(200).then(() => 'goes on')]);
    t.equal(state, 'goes on', 'not by a part of the key, nor by another');
    await cancel(key);
    t.match((await long).error, { C: '57014' });
    plain.close();
  });

  await t.test('files that change are taken without a restart', async (t) => {
    const shown = async (): Promise<string> => {
      const one = connectTls({ host, port, ...ssl, ALPNProtocols: ['postgresql'] });
      await new Promise((resolve) => one.on('secureConnect', resolve));
      const name = one.getPeerCertificate().subject.CN;
      one.destroy();
      return String(name);
    };
    const next = await authority.sign('shardforge renewed', 'next');
    t.equal(await shown(), 'shardforge');
    const before = client({ ssl });
    await before.connect();
    copyFileSync(next.key, certificate.key);
    door.tls?.check();
    t.match(door.logged.at(-1), /tls.not_reloaded/, 'a key without its certificate is of no use');
    t.equal(await shown(), 'shardforge');
    copyFileSync(next.certificate, certificate.certificate);
    door.tls?.check();
    t.equal(door.logged.at(-1), 'tls.reloaded');
    t.equal(await shown(), 'shardforge renewed');
    t.same((await before.query('SELECT 2 AS two')).rows, [{ two: 2 }], 'who is in stays');
    await before.end();
    t.equal(await tryOne(client({ ssl, enableChannelBinding: true })), 'answered 1');
    writeFileSync(certificate.certificate, 'no certificate');
    door.tls?.check();
    t.equal(await tryOne(client({ ssl })), 'answered 1');
  });
});

const psqlPath = '/usr/bin/psql';
const noPsql = existsSync(psqlPath) ? false : 'there is no psql';

/** What psql prints for `SELECT 1`, or its error. */
async function psql(door: TestDoor, where: string, word = password): Promise<string> {
  const target = `host=localhost hostaddr=${door.host} port=${door.port} user=admin dbname=shardforge`;
  const env = { ...process.env, PGPASSWORD: word };
  const text = 'SELECT 1';
  try {
    const all = ['-X', '-A', '-t', `${target} ${where}`, '-c', text];
    return (await promisify(execFile)(psqlPath, all, { env })).stdout.trim();
  } catch (error) {
    return (error as { stderr: string }).stderr.trim();
  }
}

t.test('psql', { skip: noPsql }, async (t) => {
  for (const signature of Object.keys(signatures) as SignatureName[]) {
    const authority = await TestAuthority.make(signature);
    const certificate = await authority.sign('shardforge', 'server');
    const door = await openDoor({ certificate });
    const full = `sslmode=verify-full sslrootcert=${authority.caFile}`;
    t.equal(await psql(door, full), '1', signature);
    const bound = await psql(door, `${full} channel_binding=require`);
    if (signature === 'ed25519') t.match(bound, /channel binding .*required/, 'it cannot be bound');
    else t.equal(bound, '1', signature);
    if (signature === 'ecdsa with SHA-256') {
      t.equal(await psql(door, 'sslmode=disable'), '1');
      t.equal(await psql(door, 'sslmode=require ssl_min_protocol_version=TLSv1.3'), '1');
      t.equal(await psql(door, 'sslmode=require ssl_max_protocol_version=TLSv1.2'), '1');
      t.equal(await psql(door, `${full} channel_binding=disable`), '1');
      t.match(
        await psql(door, full, 'wrong'),
        /FATAL: {2}password authentication failed for user "admin"$/,
      );
      t.match(await psql(door, 'sslmode=disable channel_binding=require'), /channel binding/);
    }
    await door.close();
  }
});

t.test('client certificates', async (t) => {
  const authority = await TestAuthority.make();
  const certificate = await authority.sign('shardforge', 'server');
  const { caFile } = authority;
  const rules = [
    { transport: 'tls', method: 'cert', certificateNames: { admin: ['admin'], Ann: ['admin'] } },
    { method: 'reject' },
  ] as const;
  const door = await openDoor({ certificate, caFile, rules });
  t.teardown(() => door.close());
  const stranger = await TestAuthority.make();
  const files = {
    admin: await authority.sign('admin', 'admin'),
    ann: await authority.sign('Ann', 'ann'),
    bob: await authority.sign('bob', 'bob'),
    old: await authority.sign('admin', 'old', -1),
    strange: await stranger.sign('admin', 'strange'),
  };
  const attempt = async (name: keyof typeof files | undefined): Promise<string> => {
    const own = name && files[name];
    const more = own && { cert: readFileSync(own.certificate), key: readFileSync(own.key) };
    const ssl = { ca: readFileSync(caFile), servername: 'localhost', ...more };
    const client = new pg.Client({ host: door.host, port: door.port, ...named, ssl });
    try {
      await client.connect();
      await client.query('SELECT 1');
      await client.end();
      return 'in';
    } catch (error) {
      return `${(error as { code?: string }).code} ${(error as Error).message}`;
    }
  };
  t.equal(await attempt('admin'), 'in');
  t.equal(await attempt('ann'), 'in');
  t.equal(await attempt('bob'), '28000 certificate authentication failed for user "admin"');
  t.equal(await attempt(undefined), '28000 connection requires a valid client certificate');
  t.equal(await attempt('old'), '28000 client certificate is not valid: CERT_HAS_EXPIRED');
  t.match(await attempt('strange'), /^28000 client certificate is not valid: /);
  const plain = new RawClient(door.address);
  plain.send(startup(0x0003_0000, named));
  t.match(await endOf(plain), /^FATAL 28000 pg_hba.conf rejects connection for host "127.0.0.1"/);
  t.same(
    door.audited.filter(({ kind }) => kind === 'sign_in_failed').map(({ reason }) => reason),
    [
      'the certificate is of "bob"',
      'connection requires a valid client certificate',
      'pg_hba.conf rejects connection for host "127.0.0.1", user "admin", database "shardforge", no encryption: A rule of auth.rules rejects it.',
    ],
  );
  if (noPsql !== false) return;
  const with_ = (one: keyof typeof files): string =>
    `sslmode=verify-full sslrootcert=${caFile} sslcert=${files[one].certificate} sslkey=${files[one].key}`;
  t.equal(await psql(door, with_('admin'), ''), '1');
  t.match(await psql(door, with_('bob'), ''), /certificate authentication failed for user "admin"/);
});
