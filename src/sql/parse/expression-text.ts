/** The text of a column's default: the syntax tree says where it begins but not where it ends. */
import { scanSync } from 'libpg-query';
import type { Source } from './parse.js';

/**
 * The expression behind the keyword at byte `from`, up to the end of its list element or to byte
 * `to`, whichever comes first.
 */
export function expressionText(source: Source, from: number, to: number): string {
  const tokens = scanSync(source.text).tokens.filter((token) => token.start >= from);
  const [, first] = tokens;
  let end = first?.end ?? from;
  let depth = 0;
  for (const token of tokens.slice(1)) {
    if (token.start >= to) break;
    const text = source.slice(token.start, token.end);
    if (depth === 0 && (text === ',' || text === ')' || text === ';')) break;
    if (text === '(' || text === '[') depth += 1;
    if (text === ')' || text === ']') depth -= 1;
    end = token.end;
  }
  return source.slice(first?.start ?? from, end);
}
