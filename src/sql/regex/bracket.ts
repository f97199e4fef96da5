/** Bracket expressions: `[a-z[:digit:]]`. */
import { type CharacterSet, characterRange, namedClass, union } from './character-set.js';
import { failPattern } from './failure.js';
import type { Scanner } from './scanner.js';
import type { PatternOptions } from './syntax.js';

/** Names that POSIX gives to characters besides themselves. */
const elementNames: Readonly<Record<string, number>> = {
  NUL: 0,
  alert: 7,
  backspace: 8,
  tab: 9,
  newline: 10,
  'vertical-tab': 11,
  'form-feed': 12,
  'carriage-return': 13,
  space: 32,
  'exclamation-mark': 33,
  'quotation-mark': 34,
  'number-sign': 35,
  'dollar-sign': 36,
  'percent-sign': 37,
  ampersand: 38,
  apostrophe: 39,
  'left-parenthesis': 40,
  'right-parenthesis': 41,
  asterisk: 42,
  'plus-sign': 43,
  comma: 44,
  hyphen: 45,
  'hyphen-minus': 45,
  period: 46,
  'full-stop': 46,
  slash: 47,
  solidus: 47,
  colon: 58,
  semicolon: 59,
  'less-than-sign': 60,
  'equals-sign': 61,
  'greater-than-sign': 62,
  'question-mark': 63,
  'commercial-at': 64,
  'left-square-bracket': 91,
  backslash: 92,
  'reverse-solidus': 92,
  'right-square-bracket': 93,
  circumflex: 94,
  underscore: 95,
  'grave-accent': 96,
  'left-brace': 123,
  'vertical-line': 124,
  'right-brace': 125,
  tilde: 126,
};

/** A part of a bracket: a set for itself, or a character that may begin or end a range. */
type Part =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'character'; readonly code: number }
  | { readonly kind: 'hyphen' };

/** The set of a bracket whose `[` or `[^` has been read, without its negation. */
export function readBracket(scanner: Scanner, options: PatternOptions): CharacterSet {
  const sets: CharacterSet[] = [];
  let isFirst = true;
  for (;;) {
    if (!isFirst && scanner.eat(']')) return union(sets);
    const part = readPart(scanner, options, isFirst);
    isFirst = false;
    if (part.kind === 'hyphen') failPattern('range');
    if (part.kind === 'set') sets.push(part.set);
    else sets.push(characterRange(part.code, rangeEnd(scanner, options, part.code)));
  }
}

/** The last character of a range that begins at `from`; `from` itself where no range follows. */
function rangeEnd(scanner: Scanner, options: PatternOptions, from: number): number {
  if (scanner.peek() !== '-' || scanner.peek(1) === ']') return from;
  scanner.skip();
  const end = readPart(scanner, options, false);
  if (end.kind === 'set') failPattern('range');
  const to = end.kind === 'hyphen' ? 0x2d : end.code;
  if (to < from) failPattern('range');
  return to;
}

function readPart(scanner: Scanner, options: PatternOptions, isFirst: boolean): Part {
  const character = scanner.peek();
  if (character === undefined) failPattern('brackets');
  scanner.skip();
  switch (character) {
    case '-':
      return isFirst || scanner.peek() === ']'
        ? { kind: 'character', code: 0x2d }
        : { kind: 'hyphen' };
    case '\\':
      return options.form === 'advanced' ? escaped(scanner) : { kind: 'character', code: 0x5c };
    case '[':
      return named(scanner, options);
    default:
      return { kind: 'character', code: character.codePointAt(0) ?? 0 };
  }
}

function escaped(scanner: Scanner): Part {
  const token = scanner.escape(0);
  if (token.kind === 'character') return token;
  if (token.kind === 'class') return { kind: 'set', set: token.set };
  return failPattern('escape');
}

/** `[:alpha:]`, `[=a=]`, `[.a.]`, or a bracket for itself. */
function named(scanner: Scanner, { ignoreCase }: PatternOptions): Part {
  const mark = scanner.peek();
  if (mark === undefined) failPattern('brackets');
  if (mark !== ':' && mark !== '=' && mark !== '.') return { kind: 'character', code: 0x5b };
  scanner.skip();
  let name = '';
  while (!scanner.eat(`${mark}]`)) {
    const character = scanner.peek();
    if (character === undefined) failPattern('brackets');
    name += character;
    scanner.skip();
  }
  if (mark === ':') {
    const cased = ignoreCase && (name === 'lower' || name === 'upper') ? 'alpha' : name;
    return { kind: 'set', set: namedClass(cased) ?? failPattern('characterClass') };
  }
  const code = [...name].length === 1 ? name.codePointAt(0) : elementNames[name];
  if (code === undefined) failPattern('collatingElement');
  return mark === '='
    ? { kind: 'set', set: characterRange(code, code) }
    : { kind: 'character', code };
}
