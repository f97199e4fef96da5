/** What a rewrite rule is. */
import type { ColumnId } from '../plan/expression.js';
import type { Plan } from './plan.js';

export interface Rule {
  /** As golden tests and traces name it. */
  readonly name: string;
  /**
   * Gives a plan with the same rows, and the same order where an order was asked for. `needed` are
   * the columns that the statement reads of the whole plan.
   */
  apply(plan: Plan, needed: ReadonlySet<ColumnId>): Plan;
}
