/**
 * Turns bound relations into plans: rewrite rules, one file each, applied in one order. Guarantees
 * that a plan gives the rows of its relation, in its order. Knows types, functions and tables; knows
 * nothing of how plans are executed.
 */
export { columnsRead, conjunctsOf } from './expressions.js';
export {
  type Access,
  columnsOf,
  type JoinPlan,
  type JoinStrategy,
  type KeyBound,
  type Plan,
  type RowCount,
  type ScanPlan,
} from './plan.js';
export { rowNumberColumn } from './row-numbers.js';
export { type PlannedStatement, planStatement, rules, type Trace } from './statement.js';
