/** What is kept of a password: a SCRAM verifier (RFC 5803, as PostgreSQL writes it), from which it cannot be read. */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { keyBytes, scramIterations, scramIterationsMax, scramSaltBytes } from './limits.js';

export interface Verifier {
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

const derive = promisify(pbkdf2);
const base64 = '(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?';
const shape = new RegExp(
  String.raw`^SCRAM-SHA-256\$([1-9]\d{0,8}):(${base64})\$(${base64}):(${base64})$`,
);

/** Undefined for what is no verifier. */
export function readVerifier(text: string): Verifier | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [, count = '', ...parts] = match;
  const [salt, storedKey, serverKey] = parts.map((part) => Buffer.from(part, 'base64'));
  const iterations = Number(count);
  if (salt === undefined || salt.length === 0 || iterations > scramIterationsMax) return undefined;
  if (storedKey?.length !== keyBytes || serverKey?.length !== keyBytes) return undefined;
  return { iterations, salt, storedKey, serverKey };
}

export function writeVerifier({ iterations, salt, storedKey, serverKey }: Verifier): string {
  const [s, stored, server] = [salt, storedKey, serverKey].map((bytes) =>
    Buffer.from(bytes).toString('base64'),
  );
  return `SCRAM-SHA-256$${iterations}:${s}$${stored}:${server}`;
}

/** A verifier of the password, with a salt of its own; on a thread of libuv's pool. */
export async function makeVerifier(
  password: string,
  iterations = scramIterations,
  salt: Uint8Array = randomBytes(scramSaltBytes),
): Promise<string> {
  return writeVerifier({ iterations, salt, ...(await keysOf(password, iterations, salt)) });
}

/** Whether the verifier is that of the password; takes as long whatever the answer. */
export async function verifiesPassword(verifier: Verifier, password: string): Promise<boolean> {
  const { storedKey } = await keysOf(password, verifier.iterations, verifier.salt);
  return timingSafeEqual(storedKey, verifier.storedKey);
}

/**
 * What a user is asked for who does not exist or has no password, so that nobody learns this: always the same for a
 * name, on all nodes that have the same `secret`. No password is known that it would verify.
 */
export function mockVerifier(secret: Uint8Array, name: string): Verifier {
  const part = (label: string): Buffer => hmac(secret, `${label}\0${name}`);
  return {
    iterations: scramIterations,
    salt: part('salt').subarray(0, scramSaltBytes),
    storedKey: part('stored key'),
    serverKey: part('server key'),
  };
}

export function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

async function keysOf(
  password: string,
  iterations: number,
  salt: Uint8Array,
): Promise<{ readonly storedKey: Buffer; readonly serverKey: Buffer }> {
  const prepared = await preparedPassword(password);
  const salted = await inTurn(() => derive(prepared, salt, iterations, keyBytes, 'sha256'));
  return { storedKey: sha256(hmac(salted, 'Client Key')), serverKey: hmac(salted, 'Server Key') };
}

let lastInTurn: Promise<unknown> = Promise.resolve();

/** One at a time: strangers who send passwords must not fill the pool that files are read and written by. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = lastInTurn.then(work);
  lastInTurn = mine.catch(() => undefined);
  return mine;
}

/**
 * The password as SASLprep (RFC 4013) has it; as it is where that forbids it, as PostgreSQL does. Loads
 * the tables of Unicode only for passwords that need them.
 */
async function preparedPassword(password: string): Promise<string> {
  if (/^[\x20-\x7e]*$/.test(password)) return password;
  const { default: saslprep } = await import('@mongodb-js/saslprep');
  try {
    const prepared = saslprep(password);
    return prepared === '' ? password : prepared;
  } catch {
    return password;
  }
}
