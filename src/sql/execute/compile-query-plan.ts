/** Makes operators of queries within queries. */
import { must, unreachable } from '../../base/assert.js';
import type { DatabaseId } from '../../base/ids.js';
import {
  columnsOf,
  mapInputs,
  type Plan,
  type QueryPlan,
  type WithTablePlan,
} from '../rewrite/index.js';
import { compileApply } from './apply.js';
import { compilePlan } from './compile-plan.js';
import { compileWrite } from './compile-write.js';
import { compileLockRows } from './lock-rows.js';
import { withNested } from './nested.js';
import { compileAppend, compileBranch, compileSetOperation } from './set-operation.js';
import type { Source } from './stream.js';
import { compileWith, compileWithScan, type WithSource } from './with.js';

export function compileQueryPlan(plan: QueryPlan, database: DatabaseId | undefined): Source {
  const branch = (input: Parameters<typeof compileBranch>[0]): Source =>
    compileBranch(input, compilePlan(input.plan, database), database);
  switch (plan.kind) {
    case 'apply': {
      const left = compilePlan(plan.left, database);
      return compileApply(plan, left, compilePlan(plan.right, database), database);
    }
    case 'append':
      return compileAppend(plan.inputs.map(branch));
    case 'setOperation':
      return compileSetOperation(plan, branch(plan.left), branch(plan.right));
    case 'with': {
      const tables = plan.tables.map((table) => [table, withSource(table, branch)] as const);
      return compileWith(tables, compilePlan(plan.input, database));
    }
    case 'lockRows': {
      const input = compilePlan(plan.input, database);
      return compileLockRows(plan.locks, input, columnsOf(plan.input), database);
    }
    case 'withScan':
      return compileWithScan(plan);
    default:
      return unreachable(plan);
  }
}

function withSource(
  { source }: WithTablePlan,
  branch: (input: Parameters<typeof compileBranch>[0]) => Source,
): WithSource {
  switch (source.kind) {
    case 'query':
      return { kind: 'query', input: branch(source.input) };
    case 'recursive':
      return { kind: 'recursive', first: branch(source.first), next: branch(source.next) };
    case 'statement': {
      const planned = must(source.planned, 'statements in WITH are planned with their query');
      return { kind: 'statement', write: compileWrite(planned) };
    }
    default:
      return unreachable(source);
  }
}

/** A source for a whole statement's plan. */
export function compileWhole(plan: Plan, database: DatabaseId | undefined): Source {
  const source = compilePlan(plan, database);
  return hasQueries(plan) ? withNested(source) : source;
}

function hasQueries(plan: Plan): boolean {
  if (plan.kind === 'apply' || plan.kind === 'with' || plan.kind === 'withScan') return true;
  let found = false;
  mapInputs(plan, (input) => {
    found ||= hasQueries(input);
    return input;
  });
  return found;
}
