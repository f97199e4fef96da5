/**
 * Letting users in, the same for all doors: which rule holds for them, that they have proved who they are, that
 * their role may sign in and has a seat. Who was let in or refused goes to the log and the audit table.
 */
import { randomBytes } from 'node:crypto';
import { assert } from '../../base/assert.js';
import { DatabaseError } from '../../base/errors.js';
import { type AuditEvent, type Login, tokenHash } from '../../sql/index.js';
import type { ErrorFields, SignedIn } from '../../sql/session/protocol.js';
import type { Accounts, Log } from '../host.js';
import { plainAddress } from './addresses.js';
import { scramNonceBytes } from './limits.js';
import { type Approach, type Method, Rules, type SignInRule } from './rules.js';
import { type Mechanism, ScramServer } from './scram.js';
import type { Seats } from './seats.js';
import {
  mockVerifier,
  readVerifier,
  type Verifier,
  verifiesPassword,
  writeVerifier,
} from './verifier.js';

/** The only database. */
const databaseName = 'shardforge';

export interface SignInParts {
  readonly accounts: Accounts;
  /** Those of `auth.rules`. */
  readonly rules: readonly SignInRule[];
  readonly seats: Seats;
  /** Only nodes of this cluster know it: makes up verifiers of users who are not there. */
  readonly secret: () => Uint8Array;
  /** The time of the calendar. */
  readonly nowMs: () => number;
  readonly log: Log;
}

/** A client who wants to be let in. */
export interface Visitor extends Approach {
  readonly door: AuditEvent['door'];
  /** Of the client's side. */
  readonly port: number;
  /** The common name of its certificate, which one of our authorities has signed. */
  readonly commonName?: string | undefined;
  /** An API token, whose role it is then that wants to be let in. */
  readonly token?: string | undefined;
}

/** Who is in. */
export interface Admission {
  readonly signedIn: SignedIn;
  /** First settings of the role's sessions. */
  readonly roleSettings: Readonly<Record<string, string>>;
  /** Must be called once, when the connection is gone. */
  leave(session?: number): void;
}

export class SignIn {
  readonly #parts: SignInParts;
  readonly #rules: Rules;

  constructor(parts: SignInParts) {
    this.#parts = parts;
    this.#rules = new Rules(parts.rules);
  }

  /** Why nobody can be let in now; undefined while somebody can. */
  get full(): ErrorFields | undefined {
    return this.#parts.seats.full;
  }

  /**
   * Finds the rule for the visitor. Raises 28000 when there is none or it rejects, 28P01 for a token that is of no
   * use, and what the accounts raise when they cannot be asked; whom a rule trusts gets in nevertheless.
   */
  async begin(given: Visitor): Promise<Attempt> {
    const { accounts } = this.#parts;
    const { token } = given;
    let login: Login | undefined;
    let unknown: DatabaseError | undefined;
    try {
      login = await (token === undefined
        ? accounts.find(given.user)
        : accounts.token(tokenHash(token)));
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      unknown = error;
    }
    const user = token === undefined ? given.user : (login?.name ?? given.user);
    const visitor = { ...given, user, address: plainAddress(given.address) };
    const rule = this.#rules.find(visitor, login?.memberOf ?? []);
    const attempt = new Attempt(this.#parts, visitor, {
      rule,
      login,
      isKnown: unknown === undefined,
    });
    if (rule === undefined || rule.method === 'reject') {
      return attempt.refuse(...refusalOf(visitor, rule));
    }
    // An operator of a node without a majority must be able to look at it.
    if (unknown !== undefined && (rule.method !== 'trust' || token !== undefined)) throw unknown;
    if (token !== undefined) attempt.token();
    return attempt;
  }
}

interface Found {
  readonly rule: SignInRule | undefined;
  readonly login: Login | undefined;
  /** False when the accounts could not be asked. */
  readonly isKnown: boolean;
}

type Refusal = readonly [
  kind: 'invalid_authorization_specification' | 'invalid_catalog_name' | 'insufficient_privilege',
  message: string,
  detail?: string,
];

/** What PostgreSQL says of its own file of rules, which tools look for. */
function refusalOf(visitor: Visitor, rule: SignInRule | undefined): Refusal {
  const { address, user, database, encrypted } = visitor;
  const how = encrypted ? 'SSL encryption' : 'no encryption';
  const whom = `host "${address}", user "${user}", database "${database}", ${how}`;
  const [text, detail] =
    rule === undefined
      ? [`no pg_hba.conf entry for ${whom}`, 'No rule of auth.rules fits.']
      : [`pg_hba.conf rejects connection for ${whom}`, `A rule of auth.rules rejects it.`];
  return ['invalid_authorization_specification', text, detail];
}

/** One visitor's way in: what it has to prove, and whether it has. */
export class Attempt {
  readonly method: Method;
  readonly #parts: SignInParts;
  readonly #visitor: Visitor;
  readonly #rule: SignInRule | undefined;
  readonly #login: Login | undefined;
  readonly #isKnown: boolean;
  #scram: ScramServer | undefined;
  #proven = false;
  #failed = false;

  constructor(parts: SignInParts, visitor: Visitor, { rule, login, isKnown }: Found) {
    this.#parts = parts;
    this.#visitor = visitor;
    this.#rule = rule;
    this.#login = login;
    this.#isKnown = isKnown;
    this.method = rule?.method ?? 'reject';
    this.#proven = this.method === 'trust';
  }

  /** Begins SCRAM with the client's first message; gives the server's. `binding` as in {@link ScramServer}. */
  scramFirst(mechanism: Mechanism, binding: Uint8Array | undefined, message: string): string {
    assert(this.#scram === undefined && this.method === 'scram-sha-256', 'SCRAM begins once');
    const nonce = randomBytes(scramNonceBytes).toString('base64');
    const verifier = this.#verifier();
    this.#scram = new ScramServer({ mechanism, verifier, nonce, binding });
    return this.#told(() => this.#scram?.first(message) ?? '');
  }

  /** Takes the client's last message; gives the server's. Raises 28P01 when the password is another one. */
  scramFinal(message: string): string {
    const scram = this.#scram;
    assert(scram !== undefined && !this.#failed, 'SCRAM has begun');
    const answer = this.#told(() => scram.final(message));
    if (answer === undefined) return this.#wrongPassword();
    this.#proven = true;
    return answer;
  }

  /** For doors that get the password itself, over TLS or loopback. Raises 28P01 when it is another one. */
  async password(password: string): Promise<void> {
    assert(this.method === 'scram-sha-256' && !this.#failed, 'a password is asked for');
    if (!(await verifiesPassword(this.#verifier(), password))) this.#wrongPassword();
    this.#proven = true;
  }

  /** The visitor has come with a token. Raises 28P01 when it is nobody's; where a certificate is asked for it proves nothing. */
  token(): void {
    assert(this.#visitor.token !== undefined && !this.#failed, 'a token is there');
    if (this.#login === undefined) this.#wrongPassword();
    this.#proven = this.method !== 'cert';
  }

  /**
   * Lets the visitor in who has proved what the rule asks for. Raises 28000 for a certificate of another or a role
   * that may not sign in, 3D000, 42501, 53300.
   */
  admit(): Admission {
    this.check();
    const { accounts, seats, log } = this.#parts;
    const { user, address, port } = this.#visitor;
    const full = seats.take(user, this.#login);
    if (full !== undefined) {
      this.#audit(full.message);
      throw new DatabaseError(full.kind, full.message, full.details);
    }
    const event = this.#event();
    log('info', 'auth.signed_in', event);
    accounts.audit({ kind: 'sign_in', ...event });
    let left = false;
    return {
      signedIn: { role: user, method: this.#how, address: socketAddress(address, port) },
      roleSettings: this.#login?.settings ?? {},
      leave(session) {
        assert(!left, 'who leaves was in');
        left = true;
        seats.leave(user);
        const gone = { ...event, ...(session === undefined ? {} : { session }) };
        log('info', 'auth.disconnected', gone);
        accounts.audit({ kind: 'disconnect', ...gone });
      },
    };
  }

  /** For single requests, which take no seat and are not kept in the audit: raises as {@link admit} does. */
  check(): void {
    if (this.method === 'cert') this.#checkCertificate();
    assert(this.#proven && !this.#failed, 'nobody is let in who has not proved who they are');
    this.#checkRole();
  }

  /** Ends the attempt with an error that the log and the audit table know of. */
  refuse(kind: Refusal[0], message: string, detail?: string): never {
    this.#audit(detail === undefined ? message : `${message}: ${detail}`);
    throw new DatabaseError(kind, message, detail === undefined ? {} : { detail });
  }

  #checkRole(): void {
    const kind = 'invalid_authorization_specification';
    const { user, database } = this.#visitor;
    const login = this.#login;
    if (login === undefined && this.#isKnown) this.refuse(kind, `role "${user}" does not exist`);
    if (login?.canLogin === false) {
      this.refuse(kind, `role "${user}" is not permitted to log in`);
    }
    if (database !== databaseName) {
      this.refuse('invalid_catalog_name', `database "${database}" does not exist`);
    }
    if (login?.mayConnect === false) {
      const text = `permission denied for database "${database}"`;
      this.refuse('insufficient_privilege', text, 'User does not have CONNECT privilege.');
    }
  }

  #checkCertificate(): void {
    const { user, commonName } = this.#visitor;
    const kind = 'invalid_authorization_specification';
    if (commonName === undefined)
      this.refuse(kind, 'connection requires a valid client certificate');
    const names = this.#rule?.certificateNames;
    const roles =
      names === undefined
        ? [commonName]
        : Object.hasOwn(names, commonName)
          ? names[commonName]
          : [];
    if (roles?.includes(user) === true) this.#proven = true;
    else {
      // The client learns no more than PostgreSQL's tell.
      this.#audit(`the certificate is of ${JSON.stringify(commonName)}`);
      throw new DatabaseError(kind, `certificate authentication failed for user "${user}"`);
    }
  }

  /** The role's own verifier, or one that nobody passes and that cannot be told from it, by the time either. */
  #verifier(): Verifier {
    const { secret, nowMs } = this.#parts;
    const mock = mockVerifier(secret(), this.#visitor.user);
    const text = writeVerifier(mock);
    const { verifier = text, validUntilMs = Infinity } = this.#login ?? {};
    return readVerifier(nowMs() < validUntilMs ? verifier : text) ?? mock;
  }

  #wrongPassword(): never {
    const { user } = this.#visitor;
    this.#audit(this.#whyNotPassed());
    throw new DatabaseError(
      'invalid_password',
      `password authentication failed for user "${user}"`,
    );
  }

  /** For the log, not for the client. */
  #whyNotPassed(): string {
    const { verifier, validUntilMs = Infinity } = this.#login ?? {};
    if (this.#visitor.token !== undefined) return 'the token is not known, has ended or is void';
    if (this.#login === undefined) return 'the role does not exist';
    if (verifier === undefined) return 'the role has no password';
    if (this.#parts.nowMs() >= validUntilMs) return 'the password has expired';
    return 'the password is another one';
  }

  /** Errors of the protocol end the attempt too. */
  #told<T>(step: () => T): T {
    try {
      return step();
    } catch (error) {
      if (error instanceof DatabaseError) this.#audit(error.message);
      throw error;
    }
  }

  #audit(reason: string): void {
    this.#failed = true;
    const event = { ...this.#event(), reason };
    this.#parts.log('warn', 'auth.failed', event);
    this.#parts.accounts.audit({ kind: 'sign_in_failed', ...event });
  }

  /** As sessions and the audit table have it. */
  get #how(): string {
    const isByToken = this.#visitor.token !== undefined && this.method !== 'cert';
    return isByToken ? 'token' : this.method;
  }

  #event(): Omit<AuditEvent, 'kind'> {
    const { door, user, database, address, encrypted } = this.#visitor;
    return { role: user, database, address, door, method: this.#how, encrypted };
  }
}

function socketAddress(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
