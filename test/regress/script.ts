/**
 * Scripts of PostgreSQL's regression tests as psql reads them: statements, backslash commands and
 * the data of COPY FROM STDIN (FROM STDOUT is the same to psql), each with the lines that psql echoes for it.
 */
/** What psql sends or does when it has read the line that ends it. */
export type ScriptItem =
  | {
      readonly kind: 'statement';
      readonly text: string;
      /** Lines after COPY ... FROM STDIN up to `\.`; undefined for every other statement. */
      readonly copyData: readonly string[] | undefined;
    }
  | { readonly kind: 'command'; readonly name: string; readonly words: readonly string[] };

/** A line that psql echoes, with what ends on it. */
export interface ScriptLine {
  readonly text: string;
  readonly items: readonly ScriptItem[];
}

/** Variables that `\set` and `\getenv` give; they replace `:name`, `:'name'` and `:"name"`. */
export type Variables = Map<string, string>;

const copyFromStdin = /^\s*copy\s[^;]*\sfrom\s+std(in|out)\b/is;

/** Reads a script. `\set` and `\getenv` take effect on `variables` while it is read. */
export function readScript(text: string, variables: Variables): ScriptLine[] {
  const lines = text.split('\n');
  const read: ScriptLine[] = [];
  const lexer = new Lexer(variables);
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] ?? '';
    if (line === '' && !lexer.inQuote) {
      lexer.blankLine();
      continue;
    }
    const items = lexer.take(line).map((item): ScriptItem => {
      if (typeof item !== 'string') return item;
      if (!copyFromStdin.test(item)) return { kind: 'statement', text: item, copyData: undefined };
      const end = lines.indexOf('\\.', i + 1);
      // A COPY that is to fail has none.
      if (end < 0) return { kind: 'statement', text: item, copyData: undefined };
      const copyData = lines.slice(i + 1, end);
      i = end;
      return { kind: 'statement', text: item, copyData };
    });
    read.push({ text: line, items });
  }
  return read;
}

type State =
  | { readonly kind: 'text' }
  | { readonly kind: 'string'; readonly escapes: boolean }
  | { readonly kind: 'identifier' }
  | { readonly kind: 'dollar'; readonly tag: string }
  | { readonly kind: 'comment'; depth: number };

const plain: State = { kind: 'text' };

class Lexer {
  readonly #variables: Variables;
  #state: State = plain;
  #parentheses = 0;
  /** BEGIN ATOMIC bodies of SQL functions hold semicolons. */
  #atomic = 0;
  #statement = '';

  constructor(variables: Variables) {
    this.#variables = variables;
  }

  get inQuote(): boolean {
    return this.#state.kind !== 'text';
  }

  blankLine(): void {
    if (this.#statement !== '') this.#statement += '\n';
  }

  /** Texts of the statements, and commands, that end on the line. */
  take(line: string): (string | Extract<ScriptItem, { kind: 'command' }>)[] {
    const ended: (string | Extract<ScriptItem, { kind: 'command' }>)[] = [];
    let at = 0;
    while (at < line.length) {
      if (this.#state.kind === 'text') {
        const rest = line.slice(at);
        if (rest.startsWith('--')) {
          if (this.#statement.trim() !== '') this.#statement += rest;
          break;
        }
        if (rest.startsWith('\\') && !rest.startsWith('\\;')) {
          at = this.#command(rest, ended) ? at + 1 : line.length;
          continue;
        }
        if (rest.startsWith(';') && this.#parentheses === 0 && this.#atomic === 0) {
          this.#end(ended);
          at += 1;
          continue;
        }
      }
      at += this.#consume(line, at);
    }
    if (this.#statement !== '') this.#statement += '\n';
    return ended;
  }

  #end(ended: unknown[]): void {
    const text = this.#statement.trim();
    this.#statement = '';
    if (text !== '') ended.push(text);
  }

  /** A backslash command takes the rest of the line; true when it was a lone backslash. */
  #command(rest: string, ended: (string | Extract<ScriptItem, { kind: 'command' }>)[]): boolean {
    const name = /^\\([a-z]+|\?|!|\.)/i.exec(rest)?.[1];
    if (name === undefined) {
      this.#statement += '\\';
      return true;
    }
    const words = [...rest.slice(name.length + 1).matchAll(/'((?:[^']|'')*)'|(\S+)/g)].map(
      ([, quoted, word]) => quoted?.replaceAll("''", "'") ?? this.#expand(word ?? ''),
    );
    if (name === 'set') this.#variables.set(words[0] ?? '', words.slice(1).join(''));
    if (name === 'getenv') {
      const value = this.#variables.get(`env.${words[1]}`);
      if (value !== undefined) this.#variables.set(words[0] ?? '', value);
    }
    if (name === 'g' || name === 'gset') {
      const statement = this.#statement.trim();
      this.#statement = '';
      if (name === 'g' && statement !== '') ended.push(statement);
      else ended.push({ kind: 'command', name, words: [statement] });
      return false;
    }
    ended.push({ kind: 'command', name, words });
    return false;
  }

  #expand(word: string): string {
    return word.replace(/:(\w+)/g, (whole, name: string) => this.#variables.get(name) ?? whole);
  }

  /** Takes one token's characters into the statement; gives how many of the line. */
  #consume(line: string, at: number): number {
    const state = this.#state;
    switch (state.kind) {
      case 'text':
        return this.#consumeText(line, at);
      case 'string':
        if (state.escapes && line[at] === '\\') return this.#add(line.slice(at, at + 2));
        if (line[at] === "'") this.#state = plain;
        return this.#add(line[at] ?? '');
      case 'identifier':
        if (line[at] === '"') this.#state = plain;
        return this.#add(line[at] ?? '');
      case 'dollar':
        if (!line.startsWith(state.tag, at)) return this.#add(line[at] ?? '');
        this.#state = plain;
        return this.#add(state.tag);
      case 'comment': {
        const two = line.slice(at, at + 2);
        if (two === '/*') state.depth += 1;
        else if (two === '*/') state.depth -= 1;
        else return this.#add(line[at] ?? '');
        if (state.depth === 0) this.#state = plain;
        return this.#add(two);
      }
    }
  }

  #consumeText(line: string, at: number): number {
    const rest = line.slice(at);
    const before = this.#statement.at(-1) ?? ' ';
    const variable = /^:(?:'(\w+)'|"(\w+)"|(\w+))/.exec(rest);
    if (variable !== null && before !== ':') return this.#variable(variable);
    if (rest.startsWith('/*')) {
      this.#state = { kind: 'comment', depth: 1 };
      return this.#add('/*');
    }
    const dollar = /^\$(?:[A-Za-z_]\w*)?\$/.exec(rest)?.[0];
    if (dollar !== undefined && !/\w/.test(before)) {
      this.#state = { kind: 'dollar', tag: dollar };
      return this.#add(dollar);
    }
    const character = line[at] ?? '';
    if (character === "'")
      this.#state = { kind: 'string', escapes: /(^|\W)[eE]$/.test(this.#statement) };
    else if (character === '"') this.#state = { kind: 'identifier' };
    else if (character === '(') this.#parentheses += 1;
    else if (character === ')') this.#parentheses = Math.max(0, this.#parentheses - 1);
    if (/^begin\s+atomic\b/i.test(rest) && !/\w/.test(before)) this.#atomic += 1;
    else if (this.#atomic > 0 && /^case\b/i.test(rest) && !/\w/.test(before)) this.#atomic += 1;
    else if (this.#atomic > 0 && /^end\b/i.test(rest) && !/\w/.test(before)) this.#atomic -= 1;
    return this.#add(character);
  }

  #variable([whole, literal, identifier, bare]: RegExpExecArray): number {
    const value = this.#variables.get(literal ?? identifier ?? bare ?? '');
    if (value === undefined) return this.#add(whole);
    if (literal !== undefined) this.#statement += `'${value.replaceAll("'", "''")}'`;
    else if (identifier !== undefined) this.#statement += `"${value.replaceAll('"', '""')}"`;
    else this.#statement += value;
    return whole.length;
  }

  #add(text: string): number {
    this.#statement += text;
    return text.length;
  }
}
