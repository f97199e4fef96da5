/**
 * Turns bound relations into plans: rewrite rules, one file each, applied in one order. Guarantees
 * that a plan gives the rows of its relation, in its order. Knows types, functions and tables; knows
 * nothing of how plans are executed.
 */
export { columnsRead, conjunctsOf } from './expressions.js';
export { fitsKey, ordersAsKeys } from './key-comparisons.js';
export {
  type Access,
  columnsOf,
  type JoinPlan,
  mapInputs,
  type KeyBound,
  type Plan,
  type PlannedJoinKind,
  type RowCount,
  type ScanPlan,
  type SystemScanPlan,
  visitExpressions,
} from './plan.js';
export {
  type Answer,
  answerColumns,
  type ApplyPlan,
  type Branch,
  hasStatements,
  type QueryPlan,
  type WithTablePlan,
} from './query-plan.js';
export { hasSubquery } from './lift-subqueries.js';
export { rowNumberColumn } from './row-numbers.js';
export { type PlannedStatement, planStatement, readsBeside, rules } from './statement.js';
