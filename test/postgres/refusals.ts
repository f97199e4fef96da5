/** Ways to fail at signing in, and what a server says of each. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, writeFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { must } from '#src/base/assert.js';
import { ScramClient, type ScramClientOptions } from '../sign-in/scram-client.js';
import type { Files } from './certificates.js';
import { cstring, errorOf, int32, message, query, RawClient, startup } from './raw.js';
import { type RealPostgres, startPostgres } from './real.js';

const plain = 'SCRAM-SHA-256';
const plus = 'SCRAM-SHA-256-PLUS';
const nonce = 'rOprNGfwEbeRWgbNEkqO';

interface Way {
  readonly mechanism?: string;
  /** In place of the client's first message. */
  readonly first?: string;
  /** What becomes of its last. */
  readonly final?: (text: string) => string;
  readonly scram?: Partial<ScramClientOptions>;
}

const bound = { flag: 'p=tls-server-end-point', binding: Buffer.alloc(32, 7) };
const ways: Readonly<Record<string, Way>> = {
  'another password': { scram: { password: 'another' } },
  'no such mechanism': { mechanism: 'SCRAM-SHA-1' },
  'a mechanism in small letters': { mechanism: 'scram-sha-256' },
  'PLUS without binding': { mechanism: plus },
  'PLUS with y': { mechanism: plus, scram: { flag: 'y' } },
  'y where binding was offered': { scram: { flag: 'y' } },
  'binding without PLUS': { scram: bound },
  'binding to another certificate': { mechanism: plus, scram: bound },
  'binding of another type': { mechanism: plus, scram: { ...bound, flag: 'p=tls-unique' } },
  'an unknown flag': { first: `x,,n=,r=${nonce}` },
  'a flag alone': { first: 'n' },
  'two flags': { first: `ny,,n=,r=${nonce}` },
  'nothing behind the flag': { first: 'n,' },
  'an identity': { first: `n,a=root,n=,r=${nonce}` },
  'something before the name': { first: `n,x,n=,r=${nonce}` },
  'an extension that must be known': { first: `n,,m=x,n=,r=${nonce}` },
  'no name': { first: `n,,r=${nonce}` },
  'no nonce': { first: 'n,,n=' },
  'a nonce that is none': { first: 'n,,n=,r=a\u0001b' },
  'no equals sign': { first: `n,,n=,r:${nonce}` },
  'no proof': { final: (text) => text.replace(/,p=.*/, '') },
  'a short proof': { final: (text) => text.replace(/p=.*/, 'p=AAAA') },
  'a proof that is no Base64': { final: (text) => text.replace(/p=.{4}/, 'p=!!!!') },
  'something behind the proof': { final: (text) => `${text},x=y` },
  'another nonce': { final: (text) => text.replace(`r=${nonce}`, 'r=other') },
  'a nonce cut short': { final: (text) => text.replace(/r=[^,]*/, `r=${nonce}`) },
  'another header': { final: (text) => text.replace('c=biws', 'c=eSws') },
  'no header': { final: (text) => text.replace(/^c=[^,]*,/, '') },
  nothing: { final: () => '' },
};

export interface Server {
  readonly address: string;
  readonly password: string;
}

/** What the server says, by way, over TLS or without. */
export async function refusalsOf(
  server: Server,
  encrypted: boolean,
): Promise<Readonly<Record<string, string>>> {
  const said: Record<string, string> = {};
  for (const [name, way] of Object.entries(ways)) said[name] = await run(server, encrypted, way);
  said['a query'] = await answered(await introduced(server, encrypted), query('SELECT 1'));
  const length = message('p', cstring(plain), int32(9), Buffer.from('n,,'));
  said['a length beyond the end'] = await answered(await introduced(server, encrypted), length);
  return said;
}

async function run(server: Server, encrypted: boolean, way: Way): Promise<string> {
  const client = await introduced(server, encrypted);
  const { mechanism = plain, final = (text: string): string => text } = way;
  const scram = new ScramClient({ password: server.password, nonce, ...way.scram });
  const first = way.first ?? scram.first();
  const length = int32(Buffer.byteLength(first));
  client.send(message('p', cstring(mechanism), length, Buffer.from(first)));
  const challenge = must(await client.next(), 'an answer');
  if (challenge.code === 'E') return shown(client, errorOf(challenge));
  const last = final(scram.final(challenge.body.toString('utf8', 4)));
  return answered(client, message('p', Buffer.from(last)));
}

/** A connection that is asked how it will sign in. */
async function introduced(server: Server, encrypted: boolean): Promise<RawClient> {
  let client = new RawClient(server.address);
  if (encrypted) {
    client.send(Buffer.concat([int32(8), int32(80_877_103)]));
    await client.bytes(1);
    client.socket.removeAllListeners('data');
    client = new RawClient(connectTls({ socket: client.socket, rejectUnauthorized: false }));
  }
  client.send(startup(0x0003_0000, { user: 'admin', database: 'shardforge' }));
  await client.next();
  return client;
}

async function answered(client: RawClient, bytes: Buffer): Promise<string> {
  client.send(bytes);
  const answer = await client.next();
  if (answer?.code === 'E') return shown(client, errorOf(answer));
  client.close();
  return answer === undefined ? 'an end without a word' : `message ${answer.code}`;
}

function shown(client: RawClient, fields: Readonly<Record<string, string>>): string {
  client.close();
  return [fields.S, fields.C, fields.M, fields.D]
    .filter((field) => field !== undefined)
    .join(' | ');
}

/** A PostgreSQL 15 whose role `admin` has this password, with this certificate. */
export async function startWithPassword(files: Files, password: string): Promise<RealPostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'shardforge-rules-'));
  const rules = join(directory, 'pg_hba.conf');
  const [certificate, key] = [join(directory, 'server.crt'), join(directory, 'server.key')];
  writeFileSync(
    rules,
    'host postgres all 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n',
  );
  copyFileSync(files.certificate, certificate);
  copyFileSync(files.key, key);
  chmodSync(key, 0o600);
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', 'postgres', directory]);
  const server = await startPostgres(
    ...['ssl=on', `ssl_cert_file=${certificate}`, `ssl_key_file=${key}`, `hba_file=${rules}`],
  );
  const [host = '', port = ''] = server.address.split(':');
  const where = `host=${host} port=${port} user=admin dbname=postgres`;
  const text = `ALTER ROLE admin PASSWORD '${password}'`;
  execFileSync('/usr/bin/psql', ['-X', '-q', where, '-c', text]);
  return server;
}
