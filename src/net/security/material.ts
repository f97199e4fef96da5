/** The secret or the certificates of a node, from files that may change while it runs. */
import { createSecureContext } from 'node:tls';
import { raise } from '../../base/errors.js';
import { FileStamp, readOptionFile as read } from './files.js';
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
  readonly #stamp: FileStamp;

  /** Raises `config_invalid` when a file cannot be used. */
  constructor(security: MeshSecurity) {
    this.security = security;
    this.#stamp = new FileStamp(filesOf(security));
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
    return this.#stamp.changed();
  }

  /** Reads the files again; raises `config_invalid` and keeps what it had when they cannot be used. */
  reload(): void {
    this.#load();
  }

  #load(): void {
    this.#stamp.take();
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
}

function filesOf(security: MeshSecurity): readonly string[] {
  if (security.kind === 'secret') return [security.secretFile];
  if (security.kind === 'loopback') return [];
  return [security.certificateFile, security.keyFile, security.caFile];
}

function readSecret(file: string): Buffer {
  const secret = Buffer.from(read('mesh.secretFile', file).toString('utf8').trim());
  if (secret.length >= secretBytesMin) return secret;
  raise('config_invalid', `mesh.secretFile: ${file} has fewer than ${secretBytesMin} bytes`);
}
