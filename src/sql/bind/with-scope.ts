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
  /** Raises where the recursive part must not name the table. */
  readonly reference?: ((at: number | undefined) => void) | undefined;
}

export interface WithScope {
  readonly entries: ReadonlyMap<string, WithEntry>;
  readonly around: WithScope | undefined;
}

export function findWithTable(scope: WithScope | undefined, name: string): WithEntry | undefined {
  for (let level = scope; level !== undefined; level = level.around) {
    const found = level.entries.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}
