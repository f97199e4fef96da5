/** Tokens of jsonpath, as PostgreSQL's jsonpath_scan.l cuts them: the longest match, the first rule of equals. */
import { raise } from '../../base/errors.js';

export type PathToken = {
  /** What an error quotes; empty at the end of the text. */
  readonly shown: string;
} & (
  | { readonly kind: 'string' | 'identifier' | 'variable'; readonly text: string }
  /** The number as PostgreSQL's numeric input takes it. */
  | { readonly kind: 'number'; readonly text: string; readonly isInteger: boolean }
  | { readonly kind: 'symbol'; readonly text: string }
  | { readonly kind: 'end' }
);

const digits = '[0-9](?:_?[0-9])*';
const integer = '(?:0|[1-9](?:_?[0-9])*)';
const decimal = `(?:${integer}\\.(?:${digits})?|\\.${digits})`;
const other = '[^?%$.\\[\\]{}()|&!=<>@#,*:\\-+/\\\\" \\t\\n\\r\\f]';

type NumberKind = 'number' | 'junk';

/** In the order of the rules. */
const numbers: readonly (readonly [NumberKind, RegExp])[] = (
  [
    ['number', `(?:${integer}|${decimal})[Ee][-+]?${digits}`],
    ['number', decimal],
    ['number', integer],
    ['number', '0[xX][0-9A-Fa-f](?:_?[0-9A-Fa-f])*'],
    ['number', '0[oO][0-7](?:_?[0-7])*'],
    ['number', '0[bB][01](?:_?[01])*'],
    ['junk', `(?:${integer}|${decimal})[Ee][-+]`],
    ['junk', `${integer}${other}`],
    ['junk', `${decimal}${other}`],
    ['junk', `(?:${integer}|${decimal})[Ee][-+]?${digits}${other}`],
  ] as const
).map(([kind, pattern]) => [kind, new RegExp(pattern, 'y')] as const);

const symbol = /\|\||&&|==|!=|<>|<=|>=|\*\*|[?%$.[\]{}()!<>@#,*:\-+/=|&]/y;
const blanks = /(?:[ \t\n\r\f]|\/\*[\s\S]*?\*\/)*/y;
const word = new RegExp(`(?:${other}|\\\\[\\s\\S])+`, 'y');

export function pathTokens(text: string): PathToken[] {
  const tokens: PathToken[] = [];
  let at = 0;
  for (;;) {
    at += matchAt(blanks, text, at)?.length ?? 0;
    if (at >= text.length) break;
    const taken = takeToken(text, at);
    tokens.push(taken.token);
    at = taken.end;
  }
  tokens.push({ kind: 'end', shown: '' });
  return tokens;
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function takeToken(text: string, at: number): { readonly token: PathToken; readonly end: number } {
  if (text[at] === '"') {
    const { value, end } = readString(text, at + 1);
    return { token: { kind: 'string', text: value, shown: '"' }, end };
  }
  if (text[at] === '$') {
    const variable = takeVariable(text, at + 1);
    if (variable !== undefined) return variable;
  }
  const name = matchAt(word, text, at) ?? '';
  const found = takeNumber(text, at, name.length);
  if (found !== undefined) return found;
  if (name !== '') {
    const end = at + name.length;
    return {
      token: { kind: 'identifier', text: unescaped(name), shown: shownAfter(text, end) },
      end,
    };
  }
  const mark = matchAt(symbol, text, at);
  if (mark === undefined) syntaxError('syntax error', text[at] ?? '');
  return { token: { kind: 'symbol', text: mark, shown: mark }, end: at + mark.length };
}

function takeVariable(
  text: string,
  at: number,
): { readonly token: PathToken; readonly end: number } | undefined {
  if (text[at] === '"') {
    const { value, end } = readString(text, at + 1);
    return { token: { kind: 'variable', text: value, shown: '"' }, end };
  }
  const name = matchAt(word, text, at);
  if (name === undefined) return undefined;
  const end = at + name.length;
  return { token: { kind: 'variable', text: unescaped(name), shown: shownAfter(text, end) }, end };
}

/** A word that is longer than the number it begins with is a word. */
function takeNumber(
  text: string,
  at: number,
  wordLength: number,
): { readonly token: PathToken; readonly end: number } | undefined {
  let best: { readonly kind: NumberKind; readonly text: string } | undefined;
  for (const [kind, pattern] of numbers) {
    const match = matchAt(pattern, text, at);
    if (match !== undefined && match.length > (best?.text.length ?? 0))
      best = { kind, text: match };
  }
  if (best === undefined || best.text.length < wordLength) return undefined;
  if (best.kind === 'junk') syntaxError('trailing junk after numeric literal', best.text);
  const isInteger = !/[.eE]/.test(best.text) || /^0[xX]/.test(best.text);
  return {
    token: { kind: 'number', text: best.text, isInteger, shown: best.text },
    end: at + best.text.length,
  };
}

/** What PostgreSQL's scanner has in its hands when a word has ended: a blank or nothing. */
function shownAfter(text: string, end: number): string {
  return /[ \t\n\r\f]/.exec(text[end] ?? '')?.[0] ?? '';
}

/** Reads up to the closing quote. */
function readString(text: string, from: number): { readonly value: string; readonly end: number } {
  let end = from;
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  if (end >= text.length) syntaxError('unterminated quoted string', '');
  return { value: unescaped(text.slice(from, end)), end: end + 1 };
}

const escapes: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Takes the escapes of JavaScript's strings out of a text. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(
    /(?:\\u(?:[0-9A-Fa-f]{4}|\{[0-9A-Fa-f]{1,6}\}))+|\\x[0-9A-Fa-f]{2}|\\u|\\x|\\([\s\S])|\\$/g,
    (found, single: string | undefined) => {
      if (single !== undefined) return escapes[single] ?? single;
      if (found === '\\u' || found === '\\') syntaxError('invalid Unicode escape sequence', found);
      if (found === '\\x') syntaxError('invalid hexadecimal character sequence', found);
      return decodeEscapes(found);
    },
  );
}

function decodeEscapes(found: string): string {
  const codes = [...found.matchAll(/[ux]\{?([0-9A-Fa-f]+)/g)].map(([, hex = '']) =>
    Number.parseInt(hex, 16),
  );
  for (const code of codes) {
    if (code === 0) {
      raise('untranslatable_character', 'unsupported Unicode escape sequence', {
        detail: '\\u0000 cannot be converted to text.',
      });
    }
    if (code > 0x10ffff) syntaxError('invalid Unicode escape sequence', found);
  }
  const decoded = String.fromCodePoint(...codes);
  if (!decoded.isWellFormed()) {
    const detail = /^[\ud800-\udbff]/.test(decoded)
      ? 'Unicode low surrogate must follow a high surrogate.'
      : 'Unicode high surrogate must not follow a high surrogate.';
    raise('invalid_text_representation', 'invalid input syntax for type jsonpath', { detail });
  }
  return decoded;
}

/** Raises 42601 as jsonpath_yyerror does. */
export function syntaxError(problem: string, shown: string): never {
  const place = shown === '' ? 'at end' : `at or near "${shown}"`;
  return raise('syntax_error', `${problem} ${place} of jsonpath input`);
}
