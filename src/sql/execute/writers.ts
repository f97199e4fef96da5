/** The writers of a statement: of its target, and of tables that foreign keys lead to. */
import { must } from '../../base/assert.js';
import type { ObjectId } from '../../base/ids.js';
import type { ForeignKeyAction } from '../catalogue/descriptor.js';
import type { TableRules, WriteRules } from '../plan/table-rules.js';
import type { Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { ForeignKey } from './foreign-keys.js';
import { ReferencingRows } from './referencing-rows.js';
import { RowPlaces } from './row-places.js';
import { slotOfPosition } from './row-text.js';
import { type Evaluate, scopeOf } from './scope.js';
import { TableWriter } from './table-writer.js';

/** A foreign key seen from the table that it references. */
export interface Reference {
  readonly key: ForeignKey;
  /** The rows that reference. */
  readonly rows: ReferencingRows;
  /** Changes the referencing columns of a row as the action says. */
  set(
    action: ForeignKeyAction,
    now: readonly Value[] | undefined,
    row: Value[],
    context: ExecutionContext,
  ): void;
}

/** Compiled once per statement, each when it is first needed. */
export class Writers {
  readonly target: TableWriter;
  /** Undefined where every row of the target lies in the target itself. */
  readonly places: RowPlaces | undefined;
  readonly #rules: WriteRules;
  readonly #writers = new Map<ObjectId, TableWriter>();
  readonly #foreignKeys = new Map<TableWriter, readonly ForeignKey[]>();
  readonly #references = new Map<TableWriter, readonly Reference[]>();
  readonly #rows = new Map<ForeignKey, ReferencingRows>();

  constructor(rules: WriteRules) {
    this.#rules = rules;
    this.target = this.of(rules.target.table.object);
    const { partitioning, ancestors } = rules.target;
    const isDivided = partitioning !== undefined || ancestors.length > 0;
    this.places = isDivided ? new RowPlaces(this, rules.target) : undefined;
  }

  /** Whether something may be left to do at the end of the statement. */
  get hasEnd(): boolean {
    if (this.places !== undefined) return true;
    const { foreignKeys, table } = this.#rules.target;
    const isReferenced = table.referencedBy.length > 0;
    return (
      foreignKeys.length > 0 || isReferenced || this.target.indexes.some((one) => one.isDeferrable)
    );
  }

  of(table: ObjectId): TableWriter {
    const known = this.#writers.get(table);
    if (known !== undefined) return known;
    const writer = new TableWriter(this.rulesOf(table));
    this.#writers.set(table, writer);
    return writer;
  }

  rulesOf(table: ObjectId): TableRules {
    return must(this.#rules.tables.get(table), 'the statement has the rules of the table');
  }

  /** The indexes of all tables of the statement that are these or parts of these. */
  withParts(indexes: readonly ObjectId[]): ReadonlySet<ObjectId> {
    const all = new Set(indexes);
    const tables = [...this.#rules.tables.values()];
    for (let before = 0; before < all.size; ) {
      before = all.size;
      for (const { table } of tables) {
        for (const { object, partOf } of table.indexes) {
          if (partOf !== undefined && all.has(partOf)) all.add(object);
        }
      }
    }
    return all;
  }

  foreignKeysOf(writer: TableWriter): readonly ForeignKey[] {
    const known = this.#foreignKeys.get(writer);
    if (known !== undefined) return known;
    const { table, rules, scope } = writer;
    const keys = rules.foreignKeys.map((bound) => new ForeignKey(bound, table, scope));
    this.#foreignKeys.set(writer, keys);
    return keys;
  }

  referencesTo(writer: TableWriter): readonly Reference[] {
    const known = this.#references.get(writer);
    if (known !== undefined) return known;
    const { table } = writer;
    const references = table.referencedBy.flatMap((child) =>
      this.foreignKeysOf(this.of(child))
        .filter(({ bound }) => bound.key.references === table.object)
        .map((key) => ({ key, rows: this.rowsOf(key), set: this.#compileSet(key) })),
    );
    this.#references.set(writer, references);
    return references;
  }

  /** The rows of a foreign key's own table. */
  rowsOf(key: ForeignKey): ReferencingRows {
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const rows = new ReferencingRows(key);
    this.#rows.set(key, rows);
    return rows;
  }

  #compileSet(key: ForeignKey): Reference['set'] {
    const { child } = key;
    const { onDeleteColumns } = key.bound.key;
    const rules = this.rulesOf(child.object);
    const scope = scopeOf([], child.database);
    const defaults = new Map<number, Evaluate>();
    for (const [position, expression] of rules.defaults) {
      defaults.set(slotOfPosition(child, position), compileExpression(expression, scope));
    }
    const deletedSlots = onDeleteColumns.map((position) => slotOfPosition(child, position));
    return (action, now, row, context) => {
      if (action === 'cascade') {
        const values = key.toChild(must(now, 'the key has changed'), context);
        for (const [i, slot] of key.childSlots.entries()) row[slot] = values[i] ?? null;
        return;
      }
      const slots = now === undefined && deletedSlots.length > 0 ? deletedSlots : key.childSlots;
      for (const slot of slots) {
        row[slot] = action === 'setDefault' ? (defaults.get(slot)?.([], context) ?? null) : null;
      }
    };
  }
}
