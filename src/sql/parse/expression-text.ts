/**
 * Texts of expressions and queries that the catalogue keeps: the syntax tree says where something begins
 * but not where it ends.
 */
import { scanSync } from 'libpg-query';
import { must } from '../../base/assert.js';
import type { Source } from './parse.js';

interface Token {
  readonly start: number;
  readonly end: number;
  /** In lower case. */
  readonly text: string;
}

/** The tokens of a text that lie at byte `from` or later, and before `to`. */
function tokensOf(source: Source, from: number, to = Number.POSITIVE_INFINITY): Token[] {
  return scanSync(source.text)
    .tokens.filter(({ start }) => start >= from && start < to)
    .map(({ start, end }) => ({ start, end, text: source.slice(start, end).toLowerCase() }));
}

/** How far a bracket opens or closes. */
function depthOf({ text }: Token): number {
  if (text === '(' || text === '[') return 1;
  return text === ')' || text === ']' ? -1 : 0;
}

/**
 * The expression behind the keyword at byte `from`, up to the end of its list element or to byte
 * `to`, whichever comes first.
 */
export function expressionText(source: Source, from: number, to: number): string {
  const [, first, ...rest] = tokensOf(source, from, to);
  return first === undefined ? '' : elementText(source, [first, ...rest]);
}

/** From the first of `tokens` up to a comma, bracket or semicolon that does not belong to it. */
function elementText(source: Source, tokens: readonly Token[]): string {
  let end = tokens[0]?.end ?? 0;
  let depth = 0;
  for (const token of tokens) {
    const change = depthOf(token);
    if (depth === 0 && (token.text === ',' || token.text === ';' || change < 0)) break;
    depth += change;
    end = token.end;
  }
  return source.slice(tokens[0]?.start ?? 0, end);
}

/**
 * The expression of which something stands at byte `inside`, behind the last `keyword` before it, up to
 * the end of its list element.
 */
export function expressionAround(source: Source, keyword: string, inside: number): string {
  const before = tokensOf(source, 0, inside + 1).findLast(({ text }) => text === keyword);
  return expressionText(source, must(before, `${keyword} stands before`).start, Infinity);
}

/** What stands in the brackets behind the first `keyword` at byte `from` or later. */
export function bracketedText(source: Source, keyword: string, from: number): string {
  const tokens = tokensOf(source, from);
  const at = tokens.findIndex(({ text }) => text === keyword);
  const open = tokens.findIndex(({ text }, i) => i > at && text === '(');
  return inBrackets(source, tokens.slice(open));
}

/** `tokens` begin with a bracket. */
function inBrackets(source: Source, tokens: readonly Token[]): string {
  let depth = 0;
  for (const token of tokens) {
    depth += depthOf(token);
    if (depth === 0) return source.slice(tokens[0]?.end ?? 0, token.start);
  }
  return '';
}

/** The elements of the first list in brackets behind the table's name of CREATE INDEX. */
export function indexElementTexts(source: Source, from: number): readonly string[] {
  const tokens = tokensOf(source, from);
  const open = tokens.findIndex(({ text }) => text === '(');
  const elements: string[] = [];
  let depth = 0;
  let first = open + 1;
  for (let i = open; i < tokens.length; i += 1) {
    const token = must(tokens[i], 'in range');
    depth += depthOf(token);
    if (depth === 0 || (depth === 1 && token.text === ',')) {
      elements.push(indexElement(source, tokens.slice(first, i)));
      first = i + 1;
    }
    if (depth === 0) break;
  }
  return elements;
}

/** The expression of an element, without what may follow it: an operator class, ASC, NULLS FIRST. */
function indexElement(source: Source, tokens: readonly Token[]): string {
  let depth = 0;
  for (const token of tokens) {
    depth += depthOf(token);
    if (depth === 0 && token.text === ')') return source.slice(tokens[0]?.start ?? 0, token.end);
  }
  return source.slice(tokens[0]?.start ?? 0, tokens.at(-1)?.end ?? 0);
}

/** Where the last name of the column reference at byte `from` of an expression begins and ends. */
export function columnReferenceEnds(
  sql: string,
  from: number,
): { readonly from: number; readonly to: number } {
  const tokens = scanSync(sql).tokens.filter(({ start }) => start >= from);
  let at = 0;
  while (tokens[at + 1]?.text === '.') at += 2;
  const last = must(tokens[at], 'a name stands there');
  return { from: last.start, to: last.end };
}

/** The rest of the statement behind the last `keyword` that stands in no brackets. */
export function textBehind(source: Source, keyword: string, from: number): string | undefined {
  let depth = 0;
  let start: number | undefined;
  let end = from;
  for (const token of tokensOf(source, from)) {
    if (depth === 0 && token.text === ';') break;
    if (depth === 0 && token.text === keyword) start = token.end;
    depth += depthOf(token);
    end = token.end;
  }
  return start === undefined ? undefined : source.slice(start, end).trim();
}

/** The query of CREATE VIEW, which begins at byte `from`: behind AS, without WITH CHECK OPTION. */
export function viewQueryText(source: Source, from: number): string {
  let depth = 0;
  let start: number | undefined;
  const kept: Token[] = [];
  for (const token of tokensOf(source, from)) {
    if (depth === 0 && token.text === ';') break;
    if (start !== undefined) kept.push(token);
    if (depth === 0 && token.text === 'as') start ??= token.end;
    depth += depthOf(token);
  }
  const words = kept.slice(-4).map(({ text }) => text);
  const option = words.join(' ');
  if (/with (local|cascaded) check option$/.test(option)) kept.splice(-4);
  else if (/with check option$/.test(option)) kept.splice(-3);
  return source.slice(start ?? from, kept.at(-1)?.end);
}
