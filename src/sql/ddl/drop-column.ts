/** ALTER TABLE DROP COLUMN. */
import { raise } from '../../base/errors.js';
import type { ColumnDescriptor, TableDescriptor, ViewDescriptor } from '../catalogue/index.js';
import { noticeCascade } from './context.js';
import { describe } from './describe.js';
import type { TableDraft } from './draft.js';
import { dropColumn, dropForeignKey } from './removal.js';

export function dropTableColumn(
  draft: TableDraft,
  name: string,
  missingOk: boolean,
  cascade: boolean,
): void {
  const { context } = draft;
  const column = draft.column(name);
  if (column === undefined) {
    const text = `column "${name}" of relation "${draft.table.name}" does not exist`;
    if (missingOk) {
      context.notice(`${text}, skipping`);
      return;
    }
    raise('undefined_column', text);
  }
  const what = `column ${name} of ${describe(context, draft.table)}`;
  const dependents: { readonly what: string; readonly line: string }[] = [];
  const note = (dependent: string): void => {
    dependents.push({ what: dependent, line: `${dependent} depends on ${what}` });
  };
  const generated = dependentColumns(draft, column);
  for (const other of generated) {
    note(`column ${other.name} of ${describe(context, draft.table)}`);
  }
  for (const view of viewsOf(draft, column)) {
    note(describe(context, view));
    dependents.push(...draft.removal.follow(view));
  }
  for (const { table, constraint } of childrenOf(draft, column)) {
    note(`constraint ${constraint} on ${describe(context, table)}`);
    draft.removal.takePart(table.object, (one) => dropForeignKey(one, constraint));
  }
  if (dependents.length > 0 && !cascade) {
    const text = `cannot drop ${what} because other objects depend on it`;
    raise('dependent_objects_still_exist', text, {
      detail: dependents.map(({ line }) => line).join('\n'),
      hint: 'Use DROP ... CASCADE to drop the dependent objects too.',
    });
  }
  noticeCascade(
    context,
    dependents.map((one) => one.what),
  );
  for (const one of [column, ...generated]) take(draft, one);
}

/** The column with what only it had: its sequence, keys that had it. */
function take(draft: TableDraft, column: ColumnDescriptor): void {
  const { catalogue } = draft.context;
  dropColumn(draft, column.name);
  if (draft.table.primaryKey.includes(column.position)) {
    draft.set({ primaryKey: [], primaryKeyName: undefined });
    draft.rewrite();
  }
  const owned = catalogue
    .dependents(draft.table.object)
    .filter((one) => one.kind === 'sequence' && one.ownedBy?.position === column.position);
  for (const sequence of owned) draft.removal.take(sequence);
}

function dependentColumns(draft: TableDraft, column: ColumnDescriptor): ColumnDescriptor[] {
  return draft.table.columns.filter(
    ({ generated }) => generated !== undefined && draft.reads(generated).includes(column.position),
  );
}

/** Views whose text may name the column. */
export function viewsOf(draft: TableDraft, column: ColumnDescriptor): ViewDescriptor[] {
  const { object } = draft.table;
  return draft.context.catalogue
    .dependents(object)
    .filter(
      (one) =>
        one.kind === 'view' &&
        one.references.some(
          (reference) =>
            reference.object === object &&
            reference.columns.some(({ position }) => position === column.position),
        ),
    ) as ViewDescriptor[];
}

/** Foreign keys of other tables that reference the column. */
function childrenOf(
  draft: TableDraft,
  column: ColumnDescriptor,
): { readonly table: TableDescriptor; readonly constraint: string }[] {
  const { object, referencedBy } = draft.table;
  return referencedBy
    .filter((child) => child !== object)
    .flatMap((child) => {
      const table = draft.context.catalogue.object(child);
      if (table.kind !== 'table') return [];
      return table.foreignKeys
        .filter((one) => one.references === object)
        .filter((one) => one.referencedColumns.includes(column.position))
        .map(({ name }) => ({ table, constraint: name }));
    });
}
