/** What INSERT, UPDATE and DELETE share: a table's rows as bytes, and its constraints. */
import { assert, must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { ColumnDescriptor, TableDescriptor } from '../catalogue/descriptor.js';
import { KeyEncoder, RowEncoder } from '../storage-format/index.js';
import { type Row, typeNamed, type Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { nextValue } from './expression.js';

/** The name under which errors report the primary key. */
function keyName(table: TableDescriptor): string {
  return table.primaryKeyName ?? `${table.name}_pkey`;
}

/** Rows here are whole: the table's columns in the order of the descriptor. */
export class TableWriter {
  readonly table: TableDescriptor;
  readonly #keys: KeyEncoder;
  readonly #rows: RowEncoder;
  /** Where a row has the key columns. */
  readonly #keySlots: readonly number[];
  readonly #notNull: readonly { readonly slot: number; readonly column: ColumnDescriptor }[];

  constructor(table: TableDescriptor) {
    this.table = table;
    this.#keys = new KeyEncoder(table);
    this.#rows = new RowEncoder(table);
    this.#keySlots = table.primaryKey.map((position) => slotOfPosition(table, position));
    this.#notNull = table.columns.flatMap((column, slot) =>
      column.notNull || table.primaryKey.includes(column.position) ? [{ slot, column }] : [],
    );
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

  /** The key of a row that is new: that of its columns, or a number of its own. */
  newKey(row: Row, context: ExecutionContext): Uint8Array {
    if (this.hasKey) return this.keyOf(row);
    const sequence = must(this.table.rowNumbers, 'a table without key numbers its rows');
    return this.keyOfNumber(nextValue(sequence, this.table.database, context));
  }

  put(key: Uint8Array, row: Row, context: ExecutionContext): void {
    context.buffer.put(key, this.#rows.encode(row));
  }

  /** Raises 23502 as PostgreSQL does. */
  checkNotNull(row: Row, context: ExecutionContext): void {
    for (const { slot, column } of this.#notNull) {
      if (row[slot] !== null) continue;
      const { schema, name } = this.table;
      raise(
        'not_null_violation',
        `null value in column "${column.name}" of relation "${name}" violates not-null constraint`,
        {
          detail: `Failing row contains (${this.#print(row, context)}).`,
          schema,
          table: name,
          column: column.name,
        },
      );
    }
  }

  /** Raises 23505 as PostgreSQL does. */
  raiseDuplicate(row: Row, context: ExecutionContext): never {
    const { schema, name, columns } = this.table;
    const names = this.#keySlots.map((slot) => columns[slot]?.name ?? '');
    const values = this.#keySlots.map((slot) => this.#printColumn(row, slot, context));
    const constraint = keyName(this.table);
    raise('unique_violation', `duplicate key value violates unique constraint "${constraint}"`, {
      detail: `Key (${names.join(', ')})=(${values.join(', ')}) already exists.`,
      schema,
      table: name,
      constraint,
    });
  }

  #print(row: Row, context: ExecutionContext): string {
    return row.map((_, slot) => clip(this.#printColumn(row, slot, context))).join(', ');
  }

  #printColumn(row: Row, slot: number, context: ExecutionContext): string {
    const value = row[slot];
    if (value === null || value === undefined) return 'null';
    const column = must(this.table.columns[slot], 'a row is as wide as its table');
    return typeNamed(column.type).print(value, context.functions);
  }
}

export function slotOfPosition(table: TableDescriptor, position: number): number {
  const slot = table.columns.findIndex((column) => column.position === position);
  assert(slot >= 0, 'the table has no such position', position);
  return slot;
}

/** PostgreSQL shows at most 64 bytes of a value in a message. */
const shownBytes = 64;

function clip(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= shownBytes) return text;
  let end = shownBytes;
  // Never between the bytes of one character: those after its first begin with the bits 10.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}...`;
}
