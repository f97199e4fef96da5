/**
 * Challenge and response by a shared secret: each side proves by HMAC-SHA256 over both hellos, nonces and
 * node ids included, that it knows the secret. The side is part of what is proved, so a proof cannot be
 * sent back to its maker; both nonces are, so none is of use on another connection.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Who dialed, or who was dialed. */
export type Side = 'dialer' | 'acceptor';

export function makeProof(
  secret: Uint8Array,
  side: Side,
  dialerHello: Uint8Array,
  acceptorHello: Uint8Array,
): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(dialerHello.length);
  return createHmac('sha256', secret)
    .update(`shardforge mesh ${side}\0`)
    .update(length)
    .update(dialerHello)
    .update(acceptorHello)
    .digest();
}

/** True when `proof` is what {@link makeProof} makes; in constant time. */
export function provesSecret(proof: Uint8Array, ...made: Parameters<typeof makeProof>): boolean {
  const expected = makeProof(...made);
  return proof.length === expected.length && timingSafeEqual(proof, expected);
}
