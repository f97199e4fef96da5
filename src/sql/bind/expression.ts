/** Expressions: from the syntax tree to a bound expression. */
import { must } from '../../base/assert.js';
import type { SortKey } from '../plan/expression.js';
import type { Expression } from '../plan/expression.js';
import {
  as,
  type ast,
  fields,
  kindOf,
  locationOf,
  nodeNotSupported,
  notSupported,
  raiseAt,
  stringOf,
} from '../parse/index.js';
import {
  baseTypeName,
  type Collation,
  elementTypeName,
  printType,
  typeNamed,
  withCollation,
} from '../types/index.js';
import {
  bindIsJson,
  bindJsonArray,
  bindJsonArrayAgg,
  bindJsonArrayQuery,
  bindJsonObject,
  bindJsonObjectAgg,
} from './json.js';
import { bindGrouping } from './aggregate-call.js';
import { bindArray } from './array.js';
import { bindCall, bindSqlValue } from './call.js';
import {
  bindBoolean,
  bindCase,
  bindCoalesce,
  bindMinMax,
  bindNullTest,
  bindTruth,
} from './case.js';
import { coerce, isUnknown, nameOf, settled, typeOf } from './coerce.js';
import { bindCollation } from './collation.js';
import type { AggregateCollector, SetCollector, WindowCollector } from './collector.js';
import type { BindContext } from './context.js';
import { bindOperation } from './operator.js';
import { takenFromAround } from './outer.js';
import { bindIndirection, bindRowExpression, wholeRow } from './record.js';
import { emptyScope, findColumn, findQualified, findRelation, type Scope } from './scope.js';
import { bindSubLink } from './subquery.js';
import { bindTypeName } from './type-name.js';
import type { NamedWindows } from './window.js';

/** The clause that an expression stands in: what it may name and contain. */
export interface Clause {
  readonly scope: Scope;
  /** In PostgreSQL's words, for errors: `WHERE`, `GROUP BY`. */
  readonly name: string;
  /** Where aggregate calls go; undefined where none may stand. */
  readonly aggregates: AggregateCollector | undefined;
  /** As `aggregates`, for calls with OVER. */
  readonly windows?: WindowCollector | undefined;
  /** The windows that WINDOW names, by which OVER may call them. */
  readonly namedWindows?: NamedWindows | undefined;
  /** As `aggregates`, for calls of set-returning functions. */
  readonly sets?: SetCollector | undefined;
}

/** A column's DEFAULT, which names no columns. */
export const defaultClause: Clause = {
  scope: emptyScope,
  name: 'DEFAULT expressions',
  aggregates: undefined,
};

export interface SortItem extends SortKey {
  readonly location: number | undefined;
}

/** Where a node begins; undefined when the grammar does not say. */
export function nodeLocation(node: ast.Node): number | undefined {
  const body = (node as Record<string, { location?: number } | undefined>)[kindOf(node)];
  return body === undefined ? undefined : locationOf(body);
}

/** The bound expression; of type `unknown` for a literal or parameter that nothing decides yet. */
export function bindExpression(context: BindContext, clause: Clause, node: ast.Node): Expression {
  context.enter();
  const expression = bindNode(context, clause, node);
  context.leave();
  if (context.locationOf(expression) === undefined) {
    context.locate(expression, nodeLocation(node));
  }
  context.witness?.note(context, clause, node, expression);
  return expression;
}

/** As `bindExpression`; what nothing decides is text. */
export function bindSettled(context: BindContext, clause: Clause, node: ast.Node): Expression {
  return settled(context, bindExpression(context, clause, node));
}

type Binders = {
  readonly [K in ast.NodeKind]?: (
    context: BindContext,
    clause: Clause,
    body: ast.NodeOf<K>,
  ) => Expression;
};

const binders: Binders = {
  A_ArrayExpr: (context, clause, body) => bindArray(context, clause, body),
  A_Const: bindConstant,
  A_Expr: bindOperation,
  A_Indirection: bindIndirection,
  BoolExpr: bindBoolean,
  BooleanTest: bindTruth,
  CaseExpr: bindCase,
  CoalesceExpr: bindCoalesce,
  CollateClause: bindCollate,
  ColumnRef: bindColumn,
  FuncCall: bindCall,
  GroupingFunc: bindGrouping,
  JsonArrayAgg: bindJsonArrayAgg,
  JsonArrayConstructor: bindJsonArray,
  JsonArrayQueryConstructor: bindJsonArrayQuery,
  JsonIsPredicate: bindIsJson,
  JsonObjectAgg: bindJsonObjectAgg,
  JsonObjectConstructor: bindJsonObject,
  MinMaxExpr: bindMinMax,
  NullTest: bindNullTest,
  ParamRef: bindParameter,
  RowExpr: bindRowExpression,
  SQLValueFunction: bindSqlValue,
  SubLink: bindSubLink,
  SetToDefault: (context, _clause, body) =>
    raiseAt(
      context.source,
      locationOf(body),
      'syntax_error',
      'DEFAULT is not allowed in this context',
    ),
  TypeCast: bindCast,
};

function bindNode(context: BindContext, clause: Clause, node: ast.Node): Expression {
  const kind = kindOf(node);
  const bind = binders[kind] as
    | ((context: BindContext, clause: Clause, body: unknown) => Expression)
    | undefined;
  if (bind === undefined) nodeNotSupported(context.source, node);
  return bind(context, clause, (node as Record<string, unknown>)[kind]);
}

function bindColumn(context: BindContext, clause: Clause, body: ast.ColumnRef): Expression {
  const { fields: path = [] } = fields(context.source, 'ColumnRef', body, ['fields']);
  const at = locationOf(body);
  const last = path.at(-1);
  if (as(last, 'A_Star') !== undefined) {
    const [table, schema] = path.slice(0, -1).map(stringOf).reverse();
    if (table === undefined) {
      context.raise(at, 'syntax_error', 'row expansion via "*" is not supported here');
    }
    // Where one value is wanted, t.* is the row.
    return context.locate(wholeRow(findRelation(context, clause.scope, schema, table, at)), at);
  }
  const name = stringOf(last);
  const table = path.length > 1 ? stringOf(path.at(-2)) : undefined;
  if (path.length > 3) notSupported(context.source, 'cross-database reference', at);
  if (clause === defaultClause) {
    const text = 'cannot use column reference in DEFAULT expression';
    context.raise(at, 'feature_not_supported', text);
  }
  const schema = path.length > 2 ? stringOf(path.at(-3)) : undefined;
  const column =
    table === undefined
      ? findColumn(context, clause.scope, name, at)
      : findQualified(context, clause.scope, { schema, table, name }, at);
  // A fresh object for each mention, so that each has its own location.
  return context.locate({ ...column.expression }, at);
}

function bindParameter(context: BindContext, _clause: Clause, body: ast.ParamRef): Expression {
  const { number = 0 } = fields(context.source, 'ParamRef', body, ['number']);
  const given = context.functionParameters?.[number - 1];
  if (given !== undefined) return takenFromAround(context, given, locationOf(body));
  const type = context.at(locationOf(body), () => context.parameters.typeOf(number));
  return context.locate({ kind: 'parameter', type: typeOf(type), number }, locationOf(body));
}

const int4Max = 2_147_483_647;

function bindConstant(context: BindContext, _clause: Clause, body: ast.A_Const): Expression {
  const { ival, fval, boolval, sval, bsval, isnull } = fields(context.source, 'A_Const', body, [
    'bsval',
    'ival',
    'fval',
    'boolval',
    'sval',
    'isnull',
  ]);
  const at = locationOf(body);
  const unknown = typeOf('unknown');
  const constant = (type: 'int4' | 'bool', value: number | boolean): Expression =>
    context.locate({ kind: 'constant', type: typeOf(type), value }, at);
  if (isnull) return context.locate({ kind: 'constant', type: unknown, value: null }, at);
  if (ival !== undefined) return constant('int4', ival.ival ?? 0);
  if (boolval !== undefined) return constant('bool', boolval.boolval ?? false);
  if (bsval !== undefined) return bitConstant(context, bsval.bsval ?? '', at);
  const text = fval === undefined ? (must(sval, 'a constant has a value').sval ?? '') : fval.fval;
  const literal: Expression = { kind: 'constant', type: unknown, value: text ?? '' };
  context.locate(literal, at);
  if (fval === undefined) return literal;
  return must(coerce(context, literal, typeOf(typeOfNumber(text ?? '')), 'explicit'), 'a number');
}

/** B'101' and X'1F': the grammar leaves the letter before the digits. */
function bitConstant(context: BindContext, digits: string, at: number | undefined): Expression {
  const value = context.at(at, () => typeNamed('bit').parse(digits, -1, context.functions));
  return context.locate({ kind: 'constant', type: typeOf('bit'), value }, at);
}

/** Numbers that the grammar gives as text: beyond int4, with a point, in other bases. */
function typeOfNumber(text: string): 'int4' | 'int8' | 'numeric' {
  if (!/^-?(\d[\d_]*|0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+)$/.test(text)) return 'numeric';
  const magnitude = BigInt(text.replace(/^-/, '').replaceAll('_', ''));
  if (magnitude <= BigInt(int4Max)) return 'int4';
  return magnitude <= 9_223_372_036_854_775_807n ? 'int8' : 'numeric';
}

function bindCast(context: BindContext, clause: Clause, body: ast.TypeCast): Expression {
  const { arg, typeName } = fields(context.source, 'TypeCast', body, ['arg', 'typeName']);
  const node = must(arg, 'a cast has an argument');
  const target = bindTypeName(context, typeName);
  const array = as(node, 'A_ArrayExpr');
  const isArray = elementTypeName(target.name) !== undefined;
  const expression =
    array !== undefined && isArray
      ? bindArray(context, clause, array, { ...target, name: baseTypeName(target.name) })
      : bindExpression(context, clause, node);
  const at = locationOf(body) ?? typeName?.location;
  const cast = coerce(context, expression, target, 'explicit', at);
  if (cast === undefined) {
    const from = printType(expression.type.name, -1);
    const to = printType(target.name, -1);
    context.raise(at, 'cannot_coerce', `cannot cast type ${from} to ${to}`);
  }
  // An expression begins where its leftmost part does: `date '...'` at the type.
  const starts = [nodeLocation(node), locationOf(body), typeName?.location].filter(
    (start): start is number => start !== undefined && start >= 0,
  );
  return context.locate({ ...cast }, Math.min(...starts));
}

function bindCollate(context: BindContext, clause: Clause, body: ast.CollateClause): Expression {
  const { arg, collname } = fields(context.source, 'CollateClause', body, ['arg', 'collname']);
  const at = locationOf(body);
  const node = must(arg, 'COLLATE has an argument');
  const expression = bindSettled(context, clause, node);
  const name = bindCollation(context, collname, expression.type.name, at);
  const collation: Collation = { name, strength: 'explicit' };
  const type = { ...expression.type, name: withCollation(nameOf(expression), collation) };
  return context.locate({ ...expression, type } as Expression, at);
}

export { isUnknown };
