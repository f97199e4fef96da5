/** The first start of a database: its first role gets a password, so that somebody can sign in. */
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseError, raise } from '../base/errors.js';
import {
  type Accounts,
  type Log,
  makeVerifier,
  readVerifier,
  type SessionListener,
  type SqlConnection,
} from '../net/index.js';
import { inMemory, type NodeConfig } from './config.js';
import type { Identity } from './identity.js';

/** The role that every database has. */
const adminRole = 'admin';
/** Where a password that was made up is written, in the directory of the data. */
const passwordFile = 'initial-admin-password';
const passwordBytes = 18;

export interface FirstStartParts {
  readonly config: NodeConfig;
  readonly identity: Identity;
  readonly accounts: Accounts;
  readonly connect: (listener: SessionListener) => SqlConnection;
  readonly log: Log;
}

/**
 * Gives role `admin` its first password, once in the life of a database: the one that the configuration
 * has, else one that is made up and written to a file. Does nothing at a node that nobody can reach and at
 * all nodes of a cluster but one. Raises what SQL raises.
 */
export async function giveFirstPassword(parts: FirstStartParts): Promise<void> {
  const { config, identity, accounts, log } = parts;
  const { http, postgres, mesh } = config;
  if (!http.enabled && !postgres.enabled && !mesh.enabled) return;
  if (!founds(identity)) return;
  const admin = await accounts.find(adminRole);
  if (admin?.initial !== true) return;
  const given = givenPassword(config.admin);
  if (given === undefined && config.data.directory === inMemory) return;
  if (given !== undefined) {
    await setPassword(parts, given);
    log('info', 'auth.first_password', { role: adminRole, from: 'admin.password' });
    return;
  }
  const file = join(config.data.directory, passwordFile);
  const password = randomBytes(passwordBytes).toString('base64url');
  // Written first: a password that nobody knows would lock everybody out.
  rmSync(file, { force: true });
  writeFileSync(file, `${password}\n`, { mode: 0o600, flag: 'wx', flush: true });
  await setPassword(parts, password);
  log('info', 'auth.first_password', { role: adminRole, file });
}

/** Of the nodes that have formed a cluster together, one sets the password: the first. */
function founds({ node, instance, formations }: Identity): boolean {
  const founders = formations.formation?.founders ?? [];
  const first = founders.reduce<(typeof founders)[number] | undefined>(
    (least, one) => (one.role !== 'witness' && one.node < (least?.node ?? Infinity) ? one : least),
    undefined,
  );
  return first?.node === node && first.instance === instance;
}

function givenPassword({ password, passwordFile: file }: NodeConfig['admin']): string | undefined {
  if (file === '') return password === '' ? undefined : password;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return raise('config_invalid', `admin.passwordFile: ${reason}`);
  }
  const [line = ''] = text.split(/\r?\n/, 1);
  if (line === '')
    raise('config_invalid', `admin.passwordFile: the first line of ${file} is empty`);
  return line;
}

async function setPassword({ connect }: FirstStartParts, password: string): Promise<void> {
  const verifier = readVerifier(password) === undefined ? await makeVerifier(password) : password;
  await run(connect, `ALTER ROLE ${adminRole} PASSWORD '${verifier}'`);
}

/** Runs a statement without rows in a session of its own. */
function run(connect: FirstStartParts['connect'], text: string): Promise<void> {
  const request = 1;
  let connection: SqlConnection | undefined;
  return new Promise<void>((resolve, reject) => {
    connection = connect({
      answer(answer) {
        if (answer.kind === 'sql.complete') resolve();
        if (answer.kind !== 'sql.failed') return;
        const { kind, message, details } = answer.error;
        reject(new DatabaseError(kind, message, details));
      },
      died: (reason) => reject(new DatabaseError('internal_error', reason)),
    });
    const statement = { text };
    connection.send({ kind: 'sql.execute', request, statement, parameters: [], credit: 1 });
  }).finally(() => connection?.send({ kind: 'sql.end' }));
}
