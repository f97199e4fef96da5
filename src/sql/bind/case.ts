/** Expressions with a syntax of their own that choose among values: CASE, AND, IS NULL and others. */
import { must } from '../../base/assert.js';
import { resolveOperator } from '../functions/index.js';
import { type ast, fields, the } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { bool, coerceTo, coerceToBool, coerceToCommon, isUnknown } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause } from './expression.js';
import { bindBinary } from './operator.js';
import { bindRecordNullTest } from './record.js';
import { refuseSets } from './set-call.js';

function bindAll(
  context: BindContext,
  clause: Clause,
  nodes: readonly ast.Node[] | undefined,
): Expression[] {
  return (nodes ?? []).map((node) => bindExpression(context, clause, node));
}

export function bindBoolean(context: BindContext, clause: Clause, body: ast.BoolExpr): Expression {
  const { boolop, args } = fields(context.source, 'BoolExpr', body, ['boolop', 'args']);
  const name = must(boolop, 'a boolean operator has a name').replace('_EXPR', '');
  const operands = bindAll(context, clause, args).map((e) => coerceToBool(context, e, name));
  if (boolop === 'NOT_EXPR') {
    return { kind: 'not', type: bool, operand: must(operands[0], 'NOT has an operand') };
  }
  return { kind: boolop === 'AND_EXPR' ? 'and' : 'or', type: bool, operands };
}

export function bindNullTest(context: BindContext, clause: Clause, body: ast.NullTest): Expression {
  const { arg, nulltesttype } = fields(context.source, 'NullTest', body, ['arg', 'nulltesttype']);
  const operand = bindExpression(context, clause, must(arg, 'IS NULL has an operand'));
  const negated = nulltesttype === 'IS_NOT_NULL';
  const ofRecord = bindRecordNullTest(operand, negated);
  return ofRecord ?? { kind: 'isNull', type: bool, operand, negated };
}

export function bindTruth(context: BindContext, clause: Clause, body: ast.BooleanTest): Expression {
  const { arg, booltesttype } = fields(context.source, 'BooleanTest', body, [
    'arg',
    'booltesttype',
  ]);
  const test = must(booltesttype, 'a truth test has a kind').replace('IS_', 'IS ');
  const construct = test.replace('_', ' ');
  const tested = bindExpression(context, clause, must(arg, 'a truth test has an operand'));
  const operand = coerceToBool(context, tested, construct);
  const negated = test.startsWith('IS NOT_');
  if (test.endsWith('UNKNOWN')) return { kind: 'isNull', type: bool, operand, negated };
  return { kind: 'isBoolean', type: bool, operand, value: test.endsWith('TRUE'), negated };
}

export function bindCase(context: BindContext, clause: Clause, body: ast.CaseExpr): Expression {
  return refuseSets(context, clause, 'CASE', (inner) => bindBranches(context, inner, body));
}

function bindBranches(context: BindContext, clause: Clause, body: ast.CaseExpr): Expression {
  const {
    arg,
    args = [],
    defresult,
  } = fields(context.source, 'CaseExpr', body, ['arg', 'args', 'defresult']);
  let subject = arg === undefined ? undefined : bindExpression(context, clause, arg);
  if (subject !== undefined && isUnknown(subject)) subject = coerceTo(context, subject, 'text');
  const whens: Expression[] = [];
  const results: Expression[] = [];
  for (const node of args) {
    const { expr, result } = fields(context.source, 'CaseWhen', the(node, 'CaseWhen'), [
      'expr',
      'result',
    ]);
    const when = bindExpression(context, clause, must(expr, 'WHEN has a condition'));
    const location = context.locationOf(when);
    const condition =
      subject === undefined ? when : bindBinary(context, '=', subject, when, location);
    whens.push(coerceToBool(context, condition, 'CASE/WHEN'));
    results.push(bindExpression(context, clause, must(result, 'THEN has a result')));
  }
  const otherwise: Expression =
    defresult === undefined
      ? { kind: 'constant', type: { name: 'unknown', modifier: -1 }, value: null }
      : bindExpression(context, clause, defresult);
  // ELSE comes first, as PostgreSQL resolves the type.
  const { type, expressions } = coerceToCommon(context, [otherwise, ...results], 'CASE');
  const [last, ...thens] = expressions;
  // biome-ignore lint/suspicious/noThenProperty: a branch of CASE is never awaited
  const branches = whens.map((when, i) => ({ when, then: must(thens[i], 'a THEN per WHEN') }));
  return { kind: 'case', type, branches, otherwise: must(last, 'a CASE has ELSE') };
}

export function bindCoalesce(
  context: BindContext,
  clause: Clause,
  body: ast.CoalesceExpr,
): Expression {
  const { args } = fields(context.source, 'CoalesceExpr', body, ['args']);
  const bound = refuseSets(context, clause, 'COALESCE', (inner) => bindAll(context, inner, args));
  const { type, expressions } = coerceToCommon(context, bound, 'COALESCE');
  return { kind: 'coalesce', type, operands: expressions };
}

export function bindMinMax(context: BindContext, clause: Clause, body: ast.MinMaxExpr): Expression {
  const { args, op } = fields(context.source, 'MinMaxExpr', body, ['args', 'op']);
  const greatest = op === 'IS_GREATEST';
  const name = greatest ? 'GREATEST' : 'LEAST';
  const { type, expressions } = coerceToCommon(context, bindAll(context, clause, args), name);
  const [first] = expressions;
  const less = context.at(first && context.locationOf(first), () =>
    resolveOperator('<', type.name, type.name),
  );
  return { kind: 'extreme', type, operands: expressions, less, greatest };
}

/** NULLIF(a, b): a unless it equals b. */
export function bindNullIf(
  context: BindContext,
  left: Expression,
  right: Expression,
  at: number | undefined,
): Expression {
  const equal = bindBinary(context, '=', left, right, at);
  // Its type is that of the left side as the comparison takes it.
  const value = equal.kind === 'call' ? (equal.arguments[0] ?? left) : left;
  const nothing: Expression = { kind: 'constant', type: value.type, value: null };
  return {
    kind: 'case',
    type: value.type,
    // biome-ignore lint/suspicious/noThenProperty: a branch of CASE is never awaited
    branches: [{ when: equal, then: nothing }],
    otherwise: value,
  };
}
