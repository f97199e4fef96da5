/** What doors ask about roles before there is a session, and what they have written down. */
import type { Message, Ref } from '../../actors/actor.js';
import type { ErrorFields } from '../session/protocol.js';

/** What signing in has to know of a role. */
export interface Login {
  /** Its object's number. */
  readonly role: number;
  readonly name: string;
  /** `SCRAM-SHA-256$...`; undefined without a password. */
  readonly verifier: string | undefined;
  readonly canLogin: boolean;
  readonly superuser: boolean;
  /** The roles that it belongs to, directly or through others, and itself. */
  readonly memberOf: readonly string[];
  /** -1: none. */
  readonly connectionLimit: number;
  /** When the password ends to be good, in milliseconds since 1970; undefined: never. */
  readonly validUntilMs: number | undefined;
  /** Whether it has CONNECT on the database. */
  readonly mayConnect: boolean;
  /** First settings of its sessions, by ALTER DATABASE and ALTER ROLE ... SET. */
  readonly settings: Readonly<Record<string, string>>;
  /** It is the first role, of which nothing has been changed yet. */
  readonly initial: boolean;
}

/** Something that the audit table keeps. */
export interface AuditEvent {
  readonly kind: 'sign_in' | 'sign_in_failed' | 'disconnect' | 'rights';
  /** Who it was, as far as that is known. */
  readonly role: string;
  readonly database: string;
  readonly address: string;
  readonly door: string;
  readonly method: string;
  readonly encrypted: boolean;
  /** Why it failed; of a change of rights the statement, without passwords. */
  readonly reason?: string;
  readonly session?: number;
}

/** Reads linearizably. Answered by `accounts.found`. */
export interface FindMessage extends Message {
  readonly kind: 'accounts.find';
  /** The asker's own number, which the answer carries. */
  readonly find: number;
  readonly name: string;
  readonly replyTo: Ref<FoundMessage>;
}

/** As {@link FindMessage}, by an API token; of one that is not known, has ended or has lost its role nothing is found. */
export interface TokenMessage extends Message {
  readonly kind: 'accounts.token';
  readonly find: number;
  /** The SHA-256 of the token in hexadecimal. */
  readonly hash: string;
  readonly replyTo: Ref<FoundMessage>;
}

export interface FoundMessage extends Message {
  readonly kind: 'accounts.found';
  readonly find: number;
  /** Absent for a name that no role has, and for a token that is of no use. */
  readonly login?: Login;
  /** Why it cannot be told. */
  readonly error?: ErrorFields;
}

/** Keeps the event, soon and at most once; there is no answer. */
export interface AuditMessage extends Message {
  readonly kind: 'accounts.audit';
  readonly event: AuditEvent;
}

export type AccountsMessage = FindMessage | TokenMessage | AuditMessage;
