/** The tables of WITH that a query can name. */
import type { RelationColumn } from '../plan/relation.js';

/** A table of WITH as a query that names it sees it. */
export interface WithEntry {
  readonly id: number;
  readonly name: string;
  /** Names and types; undefined for a statement without RETURNING. */
  readonly columns: readonly RelationColumn[] | undefined;
  /** The table's own recursive part sees the rows that are new. */
  readonly working: boolean;
  /** So many columns at the end can be named, but `*` leaves them out. */
  readonly unlisted?: number;
  /** Raises where the recursive part must not name the table. */
  readonly reference?: ((at: number | undefined) => void) | undefined;
}

export interface WithScope {
  readonly entries: ReadonlyMap<string, WithEntry>;
  readonly around: WithScope | undefined;
  /** Names of tables that are not there yet. */
  readonly later: ReadonlySet<string>;
}

export function findWithTable(scope: WithScope | undefined, name: string): WithEntry | undefined {
  for (let level = scope; level !== undefined; level = level.around) {
    const found = level.entries.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What an error says of a name that a table of WITH has further on. */
export function laterDetails(
  scope: WithScope | undefined,
  name: string,
): { readonly detail?: string; readonly hint?: string } {
  for (let level = scope; level !== undefined; level = level.around) {
    if (!level.later.has(name)) continue;
    return {
      detail: `There is a WITH item named "${name}", but it cannot be referenced from this part of the query.`,
      hint: 'Use WITH RECURSIVE, or re-order the WITH items to remove forward references.',
    };
  }
  return {};
}
