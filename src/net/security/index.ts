/**
 * How nodes know each other: files with a shared secret or with certificates, read again when they
 * change; proofs by challenge and response; whom a certificate names; what is loopback.
 *
 * Guarantees: a file that cannot be used never replaces one that could; comparisons of secrets take the
 * same time whatever they find.
 *
 * Must not know: frames, links, peers.
 */
export { certificateNames, type CertificateLike } from './certificate.js';
export { FileStamp, readOptionFile } from './files.js';
export { isLoopback } from './loopback.js';
export { Material, type MeshSecurity, type TlsMaterial } from './material.js';
export { makeProof, provesSecret, type Side } from './proof.js';

/** Makes certificates; loads a library that nothing else needs. */
export function openAuthorityTools(): Promise<typeof import('./authority.js')> {
  return import('./authority.js');
}
