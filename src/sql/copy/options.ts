/** What COPY's options say, with their defaults filled in. */

export type CopyFormat = 'text' | 'csv' | 'binary';

export interface CopyOptions {
  readonly format: CopyFormat;
  readonly delimiter: string;
  /** What stands for NULL. */
  readonly null: string;
  /** What stands for the column's default; COPY FROM only. */
  readonly default: string | undefined;
  readonly header: 'none' | 'present' | 'match';
  /** CSV only, as the rest; names of columns. */
  readonly quote: string;
  readonly escape: string;
  readonly forceQuote: 'all' | ReadonlySet<string>;
  readonly forceNotNull: 'all' | ReadonlySet<string>;
  readonly forceNull: 'all' | ReadonlySet<string>;
}

/** Stands in a row for the column's default. */
export const defaultMarker = Symbol('default');

/** A field of a line: its text, NULL, or the column's default. */
export type Field = string | null | typeof defaultMarker;
