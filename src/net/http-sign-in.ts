/** Signing in by a request of HTTP: its credentials (Basic, RFC 7617; Bearer with an API token, RFC 6750) and its certificate. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { DatabaseError, raise } from '../base/errors.js';
import { isLoopback } from './security/index.js';
import { tokenPrefix } from '../sql/index.js';
import { type Attempt, certifiedClient, type SignIn, type Visitor } from './sign-in/index.js';

/** Who a request is of that names nobody. */
export const defaultUser = 'admin';

export interface HttpCaller {
  readonly door: Visitor['door'];
  readonly socket: Socket;
  /** The header `Authorization`. */
  readonly authorization: string | undefined;
  /** Where the header names nobody. */
  readonly user: string;
  readonly database: string;
}

/**
 * The caller's way in, as far as it has to prove something: it can be admitted. Raises what {@link SignIn} raises,
 * 28000 for credentials that are missing, unreadable or sent in plain over a network.
 */
export async function provenCaller(signIn: SignIn, caller: HttpCaller): Promise<Attempt> {
  const { door, socket, authorization, database } = caller;
  const { remoteAddress: address = '', remotePort: port = 0 } = socket;
  const encrypted = socket instanceof TLSSocket;
  const { commonName, fault } = encrypted ? certifiedClient(socket) : {};
  if (fault !== undefined) throw new DatabaseError(fault.kind, fault.message, fault.details);
  const given = authorization === undefined ? undefined : readCredentials(authorization);
  const user = given?.user ?? caller.user;
  const isPrivate = encrypted || isLoopback(address);
  const token = isPrivate ? given?.token : undefined;
  const visitor = { door, user, database, address, port, encrypted, commonName, token };
  const attempt = await signIn.begin(visitor);
  if (given?.token !== undefined) return isPrivate ? attempt : refuseReadable(attempt);
  if (attempt.method !== 'scram-sha-256') return attempt;
  if (given?.password === undefined) {
    const text = `user "${user}" has to sign in with a password`;
    return attempt.refuse(
      'invalid_authorization_specification',
      text,
      'It is taken from the header Authorization (Basic): option password of the SDK, SHARDFORGE_PASSWORD of the command.',
    );
  }
  if (!isPrivate) return refuseReadable(attempt);
  await attempt.password(given.password);
  return attempt;
}

function refuseReadable(attempt: Attempt): never {
  const text = 'passwords and tokens are taken over TLS only, or from this machine';
  return attempt.refuse('invalid_authorization_specification', text);
}

interface Credentials {
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
}

function readCredentials(header: string): Credentials {
  const [, token] = /^bearer +(\S+)$/i.exec(header.trim()) ?? [];
  if (token?.startsWith(tokenPrefix) === true) return { token };
  const [, encoded = ''] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header.trim()) ?? [];
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const at = text.indexOf(':');
  if (at > 0) return { user: text.slice(0, at), password: text.slice(at + 1) };
  const message =
    'the header Authorization is neither Basic with a user and a password nor Bearer with an API token';
  return raise('invalid_authorization_specification', message);
}
