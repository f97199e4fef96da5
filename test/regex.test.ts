/**
 * Regular expressions: the same matches, groups and errors as PostgreSQL's engine (PGlite), and work
 * that grows with the text however a pattern is written.
 */
import { PGlite } from '@electric-sql/pglite';
import t from 'tap';
import { Random } from '#src/base/random.js';
import { compileRegex, defaultOptions, withOption } from '#src/sql/regex/index.js';

/** The match and its groups as texts; the error's text where there is one. */
function ask(pattern: string, text: string, flags = ''): unknown {
  try {
    const options = [...flags].reduce((all, flag) => withOption(all, flag) ?? all, defaultOptions);
    const regex = compileRegex(pattern, options);
    const search = regex.search(text);
    const match = search.find(0);
    t.equal(regex.test(text), match !== undefined, `test() and find() agree on ${pattern}`);
    if (match === undefined) return null;
    const groups = Array.from({ length: regex.groupCount }, (_, i) => (i + 1) * 2);
    return (groups.length === 0 ? [0] : groups).map((at) => {
      const start = match[at] ?? -1;
      return start < 0 ? null : search.slice(start, match[at + 1] ?? start);
    });
  } catch (error) {
    return (error as Error).message;
  }
}

async function askPostgres(
  postgres: PGlite,
  pattern: string,
  text: string,
  flags = '',
): Promise<unknown> {
  try {
    const asked = 'SELECT regexp_match($1, $2, $3) AS found';
    const { rows } = await postgres.query<{ found: unknown }>(asked, [text, pattern, flags]);
    return rows[0]?.found;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Pattern, text and flags of what the manual says in words. */
const cases: readonly (readonly [string, string, string?])[] = [
  // Longest of all, not the first alternative.
  ['a|ab|abc', 'xabcd'],
  ['(a|ab)(c|bcd)(d*)', 'abcd'],
  ['a*?(b|$)', 'aaab'],
  ['(?:a|ab)??c|.', 'abc'],
  ['(a+?)(a*)', 'aaa'],
  ['^(.+?)(\\d+)$', 'ab123'],
  // Back references, lookaround, word boundaries.
  ['(\\w+) \\1', 'say hey hey'],
  ['(a*)\\1$', 'aaaaa'],
  ['\\mfoo\\M', 'a foo.'],
  ['(?<=[^a])b(?!c)', 'abcbbd'],
  ['\\d+(?= euro)', '5 dollar 7 euro'],
  ['[[:<:]]o', 'o foo'],
  // Newlines, cases, literal and expanded patterns.
  ['a.b', 'a\nb'],
  ['a.b', 'a\nb', 'n'],
  ['^b$', 'a\nb\nc', 'w'],
  ['[^x]+', 'a\nb', 'p'],
  ['É[a-ü]', 'éÜ', 'i'],
  ['a+b', 'a+b', 'q'],
  ['a b # c', 'ab', 'x'],
  ['(?i)B', 'abc'],
  ['***=a.c', 'abca.c'],
  // Brackets and escapes.
  ['[]a-]+', 'x-]a'],
  ['[\\w.]+@[^@\\s]+', 'to a.b@c.d!'],
  ['[^\\D3]', '345'],
  ['\\x41\\u00e9\\101\\e?', 'AéA'],
  ['😀.', 'a😀😃b'],
  ['[[.hyphen.]x]', 'a-'],
  // What is no pattern.
  ['(', 'a'],
  ['a)', 'a'],
  ['[a', 'a'],
  ['[b-a]', 'a'],
  ['[[:nope:]]', 'a'],
  ['[[.nope.]]', 'a'],
  ['a**', 'a'],
  ['*a', 'a'],
  ['^*', 'a'],
  ['a{2,1}', 'a'],
  ['a{256}', 'a'],
  ['a{1', 'a'],
  ['\\', 'a'],
  ['\\q', 'a'],
  ['(a)\\2', 'a'],
  ['(a)(?=\\1)', 'a'],
  ['(?z)a', 'a'],
  ['***?a', 'a'],
];

/** Patterns that nobody would write, from a seed. */
class Patterns {
  readonly #random: Random;
  #opened = 0;
  readonly #closed: number[] = [];

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  text(): string {
    const letters = Array.from({ length: this.#random.below(7) }, () => this.#of('aabbc '));
    return letters.join('');
  }

  alternatives(depth: number): string {
    let pattern = this.#branch(depth);
    while (this.#random.below(4) === 0) pattern += `|${this.#branch(depth)}`;
    return pattern;
  }

  #of(characters: string): string {
    return characters[this.#random.below(characters.length)] ?? '';
  }

  #branch(depth: number): string {
    return Array.from({ length: 1 + this.#random.below(3) }, () => this.#item(depth)).join('');
  }

  #item(depth: number): string {
    if (this.#random.below(8) === 0) {
      return this.#random.pick(['^', '$', '\\m', '\\M', '\\y', '(?=a|b)', '(?!ab)', '(?<=a*b)']);
    }
    const times = ['', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{0,2}', '{1,2}?'];
    return this.#atom(depth) + this.#random.pick(times);
  }

  #atom(depth: number): string {
    const kind = this.#random.below(depth > 0 ? 9 : 6);
    if (kind < 4) return this.#of('abc');
    if (kind < 6) return this.#random.pick(['.', '[ab]', '[^a]', '\\w']);
    if (kind === 6) return `(?:${this.alternatives(depth - 1)})`;
    const last = this.#closed.at(-1);
    if (kind === 7 && last !== undefined && this.#random.below(4) === 0) return `\\${last}`;
    this.#opened += 1;
    const group = this.#opened;
    const pattern = `(${this.alternatives(depth - 1)})`;
    this.#closed.push(group);
    return pattern;
  }
}

t.test('matches, groups and errors are those of PostgreSQL', async (t) => {
  const postgres = await PGlite.create();
  for (const [pattern, text, flags] of cases) {
    const expected = await askPostgres(postgres, pattern, text, flags);
    t.same(ask(pattern, text, flags), expected, `${pattern} on ${JSON.stringify(text)}`);
  }
  for (let seed = 1; seed <= 250; seed += 1) {
    const patterns = new Patterns(seed);
    const pattern = patterns.alternatives(3);
    const text = patterns.text();
    const expected = await askPostgres(postgres, pattern, text);
    t.same(ask(pattern, text), expected, `seed ${seed}: ${pattern} on ${JSON.stringify(text)}`);
  }
  await postgres.close();
});

t.test('patterns that make engines backtrack are looked at once', async (t) => {
  const long = `${'a'.repeat(100_000)}b`;
  t.equal(compileRegex('(a+)+$').test(long), false);
  t.same(compileRegex('(a|a)*b').search(long).find(0), [0, 100_001, 99_999, 100_000]);
  t.equal(compileRegex('((a*)*)*c').search(long).find(0), undefined);
  t.equal(compileRegex('(x+x+)+y').test('x'.repeat(100_000)), false);
  t.same(compileRegex('(.*)(.*)(.*)b').search(long).find(0)?.slice(0, 4), [0, 100_001, 0, 100_000]);
  t.equal(compileRegex('(a|b)*a(a|b){20}$').test(`${'ab'.repeat(20_000)}a`), true);
});

t.test('a search that back references make long ends with an error', async (t) => {
  const search = compileRegex('^(a+)(a+)\\1\\2b').search(`${'a'.repeat(5001)}b`);
  t.throws(() => search.find(0), { kind: 'statement_too_complex', message: /too many steps/ });
});

t.test('patterns that are too large are refused', async (t) => {
  const tooComplex = { kind: 'invalid_regular_expression', message: /too complex/ };
  t.throws(() => compileRegex('((a{255}){255}){255}'), tooComplex);
  t.throws(() => compileRegex('('.repeat(100_000)), tooComplex);
  t.throws(() => compileRegex(`${'(a)'.repeat(30_000)}`), tooComplex);
});
