/** Keeps the entries of one index as rows are written, and its uniqueness. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { quoteIdentifier } from '../functions/index.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { BoundIndex, TableRules } from '../plan/table-rules.js';
import {
  IndexEncoder,
  isImmediatelyUnique,
  rowKeyOfEntry,
  rowKeyPart,
} from '../storage-format/index.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression, compileTest } from './expression.js';
import { keyText } from './row-text.js';
import type { Evaluate, Scope, Test } from './scope.js';

export class IndexWriter {
  readonly bound: BoundIndex;
  readonly #table: TableDescriptor;
  readonly #rebuilt: boolean;
  readonly #encoder: IndexEncoder;
  readonly #values: readonly Evaluate[];
  readonly #predicate: Test | undefined;
  readonly #isImmediate: boolean;
  /** Names of the keys, for errors. */
  readonly #names: readonly string[];

  /** `scope` is that of whole rows of the table. */
  constructor(bound: BoundIndex, { table, rebuilt }: TableRules, scope: Scope) {
    this.bound = bound;
    this.#table = table;
    this.#rebuilt = rebuilt;
    this.#encoder = new IndexEncoder(table.database, bound.index);
    this.#values = bound.keys.map((key) => compileExpression(key, scope));
    this.#predicate = bound.predicate && compileTest(bound.predicate, scope);
    this.#isImmediate = isImmediatelyUnique(bound.index);
    this.#names = bound.index.keys.map(({ column: position, expression }) => {
      const column = table.columns.find((one) => one.position === position);
      return column === undefined ? (expression ?? '') : quoteIdentifier(column.name);
    });
  }

  get schema(): string {
    return this.#table.schema;
  }

  /** Whether two rows of equal values are an error when the statement or transaction ends. */
  get isDeferrable(): boolean {
    return this.bound.index.unique && !this.#isImmediate;
  }

  /** Puts the entry of a new row. Raises 23505. */
  insert(rowKey: Uint8Array, row: Row, context: ExecutionContext): void {
    const values = this.#valuesOf(row, context);
    if (values === undefined) return;
    const entry = this.#encode(values).entry(rowKey);
    this.#put(entry, rowKey, values, context);
  }

  delete(rowKey: Uint8Array, row: Row, context: ExecutionContext): void {
    const values = this.#valuesOf(row, context);
    if (values !== undefined) context.buffer.delete(this.#encode(values).entry(rowKey));
  }

  /** The row under `oldKey` becomes another, possibly under another key. Raises 23505. */
  update(
    before: { readonly key: Uint8Array; readonly row: Row },
    after: { readonly key: Uint8Array; readonly row: Row },
    context: ExecutionContext,
  ): void {
    const old = this.#valuesOf(before.row, context);
    const values = this.#valuesOf(after.row, context);
    const oldEntry = old && this.#encode(old).entry(before.key);
    const entry = values && this.#encode(values).entry(after.key);
    const sameEntry = oldEntry !== undefined && entry !== undefined && equal(oldEntry, entry);
    if (sameEntry) {
      // The same values: the row itself may lie elsewhere now.
      if (!equal(before.key, after.key)) context.buffer.put(entry, rowKeyPart(after.key).slice());
      return;
    }
    if (oldEntry !== undefined) context.buffer.delete(oldEntry);
    if (entry !== undefined && values !== undefined) this.#put(entry, after.key, values, context);
  }

  /** The key of the row that excludes this one, also among what the statement has written. */
  conflict(row: Row, context: ExecutionContext): Uint8Array | undefined {
    const values = this.#valuesOf(row, context);
    if (values === undefined || !this.#encode(values).isExclusive) return undefined;
    const found = context.buffer.getLatest(this.#encode(values).soleEntry());
    return found && rowKeyOfEntry(this.#table, found);
  }

  /** What all entries with the values of the row begin with; undefined when it excludes no other. */
  group(row: Row, context: ExecutionContext): Uint8Array | undefined {
    const values = this.#valuesOf(row, context);
    if (values === undefined || !this.#encode(values).isExclusive) return undefined;
    return this.#encode(values).search();
  }

  raiseDuplicateOf(row: Row, context: ExecutionContext): never {
    return this.#raiseDuplicate(
      must(this.#valuesOf(row, context), 'the row has an entry'),
      context,
    );
  }

  /** A new index cannot be made of the rows that there are. */
  raiseDuplicated(row: Row, context: ExecutionContext): never {
    const values = must(this.#valuesOf(row, context), 'the row has an entry');
    raiseNotUnique(this.#table, this.bound.index.name, this.#keyText(values, context));
  }

  #keyText(values: readonly Value[], context: ExecutionContext): string {
    const shown = this.bound.keys.map(({ type }, i) => ({
      type: type.name,
      value: values[i] ?? null,
    }));
    return keyText(this.#names, shown, context.functions);
  }

  #put(
    entry: Uint8Array,
    rowKey: Uint8Array,
    values: readonly Value[],
    context: ExecutionContext,
  ): void {
    const isOnly = this.#isImmediate && this.#encoder.isExclusive;
    if (isOnly && context.buffer.getLatest(entry) !== undefined) {
      this.#raiseDuplicate(values, context);
    }
    context.buffer.put(entry, rowKeyPart(rowKey).slice());
    // Whoever puts an equal row at the same time meets this key, whatever the rows' own are.
    if (this.isDeferrable && this.#encode(values).isExclusive) {
      context.buffer.put(this.#encode(values).soleEntry(), emptyValue);
    }
  }

  /** Undefined when the row has no entry. */
  #valuesOf(row: Row, context: ExecutionContext): Value[] | undefined {
    if (this.#predicate !== undefined && !this.#predicate(row, context)) return undefined;
    return this.#values.map((value) => value(row, context));
  }

  #encode(values: readonly Value[]): IndexEncoder {
    this.#encoder.begin();
    for (const value of values) this.#encoder.add(value);
    return this.#encoder;
  }

  #raiseDuplicate(values: readonly Value[], context: ExecutionContext): never {
    const { index } = this.bound;
    const { schema, name: table } = this.#table;
    if (this.#rebuilt) raiseNotUnique(this.#table, index.name, this.#keyText(values, context));
    raise('unique_violation', `duplicate key value violates unique constraint "${index.name}"`, {
      detail: `Key ${this.#keyText(values, context)} already exists.`,
      schema,
      table,
      constraint: index.name,
    });
  }
}

/** Rows that a table has are equal in the keys of an index that is made. */
export function raiseNotUnique(table: TableDescriptor, index: string, key: string): never {
  const { schema, name } = table;
  raise('unique_violation', `could not create unique index "${index}"`, {
    ...{ detail: `Key ${key} is duplicated.`, schema, table: name, constraint: index },
  });
}

const emptyValue = new Uint8Array(0);

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || Buffer.compare(a, b) === 0;
}
