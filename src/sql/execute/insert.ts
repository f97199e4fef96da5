/** INSERT with ON CONFLICT and RETURNING. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { DataStatement, OnConflict } from '../plan/statement.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { compileReturning } from './returning.js';
import { compileRowProgram, Later, settled } from './row-program.js';
import { slotOfPosition } from './row-text.js';
import { type Evaluate, scopeOf } from './scope.js';
import type { StatementEnd } from './statement-end.js';
import type { Pause, Source } from './stream.js';
import { TableRows } from './table-rows.js';
import type { StoredRow, TableWriter } from './table-writer.js';
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
  const resolve = onConflict && compileConflict(onConflict, writer);
  const insert: ChangeRow = (row, context, tally, end) => {
    writer.insert(row, context, end);
    tally.count += 1;
    return giveBack?.({ row, old: undefined, now: row }, [], context);
  };
  const changed = (resolved: Updated, context: ExecutionContext, tally: Tally): Changed => {
    if (resolved === 'nothing') return undefined;
    tally.count += 1;
    const { old, row } = resolved;
    return giveBack?.({ row, old, now: row }, [], context);
  };
  return (input, context, tally, end) => {
    const row = complete(input, context);
    writer.check(row, context);
    const resolved = resolve?.(row, context, end) ?? 'insert';
    if (resolved === 'insert') return insert(row, context, tally, end);
    if (!(resolved instanceof Later)) return changed(resolved, context, tally);
    return new Later(
      (function* later(): Generator<Pause, Changed, undefined> {
        return changed(yield* resolved.work, context, tally);
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
  row: Row,
  context: ExecutionContext,
  end: StatementEnd,
) => 'insert' | Updated | Later<Updated>;

function compileConflict(onConflict: OnConflict, writer: TableWriter): Resolve {
  const conflictOf = compileArbiters(onConflict.arbiters, writer);
  const { update } = onConflict;
  if (update === undefined) {
    return (row, context) => (conflictOf(row, context) === undefined ? 'insert' : 'nothing');
  }
  const change = compileConflictUpdate(update, writer);
  const rows = new TableRows(writer.table);
  return (row, context, end) => {
    const key = conflictOf(row, context);
    if (key === undefined) return 'insert';
    if (context.buffer.writtenByStatement(key)) raiseSecondTime();
    const bytes = must(context.buffer.get(key), 'the row was there before the statement');
    const existing: StoredRow = { key, row: rows.decode(bytes) };
    const write = (changed: Value[] | 'nothing'): Updated => {
      if (changed === 'nothing') return changed;
      writer.check(changed, context);
      writer.update(existing, changed, context, end);
      return { old: existing.row, row: changed };
    };
    const changed = change(existing.row, row, context);
    if (!(changed instanceof Later)) return write(changed);
    return new Later(
      (function* later(): Generator<Pause, Updated, undefined> {
        return write(yield* changed.work);
      })(),
    );
  };
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
  writer: TableWriter,
): (row: Row, context: ExecutionContext) => Uint8Array | undefined {
  const byKey = arbiters === 'any' || arbiters.primaryKey;
  const indexes = writer.indexes.filter(({ bound: { index }, isDeferrable }) =>
    arbiters === 'any' ? index.unique && !isDeferrable : arbiters.indexes.includes(index.object),
  );
  return (row, context) => {
    const found = byKey ? writer.keyConflict(row, context) : undefined;
    if (found !== undefined) return found;
    for (const index of indexes) {
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
