/** Operators, and the predicates that are made of them: BETWEEN, IN, LIKE, IS DISTINCT FROM. */
import { must, unreachable } from '../../base/assert.js';
import { DatabaseError } from '../../base/errors.js';
import { resolveCommonType, resolveOperator, type ScalarFunction } from '../functions/index.js';
import { as, type ast, fields, locationOf, stringsOf, the } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { collationOf, mergeCollations } from '../types/index.js';
import { bindOverElements } from './array.js';
import { bindNullIf } from './case.js';
import { bool, coerceTo, nameOf } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause } from './expression.js';
import { bindComparedSubquery } from './subquery.js';
import { bindOtherRow, bindRow, compareRows, joined, rowIn } from './row.js';

export function bindOperation(context: BindContext, clause: Clause, body: ast.A_Expr): Expression {
  const read = fields(context.source, 'A_Expr', body, [
    'kind',
    'name',
    'lexpr',
    'rexpr',
    // Where the parentheses of an IN list stand; they change no meaning.
    'rexpr_list_start',
    'rexpr_list_end',
  ]);
  const at = locationOf(body);
  const kind = must(read.kind, 'an operator has a kind');
  const name = operatorName(context, read.name, at);
  const rightNode = must(read.rexpr, 'an operator has a right side');
  const bind = (node: ast.Node | undefined): Expression =>
    bindExpression(context, clause, must(node, 'an operator has two sides'));
  const row = rowOperation(context, clause, { kind, name, left: read.lexpr, right: rightNode, at });
  if (row !== undefined) return row;
  switch (kind) {
    case 'AEXPR_OP':
      if (read.lexpr === undefined) return bindPrefix(context, name, bind(rightNode), at);
      return bindBinary(context, name, bind(read.lexpr), bind(rightNode), at);
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR':
      return bindBinary(context, name, bind(read.lexpr), bind(rightNode), at);
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT':
      return bindDistinct(
        context,
        bind(read.lexpr),
        bind(rightNode),
        kind === 'AEXPR_NOT_DISTINCT',
        at,
      );
    case 'AEXPR_NULLIF':
      return bindNullIf(context, bind(read.lexpr), bind(rightNode), at);
    case 'AEXPR_IN': {
      const list = (the(rightNode, 'List').items ?? []).map(bind);
      return bindIn(context, bind(read.lexpr), list, name === '<>', at);
    }
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
    case 'AEXPR_NOT_BETWEEN_SYM': {
      const [low, high] = (the(rightNode, 'List').items ?? []).map(bind);
      const bounds = [must(low, 'BETWEEN has bounds'), must(high, 'BETWEEN has bounds')] as const;
      return bindBetween(context, kind, bind(read.lexpr), bounds, at);
    }
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL': {
      const all = kind === 'AEXPR_OP_ALL';
      const made = bindOverElements(context, name, bind(read.lexpr), bind(rightNode), all, at);
      return context.locate(made, at);
    }
    default:
      return unreachable(kind);
  }
}

/** A comparison of row values; undefined when the left side is none. */
function rowOperation(
  context: BindContext,
  clause: Clause,
  {
    kind,
    name,
    left,
    right,
    at,
  }: {
    readonly kind: ast.A_Expr_Kind;
    readonly name: string;
    readonly left: ast.Node | undefined;
    readonly right: ast.Node;
    readonly at: number | undefined;
  },
): Expression | undefined {
  const isDistinct = kind === 'AEXPR_DISTINCT' || kind === 'AEXPR_NOT_DISTINCT';
  if (kind !== 'AEXPR_OP' && kind !== 'AEXPR_IN' && !isDistinct) return undefined;
  const compared =
    kind === 'AEXPR_OP' ? rowBesideSubquery(context, clause, left, right, at) : undefined;
  if (compared !== undefined) return compareRows(context, name, compared[0], compared[1], at);
  const others = kind === 'AEXPR_IN' ? (the(right, 'List').items ?? []) : [right];
  // A row beside anything but rows is a record like any other.
  if (!others.every((node) => as(node, 'RowExpr') !== undefined)) return undefined;
  const row = bindRow(context, clause, left);
  if (row === undefined) return undefined;
  const [first, ...rest] = others.map((node) =>
    bindOtherRow(context, clause, node, row.length, at),
  );
  if (first === undefined) return undefined;
  if (kind === 'AEXPR_IN') return rowIn(context, row, [first, ...rest], name === '<>', at);
  if (!isDistinct) return compareRows(context, name, row, first, at);
  const pairs = row.map((entry, i) =>
    bindDistinct(context, entry, must(first[i], 'rows of equal length'), false, at),
  );
  const distinct = joined('or', pairs);
  if (kind === 'AEXPR_DISTINCT') return distinct;
  return { kind: 'not', type: bool, operand: distinct };
}

/** The entries of `(a, b) = (SELECT x, y ...)`; undefined for anything else. */
function rowBesideSubquery(
  context: BindContext,
  clause: Clause,
  left: ast.Node | undefined,
  right: ast.Node,
  at: number | undefined,
): readonly [readonly Expression[], readonly Expression[]] | undefined {
  if (as(left, 'RowExpr') === undefined || as(right, 'SubLink') === undefined) return undefined;
  const row = bindRow(context, clause, left);
  if (row === undefined) return undefined;
  const entries = bindComparedSubquery(context, clause, right, row.length, at);
  return entries && [row, entries];
}

/** The operator's own name; `OPERATOR(pg_catalog.+)` may qualify it. */
function operatorName(
  context: BindContext,
  nodes: readonly ast.Node[] | undefined,
  at: number | undefined,
): string {
  const path = stringsOf(nodes);
  const schema = path.at(-2);
  if (schema !== undefined && schema !== 'pg_catalog') {
    context.raise(at, 'undefined_function', `operator does not exist: ${path.join('.')}`);
  }
  return path.at(-1) ?? '';
}

function call(
  context: BindContext,
  chosen: ScalarFunction,
  operands: readonly Expression[],
): Expression {
  const coerced = operands.map((operand, i) =>
    coerceTo(context, operand, must(chosen.parameters[i], 'a parameter per operand')),
  );
  return {
    kind: 'call',
    type: { name: chosen.result, modifier: chosen.modifier },
    function: chosen,
    arguments: coerced,
  };
}

function bindPrefix(
  context: BindContext,
  name: string,
  operand: Expression,
  at: number | undefined,
): Expression {
  const chosen = context.at(at, () => resolveOperator(name, undefined, nameOf(operand)));
  return context.locate(call(context, chosen, [operand]), at);
}

/** `left name right` with the operator that PostgreSQL chooses for their types. */
export function bindBinary(
  context: BindContext,
  name: string,
  left: Expression,
  right: Expression,
  at: number | undefined,
): Expression {
  // Collations that cannot meet are the second one's fault.
  context.at(context.locationOf(right), () =>
    mergeCollations([collationOf(nameOf(left)), collationOf(nameOf(right))]),
  );
  const chosen = context.at(at, () => resolveOperator(name, nameOf(left), nameOf(right)));
  const expression = call(context, chosen, [left, right]);
  return context.locate(expression, context.locationOf(left) ?? at);
}

function bindDistinct(
  context: BindContext,
  left: Expression,
  right: Expression,
  negated: boolean,
  at: number | undefined,
): Expression {
  const equals = context.at(at, () => resolveOperator('=', nameOf(left), nameOf(right)));
  const [leftType, rightType] = equals.parameters;
  return {
    kind: 'isDistinct',
    type: bool,
    left: coerceTo(context, left, must(leftType, '= has two parameters')),
    right: coerceTo(context, right, must(rightType, '= has two parameters')),
    equals,
    negated,
  };
}

function bindIn(
  context: BindContext,
  operand: Expression,
  list: readonly Expression[],
  negated: boolean,
  at: number | undefined,
): Expression {
  const common = commonTypeOf([operand, ...list]);
  if (common === undefined) return bindInPairs(context, operand, list, negated, at);
  const equals = context.at(at, () => resolveOperator('=', common, common));
  // varchar compares as text: the operator's own types are what the operands must become.
  const target = must(equals.parameters[0], '= has two parameters');
  return {
    kind: 'in',
    type: bool,
    operand: coerceTo(context, operand, target),
    list: list.map((item) => coerceTo(context, item, target)),
    equals,
    negated,
  };
}

/** Without a common type each item is compared by an operator of its own. */
function bindInPairs(
  context: BindContext,
  operand: Expression,
  list: readonly Expression[],
  negated: boolean,
  at: number | undefined,
): Expression {
  const operands = list.map((item) => bindBinary(context, negated ? '<>' : '=', operand, item, at));
  return { kind: negated ? 'and' : 'or', type: bool, operands };
}

function commonTypeOf(expressions: readonly Expression[]): ReturnType<typeof nameOf> | undefined {
  try {
    return resolveCommonType(expressions.map(nameOf), 'IN');
  } catch (error) {
    if (error instanceof DatabaseError) return undefined;
    throw error;
  }
}

function bindBetween(
  context: BindContext,
  kind: 'AEXPR_BETWEEN' | 'AEXPR_NOT_BETWEEN' | 'AEXPR_BETWEEN_SYM' | 'AEXPR_NOT_BETWEEN_SYM',
  operand: Expression,
  [low, high]: readonly [Expression, Expression],
  at: number | undefined,
): Expression {
  const within = (from: Expression, to: Expression): Expression => ({
    kind: 'and',
    type: bool,
    operands: [
      bindBinary(context, '>=', operand, from, at),
      bindBinary(context, '<=', operand, to, at),
    ],
  });
  const outside = (from: Expression, to: Expression): Expression => ({
    kind: 'or',
    type: bool,
    operands: [
      bindBinary(context, '<', operand, from, at),
      bindBinary(context, '>', operand, to, at),
    ],
  });
  switch (kind) {
    case 'AEXPR_BETWEEN':
      return within(low, high);
    case 'AEXPR_NOT_BETWEEN':
      return outside(low, high);
    case 'AEXPR_BETWEEN_SYM':
      return { kind: 'or', type: bool, operands: [within(low, high), within(high, low)] };
    case 'AEXPR_NOT_BETWEEN_SYM':
      return { kind: 'and', type: bool, operands: [outside(low, high), outside(high, low)] };
    default:
      return unreachable(kind);
  }
}
