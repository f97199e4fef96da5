/**
 * Turns bound relations into plans: rewrite rules, one file each, applied in one order. Guarantees
 * that a plan gives the rows of its relation, in its order. Knows types, functions and tables; knows
 * nothing of how plans are executed.
 */
export { columnsRead } from './expressions.js';
export {
  type Access,
  columnsOf,
  type JoinPlan,
  type KeyBound,
  type Plan,
  type RowCount,
  type ScanPlan,
  visitExpressions,
} from './plan.js';
export { rowNumberColumn } from './row-numbers.js';
export { type PlannedStatement, planStatement, rules } from './statement.js';
