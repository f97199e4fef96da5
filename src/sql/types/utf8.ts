/** Bytes that are to be UTF-8. */
import { raise } from '../../base/errors.js';

/** Bytes of the character that a byte begins, as PostgreSQL counts them. */
function sizeAt(first: number): number {
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf8 ? 4 : 1;
}

/** The first bytes that are no UTF-8, as PostgreSQL reports them. */
function wrongBytes(bytes: Uint8Array): Uint8Array {
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    const size = sizeAt(first);
    const one = Buffer.from(bytes.subarray(at, at + size));
    const text = one.toString('utf8');
    if (first === 0 || one.length < size || !Buffer.from(text).equals(one)) return one;
    at += size;
  }
  return bytes.subarray(0, 0);
}

/** The text; raises 22021, with the bytes, for what is none and for a NUL. */
export function readUtf8(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = buffer.toString('utf8');
  // The replacement character may stand for itself or for bytes that are no text.
  const isSound = !text.includes('\ufffd') || Buffer.from(text).equals(buffer);
  if (isSound && !text.includes('\0')) return text;
  const shown = [...wrongBytes(buffer)].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`);
  const sequence = `invalid byte sequence for encoding "UTF8": ${shown.join(' ')}`;
  return raise('character_not_in_repertoire', sequence);
}
