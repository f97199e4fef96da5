/** Guesses how many rows a plan gives, from its shape alone. Statistics will replace this. */
import { unreachable } from '../../base/assert.js';
import type { Expression } from '../plan/expression.js';
import { conjunctsOf } from './expressions.js';
import type { Plan, ScanPlan, SystemScanPlan } from './plan.js';
import { guessQuery } from './query-rules.js';

const tableRows = 10_000;
const equalityShare = 0.01;
const conditionShare = 0.3;
/** What PostgreSQL takes for a function in FROM, and what we do for one in a select list. */
const functionRows = 1000;
const rowsPerSet = 10;
const rowsPerSystemKey = 2;

export function guessRows(plan: Plan): number {
  switch (plan.kind) {
    case 'scan':
      return Math.max(1, guessScan(plan) * shareOf(plan.filter));
    case 'systemScan':
      return guessSystemScan(plan);
    case 'values':
      return plan.rows.length;
    case 'copyInput':
    case 'tableFunction':
      return functionRows;
    case 'join':
      return guessJoin(guessRows(plan.left), guessRows(plan.right), plan.strategy.kind);
    case 'filter':
      return Math.max(1, guessRows(plan.input) * shareOf(plan.condition));
    case 'aggregate':
      return plan.groups.length === 0 ? 1 : Math.max(1, guessRows(plan.input) / 10);
    case 'project':
    case 'distinct':
    case 'sort':
    case 'window':
      return guessRows(plan.input);
    case 'projectSet':
      return guessRows(plan.input) * rowsPerSet;
    case 'limit': {
      const { limit } = plan;
      const most = limit?.kind === 'constant' ? Number(limit.value ?? Number.MAX_VALUE) : 100;
      return limit === undefined ? guessRows(plan.input) : Math.min(guessRows(plan.input), most);
    }
    case 'apply':
    case 'append':
    case 'setOperation':
    case 'with':
    case 'lockRows':
    case 'withScan':
      return guessQuery(plan, guessRows);
    default:
      return unreachable(plan);
  }
}

function guessScan({ access }: ScanPlan): number {
  switch (access.kind) {
    case 'all':
      return tableRows;
    case 'keys':
      return access.values.reduce((rows, values) => rows * values.length, 1);
    case 'index':
    case 'range': {
      const bounds = (access.lower ? 1 : 0) + (access.upper ? 1 : 0);
      const rows = tableRows * conditionShare ** bounds;
      return access.equal.reduce((left, values) => left * values.length * equalityShare, rows);
    }
    default:
      return unreachable(access);
  }
}

/** By a key few rows are found, whatever else is asked of them. */
function guessSystemScan({ key, filter, relation }: SystemScanPlan): number {
  if (key !== undefined) {
    const isUnique = relation.columns[key.place]?.name === 'oid';
    return key.values.length * (isUnique ? 1 : rowsPerSystemKey);
  }
  return Math.max(1, relation.rowsGuessed * shareOf(filter));
}

function guessJoin(left: number, right: number, strategy: string): number {
  if (strategy === 'lookup') return left;
  return strategy === 'hash' ? Math.max(left, right) : left * right;
}

function shareOf(condition: Expression | undefined): number {
  let share = 1;
  for (const conjunct of conjunctsOf(condition)) {
    const isEquality = conjunct.kind === 'call' && conjunct.function.comparison === '=';
    share *= isEquality ? equalityShare : conditionShare;
  }
  return share;
}
