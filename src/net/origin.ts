/**
 * Keeps web pages from a loopback port (pitfall 31). A page of another site sends its `Origin`; a
 * page whose name was made to point here (DNS rebinding) sends a `Host` that is not ours.
 */
import { isIP } from 'node:net';

/** Why the request is refused; undefined when it is not. */
export function refuseOrigin(
  headers: { readonly origin?: string | undefined; readonly host?: string | undefined },
  allowed: { readonly origins: readonly string[]; readonly hosts: readonly string[] },
): string | undefined {
  const { origin, host } = headers;
  if (origin !== undefined && !allowed.origins.includes(origin)) {
    return 'the Origin of the request is not in http.allowedOrigins';
  }
  const name = hostName(host ?? '');
  const known = isIP(name) !== 0 || name === 'localhost' || allowed.hosts.includes(name);
  return known ? undefined : 'the Host of the request is not in http.allowedHosts';
}

/** The name in a Host header, without port and brackets, in lower case. */
function hostName(host: string): string {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  return name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
}
