/**
 * The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), refusing what PostgreSQL's
 * auth-scram.c refuses, in its words. It decides; messages, randomness and verifiers come in.
 */
import { timingSafeEqual } from 'node:crypto';
import { assert } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { keyBytes } from './limits.js';
import { hmac, sha256, type Verifier } from './verifier.js';

export type Mechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS';

/** The only type of channel binding, by the server's certificate (RFC 5929). */
const bindingType = 'tls-server-end-point';

export interface ScramOptions {
  readonly mechanism: Mechanism;
  readonly verifier: Verifier;
  /** The server's half, in printable characters without a comma; new each time. */
  readonly nonce: string;
  /** The hash of the server's certificate, where SCRAM-SHA-256-PLUS was offered. */
  readonly binding: Uint8Array | undefined;
}

/** Two calls: {@link first}, then {@link final}. */
export class ScramServer {
  readonly #options: ScramOptions;
  #flag: 'n' | 'y' | 'p' = 'n';
  /** Both halves, known after the first message. */
  #nonce = '';
  #clientFirst = '';
  #serverFirst = '';

  constructor(options: ScramOptions) {
    const { mechanism, binding } = options;
    assert(mechanism === 'SCRAM-SHA-256' || binding !== undefined, 'PLUS needs a certificate');
    this.#options = options;
  }

  /** Takes the client's first message and gives the server's. Raises 08P01, 28000, 0A000. */
  first(message: string): string {
    assert(this.#nonce === '', 'the first message comes once');
    const [flag = '', identity, ...bare] = message.split(',');
    this.#flag = this.#readFlag(flag);
    if (identity === undefined) malformed(commaExpected(''));
    if (identity.startsWith('a=')) {
      raise('feature_not_supported', 'client uses authorization identity, but it is not supported');
    }
    if (identity !== '' || bare.length === 0) {
      malformed(`Unexpected attribute "${shown(identity)}" in client-first-message.`);
    }
    if (bare[0]?.startsWith('m=') === true) {
      raise('feature_not_supported', 'client requires an unsupported SCRAM extension');
    }
    // The user was named in the start-up packet; what this says of it PostgreSQL ignores too.
    attribute(bare[0], 'n');
    const clientNonce = attribute(bare[1], 'r');
    if (!/^[\x21-\x7e]*$/.test(clientNonce)) {
      raise('protocol_violation', 'non-printable characters in SCRAM nonce');
    }
    const { verifier, nonce } = this.#options;
    const salt = Buffer.from(verifier.salt).toString('base64');
    this.#nonce = `${clientNonce}${nonce}`;
    this.#clientFirst = bare.join(',');
    this.#serverFirst = `r=${this.#nonce},s=${salt},i=${verifier.iterations}`;
    return this.#serverFirst;
  }

  /**
   * Takes the client's second message and gives the server's; undefined when the client does not know the
   * password. Raises 08P01, 28000.
   */
  final(message: string): string | undefined {
    assert(this.#nonce !== '', 'the first message comes first');
    const parts = message.split(',');
    this.#checkBinding(attribute(parts[0], 'c'));
    const nonce = attribute(parts[1], 'r');
    const at = parts.findIndex((part, i) => i > 1 && part.startsWith('p='));
    if (at < 0) malformed('Attribute expected, but found end of string.');
    const proof = Buffer.from(attribute(parts[at], 'p'), 'base64');
    if (proof.length !== keyBytes || `p=${proof.toString('base64')}` !== parts[at]) {
      malformed('Malformed proof in client-final-message.');
    }
    if (at !== parts.length - 1) malformed('Garbage found at the end of client-final-message.');
    if (!isEqual(nonce, this.#nonce)) {
      raise('protocol_violation', 'invalid SCRAM response', { detail: 'Nonce does not match.' });
    }
    const authMessage = [this.#clientFirst, this.#serverFirst, ...parts.slice(0, at)].join(',');
    const { storedKey, serverKey } = this.#options.verifier;
    const clientKey = hmac(storedKey, authMessage);
    for (const [i, byte] of proof.entries()) clientKey[i] = (clientKey[i] ?? 0) ^ byte;
    if (!timingSafeEqual(sha256(clientKey), storedKey)) return undefined;
    return `v=${hmac(serverKey, authMessage).toString('base64')}`;
  }

  /** n: no binding; y: the client could, and believes that the server cannot; p: bound. */
  #readFlag(flag: string): 'n' | 'y' | 'p' {
    const { mechanism, binding } = this.#options;
    const plus = mechanism === 'SCRAM-SHA-256-PLUS';
    if (/^[ny]/.test(flag)) {
      if (flag.length > 1) malformed(commaExpected(flag.slice(1)));
      if (plus) {
        malformed(
          'The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.',
        );
      }
      // Somebody between the two has taken PLUS out of what the server offered.
      if (flag === 'y' && binding !== undefined) {
        raise('invalid_authorization_specification', 'SCRAM channel binding negotiation error', {
          detail:
            'The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding.',
        });
      }
      return flag === 'y' ? 'y' : 'n';
    }
    if (!flag.startsWith('p=')) {
      malformed(`Unexpected channel-binding flag "${shown(flag)}".`);
    }
    if (!plus) {
      malformed(
        'The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.',
      );
    }
    if (flag !== `p=${bindingType}`) {
      const text = `unsupported SCRAM channel-binding type "${sanitized(flag.slice(2))}"`;
      raise('protocol_violation', text);
    }
    return 'p';
  }

  #checkBinding(given: string): void {
    if (this.#flag === 'p') {
      const header = Buffer.from(`p=${bindingType},,`);
      const { binding = Buffer.alloc(0) } = this.#options;
      const expected = Buffer.concat([header, binding]).toString('base64');
      if (isEqual(given, expected)) return;
      raise('invalid_authorization_specification', 'SCRAM channel binding check failed');
    }
    if (given === Buffer.from(`${this.#flag},,`).toString('base64')) return;
    raise(
      'protocol_violation',
      'unexpected SCRAM channel-binding attribute in client-final-message',
    );
  }
}

/** The value of `part`, which must be attribute `name`. */
function attribute(part: string | undefined, name: string): string {
  if (part === undefined || part === '' || !part.startsWith(name)) {
    malformed(`Expected attribute "${name}" but found "${shown(part ?? '')}".`);
  }
  if (!part.startsWith(`${name}=`)) malformed(`Expected character "=" for attribute "${name}".`);
  return part.slice(2);
}

function malformed(detail: string): never {
  return raise('protocol_violation', 'malformed SCRAM message', { detail });
}

function commaExpected(found: string): string {
  return `Comma expected, but found character "${shown(found)}".`;
}

/** The first character, as PostgreSQL's sanitize_char shows it; its NUL at the end. */
function shown(text: string): string {
  const code = text === '' ? 0 : text.charCodeAt(0);
  return code >= 0x21 && code <= 0x7e
    ? `'${text.charAt(0)}'`
    : `0x${code.toString(16).padStart(2, '0')}`;
}

/** A client's text for a message of ours. */
function sanitized(text: string): string {
  return text.slice(0, 30).replace(/[^\x21-\x7e]/g, '?');
}

/** In a time that does not depend on where they differ. */
function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
