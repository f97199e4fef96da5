/** SIMILAR TO: the SQL standard's patterns as regular expressions (similar_escape_internal() of regexp.c). */
import { raise } from '../../base/errors.js';

/** Ends the part before the one that is wanted, which takes as little as it can, and begins that one. */
const separators = ['){1,1}?(', '){1,1}(?:'] as const;

/**
 * The regular expression for a pattern whose escape is one character, or none for an empty text. What
 * stands between two escaped double quotes becomes its only group. Raises 22025 and 2200C.
 */
export function similarToEscape(pattern: string, escapeText: string): string {
  const marks = [...escapeText];
  if (marks.length > 1) {
    raise('invalid_escape_sequence', 'invalid escape string', {
      hint: 'Escape string must be empty or one character.',
    });
  }
  const [mark] = marks;
  let result = '^(?:';
  let escaped = false;
  let bracketed = false;
  let quotes = 0;
  for (const character of pattern) {
    if (escaped) {
      escaped = false;
      if (character !== '"' || bracketed) {
        result += `\\${character}`;
        continue;
      }
      result += separators[quotes] ?? tooManySeparators();
      quotes += 1;
    } else if (character === mark) {
      escaped = true;
    } else if (bracketed) {
      result += character === '\\' ? '\\\\' : character;
      if (character === ']') bracketed = false;
    } else {
      if (character === '[') bracketed = true;
      result += translated(character);
    }
  }
  return `${result})$`;
}

function translated(character: string): string {
  switch (character) {
    case '%':
      return '.*';
    case '_':
      return '.';
    case '(':
      return '(?:';
    case '\\':
    case '.':
    case '^':
    case '$':
      return `\\${character}`;
    default:
      return character;
  }
}

function tooManySeparators(): never {
  raise(
    'invalid_use_of_escape_character',
    'SQL regular expression may not contain more than two escape-double-quote separators',
  );
}
