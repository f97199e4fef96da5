/** INSERT with ON CONFLICT and RETURNING. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { TableDescriptor } from '../catalogue/index.js';
import type { DataStatement, OnConflict } from '../plan/statement.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { compileReturning } from './returning.js';
import { compileRowProgram, Later, settled } from './row-program.js';
import type { IndexWriter } from './index-writer.js';
import type { Place } from './row-places.js';
import { slotOfPosition } from './row-text.js';
import { type Evaluate, scopeOf } from './scope.js';
import type { StatementEnd } from './statement-end.js';
import type { Pause, Source } from './stream.js';
import { TableRows } from './table-rows.js';
import type { StoredRow, TableWriter } from './table-writer.js';
import { changeRow } from './update.js';
import { type Changed, type ChangeRow, compileChanges, type Tally, type Write } from './write.js';
import { Writers } from './writers.js';

export type InsertStatement = Extract<DataStatement, { readonly kind: 'insert' }>;

export function compileInsert(statement: InsertStatement, input: Source): Write {
  const writers = new Writers(statement.rules);
  return compileChanges(writers, input, compileInsertRow(statement, writers));
}

/** Inserts one row of the statement's input. */
export function compileInsertRow(statement: InsertStatement, writers: Writers): ChangeRow {
  const { table, returning, onConflict } = statement;
  const writer = writers.target;
  const complete = compileComplete(statement);
  const giveBack = returning && compileReturning(returning, table, []);
  const { places } = writers;
  const resolve = onConflict && compileConflict(onConflict, writers);
  const changed = (
    resolved: Updated,
    leaf: TableDescriptor,
    context: ExecutionContext,
    tally: Tally,
  ): Changed => {
    if (resolved === 'nothing') return undefined;
    tally.count += 1;
    const { old, row } = resolved;
    return giveBack?.({ row, old, now: row, leaf }, [], context);
  };
  return (input, context, tally, end) => {
    const whole = complete(input, context);
    const place = places?.place(whole, context) ?? { writer, row: whole };
    const leaf = place.writer.table;
    place.writer.check(place.row, context);
    const resolved = resolve?.(place, context, end) ?? 'insert';
    if (resolved === 'insert') {
      place.writer.insert(place.row, context, end);
      tally.count += 1;
      if (giveBack === undefined) return undefined;
      const row = places?.toTarget(place.writer, place.row) ?? place.row;
      return giveBack({ row, old: undefined, now: row, leaf }, [], context);
    }
    if (!(resolved instanceof Later)) return changed(resolved, leaf, context, tally);
    return new Later(
      (function* later(): Generator<Pause, Changed, undefined> {
        return changed(yield* resolved.work, leaf, context, tally);
      })(),
    );
  };
}

/** Makes whole rows of the input's columns and the defaults. */
function compileComplete({
  table,
  positions,
  defaults,
}: InsertStatement): (input: Row, context: ExecutionContext) => Value[] {
  const scope = scopeOf([], table.database);
  const sources: (number | Evaluate | undefined)[] = table.columns.map(() => undefined);
  for (const [from, position] of positions.entries())
    sources[slotOfPosition(table, position)] = from;
  for (const { position, expression } of defaults) {
    sources[slotOfPosition(table, position)] = compileExpression(expression, scope);
  }
  return (input, context) => {
    const row: Value[] = new Array(sources.length);
    for (let slot = 0; slot < sources.length; slot += 1) {
      const source = sources[slot];
      if (source === undefined) row[slot] = null;
      else row[slot] = typeof source === 'number' ? (input[source] as Value) : source([], context);
    }
    return row;
  };
}

/** What became of the row that stands in the way. */
type Updated = 'nothing' | { readonly old: Row; readonly row: Row };
/** What is to become of a row: it is to be inserted, dropped, or another one is changed in its place. */
type Resolve = (
  place: Place,
  context: ExecutionContext,
  end: StatementEnd,
) => 'insert' | Updated | Later<Updated>;

function compileConflict(onConflict: OnConflict, writers: Writers): Resolve {
  const conflictOf = compileArbiters(onConflict.arbiters, writers);
  const { update } = onConflict;
  if (update === undefined) {
    return (place, context) => (conflictOf(place, context) === undefined ? 'insert' : 'nothing');
  }
  const { places } = writers;
  const change = compileConflictUpdate(update, writers.target);
  const readers = new Map<TableWriter, TableRows>();
  const readerOf = (writer: TableWriter): TableRows => {
    const reader = readers.get(writer) ?? new TableRows(writer.table);
    readers.set(writer, reader);
    return reader;
  };
  return (place, context, end) => {
    const { writer } = place;
    const key = conflictOf(place, context);
    if (key === undefined) return 'insert';
    if (context.buffer.writtenByStatement(key)) raiseSecondTime();
    const bytes = must(context.buffer.get(key), 'the row was there before the statement');
    const stored: StoredRow = { key, row: readerOf(writer).decode(bytes) };
    const row = places?.toTarget(writer, stored.row) ?? stored.row;
    const proposed = places?.toTarget(writer, place.row) ?? place.row;
    const write = (changed: Value[] | 'nothing'): Updated => {
      if (changed === 'nothing') return changed;
      if (places !== undefined && places.place(changed, context).writer !== writer) raiseMoved();
      const written = changeRow(writers, { writer, stored, row }, changed, context, end);
      return { old: row, row: written.row };
    };
    const changed = change(row, proposed, context);
    if (!(changed instanceof Later)) return write(changed);
    return new Later(
      (function* later(): Generator<Pause, Updated, undefined> {
        return write(yield* changed.work);
      })(),
    );
  };
}

function raiseMoved(): never {
  raise('feature_not_supported', 'invalid ON UPDATE specification', {
    detail: 'The result tuple would appear in a different partition than the original tuple.',
  });
}

function raiseSecondTime(): never {
  raise('cardinality_violation', 'ON CONFLICT DO UPDATE command cannot affect row a second time', {
    hint:
      'Ensure that no rows proposed for insertion within the same command have duplicate ' +
      'constrained values.',
  });
}

/** Finds the key of a row that stands in the way by one of the arbiters. */
function compileArbiters(
  arbiters: OnConflict['arbiters'],
  writers: Writers,
): (place: Place, context: ExecutionContext) => Uint8Array | undefined {
  const byKey = arbiters === 'any' || arbiters.primaryKey;
  const listed = arbiters === 'any' ? undefined : writers.withParts(arbiters.indexes);
  const byTable = new Map<TableWriter, readonly IndexWriter[]>();
  const indexesOf = (writer: TableWriter): readonly IndexWriter[] => {
    const known = byTable.get(writer);
    if (known !== undefined) return known;
    const indexes = writer.indexes.filter(({ bound: { index }, isDeferrable }) =>
      listed === undefined
        ? index.unique && !isDeferrable
        : listed.has(index.object) || (byKey && index.primary),
    );
    byTable.set(writer, indexes);
    return indexes;
  };
  return ({ writer, row }, context) => {
    const found = byKey ? writer.keyConflict(row, context) : undefined;
    if (found !== undefined) return found;
    for (const index of indexesOf(writer)) {
      const key = index.conflict(row, context);
      if (key !== undefined) return key;
    }
    return undefined;
  };
}

type ConflictUpdate = Value[] | 'nothing';

/** The row changed, by expressions over it followed by the one that was to be inserted. */
function compileConflictUpdate(
  update: NonNullable<OnConflict['update']>,
  { table }: TableWriter,
): (
  existing: Row,
  proposed: Row,
  context: ExecutionContext,
) => ConflictUpdate | Later<ConflictUpdate> {
  const columns = [...update.existing, ...update.excluded].map(({ column, position }) => {
    const {
      name,
      type,
      typeModifier: modifier,
    } = must(
      table.columns.find((one) => one.position === position),
      'a column of the table',
    );
    return { column, name, type: { name: type, modifier } };
  });
  const { database } = table;
  const slots = update.assignments.map(({ position }) => slotOfPosition(table, position));
  const values = compileRowProgram(
    update.assignments.map(({ expression }) => expression),
    columns,
    database,
  );
  const filter = update.filter && compileRowProgram([update.filter], columns, database);
  const assigned = (existing: Row, given: Row): Value[] => {
    const changed = [...existing];
    for (const [i, slot] of slots.entries()) changed[slot] = given[i] ?? null;
    return changed;
  };
  return (existing, proposed, context) => {
    const both = [...existing, ...proposed];
    const passes = filter?.(both, context) ?? [true];
    if (!(passes instanceof Later)) {
      if (passes[0] !== true) return 'nothing';
      const given = values(both, context);
      if (!(given instanceof Later)) return assigned(existing, given);
      return new Later(
        (function* later(): Generator<Pause, ConflictUpdate, undefined> {
          return assigned(existing, yield* given.work);
        })(),
      );
    }
    return new Later(
      (function* later(): Generator<Pause, ConflictUpdate, undefined> {
        if ((yield* passes.work)[0] !== true) return 'nothing';
        return assigned(existing, yield* settled(values(both, context)));
      })(),
    );
  };
}
