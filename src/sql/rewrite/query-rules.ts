/** What the rules that go through whole plans do with queries within queries. */
import { unreachable } from '../../base/assert.js';
import type { ColumnId, Expression } from '../plan/expression.js';
import { columnsRead, conjunction, conjunctsOf, isSubset, isVolatile } from './expressions.js';
import { idsOf, type Plan } from './plan.js';
import {
  type Answer,
  type ApplyPlan,
  type Branch,
  mapQueryInputs,
  mapWithTable,
  type QueryPlan,
} from './query-plan.js';

type Columns = ReadonlySet<ColumnId>;

/** Reads only the columns that are needed; see the rule pruneColumns. */
export function pruneQuery(
  plan: QueryPlan,
  needed: Columns,
  prune: (plan: Plan, needed: Columns) => Plan,
): QueryPlan {
  switch (plan.kind) {
    case 'apply':
      return pruneApply(plan, needed, prune);
    case 'append': {
      const kept = plan.columns.map(({ column }) => needed.has(column));
      return {
        ...plan,
        columns: plan.columns.filter((_, i) => kept[i]),
        inputs: plan.inputs.map(({ plan: input, sources }) => {
          const wanted = sources.filter((_, i) => kept[i]);
          return { plan: prune(input, new Set(wanted)), sources: wanted };
        }),
      };
    }
    case 'setOperation':
      return mapBranches(plan, prune);
    case 'with':
      return {
        ...plan,
        tables: plan.tables.map((table) => mapWithTable(table, (input) => whole(input, prune))),
        input: prune(plan.input, needed),
      };
    case 'lockRows': {
      const keys = plan.locks.flatMap(({ key }) => key);
      return { ...plan, input: prune(plan.input, new Set([...needed, ...keys])) };
    }
    case 'withScan': {
      const kept = plan.columns.map(({ column }) => needed.has(column));
      return {
        ...plan,
        columns: plan.columns.filter((_, i) => kept[i]),
        places: plan.places.filter((_, i) => kept[i]),
      };
    }
    default:
      return unreachable(plan);
  }
}

function mapBranches(
  plan: Extract<QueryPlan, { readonly kind: 'setOperation' }>,
  prune: (plan: Plan, needed: Columns) => Plan,
): QueryPlan {
  return { ...plan, left: whole(plan.left, prune), right: whole(plan.right, prune) };
}

function whole(input: Branch, prune: (plan: Plan, needed: Columns) => Plan): Branch {
  return { ...input, plan: prune(input.plan, new Set(input.sources)) };
}

function pruneApply(
  plan: ApplyPlan,
  needed: Columns,
  prune: (plan: Plan, needed: Columns) => Plan,
): Plan & QueryPlan {
  const { answer, captures } = plan;
  const operands = answer.kind === 'any' || answer.kind === 'all' ? answer.operands : [];
  const condition = 'condition' in answer ? answer.condition : undefined;
  const left = new Set([
    ...needed,
    ...columnsRead(
      plan.guard,
      condition,
      ...captures.map(({ expression }) => expression),
      ...operands.map(({ expression }) => expression),
    ),
  ]);
  return {
    ...plan,
    left: prune(plan.left, left),
    right: prune(plan.right, rightColumns(answer, needed)),
  };
}

/** The right columns that an answer is made of. */
function rightColumns(answer: Answer, needed: Columns): Columns {
  switch (answer.kind) {
    case 'inner':
    case 'left':
      return new Set([...needed, ...columnsRead(answer.condition)]);
    case 'row':
      return new Set(answer.columns.map(({ column }) => column));
    case 'any':
    case 'all':
      return columnsRead(answer.test);
    case 'array':
      return new Set([answer.item]);
    case 'exists':
    case 'semi':
    case 'anti':
      return new Set();
    default:
      return unreachable(answer);
  }
}

/** Restricts the plan; gives back with it the conditions that must stay above. */
export function pushIntoQuery(
  plan: QueryPlan,
  conditions: readonly Expression[],
  push: (plan: Plan, conditions: readonly Expression[]) => Plan,
): { readonly plan: QueryPlan; readonly above: readonly Expression[] } {
  if (plan.kind === 'apply') return pushIntoApply(plan, conditions, push);
  return { plan: mapQueryInputs(plan, (input) => push(input, [])), above: conditions };
}

function pushIntoApply(
  plan: ApplyPlan,
  conditions: readonly Expression[],
  push: (plan: Plan, conditions: readonly Expression[]) => Plan,
): { readonly plan: QueryPlan; readonly above: readonly Expression[] } {
  const leftColumns = idsOf(plan.left);
  const rightIds = idsOf(plan.right);
  const { answer } = plan;
  const left: Expression[] = [];
  const right: Expression[] = [];
  const on: Expression[] = [];
  const above: Expression[] = [];
  for (const condition of conditions) {
    const columns = columnsRead(condition);
    if (isVolatile(condition)) above.push(condition);
    else if (isSubset(columns, leftColumns)) left.push(condition);
    else if (answer.kind === 'inner' && isSubset(columns, rightIds)) right.push(condition);
    else above.push(condition);
  }
  for (const condition of 'condition' in answer ? conjunctsOf(answer.condition) : []) {
    if (condition.kind === 'constant' && condition.value === true) continue;
    const mayMove = !isVolatile(condition) && isSubset(columnsRead(condition), rightIds);
    (mayMove ? right : on).push(condition);
  }
  const pushed: ApplyPlan = {
    ...plan,
    left: push(plan.left, left),
    right: push(plan.right, right),
    answer: 'condition' in answer ? { ...answer, condition: conjunction(on) } : answer,
  };
  return { plan: pushed, above };
}

/** What a WITH table, whose rows nobody has counted, is taken for. */
const withRows = 1000;
const lateralRows = 10;

/** See `guessRows`. */
export function guessQuery(plan: QueryPlan, guess: (plan: Plan) => number): number {
  switch (plan.kind) {
    case 'apply': {
      const rows = guess(plan.left);
      const { kind } = plan.answer;
      if (kind === 'inner' || kind === 'left') {
        return rows * (plan.right.kind === 'systemScan' ? guess(plan.right) : lateralRows);
      }
      return kind === 'semi' || kind === 'anti' ? Math.max(1, rows / 2) : rows;
    }
    case 'append':
      return plan.inputs.reduce((sum, input) => sum + guess(input.plan), 0);
    case 'setOperation':
      return guess(plan.left.plan);
    case 'with':
    case 'lockRows':
      return guess(plan.input);
    case 'withScan':
      return withRows;
    default:
      return unreachable(plan);
  }
}
