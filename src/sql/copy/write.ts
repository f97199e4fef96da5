/** Rows as lines of text and CSV (copyto.c). */
import type { CopyOptions } from './options.js';

const textEscapes: ReadonlyMap<string, string> = new Map([
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['\\', '\\\\'],
]);

const textSpecials = /[\b\f\n\r\t\v\\]/;

/** Makes lines, each with its line feed, of the printed values of rows. */
export class LineWriter {
  readonly #options: CopyOptions;
  readonly #forced: readonly boolean[];
  readonly #isOneColumn: boolean;

  constructor(options: CopyOptions, columns: readonly string[]) {
    const { forceQuote } = options;
    this.#options = options;
    this.#forced = columns.map((name) => forceQuote === 'all' || forceQuote.has(name));
    this.#isOneColumn = columns.length === 1;
  }

  line(values: readonly (string | null)[]): string {
    const { delimiter, format } = this.#options;
    const write = format === 'csv' ? this.#csv : this.#text;
    let line = '';
    for (let i = 0; i < values.length; i += 1) {
      if (i > 0) line += delimiter;
      const value = values[i] ?? null;
      line += value === null ? this.#options.null : write(value, i);
    }
    return `${line}\n`;
  }

  readonly #text = (value: string): string => {
    const { delimiter } = this.#options;
    if (!textSpecials.test(value) && !value.includes(delimiter)) return value;
    let written = '';
    for (const c of value) {
      written += textEscapes.get(c) ?? (c === delimiter ? `\\${c}` : c);
    }
    return written;
  };

  readonly #csv = (value: string, column: number): string => {
    const { delimiter, quote, escape: escapeWith, null: nullText } = this.#options;
    const needed =
      this.#forced[column] === true ||
      value === nullText ||
      // Alone on its line it would end the data.
      (this.#isOneColumn && value === '\\.') ||
      value.includes(delimiter) ||
      value.includes(quote) ||
      value.includes('\n') ||
      value.includes('\r');
    if (!needed) return value;
    let written = quote;
    for (const c of value) written += c === quote || c === escapeWith ? escapeWith + c : c;
    return written + quote;
  };
}

/** HEADER's line: names as values that are never NULL; only CSV quotes them where needed. */
export function headerLine(options: CopyOptions, columns: readonly string[]): string {
  const plain = { ...options, forceQuote: new Set<string>() };
  return new LineWriter(plain, columns).line(columns);
}
