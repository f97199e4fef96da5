/** Holds rows that are there to what a statement adds, and brings them into a new form. */
import { must, unreachable } from '../../base/assert.js';
import { successor } from '../../base/bytes.js';
import type { StorageId } from '../../base/ids.js';
import type { Span } from '../../storage/engine.js';
import { tableRelation } from '../bind/from.js';
import { columnExpression } from '../bind/scope.js';
import { bindWriteRules } from '../bind/table-rules.js';
import type { TableDescriptor } from '../catalogue/index.js';
import {
  buildIndex,
  validateCheck,
  validateForeignKey,
  validateNotNull,
} from '../execute/index.js';
import type { Expression } from '../plan/expression.js';
import { rowSpan } from '../storage-format/index.js';
import { type DdlContext, type DdlWork, runInside } from './context.js';
import type { RowTask, TableDraft } from './draft.js';
import { refillTable } from './fill.js';

/** Most bytes of rows that a new PRIMARY KEY brings into its order. */
const rewrittenBytesMax = 8 * 1024 * 1024;
const rowsPerTurn = 1000;

const order: readonly RowTask['kind'][] = ['notNull', 'index', 'check', 'foreignKey'];

/** Writes the draft, then brings the rows after it. */
export function* saveWithRows(draft: TableDraft): DdlWork<void> {
  const { context, before } = draft;
  if (before !== undefined) yield* orderByNewKey(draft, before);
  if (before !== undefined && draft.rewrites !== undefined) {
    yield* rewrite(draft, before, draft.rewrites);
    return;
  }
  const table = draft.save();
  for (const kind of order) {
    for (const task of draft.tasks) {
      if (task.kind === kind) yield* runTask(context, table, task);
    }
  }
}

/**
 * A new PRIMARY KEY becomes the order of the rows themselves, as if the table had been made with it: a row is
 * then found by one read. Rows too many to be written anew in one transaction stay where they are, and an
 * index leads to them.
 */
function* orderByNewKey(draft: TableDraft, before: TableDescriptor): DdlWork<void> {
  const { table } = draft;
  const key = table.indexes.find(
    ({ primary, object }) => primary && !before.indexes.some((one) => one.object === object),
  );
  if (key === undefined || key.constraint !== 'immediate' || key.include.length > 0) return;
  if (table.partitioning !== undefined || table.partitionOf !== undefined) return;
  if (!(yield* isSmall(draft, before))) return;
  draft.set({
    indexes: table.indexes.filter((one) => one !== key),
    primaryKey: key.keys.map(({ column }) => must(column, 'a primary key is of columns')),
    primaryKeyName: key.name,
    rowNumbers: undefined,
  });
  draft.tasks.splice(
    draft.tasks.findIndex((task) => task.kind === 'index' && task.index === key.name),
    1,
  );
  const { rowNumbers } = before;
  if (rowNumbers !== undefined) {
    draft.context.catalogue.discard(before.database, rowNumbers.storage);
  }
  draft.rewrite();
}

/** Whether a transaction can hold all rows of the table once more. */
function* isSmall({ context }: TableDraft, table: TableDescriptor): DdlWork<boolean> {
  let bytes = 0;
  let span: Span | undefined = rowSpan(table);
  while (span !== undefined && bytes <= rewrittenBytesMax) {
    let last: Uint8Array | undefined;
    let rows = 0;
    context.execution.buffer.scan(span, (key, value) => {
      bytes += key.length + value.length;
      rows += 1;
      if (rows < rowsPerTurn) return true;
      last = key.slice();
      return false;
    });
    span = last && { from: successor(last), to: span.to };
    yield 'turn';
  }
  return bytes <= rewrittenBytesMax;
}

function* runTask(context: DdlContext, table: TableDescriptor, task: RowTask): DdlWork<void> {
  const { bind, execution } = context;
  for (const _ of streamOf(context, table, task)) yield 'turn';
  bind.used.delete(table.object);
  execution.buffer.endStatement();
  execution.buffer.beginStatement();
}

function streamOf({ bind, execution }: DdlContext, table: TableDescriptor, task: RowTask) {
  const rules = bindWriteRules(bind, table);
  switch (task.kind) {
    case 'check':
      return validateCheck(rules, task.name, execution);
    case 'foreignKey':
      return validateForeignKey(rules, task.name, execution);
    case 'notNull':
      return validateNotNull(rules, task.position, execution);
    case 'index': {
      const index = table.indexes.find(({ name }) => name === task.index);
      return buildIndex(rules, must(index, 'the table has the index').object, execution);
    }
    default:
      return unreachable(task);
  }
}

/** Values of columns by position, over the columns of the table as it was. */
export type Rewrites = Map<number, (relation: ReturnType<typeof tableRelation>) => Expression>;

/** Puts all rows into new storages; what writes check is checked with each. */
function* rewrite(draft: TableDraft, before: TableDescriptor, rewrites: Rewrites): DdlWork<void> {
  const { context } = draft;
  const { bind, catalogue } = context;
  const { database } = before;
  const kept = new Set(draft.table.indexes.map(({ object }) => object));
  for (const { object, storage } of before.indexes) {
    if (kept.has(object)) catalogue.discard(database, storage);
  }
  draft.set({
    storage: catalogue.newId(database) as StorageId,
    indexes: draft.table.indexes.map((index) => ({
      ...index,
      storage: catalogue.newId(database) as StorageId,
    })),
  });
  const table = draft.save();
  const old = tableRelation(bind, before);
  const stored = table.columns.filter(({ generated }) => generated === undefined);
  const expressions = stored.map((column) => {
    const at = old.positions.indexOf(column.position);
    const kept = old.columns[at];
    const value: Expression =
      rewrites.get(column.position)?.(old) ??
      (kept === undefined
        ? { kind: 'constant', type: { name: column.type, modifier: -1 }, value: null }
        : columnExpression(kept));
    return { column: bind.nextColumn(), name: column.name, expression: value };
  });
  const columns = expressions.map(({ column, name, expression }) => ({
    column,
    name,
    type: expression.type,
  }));
  yield* runInside(
    context,
    refillTable(bind, table, { kind: 'project', columns, input: old, expressions }),
  );
  catalogue.discard(database, before.storage);
  // Entries of primary keys and foreign keys that are new were checked row by row.
  for (const task of draft.tasks) {
    if (task.kind === 'foreignKey') yield* runTask(context, table, task);
  }
}
