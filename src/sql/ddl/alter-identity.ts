/** ALTER COLUMN ... ADD, SET and DROP of identity. */
import { raise } from '../../base/errors.js';
import type { ColumnDescriptor } from '../catalogue/index.js';
import { as, type ast, the } from '../parse/index.js';
import { columnOf } from './alter-table.js';
import { setIdentity } from './column.js';
import type { TableDraft } from './draft.js';
import { changedSequence } from './sequence.js';

export function addIdentity(draft: TableDraft, name: string, body: ast.Constraint): void {
  const column = columnOf(draft, name);
  const of = `column "${name}" of relation "${draft.table.name}"`;
  if (!column.notNull) {
    const text = `${of} must be declared NOT NULL before identity can be added`;
    raise('object_not_in_prerequisite_state', text);
  }
  if (column.identity !== undefined) {
    raise('object_not_in_prerequisite_state', `${of} is already an identity column`);
  }
  if (column.default !== undefined) {
    raise('object_not_in_prerequisite_state', `${of} already has a default value`);
  }
  setIdentity(draft, column, body);
}

function identityOf(draft: TableDraft, name: string): ColumnDescriptor | undefined {
  const column = columnOf(draft, name);
  return column.identity === undefined ? undefined : column;
}

function refuseOther(draft: TableDraft, name: string): never {
  const text = `column "${name}" of relation "${draft.table.name}" is not an identity column`;
  raise('object_not_in_prerequisite_state', text);
}

export function setIdentityOptions(
  draft: TableDraft,
  name: string,
  def: ast.Node | undefined,
): void {
  const column = identityOf(draft, name) ?? refuseOther(draft, name);
  const nodes = as(def, 'List')?.items ?? [];
  const options: ast.Node[] = [];
  for (const node of nodes) {
    const { defname, arg } = the(node, 'DefElem');
    if (defname === 'generated') {
      const always = as(arg, 'Integer')?.ival === 'a'.charCodeAt(0);
      draft.setColumn(column.position, { identity: always ? 'always' : 'byDefault' });
    } else {
      options.push(node);
    }
  }
  const { default: given } = column;
  if (options.length === 0 || given?.kind !== 'sequence') return;
  const sequence = changedSequence(draft.context, given.sequence, options);
  draft.setColumn(column.position, { default: { kind: 'sequence', sequence } });
}

export function dropIdentity(draft: TableDraft, name: string, missingOk: boolean): void {
  const column = identityOf(draft, name);
  if (column === undefined) {
    if (!missingOk) refuseOther(draft, name);
    const of = `column "${name}" of relation "${draft.table.name}"`;
    draft.context.notice(`${of} is not an identity column, skipping`);
    return;
  }
  draft.setColumn(column.position, { identity: undefined, default: undefined });
  if (column.default?.kind === 'sequence') draft.removal.take(column.default.sequence);
}
