/** Addresses that only processes of this machine can reach or come from. */
import { isIPv4 } from 'node:net';

/** For an address as a socket tells it, or for the name `localhost`. */
export function isLoopback(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '').replace(/^::ffff:/i, '');
  return bare === '::1' || bare === 'localhost' || (isIPv4(bare) && bare.startsWith('127.'));
}
