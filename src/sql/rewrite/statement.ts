/** Plans statements: the relation they read, through all rules in their order. */
import type { ColumnId, Expression } from '../plan/expression.js';
import type { Relation } from '../plan/relation.js';
import type { DataStatement } from '../plan/statement.js';
import { chooseJoins } from './choose-joins.js';
import { dropSorts } from './drop-sorts.js';
import { columnsRead } from './expressions.js';
import { factorConditions } from './factor-conditions.js';
import { foldConstants } from './fold-constants.js';
import { mergeProjections } from './merge-projections.js';
import { orderJoins } from './order-joins.js';
import { findRepeats } from './find-repeats.js';
import { inlineWith } from './inline-with.js';
import { joinSubqueries } from './join-subqueries.js';
import { liftStatement, returningAsQuery } from './lift-statement.js';
import { hasSubquery } from './lift-subqueries.js';
import { NewColumns } from './new-columns.js';
import { columnsOf, type Plan } from './plan.js';
import { pruneColumns } from './prune-columns.js';
import { pushFilters } from './push-filters.js';
import { pushLimits } from './push-limits.js';
import { rightToLeftJoin } from './right-to-left-join.js';
import { rowNumberColumn, showRowNumbers } from './row-numbers.js';
import type { Rule } from './rule.js';
import { spreadConstants } from './system-keys.js';
import { useKeys } from './use-keys.js';

/** In the order in which they are applied, once each. */
export const rules: readonly Rule[] = [
  // First, so that no other rule looks at conditions that are decided.
  foldConstants,
  // Before the rules that treat the sides of an outer join differently.
  rightToLeftJoin,
  // Before conditions are moved: what OR hides moves too.
  factorConditions,
  // Before filters move away from the subqueries that they ask.
  joinSubqueries,
  // Before conditions go to the relations that they are about.
  spreadConstants,
  // Before the rules that look at the filters of scans and at the conditions of joins.
  pushFilters,
  // After WHERE has become the conditions of joins; before joins are chosen.
  orderJoins,
  // Before joins are chosen: a scan of few keys is the small side.
  useKeys,
  chooseJoins,
  // After keys: the access says which key columns are fixed.
  dropSorts,
  // After sorts were dropped: only those that stay are told of a limit.
  pushLimits,
  // After sorts and limits between projections have gone.
  mergeProjections,
  // Last: what moved filters, dropped sorts and keys have read is no longer needed.
  pruneColumns,
];

/** A statement with the plan of the rows it reads. */
export interface PlannedStatement {
  readonly statement: DataStatement;
  readonly plan: Plan;
}

/** Sees the plan after each rule. */
export type Trace = (rule: string, plan: Plan) => void;

/**
 * Plans a statement. A query's plan has the columns of its relation in their order. Raises errors of
 * constant expressions. `off` names rules to leave out, for tests.
 */
export function planStatement(
  given: DataStatement,
  trace?: Trace,
  off: ReadonlySet<string> = new Set(),
  ids = new NewColumns(),
): PlannedStatement {
  const lifted = liftStatement(returningAsQuery(given, ids), ids);
  const { statement } = lifted;
  const needed = columnsNeeded(statement);
  let plan = findRepeats(readsBeside(statement) ? lifted.plan : inlineWith(lifted.plan));
  if (numbersRows(statement)) plan = showRowNumbers(plan);
  for (const rule of rules) {
    if (off.has(rule.name)) continue;
    plan = rule.apply(plan, needed);
    trace?.(rule.name, plan);
  }
  const { kind } = statement;
  const isOrdered = kind === 'query' || kind === 'insert' || kind === 'copyTo';
  return { statement, plan: isOrdered ? inOrder(plan, statement.input) : plan };
}

/** Whether what is computed beside the input has queries, which may scan its tables of WITH. */
export function readsBeside(statement: DataStatement): boolean {
  switch (statement.kind) {
    case 'insert': {
      const { assignments = [], filter } = statement.onConflict?.update ?? {};
      return hasSubquery(filter) || assignments.some(({ expression }) => hasSubquery(expression));
    }
    case 'merge':
      return statement.branches.some(({ condition, action }) => {
        const assignments = 'assignments' in action ? action.assignments : [];
        return (
          hasSubquery(condition) || assignments.some(({ expression }) => hasSubquery(expression))
        );
      });
    default:
      return false;
  }
}

/** The columns that a statement reads of its input. */
function columnsNeeded(statement: DataStatement): ReadonlySet<ColumnId> {
  const { kind, input } = statement;
  if (kind === 'query' || kind === 'insert' || kind === 'copyTo')
    return new Set(input.columns.map(({ column }) => column));
  const needed = new Set<ColumnId>();
  if (numbersRows(statement)) needed.add(rowNumberColumn);
  if (statement.kind === 'merge' || statement.partitioned !== undefined) {
    for (const { column } of input.columns) needed.add(column);
    return needed;
  }
  const { table, returning } = statement;
  // Entries of indexes and keys that others reference are made of other columns too.
  const hasMore = table.indexes.length > 0 || table.referencedBy.length > 0;
  const isWhole = kind === 'update' || returning !== undefined || hasMore;
  for (const [i, { position }] of table.columns.entries()) {
    const column = input.columns[i]?.column;
    const isWanted = isWhole || table.primaryKey.includes(position);
    if (column !== undefined && isWanted) needed.add(column);
  }
  const expressions: Expression[] = returning?.expressions.map((item) => item.expression) ?? [];
  if (statement.kind === 'update')
    expressions.push(...statement.assignments.map((item) => item.expression));
  for (const column of columnsRead(...expressions)) needed.add(column);
  return needed;
}

/** UPDATE, DELETE and MERGE find rows of a table without primary key by their numbers. */
function numbersRows(statement: DataStatement): boolean {
  const { kind } = statement;
  const changes = kind === 'update' || kind === 'delete' || kind === 'merge';
  if (!changes || statement.partitioned !== undefined) return false;
  return statement.table.primaryKey.length === 0;
}

/** The plan with the columns of the relation in their order, whatever joins have made of it. */
function inOrder(plan: Plan, relation: Relation): Plan {
  const columns = columnsOf(plan);
  const wanted = relation.columns;
  const same =
    columns.length === wanted.length &&
    columns.every(({ column }, i) => column === wanted[i]?.column);
  if (same) return plan;
  return {
    kind: 'project',
    input: plan,
    expressions: wanted.map(({ column, name, type }) => ({
      column,
      name,
      expression: { kind: 'column', type, column },
    })),
  };
}
