/** INSERT with ON CONFLICT and RETURNING. */
import { assert } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { DataStatement, OnConflict } from '../plan/statement.js';
import { RowReader } from '../storage-format/index.js';
import type { Row, Value } from '../types/index.js';
import { type CompiledAssignment, compileAssignments } from './assignments.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression, compileTest } from './expression.js';
import { compileReturning } from './returning.js';
import { type Evaluate, scopeOf, type Test } from './scope.js';
import type { Source, Stream } from './stream.js';
import { slotOfPosition, TableWriter } from './table-writer.js';
import { changeRows, type Tally, type Write } from './write.js';

export type InsertStatement = Extract<DataStatement, { readonly kind: 'insert' }>;

/** Inserts one row of the statement's input; gives RETURNING's row if there is one. */
export type InsertRow = (input: Row, context: ExecutionContext, tally: Tally) => Row | undefined;

export function compileInsert(statement: InsertStatement, input: Source): Write {
  const { table } = statement;
  const insertRow = compileInsertRow(statement);
  return function* insert(context, tally): Stream {
    context.buffer.touch(table.object, table.version);
    yield* changeRows(input(context), (row) => insertRow(row, context, tally), context);
  };
}

export function compileInsertRow(statement: InsertStatement): InsertRow {
  const { table, returning, onConflict } = statement;
  const writer = new TableWriter(table);
  const complete = compileComplete(statement);
  const giveBack = returning && compileReturning(returning, table, []);
  const resolve = compileConflict(statement, writer);
  return (input, context, tally) => {
    const row = complete(input, context);
    writer.checkNotNull(row, context);
    const key = writer.newKey(row, context);
    let result: Row | undefined = row;
    if (writer.hasKey && context.buffer.getLatest(key) !== undefined) {
      if (onConflict === undefined) writer.raiseDuplicate(row, context);
      result = resolve?.(key, row, context);
      if (result === undefined) return undefined;
    } else {
      writer.put(key, row, context);
    }
    tally.count += 1;
    return giveBack?.(result, [], context);
  };
}

/** Makes whole rows of the input's columns and the defaults. */
function compileComplete({
  table,
  positions,
  defaults,
}: InsertStatement): (input: Row, context: ExecutionContext) => Row {
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

/** What to do with a row whose key is taken: gives the row as it is then, undefined for nothing. */
type Resolve = (key: Uint8Array, row: Row, context: ExecutionContext) => Row | undefined;

function compileConflict(
  { table, onConflict }: InsertStatement,
  writer: TableWriter,
): Resolve | undefined {
  const update = onConflict?.update;
  if (update === undefined) return undefined;
  const { assign, test } = compileConflictUpdate(update, writer);
  const allSlots = table.columns.map((_, slot) => slot);
  const reader = new RowReader(
    table,
    table.columns.map(({ position }) => position),
    allSlots,
  );
  return (key, row, context) => {
    if (context.buffer.writtenByStatement(key)) {
      raise(
        'cardinality_violation',
        'ON CONFLICT DO UPDATE command cannot affect row a second time',
        {
          hint:
            'Ensure that no rows proposed for insertion within the same command have duplicate ' +
            'constrained values.',
        },
      );
    }
    const bytes = context.buffer.get(key);
    assert(bytes !== undefined, 'a key that the statement has not written was there before');
    const existing: Value[] = [];
    reader.read(bytes, existing);
    const both = [...existing, ...row];
    if (test !== undefined && !test(both, context)) return undefined;
    const changed = [...existing];
    for (const { slot, value } of assign) changed[slot] = value(both, context);
    writer.checkNotNull(changed, context);
    replaceRow(writer, key, changed, context);
    return changed;
  };
}

/** Expressions over the existing row followed by the one that was to be inserted. */
function compileConflictUpdate(
  update: NonNullable<OnConflict['update']>,
  { table }: TableWriter,
): { readonly assign: readonly CompiledAssignment[]; readonly test: Test | undefined } {
  const slots = new Map<number, number>();
  for (const { column, position } of update.existing) {
    slots.set(column, slotOfPosition(table, position));
  }
  for (const { column, position } of update.excluded) {
    slots.set(column, table.columns.length + slotOfPosition(table, position));
  }
  const scope = { slots, database: table.database };
  return {
    assign: compileAssignments(update.assignments, table, scope),
    test: update.filter && compileTest(update.filter, scope),
  };
}

/** Puts a row in the place of the one under `key`; a new key must be free. */
function replaceRow(
  writer: TableWriter,
  key: Uint8Array,
  row: Row,
  context: ExecutionContext,
): void {
  const newKey = writer.keyOf(row);
  if (!Buffer.from(newKey).equals(key)) {
    context.buffer.delete(key);
    if (context.buffer.getLatest(newKey) !== undefined) writer.raiseDuplicate(row, context);
  }
  writer.put(newKey, row, context);
}
