/** LIKE in CREATE TABLE. */
import { must } from '../../base/assert.js';
import { type IndexDescriptor, right, type TableDescriptor } from '../catalogue/index.js';
import { type ast, fields, locationOf, raiseAt } from '../parse/index.js';
import { addSequence, appendColumn } from './column.js';
import { shownName } from './context.js';
import type { TableDraft } from './draft.js';
import { requireRight } from './permission.js';

/** CREATE_TABLE_LIKE_* of parsenodes.h. */
const options = {
  comments: 1,
  compression: 2,
  constraints: 4,
  defaults: 8,
  generated: 16,
  identity: 32,
  indexes: 64,
} as const;

export function addLike(draft: TableDraft, body: ast.TableLikeClause): void {
  const { bind } = draft.context;
  const read = fields(bind.source, 'TableLikeClause', body, ['relation', 'options']);
  const reference = must(read.relation, 'LIKE names a table');
  const { schemaname, relname = '' } = fields(bind.source, 'RangeVar', reference, [
    ...(['schemaname', 'relname'] as const),
  ]);
  const found = bind.catalogue.relation(schemaname, relname);
  const at = locationOf(reference);
  if (found === undefined) {
    const text = `relation "${shownName(schemaname, relname)}" does not exist`;
    raiseAt(bind.source, at, 'undefined_table', text);
  }
  if (found.kind !== 'index') requireRight(draft.context, found, right.select);
  const given = (read.options ?? 0) >>> 0;
  const has = (option: keyof typeof options): boolean => (given & options[option]) !== 0;
  if (found.kind === 'view') {
    for (const { name, type, typeModifier } of found.columns) {
      appendColumn(draft, { name, type, typeModifier });
    }
    return;
  }
  if (found.kind !== 'table') {
    const text = `relation "${relname}" is invalid in LIKE clause`;
    raiseAt(bind.source, at, 'wrong_object_type', text);
  }
  const positions = addColumns(draft, found, has);
  if (has('constraints')) {
    const { checks } = draft.table;
    draft.set({
      checks: [...checks, ...found.checks.map((check) => kept(check, has('comments')))],
    });
  }
  if (has('indexes')) draft.later.push(() => addIndexes(draft, found, positions));
}

function kept<T extends { readonly comment: string | undefined }>(one: T, comments: boolean): T {
  return comments ? one : { ...one, comment: undefined };
}

/** Gives the new position of each of the table's columns. */
function addColumns(
  draft: TableDraft,
  table: TableDescriptor,
  has: (option: keyof typeof options) => boolean,
): ReadonlyMap<number, number> {
  const positions = new Map<number, number>();
  for (const column of table.columns) {
    const {
      position: _,
      default: given,
      identity,
      generated,
      privileges: __,
      ...rest
    } = kept(column, has('comments'));
    // An identity column is NOT NULL of itself, and stays so.
    const added = appendColumn(draft, rest);
    positions.set(column.position, added.position);
    if (identity !== undefined) {
      if (!has('identity') || given?.kind !== 'sequence') continue;
      draft.setColumn(added.position, { identity });
      addSequence(draft, draft.columnAt(added.position), { identity: true });
      const { start, increment, minimum, maximum, cycle, cache } = given.sequence;
      const made = must(draft.sequences.pop(), 'a sequence was added');
      const sequence = { ...made, start, increment, minimum, maximum, cycle, cache };
      draft.sequences.push(sequence);
      draft.setColumn(added.position, { default: { kind: 'sequence', sequence } });
    } else if (generated !== undefined) {
      if (has('generated')) draft.setColumn(added.position, { generated });
    } else if (has('defaults')) {
      draft.setColumn(added.position, { default: given });
    }
  }
  return positions;
}

function addIndexes(
  draft: TableDraft,
  table: TableDescriptor,
  positions: ReadonlyMap<number, number>,
): void {
  const moved = (position: number): number =>
    must(positions.get(position), 'a column of the table');
  if (table.primaryKey.length > 0) {
    const primaryKey = table.primaryKey.map(moved);
    draft.set({ primaryKey, primaryKeyName: draft.makeName(undefined, 'pkey') });
  }
  const indexes = table.indexes.map((index): IndexDescriptor => {
    const keys = index.keys.map((key) => ({
      ...key,
      column: key.column === undefined ? undefined : moved(key.column),
    }));
    const names = keys.map(({ column }) =>
      column === undefined ? 'expr' : draft.columnAt(column).name,
    );
    const label = index.primary ? 'pkey' : index.constraint === undefined ? 'idx' : 'key';
    const name = draft.makeName(index.primary ? undefined : names.join('_'), label);
    return { ...index, ...draft.newIndexIds(), name, keys, include: index.include.map(moved) };
  });
  draft.set({ indexes: [...draft.table.indexes, ...indexes] });
}
