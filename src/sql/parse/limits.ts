/**
 * What a text may be before the parser sees it. The parser recurses without a limit of its own in
 * memory that it shares with all sessions of the thread, so depth is bounded by a scan beforehand
 * (pitfall 26), and text that is not Unicode never reaches it.
 */
import { DatabaseError, raise } from '../../base/errors.js';

export interface ParseLimits {
  /** Bytes of UTF-8 that one text may have. */
  readonly statementBytes: number;
}

/**
 * The most tokens that may nest in one another, brackets and operators of the open lists counted
 * together. The parser overflows a stack of 1 MB at about twice as many.
 */
export const nestedTokensMax = 5_000;

const loneSurrogate = /\p{Surrogate}/u;

/** Raises program_limit_exceeded for a text that is too long. */
export function checkLength(text: string, limits: ParseLimits): void {
  // A UTF-16 unit takes at most three bytes, so that short texts need no count.
  if (text.length * 3 <= limits.statementBytes || bytesOf(text) <= limits.statementBytes) return;
  raise('program_limit_exceeded', `statement is longer than ${limits.statementBytes} bytes`, {
    hint: 'Send parameters or several statements, or raise the limit statementBytes.',
  });
}

export function checkText(text: string, limits: ParseLimits): void {
  checkLength(text, limits);
  if (text.includes('\0')) {
    raise('character_not_in_repertoire', 'invalid byte sequence for encoding "UTF8": 0x00');
  }
  if (loneSurrogate.test(text)) {
    raise('character_not_in_repertoire', 'the statement has a lone surrogate: not valid Unicode');
  }
  // A text with few characters cannot nest deeply.
  if (text.length > nestedTokensMax) checkNesting(text);
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/**
 * Tokens, roughly: a quoted or dollar-quoted string or a comment is one, a word or number is one,
 * every other character is one. What is not terminated goes on to the end, so that no text takes
 * more than one pass.
 */
const token = new RegExp(
  [
    /[eE]'(?:[^'\\]|''|\\.)*(?:'|$)/,
    /'(?:[^']|'')*(?:'|$)/,
    /"[^"]*(?:"|$)/,
    /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$.*?(?:\$\1\$|$)/,
    /--[^\n]*/,
    /\/\*/,
    /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/,
    /[\d.]+/,
    /[^\s\w]/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gs',
);

/**
 * Refuses what may nest more deeply than {@link nestedTokensMax}. Tokens nest at most once each, those
 * separated by a comma, AND or OR do not nest in one another; brackets and CASE add up.
 */
function checkNesting(text: string): void {
  /** Tokens since the last separator, for each open bracket and the text around. */
  const counts = [0];
  let total = 0;
  token.lastIndex = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const word = match[0].length > 6 ? match[0] : match[0].toLowerCase();
    const last = counts.length - 1;
    switch (word) {
      case '(':
      case '[':
      case 'case':
        counts.push(1);
        total += 1;
        break;
      case ')':
      case ']':
      case 'end':
        if (last > 0) total -= counts.pop() ?? 0;
        break;
      case ',':
      case 'and':
      case 'or':
        total -= counts[last] ?? 0;
        counts[last] = 0;
        break;
      case ';':
        total = 0;
        counts.length = 1;
        counts[0] = 0;
        break;
      case '/*':
        token.lastIndex = endOfComment(text, token.lastIndex);
        break;
      default:
        if (word.startsWith('--')) break;
        counts[last] = (counts[last] ?? 0) + 1;
        total += 1;
    }
    if (total > nestedTokensMax) throw tooDeep();
  }
}

const commentMark = /\/\*|\*\//g;

/**
 * PostgreSQL's scanner reads the whole run of operator characters at each start of a comment within
 * it, and then goes back: a megabyte of them takes minutes.
 */
const longRun = /[~!@#^&|`?+\-*/%<>=]{1000}/y;

function checkRun(text: string, at: number): void {
  longRun.lastIndex = at;
  if (!longRun.test(text)) return;
  raise('program_limit_exceeded', 'more than 1000 operator characters follow each other');
}

/** Behind the comment that begins before `from`; comments nest. */
function endOfComment(text: string, from: number): number {
  checkRun(text, from - 2);
  commentMark.lastIndex = from;
  let open = 1;
  while (open > 0) {
    const mark = commentMark.exec(text);
    if (mark === null) return text.length;
    const begins = mark[0] === '/*';
    if (begins) checkRun(text, mark.index);
    open += begins ? 1 : -1;
  }
  return commentMark.lastIndex;
}

/** The error for what nests too deeply, as PostgreSQL words it. */
export function tooDeep(): DatabaseError {
  return new DatabaseError('statement_too_complex', 'stack depth limit exceeded', {
    hint: 'Nest the expression less deeply or split the statement.',
  });
}
