/** Sets of addresses that a client may come from. */
import { BlockList, isIP } from 'node:net';
import { isLoopback } from '../security/index.js';

/** The name for 127.0.0.0/8 and ::1. */
export const loopback = 'loopback';

interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** The network that `10.0.0.0/8`, `::/0` or an address alone means; undefined for other texts. */
function networkOf(text: string): Network | undefined {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text);
  const address = match?.[1] ?? '';
  const version = isIP(address);
  if (version === 0) return undefined;
  const bits = version === 4 ? 32 : 128;
  const prefix = match?.[2] === undefined ? bits : Number(match[2]);
  if (prefix > bits) return undefined;
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** Whether it is `loopback`, an address or a network in CIDR's notation. */
export function isAddressRange(text: string): boolean {
  return text === loopback || networkOf(text) !== undefined;
}

/** Whether a range has addresses of other machines. */
export function reachesOthers(range: string): boolean {
  const network = networkOf(range);
  if (network === undefined) return false;
  return !isLoopback(network.address) || network.prefix < (network.family === 'ipv4' ? 8 : 128);
}

/** The address without the form in which a socket for both versions shows those of version 4. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** All addresses of some ranges, each as {@link isAddressRange} takes it. */
export class AddressSet {
  readonly #networks = new BlockList();
  readonly #loopback: boolean;

  constructor(ranges: readonly string[]) {
    this.#loopback = ranges.includes(loopback);
    for (const range of ranges) {
      const network = networkOf(range);
      if (network === undefined) continue;
      this.#networks.addSubnet(network.address, network.prefix, network.family);
    }
  }

  has(address: string): boolean {
    const plain = plainAddress(address);
    const version = isIP(plain);
    if (version === 0) return false;
    if (this.#loopback && isLoopback(plain)) return true;
    return this.#networks.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  }
}
