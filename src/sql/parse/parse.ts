/** From a text to its statements. */
import { hasSqlDetails, type Node, type ParseResult, parseSync } from 'libpg-query';
import { assert } from '../../base/assert.js';
import { DatabaseError, raise } from '../../base/errors.js';
import { the } from './ast.js';
import { checkText, type ParseLimits, tooDeep } from './limits.js';
import { takeTop } from './top.js';

/** A text that a client sent. It turns the offsets of syntax trees into positions for errors. */
export class Source {
  readonly text: string;
  #bytes: Buffer | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** The byte offset at which `part`, a piece of the text, begins. */
  offsetOf(part: string): number {
    return Buffer.byteLength(this.text.slice(0, this.text.indexOf(part)));
  }

  /** The position, in characters counted from 1, of a UTF-8 byte offset. */
  position(location: number): number {
    // Characters are code points, as PostgreSQL counts them.
    let characters = 0;
    for (const byte of this.#encoded().subarray(0, location)) {
      if ((byte & 0xc0) !== 0x80) characters += 1;
    }
    return characters + 1;
  }

  /** The text between two byte offsets; to its end without `to`. */
  slice(from: number, to?: number): string {
    return this.#encoded().toString('utf8', from, to);
  }

  #encoded(): Buffer {
    this.#bytes ??= Buffer.from(this.text, 'utf8');
    return this.#bytes;
  }
}

export interface ParsedStatement {
  readonly node: Node;
  /** The whole text that the statement was sent in. */
  readonly source: Source;
  /** The statement's own part of the text, without the semicolon. */
  readonly text: string;
}

/**
 * The statements of `text`, none when it is empty. Raises syntax_error with a position,
 * program_limit_exceeded (too long), statement_too_complex (too deep) and
 * character_not_in_repertoire (NUL, lone surrogate). The parser must have been loaded.
 */
export function parse(text: string, limits: ParseLimits): ParsedStatement[] {
  return statementsOf(text, parseTree(text, limits));
}

/** The syntax tree of `text`; raises what {@link parse} does. */
export function parseTree(text: string, limits: ParseLimits): ParseResult {
  checkText(text, limits);
  return text === '' ? {} : tree(text);
}

/** The statements of `text` with its syntax tree. */
export function statementsOf(text: string, { stmts = [] }: ParseResult): ParsedStatement[] {
  const source = new Source(text);
  return stmts.map((raw) => {
    assert(raw.stmt !== undefined, 'a statement has a tree');
    const from = raw.stmt_location ?? 0;
    const alone = stmts.length === 1 && from === 0 && raw.stmt_len === undefined;
    const to = raw.stmt_len === undefined ? undefined : from + raw.stmt_len;
    const own = alone ? text : source.slice(from, to);
    return { node: raw.stmt, source, text: own.trim() };
  });
}

/** An expression kept as SQL: a column's default. */
export function parseExpression(sql: string, limits: ParseLimits): { node: Node; source: Source } {
  const text = `SELECT (${sql})`;
  const [statement] = parse(text, limits);
  const target = the(statement?.node, 'SelectStmt').targetList?.[0];
  const { val } = the(target, 'ResTarget');
  assert(val !== undefined && statement !== undefined, 'SELECT (...) has one expression');
  return { node: val, source: statement.source };
}

function tree(text: string): ParseResult {
  try {
    return parseSync(text);
  } catch (error) {
    const failure = syntaxError(error);
    const top = failure.kind === 'syntax_error' ? takeTop(text) : undefined;
    if (top === undefined) throw failure;
    return withLimit(top, failure);
  }
}

/** `SELECT TOP n ...`: the tree of the text without it, n as its LIMIT. */
function withLimit(top: { rest: string; count: number }, failure: DatabaseError): ParseResult {
  let parsed: ParseResult;
  try {
    parsed = parseSync(top.rest);
  } catch (error) {
    throw syntaxError(error);
  }
  const select = the(parsed.stmts?.[0]?.stmt, 'SelectStmt');
  if (select.limitCount !== undefined || select.op !== 'SETOP_NONE') throw failure;
  select.limitCount = { A_Const: { ival: { ival: top.count }, location: -1 } };
  select.limitOption = 'LIMIT_OPTION_COUNT';
  return parsed;
}

/** The parser's error as one of the catalogue; others of its errors are bugs and go on. */
function syntaxError(error: unknown): DatabaseError {
  // The parser's own stack: texts that pass the scan come here only on threads with small stacks.
  if (error instanceof RangeError) return tooDeep();
  if (!hasSqlDetails(error) || error.sqlDetails === undefined) throw error;
  const { cursorPosition, message } = error.sqlDetails;
  if (message.startsWith('memory exhausted')) {
    return new DatabaseError('statement_too_complex', message);
  }
  return new DatabaseError(kindOfMessage(message), message, { position: cursorPosition + 1 });
}

/** The grammar raises a few errors that are no syntax errors; it tells their message only. */
function kindOfMessage(
  message: string,
): 'syntax_error' | 'feature_not_supported' | 'windowing_error' {
  if (message.startsWith('frame ')) return 'windowing_error';
  return /not (yet )?(supported|implemented)/.test(message)
    ? 'feature_not_supported'
    : 'syntax_error';
}

/** Raises with the position of a byte offset of `source`. */
export function raiseAt(
  source: Source,
  location: number | undefined,
  ...[kind, message, details = {}]: Parameters<typeof raise>
): never {
  if (location === undefined) raise(kind, message, details);
  raise(kind, message, { ...details, position: source.position(location) });
}
