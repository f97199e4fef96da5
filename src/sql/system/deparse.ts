/** What prints stored texts as PostgreSQL prints its trees (ruleutils.c): given by whoever can bind. */
import type { TableDescriptor, ViewDescriptor } from '../catalogue/index.js';

/** What an expression may name: columns of a table, or VALUE of a type. */
export type Named = TableDescriptor | { readonly kind: 'value'; readonly type: string } | undefined;

export interface Deparse {
  /** `wanted` is the type that its place brings it to. */
  expression(sql: string, named: Named, pretty: boolean, wanted?: string): string;
  /** Positions of the columns of the table that the expression reads. */
  columnsRead(table: TableDescriptor, sql: string): readonly number[];
  /** What PostgreSQL calls a column of the expression. */
  columnName(sql: string): string;
  /** The query of a view, with a semicolon. */
  view(view: ViewDescriptor, pretty: boolean): string;
}
