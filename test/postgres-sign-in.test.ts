/** Signing in by PostgreSQL's protocol over sockets without TLS: passwords, time, seats. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { must } from '#src/base/assert.js';
import {
  asked,
  endOf,
  gssRequest,
  keyOf,
  named,
  sasl,
  saslNext,
  signedIn,
  sslRequest,
} from './postgres/by-hand.js';
import { openDoor, password } from './postgres/door.js';
import { cstring, int32, message, query, RawClient, startup } from './postgres/raw.js';
import { ScramClient } from './sign-in/scram-client.js';

t.setTimeout(240_000);

t.test('without TLS: SCRAM by messages', async (t) => {
  const door = await openDoor();
  t.teardown(() => door.close());

  await t.test('encryption is refused', async (t) => {
    const client = new RawClient(door.address);
    client.send(sslRequest);
    t.same(await client.bytes(1), Buffer.from('N'));
    client.send(gssRequest);
    t.same(await client.bytes(1), Buffer.from('N'));
    client.send(sslRequest);
    t.match(await endOf(client), /^FATAL 08P01 encryption has been asked for before/);
    const hasty = new RawClient(door.address);
    hasty.send(sslRequest, startup(0x0003_0000, named));
    t.match(await endOf(hasty), /^FATAL 08P01 received unencrypted data after SSL request/);
    const both = new RawClient(door.address);
    both.send(gssRequest, sslRequest);
    t.match(await endOf(both), /^FATAL 08P01 received unencrypted data after GSSAPI encryption/);
  });

  await t.test('the right password', async (t) => {
    const client = new RawClient(door.address);
    client.send(startup(0x0003_0000, named));
    const request = must(await client.next(), 'an answer');
    t.equal(request.body.toString(), '\0\0\0\nSCRAM-SHA-256\0\0', 'only what TLS does not need');
    const scram = new ScramClient({ password, nonce: 'fyko+d2lbbFgONRv9qkxdawL' });
    client.send(sasl('SCRAM-SHA-256', scram.first()));
    const challenge = must(await client.next(), 'a challenge');
    t.equal(challenge.body.readInt32BE(), 11);
    client.send(saslNext(scram.final(challenge.body.toString('utf8', 4))));
    const greeting = await client.untilReady();
    t.match(greeting.map(({ code }) => code).join(''), /^RRS+KZ$/);
    const final = must(greeting[0], 'the last of SCRAM').body;
    t.equal(final.readInt32BE(), 12);
    t.ok(scram.believes(final.toString('utf8', 4)), 'the server knows the password too');
    t.same(greeting[1]?.body, int32(0), 'AuthenticationOk');
    t.same((await client.ask(query('SELECT 1'))).rows, [['1']]);
    client.close();
  });

  await t.test('a client may be asked for its first message', async (t) => {
    const client = await asked(door);
    const scram = new ScramClient({ password, nonce: 'abc' });
    client.send(message('p', cstring('SCRAM-SHA-256'), int32(-1)));
    t.same((await client.next())?.body, int32(11));
    client.send(saslNext(scram.first()));
    client.send(saslNext(scram.final((await client.next())?.body.toString('utf8', 4) ?? '')));
    t.match((await client.untilReady()).map(({ code }) => code).join(''), /^RRS+KZ$/);
    client.close();
  });

  await t.test('the wrong password, and users who are not there', async (t) => {
    for (const [user, word] of [
      ['admin', 'sesame'],
      ['nobody', password],
    ] as const) {
      const client = await asked(door, user);
      const scram = new ScramClient({ password: word, nonce: 'abc' });
      client.send(sasl('SCRAM-SHA-256', scram.first()));
      const challenge = must(await client.next(), 'a challenge').body.toString('utf8', 4);
      t.match(challenge, /^r=abc[^,]{24},s=[A-Za-z0-9+/]{22}==,i=4096$/);
      client.send(saslNext(scram.final(challenge)));
      t.equal(await endOf(client), `FATAL 28P01 password authentication failed for user "${user}"`);
    }
  });

  await t.test('messages that are none', async (t) => {
    const refused = async (...messages: readonly Buffer[]): Promise<string | undefined> => {
      const client = await asked(door);
      client.send(...messages);
      return endOf(client);
    };
    const first = 'n,,n=,r=abc';
    t.equal(
      await refused(query('SELECT 1')),
      'FATAL 08P01 expected SASL response, got message type 81',
    );
    t.match(
      await refused(sasl('SCRAM-SHA-256-PLUS', first)),
      /^FATAL 08P01 client selected an invalid SASL authentication mechanism/,
    );
    t.match(await refused(sasl('SCRAM-SHA-1', first)), /invalid SASL authentication mechanism/);
    t.match(await refused(sasl('SCRAM-SHA-256', '')), /^FATAL 08P01 malformed SCRAM message/);
    t.match(await refused(sasl('SCRAM-SHA-256', 'n,,n=,r=a\0b')), /^FATAL 08P01 malformed SCRAM/);
    t.match(
      await refused(message('p', cstring('SCRAM-SHA-256'))),
      /^FATAL 08P01 insufficient data/,
    );
    t.match(await refused(message('p', Buffer.from('SCRAM'))), /^FATAL 08P01 invalid string/);
    t.match(
      await refused(message('p', cstring('SCRAM-SHA-256'), int32(1), Buffer.from('n,'))),
      /^FATAL 08P01 invalid message format/,
    );
    t.match(await refused(message('p', Buffer.alloc(2000))), /^FATAL 08P01 invalid message length/);
    t.match(await refused(Buffer.from('p\0\0\0\x01')), /^FATAL 08P01 invalid message length/);
    t.match(
      await refused(sasl('SCRAM-SHA-256', Buffer.from([0xff]).toString('latin1'))),
      /^FATAL 08P01 malformed/,
    );
    t.match(await refused(sasl('SCRAM-SHA-256', first), query('SELECT 1')), /got message type 81/);
    const bytes = Buffer.concat([cstring('SCRAM-SHA-256'), int32(2), Buffer.of(0xc3, 0x28)]);
    t.match(await refused(message('p', bytes)), /^FATAL 22021 /);
  });

  await t.test('the audit has it all, in order', async (t) => {
    const kinds = door.audited.map(({ kind, role }) => `${kind} ${role}`);
    t.same(kinds.slice(0, 6), [
      ...['sign_in admin', 'disconnect admin', 'sign_in admin', 'disconnect admin'],
      ...['sign_in_failed admin', 'sign_in_failed nobody'],
    ]);
    t.match(door.audited[0], { door: 'postgres', method: 'scram-sha-256', encrypted: false });
  });
});

t.test('time to sign in', async (t) => {
  const door = await openDoor({ timeoutMs: 1500 });
  t.teardown(() => door.close());
  t.equal(await endOf(new RawClient(door.address)), undefined, 'who says nothing hears nothing');
  t.equal(
    await endOf(await asked(door)),
    'FATAL 57014 canceling authentication due to timeout',
    'who has no password ready is told',
  );
  const { client } = await signedIn(door);
  await sleep(1700);
  t.same((await client.ask(query('SELECT 1'))).rows, [['1']], 'who is in stays');
  client.close();

  const slow = await openDoor({ timeoutMs: 300, delayMs: 600 });
  t.teardown(() => slow.close());
  const waiting = new RawClient(slow.address);
  waiting.send(startup(0x0003_0000, named));
  t.equal(await endOf(waiting), 'FATAL 57014 canceling authentication due to timeout');
  const impatient = new RawClient(slow.address);
  impatient.send(startup(0x0003_0000, named));
  await sleep(50);
  impatient.close();
  await sleep(700);
  t.same(slow.audited, [], 'who has gone is not let in when the answer comes');
});

t.test('seats', async (t) => {
  const door = await openDoor({ connections: 2 });
  t.teardown(() => door.close());
  const one = await signedIn(door);
  const two = await signedIn(door);
  const three = new RawClient(door.address);
  three.send(startup(0x0003_0000, named));
  t.equal(await endOf(three), 'FATAL 53300 sorry, too many clients already');
  while (door.connections() > 2) await sleep(5);
  const strangers = [0, 1].map(() => new RawClient(door.address));
  while (door.connections() < 4) await sleep(5);
  t.equal(await endOf(new RawClient(door.address)), undefined, 'more strangers are not heard');
  for (const stranger of strangers) stranger.close();
  while (door.connections() > 2) await sleep(5);

  const key = keyOf(one.greeting);
  const long = one.client.ask(query('SELECT count(*) FROM generate_series(1, 1000000000)'));
  const other = new RawClient(door.address);
  other.send(Buffer.concat([int32(16), int32(80_877_102), key]));
  t.equal(await other.next(), undefined);
  t.match((await long).error, { C: '57014' }, 'a cancel finds its way when all seats are taken');
  one.client.close();
  while (door.connections() > 1) await sleep(5);
  (await signedIn(door)).client.close();
  two.client.close();
});
