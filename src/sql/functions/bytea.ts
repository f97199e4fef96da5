/** Operators and functions of bytea, and its texts in hexadecimal, base64 and escapes. */
import { bytesOfString } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import { parseBytea } from '../types/plain.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';
import { md5 } from './md5.js';

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function hex(bytes: Uint8Array): string {
  return buffer(bytes).toString('hex');
}

function escaped(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    if (byte === 0 || byte >= 0x80) text += `\\${byte.toString(8).padStart(3, '0')}`;
    else text += byte === 0x5c ? '\\\\' : String.fromCharCode(byte);
  }
  return text;
}

/** Lines of 76 characters, as MIME has them. */
function base64(bytes: Uint8Array): string {
  return buffer(bytes)
    .toString('base64')
    .replace(/(.{76})(?=.)/g, '$1\n');
}

function unrecognized(format: string): never {
  raise('invalid_parameter_value', `unrecognized encoding: "${format}"`);
}

function encode(bytes: Uint8Array, format: string): string {
  switch (format.toLowerCase()) {
    case 'hex':
      return hex(bytes);
    case 'base64':
      return base64(bytes);
    case 'escape':
      return escaped(bytes);
    default:
      unrecognized(format);
  }
}

function fromBase64(text: string): Uint8Array {
  const digits = text.replace(/[ \t\n\r]/g, '');
  const wrong = /[^A-Za-z0-9+/=]/u.exec(digits);
  if (wrong !== null) {
    raise(
      'invalid_parameter_value',
      `invalid symbol "${wrong[0]}" found while decoding base64 sequence`,
    );
  }
  if (!/^[^=]*={0,2}$/.test(digits) || digits.length % 4 !== 0) {
    raise('invalid_parameter_value', 'invalid base64 end sequence', {
      hint: 'Input data is missing padding, is truncated, or is otherwise corrupted.',
    });
  }
  return Buffer.from(digits, 'base64');
}

function decode(text: string, format: string): Uint8Array {
  switch (format.toLowerCase()) {
    case 'hex':
      return parseBytea(`\\x${text}`);
    case 'base64':
      return fromBase64(text);
    case 'escape':
      return text.startsWith('\\x') ? bytesOfString(text) : parseBytea(text);
    default:
      unrecognized(format);
  }
}

function part(bytes: Uint8Array, start: number, length: number): Uint8Array {
  if (length < 0) raise('substring_error', 'negative substring length not allowed');
  const from = Math.max(start, 1) - 1;
  return bytes.slice(from, Math.max(start + length - 1, from));
}

function position(bytes: Uint8Array, wanted: Uint8Array): number {
  return buffer(bytes).indexOf(wanted) + 1;
}

function checkIndex(bytes: Uint8Array, index: number): void {
  if (index >= 0 && index < bytes.length) return;
  raise('array_subscript_error', `index ${index} out of valid range, 0..${bytes.length - 1}`);
}

function getByte(bytes: Uint8Array, index: number): number {
  checkIndex(bytes, index);
  return bytes[index] ?? 0;
}

function setByte(bytes: Uint8Array, index: number, value: number): Uint8Array {
  checkIndex(bytes, index);
  const changed = bytes.slice();
  changed[index] = value & 0xff;
  return changed;
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

const byteCount = (bytes: Uint8Array) => bytes.length;

export const byteaFunctions: readonly Definition[] = [
  define('bytea || bytea: bytea', (a: Uint8Array, b: Uint8Array) => Buffer.concat([a, b])),
  define('length(bytea): int4', byteCount),
  define('octet_length(bytea): int4', byteCount),
  define('bit_length(bytea): int4', (bytes: Uint8Array) => bytes.length * 8),
  define('substr(bytea, int4): bytea', (bytes: Uint8Array, start: number) =>
    part(bytes, start, Math.max(bytes.length - start + 1, 0)),
  ),
  define('substr(bytea, int4, int4): bytea', part),
  define('substring(bytea, int4): bytea', (bytes: Uint8Array, start: number) =>
    part(bytes, start, Math.max(bytes.length - start + 1, 0)),
  ),
  define('substring(bytea, int4, int4): bytea', part),
  define('position(bytea, bytea): int4', position),
  define('get_byte(bytea, int4): int4', getByte),
  define('set_byte(bytea, int4, int4): bytea', setByte),
  define('encode(bytea, text): text', encode),
  define('decode(text, text): bytea', decode),
  define('md5(text): text', (text: string) => hex(md5(utf8(text)))),
  define('md5(bytea): text', (bytes: Uint8Array) => hex(md5(bytes))),
];
