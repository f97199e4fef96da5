/** The text of a pattern as tokens: src/backend/regex/regc_lex.c of PostgreSQL. */
import { type CharacterSet, complement, namedClass } from './character-set.js';
import { must } from '../../base/assert.js';
import { failPattern } from './failure.js';
import { repetitionsMax } from './limits.js';
import type { Condition, PatternOptions } from './syntax.js';

export type Token =
  | { readonly kind: 'end' }
  | { readonly kind: 'character'; readonly code: number }
  | { readonly kind: 'class'; readonly set: CharacterSet }
  | { readonly kind: 'any' | 'bar' | 'close' }
  | { readonly kind: 'bracket'; readonly negated: boolean }
  | { readonly kind: 'open'; readonly captures: boolean }
  | { readonly kind: 'look'; readonly ahead: boolean; readonly negated: boolean }
  | { readonly kind: 'condition'; readonly condition: Condition }
  | { readonly kind: 'backReference'; readonly group: number }
  | {
      readonly kind: 'quantifier';
      readonly min: number;
      readonly max: number;
      readonly greedy: boolean;
      /** `{m}`: neither greedy nor not. */
      readonly exact: boolean;
    };

/** Escapes that stand for one character. */
const controls: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  B: 0x5c,
  e: 27,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
};

const conditions: Readonly<Record<string, Condition>> = {
  A: 'textStart',
  Z: 'textEnd',
  m: 'wordStart',
  M: 'wordEnd',
  y: 'wordBoundary',
  Y: 'noWordBoundary',
};

const shorthands: Readonly<Record<string, string>> = { d: 'digit', s: 'space', w: 'word' };

const whiteSpace = /\s/;

/** Reads tokens one after the other; the parser says what comes, as brackets have a syntax of their own. */
export class Scanner {
  readonly #characters: readonly string[];
  readonly #options: PatternOptions;
  #at: number;

  constructor(characters: readonly string[], at: number, options: PatternOptions) {
    this.#characters = characters;
    this.#options = options;
    this.#at = at;
  }

  peek(offset = 0): string | undefined {
    return this.#characters[this.#at + offset];
  }

  skip(count = 1): void {
    this.#at += count;
  }

  /** True when the characters that follow are these, which are then passed over. */
  eat(text: string): boolean {
    for (const [i, character] of [...text].entries()) {
      if (this.peek(i) !== character) return false;
    }
    this.#at += text.length;
    return true;
  }

  /** The next token outside of brackets. `groups` is the number of groups that are open or closed. */
  next(groups: number): Token {
    const { form, expanded } = this.#options;
    if (expanded) this.#skipBlanks();
    const character = this.peek();
    if (character === undefined) return { kind: 'end' };
    this.#at += 1;
    if (form === 'literal') return plain(character);
    switch (character) {
      case '|':
        return { kind: 'bar' };
      case '*':
        return this.#quantifier(0, Number.POSITIVE_INFINITY);
      case '+':
        return this.#quantifier(1, Number.POSITIVE_INFINITY);
      case '?':
        return this.#quantifier(0, 1);
      case '{':
        if (expanded) this.#skipBlanks();
        return isDigit(this.peek()) ? this.#bounds() : plain(character);
      case '(':
        return this.#open(groups);
      case ')':
        return { kind: 'close' };
      case '[':
        if (this.eat('[:<:]]')) return { kind: 'condition', condition: 'wordStart' };
        if (this.eat('[:>:]]')) return { kind: 'condition', condition: 'wordEnd' };
        return { kind: 'bracket', negated: this.eat('^') };
      case '.':
        return { kind: 'any' };
      case '^':
        return { kind: 'condition', condition: 'lineStart' };
      case '$':
        return { kind: 'condition', condition: 'lineEnd' };
      case '\\':
        if (this.peek() === undefined) failPattern('escape');
        if (form === 'advanced') return this.escape(groups);
        this.#at += 1;
        return plain(must(this.peek(-1), 'a character is there'));
      default:
        return plain(character);
    }
  }

  /** What follows a backslash. */
  escape(groups: number): Token {
    const character = this.peek();
    if (character === undefined) failPattern('escape');
    this.#at += 1;
    if (!/[A-Za-z0-9]/.test(character)) return plain(character);
    const control = controls[character];
    if (control !== undefined) return { kind: 'character', code: control };
    const condition = conditions[character];
    if (condition !== undefined) return { kind: 'condition', condition };
    const shorthand = shorthands[character.toLowerCase()];
    if (shorthand !== undefined) {
      const set = must(namedClass(shorthand), 'a class of ours');
      return { kind: 'class', set: shorthands[character] === undefined ? complement(set) : set };
    }
    switch (character) {
      case 'c': {
        const next = this.peek();
        if (next === undefined) failPattern('escape');
        this.#at += 1;
        return { kind: 'character', code: (next.codePointAt(0) ?? 0) & 0x1f };
      }
      case 'u':
        return this.#numbered(16, 4, 4);
      case 'U':
        return this.#numbered(16, 8, 8);
      case 'x':
        return this.#numbered(16, 1, 255);
      default:
        if (!isDigit(character)) failPattern('escape');
        this.#at -= 1;
        return this.#reference(groups) ?? this.#octal();
    }
  }

  #numbered(base: number, least: number, most: number): Token {
    return { kind: 'character', code: this.#digits(base, least, most) };
  }

  #digits(base: number, least: number, most: number): number {
    let value = 0;
    let count = 0;
    while (count < most) {
      const digit = Number.parseInt(this.peek() ?? '', base);
      if (Number.isNaN(digit)) break;
      value = value * base + digit;
      if (value > 0x10_ffff) failPattern('escape');
      count += 1;
      this.#at += 1;
    }
    if (count < least) failPattern('escape');
    return value;
  }

  /** A back reference: one digit, or a number that as many groups have; undefined otherwise. */
  #reference(groups: number): Token | undefined {
    if (this.peek() === '0') return undefined;
    const start = this.#at;
    const group = this.#digits(10, 1, 255);
    if (this.#at === start + 1 || group <= groups) return { kind: 'backReference', group };
    this.#at = start;
    return undefined;
  }

  #octal(): Token {
    let code = this.#digits(8, 1, 3);
    if (code > 0xff) {
      this.#at -= 1;
      code >>= 3;
    }
    return { kind: 'character', code };
  }

  #quantifier(min: number, max: number): Token {
    const greedy = !(this.#options.form === 'advanced' && this.eat('?'));
    return { kind: 'quantifier', min, max, greedy, exact: false };
  }

  /** `{m}`, `{m,}` or `{m,n}`, from the first digit on. */
  #bounds(): Token {
    const min = this.#number();
    const comma = this.eat(',');
    let max = min;
    if (comma) max = isDigit(this.peek()) ? this.#number() : Number.POSITIVE_INFINITY;
    if (min > max) failPattern('repetitionCount');
    if (this.peek() === undefined) failPattern('braces');
    if (!this.eat('}')) failPattern('repetitionCount');
    return { ...this.#quantifier(min, max), exact: !comma } as Token;
  }

  #number(): number {
    let value = 0;
    while (isDigit(this.peek())) {
      value = value * 10 + Number(this.peek());
      if (value > repetitionsMax) failPattern('repetitionCount');
      this.#at += 1;
    }
    return value;
  }

  #open(groups: number): Token {
    if (this.#options.form !== 'advanced' || !this.eat('?'))
      return { kind: 'open', captures: true };
    if (this.eat(':')) return { kind: 'open', captures: false };
    if (this.eat('#')) {
      while (this.peek() !== undefined && this.peek() !== ')') this.#at += 1;
      this.#at += 1;
      return this.next(groups);
    }
    const ahead = !this.eat('<');
    if (this.eat('=')) return { kind: 'look', ahead, negated: false };
    if (this.eat('!')) return { kind: 'look', ahead, negated: true };
    return failPattern('operand');
  }

  #skipBlanks(): void {
    for (;;) {
      const character = this.peek();
      if (character === undefined) return;
      if (character === '#') {
        while (this.peek() !== undefined && this.peek() !== '\n') this.#at += 1;
      } else if (whiteSpace.test(character)) {
        this.#at += 1;
      } else if (this.#options.form === 'advanced' && this.#isComment()) {
        while (this.peek() !== undefined && this.peek() !== ')') this.#at += 1;
        this.#at += 1;
      } else {
        return;
      }
    }
  }

  #isComment(): boolean {
    return this.peek() === '(' && this.peek(1) === '?' && this.peek(2) === '#';
  }
}

function plain(character: string): Token {
  return { kind: 'character', code: character.codePointAt(0) ?? 0 };
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9' && character.length === 1;
}
