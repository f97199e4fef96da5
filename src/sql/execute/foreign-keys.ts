/** Foreign keys compiled: what a referencing row asks for, and how the rows of a key are found. */
import { must } from '../../base/assert.js';
import { byteString } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import { findCoercion } from '../functions/index.js';
import type { BoundForeignKey } from '../plan/table-rules.js';
import { IndexEncoder, KeyEncoder } from '../storage-format/index.js';
import type { Row, TypeName, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { keyFitter } from './key-values.js';
import { compileRowKey } from './row-key.js';
import { keyText, slotOfPosition } from './row-text.js';
import type { Evaluate, Scope } from './scope.js';

/** A key of the parent that some row references. */
export interface Wanted {
  /** In the types of the columns referenced. */
  readonly values: readonly Value[];
  /** Where the parent's row or its entry lies; undefined when no row can have these values. */
  readonly at: Uint8Array | undefined;
}

export class ForeignKey {
  readonly bound: BoundForeignKey;
  readonly child: TableDescriptor;
  readonly #values: readonly Evaluate[];
  readonly #fits: readonly ReturnType<typeof keyFitter>[];
  readonly #locate: (values: readonly Value[]) => Uint8Array;
  /** Types of the columns referenced. */
  readonly types: readonly string[];
  /** Where rows of the parent have them. */
  readonly parentSlots: readonly number[];
  /** Where rows of the child have the columns that reference. */
  readonly childSlots: readonly number[];
  /** Equal exactly for equal keys, whatever widths their numbers have. */
  readonly hash: (values: Row) => string;

  /** `scope` is that of whole rows of `child`. */
  constructor(bound: BoundForeignKey, child: TableDescriptor, scope: Scope) {
    const { key, parent } = bound;
    this.bound = bound;
    this.child = child;
    this.parentSlots = key.referencedColumns.map((position) => slotOfPosition(parent, position));
    this.childSlots = key.columns.map((position) => slotOfPosition(child, position));
    this.types = this.parentSlots.map((slot) => must(parent.columns[slot], 'a column').type);
    this.#values = bound.values.map((value) => compileExpression(value, scope));
    this.#fits = bound.values.map(({ type }, i) => keyFitter(type.name, this.types[i] ?? ''));
    this.#locate = compileLocate(parent, key.referencedColumns);
    const rowKey = compileRowKey(this.types.map((name) => ({ name, modifier: -1 })));
    this.hash = (values) => {
      const hashed = rowKey(values);
      return `${typeof hashed}${String(hashed)}`;
    };
  }

  /** What the row references; undefined for nothing. Raises 23503 for a key in part under MATCH FULL. */
  wantedBy(row: Row, context: ExecutionContext): Wanted | undefined {
    const raw = this.#values.map((value) => value(row, context));
    const nulls = raw.filter((value) => value === null).length;
    if (nulls > 0) {
      if (this.bound.key.match === 'full' && nulls < raw.length) {
        this.#raise('MATCH FULL does not allow mixing of null and nonnull key values.');
      }
      return undefined;
    }
    const values: Value[] = [];
    for (const [i, value] of raw.entries()) {
      const fitted = must(this.#fits[i], 'a fit per column')(value);
      if (typeof fitted === 'string') return { values: raw, at: undefined };
      values.push(fitted.value);
    }
    return { values, at: this.#locate(values) };
  }

  /** The values that a row of the parent can be referenced by; undefined with a NULL among them. */
  keyOfParent(row: Row): readonly Value[] | undefined {
    const values = this.parentSlots.map((slot) => row[slot] ?? null);
    return values.includes(null) ? undefined : values;
  }

  /** Whether a row of the parent with these values is there, also by the open statement. */
  parentExists(values: readonly Value[], context: ExecutionContext): boolean {
    return context.buffer.getLatest(this.#locate(values)) !== undefined;
  }

  /** Where the parent's row, or its entry, with these values lies. */
  locate(values: readonly Value[]): Uint8Array {
    return this.#locate(values);
  }

  /** The referenced values in the types of the referencing columns: ON UPDATE CASCADE. */
  toChild(values: readonly Value[], context: ExecutionContext): readonly Value[] {
    return values.map((value, i) => {
      const column = must(this.child.columns[this.childSlots[i] ?? -1], 'a column of the child');
      const from = this.types[i] as TypeName;
      const to = column.type as TypeName;
      const coercion = findCoercion(from, to, column.typeModifier, 'assignment');
      if (coercion?.kind !== 'call') return value;
      const { usesContext, implementation } = coercion.function;
      const convert = implementation as (...given: unknown[]) => Value;
      return usesContext ? convert(context.functions, value) : convert(value);
    });
  }

  /** A row references a key that is not there. */
  raiseMissing(values: readonly Value[], context: ExecutionContext): never {
    const names = this.#columnNames(this.child, this.childSlots);
    const key = keyText(names, this.#shown(values), context.functions);
    this.#raise(`Key ${key} is not present in table "${this.bound.parent.name}".`);
  }

  /** A key goes away that a row references. */
  raiseReferenced(values: readonly Value[], context: ExecutionContext): never {
    const { parent, key } = this.bound;
    const { name: child } = this.child;
    const names = this.#columnNames(parent, this.parentSlots);
    const shown = keyText(names, this.#shown(values), context.functions);
    raise(
      'foreign_key_violation',
      `update or delete on table "${parent.name}" violates foreign key constraint "${key.name}" on table "${child}"`,
      {
        detail: `Key ${shown} is still referenced from table "${child}".`,
        schema: this.child.schema,
        table: child,
        constraint: key.name,
      },
    );
  }

  #raise(detail: string): never {
    const { schema, name: table } = this.child;
    const { name: constraint } = this.bound.key;
    raise(
      'foreign_key_violation',
      `insert or update on table "${table}" violates foreign key constraint "${constraint}"`,
      { detail, schema, table, constraint },
    );
  }

  #shown(values: readonly Value[]): readonly { readonly type: string; readonly value: Value }[] {
    return values.map((value, i) => ({ type: this.types[i] ?? 'text', value }));
  }

  #columnNames(table: TableDescriptor, slots: readonly number[]): readonly string[] {
    return slots.map((slot) => must(table.columns[slot], 'a column').name);
  }
}

/** Finds where the row, or its entry, with given values of these columns lies. */
function compileLocate(
  parent: TableDescriptor,
  columns: readonly number[],
): (values: readonly Value[]) => Uint8Array {
  if (sameColumns(parent.primaryKey, columns)) {
    const order = parent.primaryKey.map((position) => columns.indexOf(position));
    const encoder = new KeyEncoder(parent);
    return (values) => {
      encoder.begin();
      for (const at of order) encoder.add(values[at] as Value);
      return encoder.search();
    };
  }
  const index = parent.indexes.find(
    ({ unique, predicate, keys, constraint }) =>
      unique &&
      predicate === undefined &&
      (constraint === undefined || constraint === 'immediate') &&
      sameColumns(
        keys.map(({ column }) => column ?? 0),
        columns,
      ),
  );
  const found = must(index, 'a foreign key references a unique key');
  const order = found.keys.map(({ column }) => columns.indexOf(column ?? 0));
  const encoder = new IndexEncoder(parent.database, found);
  return (values) => {
    encoder.begin();
    for (const at of order) encoder.add(values[at] as Value);
    return encoder.soleEntry();
  };
}

function sameColumns(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((position) => b.includes(position));
}

/** Keys that are wanted, each once. */
export class WantedKeys {
  readonly foreignKey: ForeignKey;
  readonly #keys = new Map<string, Wanted>();

  constructor(foreignKey: ForeignKey) {
    this.foreignKey = foreignKey;
  }

  /** Bytes of memory that it took: none for a key that is wanted already. */
  add(wanted: Wanted): number {
    const name =
      wanted.at === undefined ? this.foreignKey.hash(wanted.values) : byteString(wanted.at);
    if (this.#keys.has(name)) return 0;
    this.#keys.set(name, wanted);
    return name.length + wantedBytes;
  }

  all(): Iterable<Wanted> {
    return this.#keys.values();
  }
}

/** V8's share of an entry with its values, bytes. */
const wantedBytes = 160;
