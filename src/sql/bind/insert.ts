/** INSERT. */
import { must } from '../../base/assert.js';
import type { ColumnDescriptor, TableDescriptor } from '../catalogue/descriptor.js';
import { right } from '../catalogue/index.js';
import { type ast, fields, locationOf, the } from '../parse/index.js';
import type { ColumnId, Expression, NamedExpression } from '../plan/expression.js';
import type { Relation, RelationColumn } from '../plan/relation.js';
import type { Assignment, DataStatement } from '../plan/statement.js';
import {
  assigned,
  columnNamed,
  defaultOf,
  isDefault,
  refuseGenerated,
  typeOfColumn,
} from './assign.js';
import { isUnknown } from './coerce.js';
import { newCollector, type SetCollector } from './collector.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause, nodeLocation } from './expression.js';
import { findTable, oneRow, tableRelation } from './from.js';
import { bindOnConflict } from './on-conflict.js';
import { assignedPart } from './part.js';
import { bindReturning } from './returning.js';
import { columnExpression, emptyScope, scopeOf } from './scope.js';
import { bindQuery, bindValuesRows } from './select.js';
import { projectSets } from './set-call.js';
import { bindWriteRules } from './table-rules.js';

type Insert = Extract<DataStatement, { kind: 'insert' }>;

/** A column that INSERT gives, and where its list names it. */
interface TargetColumn {
  readonly column: ColumnDescriptor;
  readonly location: number | undefined;
  /** Subscripts and fields behind the column's name. */
  readonly path: readonly ast.Node[];
}

export function bindInsert(context: BindContext, body: ast.InsertStmt): Insert {
  const read = fields(context.source, 'InsertStmt', body, [
    'relation',
    'cols',
    'selectStmt',
    'onConflictClause',
    'returningClause',
    'override',
  ]);
  const reference = must(read.relation, 'INSERT names a table');
  const table = findTable(context, reference);
  const needs = context.needs.entry(table.object, context.checkAs, right.insert);
  context.needs.setTarget(reference, needs);
  const listed = targetColumns(context, table, read.cols);
  const overriding = read.override ?? 'OVERRIDING_NOT_SET';
  const source = bindSource(context, listed, read.selectStmt, overriding);
  for (const position of source.positions) needs.inserted.add(position);
  const given = new Set(source.positions);
  const defaults: Assignment[] = table.columns
    .filter((column) => !given.has(column.position))
    .map((column) => ({ position: column.position, expression: defaultOf(context, column) }));
  const onConflict = bindOnConflict(context, reference, table, read.onConflictClause);
  const { hidden } = context;
  if (onConflict?.update !== undefined) {
    const excluded = scopeOf(tableRelation(context, table).columns, 'excluded');
    context.hidden = [...hidden, { scope: excluded, reason: 'place', hints: false }];
  }
  const returning = bindReturning(context, read.returningClause, table, reference);
  context.hidden = hidden;
  const rules = bindWriteRules(context, table);
  return { kind: 'insert', table, rules, ...source, defaults, onConflict, returning };
}

/** The columns that the list names; all in order without a list. */
function targetColumns(
  context: BindContext,
  table: TableDescriptor,
  nodes: readonly ast.Node[] | undefined,
): { readonly columns: readonly TargetColumn[]; readonly isList: boolean } {
  if (nodes === undefined) {
    const columns = table.columns.map((column) => ({ column, location: undefined, path: [] }));
    return { columns, isList: false };
  }
  const seen = new Map<string, 'whole' | 'part'>();
  const columns = nodes.map((node) => {
    const body = the(node, 'ResTarget');
    const { name = '', indirection: path = [] } = fields(context.source, 'ResTarget', body, [
      'name',
      'indirection',
    ]);
    const extent = path.length > 0 ? 'part' : 'whole';
    const location = locationOf(body);
    const column = columnNamed(context, table, name, location);
    if (seen.has(name) && (extent === 'whole' || seen.get(name) === 'whole')) {
      context.raise(location, 'duplicate_column', `column "${name}" specified more than once`);
    }
    seen.set(name, extent);
    return { column, location, path };
  });
  return { columns, isList: true };
}

interface InsertSource {
  readonly input: Relation;
  readonly positions: readonly number[];
}

function bindSource(
  context: BindContext,
  listed: ReturnType<typeof targetColumns>,
  node: ast.Node | undefined,
  overriding: ast.OverridingKind,
): InsertSource {
  if (node === undefined) return { input: oneRow, positions: [] };
  const select = the(node, 'SelectStmt');
  const plain =
    select.valuesLists !== undefined &&
    select.sortClause === undefined &&
    select.limitCount === undefined &&
    select.limitOffset === undefined &&
    select.withClause === undefined;
  return plain
    ? valuesSource(context, listed, must(select.valuesLists, 'VALUES has rows'), overriding)
    : querySource(context, listed, select, overriding);
}

/** As many target columns as a row gives values; raises when they cannot be matched. */
function matched(
  context: BindContext,
  listed: ReturnType<typeof targetColumns>,
  count: number,
  extraLocation: (index: number) => number | undefined,
): readonly TargetColumn[] {
  const { columns, isList } = listed;
  if (count > columns.length) {
    const text = 'INSERT has more expressions than target columns';
    context.raise(extraLocation(columns.length), 'syntax_error', text);
  }
  if (isList && count < columns.length) {
    const text = 'INSERT has more target columns than expressions';
    context.raise(columns[count]?.location, 'syntax_error', text);
  }
  return columns.slice(0, count);
}

function valuesSource(
  context: BindContext,
  listed: ReturnType<typeof targetColumns>,
  lists: readonly ast.Node[],
  overriding: ast.OverridingKind,
): InsertSource {
  const first = the(lists[0], 'List').items ?? [];
  const targets = matched(context, listed, first.length, (i) => {
    const extra = first[i];
    return extra && nodeLocation(extra);
  });
  // Several rows may hold no sets: each would give rows in the place of one.
  const sets: SetCollector | undefined = lists.length === 1 ? newCollector() : undefined;
  const clause: Clause = { scope: emptyScope, name: 'VALUES', aggregates: undefined, sets };
  // All of a row is bound before any of it is coerced, as in PostgreSQL: it shows in $1, $1.
  const bound = bindValuesRows(context, lists, (node) =>
    isDefault(node) ? undefined : bindExpression(context, clause, node),
  );
  const rows = bound.map((row) => columnValues(context, targets, row, overriding));
  const columns = columnsOf(targets).map((column) => relationColumn(context, column));
  const values = { kind: 'values', columns, rows } as const;
  return {
    input: sets === undefined || sets.found === 0 ? values : expanded(context, values, sets),
    positions: columnsOf(targets).map(({ position }) => position),
  };
}

/** The only row of VALUES, as many times as its sets have rows. */
function expanded(
  context: BindContext,
  { columns, rows }: Extract<Relation, { readonly kind: 'values' }>,
  sets: SetCollector,
): Relation {
  const input = projectSets(context, oneRow, sets.calls, (expression) => expression);
  const [row = []] = rows;
  const expressions = columns.map(({ column, name }, i) => ({
    column,
    name,
    expression: must(row[i], 'a value per column'),
  }));
  return { kind: 'project', columns, input, expressions };
}

/** The columns of targets, each once: several targets may be parts of one. */
function columnsOf(targets: readonly TargetColumn[]): readonly ColumnDescriptor[] {
  return [...new Set(targets.map(({ column }) => column))];
}

/** A value for each of the columns from a value for each target; undefined stands for DEFAULT. */
function columnValues(
  context: BindContext,
  targets: readonly TargetColumn[],
  given: readonly (Expression | undefined)[],
  overriding: ast.OverridingKind,
): Expression[] {
  const clause: Clause = { scope: emptyScope, name: 'VALUES', aggregates: undefined };
  const values = new Map<ColumnDescriptor, Expression>();
  for (const [i, { column, path, location }] of targets.entries()) {
    const expression = given[i];
    if (path.length > 0) {
      const nothing: Expression = { kind: 'constant', type: typeOfColumn(column), value: null };
      const before = values.get(column) ?? nothing;
      const part = { column, path, given: expression ?? 'default', before, at: location } as const;
      values.set(column, assignedPart(context, clause, part));
    } else if (expression === undefined) values.set(column, defaultOf(context, column));
    else {
      const value = assigned(context, column, expression);
      values.set(column, overridden(context, column, overriding) ?? value);
    }
  }
  return [...values.values()];
}

/** What stands in for the value given for an identity column, if something does. */
function overridden(
  context: BindContext,
  column: ColumnDescriptor,
  overriding: ast.OverridingKind,
): Expression | undefined {
  if (column.generated !== undefined) refuseGenerated(context, column, 'insert');
  if (column.identity === undefined) return undefined;
  if (overriding === 'OVERRIDING_USER_VALUE') return defaultOf(context, column);
  if (overriding !== 'OVERRIDING_SYSTEM_VALUE') refuseGenerated(context, column, 'insert');
  return undefined;
}

function relationColumn(context: BindContext, column: ColumnDescriptor): RelationColumn {
  const type = { name: column.type, modifier: column.typeModifier };
  return { column: context.nextColumn(), name: column.name, type };
}

function querySource(
  context: BindContext,
  listed: ReturnType<typeof targetColumns>,
  select: ast.SelectStmt,
  overriding: ast.OverridingKind,
): InsertSource {
  const query = bindQuery(context, select, true);
  const targets = matched(context, listed, query.columns.length, (i) => {
    const extra = select.targetList?.[i];
    return extra && nodeLocation(extra);
  });
  const outputs = targets.map((_, i) => {
    const output = must(query.columns[i], 'a column per target');
    const origin = output.type.name === 'unknown' ? originOf(query, output.column) : undefined;
    return origin ?? columnExpression(output);
  });
  const values = columnValues(context, targets, outputs, overriding);
  const expressions: NamedExpression[] = columnsOf(targets).map(({ name }, i) => {
    const expression = must(values[i], 'a value per column');
    return { column: context.nextColumn(), name, expression };
  });
  const columns = expressions.map(({ column, name, expression }) => ({
    column,
    name,
    type: expression.type,
  }));
  return {
    input: { kind: 'project', columns, input: query, expressions },
    positions: columnsOf(targets).map(({ position }) => position),
  };
}

/** The literal or parameter of unknown type behind a column of a query's result. */
function originOf(relation: Relation, column: ColumnId): Expression | undefined {
  switch (relation.kind) {
    case 'limit':
    case 'sort':
      return originOf(relation.input, column);
    case 'project': {
      const named = relation.expressions.find((one) => one.column === column);
      if (named === undefined) return undefined;
      const { expression } = named;
      if (expression.kind === 'column') return originOf(relation.input, expression.column);
      return isUnknown(expression) ? expression : undefined;
    }
    default:
      return undefined;
  }
}
