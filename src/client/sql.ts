/** The tag `sql` of a database, a session or a transaction. */
import { type Executor, Query } from './query.js';
import type { Row } from './result.js';
import { Fragment, identifier, list, type Part, rows } from './template.js';
import type { Parameter } from './values.js';

/**
 * Makes a query from a template. Each `${value}` becomes a parameter; a query or a fragment in
 * `${}` becomes part of the text.
 *
 * @example
 * const newer = sql`and created > ${date}`;
 * await sql`select * from ${sql.identifier(table)} where id in ${sql.list(ids)} ${newer}`;
 * await sql`insert into t (id, name) values ${sql.rows([[1, 'one'], [2, 'two']])}`;
 */
export interface Sql {
  <T extends object = Row>(strings: TemplateStringsArray, ...parts: readonly Part[]): Query<T>;
  /** A quoted name; several are joined by dots. */
  identifier(...names: readonly string[]): Fragment;
  /** A parenthesised list of parameters for IN; an empty one is refused. */
  list(values: readonly Parameter[]): Fragment;
  /** Parenthesised rows of parameters for VALUES. */
  rows(values: readonly (readonly Parameter[])[]): Fragment;
}

export function sqlOf(executor: Executor): Sql {
  const tag = <T extends object = Row>(
    strings: TemplateStringsArray,
    ...parts: readonly Part[]
  ): Query<T> => new Query<T>(executor, new Fragment(strings, parts));
  return Object.assign(tag, { identifier, list, rows });
}
