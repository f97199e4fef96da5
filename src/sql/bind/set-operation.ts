/** UNION, INTERSECT and EXCEPT. */
import { must } from '../../base/assert.js';
import { type ast, fields } from '../parse/index.js';
import type { ColumnId, Expression, NamedExpression } from '../plan/expression.js';
import type { Relation, RelationColumn } from '../plan/relation.js';
import { arranged, bindRowLimit, endingOf, project } from './arrange.js';
import { coerceToCommon, isUnknown } from './coerce.js';
import type { BindContext } from './context.js';
import type { Clause } from './expression.js';
import { refuseLocking } from './lock.js';
import { bindOrder } from './order.js';
import { columnExpression, emptyScope, type Scope } from './scope.js';
import { bindQuery } from './select.js';
import { checkGroupable } from './sort.js';
import type { Target } from './target.js';

type Operation = 'UNION' | 'INTERSECT' | 'EXCEPT';

export function bindSetOperation(context: BindContext, body: ast.SelectStmt): Relation {
  const read = fields(context.source, 'SelectStmt', body, [
    'op',
    'all',
    'larg',
    'rarg',
    'withClause',
    'sortClause',
    'limitOffset',
    'limitCount',
    'limitOption',
    'lockingClause',
  ]);
  refuseLocking(context, read.lockingClause, [[true, 'UNION/INTERSECT/EXCEPT']]);
  const operation = operationOf(read.op);
  const left = bindQuery(context, must(read.larg, 'a set operation has a left side'), true);
  const right = bindQuery(context, must(read.rarg, 'a set operation has a right side'), true);
  const relation = combined(context, operation, read.all === true, left, right);
  const rows = bindRowLimit(context, emptyScope, read);
  const targets: Target[] = relation.columns.map((column) => ({
    name: column.name,
    expression: columnExpression(column),
    location: undefined,
  }));
  const scope: Scope = { relations: [], visible: targets };
  const clause: Clause = { scope, name: 'ORDER BY', aggregates: undefined };
  const order = bindOrder(context, clause, read.sortClause, targets, false);
  for (const key of order) {
    if (key.target !== undefined) continue;
    const text = 'invalid UNION/INTERSECT/EXCEPT ORDER BY clause';
    context.raise(context.locationOf(key.expression), 'feature_not_supported', text, {
      detail: 'Only result column names can be used, not expressions or functions.',
      hint: 'Add the expression/function to every SELECT, or move the UNION into a FROM clause.',
    });
  }
  if (order.length === 0 && rows.limit === undefined && rows.offset === undefined) return relation;
  return arranged(context, relation, endingOf(targets, order, rows));
}

function operationOf(operation: ast.SetOperation | undefined): Operation {
  switch (operation) {
    case 'SETOP_INTERSECT':
      return 'INTERSECT';
    case 'SETOP_EXCEPT':
      return 'EXCEPT';
    default:
      return 'UNION';
  }
}

function combined(
  context: BindContext,
  operation: Operation,
  all: boolean,
  left: Relation,
  right: Relation,
): Relation {
  const sides = commonColumns(context, operation, left, right);
  if (!all) {
    sides.columns.forEach(({ type }, i) => {
      const expression: Expression = { kind: 'column', type, column: 0 };
      checkGroupable(context, expression, locationIn(context, right, i));
    });
  }
  if (operation !== 'UNION') {
    const kind = operation === 'INTERSECT' ? 'intersect' : 'except';
    return { kind: 'setOperation', operation: kind, all, ...sides };
  }
  const append = unionAll(sides.columns, [sides.left, sides.right]);
  return all ? append : { kind: 'distinct', columns: append.columns, input: append };
}

/** Rows of both; one append for `a UNION ALL b UNION ALL c`. */
function unionAll(columns: readonly RelationColumn[], inputs: readonly Relation[]): Relation {
  const flat = inputs.flatMap((input) => (input.kind === 'append' ? input.inputs : [input]));
  return { kind: 'append', columns, inputs: flat };
}

export interface CommonColumns {
  readonly columns: readonly RelationColumn[];
  readonly left: Relation;
  readonly right: Relation;
}

/** Both sides with columns of the same types, and the columns of the result. */
export function commonColumns(
  context: BindContext,
  operation: Operation,
  left: Relation,
  right: Relation,
): CommonColumns {
  if (left.columns.length !== right.columns.length) {
    const text = `each ${operation} query must have the same number of columns`;
    context.raise(locationIn(context, right, 0), 'syntax_error', text);
  }
  const pairs = left.columns.map((column, i) =>
    coerceToCommon(
      context,
      [outputAt(context, left, i), outputAt(context, right, i)],
      operation,
    ).expressions.map((expression) => ({ name: column.name, expression })),
  );
  const side = (input: Relation, index: number): Relation => {
    const outputs = pairs.map((pair) => must(pair[index], 'both sides have an expression'));
    const isSame = outputs.every(
      ({ expression }, i) =>
        expression.kind === 'column' && expression.column === input.columns[i]?.column,
    );
    if (isSame) return input;
    return project(
      input,
      outputs.map((output): NamedExpression => ({ column: context.nextColumn(), ...output })),
    );
  };
  const columns = pairs.map((pair) => {
    const { name, expression } = must(pair[0], 'both sides have an expression');
    const other = must(pair[1], 'both sides have an expression').expression.type;
    const { type } = expression;
    const modifier = type.modifier === other.modifier ? type.modifier : -1;
    return { column: context.nextColumn(), name, type: { ...type, modifier } };
  });
  return { columns, left: side(left, 0), right: side(right, 1) };
}

/** A column of a query: the literal or parameter behind it while that has no type. */
function outputAt(context: BindContext, relation: Relation, index: number): Expression {
  const column = must(relation.columns[index], 'the query has the column');
  const origin = expressionBehind(context, relation, column.column);
  const location = origin && context.locationOf(origin);
  if (origin !== undefined && isUnknown(origin)) return origin;
  return context.locate(columnExpression(column), location);
}

function locationIn(context: BindContext, relation: Relation, index: number): number | undefined {
  const column = relation.columns[index]?.column;
  const origin = column === undefined ? undefined : expressionBehind(context, relation, column);
  return origin && context.locationOf(origin);
}

/** The expression of the select list behind a column; of the leftmost query of a set operation. */
export function expressionBehind(
  context: BindContext,
  relation: Relation,
  column: ColumnId,
): Expression | undefined {
  switch (relation.kind) {
    case 'project': {
      const found = relation.expressions.find((one) => one.column === column)?.expression;
      // Those that only pass columns on come from no text.
      const isOwn = found?.kind !== 'column' || context.locationOf(found) !== undefined;
      if (found === undefined || isOwn) return found;
      return expressionBehind(context, relation.input, found.column) ?? found;
    }
    case 'limit':
    case 'sort':
    case 'distinct':
    case 'with':
      return expressionBehind(context, relation.input, column);
    case 'append':
    case 'setOperation': {
      const first = relation.kind === 'append' ? relation.inputs[0] : relation.left;
      const place = relation.columns.findIndex((one) => one.column === column);
      const source = first?.columns[place]?.column;
      return first && source !== undefined ? expressionBehind(context, first, source) : undefined;
    }
    case 'values': {
      const place = relation.columns.findIndex((one) => one.column === column);
      return relation.rows[0]?.[place];
    }
    default:
      return undefined;
  }
}
