/** Cuts the text of COPY into lines, as copyfromparse.c's CopyReadLineText. */
import { raise } from '../../base/errors.js';
import type { CopyOptions } from './options.js';

type LineEnd = '\n' | '\r' | '\r\n';

/** Begins the line that ends the data. */
const marker = '\\.';

/**
 * Lines of text or CSV. The first line's end decides what ends all others. A line of CSV may hold
 * line ends within quotes. Use: `push` pieces as they come and `end` after the last; `next` gives
 * lines as long as there are whole ones.
 */
export class LineReader {
  readonly #isCsv: boolean;
  readonly #quote: string;
  /** Undefined where quotes are doubled: the two of a pair cancel each other out. */
  readonly #escape: string | undefined;
  #text = '';
  /** Where the next line begins, and how far it has been looked at. */
  #from = 0;
  #at = 0;
  #ended = false;
  #done = false;
  #lineEnd: LineEnd | undefined;
  #inQuote = false;
  #afterEscape = false;
  /** Of the line given last, counted from 1. */
  #line = 0;
  /** Line ends within quotes of the lines so far. */
  #embedded = 0;

  constructor(options: Pick<CopyOptions, 'format' | 'quote' | 'escape'>) {
    this.#isCsv = options.format === 'csv';
    this.#quote = options.quote;
    this.#escape = options.escape === options.quote ? undefined : options.escape;
  }

  /** The number of the line given last, or of the one that cannot be read. */
  get line(): number {
    return this.#line + this.#embedded;
  }

  /** Characters held. */
  get held(): number {
    return this.#text.length - this.#from;
  }

  push(text: string): void {
    this.#text = this.#text.slice(this.#from) + text;
    this.#at -= this.#from;
    this.#from = 0;
  }

  end(): void {
    this.#ended = true;
  }

  /** The next line without its end; undefined when there is none yet, or no more after the end. */
  next(): string | undefined {
    if (this.#done) return undefined;
    const quick = this.#quickLine();
    if (quick !== undefined) return quick;
    const text = this.#text;
    for (; this.#at < text.length; this.#at += 1) {
      const c = text[this.#at] as string;
      if (this.#isCsv) this.#followQuotes(c);
      if ((c === '\n' || c === '\r') && !this.#inQuote) {
        // Whether a line feed follows is not known yet.
        if (c === '\r' && this.#at + 1 === text.length && !this.#ended) return undefined;
        return this.#finish(this.#lineEndAt(c));
      }
      if (c !== '\\' || (this.#isCsv && this.#at !== this.#from)) continue;
      const found = this.#atBackslash();
      if (found === 'more') return undefined;
      if (found === 'end') return this.#lastLine(this.#at);
    }
    return this.#ended ? this.#lastLine(text.length) : undefined;
  }

  /** A line with nothing special in it, the usual case. */
  #quickLine(): string | undefined {
    if (this.#at !== this.#from || (this.#lineEnd ?? '\n') !== '\n') return undefined;
    const end = this.#text.indexOf('\n', this.#from);
    if (end < 0) return undefined;
    const line = this.#text.slice(this.#from, end);
    if (line.includes('\\') || line.includes('\r')) return undefined;
    if (this.#isCsv && line.includes(this.#quote)) return undefined;
    this.#lineEnd = '\n';
    this.#from = end + 1;
    this.#at = end + 1;
    this.#line += 1;
    return line;
  }

  #followQuotes(c: string): void {
    if (this.#inQuote && c === this.#escape) this.#afterEscape = !this.#afterEscape;
    if (c === this.#quote && !this.#afterEscape) this.#inQuote = !this.#inQuote;
    if (c !== this.#escape) this.#afterEscape = false;
    if (this.#inQuote && c === (this.#lineEnd?.[0] ?? '\n')) this.#embedded += 1;
  }

  /** The length of the line's end at `#at`. */
  #lineEndAt(c: string): number {
    const known = this.#lineEnd;
    if (c === '\n') {
      if (known === '\r' || known === '\r\n') this.#refuse('newline', 'n');
      this.#lineEnd = '\n';
      return 1;
    }
    if (known === '\n') this.#refuse('carriage return', 'r');
    const pair = known !== '\r' && this.#text[this.#at + 1] === '\n';
    if (known === '\r\n' && !pair) this.#refuse('carriage return', 'r');
    this.#lineEnd = pair ? '\r\n' : '\r';
    return pair ? 2 : 1;
  }

  #refuse(what: string, letter: string): never {
    this.#line += 1;
    if (this.#isCsv) {
      raise('bad_copy_file_format', `unquoted ${what} found in data`, {
        hint: `Use quoted CSV field to represent ${what}.`,
      });
    }
    raise('bad_copy_file_format', `literal ${what} found in data`, {
      hint: `Use "\\${letter}" to represent ${what}.`,
    });
  }

  /** At a backslash: the data end here, more text is needed to know, or it is data. */
  #atBackslash(): 'end' | 'more' | 'data' {
    const text = this.#text;
    const at = this.#at;
    // The marker, its line end, and what shows that it is not a pair.
    if (at + 4 > text.length && !this.#ended) return 'more';
    if (!text.startsWith(marker, at)) {
      // What follows a backslash is data, a line end too.
      if (!this.#isCsv && at + 1 < text.length) this.#at += 1;
      return 'data';
    }
    const after = text.slice(at + 2, at + 4);
    if (after === '') return 'end';
    const end = after.startsWith('\r\n') ? '\r\n' : after[0];
    if (end !== '\n' && end !== '\r' && end !== '\r\n') {
      if (this.#isCsv) return 'data';
      this.#line += 1;
      raise('bad_copy_file_format', 'end-of-copy marker corrupt');
    }
    const known = this.#lineEnd;
    if (known !== undefined && known !== end && !(known === '\r' && end === '\r\n')) {
      this.#line += 1;
      const message = 'end-of-copy marker does not match previous newline style';
      raise('bad_copy_file_format', message);
    }
    return 'end';
  }

  #finish(endLength: number): string {
    const line = this.#text.slice(this.#from, this.#at);
    this.#at += endLength;
    this.#from = this.#at;
    this.#inQuote = false;
    this.#afterEscape = false;
    this.#line += 1;
    return line;
  }

  /** What comes before the end of all, unless that is nothing. */
  #lastLine(to: number): string | undefined {
    const line = this.#text.slice(this.#from, to);
    this.#done = true;
    this.#from = this.#text.length;
    this.#at = this.#from;
    if (line === '') return undefined;
    this.#line += 1;
    return line;
  }

  /** Whether nothing will come any more. */
  get done(): boolean {
    return this.#done;
  }
}
