/** Binds what is proved over a connection to its certificate: `tls-server-end-point` of RFC 5929. */
import { createHash } from 'node:crypto';

const tags = { oid: 0x06, sequence: 0x30, context0: 0xa0 } as const;

/** Hashes of signature algorithms and of RSASSA-PSS's hash algorithms, by their OIDs in DER. */
const hashes: readonly (readonly [oid: string, hash: string])[] = [
  // RSA: 1.2.840.113549.1.1.n. The RFC has SHA-256 where a signature is by MD5 or SHA-1.
  ['2a864886f70d010104', 'sha256'],
  ['2a864886f70d010105', 'sha256'],
  ['2a864886f70d01010b', 'sha256'],
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  ['2a864886f70d01010e', 'sha224'],
  // ECDSA: 1.2.840.10045.4.1 and 1.2.840.10045.4.3.n.
  ['2a8648ce3d0401', 'sha256'],
  ['2a8648ce3d040301', 'sha224'],
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
  // Hash algorithms: 2.16.840.1.101.3.4.2.n, and SHA-1.
  ['608648016503040201', 'sha256'],
  ['608648016503040202', 'sha384'],
  ['608648016503040203', 'sha512'],
  ['608648016503040204', 'sha224'],
  ['2b0e03021a', 'sha256'],
];
const hashByOid = new Map(hashes);
const rsaPss = '2a864886f70d01010a';

/**
 * The hash of a server's certificate, given in DER, by the hash of its signature; undefined where the signature has none of
 * its own, as Ed25519: such connections cannot be bound.
 */
export function endPointHash(certificate: Uint8Array): Buffer | undefined {
  const hash = hashOf(Buffer.from(certificate));
  return hash === undefined ? undefined : createHash(hash).update(certificate).digest();
}

function hashOf(certificate: Buffer): string | undefined {
  // SEQUENCE { what is signed, SEQUENCE { OID, parameters }, signature }
  const [algorithm] = partsOf(certificate, tags.sequence)?.slice(1) ?? [];
  const [oid, parameters] = partsOf(algorithm, tags.sequence) ?? [];
  const name = oidOf(oid);
  if (name !== rsaPss) return hashByOid.get(name);
  // SEQUENCE { [0] SEQUENCE { OID } ... }, where SHA-1 is left out.
  const [first] = partsOf(parameters, tags.sequence) ?? [];
  const [hashAlgorithm] = partsOf(first, tags.context0) ?? [];
  const [hashOid] = partsOf(hashAlgorithm, tags.sequence) ?? [];
  return hashOid === undefined ? 'sha256' : hashByOid.get(oidOf(hashOid));
}

function oidOf(element: Buffer | undefined): string {
  if (element?.[0] !== tags.oid) return '';
  return element.subarray(headOf(element)?.start ?? 0).toString('hex');
}

/** The elements inside of one; undefined when it has another tag. */
function partsOf(element: Buffer | undefined, tag: number): readonly Buffer[] | undefined {
  const head = element?.[0] === tag ? headOf(element) : undefined;
  if (element === undefined || head === undefined) return undefined;
  const parts: Buffer[] = [];
  for (let rest = element.subarray(head.start, head.end); rest.length > 0; ) {
    const part = headOf(rest);
    if (part === undefined) break;
    parts.push(rest.subarray(0, part.end));
    rest = rest.subarray(part.end);
  }
  return parts;
}

/** Where the content of the element at the front lies. */
function headOf(bytes: Buffer): { readonly start: number; readonly end: number } | undefined {
  const short = bytes[1];
  if (short === undefined) return undefined;
  if (short < 0x80) return { start: 2, end: 2 + short };
  const start = 2 + (short & 0x7f);
  if (start === 2 || start > 6 || bytes.length < start) return undefined;
  return { start, end: start + bytes.readUIntBE(2, start - 2) };
}
