/** The secret or the certificates of a node, from files that may change while it runs. */
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { raise } from '../../base/errors.js';
import { secretBytesMin } from './limits.js';

export type MeshSecurity =
  /** Every process of this machine is trusted, and no other is talked to. */
  | { readonly kind: 'loopback' }
  /** Both sides prove that they know the secret. What they then say is not encrypted. */
  | { readonly kind: 'secret'; readonly secretFile: string }
  /** Mutual TLS 1.3. */
  | {
      readonly kind: 'tls';
      readonly certificateFile: string;
      readonly keyFile: string;
      readonly caFile: string;
    };

export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
}

export class Material {
  readonly security: MeshSecurity;
  #secret: Buffer | undefined;
  #tls: TlsMaterial | undefined;
  #stamp = '';

  /** Raises `config_invalid` when a file cannot be used. */
  constructor(security: MeshSecurity) {
    this.security = security;
    this.#load();
  }

  get secret(): Buffer | undefined {
    return this.#secret;
  }

  get tls(): TlsMaterial | undefined {
    return this.#tls;
  }

  /** True when a file is another one than at the last call of this or of `reload`. */
  changed(): boolean {
    const stamp = this.#stampNow();
    return stamp !== undefined && stamp !== this.#stamp;
  }

  /** Reads the files again; raises `config_invalid` and keeps what it had when they cannot be used. */
  reload(): void {
    this.#load();
  }

  #load(): void {
    // Taken first: a file that changes while it is read is read once more.
    this.#stamp = this.#stampNow() ?? '';
    const { security } = this;
    if (security.kind === 'secret') this.#secret = readSecret(security.secretFile);
    if (security.kind === 'tls') {
      const material = {
        cert: read('mesh.certificateFile', security.certificateFile),
        key: read('mesh.keyFile', security.keyFile),
        ca: read('mesh.caFile', security.caFile),
      };
      try {
        createSecureContext(material);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        raise('config_invalid', `mesh.certificateFile and mesh.keyFile are of no use: ${reason}`);
      }
      this.#tls = material;
    }
  }

  #stampNow(): string | undefined {
    try {
      return this.#files()
        .map((file) => {
          const { mtimeMs, size, ino } = statSync(file);
          return `${mtimeMs}/${size}/${ino}`;
        })
        .join(' ');
    } catch {
      // Between two files of a rename; the next look finds it.
      return undefined;
    }
  }

  #files(): readonly string[] {
    const { security } = this;
    if (security.kind === 'secret') return [security.secretFile];
    if (security.kind === 'loopback') return [];
    return [security.certificateFile, security.keyFile, security.caFile];
  }
}

function read(option: string, file: string): Buffer {
  if (file === '') raise('config_invalid', `${option} is empty`);
  try {
    return readFileSync(file);
  } catch (error) {
    raise('config_invalid', `${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readSecret(file: string): Buffer {
  const secret = Buffer.from(read('mesh.secretFile', file).toString('utf8').trim());
  if (secret.length >= secretBytesMin) return secret;
  raise('config_invalid', `mesh.secretFile: ${file} has fewer than ${secretBytesMin} bytes`);
}
