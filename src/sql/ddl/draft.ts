/** A table while a statement defines or changes it. */
import { must } from '../../base/assert.js';
import type { ObjectId, StorageId } from '../../base/ids.js';
import { bindExpression } from '../bind/expression.js';
import { tableRelation, tableScope } from '../bind/from.js';
import type { Scope } from '../bind/scope.js';
import type {
  ColumnDescriptor,
  IndexDescriptor,
  SequenceDescriptor,
  TableDescriptor,
} from '../catalogue/index.js';
import type { DdlContext, Place } from './context.js';
import type { Expression } from '../plan/expression.js';
import { type ast, parseExpression } from '../parse/index.js';
import { positionsRead } from './generated.js';
import { freeName } from './names.js';
import { emptySequence } from './new-sequence.js';
import { ownershipOf } from './ownership.js';
import { Removal } from './removal.js';
import type { Rewrites } from './tasks.js';

export type TableRelation = ReturnType<typeof tableRelation>;

/** What is to be done with the rows that a table has when its new definition is in place. */
export type RowTask =
  | { readonly kind: 'check'; readonly name: string }
  | { readonly kind: 'foreignKey'; readonly name: string }
  | { readonly kind: 'notNull'; readonly position: number }
  | { readonly kind: 'index'; readonly index: string };

export class TableDraft {
  readonly context: DdlContext;
  readonly before: TableDescriptor | undefined;
  table: TableDescriptor;
  /** Sequences that the table owns from now on. */
  readonly sequences: SequenceDescriptor[] = [];
  /** Columns that say NULL. */
  readonly nullable = new Set<string>();
  readonly tasks: RowTask[] = [];
  /** Set when all rows are to be written anew. */
  rewrites: Rewrites | undefined;
  /** What goes with what the statement takes away. */
  readonly removal: Removal;
  /** Constraints of the table itself, which are added when all columns are there. */
  readonly tableConstraints: ast.Constraint[] = [];
  /** What is bound when all columns are there, in order. */
  readonly later: (() => void)[] = [];
  /** Names of relations that this statement gives away, beside those that are taken. */
  readonly #taken = new Set<string>();

  constructor(context: DdlContext, table: TableDescriptor, before: TableDescriptor | undefined) {
    this.context = context;
    this.table = table;
    this.before = before;
    this.removal = new Removal(context);
    this.#taken.add(table.name);
  }

  static create(context: DdlContext, place: Place): TableDraft {
    const { catalogue } = context;
    const { database } = place;
    const table: TableDescriptor = {
      kind: 'table',
      object: catalogue.newId(database) as ObjectId,
      version: 1,
      ...place,
      storage: catalogue.newId(database) as StorageId,
      comment: undefined,
      ...ownershipOf(context, 'table', place.schema),
      columns: [],
      lastPosition: 0,
      dropped: [],
      primaryKey: [],
      primaryKeyName: undefined,
      rowNumbers: undefined,
      indexes: [],
      checks: [],
      foreignKeys: [],
      referencedBy: [],
      uses: [],
      onCommit: 'preserve',
      partitioning: undefined,
      partitionOf: undefined,
    };
    return new TableDraft(context, table, undefined);
  }

  static alter(context: DdlContext, before: TableDescriptor): TableDraft {
    return new TableDraft(context, { ...before, version: before.version + 1 }, before);
  }

  /** All rows are written anew; where `value` is given with it in the column. */
  rewrite(position?: number, value?: (relation: TableRelation) => Expression): void {
    this.rewrites ??= new Map();
    if (position !== undefined && value !== undefined) this.rewrites.set(position, value);
  }

  set(change: Partial<TableDescriptor>): void {
    this.table = { ...this.table, ...change };
  }

  column(name: string): ColumnDescriptor | undefined {
    return this.table.columns.find((column) => column.name === name);
  }

  columnAt(position: number): ColumnDescriptor {
    const column = this.table.columns.find((one) => one.position === position);
    return must(column, 'a position of the table');
  }

  setColumn(position: number, change: Partial<ColumnDescriptor>): void {
    const columns = this.table.columns.map((column) =>
      column.position === position ? { ...column, ...change } : column,
    );
    this.set({ columns });
  }

  /** What expressions over the table's columns may name. */
  scope(): Scope & { readonly relation: TableRelation } {
    const { bind } = this.context;
    const relation = tableRelation(bind, this.table);
    return { ...tableScope(bind, relation, undefined), relation };
  }

  /** Positions of the columns that a text over the table's columns reads. */
  reads(sql: string): readonly number[] {
    const { node, source } = parseExpression(sql, { statementBytes: Number.MAX_SAFE_INTEGER });
    const scope = this.scope();
    const clause = { scope, name: 'DDL', aggregates: undefined };
    return positionsRead(scope, bindExpression(this.context.bind.within(source), clause, node));
  }

  /** Does what waited for all columns. */
  bindLater(): void {
    for (let next = this.later.shift(); next !== undefined; next = this.later.shift()) next();
  }

  /** The rows of a table, for expressions over its columns. */
  relationOf(table: TableDescriptor): TableRelation {
    return tableRelation(this.context.bind, table);
  }

  /** Whether a relation of the table's schema has the name. */
  isTaken(name: string): boolean {
    const { database, schema } = this.table;
    return (
      this.#taken.has(name) || this.context.catalogue.relation(database, schema, name) !== undefined
    );
  }

  /** Takes a name for a relation that goes with the table. Raises duplicate_table. */
  takeName(name: string): string {
    if (this.isTaken(name)) {
      const text = `relation "${name}" already exists`;
      this.context.bind.raise(undefined, 'duplicate_table', text);
    }
    this.#taken.add(name);
    return name;
  }

  /** A free name for a relation that goes with the table. */
  makeName(second: string | undefined, label: string): string {
    const name = freeName(this.table.name, second, label, (one) => this.isTaken(one));
    this.#taken.add(name);
    return name;
  }

  constraintNames(): string[] {
    const { primaryKeyName, indexes, checks, foreignKeys } = this.table;
    return [
      ...(primaryKeyName === undefined ? [] : [primaryKeyName]),
      ...indexes.filter(({ constraint }) => constraint !== undefined).map(({ name }) => name),
      ...checks.map(({ name }) => name),
      ...foreignKeys.map(({ name }) => name),
    ];
  }

  /** Raises duplicate_object when the table has a constraint of the name. */
  checkConstraintName(name: string): void {
    if (!this.constraintNames().includes(name)) return;
    const text = `constraint "${name}" for relation "${this.table.name}" already exists`;
    this.context.bind.raise(undefined, 'duplicate_object', text);
  }

  makeConstraintName(second: string | undefined, label: string): string {
    const names = this.constraintNames();
    return freeName(this.table.name, second, label, (name) => names.includes(name));
  }

  newIndexIds(): Pick<IndexDescriptor, 'object' | 'storage'> {
    const { catalogue } = this.context;
    const { database } = this.table;
    return {
      object: catalogue.newId(database) as ObjectId,
      storage: catalogue.newId(database) as StorageId,
    };
  }

  /** Writes the table and what goes with it into the catalogue. */
  save(): TableDescriptor {
    const { context, before } = this;
    if (this.table.primaryKey.length === 0 && this.table.rowNumbers === undefined) {
      const name = `${this.table.name}_row_numbers`;
      const place = { ...this.table, name };
      this.set({ rowNumbers: emptySequence(context.catalogue, place, this.table) });
    }
    const { table } = this;
    context.catalogue.put(table, before);
    for (const sequence of this.sequences) context.catalogue.put(sequence);
    this.#saveIndexNames();
    this.#saveReferences();
    return table;
  }

  #saveIndexNames(): void {
    const { catalogue } = this.context;
    const { table, before } = this;
    const { database, schema, object } = table;
    const then = new Map(before?.indexes.map((index) => [index.object, index]));
    for (const index of table.indexes) {
      const old = then.get(index.object);
      then.delete(index.object);
      if (old !== undefined && old.name === index.name && old.comment === index.comment) continue;
      const named = old && catalogue.objectIfThere(old.object);
      const { name, comment } = index;
      const version = (named?.version ?? 0) + 1;
      catalogue.put(
        {
          kind: 'index',
          object: index.object,
          version,
          database,
          schema,
          name,
          comment,
          table: object,
        },
        named,
      );
    }
    for (const index of then.values()) {
      catalogue.discard(database, index.storage);
      const named = catalogue.objectIfThere(index.object);
      if (named !== undefined) catalogue.remove(named);
    }
    this.#savePrimaryKeyName();
  }

  /** The rows themselves are the index of the primary key; its name is taken all the same. */
  #savePrimaryKeyName(): void {
    const { catalogue } = this.context;
    const { table, before } = this;
    if (table.primaryKeyName === before?.primaryKeyName) return;
    const { database, schema, object, primaryKeyName: name } = table;
    const old =
      before?.primaryKeyName === undefined
        ? undefined
        : catalogue.relation(database, before.schema, before.primaryKeyName);
    if (name === undefined) {
      if (old !== undefined) catalogue.remove(old);
      return;
    }
    const id = old?.object ?? (catalogue.newId(database) as ObjectId);
    const version = (old?.version ?? 0) + 1;
    catalogue.put(
      {
        kind: 'index',
        object: id,
        version,
        database,
        schema,
        name,
        comment: undefined,
        table: object,
      },
      old,
    );
  }

  /** Tables referenced know of it. */
  #saveReferences(): void {
    const { catalogue } = this.context;
    const { table, before } = this;
    const now = new Set(table.foreignKeys.map(({ references }) => references));
    const then = new Set(before?.foreignKeys.map(({ references }) => references));
    for (const object of new Set([...now, ...then])) {
      if (object === table.object || now.has(object) === then.has(object)) continue;
      const parent = catalogue.objectIfThere(object);
      if (parent?.kind !== 'table') continue;
      const others = parent.referencedBy.filter((one) => one !== table.object);
      const referencedBy = now.has(object) ? [...others, table.object] : others;
      catalogue.put({ ...parent, referencedBy, version: parent.version + 1 }, parent);
    }
  }
}
