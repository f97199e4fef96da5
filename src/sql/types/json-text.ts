/** Parses JSON as PostgreSQL's lexer does (src/common/jsonapi.c), keeping where each value stands. */
import { raise } from '../../base/errors.js';
import { jsonDepthMax } from './limits.js';

/** A value within the text from `start` to before `end`. */
export type JsonTree = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** The number as it is written. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'array'; readonly items: readonly JsonTree[] }
  | {
      readonly kind: 'object';
      readonly members: readonly { readonly key: string; readonly value: JsonTree }[];
    }
);

/**
 * Raises 22P02 with PostgreSQL's detail, and 54001 for a text nested too deeply. `decodes` is false for json, which keeps `\u0000` and lone
 * surrogates as they are written; true for jsonb, which refuses them.
 */
export function parseJson(text: string, decodes: boolean): JsonTree {
  return new JsonParser(text, decodes).parse();
}

const token = /[A-Za-z0-9_$.+\-\u0080-\uffff]+/y;
const space = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters end a plain string
const plainString = /"([^"\\\u0000-\u001f]*)"/y;
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class JsonParser {
  readonly #text: string;
  readonly #decodes: boolean;
  #at = 0;

  constructor(text: string, decodes: boolean) {
    this.#text = text;
    this.#decodes = decodes;
  }

  parse(): JsonTree {
    const tree = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#unexpected('end of input');
    return tree;
  }

  #skipSpace(): void {
    space.lastIndex = this.#at;
    space.test(this.#text);
    this.#at = space.lastIndex;
  }

  #value(depth: number): JsonTree {
    if (depth > jsonDepthMax) {
      raise('statement_too_complex', 'stack depth limit exceeded');
    }
    this.#skipSpace();
    const start = this.#at;
    switch (this.#text[start]) {
      case '{':
        return this.#object(start, depth);
      case '[':
        return this.#array(start, depth);
      case '"': {
        const value = this.#string();
        return { kind: 'string', value, start, end: this.#at };
      }
      default:
        return this.#scalar(start);
    }
  }

  #scalar(start: number): JsonTree {
    const word = this.#token();
    if (word === '') this.#unexpected('JSON value');
    const end = start + word.length;
    this.#at = end;
    if (word === 'null') return { kind: 'null', start, end };
    if (word === 'true' || word === 'false') {
      return { kind: 'boolean', value: word === 'true', start, end };
    }
    number.lastIndex = start;
    if (number.test(this.#text) && number.lastIndex === end) {
      return { kind: 'number', text: word, start, end };
    }
    invalid(`Token "${word}" is invalid.`);
  }

  #token(): string {
    token.lastIndex = this.#at;
    return token.exec(this.#text)?.[0] ?? '';
  }

  #array(start: number, depth: number): JsonTree {
    const items: JsonTree[] = [];
    this.#at += 1;
    this.#skipSpace();
    if (this.#text[this.#at] !== ']') {
      for (;;) {
        items.push(this.#value(depth + 1));
        this.#skipSpace();
        if (this.#text[this.#at] !== ',') break;
        this.#at += 1;
      }
      if (this.#text[this.#at] !== ']') this.#unexpected('"," or "]"');
    }
    this.#at += 1;
    return { kind: 'array', items, start, end: this.#at };
  }

  #object(start: number, depth: number): JsonTree {
    const members: { key: string; value: JsonTree }[] = [];
    this.#at += 1;
    this.#skipSpace();
    if (this.#text[this.#at] !== '}') {
      for (;;) {
        this.#skipSpace();
        if (this.#text[this.#at] !== '"') {
          this.#unexpected(members.length === 0 ? 'string or "}"' : 'string');
        }
        const key = this.#string();
        this.#skipSpace();
        if (this.#text[this.#at] !== ':') this.#unexpected('":"');
        this.#at += 1;
        members.push({ key, value: this.#value(depth + 1) });
        this.#skipSpace();
        if (this.#text[this.#at] !== ',') break;
        this.#at += 1;
      }
      if (this.#text[this.#at] !== '}') this.#unexpected('"," or "}"');
    }
    this.#at += 1;
    return { kind: 'object', members, start, end: this.#at };
  }

  #string(): string {
    plainString.lastIndex = this.#at;
    const plain = plainString.exec(this.#text);
    if (plain !== null) {
      this.#at = plainString.lastIndex;
      return plain[1] ?? '';
    }
    const start = this.#at;
    let value = '';
    this.#at += 1;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) invalid(`Token "${this.#text.slice(start)}" is invalid.`);
      if (character === '"') break;
      if (character < ' ') {
        const code = character.charCodeAt(0).toString(16).padStart(2, '0');
        invalid(`Character with value 0x${code} must be escaped.`);
      }
      if (character === '\\') value += this.#escape(start);
      else {
        value += character;
        this.#at += 1;
      }
    }
    this.#at += 1;
    if (this.#decodes) this.#checkSurrogates(value);
    return value;
  }

  #escape(start: number): string {
    const mark = this.#text[this.#at + 1];
    if (mark === undefined) invalid(`Token "${this.#text.slice(start)}" is invalid.`);
    if (mark !== 'u') {
      const value = Object.hasOwn(escapes, mark) ? escapes[mark] : undefined;
      if (value === undefined) {
        invalid(
          `Escape sequence "\\${String.fromCodePoint(this.#text.codePointAt(this.#at + 1) ?? 0)}" is invalid.`,
        );
      }
      this.#at += 2;
      return value;
    }
    const digits = this.#text.slice(this.#at + 2, this.#at + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
      invalid('"\\u" must be followed by four hexadecimal digits.');
    }
    this.#at += 6;
    const unit = Number.parseInt(digits, 16);
    if (this.#decodes && unit === 0) {
      raise('untranslatable_character', 'unsupported Unicode escape sequence', {
        detail: '\\u0000 cannot be converted to text.',
      });
    }
    return String.fromCharCode(unit);
  }

  #checkSurrogates(value: string): void {
    const lone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.exec(
      value,
    );
    if (lone === null) return;
    const high = lone[0] < '\udc00' && /^[\ud800-\udbff]/.test(value.slice(lone.index + 1));
    invalid(
      high
        ? 'Unicode high surrogate must not follow a high surrogate.'
        : 'Unicode low surrogate must follow a high surrogate.',
    );
  }

  #unexpected(expected: string): never {
    this.#skipSpace();
    if (this.#at >= this.#text.length) invalid('The input string ended unexpectedly.');
    const word = this.#token();
    const literals = ['true', 'false', 'null'];
    number.lastIndex = this.#at;
    const wrongWord =
      word !== '' &&
      !literals.includes(word) &&
      !(number.test(this.#text) && number.lastIndex === this.#at + word.length);
    if (wrongWord) invalid(`Token "${word}" is invalid.`);
    if (word !== '') invalid(`Expected ${expected}, but found "${word}".`);
    if (this.#text[this.#at] === '"') {
      const start = this.#at;
      this.#string();
      invalid(`Expected ${expected}, but found "${this.#text.slice(start, this.#at)}".`);
    }
    const found = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    if (!'{}[],:'.includes(found)) invalid(`Token "${found}" is invalid.`);
    invalid(`Expected ${expected}, but found "${found}".`);
  }
}

function invalid(detail: string): never {
  raise('invalid_text_representation', 'invalid input syntax for type json', { detail });
}
