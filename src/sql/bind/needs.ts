/** Gathers what rights the statement needs: PostgreSQL's range table with its permissions. */
import type { ObjectId } from '../../base/ids.js';
import { right } from '../catalogue/index.js';
import type { ColumnId, Expression } from '../plan/expression.js';
import type { Need, RelationNeed } from '../plan/needs.js';
import type { RelationColumn } from '../plan/relation.js';

/** What is needed of one entry of the range table, while the statement is bound. */
export interface EntryNeeds {
  readonly object: ObjectId;
  readonly as: ObjectId | undefined;
  rights: number;
  readonly selected: Set<number>;
  readonly inserted: Set<number>;
  readonly updated: Set<number>;
}

export class Needs {
  readonly #entries: EntryNeeds[] = [];
  readonly #others: Need[] = [];
  /** The column of a relation behind one of the statement. */
  readonly #columns = new Map<
    ColumnId,
    { readonly entry: EntryNeeds; readonly position: number }
  >();
  readonly #targets = new WeakMap<object, EntryNeeds>();

  /** The statement names a relation. */
  entry(object: ObjectId, as: ObjectId | undefined, rights: number): EntryNeeds {
    const entry: EntryNeeds = {
      ...{ object, as, rights },
      ...{ selected: new Set(), inserted: new Set(), updated: new Set() },
    };
    this.#entries.push(entry);
    return entry;
  }

  /** Whoever reads one of the columns needs SELECT on that of the relation at its position. */
  columns(
    entry: EntryNeeds,
    columns: readonly RelationColumn[],
    positions: readonly number[],
  ): void {
    for (const [i, { column }] of columns.entries()) {
      const position = positions[i];
      if (position !== undefined) this.#columns.set(column, { entry, position });
    }
  }

  /** What is needed of the table that a statement changes, by the node that names it. */
  setTarget(reference: object, entry: EntryNeeds): void {
    this.#targets.set(reference, entry);
  }

  targetOf(reference: object): EntryNeeds | undefined {
    return this.#targets.get(reference);
  }

  /** The entry that a column is of. */
  entryOf(column: ColumnId): EntryNeeds | undefined {
    return this.#columns.get(column)?.entry;
  }

  add(need: Need): void {
    this.#others.push(need);
  }

  /** All that `statement` needs, with the columns that its expressions read. */
  of(statement: object): readonly Need[] {
    if (this.#columns.size > 0) this.#read(statement, new Set());
    const relations = this.#entries.map(
      ({ object, as, rights, selected, inserted, updated }): RelationNeed => ({
        kind: 'relation',
        ...{ object, as, rights },
        ...{ selected: [...selected], inserted: [...inserted], updated: [...updated] },
      }),
    );
    // What only some roles may at all comes before what they may of an object.
    const isRole = ({ kind }: Need): boolean => kind === 'role';
    const others = this.#others.filter((need) => !isRole(need));
    return [...this.#others.filter(isRole), ...relations, ...others];
  }

  /** Visits all expressions of a part of the statement. */
  #read(part: object, seen: Set<object>): void {
    if (seen.has(part)) return;
    seen.add(part);
    if (Array.isArray(part)) {
      for (const one of part) if (isPart(one)) this.#read(one, seen);
      return;
    }
    const { kind, column } = part as Partial<Extract<Expression, { kind: 'column' }>>;
    if (kind === 'column' && column !== undefined) {
      const found = this.#columns.get(column);
      if (found === undefined) return;
      found.entry.rights |= right.select;
      found.entry.selected.add(found.position);
      return;
    }
    for (const key in part) {
      if (beside.has(key)) continue;
      const one = (part as Record<string, unknown>)[key];
      if (isPart(one)) this.#read(one, seen);
    }
  }
}

/** Fields with nothing that the statement itself says: descriptors, constraints, implementations. */
const beside: ReadonlySet<string> = new Set([
  ...['table', 'rules', 'indexes', 'function', 'equals', 'less', 'inRange', 'type', 'columns'],
  ...['sequence', 'value', 'partitioned', 'options', 'ancestors'],
]);

function isPart(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
