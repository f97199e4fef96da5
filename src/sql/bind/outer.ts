/** Queries around the one that is bound: how it names their columns, and what it takes of them. */
import type { Expression } from '../plan/expression.js';
import { mapOperands } from '../plan/map-operands.js';
import type { Capture } from '../plan/subquery.js';
import type { BindContext } from './context.js';
import type { Clause } from './expression.js';
import { columnIn } from './group.js';
import type { Scope } from './scope.js';

/** A capture, and where the text mentions it: an aggregate of the outer query takes mentions away. */
interface UsedCapture extends Capture {
  readonly mentions: Set<number | undefined>;
}

export interface OuterQuery {
  /** Where the inner query stands: a clause, or FROM for LATERAL. */
  readonly clause: Clause;
  readonly isLateral: boolean;
  /** What the inner query has taken of this one, so far. */
  readonly captures: UsedCapture[];
  readonly around: OuterQuery | undefined;
}

/** Binds a query that stands in `clause`; gives with it what it reads of the queries around. */
export function bindWithin<T>(
  context: BindContext,
  clause: Clause,
  isLateral: boolean,
  bind: () => T,
): { readonly bound: T; readonly captures: readonly Capture[] } {
  const around = context.outer;
  const captures: UsedCapture[] = [];
  context.outer = { clause, isLateral, captures, around };
  const bound = bind();
  context.outer = around;
  const used = captures.filter(({ mentions }) => mentions.size > 0);
  return { bound, captures: used.map(({ column, expression }) => ({ column, expression })) };
}

/** What `find` finds in the nearest query around, taken to where it is asked for. */
export function findOuter(
  context: BindContext,
  find: (scope: Scope) => Expression | undefined,
  at: number | undefined,
): Expression | undefined {
  const crossed: OuterQuery[] = [];
  for (let level = context.outer; level !== undefined; level = level.around) {
    crossed.push(level);
    const found = find(level.clause.scope);
    if (found !== undefined) return captured(context, crossed, found, at);
  }
  return undefined;
}

/** An expression of the last of `crossed`, as the query within the first of them has it. */
export function captured(
  context: BindContext,
  crossed: readonly OuterQuery[],
  expression: Expression,
  at: number | undefined,
): Expression {
  return crossed.reduceRight((inner, level) => capture(context, level, inner, at), expression);
}

/** A column of the outermost query around: a parameter of the function that this is the body of. */
export function takenFromAround(
  context: BindContext,
  expression: Expression,
  at: number | undefined,
): Expression {
  const crossed: OuterQuery[] = [];
  for (let level = context.outer; level !== undefined; level = level.around) crossed.push(level);
  return captured(context, crossed, expression, at);
}

function capture(
  context: BindContext,
  { captures, isLateral }: OuterQuery,
  expression: Expression,
  at: number | undefined,
): Expression {
  const { type } = expression;
  // What comes from further out is the same for all rows of FROM.
  if (isLateral && expression.kind === 'outer') return expression;
  let found = captures.find((one) => isSame(one.expression, expression));
  if (found === undefined) {
    const located = context.locate({ ...expression }, at);
    found = { column: context.nextColumn(), expression: located, mentions: new Set() };
    captures.push(found);
  }
  found.mentions.add(at);
  return context.locate({ kind: 'outer', type, column: found.column }, at);
}

function isSame(a: Expression, b: Expression): boolean {
  if (a.kind === 'column') return b.kind === 'column' && a.column === b.column;
  return a.kind === 'outer' && b.kind === 'outer' && a.column === b.column;
}

/** Where an aggregate over columns of queries around belongs, and its expressions there. */
export interface Home {
  readonly clause: Clause;
  /** An expression of the inner query as the home has it. */
  readonly translate: (expression: Expression) => Expression;
  /** The queries between, the innermost first. */
  readonly crossed: readonly OuterQuery[];
}

/**
 * The query that an aggregate over `expressions` belongs to: the innermost whose columns they read, or
 * undefined when that is the query it stands in, or they read none.
 */
export function homeOf(context: BindContext, expressions: readonly Expression[]): Home | undefined {
  let current = expressions;
  const crossed: OuterQuery[] = [];
  for (let level = context.outer; level !== undefined; level = level.around) {
    if (current.some((one) => columnIn(one) !== undefined)) break;
    if (!current.some(readsOuter)) break;
    crossed.push(level);
    const { captures } = level;
    current = current.map((one) => outwards(one, captures));
  }
  const last = crossed.at(-1);
  if (last === undefined) return undefined;
  const translate = (expression: Expression): Expression =>
    crossed.reduce((moved, level) => {
      forget(context, moved, level.captures);
      return outwards(moved, level.captures);
    }, expression);
  return { clause: last.clause, translate, crossed };
}

function readsOuter(expression: Expression): boolean {
  if (expression.kind === 'outer') return true;
  let found = false;
  mapOperands(expression, (operand) => {
    found ||= readsOuter(operand);
    return operand;
  });
  return found;
}

function outwards(expression: Expression, captures: readonly UsedCapture[]): Expression {
  if (expression.kind !== 'outer') {
    return mapOperands(expression, (operand) => outwards(operand, captures));
  }
  return captures.find(({ column }) => column === expression.column)?.expression ?? expression;
}

/** The mentions within the expression are the outer query's own from now on. */
function forget(
  context: BindContext,
  expression: Expression,
  captures: readonly UsedCapture[],
): void {
  if (expression.kind === 'outer') {
    const capture = captures.find(({ column }) => column === expression.column);
    capture?.mentions.delete(context.locationOf(expression));
  }
  mapOperands(expression, (operand) => {
    forget(context, operand, captures);
    return operand;
  });
}
