/** Constraints of columns and tables: PRIMARY KEY, UNIQUE, CHECK; FOREIGN KEY is in foreign-key.ts. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { BindContext } from '../bind/context.js';
import { coerceToBool } from '../bind/coerce.js';
import { bindExpression } from '../bind/expression.js';
import type { ColumnDescriptor, ConstraintTiming, IndexKey } from '../catalogue/index.js';
import {
  type ast,
  bracketedText,
  fields,
  locationOf,
  notSupported,
  stringsOf,
} from '../parse/index.js';
import { printType, typeNamed } from '../types/index.js';
import { setNotNull } from './column.js';
import type { TableDraft } from './draft.js';
import { addForeignKey } from './foreign-key.js';
import { positionsRead } from './generated.js';
import { usedWithin } from './uses.js';

const attributes: ReadonlySet<ast.ConstrType | undefined> = new Set<ast.ConstrType>([
  ...(['CONSTR_ATTR_DEFERRABLE', 'CONSTR_ATTR_NOT_DEFERRABLE'] as const),
  ...(['CONSTR_ATTR_DEFERRED', 'CONSTR_ATTR_IMMEDIATE'] as const),
]);

/** `following` are the column's constraints behind this one: some only say when it is checked. */
export function addColumnConstraint(
  draft: TableDraft,
  column: ColumnDescriptor,
  body: ast.Constraint,
  following: readonly ast.Constraint[],
): void {
  if (attributes.has(body.contype)) return;
  const timing = timingBehind(draft.context.bind, following);
  addConstraint(draft, body, { column: column.name, timing });
}

export function addTableConstraint(draft: TableDraft, body: ast.Constraint): void {
  addConstraint(draft, body, { column: undefined, timing: timingOf(body) });
}

interface Where {
  /** The column that the constraint stands at; undefined for one of the table. */
  readonly column: string | undefined;
  readonly timing: ConstraintTiming;
}

function addConstraint(draft: TableDraft, body: ast.Constraint, where: Where): void {
  const { bind } = draft.context;
  switch (body.contype) {
    case 'CONSTR_PRIMARY':
    case 'CONSTR_UNIQUE':
      addKey(draft, body, where);
      return;
    case 'CONSTR_CHECK':
      draft.later.push(() => addCheck(draft, body, where));
      return;
    case 'CONSTR_FOREIGN':
      draft.later.push(() => addForeignKey(draft, body, where.column, where.timing));
      return;
    case 'CONSTR_EXCLUSION':
      notSupported(bind.source, 'EXCLUDE constraint', locationOf(body));
      break;
    default:
      notSupported(bind.source, body.contype ?? 'constraint', locationOf(body));
  }
}

export function timingOf(body: ast.Constraint): ConstraintTiming {
  if (body.initdeferred === true) return 'deferred';
  return body.deferrable === true ? 'deferrable' : 'immediate';
}

function timingBehind(bind: BindContext, following: readonly ast.Constraint[]): ConstraintTiming {
  let timing: ConstraintTiming = 'immediate';
  for (const constraint of following) {
    if (!attributes.has(constraint.contype)) break;
    fields(bind.source, 'Constraint', constraint, ['contype']);
    if (constraint.contype === 'CONSTR_ATTR_DEFERRABLE' && timing === 'immediate') {
      timing = 'deferrable';
    }
    if (constraint.contype === 'CONSTR_ATTR_DEFERRED') timing = 'deferred';
  }
  return timing;
}

function addKey(draft: TableDraft, body: ast.Constraint, where: Where): void {
  const { bind } = draft.context;
  if (body.indexname !== undefined) {
    notSupported(bind.source, 'constraint USING INDEX', locationOf(body));
  }
  const read = fields(bind.source, 'Constraint', body, [
    ...(['contype', 'conname', 'keys', 'including', 'nulls_not_distinct'] as const),
    ...(['deferrable', 'initdeferred', 'skip_validation', 'initially_valid'] as const),
    // Storage parameters say nothing of what is stored.
    ...(['options', 'indexspace'] as const),
  ]);
  const primary = body.contype === 'CONSTR_PRIMARY';
  const { table } = draft;
  const at = locationOf(body);
  if (primary && hasPrimaryKey(draft)) {
    const text = `multiple primary keys for table "${table.name}" are not allowed`;
    const where = draft.before === undefined ? at : undefined;
    bind.raise(where, 'invalid_table_definition', text);
  }
  const names = where.column === undefined ? stringsOf(read.keys) : [where.column];
  const include = stringsOf(read.including).map((name) => keyColumn(draft, name, at).position);
  const columns = keyColumns(draft, names, primary ? 'primary key' : 'unique', at);
  if (primary) for (const column of columns) requireNotNull(draft, column, at);
  if (read.conname !== undefined) draft.checkConstraintName(read.conname);
  const label = primary
    ? draft.makeName.bind(draft, undefined, 'pkey')
    : draft.makeName.bind(draft, names.join('_'), 'key');
  const name = read.conname === undefined ? label() : draft.takeName(read.conname);
  const positions = columns.map(({ position }) => position);
  if (
    primary &&
    draft.before === undefined &&
    where.timing === 'immediate' &&
    include.length === 0
  ) {
    draft.set({ primaryKey: positions, primaryKeyName: name });
    return;
  }
  const index = {
    ...draft.newIndexIds(),
    name,
    unique: true,
    nullsNotDistinct: read.nulls_not_distinct === true,
    partOf: undefined,
    keys: columns.map(columnKey),
    include,
    predicate: undefined,
    primary,
    constraint: where.timing,
    comment: undefined,
  };
  draft.set({ indexes: [...draft.table.indexes, index] });
  if (draft.before !== undefined) draft.tasks.push({ kind: 'index', index: name });
}

function hasPrimaryKey({ table }: TableDraft): boolean {
  return table.primaryKey.length > 0 || table.indexes.some(({ primary }) => primary);
}

/** A key of an index that is a column in ascending order. */
export function columnKey(column: ColumnDescriptor): IndexKey {
  return {
    column: column.position,
    expression: undefined,
    type: column.type,
    typeModifier: column.typeModifier,
    collation: column.collation,
    descending: false,
    nullsFirst: false,
  };
}

function requireNotNull(draft: TableDraft, column: ColumnDescriptor, at: number | undefined): void {
  if (column.notNull) return;
  setNotNull(draft, column, at);
  if (draft.before === undefined) return;
  draft.tasks.push({ kind: 'notNull', position: column.position });
}

function keyColumns(
  draft: TableDraft,
  names: readonly string[],
  what: string,
  at: number | undefined,
): readonly ColumnDescriptor[] {
  const { bind } = draft.context;
  const seen = new Set<string>();
  return names.map((name) => {
    const column = keyColumn(draft, name, at);
    if (seen.has(name)) {
      const text = `column "${name}" appears twice in ${what} constraint`;
      bind.raise(at, 'duplicate_column', text);
    }
    seen.add(name);
    requireKeyType(column.type);
    return column;
  });
}

function keyColumn(draft: TableDraft, name: string, at: number | undefined): ColumnDescriptor {
  const column = draft.column(name);
  if (column !== undefined) return column;
  const text = `column "${name}" named in key does not exist`;
  return draft.context.bind.raise(at, 'undefined_column', text);
}

/** Raises when values of the type cannot be in a key. */
export function requireKeyType(type: string): void {
  if (typeNamed(type).key !== undefined) return;
  const text = `data type ${printType(type, -1)} has no default operator class for access method "btree"`;
  raise('undefined_object', text, {
    hint: 'You must specify an operator class for the index or define a default operator class for the data type.',
  });
}

function addCheck(draft: TableDraft, body: ast.Constraint, where: Where): void {
  const { bind } = draft.context;
  const read = fields(bind.source, 'Constraint', body, [
    ...(['contype', 'conname', 'raw_expr', 'skip_validation', 'initially_valid'] as const),
    // Without heirs nothing inherits.
    'is_no_inherit',
  ]);
  const scope = draft.scope();
  const clause = { scope, name: 'check constraints', aggregates: undefined };
  const node = must(read.raw_expr, 'CHECK has a condition');
  const { value, uses } = usedWithin(bind, (inner) =>
    coerceToBool(inner, bindExpression(inner, clause, node), 'CHECK'),
  );
  const positions = positionsRead(scope, value);
  if (read.conname !== undefined) draft.checkConstraintName(read.conname);
  const [only] = positions;
  const column =
    positions.length === 1 && only !== undefined ? draft.columnAt(only).name : undefined;
  const name = read.conname ?? draft.makeConstraintName(column ?? where.column, 'check');
  const check = {
    name,
    expression: bracketedText(bind.source, 'check', body.location ?? 0),
    validated: read.skip_validation !== true,
    comment: undefined,
  };
  draft.set({
    checks: [...draft.table.checks, check],
    uses: [...new Set([...draft.table.uses, ...uses])],
  });
  if (draft.before !== undefined && check.validated) draft.tasks.push({ kind: 'check', name });
}
