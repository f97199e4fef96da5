/**
 * LIKE and ILIKE. A pattern is cut at its `%` into segments, each found at its first place after the
 * one before; so matching takes at most (text x pattern) steps, whatever the pattern.
 */
import { raise } from '../../base/errors.js';

/** One character of a pattern; `undefined` is `_`. */
type Element = string | undefined;

interface Segment {
  readonly elements: readonly Element[];
  /** Set when there is no `_`: found by a plain search. */
  readonly literal: string | undefined;
}

interface Pattern {
  readonly segments: readonly Segment[];
  /** The pattern ends with its escape character: an error once matching comes there. */
  readonly broken: boolean;
}

export type Matcher = (text: string) => boolean;

/** The pattern in the form whose escape character is a backslash; an empty escape stands for none. */
export function likeEscape(pattern: string, escapeText: string): string {
  const characters = [...escapeText];
  if (characters.length > 1) {
    raise('invalid_escape_sequence', 'invalid escape string', {
      hint: 'Escape string must be empty or one character.',
    });
  }
  const [mark] = characters;
  if (mark === '\\') return pattern;
  if (mark === undefined) return pattern.replaceAll('\\', '\\\\');
  let result = '';
  let escaped = false;
  for (const character of pattern) {
    if (character === mark && !escaped) {
      result += '\\';
      escaped = true;
    } else {
      result += character === '\\' && !escaped ? '\\\\' : character;
      escaped = false;
    }
  }
  return result;
}

function parsePattern(pattern: string): Pattern {
  const segments: Segment[] = [];
  let elements: Element[] = [];
  let escaped = false;
  const close = () => {
    const literal = elements.every((element) => element !== undefined);
    segments.push({ elements, literal: literal ? elements.join('') : undefined });
    elements = [];
  };
  for (const character of pattern) {
    if (!escaped && character === '\\') {
      escaped = true;
    } else if (!escaped && character === '%') {
      close();
    } else {
      elements.push(!escaped && character === '_' ? undefined : character);
      escaped = false;
    }
  }
  close();
  return { segments, broken: escaped };
}

/** Index after the segment when it stands at `at`, or -1. */
function matchAt(segment: Segment, text: string, at: number): number {
  if (segment.literal !== undefined) {
    return text.startsWith(segment.literal, at) ? at + segment.literal.length : -1;
  }
  let index = at;
  for (const element of segment.elements) {
    if (index >= text.length) return -1;
    if (element === undefined) index += characterUnits(text, index);
    else if (text.startsWith(element, index)) index += element.length;
    else return -1;
  }
  return index;
}

function characterUnits(text: string, at: number): number {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800 ? 2 : 1;
}

/** Index after the first place of the segment from `from` on, or -1. */
function findFrom(segment: Segment, text: string, from: number): number {
  if (segment.literal !== undefined) {
    const at = text.indexOf(segment.literal, from);
    return at < 0 ? -1 : at + segment.literal.length;
  }
  for (let at = from; at <= text.length; at += characterUnits(text, at)) {
    const end = matchAt(segment, text, at);
    if (end >= 0) return end;
  }
  return -1;
}

/** True when the segment ends the text without beginning before `from`. */
function endsWith(segment: Segment, text: string, from: number): boolean {
  if (segment.literal !== undefined) {
    return text.length - segment.literal.length >= from && text.endsWith(segment.literal);
  }
  let at = text.length;
  for (let i = 0; i < segment.elements.length; i += 1) {
    at -= at >= 2 && (text.charCodeAt(at - 1) & 0xfc00) === 0xdc00 ? 2 : 1;
  }
  return at >= from && matchAt(segment, text, at) === text.length;
}

/** A test for one pattern. Raises 22025 in matching when the pattern ends with its escape. */
function compileLike(pattern: string): Matcher {
  const { segments, broken } = parsePattern(pattern);
  const [first, ...others] = segments;
  const last = others.pop();
  if (first === undefined || broken) return brokenMatcher(segments);
  if (last === undefined) {
    return first.literal !== undefined
      ? (text) => text === first.literal
      : (text) => matchAt(first, text, 0) === text.length;
  }
  return (text) => {
    let at = matchAt(first, text, 0);
    for (const segment of others) {
      if (at < 0) return false;
      at = findFrom(segment, text, at);
    }
    return at >= 0 && endsWith(last, text, at);
  };
}

/** False as long as matching fails before the end of the pattern. */
function brokenMatcher(segments: readonly Segment[]): Matcher {
  return (text) => {
    let at = 0;
    for (const [i, segment] of segments.entries()) {
      at = i === 0 ? matchAt(segment, text, at) : findFrom(segment, text, at);
      if (at < 0 || at >= text.length) return false;
    }
    raise('invalid_escape_sequence', 'LIKE pattern must not end with escape character');
  };
}

/** A test that keeps the last pattern, as nearly all calls come with the same one. */
export function likeMatcher(
  fold: (text: string) => string,
): (text: string, pattern: string) => boolean {
  let lastPattern: string | undefined;
  let matcher: Matcher = () => false;
  return (text, pattern) => {
    if (pattern !== lastPattern) {
      matcher = compileLike(fold(pattern));
      lastPattern = pattern;
    }
    return matcher(fold(text));
  };
}
