/** The nodes that queries within queries add to plans, and what every node must offer to the rules. */
import { unreachable } from '../../base/assert.js';
import type { ColumnId, Expression, ExpressionType } from '../plan/expression.js';
import type { RelationColumn } from '../plan/relation.js';
import type { DataStatement } from '../plan/statement.js';
import type { Capture, RowLock } from '../plan/subquery.js';
import { columnsOf, mapInputs, type Plan } from './plan.js';
import type { PlannedStatement } from './statement.js';

/** What an apply makes of the right rows of one left row. */
export type Answer =
  /** LATERAL: a row for each that meets the condition; `left` keeps left rows that meet none. */
  | { readonly kind: 'inner' | 'left'; readonly condition: Expression | undefined }
  /** Keeps left rows for which there is a right one, or none. */
  | { readonly kind: 'semi' | 'anti' }
  /** The columns of the only right row: NULLs without one, an error for a second. */
  | { readonly kind: 'row'; readonly columns: readonly RelationColumn[] }
  | { readonly kind: 'exists'; readonly column: ColumnId }
  /** Whether `test` is true for any or all right rows; it reads `operands` as `outer`. */
  | {
      readonly kind: 'any' | 'all';
      readonly column: ColumnId;
      readonly test: Expression;
      readonly operands: readonly Capture[];
    }
  /** The right rows' values of the column `item`. */
  | {
      readonly kind: 'array';
      readonly column: ColumnId;
      readonly type: ExpressionType;
      readonly item: ColumnId;
    };

/**
 * For each row of the left input sets the captures, which the right input reads as `outer`, and adds
 * to the row what the right input answers. A row for which `guard` is not true is not asked: its
 * answer is NULL, which nobody reads.
 */
export interface ApplyPlan {
  readonly kind: 'apply';
  readonly left: Plan;
  readonly right: Plan;
  readonly captures: readonly Capture[];
  readonly guard: Expression | undefined;
  readonly answer: Answer;
  /** What the right input depends on: its answer is the same while these are. Absent: ask anew. */
  readonly repeats?: Dependencies;
}

export interface Dependencies {
  /** Captures. */
  readonly outer: readonly ColumnId[];
  /** Tables of WITH. */
  readonly tables: readonly number[];
}

/** An input whose columns stand for others by their places. */
export interface Branch {
  readonly plan: Plan;
  readonly sources: readonly ColumnId[];
}

export interface WithTablePlan {
  readonly id: number;
  readonly name: string;
  readonly columns: readonly RelationColumn[];
  readonly source:
    | { readonly kind: 'query'; readonly input: Branch; readonly materialized: boolean | undefined }
    | {
        readonly kind: 'recursive';
        readonly first: Branch;
        readonly next: Branch;
        readonly all: boolean;
      }
    | {
        readonly kind: 'statement';
        readonly statement: DataStatement;
        /** Absent until the queries within are planned. */
        readonly planned?: PlannedStatement;
      };
}

export type QueryPlan =
  | ApplyPlan
  | {
      readonly kind: 'append';
      readonly columns: readonly RelationColumn[];
      readonly inputs: readonly Branch[];
    }
  | {
      readonly kind: 'setOperation';
      readonly columns: readonly RelationColumn[];
      readonly operation: 'intersect' | 'except';
      readonly all: boolean;
      readonly left: Branch;
      readonly right: Branch;
    }
  | { readonly kind: 'lockRows'; readonly input: Plan; readonly locks: readonly RowLock[] }
  | { readonly kind: 'with'; readonly tables: readonly WithTablePlan[]; readonly input: Plan }
  | {
      readonly kind: 'withScan';
      readonly columns: readonly RelationColumn[];
      /** The place among the table's columns of each of `columns`. */
      readonly places: readonly number[];
      readonly table: number;
      readonly name: string;
      readonly working: boolean;
    };

const bool: ExpressionType = { name: 'bool', modifier: -1 };

export function queryColumns(plan: QueryPlan): readonly RelationColumn[] {
  switch (plan.kind) {
    case 'apply':
      return [...columnsOf(plan.left), ...answerColumns(plan)];
    case 'append':
    case 'setOperation':
    case 'withScan':
      return plan.columns;
    case 'with':
    case 'lockRows':
      return columnsOf(plan.input);
    default:
      return unreachable(plan);
  }
}

/** The columns that an apply adds to the left's. */
export function answerColumns({ answer, right }: ApplyPlan): readonly RelationColumn[] {
  switch (answer.kind) {
    case 'inner':
    case 'left':
      return columnsOf(right);
    case 'semi':
    case 'anti':
      return [];
    case 'row':
      return answer.columns;
    case 'exists':
    case 'any':
    case 'all':
      return [{ column: answer.column, name: answer.kind, type: bool }];
    case 'array':
      return [{ column: answer.column, name: 'array', type: answer.type }];
    default:
      return unreachable(answer);
  }
}

export function mapQueryInputs(plan: QueryPlan, change: (input: Plan) => Plan): QueryPlan {
  const branch = (input: Branch): Branch => ({ ...input, plan: change(input.plan) });
  switch (plan.kind) {
    case 'apply':
      return { ...plan, left: change(plan.left), right: change(plan.right) };
    case 'append':
      return { ...plan, inputs: plan.inputs.map(branch) };
    case 'setOperation':
      return { ...plan, left: branch(plan.left), right: branch(plan.right) };
    case 'with':
      return {
        ...plan,
        tables: plan.tables.map((table) => mapWithTable(table, branch)),
        input: change(plan.input),
      };
    case 'lockRows':
      return { ...plan, input: change(plan.input) };
    case 'withScan':
      return plan;
    default:
      return unreachable(plan);
  }
}

/** A table with its inputs changed; a statement has been planned as a whole. */
export function mapWithTable(
  table: WithTablePlan,
  change: (input: Branch) => Branch,
): WithTablePlan {
  const { source } = table;
  switch (source.kind) {
    case 'query':
      return { ...table, source: { ...source, input: change(source.input) } };
    case 'recursive':
      return {
        ...table,
        source: { ...source, first: change(source.first), next: change(source.next) },
      };
    case 'statement':
      return table;
    default:
      return unreachable(source);
  }
}

export function mapQueryExpressions(
  plan: QueryPlan,
  change: (expression: Expression) => Expression,
): QueryPlan {
  if (plan.kind !== 'apply') return plan;
  const captures = (list: readonly Capture[]): readonly Capture[] =>
    list.map((capture) => ({ ...capture, expression: change(capture.expression) }));
  return {
    ...plan,
    captures: captures(plan.captures),
    guard: plan.guard && change(plan.guard),
    answer: mapAnswer(plan.answer, change, captures),
  };
}

function mapAnswer(
  answer: Answer,
  change: (expression: Expression) => Expression,
  captures: (list: readonly Capture[]) => readonly Capture[],
): Answer {
  switch (answer.kind) {
    case 'inner':
    case 'left':
      return { ...answer, condition: answer.condition && change(answer.condition) };
    case 'any':
    case 'all':
      return { ...answer, test: change(answer.test), operands: captures(answer.operands) };
    case 'semi':
    case 'anti':
    case 'row':
    case 'exists':
    case 'array':
      return answer;
    default:
      return unreachable(answer);
  }
}

/** Whether a statement in WITH changes rows. */
export function hasStatements(plan: Plan): boolean {
  if (plan.kind === 'with' && plan.tables.some(({ source }) => source.kind === 'statement')) {
    return true;
  }
  let found = false;
  mapInputs(plan, (input) => {
    found ||= hasStatements(input);
    return input;
  });
  return found;
}
