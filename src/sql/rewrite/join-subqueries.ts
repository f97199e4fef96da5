/**
 * Makes joins of EXISTS, NOT EXISTS and IN in WHERE: a semi join keeps left rows that meet a right one, an
 * anti join those that meet none. The right side is then read once and not for every left row. Where few
 * left rows ask, the apply stays: it can look up what each of them needs by keys.
 */
import type { ColumnId, Expression, NamedExpression } from '../plan/expression.js';
import type { Capture } from '../plan/subquery.js';
import { columnsRead, conjunction, conjunctsOf, isVolatile, walk } from './expressions.js';
import { guessRows } from './guess-rows.js';
import { mapOperands } from '../plan/map-operands.js';
import { columnsOf, mapExpressions, mapInputs, type Plan, rewriteUpwards } from './plan.js';
import { pushFilters } from './push-filters.js';
import type { ApplyPlan } from './query-plan.js';
import type { Rule } from './rule.js';
import { useKeys } from './use-keys.js';

export const joinSubqueries: Rule = {
  name: 'joinSubqueries',
  apply: (plan) =>
    rewriteUpwards(plan, (node) => (node.kind === 'filter' ? (joined(node) ?? node) : node)),
};

/** An apply is asked by fewer left rows than this. */
const fewRows = 100;

type FilterPlan = Extract<Plan, { readonly kind: 'filter' }>;

/** The filter as a join, where it asks an apply and nothing else. */
function joined({ input, condition }: FilterPlan): Plan | undefined {
  if (input.kind !== 'apply' || input.guard !== undefined) return undefined;
  const { answer } = input;
  if (answer.kind !== 'exists' && answer.kind !== 'any') return undefined;
  const isAnti = condition.kind === 'not';
  const asked = isAnti ? condition.operand : condition;
  if (asked.kind !== 'column' || asked.column !== answer.column) return undefined;
  // NOT IN keeps no row for which it is unknown, which no join can say.
  if (isAnti && answer.kind === 'any') return undefined;
  const { captures, operands, right } = asExists(input);
  const names = new Set([...captures, ...operands].map(({ column }) => column));
  const taken = take(right, names, new Set());
  if (taken === undefined || taken.conditions.length === 0) return undefined;
  if (isFew(input.left)) return undefined;
  const outside = new Map([...captures, ...operands].map((one) => [one.column, one.expression]));
  if ([...outside.values()].some(isVolatile)) return undefined;
  return {
    kind: 'join',
    join: isAnti ? 'anti' : 'semi',
    left: input.left,
    right: taken.plan,
    strategy: { kind: 'nestedLoop' },
    condition: conjunction(taken.conditions.map((one) => withoutOuter(one, outside))),
  };
}

/** `x IN (SELECT y ...)` asks whether there is a row with `x = y`. */
function asExists({ captures, answer, right }: ApplyPlan): {
  readonly captures: readonly Capture[];
  readonly operands: readonly Capture[];
  readonly right: Plan;
} {
  if (answer.kind !== 'any') return { captures, operands: [], right };
  const filtered: Plan = { kind: 'filter', input: right, condition: answer.test };
  return { captures, operands: answer.operands, right: filtered };
}

function isFew(left: Plan): boolean {
  const none = new Set<ColumnId>();
  return guessRows(useKeys.apply(pushFilters.apply(left, none), none)) < fewRows;
}

interface Taken {
  readonly plan: Plan;
  /** Conditions that read captures, over the plan's columns. */
  readonly conditions: readonly Expression[];
}

/**
 * Takes the conditions on captures out of a plan; undefined where something else reads them. `needed` are
 * the columns that are read above.
 */
function take(
  plan: Plan,
  captures: ReadonlySet<ColumnId>,
  needed: ReadonlySet<ColumnId>,
): Taken | undefined {
  if (!reads(plan, captures)) return { plan, conditions: [] };
  switch (plan.kind) {
    case 'filter': {
      const inner = take(plan.input, captures, union(needed, columnsRead(plan.condition)));
      if (inner === undefined) return undefined;
      const conditions = conjunctsOf(plan.condition);
      const own = conditions.filter((one) => readsCapture(one, captures));
      if (own.some(isVolatile)) return undefined;
      const rest = conjunction(conditions.filter((one) => !own.includes(one)));
      const input = inner.plan;
      return {
        plan: rest === undefined ? input : { kind: 'filter', input, condition: rest },
        conditions: [...inner.conditions, ...own],
      };
    }
    case 'join': {
      if (plan.join !== 'inner') return undefined;
      const below = union(needed, columnsRead(plan.condition));
      const left = take(plan.left, captures, below);
      const right = take(plan.right, captures, below);
      if (left === undefined || right === undefined) return undefined;
      const conditions = conjunctsOf(plan.condition);
      const own = conditions.filter((one) => readsCapture(one, captures));
      const rest = conjunction(conditions.filter((one) => !own.includes(one)));
      return {
        plan: { ...plan, left: left.plan, right: right.plan, condition: rest },
        conditions: [...left.conditions, ...right.conditions, ...own],
      };
    }
    case 'project':
      return takeFromProject(plan, captures, needed);
    // Order and duplicates mean nothing to whoever asks for a row.
    case 'sort':
      return plan.top === undefined ? take(plan.input, captures, needed) : undefined;
    case 'distinct':
      return plan.on === undefined ? take(plan.input, captures, needed) : undefined;
    default:
      return undefined;
  }
}

/** A projection lets through what the conditions read. */
function takeFromProject(
  plan: Extract<Plan, { readonly kind: 'project' }>,
  captures: ReadonlySet<ColumnId>,
  needed: ReadonlySet<ColumnId>,
): Taken | undefined {
  // What EXISTS selects nobody reads, unless a condition above does.
  const kept = plan.expressions.filter(({ expression }) => !readsCapture(expression, captures));
  const dropped = plan.expressions.filter((one) => !kept.includes(one));
  if (dropped.some(({ column }) => needed.has(column))) return undefined;
  const below = columnsRead(...kept.map(({ expression }) => expression));
  const inner = take(plan.input, captures, below);
  if (inner === undefined) return undefined;
  const passing = columnsRead(...inner.conditions);
  const shown = new Set(kept.map(({ column }) => column));
  const passed = columnsOf(inner.plan)
    .filter(({ column }) => passing.has(column) && !shown.has(column))
    .map(
      ({ column, name, type }): NamedExpression => ({
        column,
        name,
        expression: { kind: 'column', type, column },
      }),
    );
  const expressions = [...kept, ...passed];
  return {
    plan: { kind: 'project', input: inner.plan, expressions },
    conditions: inner.conditions,
  };
}

function union(a: ReadonlySet<ColumnId>, b: ReadonlySet<ColumnId>): ReadonlySet<ColumnId> {
  return new Set([...a, ...b]);
}

function reads(plan: Plan, captures: ReadonlySet<ColumnId>): boolean {
  let found = false;
  mapExpressions(plan, (expression) => {
    found ||= readsCapture(expression, captures);
    return expression;
  });
  mapInputs(plan, (input) => {
    found ||= reads(input, captures);
    return input;
  });
  return found;
}

function readsCapture(expression: Expression, captures: ReadonlySet<ColumnId>): boolean {
  let found = false;
  walk(expression, (part) => {
    if (part.kind === 'outer' && captures.has(part.column)) found = true;
  });
  return found;
}

function withoutOuter(
  expression: Expression,
  outside: ReadonlyMap<ColumnId, Expression>,
): Expression {
  if (expression.kind === 'outer') return outside.get(expression.column) ?? expression;
  return mapOperands(expression, (operand) => withoutOuter(operand, outside));
}
