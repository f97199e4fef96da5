/** Functions of bytea that look at or change single bytes and bits, patterns of bytes, and digests. */
import { raise } from '../../base/errors.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';
import { likeEscape, likeMatcher } from './like.js';
import { sha224, sha256, sha384, sha512 } from './sha2.js';

function bitPlace(
  bytes: Uint8Array,
  index: bigint,
): { readonly byte: number; readonly mask: number } {
  if (index < 0n || index >= BigInt(bytes.length) * 8n) {
    const text = `index ${index} out of valid range, 0..${bytes.length * 8 - 1}`;
    raise('array_subscript_error', text);
  }
  return { byte: Number(index >> 3n), mask: 1 << Number(index & 7n) };
}

function getBit(bytes: Uint8Array, index: bigint): number {
  const { byte, mask } = bitPlace(bytes, index);
  return ((bytes[byte] ?? 0) & mask) === 0 ? 0 : 1;
}

function setBit(bytes: Uint8Array, index: bigint, bit: number): Uint8Array {
  const { byte, mask } = bitPlace(bytes, index);
  if (bit !== 0 && bit !== 1) raise('invalid_parameter_value', 'new bit must be 0 or 1');
  const changed = bytes.slice();
  const before = changed[byte] ?? 0;
  changed[byte] = bit === 1 ? before | mask : before & ~mask;
  return changed;
}

function bitCount(bytes: Uint8Array): bigint {
  let count = 0;
  for (const byte of bytes) {
    for (let rest = byte; rest !== 0; rest &= rest - 1) count += 1;
  }
  return BigInt(count);
}

function trimming(fromStart: boolean, fromEnd: boolean) {
  return (bytes: Uint8Array, unwanted: Uint8Array): Uint8Array => {
    let start = 0;
    let end = bytes.length;
    while (fromStart && start < end && unwanted.includes(bytes[start] ?? 0)) start += 1;
    while (fromEnd && end > start && unwanted.includes(bytes[end - 1] ?? 0)) end -= 1;
    return bytes.slice(start, end);
  };
}

function overlay(
  bytes: Uint8Array,
  inserted: Uint8Array,
  start: number,
  length = inserted.length,
): Uint8Array {
  if (start <= 0) raise('substring_error', 'negative substring length not allowed');
  if (start + length > 0x7fff_ffff) raise('numeric_value_out_of_range', 'integer out of range');
  const after = Math.max(start - 1 + length, 0);
  return Buffer.concat([bytes.subarray(0, start - 1), inserted, bytes.subarray(after)]);
}

/** A character for each byte, so that what is made for texts can read bytes. */
function oneEach(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

const like = likeMatcher((text) => text);
const isLike = (bytes: Uint8Array, pattern: Uint8Array) => like(oneEach(bytes), oneEach(pattern));
const isUnlike = (bytes: Uint8Array, pattern: Uint8Array) => !isLike(bytes, pattern);

export const byteaPartFunctions: readonly Definition[] = [
  define('get_bit(bytea, int8): int4', getBit),
  define('set_bit(bytea, int8, int4): bytea', setBit),
  define('bit_count(bytea): int8', bitCount),
  define('btrim(bytea, bytea): bytea', trimming(true, true)),
  define('ltrim(bytea, bytea): bytea', trimming(true, false)),
  define('rtrim(bytea, bytea): bytea', trimming(false, true)),
  define('overlay(bytea, bytea, int4): bytea', overlay),
  define('overlay(bytea, bytea, int4, int4): bytea', overlay),
  define('bytea ~~ bytea: bool', isLike, { negator: '!~~' }),
  define('bytea !~~ bytea: bool', isUnlike, { negator: '~~' }),
  define('like(bytea, bytea): bool', isLike),
  define('notlike(bytea, bytea): bool', isUnlike),
  define('like_escape(bytea, bytea): bytea', (pattern: Uint8Array, mark: Uint8Array) =>
    Buffer.from(likeEscape(oneEach(pattern), oneEach(mark)), 'latin1'),
  ),
  define('sha224(bytea): bytea', sha224),
  define('sha256(bytea): bytea', sha256),
  define('sha384(bytea): bytea', sha384),
  define('sha512(bytea): bytea', sha512),
];
