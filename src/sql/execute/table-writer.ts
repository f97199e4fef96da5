/**
 * Writes rows of one table: the only place that puts and deletes them. It computes generated columns,
 * refuses what breaks a constraint, keeps the entries of indexes, and notes what foreign keys and
 * deferrable constraints ask for when the statement ends ({@link StatementEnd}).
 */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { ColumnDescriptor, TableDescriptor } from '../catalogue/descriptor.js';
import { quoteIdentifier } from '../functions/index.js';
import type { TableRules } from '../plan/table-rules.js';
import { KeyEncoder, RowEncoder } from '../storage-format/index.js';
import type { Row, Value } from '../types/index.js';
import { compileAssignments, type CompiledAssignment } from './assignments.js';
import type { ExecutionContext } from './execution.js';
import { compileTest } from './expression.js';
import { IndexWriter, raiseNotUnique } from './index-writer.js';
import { keyText, rowText, slotOfPosition } from './row-text.js';
import { type Scope, scopeOf, type Test } from './scope.js';
import { takeNumber } from './sequence.js';
import type { StatementEnd } from './statement-end.js';

/** A row and where it lies. */
export interface StoredRow {
  readonly key: Uint8Array;
  readonly row: Row;
}

/** Rows here are whole: the table's columns in the order of the descriptor. */
export class TableWriter {
  readonly rules: TableRules;
  readonly table: TableDescriptor;
  /** Where expressions of the rules find a row's columns. */
  readonly scope: Scope;
  readonly indexes: readonly IndexWriter[];
  readonly #keys: KeyEncoder;
  readonly #rows: RowEncoder;
  /** Where a row has the key columns. */
  readonly #keySlots: readonly number[];
  readonly #notNull: readonly { readonly slot: number; readonly column: ColumnDescriptor }[];
  readonly #generated: readonly CompiledAssignment[];
  readonly #checks: readonly { readonly name: string; readonly fails: Test }[];

  constructor(rules: TableRules) {
    const { table } = rules;
    this.rules = rules;
    this.table = table;
    this.scope = scopeOf(rules.row, table.database);
    this.#keys = new KeyEncoder(table);
    this.#rows = new RowEncoder(table);
    this.#keySlots = table.primaryKey.map((position) => slotOfPosition(table, position));
    this.#notNull = table.columns.flatMap((column, slot) =>
      column.notNull || table.primaryKey.includes(column.position) ? [{ slot, column }] : [],
    );
    this.#generated = compileAssignments(rules.generated, table, this.scope);
    this.#checks = rules.checks.map(({ check, condition }) => ({
      name: check.name,
      // NULL satisfies a check.
      fails: compileTest(negated(condition), this.scope),
    }));
    this.indexes = rules.indexes.map((bound) => new IndexWriter(bound, rules, this.scope));
  }

  get hasKey(): boolean {
    return this.#keySlots.length > 0;
  }

  /** The key of a row of a table with primary key. Raises 54000. */
  keyOf(row: Row): Uint8Array {
    this.#keys.begin();
    for (const slot of this.#keySlots) this.#keys.add(row[slot] as Value);
    return this.#keys.finish();
  }

  /** The key of a row of a table without primary key. */
  keyOfNumber(number: bigint): Uint8Array {
    return this.#keys.begin().add(number).finish();
  }

  /** Fills in generated columns and raises 23502 and 23514: a row passes here before it is written. */
  check(row: Value[], context: ExecutionContext): void {
    for (const { slot, value } of this.#generated) row[slot] = value(row, context);
    this.#checkNotNull(row, context);
    for (const { name, fails } of this.#checks) {
      if (fails(row, context)) this.raiseCheck(name, row, context);
    }
  }

  /** Writes a new row that was checked. Raises 23505. */
  insert(row: Row, context: ExecutionContext, end: StatementEnd): void {
    const key = this.#newKey(row, context);
    if (this.hasKey && context.buffer.getLatest(key) !== undefined) {
      this.#raiseDuplicate(row, context);
    }
    for (const index of this.indexes) index.insert(key, row, context);
    context.buffer.put(key, this.#rows.encode(row));
    end.inserted(this, row, context);
  }

  /** Writes a checked row in the place of another one. Raises 23505. Gives its key. */
  update(before: StoredRow, row: Row, context: ExecutionContext, end: StatementEnd): Uint8Array {
    const key = this.hasKey ? this.keyOf(row) : before.key;
    if (!sameBytes(key, before.key)) {
      if (context.buffer.getLatest(key) !== undefined) this.#raiseDuplicate(row, context);
      context.buffer.delete(before.key);
    }
    for (const index of this.indexes) index.update(before, { key, row }, context);
    context.buffer.put(key, this.#rows.encode(row));
    end.updated(this, before.row, row, context);
    return key;
  }

  /** `before.row` is whole where the table has indexes or is referenced. */
  delete(before: StoredRow, context: ExecutionContext, end: StatementEnd): void {
    context.buffer.delete(before.key);
    for (const index of this.indexes) index.delete(before.key, before.row, context);
    end.deleted(this, before.row, context);
  }

  /** The key of the row that has this one's primary key, also one that the statement has written. */
  keyConflict(row: Row, context: ExecutionContext): Uint8Array | undefined {
    if (!this.hasKey) return undefined;
    const key = this.keyOf(row);
    return context.buffer.getLatest(key) === undefined ? undefined : key;
  }

  /** The key of a row that is new: that of its columns, or a number of its own. */
  #newKey(row: Row, context: ExecutionContext): Uint8Array {
    if (this.hasKey) return this.keyOf(row);
    const sequence = must(this.table.rowNumbers, 'a table without key numbers its rows');
    return this.keyOfNumber(takeNumber(sequence, context));
  }

  #checkNotNull(row: Row, context: ExecutionContext): void {
    for (const { slot, column } of this.#notNull) {
      if (row[slot] !== null) continue;
      const { schema, name } = this.table;
      if (this.rules.rebuilt) {
        const text = `column "${column.name}" of relation "${name}" contains null values`;
        raise('not_null_violation', text, { schema, table: name, column: column.name });
      }
      raise(
        'not_null_violation',
        `null value in column "${column.name}" of relation "${name}" violates not-null constraint`,
        { detail: this.#failingRow(row, context), schema, table: name, column: column.name },
      );
    }
  }

  /** Raises 23514 as PostgreSQL does. */
  raiseCheck(constraint: string, row: Row, context: ExecutionContext): never {
    const { schema, name } = this.table;
    if (this.rules.rebuilt) raiseBrokenCheck(this.table, constraint);
    raise(
      'check_violation',
      `new row for relation "${name}" violates check constraint "${constraint}"`,
      { detail: this.#failingRow(row, context), schema, table: name, constraint },
    );
  }

  #failingRow(row: Row, context: ExecutionContext): string {
    return `Failing row contains (${rowText(this.table, row, context.functions)}).`;
  }

  /** Raises 23505 as PostgreSQL does. */
  #raiseDuplicate(row: Row, context: ExecutionContext): never {
    const { schema, name, columns, primaryKeyName } = this.table;
    const keyColumns = this.#keySlots.map((slot) => must(columns[slot], 'a key column'));
    const shown = keyColumns.map(({ type }, i) => ({
      type,
      value: row[this.#keySlots[i] as number] ?? null,
    }));
    const names = keyColumns.map((column) => quoteIdentifier(column.name));
    const constraint = primaryKeyName ?? `${name}_pkey`;
    const text = keyText(names, shown, context.functions);
    if (this.rules.rebuilt) raiseNotUnique(this.table, constraint, text);
    raise('unique_violation', `duplicate key value violates unique constraint "${constraint}"`, {
      detail: `Key ${text} already exists.`,
      schema,
      table: name,
      constraint,
    });
  }
}

/** Rows that a table has break a check. */
export function raiseBrokenCheck(table: TableDescriptor, constraint: string): never {
  const { schema, name } = table;
  const text = `check constraint "${constraint}" of relation "${name}" is violated by some row`;
  raise('check_violation', text, { schema, table: name, constraint });
}

const bool = { name: 'bool', modifier: -1 } as const;

/** True exactly where the condition is false. */
function negated(condition: TableRules['checks'][number]['condition']): typeof condition {
  return { kind: 'not', type: bool, operand: condition };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || Buffer.compare(a, b) === 0;
}
