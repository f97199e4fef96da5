/** Signing in by hand, message by message. */
import { must } from '#src/base/assert.js';
import { ScramClient } from '../sign-in/scram-client.js';
import { password, type TestDoor } from './door.js';
import { cstring, errorOf, int32, message, RawClient, type Shown, startup } from './raw.js';

export const named = { user: 'admin', database: 'shardforge' };
export const sslRequest = Buffer.concat([int32(8), int32(80_877_103)]);
export const gssRequest = Buffer.concat([int32(8), int32(80_877_104)]);

export const sasl = (mechanism: string, text: string): Buffer =>
  message('p', cstring(mechanism), int32(Buffer.byteLength(text)), Buffer.from(text));
export const saslNext = (text: string): Buffer => message('p', Buffer.from(text));

/** What the connection ends with: SQLSTATE and message; undefined when it ends without a word. */
export async function endOf(client: RawClient): Promise<string | undefined> {
  const all: Shown[] = [];
  for (let one = await client.next(); one !== undefined; one = await client.next()) all.push(one);
  const error = all.find(({ code }) => code === 'E');
  if (error === undefined) return undefined;
  const { S, C, M } = errorOf(error);
  return `${S} ${C} ${M}`;
}

/** A client that is asked for a password. */
export async function asked(door: TestDoor, user = 'admin'): Promise<RawClient> {
  const client = new RawClient(door.address);
  client.send(startup(0x0003_0000, { ...named, user }));
  await client.next();
  return client;
}

/** What a session can be cancelled by. */
export function keyOf(greeting: readonly Shown[]): Buffer {
  return must(
    greeting.find(({ code }) => code === 'K'),
    'a key',
  ).body;
}

/** Signs in by hand. */
export async function signedIn(
  door: TestDoor,
  version = 0x0003_0000,
  client = new RawClient(door.address),
): Promise<{ readonly client: RawClient; readonly greeting: readonly Shown[] }> {
  client.send(startup(version, named));
  await client.next();
  const scram = new ScramClient({ password, nonce: 'abc' });
  client.send(sasl('SCRAM-SHA-256', scram.first()));
  const challenge = (await client.next())?.body.toString('utf8', 4) ?? '';
  client.send(saslNext(scram.final(challenge)));
  return { client, greeting: await client.untilReady() };
}
