/** The client's side of SCRAM-SHA-256, written from RFC 5802 and nothing of src. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

const hmac = (key: Uint8Array, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest();

export interface ScramClientOptions {
  readonly password: string;
  readonly nonce: string;
  /** `n`, `y` or `p=...`. */
  readonly flag?: string;
  /** What the channel is bound to, for `p`. */
  readonly binding?: Uint8Array;
}

export class ScramClient {
  readonly #options: ScramClientOptions;
  readonly #header: string;
  readonly #bare: string;
  #authMessage = '';
  #salted = Buffer.alloc(0);

  constructor(options: ScramClientOptions) {
    this.#options = options;
    this.#header = `${options.flag ?? 'n'},,`;
    this.#bare = `n=,r=${options.nonce}`;
  }

  first(): string {
    return `${this.#header}${this.#bare}`;
  }

  final(serverFirst: string): string {
    const [nonce = '', salt = '', iterations = ''] = serverFirst.split(',').map((p) => p.slice(2));
    const { password, binding = Buffer.alloc(0) } = this.#options;
    const bound = Buffer.concat([Buffer.from(this.#header), binding]).toString('base64');
    const withoutProof = `c=${bound},r=${nonce}`;
    const bytes = Buffer.from(salt, 'base64');
    this.#salted = pbkdf2Sync(password, bytes, Number(iterations), 32, 'sha256');
    this.#authMessage = `${this.#bare},${serverFirst},${withoutProof}`;
    const clientKey = hmac(this.#salted, 'Client Key');
    const stored = createHash('sha256').update(clientKey).digest();
    const signature = hmac(stored, this.#authMessage);
    const proof = clientKey.map((byte, i) => byte ^ (signature[i] ?? 0));
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`;
  }

  /** Whether the server has shown that it knows the password too. */
  believes(serverFinal: string): boolean {
    const key = hmac(this.#salted, 'Server Key');
    return serverFinal === `v=${hmac(key, this.#authMessage).toString('base64')}`;
  }
}
