/**
 * Makes certificates for clusters that have no authority of their own yet: a self-signed authority, and node
 * certificates that it signs. ECDSA on P-256 with SHA-256.
 */
import 'reflect-metadata';
import { isIP } from 'node:net';
import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { raise } from '../../base/errors.js';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const serverAuthentication = '1.3.6.1.5.5.7.3.1';
const clientAuthentication = '1.3.6.1.5.5.7.3.2';

/** In PEM. */
export interface KeyAndCertificate {
  readonly certificate: string;
  /** PKCS #8. */
  readonly key: string;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export async function makeAuthority(name: string, validity: Validity): Promise<KeyAndCertificate> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: [{ CN: [name] }],
      ...validity,
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
}

export interface NodeCertificate extends Validity {
  readonly node: number;
  /** Addresses and host names beside `node-<id>`. */
  readonly hosts: readonly string[];
}

/** Signed by `authority`; raises `config_invalid` when that is of no use. */
export async function makeNodeCertificate(
  authority: KeyAndCertificate,
  { node, hosts, ...validity }: NodeCertificate,
): Promise<KeyAndCertificate> {
  const { issuer, signingKey } = await openAuthority(authority);
  const keys = await makeKeys();
  const name = `node-${node}`;
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: [{ CN: [name] }],
      issuer: issuer.subjectName,
      ...validity,
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([serverAuthentication, clientAuthentication], false),
        new x509.SubjectAlternativeNameExtension(
          [name, ...hosts].map((host) => ({
            type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const),
            value: host,
          })),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
}

function makeKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

type CryptoKeyPair = webcrypto.CryptoKeyPair;

async function openAuthority(
  authority: KeyAndCertificate,
): Promise<{ readonly issuer: x509.X509Certificate; readonly signingKey: webcrypto.CryptoKey }> {
  try {
    const issuer = new x509.X509Certificate(authority.certificate);
    const key = x509.PemConverter.decodeFirst(authority.key);
    const signingKey = await webcrypto.subtle.importKey('pkcs8', key, algorithm, false, ['sign']);
    return { issuer, signingKey };
  } catch (error) {
    raise('config_invalid', `the authority cannot be used: ${(error as Error).message}`);
  }
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = await webcrypto.subtle.exportKey('pkcs8', key);
  return x509.PemConverter.encode(bytes, 'PRIVATE KEY');
}

/** Positive, of 16 bytes. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}
