/** TLS of the doors for clients: certificates from files that may change while the node runs. */
import { constants } from 'node:crypto';
import {
  createSecureContext,
  type SecureContextOptions,
  type SecureVersion,
  type TLSSocket,
} from 'node:tls';
import { raise } from '../../base/errors.js';
import type { ErrorFields } from '../../sql/session/protocol.js';
import { doorError } from '../answers.js';
import type { Log } from '../host.js';
import { FileStamp, readOptionFile } from '../security/index.js';
import { certificateCheckMs } from './limits.js';

export interface TlsSettings {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Who signs certificates of clients; empty when they are asked for none. */
  readonly caFile: string;
  /** As OpenSSL's lists; empty for Node's own. */
  readonly ciphers: string;
  readonly minimumVersion: SecureVersion;
}

/** The certificate that doors show. Who takes connections hears of new ones by {@link onChange}. */
export class ServerTls {
  readonly #settings: TlsSettings;
  readonly #stamp: FileStamp;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  readonly #listeners: ((options: SecureContextOptions) => void)[] = [];
  #options: SecureContextOptions;

  /** Raises `config_invalid` when a file cannot be used. */
  constructor(files: TlsSettings, log: Log) {
    this.#settings = files;
    this.#log = log;
    const { certificateFile, keyFile, caFile } = files;
    this.#stamp = new FileStamp([certificateFile, keyFile, caFile].filter((file) => file !== ''));
    this.#options = readOptions(files);
    this.#timer = setInterval(() => this.check(), certificateCheckMs);
    this.#timer.unref();
  }

  /** For a server's secure context. */
  get options(): SecureContextOptions {
    return this.#options;
  }

  /** Whether clients are asked for a certificate. */
  get asksClients(): boolean {
    return this.#settings.caFile !== '';
  }

  /** Calls `listener` with the options whenever they have changed. */
  onChange(listener: (options: SecureContextOptions) => void): void {
    this.#listeners.push(listener);
  }

  /** Reads files that have changed; what cannot be used is logged, and what was there stays. */
  check(): void {
    if (!this.#stamp.changed()) return;
    this.#stamp.take();
    try {
      this.#options = readOptions(this.#settings);
      for (const listener of this.#listeners) listener(this.#options);
      this.#log('info', 'tls.reloaded', {});
    } catch (error) {
      this.#log('error', 'tls.not_reloaded', { error });
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function readOptions(files: TlsSettings): SecureContextOptions {
  const { certificateFile, keyFile, caFile, ciphers, minimumVersion } = files;
  const options: SecureContextOptions = {
    cert: readOptionFile('tls.certificateFile', certificateFile),
    key: readOptionFile('tls.keyFile', keyFile),
    ...(caFile === '' ? {} : { ca: readOptionFile('tls.caFile', caFile) }),
    ...(ciphers === '' ? {} : { ciphers }),
    minVersion: minimumVersion,
    honorCipherOrder: true,
    // As PostgreSQL: a connection is one session, which nobody takes up again or negotiates anew.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    sessionIdContext: 'shardforge',
  };
  try {
    createSecureContext(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    raise(
      'config_invalid',
      `tls.certificateFile, tls.keyFile and tls.ciphers are of no use: ${reason}`,
    );
  }
  return options;
}

/** Who the certificate of a client says it is. */
export interface CertifiedClient {
  readonly commonName?: string;
  /** Why the certificate is refused whatever it says. */
  readonly fault?: ErrorFields;
}

/** Empty for a client that has shown none. */
export function certifiedClient(socket: TLSSocket): CertifiedClient {
  const { subject } = socket.getPeerCertificate();
  if (subject === undefined) return {};
  if (!socket.authorized) {
    const text = `client certificate is not valid: ${String(socket.authorizationError)}`;
    return { fault: doorError('invalid_authorization_specification', text) };
  }
  const name: unknown = subject.CN;
  // Of several names, or one with an end inside, it could not be said which is meant.
  return typeof name === 'string' && !name.includes('\0') ? { commonName: name } : {};
}
