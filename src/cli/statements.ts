/** Cuts a text into its statements without understanding them, as a prompt must. */

/** The statements that end in the text, and what comes after the last `;`. */
export interface Cut {
  /** Without their `;`, none of them blank. */
  readonly statements: readonly string[];
  /** Blank when nothing is left. */
  readonly rest: string;
}

/**
 * Cuts at each `;` outside of strings, quoted names, dollar quotes and comments, which follow
 * PostgreSQL 15, 4.1 "Lexical Structure".
 */
export function cutStatements(text: string): Cut {
  const statements: string[] = [];
  let begin = 0;
  let at = 0;
  while (at < text.length) {
    if (text[at] === ';') {
      const statement = text.slice(begin, at).trim();
      if (!isBlank(statement)) statements.push(statement);
      begin = at + 1;
      at += 1;
    } else {
      at = skipToken(text, at);
    }
  }
  const rest = text.slice(begin);
  return { statements, rest: isBlank(rest) ? '' : rest };
}

/** Whether the text holds nothing but white space and whole comments. */
function isBlank(text: string): boolean {
  let at = 0;
  while (at < text.length) {
    const opens = text.startsWith('--', at) || text.startsWith('/*', at);
    if (!opens && !/\s/.test(text[at] ?? '')) return false;
    const next = skipToken(text, at);
    if (text.startsWith('/*', at) && !text.slice(at, next).endsWith('*/')) return false;
    at = next;
  }
  return true;
}

/** Where the token at `at` ends; the end of the text when it is not closed. */
function skipToken(text: string, at: number): number {
  switch (text[at]) {
    case "'":
      return skipQuoted(text, at, "'", /[eE]/.test(text[at - 1] ?? '') && isPrefix(text, at - 1));
    case '"':
      return skipQuoted(text, at, '"', false);
    case '-':
      return text[at + 1] === '-' ? endOr(text, text.indexOf('\n', at), 1) : at + 1;
    case '/':
      return text[at + 1] === '*' ? skipComment(text, at) : at + 1;
    case '$':
      return skipDollarQuoted(text, at);
    default:
      return at + 1;
  }
}

/** Whether the letter at `at` stands alone, as the E of E'...' does. */
function isPrefix(text: string, at: number): boolean {
  return !/[\w$]/.test(text[at - 1] ?? ' ');
}

function skipQuoted(text: string, at: number, quote: string, escapes: boolean): number {
  for (let i = at + 1; i < text.length; i += 1) {
    if (escapes && text[i] === '\\') i += 1;
    else if (text[i] === quote) {
      if (text[i + 1] !== quote) return i + 1;
      i += 1;
    }
  }
  return text.length;
}

/** Comments nest. */
function skipComment(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i += 1) {
    const pair = text.slice(i, i + 2);
    if (pair === '/*') depth += 1;
    else if (pair === '*/') depth -= 1;
    else continue;
    i += 1;
    if (depth === 0) return i + 1;
  }
  return text.length;
}

function skipDollarQuoted(text: string, at: number): number {
  const opening = /^\$([A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?\$/.exec(text.slice(at, at + 100));
  if (opening === null || /[\w$]/.test(text[at - 1] ?? ' ')) return at + 1;
  const end = text.indexOf(opening[0], at + opening[0].length);
  return endOr(text, end, opening[0].length);
}

function endOr(text: string, found: number, length: number): number {
  return found < 0 ? text.length : found + length;
}
