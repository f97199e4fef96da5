/** ALTER TABLE DROP, VALIDATE and ALTER CONSTRAINT. */
import { raise } from '../../base/errors.js';
import type { TableDescriptor } from '../catalogue/index.js';
import { type ast, fields, the } from '../parse/index.js';
import { timingOf } from './constraint.js';
import { noticeCascade } from './context.js';
import { describe } from './describe.js';
import type { TableDraft } from './draft.js';
import { dropForeignKey } from './removal.js';

function missing(draft: TableDraft, name: string, missingOk = false): void {
  const text = `constraint "${name}" of relation "${draft.table.name}" does not exist`;
  if (!missingOk) raise('undefined_object', text);
  draft.context.notice(`${text}, skipping`);
}

export function dropConstraint(
  draft: TableDraft,
  name: string,
  missingOk: boolean,
  cascade: boolean,
): void {
  const { table } = draft;
  const index = table.indexes.find((one) => one.name === name && one.constraint !== undefined);
  if (table.checks.some((one) => one.name === name)) {
    draft.set({ checks: table.checks.filter((one) => one.name !== name) });
  } else if (table.foreignKeys.some((one) => one.name === name)) {
    dropForeignKey(draft, name);
  } else if (index !== undefined) {
    const indexes = table.indexes.filter((one) => one !== index);
    draft.set({ indexes });
    const columns = index.keys.flatMap(({ column }) => (column === undefined ? [] : [column]));
    dropReferences(draft, name, columns, cascade);
  } else if (table.primaryKeyName === name) {
    const { primaryKey } = table;
    draft.set({ primaryKey: [], primaryKeyName: undefined });
    dropReferences(draft, name, primaryKey, cascade);
    // The rows lie in the order of the key: without it they get numbers.
    draft.rewrite();
  } else {
    missing(draft, name, missingOk);
  }
}

/** Foreign keys that reference the columns of a key that is no more. */
function dropReferences(
  draft: TableDraft,
  name: string,
  columns: readonly number[],
  cascade: boolean,
): void {
  const { context, table } = draft;
  const dependents: string[] = [];
  for (const child of table.referencedBy) {
    const found = child === table.object ? table : context.catalogue.object(child);
    if (found.kind !== 'table') continue;
    for (const { name: constraint, references, referencedColumns } of found.foreignKeys) {
      const fits =
        references === table.object &&
        referencedColumns.length === columns.length &&
        columns.every((column) => referencedColumns.includes(column));
      if (!fits) continue;
      dependents.push(`constraint ${constraint} on ${describe(context, found)}`);
      takeReference(draft, found, constraint);
    }
  }
  if (cascade) noticeCascade(context, dependents);
  if (dependents.length === 0 || cascade) return;
  const text = `cannot drop constraint ${name} on ${describe(context, table)} because other objects depend on it`;
  raise('dependent_objects_still_exist', text, {
    detail: dependents.map((one) => `${one} depends on index ${name}`).join('\n'),
    hint: 'Use DROP ... CASCADE to drop the dependent objects too.',
  });
}

function takeReference(draft: TableDraft, child: TableDescriptor, constraint: string): void {
  if (child.object === draft.table.object) dropForeignKey(draft, constraint);
  else draft.removal.takePart(child.object, (one) => dropForeignKey(one, constraint));
}

export function validateConstraint(draft: TableDraft, name: string): void {
  const { table } = draft;
  const check = table.checks.find((one) => one.name === name);
  const foreignKey = table.foreignKeys.find((one) => one.name === name);
  if (check !== undefined) {
    const checks = table.checks.map((one) => (one === check ? { ...one, validated: true } : one));
    draft.set({ checks });
    if (!check.validated) draft.tasks.push({ kind: 'check', name });
  } else if (foreignKey !== undefined) {
    const foreignKeys = table.foreignKeys.map((one) =>
      one === foreignKey ? { ...one, validated: true } : one,
    );
    draft.set({ foreignKeys });
    if (!foreignKey.validated) draft.tasks.push({ kind: 'foreignKey', name });
  } else if (draft.constraintNames().includes(name)) {
    const text = `constraint "${name}" of relation "${table.name}" is not a foreign key or check constraint`;
    raise('wrong_object_type', text);
  } else {
    missing(draft, name);
  }
}

/** ALTER CONSTRAINT: when a foreign key is checked. */
export function alterConstraint(draft: TableDraft, def: ast.Node | undefined): void {
  const body = 'ATAlterConstraint' in (def ?? {}) ? the(def, 'ATAlterConstraint') : undefined;
  const constraint = body === undefined ? the(def, 'Constraint') : undefined;
  const { source } = draft.context.bind;
  const said =
    body === undefined
      ? fields(source, 'Constraint', constraint ?? {}, [
          ...(['contype', 'conname', 'deferrable', 'initdeferred'] as const),
        ])
      : fields(source, 'ATAlterConstraint', body, [
          ...(['conname', 'deferrable', 'initdeferred', 'alterDeferrability'] as const),
        ]);
  const name = said.conname ?? '';
  const { table } = draft;
  if (!table.foreignKeys.some((one) => one.name === name)) {
    if (!draft.constraintNames().includes(name)) missing(draft, name);
    const text = `constraint "${name}" of relation "${table.name}" is not a foreign key constraint`;
    raise('wrong_object_type', text);
  }
  const timing = timingOf(said);
  const foreignKeys = table.foreignKeys.map((one) =>
    one.name === name ? { ...one, timing } : one,
  );
  draft.set({ foreignKeys });
}
