/** What prints stored texts as PostgreSQL prints its trees (ruleutils.c): given by whoever can bind. */
import type { TableDescriptor, ViewDescriptor } from '../catalogue/index.js';

export interface Deparse {
  /** An expression over the columns of a table, or over VALUE without one. */
  expression(sql: string, of: TableDescriptor | undefined, pretty: boolean): string;
  /** Positions of the columns of the table that the expression reads. */
  columnsRead(table: TableDescriptor, sql: string): readonly number[];
  /** The query of a view, with a semicolon. */
  view(view: ViewDescriptor, pretty: boolean): string;
}
