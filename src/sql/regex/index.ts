/**
 * Regular expressions as PostgreSQL has them (chapter 9.7.3 of its manual). Guarantees its matches,
 * groups and error texts, and time that grows with the text and not with what the pattern asks: without
 * back references each part of a pattern looks at a text once; with them a search ends with 54001 after
 * a bounded number of steps. Knows no SQL types, functions or collations: characters are code points,
 * and their classes and cases are Unicode's.
 */
import { Automatons, Search } from './search.js';
import { keptPatternCharactersMax, keptPatternsMax } from './limits.js';
import { compilePattern } from './part.js';
import { parsePattern } from './parser.js';
import type { PatternOptions } from './syntax.js';

export { withOption } from './parser.js';
export type { Match, Search } from './search.js';
export type { PatternOptions } from './syntax.js';

/** What `~` reads its pattern with. */
export const defaultOptions: PatternOptions = {
  form: 'advanced',
  ignoreCase: false,
  newlineStops: false,
  newlineAnchors: false,
  expanded: false,
};

/** A pattern that is ready. */
export interface Regex {
  /** Capturing parentheses. */
  readonly groupCount: number;
  test(text: string): boolean;
  /** Begins a search; matches are asked of it one after the other. */
  search(text: string): Search;
}

/** Compiled patterns, the one that was asked for last at the end. */
const kept = new Map<string, Regex>();
let keptCharacters = 0;

/** Compiles a pattern. Raises 2201B for what is no pattern. */
export function compileRegex(pattern: string, options: PatternOptions = defaultOptions): Regex {
  const key = `${keyOf(options)} ${pattern}`;
  const known = kept.get(key);
  if (known !== undefined) {
    kept.delete(key);
    kept.set(key, known);
    return known;
  }
  const compiled = compilePattern(parsePattern(pattern, options));
  const automatons = new Automatons(compiled);
  const regex: Regex = {
    groupCount: compiled.groupCount,
    test: (text) => new Search(automatons, text).test(),
    search: (text) => new Search(automatons, text),
  };
  kept.set(key, regex);
  keptCharacters += key.length;
  for (const oldest of kept.keys()) {
    if (kept.size <= keptPatternsMax && keptCharacters <= keptPatternCharactersMax) break;
    kept.delete(oldest);
    keptCharacters -= oldest.length;
  }
  return regex;
}

function keyOf(options: PatternOptions): string {
  const { form, ignoreCase, newlineStops, newlineAnchors, expanded } = options;
  const marks = [ignoreCase, newlineStops, newlineAnchors, expanded].map(Number).join('');
  return `${form[0]}${marks}`;
}
