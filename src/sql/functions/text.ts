/** Operators and functions of text. Positions and lengths count code points. */
import { raise } from '../../base/errors.js';
import { characterCount, firstCharacters, trimBlanks, unitIndex } from '../types/text.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';
import { likeEscape, likeMatcher } from './like.js';
import { madeTextCharactersMax } from './limits.js';

/** Raises 54000 when a function would make more characters than allowed. */
export function boundLength(characters: number): void {
  if (characters > madeTextCharactersMax) {
    raise('program_limit_exceeded', 'requested length too large');
  }
}

const ascii = /^[\0-\x7f]*$/;

/** Maps each character for itself, as C's towupper() does: a mapping to several is left out. */
function mapCase(convert: (text: string) => string): (text: string) => string {
  return (text) => {
    if (ascii.test(text)) return convert(text);
    let result = '';
    for (const character of text) {
      const mapped = convert(character);
      result += mapped.length === character.length ? mapped : character;
    }
    return result;
  };
}

export const upper = mapCase((text) => text.toUpperCase());
export const lower = mapCase((text) => text.toLowerCase());

const alphanumeric = /[\p{L}\p{N}]/u;

function capitalise(text: string): string {
  let result = '';
  let within = false;
  for (const character of text) {
    result += within ? lower(character) : upper(character);
    within = alphanumeric.test(character);
  }
  return result;
}

/** Characters from `start`, counted from 1, of which those before the text count too. */
function substring(text: string, start: number): string {
  return start <= 1 ? text : text.slice(unitIndex(text, start - 1));
}

function substringOf(text: string, start: number, length: number): string {
  if (length < 0) raise('substring_error', 'negative substring length not allowed');
  const end = start + length;
  if (end <= 1) return '';
  const from = Math.max(start, 1);
  return text.slice(unitIndex(text, from - 1), unitIndex(text, end - 1));
}

function position(text: string, wanted: string): number {
  const at = text.indexOf(wanted);
  return at < 0 ? 0 : characterCount(text.slice(0, at)) + 1;
}

/** `length` characters from the left; without the last `-length` when negative. */
function left(text: string, length: number): string {
  if (length >= 0) return firstCharacters(text, length);
  return firstCharacters(text, Math.max(characterCount(text) + length, 0));
}

function right(text: string, length: number): string {
  const skipped = length >= 0 ? Math.max(characterCount(text) - length, 0) : -length;
  return text.slice(unitIndex(text, skipped));
}

function padding(text: string, length: number, fill: string): string {
  boundLength(length);
  const missing = length - characterCount(text);
  if (missing <= 0 || fill === '') return '';
  const size = characterCount(fill);
  return fill.repeat(Math.floor(missing / size)) + firstCharacters(fill, missing % size);
}

function padLeft(text: string, length: number, fill: string): string {
  return padding(text, length, fill) + firstCharacters(text, Math.max(length, 0));
}

function padRight(text: string, length: number, fill: string): string {
  return firstCharacters(text, Math.max(length, 0)) + padding(text, length, fill);
}

function repeat(text: string, count: number): string {
  if (count <= 0) return '';
  boundLength(text.length * count);
  return text.repeat(count);
}

/** First unit that is kept from the left. */
function trimmedStart(text: string, characters: ReadonlySet<string>): number {
  let at = 0;
  for (const character of text) {
    if (!characters.has(character)) break;
    at += character.length;
  }
  return at;
}

function trimmedEnd(text: string, characters: ReadonlySet<string>, from: number): number {
  let at = text.length;
  while (at > from) {
    const size = at >= 2 && (text.charCodeAt(at - 1) & 0xfc00) === 0xdc00 ? 2 : 1;
    if (!characters.has(text.slice(at - size, at))) break;
    at -= size;
  }
  return at;
}

function trimLeft(text: string, characters: string): string {
  return text.slice(trimmedStart(text, new Set(characters)));
}

function trimRight(text: string, characters: string): string {
  return text.slice(0, trimmedEnd(text, new Set(characters), 0));
}

function trimBoth(text: string, characters: string): string {
  const set = new Set(characters);
  const start = trimmedStart(text, set);
  return text.slice(start, trimmedEnd(text, set, start));
}

function replace(text: string, from: string, to: string): string {
  if (from === '') return text;
  const parts = text.split(from);
  boundLength(text.length + (parts.length - 1) * to.length);
  return parts.join(to);
}

function translate(text: string, from: string, to: string): string {
  const targets = [...to];
  const map = new Map<string, string>();
  for (const [i, character] of [...from].entries()) {
    if (!map.has(character)) map.set(character, targets[i] ?? '');
  }
  let result = '';
  for (const character of text) result += map.get(character) ?? character;
  return result;
}

function overlay(text: string, inserted: string, start: number, length: number): string {
  if (start <= 0) raise('substring_error', 'negative substring length not allowed');
  if (start + length > 0x7fff_ffff) {
    raise('numeric_value_out_of_range', 'integer out of range');
  }
  return substringOf(text, 1, start - 1) + inserted + substring(text, start + length);
}

function splitPart(text: string, separator: string, field: number): string {
  if (field === 0) raise('invalid_parameter_value', 'field position must not be zero');
  if (text === '') return '';
  const parts = separator === '' ? [text] : text.split(separator);
  return (field > 0 ? parts[field - 1] : parts[parts.length + field]) ?? '';
}

function reverse(text: string): string {
  return ascii.test(text) ? text.split('').reverse().join('') : [...text].reverse().join('');
}

function characterOf(code: number): string {
  if (code < 0) raise('invalid_parameter_value', 'character number must be positive');
  if (code === 0) raise('program_limit_exceeded', 'null character not permitted');
  if (code > 0x10_ffff) {
    raise('program_limit_exceeded', `requested character too large for encoding: ${code}`);
  }
  if (code >= 0xd800 && code <= 0xdfff) {
    raise('program_limit_exceeded', `requested character not valid for encoding: ${code}`);
  }
  return String.fromCodePoint(code);
}

function byteCount(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

const same = (text: string) => text;
const like = likeMatcher(same);
const ilike = likeMatcher(lower);
const not = (match: (text: string, pattern: string) => boolean) => {
  return (text: string, pattern: string) => !match(text, pattern);
};

function likeOperators(type: string): Definition[] {
  return [
    define(`${type} ~~ text: bool`, like, { negator: '!~~' }),
    define(`${type} !~~ text: bool`, not(like), { negator: '~~' }),
    define(`${type} ~~* text: bool`, ilike, { negator: '!~~*' }),
    define(`${type} !~~* text: bool`, not(ilike), { negator: '~~*' }),
  ];
}

export const textFunctions: readonly Definition[] = [
  ...['text', 'name', 'bpchar'].flatMap(likeOperators),
  define('like(text, text): bool', like),
  define('notlike(text, text): bool', not(like)),
  define('like_escape(text, text): text', likeEscape),
  define('text ^@ text: bool', (text: string, start: string) => text.startsWith(start)),
  define('starts_with(text, text): bool', (text: string, start: string) => text.startsWith(start)),
  define('text || text: text', (a: string, b: string) => a + b),
  define('textcat(text, text): text', (a: string, b: string) => a + b),
  define('length(text): int4', characterCount),
  define('length(bpchar): int4', (text: string) => characterCount(trimBlanks(text))),
  define('char_length(text): int4', characterCount),
  define('char_length(bpchar): int4', (text: string) => characterCount(trimBlanks(text))),
  define('character_length(text): int4', characterCount),
  define('character_length(bpchar): int4', (text: string) => characterCount(trimBlanks(text))),
  define('octet_length(text): int4', byteCount),
  define('octet_length(bpchar): int4', byteCount),
  define('bit_length(text): int4', (text: string) => byteCount(text) * 8),
  define('upper(text): text', upper),
  define('lower(text): text', lower),
  define('initcap(text): text', capitalise),
  define('substr(text, int4): text', substring),
  define('substr(text, int4, int4): text', substringOf),
  define('substring(text, int4): text', substring),
  define('substring(text, int4, int4): text', substringOf),
  define('position(text, text): int4', position),
  define('strpos(text, text): int4', position),
  define('left(text, int4): text', left),
  define('right(text, int4): text', right),
  define('lpad(text, int4): text', (text: string, length: number) => padLeft(text, length, ' ')),
  define('lpad(text, int4, text): text', padLeft),
  define('rpad(text, int4): text', (text: string, length: number) => padRight(text, length, ' ')),
  define('rpad(text, int4, text): text', padRight),
  define('repeat(text, int4): text', repeat),
  define('ltrim(text): text', (text: string) => trimLeft(text, ' ')),
  define('ltrim(text, text): text', trimLeft),
  define('rtrim(text): text', (text: string) => trimRight(text, ' ')),
  define('rtrim(text, text): text', trimRight),
  define('btrim(text): text', (text: string) => trimBoth(text, ' ')),
  define('btrim(text, text): text', trimBoth),
  define('replace(text, text, text): text', replace),
  define('translate(text, text, text): text', translate),
  define('overlay(text, text, int4): text', (text: string, inserted: string, start: number) =>
    overlay(text, inserted, start, characterCount(inserted)),
  ),
  define('overlay(text, text, int4, int4): text', overlay),
  define('split_part(text, text, int4): text', splitPart),
  define('reverse(text): text', reverse),
  define('ascii(text): int4', (text: string) => text.codePointAt(0) ?? 0),
  define('chr(int4): text', characterOf),
];
