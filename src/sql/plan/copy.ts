/** The parts of bound COPY statements. */
import type { CopyOptions } from '../copy/index.js';
import type { Expression } from './expression.js';
import type { Relation, RelationColumn } from './relation.js';

/** The other end of COPY. */
export type CopyEnd =
  /** STDIN and STDOUT: the client's messages. */
  | { readonly kind: 'client' }
  /** A file of the node's machine. */
  | { readonly kind: 'file'; readonly path: string };

/** The rows that COPY FROM reads, as a relation. */
export interface CopyInput {
  readonly kind: 'copyInput';
  /** A column for each field, of the type and under the name of the table's. */
  readonly columns: readonly RelationColumn[];
  /** For errors. */
  readonly table: string;
  readonly source: CopyEnd;
  readonly options: CopyOptions;
  /** Per column: its value where a field stands for the default. */
  readonly defaults: readonly (Expression | undefined)[];
}

/** COPY ... TO: its result for a client is one column with the lines, or pieces, of the data. */
export interface CopyTo {
  readonly kind: 'copyTo';
  readonly input: Relation;
  readonly options: CopyOptions;
  readonly target: CopyEnd;
  /** Of the result; undefined when a file takes the data. */
  readonly columns: readonly RelationColumn[] | undefined;
}
