/**
 * Dropping objects with what depends on them (PostgreSQL's dependency.c): some things go along in any
 * case, such as the indexes of a table; others only with CASCADE, else they are the error's detail.
 */
import { unreachable } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import {
  type ColumnDescriptor,
  type Descriptor,
  type IndexName,
  objectOfType,
  type SchemaDescriptor,
  type SequenceDescriptor,
  type TableDescriptor,
} from '../catalogue/index.js';
import { columnUses } from './column-uses.js';
import { type DdlContext, noticeCascade } from './context.js';
import { describe } from './describe.js';
import { TableDraft } from './draft.js';
import { setPartitions } from './partition.js';

export class Removal {
  readonly #context: DdlContext;
  /** What goes, in the order in which it was found. */
  readonly #objects = new Map<ObjectId, Descriptor>();
  /** What goes of tables that stay. */
  readonly #parts: { readonly table: ObjectId; readonly take: (draft: TableDraft) => void }[] = [];
  /** What CASCADE is needed for. */
  readonly #lines: {
    readonly what: string;
    readonly line: string;
    readonly object: ObjectId | undefined;
  }[] = [];
  readonly #named: Descriptor[] = [];

  constructor(context: DdlContext) {
    this.#context = context;
  }

  /** The statement names the object. */
  add(object: Descriptor): void {
    this.#named.push(object);
    this.#objects.set(object.object, object);
  }

  /** An object goes whose dependents are known to go, or not to be. */
  take(object: Descriptor): void {
    this.#objects.set(object.object, object);
  }

  /** A part of another table goes. */
  takePart(table: ObjectId, take: (draft: TableDraft) => void): void {
    this.#parts.push({ table, take });
  }

  /** An object goes because of a part of another; gives what depends on it in turn, and how that is told. */
  follow(object: Descriptor): readonly { readonly what: string; readonly line: string }[] {
    const before = this.#lines.length;
    this.#follow(object, undefined);
    return this.#lines.slice(before);
  }

  /**
   * Finds what depends on the objects named. Raises dependent_objects_still_exist without `cascade`, and
   * tells with it what goes along.
   */
  resolve(cascade: boolean): void {
    for (const object of this.#named) this.#visit(object);
    const named = new Set(this.#named.map(({ object }) => object));
    const lines = this.#lines.filter(({ object }) => object === undefined || !named.has(object));
    if (lines.length === 0) return;
    if (cascade) {
      const objects = lines.map(({ what }) => what);
      noticeCascade(this.#context, objects);
    } else this.#refuse(lines.map(({ line }) => line));
  }

  #refuse(lines: readonly string[]): never {
    const [only] = this.#named;
    const what =
      this.#named.length === 1 && only !== undefined
        ? describe(this.#context, only)
        : 'desired object(s)';
    raise(
      'dependent_objects_still_exist',
      `cannot drop ${what} because other objects depend on ${this.#named.length === 1 ? 'it' : 'them'}`,
      {
        detail: lines.join('\n'),
        hint: 'Use DROP ... CASCADE to drop the dependent objects too.',
      },
    );
  }

  /** Takes all of it out of the catalogue. */
  apply(): void {
    const { catalogue } = this.#context;
    for (const { table, take } of this.#parts) {
      if (this.#objects.has(table)) continue;
      const before = catalogue.object(table);
      if (before.kind !== 'table') continue;
      const draft = TableDraft.alter(this.#context, before);
      take(draft);
      draft.save();
    }
    for (const object of this.#dependentsFirst()) removeObject(this.#context, object);
  }

  /** What goes, each behind all that cannot be without it. */
  #dependentsFirst(): readonly Descriptor[] {
    const { catalogue } = this.#context;
    const sorted = new Set<ObjectId>();
    const seen = new Set<ObjectId>();
    const visit = (object: ObjectId): void => {
      if (seen.has(object) || !this.#objects.has(object)) return;
      seen.add(object);
      for (const dependent of catalogue.dependents(object)) visit(dependent.object);
      sorted.add(object);
    };
    for (const object of this.#objects.keys()) visit(object);
    return [...sorted].flatMap((object) => this.#objects.get(object) ?? []);
  }

  /** An object goes because of `cause`; `line` says so where CASCADE is needed. */
  #follow(object: Descriptor, cause: Descriptor | undefined): void {
    if (this.#objects.has(object.object)) return;
    this.#objects.set(object.object, object);
    if (cause !== undefined) this.#note(describe(this.#context, object), cause, object.object);
    this.#visit(object);
  }

  #note(what: string, cause: Descriptor, object?: ObjectId): void {
    const line = `${what} depends on ${describe(this.#context, cause)}`;
    this.#lines.push({ what, line, object });
  }

  #visit(cause: Descriptor): void {
    const { catalogue } = this.#context;
    if (cause.kind === 'schema') this.#visitSchema(cause);
    const dependents = catalogue.dependents(cause.object);
    for (const one of dependents.toSorted((a, b) => a.object - b.object)) {
      switch (one.kind) {
        case 'index':
          // The indexes of a table that goes are told by it.
          if (cause.kind !== 'table') this.#follow(one, undefined);
          break;
        case 'sequence':
          this.#follow(one, undefined);
          break;
        case 'view':
        case 'function':
        case 'type':
          this.#follow(one, cause);
          break;
        case 'table':
          if (one.partitionOf?.parent === cause.object) this.#follow(one, undefined);
          else if (!this.#objects.has(one.object)) this.#visitTable(one, cause);
          break;
        // Rights on what goes, and default privileges in it, are taken away with it.
        case 'role':
        case 'schema':
        case 'database':
          break;
        default:
          unreachable(one);
      }
    }
  }

  #visitSchema(schema: Descriptor): void {
    const { catalogue } = this.#context;
    for (const kind of ['relation', 'type', 'function'] as const) {
      const inside = catalogue.inSchema(kind, schema.database, schema.name);
      for (const object of inside.toSorted((a, b) => a.object - b.object)) {
        const goesAlong =
          object.kind === 'index' || (object.kind === 'sequence' && object.ownedBy !== undefined);
        if (!goesAlong) this.#follow(object, schema);
      }
    }
  }

  /** What of a table depends on `cause`: foreign keys, columns of a type, defaults, checks. */
  #visitTable(table: TableDescriptor, cause: Descriptor): void {
    const take = (change: (draft: TableDraft) => void): void => {
      this.#parts.push({ table: table.object, take: change });
    };
    const shown = describe(this.#context, table);
    if (cause.kind === 'table') {
      for (const { name, references } of table.foreignKeys) {
        if (references !== cause.object) continue;
        this.#note(`constraint ${name} on ${shown}`, cause);
        take((draft) => dropForeignKey(draft, name));
      }
    }
    for (const column of table.columns) {
      if (objectOfType(column.type) === cause.object) {
        this.#note(`column ${column.name} of ${shown}`, cause);
        take((draft) => dropColumn(draft, column.name));
      } else if (usesSequence(column, cause)) {
        const what = column.identity === undefined ? 'default value for column' : 'column';
        this.#note(`${what} ${column.name} of ${shown}`, cause);
        take((draft) => draft.setColumn(column.position, { default: undefined }));
      }
    }
    for (const { what, drop } of columnUses(this.#context, table, cause)) {
      this.#note(what, cause);
      take(drop);
    }
  }
}

function usesSequence({ default: given }: ColumnDescriptor, cause: Descriptor): boolean {
  return given?.kind === 'sequence' && given.sequence.object === cause.object;
}

export function dropForeignKey(draft: TableDraft, name: string): void {
  const foreignKeys = draft.table.foreignKeys.filter((one) => one.name !== name);
  const own = draft.table.object;
  const referencedBy = foreignKeys.some(({ references }) => references === own)
    ? draft.table.referencedBy
    : draft.table.referencedBy.filter((object) => object !== own);
  draft.set({ foreignKeys, referencedBy });
}

/** A column with the constraints and indexes that have it. */
export function dropColumn(draft: TableDraft, name: string): void {
  const column = draft.column(name);
  if (column === undefined) return;
  const { position } = column;
  const { table } = draft;
  for (const foreignKey of table.foreignKeys) {
    const own = foreignKey.references === table.object;
    if (
      foreignKey.columns.includes(position) ||
      (own && foreignKey.referencedColumns.includes(position))
    ) {
      dropForeignKey(draft, foreignKey.name);
    }
  }
  const reads = (text: string | undefined): boolean =>
    text !== undefined && draft.reads(text).includes(position);
  // A user's type may go too; values of all of them lie in the same kind of place.
  const type = objectOfType(column.type) === undefined ? column.type : 'bytea';
  draft.set({
    dropped: [...table.dropped, { position, type }],
    indexes: table.indexes.filter(
      (index) =>
        !index.include.includes(position) &&
        !index.keys.some((key) => key.column === position || reads(key.expression)) &&
        !reads(index.predicate),
    ),
    checks: table.checks.filter((check) => !reads(check.expression)),
    columns: draft.table.columns.filter((one) => one.position !== position),
  });
}

/** Takes an object out of the catalogue with what it stored. */
function removeObject(context: DdlContext, object: Descriptor): void {
  const { catalogue } = context;
  // A step before may have given it a newer version.
  const now = catalogue.objectIfThere(object.object);
  if (now === undefined) return;
  if (now.kind === 'table') removeTable(context, now);
  else if (now.kind === 'index') removeIndex(context, now);
  else if (now.kind === 'schema') removeSchema(context, now);
  else catalogue.remove(now);
  if (now.kind === 'sequence') removeSequence(context, now);
}

/** What roles have said of objects to come in it goes along. */
function removeSchema({ catalogue }: DdlContext, schema: SchemaDescriptor): void {
  for (const role of catalogue.dependents(schema.object)) {
    if (role.kind !== 'role') continue;
    const defaultPrivileges = role.defaultPrivileges.filter((one) => one.schema !== schema.object);
    catalogue.put({ ...role, defaultPrivileges, version: role.version + 1 }, role);
  }
  catalogue.remove(schema);
}

/** An index goes from its table, if that does not go itself. */
function removeIndex(context: DdlContext, named: IndexName): void {
  const { catalogue } = context;
  const table = catalogue.objectIfThere(named.table);
  if (table?.kind !== 'table' || !table.indexes.some(({ object }) => object === named.object)) {
    catalogue.remove(named);
    return;
  }
  const draft = TableDraft.alter(context, table);
  draft.set({ indexes: table.indexes.filter(({ object }) => object !== named.object) });
  draft.save();
  // Its parts in the partitions go along.
  for (const object of table.partitioning?.partitions ?? []) {
    const partition = catalogue.object(object);
    if (partition.kind !== 'table') continue;
    const part = partition.indexes.find(({ partOf }) => partOf === named.object);
    const name = part && catalogue.objectIfThere(part.object);
    if (name?.kind === 'index') removeIndex(context, name);
  }
}

function removeSequence({ catalogue }: DdlContext, sequence: SequenceDescriptor): void {
  catalogue.discard(sequence.database, sequence.storage);
}

function removeTable(context: DdlContext, table: TableDescriptor): void {
  const { catalogue } = context;
  // Tables referenced forget it.
  const draft = TableDraft.alter(context, table);
  draft.set({ foreignKeys: [] });
  if (table.foreignKeys.some(({ references }) => references !== table.object)) draft.save();
  const { partitionOf } = table;
  if (partitionOf !== undefined) {
    setPartitions(context, partitionOf.parent, (all) => all.filter((one) => one !== table.object));
  }
  const last = catalogue.objectIfThere(table.object) ?? table;
  for (const one of catalogue.dependents(table.object)) {
    if (one.kind === 'index') catalogue.remove(one);
  }
  catalogue.remove(last);
  catalogue.discard(table.database, table.storage);
  for (const { storage } of table.indexes) catalogue.discard(table.database, storage);
  if (table.rowNumbers !== undefined) catalogue.discard(table.database, table.rowNumbers.storage);
  for (const { default: given } of table.columns) {
    // Sequences of the first versions are no objects of their own.
    if (
      given?.kind === 'sequence' &&
      catalogue.objectIfThere(given.sequence.object) === undefined
    ) {
      catalogue.discard(table.database, given.sequence.storage);
    }
  }
}
