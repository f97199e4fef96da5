/**
 * Passwords as SCRAM-SHA-256 verifiers (RFC 5802, RFC 7677), as PostgreSQL keeps them. Hashing is
 * thousands of rounds: it is a generator that lets others have their turn in between.
 */
import { raise } from '../../base/errors.js';
import type { Random } from '../../base/random.js';
import { addShortBlock, initial256, sha256 } from '../functions/sha2.js';

const iterations = 4096;
const saltBytes = 16;
/** Rounds between two places where others may go on: well under a millisecond. */
const roundsPerPause = 256;

const verifierPattern =
  /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/;

/** Whether a text given as a password is a verifier already. */
function isVerifier(text: string): boolean {
  const [, rounds, salt, stored, server] = verifierPattern.exec(text) ?? [];
  if (rounds === undefined || Number(rounds) < 1) return false;
  const sizeOf = (part: string | undefined): number => Buffer.from(part ?? '', 'base64').length;
  return sizeOf(salt) > 0 && sizeOf(stored) === 32 && sizeOf(server) === 32;
}

const blockBytes = 64;

function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  const padded = new Uint8Array(blockBytes);
  padded.set(key.length > blockBytes ? sha256(key) : key);
  const inner = padded.map((byte) => byte ^ 0x36);
  const outer = padded.map((byte) => byte ^ 0x5c);
  return sha256(Buffer.concat([outer, sha256(Buffer.concat([inner, data]))]));
}

/** The state of SHA-256 after the key's block, each byte changed by `mask`. */
function keyed(key: Uint8Array, mask: number): Int32Array {
  const block = Buffer.alloc(blockBytes, mask);
  const short = key.length > blockBytes ? sha256(key) : key;
  for (const [i, byte] of short.entries()) block[i] = byte ^ mask;
  const state = Int32Array.from(initial256);
  const words = new Int32Array(64);
  for (let i = 0; i < 16; i += 1) words[i] = block.readInt32BE(i * 4);
  addShortBlock(state, words);
  return state;
}

/**
 * PBKDF2's rounds after the first: each is the HMAC of the one before, all are added up. Both keys are
 * hashed once, so that a round is two blocks.
 */
function* iterated(key: Uint8Array, first: Uint8Array): Generator<'turn', Uint8Array, unknown> {
  const inner = keyed(key, 0x36);
  const outer = keyed(key, 0x5c);
  const round = new Int32Array(8);
  const start = Buffer.from(first);
  for (let i = 0; i < 8; i += 1) round[i] = start.readInt32BE(i * 4);
  const sum = Int32Array.from(round);
  const words = new Int32Array(64);
  const take = (state: Int32Array): void => {
    words.set(round);
    // What follows a digest behind a block of 64 bytes: the end, and the length in bits.
    words.fill(0, 8, 15);
    words[8] = 0x8000_0000 | 0;
    words[15] = (blockBytes + 32) * 8;
    round.set(state);
    addShortBlock(round, words);
  };
  for (let i = 1; i < iterations; i += 1) {
    take(inner);
    take(outer);
    for (let word = 0; word < 8; word += 1) sum[word] = (sum[word] ?? 0) ^ (round[word] ?? 0);
    if (i % roundsPerPause === 0) yield 'turn';
  }
  const bytes = Buffer.alloc(32);
  for (const [i, word] of sum.entries()) bytes.writeInt32BE(word, i * 4);
  return bytes;
}

/** The verifier of a password, or the text itself where it is one. Raises for what md5 made. */
export function* verifierOf(
  password: string,
  random: Pick<Random, 'uint32'>,
): Generator<'turn', string, unknown> {
  if (isVerifier(password)) return password;
  if (/^md5[0-9a-f]{32}$/.test(password)) {
    raise('feature_not_supported', 'passwords hashed with md5 are not supported', {
      hint: 'Give the password itself or a SCRAM-SHA-256 verifier.',
    });
  }
  const salt = Buffer.alloc(saltBytes);
  for (let at = 0; at < saltBytes; at += 4) salt.writeUInt32BE(random.uint32(), at);
  const key = Buffer.from(prepared(password), 'utf8');
  const salted = yield* iterated(key, hmac(key, Buffer.concat([salt, Buffer.from([0, 0, 0, 1])])));
  const stored = sha256(hmac(salted, Buffer.from('Client Key')));
  const server = hmac(salted, Buffer.from('Server Key'));
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return `SCRAM-SHA-256$${iterations}:${text(salt)}$${text(stored)}:${text(server)}`;
}

/** Spaces other than ASCII's (RFC 3454 C.1.2) and what is mapped to nothing (B.1). */
const spaces = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
const nothing = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/g;
/** What SASLprep prohibits: control, private use, no characters, surrogates, tags. */
const prohibited =
  /[\p{Cc}\p{Co}\p{Cs}\p{Cn}]|\u0340|\u0341|[\u200e\u200f\u2028-\u202e\u206a-\u206f\ufff9-\uffff]|\u{e0001}|[\u{e0020}-\u{e007f}]/u;

/** SASLprep (RFC 4013); what it prohibits is taken as it is, as PostgreSQL does. */
export function prepared(password: string): string {
  if (/^[\x20-\x7e]*$/.test(password)) return password;
  const normal = password.replace(nothing, '').replace(spaces, ' ').normalize('NFKC');
  return normal === '' || prohibited.test(normal) ? password : normal;
}
