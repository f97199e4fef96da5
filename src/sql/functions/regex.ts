/** Operators and functions of regular expressions (src/backend/utils/adt/regexp.c). */
import { raise } from '../../base/errors.js';
import {
  compileRegex,
  defaultOptions,
  type Match,
  type PatternOptions,
  type Search,
  withOption,
} from '../regex/index.js';
import type { Value } from '../types/index.js';
import { ArrayValue } from '../types/index.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';
import { madeTextCharactersMax } from './limits.js';
import { defineSet, type SetDefinition } from './set-definition.js';
import { similarToEscape } from './similar.js';
import { boundLength } from './text.js';

interface Flags {
  readonly options: PatternOptions;
  readonly all: boolean;
}

/** The letters of table 9.24 and `g`. Raises 22023. */
function readFlags(text: string): Flags {
  let options = defaultOptions;
  let all = false;
  for (const letter of text) {
    if (letter === 'g') all = true;
    else {
      options =
        withOption(options, letter) ??
        raise('invalid_parameter_value', `invalid regular expression option: "${letter}"`);
    }
  }
  return { options, all };
}

/** The flags of a function for which `g` makes no sense. */
function optionsFor(name: string, flags: string, instead?: string): PatternOptions {
  const { options, all } = readFlags(flags);
  if (all) {
    const details = instead === undefined ? {} : { hint: `Use the ${instead} function instead.` };
    raise('invalid_parameter_value', `${name}() does not support the "global" option`, details);
  }
  return options;
}

function invalid(parameter: string, value: number): never {
  raise('invalid_parameter_value', `invalid value for parameter "${parameter}": ${value}`);
}

/** Matches from a character on, each beginning where the one before ended, or one further if it was empty. */
function* matchesOf(search: Search, from = 0): Generator<Match, void, undefined> {
  let at = from;
  while (at <= search.length) {
    const match = search.find(at);
    if (match === undefined) return;
    yield match;
    const [start = 0, end = 0] = match;
    at = start === end ? end + 1 : end;
  }
}

/** The text of a group; NULL when it took no part. */
function groupOf(search: Search, match: Match, group: number): string | null {
  const start = match[group * 2] ?? -1;
  return start < 0 ? null : search.slice(start, match[group * 2 + 1] ?? start);
}

/** The groups of a match, or the match itself for a pattern without groups. */
function groupsOf(search: Search, match: Match, groupCount: number): ArrayValue {
  if (groupCount === 0) return ArrayValue.of([groupOf(search, match, 0)]);
  return ArrayValue.of(Array.from({ length: groupCount }, (_, i) => groupOf(search, match, i + 1)));
}

function firstMatch(text: string, pattern: string, flags = ''): ArrayValue | null {
  const regex = compileRegex(pattern, optionsFor('regexp_match', flags, 'regexp_matches'));
  const search = regex.search(text);
  const match = search.find(0);
  return match === undefined ? null : groupsOf(search, match, regex.groupCount);
}

function* allMatches(text: string, pattern: string, flags = ''): Generator<Value, void, undefined> {
  const { options, all } = readFlags(flags);
  const regex = compileRegex(pattern, options);
  const search = regex.search(text);
  for (const match of matchesOf(search)) {
    yield groupsOf(search, match, regex.groupCount);
    if (!all) return;
  }
}

/** The parts between matches; one that matches nothing counts neither at the ends nor after another. */
function* splitBy(name: string, text: string, pattern: string, flags: string) {
  const search = compileRegex(pattern, optionsFor(name, flags)).search(text);
  let from = 0;
  for (const [start = 0, end = 0] of matchesOf(search)) {
    if (start >= search.length || end <= from) continue;
    yield search.slice(from, start);
    from = end;
  }
  yield search.slice(from, search.length);
}

/** Parts of a split where an empty match directly after the one before does not count. */
function splitToArray(text: string, pattern: string, flags = ''): ArrayValue {
  return ArrayValue.of([...splitBy('regexp_split_to_array', text, pattern, flags)]);
}

interface Place {
  /** Counted from 1. */
  readonly start?: number;
  readonly n?: number;
  readonly group?: number;
}

/** The n-th match from a place on with its search; undefined when there are fewer or no such group. */
function nthMatch(
  text: string,
  pattern: string,
  options: PatternOptions,
  { start = 1, n = 1, group = 0 }: Place,
): { readonly search: Search; readonly match: Match } | undefined {
  const regex = compileRegex(pattern, options);
  if (group > regex.groupCount) return undefined;
  const search = regex.search(text);
  let count = 0;
  for (const match of matchesOf(search, start - 1)) {
    count += 1;
    if (count === n) return { search, match };
  }
  return undefined;
}

function checkPlace({ start = 1, n = 1, group = 0 }: Place): void {
  if (start <= 0) invalid('start', start);
  if (n <= 0) invalid('n', n);
  if (group < 0) invalid('subexpr', group);
}

function count(text: string, pattern: string, start = 1, flags = ''): number {
  checkPlace({ start });
  const search = compileRegex(pattern, optionsFor('regexp_count', flags)).search(text);
  let found = 0;
  for (const _ of matchesOf(search, start - 1)) found += 1;
  return found;
}

function positionOf(
  text: string,
  pattern: string,
  start = 1,
  n = 1,
  end = 0,
  flags = '',
  group = 0,
): number {
  checkPlace({ start, n });
  if (end !== 0 && end !== 1) invalid('endoption', end);
  checkPlace({ group });
  const options = optionsFor('regexp_instr', flags);
  const found = nthMatch(text, pattern, options, { start, n, group });
  const at = found?.match[group * 2 + end] ?? -1;
  return at + 1;
}

function partOf(
  text: string,
  pattern: string,
  start = 1,
  n = 1,
  flags = '',
  group = 0,
): string | null {
  checkPlace({ start, n, group });
  const options = optionsFor('regexp_substr', flags);
  const found = nthMatch(text, pattern, options, { start, n, group });
  return found === undefined ? null : groupOf(found.search, found.match, group);
}

function isLike(text: string, pattern: string, flags = ''): boolean {
  return compileRegex(pattern, optionsFor('regexp_like', flags)).test(text);
}

/** What stands in place of a match: `\1` to `\9` are groups, `\&` is the match, `\\` a backslash. */
type Replacement = readonly (string | number)[];

function readReplacement(text: string): Replacement {
  const parts: (string | number)[] = [];
  let from = 0;
  for (const found of text.matchAll(/\\([1-9&\\])/g)) {
    const [whole, kind = ''] = found;
    parts.push(text.slice(from, found.index));
    if (kind === '\\') parts.push('\\');
    else parts.push(kind === '&' ? 0 : Number(kind));
    from = found.index + whole.length;
  }
  parts.push(text.slice(from));
  return parts;
}

/** Puts the replacement in place of the n-th match from `start` on, or of all when n is 0. */
function replaceMatches(
  text: string,
  pattern: string,
  replacement: string,
  options: PatternOptions,
  { start = 1, n = 1 }: Place,
): string {
  const parts = readReplacement(replacement);
  const search = compileRegex(pattern, options).search(text);
  let result = '';
  let from = 0;
  let seen = 0;
  for (const match of matchesOf(search, start - 1)) {
    seen += 1;
    if (n > 0 && seen !== n) continue;
    const [begin = 0, end = 0] = match;
    result += search.slice(from, begin);
    for (const part of parts) {
      result += typeof part === 'string' ? part : (groupOf(search, match, part) ?? '');
    }
    if (result.length > madeTextCharactersMax) boundLength(result.length);
    from = end;
    if (n > 0) break;
  }
  return result + search.slice(from, search.length);
}

function replaceWithFlags(text: string, pattern: string, replacement: string, flags = ''): string {
  const [first = ''] = flags;
  if (first >= '0' && first <= '9') {
    raise('invalid_parameter_value', `invalid regular expression option: "${first}"`, {
      hint: 'If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly.',
    });
  }
  const { options, all } = readFlags(flags);
  return replaceMatches(text, pattern, replacement, options, { n: all ? 0 : 1 });
}

function replaceFrom(
  text: string,
  pattern: string,
  replacement: string,
  start: number,
  n?: number,
  flags = '',
): string {
  if (start <= 0) invalid('start', start);
  if (n !== undefined && n < 0) invalid('n', n);
  const { options, all } = readFlags(flags);
  return replaceMatches(text, pattern, replacement, options, { start, n: n ?? (all ? 0 : 1) });
}

/** The first group, or the whole match without groups; NULL where there is none. */
function substringLike(text: string, pattern: string): string | null {
  const regex = compileRegex(pattern);
  const search = regex.search(text);
  const match = search.find(0);
  return match === undefined ? null : groupOf(search, match, regex.groupCount > 0 ? 1 : 0);
}

const anyCase: PatternOptions = { ...defaultOptions, ignoreCase: true };

function matchOperators(type: string): Definition[] {
  const matches = (options: PatternOptions) => (text: string, pattern: string) =>
    compileRegex(pattern, options).test(text);
  const [cased, caseless] = [matches(defaultOptions), matches(anyCase)];
  return [
    define(`${type} ~ text: bool`, cased, { negator: '!~' }),
    define(`${type} !~ text: bool`, (text: string, pattern: string) => !cased(text, pattern), {
      negator: '~',
    }),
    define(`${type} ~* text: bool`, caseless, { negator: '!~*' }),
    define(`${type} !~* text: bool`, (text: string, pattern: string) => !caseless(text, pattern), {
      negator: '~*',
    }),
  ];
}

/** One definition for each number of arguments from the least on. */
function withOptional(
  name: string,
  parameters: readonly string[],
  least: number,
  result: string,
  implementation: (...args: never[]) => unknown,
): Definition[] {
  return parameters
    .map((_, i) => parameters.slice(0, i + 1))
    .filter((some) => some.length >= least)
    .map((some) => define(`${name}(${some.join(', ')}): ${result}`, implementation));
}

export const regexFunctions: readonly Definition[] = [
  ...['text', 'name', 'bpchar'].flatMap(matchOperators),
  ...withOptional('regexp_match', ['text', 'text', 'text'], 2, '_text', firstMatch),
  ...withOptional('regexp_split_to_array', ['text', 'text', 'text'], 2, '_text', splitToArray),
  ...withOptional('regexp_like', ['text', 'text', 'text'], 2, 'bool', isLike),
  ...withOptional('regexp_count', ['text', 'text', 'int4', 'text'], 2, 'int4', count),
  ...withOptional(
    'regexp_instr',
    ['text', 'text', 'int4', 'int4', 'int4', 'text', 'int4'],
    2,
    'int4',
    positionOf,
  ),
  ...withOptional(
    'regexp_substr',
    ['text', 'text', 'int4', 'int4', 'text', 'int4'],
    2,
    'text',
    partOf,
  ),
  ...withOptional('regexp_replace', ['text', 'text', 'text', 'text'], 3, 'text', replaceWithFlags),
  ...withOptional(
    'regexp_replace',
    ['text', 'text', 'text', 'int4', 'int4', 'text'],
    4,
    'text',
    replaceFrom,
  ),
  define('similar_to_escape(text): text', (pattern: string) => similarToEscape(pattern, '\\')),
  define('similar_to_escape(text, text): text', similarToEscape),
  define(
    'similar_escape(text, text): text',
    (pattern: string | null, mark: string | null) =>
      pattern === null ? null : similarToEscape(pattern, mark ?? '\\'),
    { strict: false },
  ),
  define('substring(text, text): text', substringLike),
  define('substring(text, text, text): text', (text: string, pattern: string, mark: string) =>
    substringLike(text, similarToEscape(pattern, mark)),
  ),
];

const strings = (values: readonly Value[]) => values as readonly string[];

export const regexSetFunctions: readonly SetDefinition[] = [
  ...['text, text', 'text, text, text'].map((parameters) =>
    defineSet(`regexp_matches(${parameters}): setof _text`, (values) => {
      const [text = '', pattern = '', flags] = strings(values);
      return allMatches(text, pattern, flags);
    }),
  ),
  ...['text, text', 'text, text, text'].map((parameters) =>
    defineSet(`regexp_split_to_table(${parameters}): setof text`, (values) => {
      const [text = '', pattern = '', flags = ''] = strings(values);
      return splitBy('regexp_split_to_table', text, pattern, flags);
    }),
  ),
];
