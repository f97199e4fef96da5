/** FROM: tables, subqueries, VALUES and joins. */
import { assert, must, unreachable } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
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
import type { JoinKind, Relation, RelationColumn } from '../plan/relation.js';
import { bool, coerceToBool, coerceToCommon } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression } from './expression.js';
import { bindBinary } from './operator.js';
import {
  emptyScope,
  joinScopes,
  type Scope,
  type ScopeColumn,
  scopeOf,
  visibleColumn,
} from './scope.js';
import { bindQuery } from './select.js';

export interface From {
  readonly relation: Relation;
  readonly scope: Scope;
}

/** One row without columns: what SELECT without FROM reads. */
export const oneRow: Relation = { kind: 'values', columns: [], rows: [[]] };

export function bindFrom(context: BindContext, nodes: readonly ast.Node[] | undefined): From {
  let from: From | undefined;
  for (const node of nodes ?? []) {
    const item = bindItem(context, node);
    from = from === undefined ? item : crossJoin(context, from, item);
  }
  return from ?? { relation: oneRow, scope: emptyScope };
}

export function crossJoin(context: BindContext, left: From, right: From): From {
  return {
    relation: join('inner', left.relation, right.relation, undefined),
    scope: joinScopes(context, left.scope, right.scope),
  };
}

function join(
  kind: JoinKind,
  left: Relation,
  right: Relation,
  condition: Expression | undefined,
): Relation {
  const columns = [...left.columns, ...right.columns];
  return { kind: 'join', columns, join: kind, left, right, condition };
}

function bindItem(context: BindContext, node: ast.Node): From {
  return context.nested(() => {
    const table = as(node, 'RangeVar');
    if (table !== undefined) return bindTable(context, table);
    const subquery = as(node, 'RangeSubselect');
    if (subquery !== undefined) return bindSubquery(context, subquery);
    const joined = as(node, 'JoinExpr');
    if (joined !== undefined) return bindJoin(context, joined);
    return nodeNotSupported(context.source, node);
  });
}

/** The table that a RangeVar names. Raises undefined_table. */
export function findTable(context: BindContext, body: ast.RangeVar): TableDescriptor {
  const read = fields(context.source, 'RangeVar', body, ['schemaname', 'relname', 'alias']);
  const at = locationOf(body);
  const name = read.relname ?? '';
  const schema = read.schemaname;
  if (schema === 'pg_catalog' || schema === 'information_schema') {
    notSupported(context.source, `system catalogue "${schema}.${name}"`, at);
  }
  const shown = schema === undefined ? name : `${schema}.${name}`;
  const table = context.catalogue.relation(schema, name);
  if (table === undefined) {
    context.raise(at, 'undefined_table', `relation "${shown}" does not exist`);
  }
  if (table.kind !== 'table') {
    notSupported(context.source, `the ${table.kind} "${shown}" in this place`, at);
  }
  context.used.set(table.object, table);
  return table;
}

/** A table's relation with all its columns, in the order of the descriptor. */
export function tableRelation(
  context: BindContext,
  table: TableDescriptor,
): Extract<Relation, { kind: 'table' }> {
  const columns = table.columns.map((column) => ({
    column: context.nextColumn(),
    name: column.name,
    type: { name: column.type, modifier: column.typeModifier },
  }));
  const positions = table.columns.map((column) => column.position);
  return { kind: 'table', columns, table, positions, filter: undefined };
}

function bindTable(context: BindContext, body: ast.RangeVar): From {
  const table = findTable(context, body);
  const relation = tableRelation(context, table);
  const scope = tableScope(context, relation, body.alias);
  return { relation, scope };
}

/** The scope of a table, under its alias or its name. */
export function tableScope(
  context: BindContext,
  relation: Extract<Relation, { kind: 'table' }>,
  alias: ast.Alias | undefined,
): Scope {
  const { name, schema } = relation.table;
  if (alias === undefined) return scopeOf(relation.columns, name, undefined, schema);
  const renamed = renamedColumns(context, relation.columns, alias, alias.aliasname ?? '');
  return scopeOf(renamed, alias.aliasname, name);
}

function renamedColumns(
  context: BindContext,
  columns: readonly RelationColumn[],
  alias: ast.Alias,
  shown: string,
): readonly RelationColumn[] {
  const { colnames } = fields(context.source, 'Alias', alias, ['aliasname', 'colnames']);
  const names = stringsOf(colnames);
  if (names.length > columns.length) {
    raise(
      'invalid_column_reference',
      `table "${shown}" has ${columns.length} columns available but ${names.length} columns specified`,
    );
  }
  return columns.map((column, i) => ({ ...column, name: names[i] ?? column.name }));
}

function bindSubquery(context: BindContext, body: ast.RangeSubselect): From {
  const { subquery, alias } = fields(context.source, 'RangeSubselect', body, ['subquery', 'alias']);
  const relation = bindQuery(context, the(subquery, 'SelectStmt'));
  if (alias === undefined) return { relation, scope: scopeOf(relation.columns, undefined) };
  const columns = renamedColumns(context, relation.columns, alias, alias.aliasname ?? '');
  return { relation, scope: scopeOf(columns, alias.aliasname) };
}

function bindJoin(context: BindContext, body: ast.JoinExpr): From {
  const read = fields(context.source, 'JoinExpr', body, [
    'jointype',
    'isNatural',
    'larg',
    'rarg',
    'usingClause',
    'quals',
  ]);
  const kind = joinKind(read.jointype);
  const left = bindItem(context, must(read.larg, 'a join has a left side'));
  const right = bindItem(context, must(read.rarg, 'a join has a right side'));
  const both = joinScopes(context, left.scope, right.scope);
  const names = read.isNatural
    ? commonNames(left.scope, right.scope)
    : read.usingClause && stringsOf(read.usingClause);
  if (names !== undefined) return bindUsing(context, kind, left, right, both, names);
  const { quals } = read;
  const condition =
    quals === undefined
      ? undefined
      : coerceToBool(
          context,
          bindExpression(
            context,
            { scope: both, name: 'JOIN conditions', aggregates: undefined },
            quals,
          ),
          'JOIN/ON',
        );
  return { relation: join(kind, left.relation, right.relation, condition), scope: both };
}

function joinKind(type: ast.JoinType | undefined): JoinKind {
  switch (type) {
    case 'JOIN_INNER':
      return 'inner';
    case 'JOIN_LEFT':
      return 'left';
    case 'JOIN_RIGHT':
      return 'right';
    case 'JOIN_FULL':
      return 'full';
    default:
      return assert(false, 'the grammar gives no such join', type) as never;
  }
}

function commonNames(left: Scope, right: Scope): string[] {
  const names = new Set(right.visible.map((column) => column.name));
  return left.visible.map((column) => column.name).filter((name) => names.has(name));
}

/** JOIN USING and NATURAL: the columns named stand once, before the others. */
function bindUsing(
  context: BindContext,
  kind: JoinKind,
  left: From,
  right: From,
  both: Scope,
  names: readonly string[],
): From {
  const conditions: Expression[] = [];
  const merged: ScopeColumn[] = [];
  for (const name of names) {
    const a = usingColumn(context, left.scope, name, 'left');
    const b = usingColumn(context, right.scope, name, 'right');
    conditions.push(bindBinary(context, '=', a, b, undefined));
    merged.push({ name, expression: mergedColumn(context, kind, a, b) });
  }
  const condition: Expression | undefined =
    conditions.length < 2 ? conditions[0] : { kind: 'and', type: bool, operands: conditions };
  const hidden = new Set(names);
  const rest = both.visible.filter((column) => !hidden.has(column.name));
  return {
    relation: join(kind, left.relation, right.relation, condition),
    scope: { relations: both.relations, visible: [...merged, ...rest] },
  };
}

function usingColumn(
  context: BindContext,
  scope: Scope,
  name: string,
  side: 'left' | 'right',
): Expression {
  const found = visibleColumn(context, scope, name, undefined);
  if (found !== undefined) return found.expression;
  const text = `column "${name}" specified in USING clause does not exist in ${side} table`;
  return raise('undefined_column', text);
}

function mergedColumn(
  context: BindContext,
  kind: JoinKind,
  left: Expression,
  right: Expression,
): Expression {
  const { type, expressions } = coerceToCommon(context, [left, right], 'JOIN/USING');
  const [a, b] = [must(expressions[0], 'two sides'), must(expressions[1], 'two sides')];
  switch (kind) {
    case 'inner':
    case 'left':
      return a;
    case 'right':
      return b;
    case 'full':
      return { kind: 'coalesce', type, operands: expressions };
    default:
      return unreachable(kind);
  }
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
