/** Queries around the one that is bound: how it names their columns, and what it takes of them. */
import type { Expression } from '../plan/expression.js';
import type { Capture } from '../plan/subquery.js';
import type { BindContext } from './context.js';
import type { Clause } from './expression.js';
import type { Scope } from './scope.js';

export interface OuterQuery {
  /** Where the inner query stands: a clause, or FROM for LATERAL. */
  readonly clause: Clause;
  readonly isLateral: boolean;
  /** What the inner query has taken of this one, so far. */
  readonly captures: Capture[];
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
  const captures: Capture[] = [];
  context.outer = { clause, isLateral, captures, around };
  const bound = bind();
  context.outer = around;
  return { bound, captures };
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

function capture(
  context: BindContext,
  { captures, isLateral }: OuterQuery,
  expression: Expression,
  at: number | undefined,
): Expression {
  const { type } = expression;
  // What comes from further out is the same for all rows of FROM.
  if (isLateral && expression.kind === 'outer') return expression;
  const before = captures.find((one) => isSame(one.expression, expression));
  const column = before?.column ?? context.nextColumn();
  if (before === undefined) {
    captures.push({ column, expression: context.locate({ ...expression }, at) });
  }
  return context.locate({ kind: 'outer', type, column }, at);
}

function isSame(a: Expression, b: Expression): boolean {
  if (a.kind === 'column') return b.kind === 'column' && a.column === b.column;
  return a.kind === 'outer' && b.kind === 'outer' && a.column === b.column;
}
