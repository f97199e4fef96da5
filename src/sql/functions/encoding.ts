/** Encodings of texts, Unicode escapes and normal forms. */
import { raise } from '../../base/errors.js';
import { ArrayValue, readUtf8 } from '../types/index.js';
import { checkedText } from '../types/text.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';

type Encoding = 'UTF8' | 'LATIN1' | 'SQL_ASCII';

const encodings: Readonly<Record<string, Encoding>> = {
  utf8: 'UTF8',
  unicode: 'UTF8',
  latin1: 'LATIN1',
  iso88591: 'LATIN1',
  sqlascii: 'SQL_ASCII',
};

/** PostgreSQL's names that we have no tables for. */
const otherEncodings =
  /^(eucjp|euccn|euckr|euctw|eucjis2004|big5|gb18030|gbk|johab|koi8r?|koi8u|latin([2-9]|10)|iso8859\d+|mskanji|mulei?nternal|shiftjis|shiftjis2004|sjis|tcvn5712|uhc|vscii|win\d+|windows\d+|abc|alt)$/;

function encodingNamed(name: string, side: 'source' | 'destination'): Encoding {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const found = encodings[plain];
  if (found !== undefined) return found;
  if (otherEncodings.test(plain)) {
    raise('feature_not_supported', `encoding ${name} is not supported`);
  }
  raise('invalid_parameter_value', `invalid ${side} encoding name "${name}"`);
}

const hexBytes = (bytes: Uint8Array) =>
  [...bytes].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(' ');

function convertFrom(bytes: Uint8Array, name: string): string {
  const encoding = encodingNamed(name, 'source');
  if (encoding === 'LATIN1') return checkedText(Buffer.from(bytes).toString('latin1'));
  return readUtf8(bytes);
}

function convertTo(text: string, name: string): Uint8Array {
  const encoding = encodingNamed(name, 'destination');
  if (encoding !== 'LATIN1') return Buffer.from(text, 'utf8');
  for (const character of text) {
    if ((character.codePointAt(0) ?? 0) <= 0xff) continue;
    const shown = hexBytes(Buffer.from(character, 'utf8'));
    raise(
      'untranslatable_character',
      `character with byte sequence ${shown} in encoding "UTF8" has no equivalent in encoding "LATIN1"`,
    );
  }
  return Buffer.from(text, 'latin1');
}

function convert(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const [source, target] = [encodingNamed(from, 'source'), encodingNamed(to, 'destination')];
  return source === target ? bytes : convertTo(convertFrom(bytes, from), to);
}

const escapes = /\\(?:\\|u?([0-9a-fA-F]{4})|\+([0-9a-fA-F]{6})|U([0-9a-fA-F]{8})|)|[^\\]+/g;

/** unistr(): the text with its Unicode escapes read. */
function unistr(text: string): string {
  let result = '';
  let first = 0;
  const invalidPair = (): never => raise('syntax_error', 'invalid Unicode surrogate pair');
  for (const [whole, four, six, eight] of text.matchAll(escapes)) {
    const digits = four ?? six ?? eight;
    if (digits === undefined) {
      if (first !== 0) invalidPair();
      if (whole === '\\') {
        raise('syntax_error', 'invalid Unicode escape', {
          hint: 'Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.',
        });
      }
      result += whole === '\\\\' ? '\\' : whole;
      continue;
    }
    const code = Number.parseInt(digits, 16);
    if (code === 0 || code > 0x10_ffff) {
      const shown = code.toString(16).toUpperCase().padStart(4, '0');
      raise('invalid_parameter_value', `invalid Unicode code point: ${shown}`);
    }
    const isSecond = code >= 0xdc00 && code <= 0xdfff;
    if (isSecond !== (first !== 0)) invalidPair();
    if (code >= 0xd800 && code < 0xdc00) {
      first = code;
    } else {
      result += isSecond ? String.fromCharCode(first, code) : String.fromCodePoint(code);
      first = 0;
    }
  }
  if (first !== 0) invalidPair();
  return result;
}

function normalize(text: string, form = 'NFC'): string {
  const name = form.toUpperCase();
  if (name !== 'NFC' && name !== 'NFD' && name !== 'NFKC' && name !== 'NFKD') {
    raise('invalid_parameter_value', `invalid normalization form: ${form}`);
  }
  return text.normalize(name);
}

const isNormalized = (text: string, form?: string) => normalize(text, form) === text;

/** The parts of a qualified name; `strict` refuses what follows the last of them. */
function parseIdentifier(text: string, strict = true): readonly string[] {
  const fail = (detail?: string): never =>
    raise(
      'invalid_parameter_value',
      `string is not a valid identifier: "${text}"`,
      detail === undefined ? {} : { detail },
    );
  const parts: string[] = [];
  let rest = text.trimStart();
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)("?)/.exec(rest);
    const bare = /^[\p{L}_][\p{L}\p{N}_$]*/u.exec(rest);
    if (quoted !== null) {
      if (quoted[2] === '') fail('String has unclosed double quotes.');
      if (quoted[1] === '') fail('Quoted identifier must not be empty.');
      parts.push((quoted[1] ?? '').replaceAll('""', '"'));
      rest = rest.slice(quoted[0].length);
    } else if (bare !== null) {
      parts.push(bare[0].toLowerCase());
      rest = rest.slice(bare[0].length);
    } else {
      if (rest.startsWith('.')) fail('No valid identifier before ".".');
      if (parts.length > 0) fail('No valid identifier after ".".');
      fail();
    }
    rest = rest.trimStart();
    if (rest.startsWith('.')) rest = rest.slice(1).trimStart();
    else if (rest === '' || !strict) return parts;
    else fail();
  }
}

export const encodingFunctions: readonly Definition[] = [
  define('convert_from(bytea, name): text', convertFrom),
  define('convert_to(text, name): bytea', convertTo),
  define('convert(bytea, name, name): bytea', convert),
  define(
    'length(bytea, name): int4',
    (bytes: Uint8Array, name: string) => [...convertFrom(bytes, name)].length,
  ),
  define('unistr(text): text', unistr),
  define('normalize(text): text', normalize),
  define('normalize(text, text): text', normalize),
  define('is_normalized(text): bool', isNormalized),
  define('is_normalized(text, text): bool', isNormalized),
  define('parse_ident(text): _text', (text: string) => ArrayValue.of(parseIdentifier(text))),
  define('parse_ident(text, bool): _text', (text: string, strict: boolean) =>
    ArrayValue.of(parseIdentifier(text, strict)),
  ),
  define('pg_client_encoding(): name', () => 'UTF8', { volatility: 'stable' }),
  define('getdatabaseencoding(): name', () => 'UTF8', { volatility: 'stable' }),
];
