/** Holds the rows that a table has to what DDL adds: indexes, checks, NOT NULL, foreign keys. */
import { assert, must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import type { WriteRules } from '../plan/table-rules.js';
import { rowSpan } from '../storage-format/index.js';
import type { ExecutionContext } from './execution.js';
import { compileTest } from './expression.js';
import { RowPlaces } from './row-places.js';
import { slotOfPosition } from './row-text.js';
import { pause, type Stream } from './stream.js';
import { TableRows } from './table-rows.js';
import { raiseBrokenCheck, type StoredRow } from './table-writer.js';
import { Writers } from './writers.js';

/** Calls `look` with every row of the rules' target as the open command of the buffer sees it. */
function* eachRow(
  { target }: WriteRules,
  context: ExecutionContext,
  look: (stored: StoredRow) => void,
): Stream {
  const { table } = target;
  for (const batch of new TableRows(table).ofRows(rowSpan(table), context)) {
    if (batch === pause) yield pause;
    else for (const stored of batch) look(stored);
  }
}

/** Puts the entries of one of the target's indexes, which is new. Raises 23505 for equal rows. */
export function* buildIndex(rules: WriteRules, index: ObjectId, context: ExecutionContext): Stream {
  const writer = must(
    new Writers(rules).target.indexes.find(({ bound }) => bound.index.object === index),
    'the table has the index',
  );
  yield* eachRow(rules, context, ({ key, row }) => {
    if (writer.conflict(row, context) !== undefined) writer.raiseDuplicated(row, context);
    writer.insert(key, row, context);
  });
}

/** Raises 23514 when a row breaks the check of that name. */
export function* validateCheck(rules: WriteRules, name: string, context: ExecutionContext): Stream {
  const { table, checks } = rules.target;
  const { condition } = must(
    checks.find(({ check }) => check.name === name),
    'the table has the check',
  );
  const { scope } = new Writers(rules).target;
  const type = { name: 'bool', modifier: -1 };
  const fails = compileTest({ kind: 'not', type, operand: condition }, scope);
  yield* eachRow(rules, context, ({ row }) => {
    if (!fails(row, context)) return;
    raiseBrokenCheck(table, name);
  });
}

/** Raises 23502 when a row has a NULL in the column at that position. */
export function* validateNotNull(
  rules: WriteRules,
  position: number,
  context: ExecutionContext,
): Stream {
  const { table } = rules.target;
  const slot = slotOfPosition(table, position);
  const column = must(table.columns[slot], 'a column').name;
  yield* eachRow(rules, context, ({ row }) => {
    if (row[slot] !== null) return;
    const text = `column "${column}" of relation "${table.name}" contains null values`;
    raise('not_null_violation', text, { schema: table.schema, table: table.name, column });
  });
}

/** Raises 23503 when a row references what is not there by the foreign key of that name. */
export function* validateForeignKey(
  rules: WriteRules,
  name: string,
  context: ExecutionContext,
): Stream {
  const writers = new Writers(rules);
  const foreignKey = must(
    writers.foreignKeysOf(writers.target).find(({ bound }) => bound.key.name === name),
    'the table has the foreign key',
  );
  const { parent } = foreignKey.bound;
  context.buffer.touch(parent.object, parent.version);
  yield* eachRow(rules, context, ({ row }) => {
    const wanted = foreignKey.wantedBy(row, context);
    if (wanted === undefined) return;
    const { at, values } = wanted;
    if (at === undefined || context.buffer.getLatest(at) === undefined) {
      foreignKey.raiseMissing(values, context);
    }
    assert(at !== undefined, 'a key that is there lies somewhere');
    context.buffer.guard(at);
  });
}

/** Raises 23514 when a row does not belong into the partition that the rules' target is to be. */
export function* validatePartition(rules: WriteRules, context: ExecutionContext): Stream {
  const { table } = rules.target;
  const places = new RowPlaces(new Writers(rules), rules.target);
  yield* eachRow(rules, context, ({ row }) => {
    if (places.isWithinBounds(row, context)) return;
    const text = `partition constraint of relation "${table.name}" is violated by some row`;
    raise('check_violation', text, { schema: table.schema, table: table.name });
  });
}
