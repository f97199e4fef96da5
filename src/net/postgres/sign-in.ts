/**
 * Signing in by messages (https://www.postgresql.org/docs/15/sasl-authentication.html): what the rules ask the
 * client for, and its answers. Nothing of a session is there before.
 */
import { unreachable } from '../../base/assert.js';
import { DatabaseError, raise } from '../../base/errors.js';
import type { ErrorFields } from '../../sql/session/protocol.js';
import { readUtf8 } from '../../sql/types/index.js';
import { doorError } from '../answers.js';
import {
  type Admission,
  type Attempt,
  type Mechanism,
  saslMessageBytesMax,
  type SignIn,
  type Visitor,
} from '../sign-in/index.js';
import { Body, type Inbox } from './reader.js';
import { codes, type MessageWriter } from './writer.js';

const headBytes = 5;
/** Kinds of authentication messages. */
const requests = { ok: 0, sasl: 10, saslContinue: 11, saslFinal: 12 } as const;

export interface WireSignInOptions {
  readonly signIn: SignIn;
  readonly visitor: Visitor;
  /** Of the certificate that the connection was encrypted with. */
  readonly binding: Buffer | undefined;
  readonly inbox: Inbox;
  readonly out: MessageWriter;
  /** The client is in: AuthenticationOk is written. */
  readonly admitted: (admission: Admission) => void;
  readonly failed: (error: DatabaseError | ErrorFields) => void;
  /** A bug: neither let in nor refused. */
  readonly broken: (error: unknown) => void;
  /** Something was written. */
  readonly written: () => void;
}

export class WireSignIn {
  readonly #options: WireSignInOptions;
  #step: 'asking' | 'mechanism' | 'first' | 'final' | 'over' = 'asking';
  #mechanism: Mechanism = 'SCRAM-SHA-256';
  #attempt: Attempt | undefined;
  #gone = false;

  constructor(options: WireSignInOptions) {
    this.#options = options;
    const { signIn, visitor } = options;
    signIn.begin(visitor).then(
      (attempt) => this.#guarded(() => this.#begun(attempt)),
      (error: unknown) => this.#failed(error),
    );
  }

  /** Nothing of the client's is looked at meanwhile. */
  get waits(): boolean {
    return this.#step === 'asking';
  }

  /** The client is gone, or is ended for another reason. */
  end(): void {
    this.#step = 'over';
    this.#gone = true;
  }

  /** Bytes have come. Raises 08P01, 28000, 28P01 and others that end the connection. */
  pump(): void {
    while (this.#attempt !== undefined && this.#step !== 'over') {
      const body = this.#message();
      if (body === undefined) return;
      this.#take(this.#attempt, body);
    }
  }

  #begun(attempt: Attempt): void {
    if (this.#gone) return;
    if (attempt.method !== 'scram-sha-256') {
      this.#admit(attempt);
      return;
    }
    const { binding, out } = this.#options;
    this.#attempt = attempt;
    this.#step = 'mechanism';
    out.begin(codes.authentication).int32(requests.sasl);
    if (binding !== undefined) out.string('SCRAM-SHA-256-PLUS');
    out.string('SCRAM-SHA-256').byte(0).end();
    this.pump();
    this.#options.written();
  }

  #message(): Body | undefined {
    const { inbox } = this.#options;
    const head = inbox.peek(headBytes);
    if (head === undefined) return undefined;
    const code = head.readUInt8();
    if (code !== 'p'.charCodeAt(0)) {
      raise('protocol_violation', `expected SASL response, got message type ${code}`);
    }
    const length = head.readUInt32BE(1) + 1;
    if (length < headBytes || length > headBytes + saslMessageBytesMax) {
      raise('protocol_violation', 'invalid message length');
    }
    const bytes = inbox.take(length);
    return bytes === undefined ? undefined : new Body(bytes.subarray(headBytes));
  }

  #take(attempt: Attempt, body: Body): void {
    const { binding, out } = this.#options;
    switch (this.#step) {
      case 'mechanism':
        this.#mechanism = this.#chosen(body.string());
        this.#step = 'first';
        this.#initial(attempt, body);
        return;
      case 'first': {
        const answer = attempt.scramFirst(this.#mechanism, binding, saslText(body));
        this.#step = 'final';
        out.begin(codes.authentication).int32(requests.saslContinue).text(answer).end();
        return;
      }
      case 'final': {
        const answer = attempt.scramFinal(saslText(body));
        out.begin(codes.authentication).int32(requests.saslFinal).text(answer).end();
        this.#admit(attempt);
        return;
      }
      case 'asking':
      case 'over':
        return;
      default:
        unreachable(this.#step);
    }
  }

  /** The client may leave out its first message, and is then asked for it. */
  #initial(attempt: Attempt, body: Body): void {
    const length = body.int32();
    if (length === -1) {
      body.end();
      this.#options.out.begin(codes.authentication).int32(requests.saslContinue).end();
      return;
    }
    const bytes = body.bytes(length);
    body.end();
    this.#take(attempt, new Body(bytes));
  }

  #chosen(name: string): Mechanism {
    const bound = this.#options.binding !== undefined;
    if (name === 'SCRAM-SHA-256' || (bound && name === 'SCRAM-SHA-256-PLUS')) return name;
    const text = 'client selected an invalid SASL authentication mechanism';
    return raise('protocol_violation', text);
  }

  #admit(attempt: Attempt): void {
    this.#step = 'over';
    const admission = attempt.admit();
    this.#options.out.begin(codes.authentication).int32(requests.ok).end();
    this.#options.admitted(admission);
  }

  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    const { failed, broken } = this.#options;
    const isKnown = error instanceof DatabaseError;
    if (!isKnown) broken(error);
    if (this.#gone) return;
    this.#step = 'over';
    failed(isKnown ? error : doorError('internal_error', 'signing in has failed'));
  }
}

function saslText(body: Body): string {
  const bytes = body.rest();
  if (bytes.length === 0) {
    const detail = 'The message is empty.';
    return raise('protocol_violation', 'malformed SCRAM message', { detail });
  }
  if (bytes.includes(0)) {
    const detail = 'Message length does not match input length.';
    return raise('protocol_violation', 'malformed SCRAM message', { detail });
  }
  return readUtf8(bytes);
}
