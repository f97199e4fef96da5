/** Parses jsonpath: the grammar of PostgreSQL's jsonpath_gram.y by recursive descent. */
import { raise } from '../../base/errors.js';
import {
  JsonPath,
  type PathArithmetic,
  type PathComparison,
  type PathItem,
  type PathLevel,
  type PathMethod,
} from './jsonpath.js';
import { type PathToken, pathTokens, syntaxError } from './jsonpath-lexer.js';
import { compilePathPattern } from './jsonpath-pattern.js';
import { jsonDepthMax } from './limits.js';
import { negateNumeric, Numeric } from './numeric.js';
import { parseNumeric } from './numeric-type.js';

/** Raises 22P02 for an empty text and 42601 for what is no path. */
export function parsePath(text: string): JsonPath {
  if (text.trim() === '') {
    raise('invalid_text_representation', `invalid input syntax for type jsonpath: "${text}"`);
  }
  return new PathParser(pathTokens(text)).parse();
}

const methods: ReadonlySet<string> = new Set<PathMethod>([
  'type',
  'size',
  'double',
  'ceiling',
  'floor',
  'abs',
  'keyvalue',
]);
const comparisons: ReadonlyMap<string, PathComparison> = new Map([
  ['==', '=='],
  ['=', '=='],
  ['!=', '!='],
  ['<>', '!='],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
]);

/** A condition and a value are different things in the grammar; brackets may hold either. */
interface Parsed {
  readonly item: PathItem;
  readonly isCondition: boolean;
}

function value(item: PathItem): Parsed {
  return { item, isCondition: false };
}

function condition(item: PathItem): Parsed {
  return { item, isCondition: true };
}

class PathParser {
  readonly #tokens: readonly PathToken[];
  #at = 0;
  #depth = 0;
  /** Within how many subscripts and filters the parser is: `last` and `@` need one. */
  #subscripts = 0;
  #filters = 0;

  constructor(tokens: readonly PathToken[]) {
    this.#tokens = tokens;
  }

  parse(): JsonPath {
    const lax = !this.#takeWord('strict');
    if (lax) this.#takeWord('lax');
    const { item } = this.#or();
    if (this.#peek().kind !== 'end') this.#fail();
    return new JsonPath(lax, item);
  }

  #peek(): PathToken {
    return this.#tokens[this.#at] ?? { kind: 'end', shown: '' };
  }

  #fail(): never {
    return syntaxError('syntax error', this.#peek().shown);
  }

  #isSymbol(text: string): boolean {
    const token = this.#peek();
    return token.kind === 'symbol' && token.text === text;
  }

  #take(text: string): boolean {
    if (!this.#isSymbol(text)) return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) this.#fail();
  }

  /** null, true and false are words in lower case only. */
  #isWord(word: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'identifier') return false;
    const exact = word === 'null' || word === 'true' || word === 'false';
    return (exact ? token.text : token.text.toLowerCase()) === word;
  }

  #takeWord(word: string): boolean {
    if (!this.#isWord(word)) return false;
    this.#at += 1;
    return true;
  }

  #nested<T>(work: () => T): T {
    this.#depth += 1;
    if (this.#depth > jsonDepthMax) raise('statement_too_complex', 'stack depth limit exceeded');
    const result = work();
    this.#depth -= 1;
    return result;
  }

  #or(): Parsed {
    let left = this.#and();
    while (left.isCondition && this.#take('||')) {
      const right = this.#asCondition(this.#and());
      left = condition({ kind: 'or', left: left.item, right, next: undefined });
    }
    return left;
  }

  #and(): Parsed {
    let left = this.#comparison();
    while (left.isCondition && this.#take('&&')) {
      const right = this.#asCondition(this.#comparison());
      left = condition({ kind: 'and', left: left.item, right, next: undefined });
    }
    return left;
  }

  #asCondition(parsed: Parsed): PathItem {
    return parsed.isCondition ? parsed.item : this.#fail();
  }

  #asValue(parsed: Parsed): PathItem {
    return parsed.isCondition ? this.#fail() : parsed.item;
  }

  #comparison(): Parsed {
    if (this.#take('!')) {
      const operand = this.#delimited();
      return condition({ kind: 'not', operand, next: undefined });
    }
    if (this.#takeWord('exists')) return condition(this.#exists());
    const left = this.#sum();
    if (left.isCondition) return left;
    const token = this.#peek();
    const operator = token.kind === 'symbol' ? comparisons.get(token.text) : undefined;
    if (operator !== undefined) {
      this.#at += 1;
      const right = this.#asValue(this.#sum());
      return condition({ kind: 'compare', operator, left: left.item, right, next: undefined });
    }
    if (this.#takeWord('starts')) {
      if (!this.#takeWord('with')) this.#fail();
      return condition({
        kind: 'startsWith',
        left: left.item,
        right: this.#initial(),
        next: undefined,
      });
    }
    if (this.#takeWord('like_regex')) return condition(this.#likeRegex(left.item));
    return left;
  }

  /** `( condition )` or `exists (...)`, which `!` wants. */
  #delimited(): PathItem {
    if (this.#takeWord('exists')) return this.#exists();
    this.#expect('(');
    const { item } = this.#nested(() => condition(this.#asCondition(this.#or())));
    this.#expect(')');
    return item;
  }

  #exists(): PathItem {
    this.#expect('(');
    const operand = this.#nested(() => this.#asValue(this.#or()));
    this.#expect(')');
    return { kind: 'exists', operand, next: undefined };
  }

  #initial(): PathItem {
    const token = this.#peek();
    if (token.kind !== 'string' && token.kind !== 'variable') this.#fail();
    this.#at += 1;
    return token.kind === 'string'
      ? { kind: 'literal', value: token.text, next: undefined }
      : { kind: 'variable', name: token.text, next: undefined };
  }

  #likeRegex(operand: PathItem): PathItem {
    const pattern = this.#string();
    const given = this.#takeWord('flag') ? this.#string() : '';
    const wrong = [...given].find((flag) => !'ismxq'.includes(flag));
    if (wrong !== undefined) {
      raise('syntax_error', 'invalid input syntax for type jsonpath', {
        detail: `Unrecognized flag character "${wrong}" in LIKE_REGEX predicate.`,
      });
    }
    const flags = [...'ismxq'].filter((flag) => given.includes(flag)).join('');
    if (flags.includes('x') && !flags.includes('q')) {
      raise(
        'feature_not_supported',
        'XQuery "x" flag (expanded regular expressions) is not implemented',
      );
    }
    // A pattern that cannot be compiled is refused where the path is read, as PostgreSQL does.
    compilePathPattern(pattern, flags);
    return { kind: 'likeRegex', operand, pattern, flags, next: undefined };
  }

  #string(): string {
    const token = this.#peek();
    if (token.kind !== 'string') this.#fail();
    this.#at += 1;
    return token.text;
  }

  #sum(): Parsed {
    return this.#arithmetic(['+', '-'], () =>
      this.#arithmetic(['*', '/', '%'], () => this.#signed()),
    );
  }

  #arithmetic(operators: readonly PathArithmetic[], operand: () => Parsed): Parsed {
    let left = operand();
    while (!left.isCondition) {
      const operator = operators.find((candidate) => this.#isSymbol(candidate));
      if (operator === undefined) break;
      this.#at += 1;
      const right = this.#asValue(operand());
      left = value({ kind: 'arithmetic', operator, left: left.item, right, next: undefined });
    }
    return left;
  }

  #signed(): Parsed {
    const negative = this.#isSymbol('-');
    if (!negative && !this.#isSymbol('+')) return this.#accessed();
    this.#at += 1;
    const operand = this.#nested(() => this.#asValue(this.#signed()));
    const number =
      operand.kind === 'literal' && operand.next === undefined ? operand.value : undefined;
    if (number instanceof Numeric) {
      const signed = negative ? negateNumeric(number) : number;
      return value({ kind: 'literal', value: signed, next: undefined });
    }
    return value({ kind: 'sign', negative, operand, next: undefined });
  }

  /** A primary with the steps behind it. */
  #accessed(): Parsed {
    const first = this.#primary();
    const steps: PathItem[] = [];
    for (let step = this.#step(); step !== undefined; step = this.#step()) steps.push(step);
    if (steps.length === 0) return first;
    return value(chain(first.item, steps));
  }

  #primary(): Parsed {
    const token = this.#peek();
    if (token.kind === 'symbol') return this.#symbolPrimary(token.text);
    if (token.kind === 'end') this.#fail();
    if (token.kind === 'identifier') return value(this.#wordPrimary());
    this.#at += 1;
    switch (token.kind) {
      case 'string':
        return value({ kind: 'literal', value: token.text, next: undefined });
      case 'number':
        return value({ kind: 'literal', value: parseNumeric(token.text), next: undefined });
      case 'variable':
        return value({ kind: 'variable', name: token.text, next: undefined });
    }
  }

  #symbolPrimary(text: string): Parsed {
    this.#at += 1;
    switch (text) {
      case '$':
        return value({ kind: 'root', next: undefined });
      case '@':
        if (this.#filters === 0) raise('syntax_error', '@ is not allowed in root expressions');
        return value({ kind: 'current', next: undefined });
      case '(': {
        const inner = this.#nested(() => this.#or());
        this.#expect(')');
        if (!inner.isCondition || !this.#takeWord('is')) return inner;
        if (!this.#takeWord('unknown')) this.#fail();
        return condition({ kind: 'isUnknown', operand: inner.item, next: undefined });
      }
      default:
        this.#at -= 1;
        return this.#fail();
    }
  }

  #wordPrimary(): PathItem {
    if (this.#takeWord('null')) return { kind: 'literal', value: null, next: undefined };
    if (this.#takeWord('true')) return { kind: 'literal', value: true, next: undefined };
    if (this.#takeWord('false')) return { kind: 'literal', value: false, next: undefined };
    if (this.#takeWord('last')) {
      if (this.#subscripts === 0) {
        raise('syntax_error', 'LAST is allowed only in array subscripts');
      }
      return { kind: 'last', next: undefined };
    }
    return this.#fail();
  }

  #step(): PathItem | undefined {
    if (this.#take('.')) return this.#member();
    if (this.#take('[')) return this.#subscript();
    if (!this.#take('?')) return undefined;
    this.#expect('(');
    this.#filters += 1;
    const operand = this.#nested(() => this.#asCondition(this.#or()));
    this.#filters -= 1;
    this.#expect(')');
    return { kind: 'filter', operand, next: undefined };
  }

  #member(): PathItem {
    if (this.#take('**')) return this.#levels();
    if (this.#take('*')) return { kind: 'anyKey', next: undefined };
    const token = this.#peek();
    if (token.kind !== 'identifier' && token.kind !== 'string') this.#fail();
    this.#at += 1;
    const method = token.kind === 'identifier' ? token.text.toLowerCase() : '';
    if (this.#isSymbol('(') && (methods.has(method) || method === 'datetime')) {
      this.#at += 1;
      const template = method === 'datetime' && !this.#isSymbol(')') ? this.#string() : undefined;
      this.#expect(')');
      if (method === 'datetime') return { kind: 'datetime', template, next: undefined };
      return { kind: 'method', name: method as PathMethod, next: undefined };
    }
    return { kind: 'key', name: token.text, next: undefined };
  }

  #levels(): PathItem {
    if (!this.#take('{')) return { kind: 'any', from: 0, to: undefined, next: undefined };
    const from = this.#level();
    const to = this.#takeWord('to') ? this.#level() : from;
    this.#expect('}');
    return { kind: 'any', from, to, next: undefined };
  }

  #level(): PathLevel {
    if (this.#takeWord('last')) return undefined;
    const token = this.#peek();
    if (token.kind !== 'number' || !token.isInteger) this.#fail();
    this.#at += 1;
    return Number(token.text.replaceAll('_', ''));
  }

  #subscript(): PathItem {
    if (this.#isSymbol('*')) {
      this.#at += 1;
      this.#expect(']');
      return { kind: 'anyArray', next: undefined };
    }
    const ranges: { readonly from: PathItem; readonly to: PathItem | undefined }[] = [];
    this.#subscripts += 1;
    do {
      const from = this.#nested(() => this.#asValue(this.#or()));
      const to = this.#takeWord('to') ? this.#asValue(this.#or()) : undefined;
      ranges.push({ from, to });
    } while (this.#take(','));
    this.#subscripts -= 1;
    this.#expect(']');
    return { kind: 'subscripts', ranges, next: undefined };
  }
}

/** `item` with the steps at its end. */
function chain(item: PathItem, steps: readonly PathItem[]): PathItem {
  if (item.next !== undefined) return { ...item, next: chain(item.next, steps) };
  const rest = steps.reduceRight<PathItem | undefined>(
    (next, step) => ({ ...step, next }),
    undefined,
  );
  return { ...item, next: rest };
}
