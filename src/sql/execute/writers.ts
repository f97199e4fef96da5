/** The writers of a statement: of its target, and of tables that foreign keys lead to. */
import { must } from '../../base/assert.js';
import type { ObjectId } from '../../base/ids.js';
import type { ForeignKeyAction } from '../catalogue/descriptor.js';
import type { WriteRules } from '../plan/table-rules.js';
import type { Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { ForeignKey } from './foreign-keys.js';
import { ReferencingRows } from './referencing-rows.js';
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
  readonly #rules: WriteRules;
  readonly #writers = new Map<ObjectId, TableWriter>();
  readonly #foreignKeys = new Map<TableWriter, readonly ForeignKey[]>();
  readonly #references = new Map<TableWriter, readonly Reference[]>();
  readonly #rows = new Map<ForeignKey, ReferencingRows>();

  constructor(rules: WriteRules) {
    this.#rules = rules;
    this.target = this.of(rules.target.table.object);
  }

  /** Whether something may be left to do at the end of the statement. */
  get hasEnd(): boolean {
    const { foreignKeys, table } = this.#rules.target;
    const isReferenced = table.referencedBy.length > 0;
    return (
      foreignKeys.length > 0 || isReferenced || this.target.indexes.some((one) => one.isDeferrable)
    );
  }

  of(table: ObjectId): TableWriter {
    const known = this.#writers.get(table);
    if (known !== undefined) return known;
    const rules = must(this.#rules.tables.get(table), 'the statement has the rules of the table');
    const writer = new TableWriter(rules);
    this.#writers.set(table, writer);
    return writer;
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
    const rules = must(this.#rules.tables.get(child.object), 'the rules of the child');
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
