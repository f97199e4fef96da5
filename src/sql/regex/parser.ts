/** Patterns as trees: src/backend/regex/regcomp.c of PostgreSQL. */
import { raise } from '../../base/errors.js';
import { readBracket } from './bracket.js';
import {
  allCharacters,
  anyCase,
  type CharacterSet,
  characterRange,
  complement,
  newline,
  union,
} from './character-set.js';
import { failPattern } from './failure.js';
import { patternDepthMax } from './limits.js';
import { Scanner, type Token } from './scanner.js';
import type { Alternatives, Pattern, PatternOptions, SyntaxNode } from './syntax.js';

/** Reads a pattern. Raises 2201B with PostgreSQL's texts. */
export function parsePattern(text: string, options: PatternOptions): Pattern {
  const characters = [...text];
  const { at, options: chosen } = readPrefix(characters, options);
  return new Parser(new Scanner(characters, at, chosen), chosen).pattern();
}

interface Prefix {
  readonly at: number;
  readonly options: PatternOptions;
}

/** `***:`, `***=` and `(?xyz)` at the start of a pattern. */
function readPrefix(characters: readonly string[], given: PatternOptions): Prefix {
  if (given.form === 'literal') return { at: 0, options: given };
  let options = given;
  let at = 0;
  if (characters.slice(0, 3).join('') === '***') {
    const director = characters[3];
    if (director === '?') failPattern('pattern');
    if (director === '=') return { at: 4, options: literally(options) };
    if (director !== ':') failPattern('operand');
    options = { ...options, form: 'advanced' };
    at = 4;
  }
  if (options.form !== 'advanced') return { at, options };
  if (characters[at] !== '(' || characters[at + 1] !== '?') return { at, options };
  if (!isLetter(characters[at + 2])) return { at, options };
  at += 2;
  for (; isLetter(characters[at]); at += 1) {
    options = withOption(options, characters[at] ?? '') ?? failPattern('option');
  }
  if (characters[at] !== ')') failPattern('option');
  return { at: at + 1, options: options.form === 'literal' ? literally(options) : options };
}

function isLetter(character: string | undefined): boolean {
  return character !== undefined && /^[A-Za-z]$/.test(character);
}

function literally(options: PatternOptions): PatternOptions {
  return {
    ...options,
    form: 'literal',
    expanded: false,
    newlineAnchors: false,
    newlineStops: false,
  };
}

/**
 * The options with one letter of table 9.24 of PostgreSQL's manual; undefined for another letter.
 * Raises 0A000 for `b`, the basic syntax.
 */
export function withOption(options: PatternOptions, letter: string): PatternOptions | undefined {
  switch (letter) {
    case 'b':
      return raise('feature_not_supported', 'basic regular expressions are not supported');
    case 'c':
      return { ...options, ignoreCase: false };
    case 'e':
      return { ...options, form: 'extended' };
    case 'i':
      return { ...options, ignoreCase: true };
    case 'm':
    case 'n':
      return { ...options, newlineStops: true, newlineAnchors: true };
    case 'p':
      return { ...options, newlineStops: true, newlineAnchors: false };
    case 'q':
      return { ...options, form: 'literal' };
    case 's':
      return { ...options, newlineStops: false, newlineAnchors: false };
    case 't':
      return { ...options, expanded: false };
    case 'w':
      return { ...options, newlineStops: false, newlineAnchors: true };
    case 'x':
      return { ...options, expanded: true };
    default:
      return undefined;
  }
}

class Parser {
  readonly #scanner: Scanner;
  readonly #options: PatternOptions;
  /** Groups that are closed, which back references may name. */
  readonly #groups = new Map<number, Alternatives>();
  #groupCount = 0;
  #hasBackReferences = false;
  #depth = 0;
  #token: Token;

  constructor(scanner: Scanner, options: PatternOptions) {
    this.#scanner = scanner;
    this.#options = options;
    this.#token = scanner.next(0);
  }

  pattern(): Pattern {
    const body = this.#alternatives(false);
    if (this.#token.kind !== 'end') failPattern('parentheses');
    return {
      body,
      options: this.#options,
      groups: this.#groups,
      groupCount: this.#groupCount,
      hasBackReferences: this.#hasBackReferences,
    };
  }

  #advance(): void {
    this.#token = this.#scanner.next(this.#groupCount);
  }

  /** What stands between parentheses, or the whole pattern. */
  #alternatives(inLook: boolean): Alternatives {
    this.#depth += 1;
    if (this.#depth > patternDepthMax) failPattern('tooComplex');
    const branches = [this.#branch(inLook)];
    while (this.#token.kind === 'bar') {
      this.#advance();
      branches.push(this.#branch(inLook));
    }
    this.#depth -= 1;
    return { branches };
  }

  #branch(inLook: boolean): SyntaxNode[] {
    const items: SyntaxNode[] = [];
    for (;;) {
      const { kind } = this.#token;
      if (kind === 'end' || kind === 'bar') return items;
      if (kind === 'close' && (this.#depth > 1 || this.#options.form === 'advanced')) return items;
      items.push(this.#quantified(this.#atom(inLook)));
    }
  }

  #atom(inLook: boolean): SyntaxNode {
    const token = this.#token;
    switch (token.kind) {
      case 'character': {
        this.#advance();
        return this.#characters(characterRange(token.code, token.code));
      }
      case 'close':
        this.#advance();
        return { kind: 'characters', set: characterRange(0x29, 0x29) };
      case 'class':
        this.#advance();
        return { kind: 'characters', set: token.set };
      case 'any':
        this.#advance();
        return {
          kind: 'characters',
          set: this.#options.newlineStops ? complement(newline) : allCharacters,
        };
      case 'bracket': {
        const set = readBracket(this.#scanner, this.#options);
        this.#advance();
        return token.negated ? this.#allBut(set) : this.#characters(set);
      }
      case 'open':
        return this.#group(token.captures && !inLook, inLook);
      case 'look': {
        this.#advance();
        const body = this.#alternatives(true);
        this.#close();
        return { kind: 'look', ahead: token.ahead, negated: token.negated, body };
      }
      case 'condition':
        this.#advance();
        return { kind: 'condition', condition: this.#anchored(token.condition) };
      case 'backReference':
        if (inLook || !this.#groups.has(token.group)) failPattern('backReference');
        this.#hasBackReferences = true;
        this.#advance();
        return { kind: 'backReference', group: token.group };
      default:
        return failPattern('operand');
    }
  }

  #characters(set: CharacterSet): SyntaxNode {
    return { kind: 'characters', set: this.#options.ignoreCase ? anyCase(set) : set };
  }

  #allBut(set: CharacterSet): SyntaxNode {
    const cased = this.#options.ignoreCase ? anyCase(set) : set;
    const left = this.#options.newlineStops ? union([cased, newline]) : cased;
    return { kind: 'characters', set: complement(left) };
  }

  /** `^` and `$` without the option to match at newlines are `\A` and `\Z`. */
  #anchored(condition: (SyntaxNode & { kind: 'condition' })['condition']) {
    if (this.#options.newlineAnchors) return condition;
    if (condition === 'lineStart') return 'textStart';
    return condition === 'lineEnd' ? 'textEnd' : condition;
  }

  #group(captures: boolean, inLook: boolean): SyntaxNode {
    let capture: number | undefined;
    if (captures) {
      this.#groupCount += 1;
      capture = this.#groupCount;
    }
    this.#advance();
    const body = this.#alternatives(inLook);
    if (capture !== undefined) this.#groups.set(capture, body);
    this.#close();
    return { kind: 'group', capture, body };
  }

  #close(): void {
    if (this.#token.kind !== 'close') failPattern('parentheses');
    this.#advance();
  }

  /** An atom with what says how often; a constraint takes none, and neither does what has one. */
  #quantified(atom: SyntaxNode): SyntaxNode {
    const token = this.#token;
    if (token.kind !== 'quantifier') return atom;
    if (atom.kind === 'condition' || atom.kind === 'look') failPattern('operand');
    this.#advance();
    const { min, max, greedy, exact } = token;
    const prefers = exact ? undefined : greedy ? 'longest' : 'shortest';
    return { kind: 'repeat', body: atom, min, max, prefers };
  }
}
