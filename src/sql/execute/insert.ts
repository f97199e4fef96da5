/** INSERT with ON CONFLICT and RETURNING. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { DataStatement, OnConflict } from '../plan/statement.js';
import type { Row, Value } from '../types/index.js';
import { compileAssignments } from './assignments.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression, compileTest } from './expression.js';
import { compileReturning } from './returning.js';
import { slotOfPosition } from './row-text.js';
import { type Evaluate, scopeOf } from './scope.js';
import type { StatementEnd } from './statement-end.js';
import type { Source } from './stream.js';
import { TableRows } from './table-rows.js';
import type { StoredRow, TableWriter } from './table-writer.js';
import { type ChangeRow, compileChanges, type Write } from './write.js';
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
  return (input, context, tally, end) => {
    const row = complete(input, context);
    writer.check(row, context);
    if (resolve !== undefined) {
      const resolved = resolve(row, context, end);
      if (resolved === 'nothing') return undefined;
      if (resolved !== 'insert') {
        tally.count += 1;
        return giveBack?.({ row: resolved.row, old: resolved.old, now: resolved.row }, [], context);
      }
    }
    writer.insert(row, context, end);
    tally.count += 1;
    return giveBack?.({ row, old: undefined, now: row }, [], context);
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

/** What became of a row: it is to be inserted, dropped, or another one was changed in its place. */
type Resolved = 'insert' | 'nothing' | { readonly old: Row; readonly row: Row };
type Resolve = (row: Row, context: ExecutionContext, end: StatementEnd) => Resolved;

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
    const changed = change(existing.row, row, context);
    if (changed === undefined) return 'nothing';
    writer.check(changed, context);
    writer.update(existing, changed, context, end);
    return { old: existing.row, row: changed };
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

/** The row changed, by expressions over it followed by the one that was to be inserted. */
function compileConflictUpdate(
  update: NonNullable<OnConflict['update']>,
  { table }: TableWriter,
): (existing: Row, proposed: Row, context: ExecutionContext) => Value[] | undefined {
  const slots = new Map<number, number>();
  for (const { column, position } of update.existing) {
    slots.set(column, slotOfPosition(table, position));
  }
  for (const { column, position } of update.excluded) {
    slots.set(column, table.columns.length + slotOfPosition(table, position));
  }
  const scope = { slots, database: table.database };
  const assign = compileAssignments(update.assignments, table, scope);
  const test = update.filter && compileTest(update.filter, scope);
  return (existing, proposed, context) => {
    const both = [...existing, ...proposed];
    if (test !== undefined && !test(both, context)) return undefined;
    const changed = [...existing];
    for (const { slot, value } of assign) changed[slot] = value(both, context);
    return changed;
  };
}
