/** FROM: tables, subqueries, functions and VALUES. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type {
  ColumnDescriptor,
  RelationDescriptor,
  TableDescriptor,
} from '../catalogue/descriptor.js';
import { oidOf, right, rowTypeNameOf } from '../catalogue/index.js';
import {
  as,
  type ast,
  fields,
  locationOf,
  nodeNotSupported,
  notSupported,
  stringsOf,
  the,
} from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import type { Relation, RelationColumn } from '../plan/relation.js';
import type { Capture } from '../plan/subquery.js';
import { type TypeName, withCollation } from '../types/index.js';
import { coerceToCommon } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause, nodeLocation } from './expression.js';
import { bindJoin, joined } from './join.js';
import type { EntryNeeds } from './needs.js';
import { bindWithin } from './outer.js';
import {
  columnExpression,
  emptyScope,
  joinScopes,
  type Scope,
  type ScopeColumn,
  scopeOf,
  withRowType,
} from './scope.js';
import { bindSample } from './sample.js';
import { bindQuery } from './select.js';
import type { PartitionedTarget } from '../plan/partitions.js';
import { partitionedRows, tableOid } from './partitions.js';
import { isSlowStatements, slowStatementsCall } from './slow-statements.js';
import { bindSystemTable, findSystemTable, type SystemTable } from './system.js';
import { bindConditionalIndexes } from './table-rules.js';
import { sequenceRelation } from './sequence.js';
import { bindSqlTable, findSqlFunction } from './sql-function.js';
import { bindView } from './view.js';
import { findWithTable, laterDetails } from './with-scope.js';
import { bindTableFunction } from './table-function.js';

export interface From {
  readonly relation: Relation;
  readonly scope: Scope;
  /** What LATERAL reads of entries to the left; whoever joins it to them makes an apply of it. */
  readonly captures?: readonly Capture[];
}

/** The entries to the left of one, which LATERAL can name. */
export interface Left {
  readonly scope: Scope;
  /** The right side of a RIGHT or FULL JOIN sees the left one but may not name it. */
  readonly forbidden?: Scope;
}

const nothingLeft: Left = { scope: emptyScope };

/** One row without columns: what SELECT without FROM reads. */
export const oneRow: Relation = { kind: 'values', columns: [], rows: [[]] };

/** `target` is the table that UPDATE or DELETE changes: entries of FROM may not name it. */
export function bindFrom(
  context: BindContext,
  nodes: readonly ast.Node[] | undefined,
  target?: Scope,
): From {
  let from: From | undefined;
  const { hidden } = context;
  if (target !== undefined) {
    context.hidden = [{ scope: target, reason: 'target', hints: false }, ...hidden];
  }
  for (const node of nodes ?? []) {
    const item = bindItem(context, node, from ?? nothingLeft);
    from = from === undefined ? item : crossJoin(context, from, item);
  }
  context.hidden = hidden;
  return from ?? { relation: oneRow, scope: emptyScope };
}

export function crossJoin(context: BindContext, left: From, right: From): From {
  const scope = joinScopes(context, left.scope, right.scope);
  return joined('inner', left, right, undefined, scope);
}

/** Binds an entry that can name those to the left of it. */
function bindLateral(context: BindContext, left: Left, bind: () => From): From {
  const { hidden } = context;
  if (left.forbidden !== undefined) {
    context.hidden = [{ scope: left.forbidden, reason: 'join', hints: false }, ...hidden];
  }
  const clause: Clause = {
    scope: left.scope,
    name: 'FROM clause of their own query level',
    aggregates: undefined,
  };
  const { bound, captures } = bindWithin(context, clause, true, bind);
  context.hidden = hidden;
  return { ...bound, captures };
}

/** Binds an entry that cannot name those to the left of it. */
function bindBeside(context: BindContext, left: Left, bind: () => From): From {
  const { hidden } = context;
  context.hidden = [{ scope: left.scope, reason: 'place', hints: true }, ...hidden];
  const bound = bind();
  context.hidden = hidden;
  return bound;
}

export function bindItem(context: BindContext, node: ast.Node, left: Left): From {
  return context.nested(() => {
    const table = as(node, 'RangeVar');
    if (table !== undefined) return bindWithTable(context, table) ?? bindTable(context, table);
    const subquery = as(node, 'RangeSubselect');
    if (subquery !== undefined) return bindDerived(context, subquery, left);
    const join = as(node, 'JoinExpr');
    if (join !== undefined) return bindJoin(context, join, left);
    const called = as(node, 'RangeFunction');
    if (called !== undefined) {
      return bindLateral(context, left, () => bindFunction(context, emptyScope, called));
    }
    const sampled = as(node, 'RangeTableSample');
    if (sampled !== undefined) return bindSampled(context, sampled, left);
    return nodeNotSupported(context.source, node);
  });
}

/** The table of WITH that a RangeVar names. */
function bindWithTable(context: BindContext, body: ast.RangeVar): From | undefined {
  const { relname: name = '', schemaname, alias } = body;
  const entry = schemaname === undefined ? findWithTable(context.withTables, name) : undefined;
  if (entry === undefined) return undefined;
  const at = locationOf(body);
  if (entry.columns === undefined) {
    const text = `WITH query "${name}" does not have a RETURNING clause`;
    context.raise(at, 'feature_not_supported', text);
  }
  const columns = entry.columns.map((one) => ({
    ...one,
    column: context.columnFor(columnExpression(one)),
  }));
  const { id, working } = entry;
  const relation: Relation = { kind: 'withScan', columns, table: id, name, working };
  const renamed =
    alias === undefined ? columns : renamedColumns(context, columns, alias, alias.aliasname ?? '');
  const scope = scopeOf(renamed, alias?.aliasname ?? name, alias && name);
  return { relation, scope: entry.unlisted === undefined ? scope : unlist(scope, entry.unlisted) };
}

/** The scope with its last columns left out of `*`. */
function unlist(scope: Scope, count: number): Scope {
  const from = scope.visible.length - count;
  const marked = (columns: readonly ScopeColumn[]): readonly ScopeColumn[] =>
    columns.map((column, i) => (i < from ? column : { ...column, unlisted: true }));
  return {
    visible: marked(scope.visible),
    relations: scope.relations.map((one) => ({ ...one, columns: marked(one.columns) })),
  };
}

/** The relation that a RangeVar names. Raises undefined_table. */
export function findRelation(
  context: BindContext,
  body: ast.RangeVar,
): Exclude<RelationDescriptor, { kind: 'index' }> {
  const read = fields(context.source, 'RangeVar', body, ['schemaname', 'relname', 'alias']);
  const at = locationOf(body);
  const name = read.relname ?? '';
  const schema = read.schemaname;
  const shown = schema === undefined ? name : `${schema}.${name}`;
  const relation = context.at(at, () => context.catalogue.relation(schema, name));
  if (findSystemTable(context, body) !== undefined) {
    const text = `permission denied: "${name}" is a system catalog`;
    context.raise(at, 'insufficient_privilege', text);
  }
  if (relation === undefined) {
    const details = schema === undefined ? laterDetails(context.withTables, name) : {};
    context.raise(at, 'undefined_table', `relation "${shown}" does not exist`, details);
  }
  if (relation.kind === 'index') {
    context.raise(at, 'wrong_object_type', `cannot open relation "${name}"`, {
      detail: 'This operation is not supported for indexes.',
    });
  }
  if (relation.kind === 'table') context.used.set(relation.object, relation);
  return relation;
}

/** The table that a RangeVar names, to be changed. Raises undefined_table. */
export function findTable(context: BindContext, body: ast.RangeVar): TableDescriptor {
  const found = findRelation(context, body);
  if (found.kind === 'table') return found;
  if (found.kind === 'sequence') {
    raise('wrong_object_type', `cannot change sequence "${found.name}"`);
  }
  return notSupported(context.source, `changing the view "${found.name}"`, locationOf(body));
}

function collatedType({ type, collation }: ColumnDescriptor): string {
  if (collation === undefined) return type;
  return withCollation(type as TypeName, { name: collation, strength: 'implicit' });
}

/** The rows of a table, or of the leaves of a partitioned one, which `partitioned` tells apart. */
export interface TableFrom extends From {
  readonly partitioned?: PartitionedTarget;
  /** What of it the statement needs rights on. */
  readonly needs: EntryNeeds;
}

export function tableFrom(
  context: BindContext,
  table: TableDescriptor,
  alias: ast.Alias | undefined,
  rights: number = right.select,
): TableFrom {
  const entry = context.needs.entry(table.object, context.checkAs, rights);
  if (table.partitioning === undefined) {
    const relation = tableRelation(context, table);
    context.needs.columns(entry, relation.columns, relation.positions);
    return { relation, scope: tableScope(context, relation, alias), needs: entry };
  }
  const { relation, leaf, number } = partitionedRows(context, table);
  const columns = relation.columns.slice(0, table.columns.length);
  const positions = table.columns.map(({ position }) => position);
  context.needs.columns(entry, columns, positions);
  const scope = tableScope(context, { table, columns }, alias, columnExpression(leaf));
  const partitioned = { leaf: leaf.column, number: number.column };
  return { relation, scope, partitioned, needs: entry };
}

/** A table's relation with all its columns, in the order of the descriptor. */
export function tableRelation(
  context: BindContext,
  table: TableDescriptor,
): Extract<Relation, { kind: 'table' }> {
  const named = context.catalogue.columnsOf(table);
  const columns = named.map((column) => ({
    column: context.nextColumn(),
    name: column.name,
    type: { name: collatedType(column), modifier: column.typeModifier },
  }));
  const positions = named.map((column) => column.position);
  context.origins.ofRelation(oidOf(table.object), columns, positions);
  const relation = { kind: 'table', columns, table, positions, filter: undefined } as const;
  // A view may see less of its table, or by other names, than the texts of the indexes say.
  const isWhole =
    named.length === table.columns.length &&
    named.every(({ name }, i) => name === table.columns[i]?.name);
  const indexes = isWhole ? bindConditionalIndexes(context, table, columns) : [];
  return indexes.length === 0 ? relation : { ...relation, indexes };
}

function bindTable(context: BindContext, body: ast.RangeVar): From {
  if (isSlowStatements(body)) return bindFunction(context, emptyScope, slowStatementsCall(body));
  const system = findSystemTable(context, body);
  if (system !== undefined) return systemFrom(context, system, body.alias);
  const found = findRelation(context, body);
  if (found.kind === 'table') return tableFrom(context, found, body.alias);
  const relation =
    found.kind === 'view' ? bindView(context, found) : sequenceRelation(context, found);
  const entry = context.needs.entry(found.object, context.checkAs, right.select);
  const positions = relation.columns.map((_, i) => i + 1);
  context.needs.columns(entry, relation.columns, positions);
  const { name, schema } = found;
  const { alias } = body;
  return { relation, scope: namedScope(context, relation.columns, { name, schema }, alias) };
}

function systemFrom(context: BindContext, found: SystemTable, alias: ast.Alias | undefined): From {
  const relation = bindSystemTable(context, found);
  const { name, schema, oid } = found;
  const scope = namedScope(context, relation.columns, { name, schema }, alias);
  const own: Expression = { kind: 'constant', type: { name: 'oid', modifier: -1 }, value: oid };
  return { relation, scope: 'query' in found ? scope : withSystemColumn(scope, own) };
}

/** The columns of what has a name, under its alias or that name. */
function namedScope(
  context: BindContext,
  columns: readonly RelationColumn[],
  { name, schema }: { readonly name: string; readonly schema: string },
  alias: ast.Alias | undefined,
): Scope {
  if (alias === undefined) return scopeOf(columns, name, undefined, schema);
  const renamed = renamedColumns(context, columns, alias, alias.aliasname ?? '');
  return scopeOf(renamed, alias.aliasname, name);
}

/** The scope of a table, under its alias or its name. */
export function tableScope(
  context: BindContext,
  relation: { readonly table: TableDescriptor; readonly columns: readonly RelationColumn[] },
  alias: ast.Alias | undefined,
  oid: Expression = tableOid(relation.table),
): Scope {
  const { name, schema } = relation.table;
  const rowType = rowTypeNameOf(relation.table);
  const scope = namedScope(context, relation.columns, { name, schema }, alias);
  return withSystemColumn(withRowType(scope, rowType), oid);
}

/** `tableoid` can be named and is not among the columns of `*`. A column of that name is not hidden. */
function withSystemColumn(scope: Scope, oid: Expression): Scope {
  const name = 'tableoid';
  if (scope.visible.some((column) => column.name === name)) return scope;
  const system: ScopeColumn = { name, expression: oid, unlisted: true };
  return {
    ...scope,
    visible: [...scope.visible, system],
    relations: scope.relations.map((one) => ({ ...one, columns: [...one.columns, system] })),
  };
}

/** `scope` is what the arguments may name. */
function bindFunction(context: BindContext, scope: Scope, body: ast.RangeFunction): From {
  const own = sqlTable(context, scope, body);
  const { relation, name } = own ?? bindTableFunction(context, scope, body);
  const { alias } = body;
  const columns =
    alias === undefined
      ? relation.columns
      : renamedColumns(context, relation.columns, alias, alias.aliasname ?? '');
  context.witness?.noteColumns(
    body,
    columns.map((column) => column.name),
  );
  return { relation, scope: scopeOf(columns, alias === undefined ? name : alias.aliasname) };
}

/** A call of one function of the catalogue. */
function sqlTable(
  context: BindContext,
  scope: Scope,
  body: ast.RangeFunction,
): { readonly relation: Relation; readonly name: string } | undefined {
  const [only, second] = body.functions ?? [];
  const call = as(as(only, 'List')?.items?.[0], 'FuncCall');
  if (call === undefined || second !== undefined || body.ordinality === true) return undefined;
  const path = stringsOf(call.funcname);
  const name = path.at(-1) ?? '';
  if (context.catalogue.functions(path.at(-2), name).length === 0) return undefined;
  const clause: Clause = { scope, name: 'functions in FROM', aggregates: undefined };
  const args = (call.args ?? []).map((node) => bindExpression(context, clause, node));
  const found = findSqlFunction(context, path, args, locationOf(call));
  return found && { relation: bindSqlTable(context, found), name };
}

function bindSampled(context: BindContext, body: ast.RangeTableSample, left: Left): From {
  const from = bindItem(context, must(body.relation, 'TABLESAMPLE has a table'), left);
  if (from.relation.kind !== 'table') {
    const text = 'TABLESAMPLE clause can only be applied to tables and materialized views';
    context.raise(body.relation && nodeLocation(body.relation), 'feature_not_supported', text);
  }
  return { relation: bindSample(context, from.relation, body), scope: from.scope };
}

function renamedColumns(
  context: BindContext,
  columns: readonly RelationColumn[],
  alias: ast.Alias,
  shown: string,
): readonly RelationColumn[] {
  const { colnames } = fields(context.source, 'Alias', alias, ['aliasname', 'colnames']);
  const names = stringsOf(colnames);
  checkAliases(names, columns.length, shown, 'table');
  return columns.map((column, i) => ({ ...column, name: names[i] ?? column.name }));
}

export function checkAliases(
  names: readonly string[],
  available: number,
  shown: string,
  what: 'table' | 'join expression',
): void {
  if (names.length <= available) return;
  raise(
    'invalid_column_reference',
    `${what} "${shown}" has ${available} columns available but ${names.length} columns specified`,
  );
}

function bindDerived(context: BindContext, body: ast.RangeSubselect, left: Left): From {
  const { subquery, alias, lateral } = fields(context.source, 'RangeSubselect', body, [
    'lateral',
    'subquery',
    'alias',
  ]);
  const bind = (): From => {
    const relation = bindQuery(context, the(subquery, 'SelectStmt'));
    if (alias === undefined) return { relation, scope: scopeOf(relation.columns, undefined) };
    const columns = renamedColumns(context, relation.columns, alias, alias.aliasname ?? '');
    return { relation, scope: scopeOf(columns, alias.aliasname) };
  };
  return lateral ? bindLateral(context, left, bind) : bindBeside(context, left, bind);
}

/** VALUES as a relation: columns column1, column2, ... of the common types of the rows. */
export function bindValues(
  context: BindContext,
  rows: readonly (readonly Expression[])[],
): Relation {
  const width = rows[0]?.length ?? 0;
  const columns: RelationColumn[] = [];
  const coerced: Expression[][] = rows.map(() => []);
  for (let i = 0; i < width; i += 1) {
    const column = rows.map((row) => must(row[i], 'rows are equally long'));
    const { type, expressions } = coerceToCommon(context, column, 'VALUES');
    expressions.forEach((expression, row) => {
      coerced[row]?.push(expression);
    });
    columns.push({ column: context.nextColumn(), name: `column${i + 1}`, type });
  }
  return { kind: 'values', columns, rows: coerced };
}
