/** Whom a certificate names. */

/** The part of Node's PeerCertificate that is looked at. */
export interface CertificateLike {
  readonly subject?: { readonly CN?: string | string[] | undefined } | undefined;
  /** Such as `DNS:node-2, DNS:localhost, IP Address:127.0.0.1`. */
  readonly subjectaltname?: string | undefined;
}

/**
 * Whether it is the certificate of node `node`: `node-2` or a host name that begins with `node-2.` is its
 * common name or one of its alternative DNS names.
 */
export function certificateNames(certificate: CertificateLike, node: number): boolean {
  const common = certificate.subject?.CN ?? [];
  const alternative = (certificate.subjectaltname ?? '')
    .split(', ')
    .filter((name) => name.startsWith('DNS:'))
    .map((name) => name.slice('DNS:'.length));
  const wanted = `node-${node}`;
  return [...(typeof common === 'string' ? [common] : common), ...alternative].some(
    (name) => name === wanted || name.startsWith(`${wanted}.`),
  );
}
