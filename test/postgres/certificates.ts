/** Certificates of a throw-away authority, for tests of TLS. */
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const day = 86_400_000;
const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};
/** How a certificate may be signed; the hash of the signature is that of channel binding. */
export const signatures = {
  'ecdsa with SHA-256': ecdsa,
  'ecdsa with SHA-384': { ...ecdsa, namedCurve: 'P-384', hash: 'SHA-384' },
  'rsa with SHA-256': { ...rsa, hash: 'SHA-256' },
  'rsa with SHA-512': { ...rsa, hash: 'SHA-512' },
  'rsa-pss with SHA-384': { ...rsa, name: 'RSA-PSS', hash: 'SHA-384', saltLength: 48 },
  /** Whose signature has no hash. */
  ed25519: { name: 'Ed25519' },
} as const;
export type SignatureName = keyof typeof signatures;

export interface Files {
  readonly certificate: string;
  readonly key: string;
}

/** Writes the certificate and key of each party into one folder. */
export class TestAuthority {
  readonly directory: string;
  readonly caFile: string;
  readonly #issuer: x509.X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #signature: SignatureName;

  private constructor(
    issuer: x509.X509Certificate,
    keys: webcrypto.CryptoKeyPair,
    signature: SignatureName,
  ) {
    this.directory = mkdtempSync(join(tmpdir(), 'shardforge-tls-'));
    this.caFile = join(this.directory, 'ca.pem');
    this.#issuer = issuer;
    this.#keys = keys;
    this.#signature = signature;
    writeFileSync(this.caFile, issuer.toString('pem'));
  }

  static async make(signature: SignatureName = 'ecdsa with SHA-256'): Promise<TestAuthority> {
    const algorithm = signatures[signature];
    const keys = await makeKeys(signature);
    const issuer = await x509.X509CertificateGenerator.createSelfSigned(
      {
        ...{ serialNumber: serial(), name: [{ CN: ['test authority'] }], ...validity() },
        ...{ signingAlgorithm: algorithm, keys },
        extensions: [
          new x509.BasicConstraintsExtension(true, 0, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        ],
      },
      webcrypto,
    );
    return new TestAuthority(issuer, keys, signature);
  }

  /** A certificate for `name`, and for the host `localhost`; `days` from now it ends. */
  async sign(name: string, file: string, days = 1): Promise<Files> {
    const keys = await makeKeys('ecdsa with SHA-256');
    const certificate = await x509.X509CertificateGenerator.create(
      {
        ...{ serialNumber: serial(), subject: [{ CN: [name] }], ...validity(days) },
        issuer: this.#issuer.subjectName,
        signingAlgorithm: signatures[this.#signature],
        ...{ publicKey: keys.publicKey, signingKey: this.#keys.privateKey },
        extensions: [
          new x509.SubjectAlternativeNameExtension([
            { type: 'dns', value: 'localhost' },
            { type: 'ip', value: '127.0.0.1' },
          ]),
        ],
      },
      webcrypto,
    );
    const bytes = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    const files = {
      certificate: join(this.directory, `${file}.crt`),
      key: join(this.directory, `${file}.key`),
    };
    writeFileSync(files.certificate, certificate.toString('pem'));
    writeFileSync(files.key, x509.PemConverter.encode(bytes, 'PRIVATE KEY'), { mode: 0o600 });
    return files;
  }
}

function makeKeys(signature: SignatureName): Promise<webcrypto.CryptoKeyPair> {
  const algorithm: webcrypto.EcKeyGenParams & webcrypto.RsaHashedKeyGenParams = {
    ...(signatures[signature] as never as webcrypto.EcKeyGenParams &
      webcrypto.RsaHashedKeyGenParams),
  };
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

function serial(): string {
  return `40${randomBytes(15).toString('hex')}`;
}

function validity(days = 1): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - 2 * day), notAfter: new Date(now + days * day) };
}
