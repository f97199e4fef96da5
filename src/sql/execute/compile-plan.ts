/** Makes operators of plans. */
import { unreachable } from '../../base/assert.js';
import type { DatabaseId } from '../../base/ids.js';
import { columnsOf, type Plan, type QueryPlan } from '../rewrite/index.js';
import { compileAggregate } from './aggregate.js';
import { compileCopyInput } from './copy-input.js';
import { compileQueryPlan } from './compile-query-plan.js';
import { compileDistinct, compileDistinctOn } from './distinct.js';
import { compileJoin } from './join.js';
import { compileFilter, compileLimit, compileProject, compileValues } from './row-operators.js';
import { compileProjectSet, compileTableFunction } from './set-rows.js';
import { compileScan } from './scan.js';
import { scopeOf } from './scope.js';
import { compileSort } from './sort.js';
import type { Source } from './stream.js';
import { compileSystemScan } from './system-scan.js';
import { compileWindow } from './window.js';

/** Makes a source of a plan. `database` is that of the statement's sequences. */
export function compilePlan(plan: Plan, database: DatabaseId | undefined): Source {
  switch (plan.kind) {
    case 'scan':
      return compileScan(plan);
    case 'systemScan':
      return compileSystemScan(plan, database);
    case 'values':
      return compileValues(plan.rows, database);
    case 'copyInput':
      return compileCopyInput(plan);
    case 'tableFunction':
      return compileTableFunction(plan, database);
    case 'join': {
      const isLookup = plan.strategy.kind === 'lookup';
      const left = compilePlan(plan.left, database);
      const right = isLookup ? undefined : compilePlan(plan.right, database);
      return compileJoin(plan, { left, right, database });
    }
    case 'filter':
    case 'project':
    case 'aggregate':
    case 'window':
    case 'projectSet':
    case 'distinct':
    case 'sort':
    case 'limit':
      return compileOverInput(plan, database);
    case 'apply':
    case 'append':
    case 'setOperation':
    case 'with':
    case 'lockRows':
    case 'withScan':
      return compileQueryPlan(plan, database);
    default:
      return unreachable(plan);
  }
}

function compileOverInput(
  plan: Exclude<Extract<Plan, { readonly input: Plan }>, QueryPlan>,
  database: DatabaseId | undefined,
): Source {
  const input = compilePlan(plan.input, database);
  const columns = columnsOf(plan.input);
  const scope = scopeOf(columns, database);
  switch (plan.kind) {
    case 'filter':
      return compileFilter(input, plan.condition, scope);
    case 'project':
      return compileProject(input, plan.expressions, columns, scope);
    case 'aggregate':
      return compileAggregate(input, plan, columns, scope);
    case 'window':
      return compileWindow(input, plan, columns, scope);
    case 'projectSet':
      return compileProjectSet(input, plan.calls, scope);
    case 'distinct':
      return plan.on === undefined
        ? compileDistinct(input, columns)
        : compileDistinctOn(input, plan.on, scope);
    case 'sort':
      return compileSort(input, plan.keys, plan.top, columns);
    case 'limit':
      return compileLimit(input, plan, scope);
    default:
      return unreachable(plan);
  }
}
