/** Subqueries in expressions: EXISTS, IN, ANY and ALL, scalar ones, rows, ARRAY. */
import { must, unreachable } from '../../base/assert.js';
import { as, type ast, fields, locationOf, stringsOf, the } from '../parse/index.js';
import type { ColumnId, Expression } from '../plan/expression.js';
import { mapOperands } from '../plan/map-operands.js';
import type { Relation, RelationColumn } from '../plan/relation.js';
import type { Capture, Question, Subquery } from '../plan/subquery.js';
import { arrayTypeName, elementTypeName, printType, type TypeName } from '../types/index.js';
import { bool } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause } from './expression.js';
import { columnIn } from './group.js';
import { bindBinary } from './operator.js';
import { bindWithin } from './outer.js';
import { bindRow, compareRows } from './row.js';
import { columnExpression } from './scope.js';
import { bindQuery } from './select.js';

export function bindSubLink(context: BindContext, clause: Clause, body: ast.SubLink): Expression {
  const read = fields(context.source, 'SubLink', body, [
    'subLinkType',
    'testexpr',
    'operName',
    'subselect',
  ]);
  const at = locationOf(body);
  refuseIn(context, clause, at);
  const type = must(read.subLinkType, 'a subquery has a kind');
  switch (type) {
    case 'EXISTS_SUBLINK': {
      const inner = bindInner(context, clause, read.subselect);
      context.subqueryNames.set(body, 'exists');
      return answer(context, inner, { kind: 'exists' }, bool, at);
    }
    case 'EXPR_SUBLINK': {
      const inner = bindInner(context, clause, read.subselect);
      const column = onlyColumn(context, inner.relation, at);
      context.subqueryNames.set(body, column.name);
      return answer(context, inner, { kind: 'row' }, column.type, at);
    }
    case 'ARRAY_SUBLINK': {
      const inner = bindInner(context, clause, read.subselect);
      context.subqueryNames.set(body, 'array');
      const array = arrayOver(context, onlyColumn(context, inner.relation, at), at);
      return answer(context, inner, { kind: 'array', type: array }, array, at);
    }
    case 'ANY_SUBLINK':
    case 'ALL_SUBLINK':
      return bindQuantified(context, clause, { ...read, isAll: type === 'ALL_SUBLINK', at });
    case 'ROWCOMPARE_SUBLINK':
    case 'MULTIEXPR_SUBLINK':
    case 'CTE_SUBLINK':
      return context.raise(at, 'internal_error', `a tree from the grammar has no ${type}`);
    default:
      return unreachable(type);
  }
}

/** A subquery that is bound, before it is known what it is asked. */
interface Inner {
  readonly relation: Relation;
  readonly captures: readonly Capture[];
}

function bindInner(context: BindContext, clause: Clause, node: ast.Node | undefined): Inner {
  const { bound, captures } = bindWithin(context, clause, false, () =>
    bindQuery(context, the(node, 'SelectStmt')),
  );
  return { relation: bound, captures };
}

function answer(
  context: BindContext,
  { relation, captures }: Inner,
  question: Question,
  type: Expression['type'],
  at: number | undefined,
  operands: readonly Capture[] = [],
): Expression {
  const subquery: Subquery = {
    column: context.nextColumn(),
    question,
    relation,
    captures,
    operands,
  };
  return context.locate({ kind: 'subquery', type, subquery, index: 0 }, at);
}

function onlyColumn(
  context: BindContext,
  { columns }: Relation,
  at: number | undefined,
): RelationColumn {
  const [only] = columns;
  if (only !== undefined && columns.length === 1) return only;
  return context.raise(at, 'syntax_error', 'subquery must return only one column');
}

/** An array of arrays is one array with a dimension more. */
function arrayOver(
  context: BindContext,
  { type }: RelationColumn,
  at: number | undefined,
): Expression['type'] {
  const name = type.name as TypeName;
  if (elementTypeName(name) !== undefined) return { name, modifier: type.modifier };
  const array = arrayTypeName(name);
  if (array !== undefined) return { name: array, modifier: type.modifier };
  const text = `could not find array type for data type ${printType(name, -1)}`;
  return context.raise(at, 'undefined_object', text);
}

/** The columns of the only row of a subquery that is compared or assigned as a row. */
export function bindRowSubquery(
  context: BindContext,
  clause: Clause,
  body: ast.SubLink,
): readonly Expression[] {
  const { subselect } = fields(context.source, 'SubLink', body, ['subLinkType', 'subselect']);
  const at = locationOf(body);
  refuseIn(context, clause, at);
  const { relation, captures } = bindInner(context, clause, subselect);
  const question = { kind: 'row' } as const;
  const column = context.nextColumn();
  const subquery: Subquery = { column, question, relation, captures, operands: [] };
  return relation.columns.map(({ type }, index) =>
    context.locate({ kind: 'subquery', type, subquery, index }, at),
  );
}

/** The entries of a subquery that is compared with a row of `count`; undefined for another node. */
export function bindComparedSubquery(
  context: BindContext,
  clause: Clause,
  node: ast.Node,
  count: number,
  at: number | undefined,
): readonly Expression[] | undefined {
  const subquery = as(node, 'SubLink');
  if (subquery?.subLinkType !== 'EXPR_SUBLINK') return undefined;
  const entries = bindRowSubquery(context, clause, subquery);
  checkWidth(context, entries.length, count, at);
  return entries;
}

function checkWidth(
  context: BindContext,
  columns: number,
  entries: number,
  at: number | undefined,
): void {
  if (columns === entries) return;
  const word = columns < entries ? 'few' : 'many';
  context.raise(at, 'syntax_error', `subquery has too ${word} columns`);
}

function bindQuantified(
  context: BindContext,
  clause: Clause,
  read: Pick<ast.SubLink, 'testexpr' | 'operName' | 'subselect'> & {
    readonly isAll: boolean;
    readonly at: number | undefined;
  },
): Expression {
  const { isAll, at } = read;
  const node = must(read.testexpr, 'ANY has a left side');
  const left = bindRow(context, clause, node) ?? [bindExpression(context, clause, node)];
  const inner = bindInner(context, clause, read.subselect);
  const right = inner.relation.columns.map(columnExpression);
  checkWidth(context, right.length, left.length, at);
  const name = stringsOf(read.operName).at(-1) ?? '=';
  const compared =
    left.length === 1
      ? bindBinary(context, name, must(left[0], 'one'), must(right[0], 'one'), at)
      : compareRows(context, name, left, right, at);
  if (compared.type.name !== 'bool') {
    const type = printType(compared.type.name, -1);
    const text = `row comparison operator must yield type boolean, not type ${type}`;
    context.raise(at, 'datatype_mismatch', text);
  }
  const operands: Capture[] = [];
  const test = withOperands(
    context,
    compared,
    new Set(inner.relation.columns.map(({ column }) => column)),
    operands,
  );
  return answer(context, inner, { kind: isAll ? 'all' : 'any', test }, bool, at, operands);
}

/** The test with what it reads of the outer query captured; those of the relation stay. */
function withOperands(
  context: BindContext,
  test: Expression,
  own: ReadonlySet<ColumnId>,
  operands: Capture[],
): Expression {
  if (test.kind === 'constant' || test.kind === 'parameter') return test;
  if (columnIn(test, (column) => own.has(column)) !== undefined) {
    return mapOperands(test, (operand) => withOperands(context, operand, own, operands));
  }
  const before = operands.find((one) => one.expression === test);
  const column = before?.column ?? context.nextColumn();
  if (before === undefined) operands.push({ column, expression: test });
  return { kind: 'outer', type: test.type, column };
}

/** What PostgreSQL says of clauses whose expressions are kept with a table. */
const refusing: Readonly<Record<string, string>> = {
  'DEFAULT expressions': 'cannot use subquery in DEFAULT expression',
  'check constraints': 'cannot use subquery in check constraint',
  'index expressions': 'cannot use subquery in index expression',
  'index predicates': 'cannot use subquery in index predicate',
  'column generation expressions': 'cannot use subquery in column generation expression',
  'transform expressions': 'cannot use subquery in transform expression',
  'EXECUTE parameters': 'cannot use subquery in EXECUTE parameter',
  'COPY FROM WHERE conditions': 'cannot use subquery in COPY FROM WHERE condition',
};

function refuseIn(context: BindContext, clause: Clause, at: number | undefined): void {
  const text = refusing[clause.name];
  if (text !== undefined) context.raise(at, 'feature_not_supported', text);
}
