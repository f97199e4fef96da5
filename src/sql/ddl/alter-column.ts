/** ALTER TABLE ADD COLUMN, SET DEFAULT and ALTER TYPE. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { defaultOf } from '../bind/assign.js';
import { coerce } from '../bind/coerce.js';
import { tableScope } from '../bind/from.js';
import { bindExpression } from '../bind/expression.js';
import { columnExpression } from '../bind/scope.js';
import { bindTypeName, type BoundType } from '../bind/type-name.js';
import type { ColumnDescriptor } from '../catalogue/index.js';
import { type ast, expressionAround, fields } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { printType } from '../types/index.js';
import { columnOf } from './alter-table.js';
import { addColumn, bindDefault, collationOf } from './column.js';
import { describe } from './describe.js';
import type { TableDraft, TableRelation } from './draft.js';
import { viewsOf } from './drop-column.js';
import { firstLocation } from './locations.js';
import { requireType } from './permission.js';

export function addTo(draft: TableDraft, body: ast.ColumnDef, ifNotExists: boolean): void {
  const { colname = '' } = body;
  if (ifNotExists && draft.column(colname) !== undefined) {
    const text = `column "${colname}" of relation "${draft.table.name}" already exists, skipping`;
    draft.context.notice(text, '42701');
    return;
  }
  const { bind } = draft.context;
  const column = addColumn(draft, body);
  if (column.generated !== undefined) draft.rewrite();
  else if (column.default !== undefined) {
    draft.rewrite(column.position, () => defaultOf(bind, draft.columnAt(column.position)));
  } else if (column.notNull) {
    draft.tasks.push({ kind: 'notNull', position: column.position });
  }
}

export function setColumnDefault(
  draft: TableDraft,
  name: string,
  node: ast.Node | undefined,
): void {
  const { bind } = draft.context;
  const column = columnOf(draft, name);
  const of = `column "${name}" of relation "${draft.table.name}"`;
  if (column.identity !== undefined) {
    raise('syntax_error', `${of} is an identity column`, {
      ...(node === undefined && {
        hint: 'Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.',
      }),
    });
  }
  if (column.generated !== undefined) {
    raise('syntax_error', `${of} is a generated column`, {
      ...(node === undefined && {
        hint: 'Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead.',
      }),
    });
  }
  if (node === undefined) {
    draft.setColumn(column.position, { default: undefined });
    return;
  }
  bindDefault(draft, column, node);
  const sql = expressionAround(bind.source, 'default', firstLocation(node));
  draft.setColumn(column.position, { default: { kind: 'expression', sql } });
}

export function alterType(draft: TableDraft, name: string, body: ast.ColumnDef): void {
  const { bind } = draft.context;
  const read = fields(bind.source, 'ColumnDef', body, [
    ...(['typeName', 'raw_default', 'collClause', 'colname'] as const),
  ]);
  const column = columnOf(draft, name);
  const before = must(draft.before, 'a table is altered');
  const type = bindTypeName(bind, read.typeName);
  requireType(draft.context, type.name);
  refuseUsed(draft, column);
  const value = (relation: TableRelation): Expression =>
    converted(draft, column, type, relation, read.raw_default);
  // Its errors come before anything is changed.
  value(draft.relationOf(before));
  if (column.identity !== undefined && !['int2', 'int4', 'int8'].includes(type.name)) {
    const text = 'identity column type must be smallint, integer, or bigint';
    raise('invalid_parameter_value', text);
  }
  const changed = {
    type: type.name,
    typeModifier: type.modifier,
    collation: collationOf(draft, read.collClause, type),
  };
  draft.setColumn(column.position, changed);
  checkDefault(draft, draft.columnAt(column.position));
  const indexes = draft.table.indexes.map((index) => ({
    ...index,
    keys: index.keys.map((key) => (key.column === column.position ? { ...key, ...changed } : key)),
  }));
  draft.set({ indexes });
  draft.rewrite(column.position, value);
}

function converted(
  draft: TableDraft,
  column: ColumnDescriptor,
  type: BoundType,
  relation: TableRelation,
  using: ast.Node | undefined,
): Expression {
  const { bind } = draft.context;
  const shown = printType(type.name, type.modifier);
  if (using !== undefined) {
    const scope = tableScope(bind, relation, undefined);
    const clause = { scope, name: 'transform expressions', aggregates: undefined };
    const value = coerce(bind, bindExpression(bind, clause, using), type, 'assignment');
    if (value !== undefined) return value;
    const text = `result of USING clause for column "${column.name}" cannot be cast automatically to type ${shown}`;
    return raise('datatype_mismatch', text, { hint: 'You might need to add an explicit cast.' });
  }
  const at = relation.positions.indexOf(column.position);
  const old = columnExpression(must(relation.columns[at], 'the column was there'));
  const value = coerce(bind, old, type, 'assignment');
  if (value !== undefined) return value;
  const text = `column "${column.name}" cannot be cast automatically to type ${shown}`;
  return raise('datatype_mismatch', text, {
    hint: `You might need to specify "USING ${column.name}::${shown}".`,
  });
}

/** Its default must be one of the new type. */
function checkDefault(draft: TableDraft, column: ColumnDescriptor): void {
  if (column.default?.kind !== 'expression') return;
  try {
    defaultOf(draft.context.bind, column);
  } catch {
    const shown = printType(column.type, column.typeModifier);
    const text = `default for column "${column.name}" cannot be cast automatically to type ${shown}`;
    raise('datatype_mismatch', text);
  }
}

function refuseUsed(draft: TableDraft, column: ColumnDescriptor): void {
  const [view] = viewsOf(draft, column);
  if (view !== undefined) {
    const text = 'cannot alter type of a column used by a view or rule';
    raise('feature_not_supported', text, {
      detail: `rule _RETURN on ${describe(draft.context, view)} depends on column "${column.name}"`,
    });
  }
  const generated = draft.table.columns.find(
    (one) => one.generated !== undefined && draft.reads(one.generated).includes(column.position),
  );
  if (generated === undefined) return;
  const text = 'cannot alter type of a column used by a generated column';
  raise('feature_not_supported', text, {
    detail: `Column "${column.name}" is used by generated column "${generated.name}".`,
  });
}
