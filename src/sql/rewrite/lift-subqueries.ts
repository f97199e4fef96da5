/**
 * Makes operators of the subqueries in expressions: an apply below the node adds a column with the
 * answer, which the expression then reads. Where CASE, COALESCE, AND or OR may never read it, the
 * apply is guarded by what they look at first, so that `CASE WHEN x = 0 THEN 0 ELSE (SELECT 1 / x) END`
 * divides by no zero.
 */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { ColumnId, Expression, ExpressionType, NamedExpression } from '../plan/expression.js';
import { mapOperands } from '../plan/map-operands.js';
import type { RelationColumn } from '../plan/relation.js';
import type { Capture, Subquery } from '../plan/subquery.js';
import {
  conjunction,
  conjunctsOf,
  columnsRead,
  isSubset,
  isVolatile,
  walk,
} from './expressions.js';
import { fold } from './fold-constants.js';
import type { NewColumns } from './new-columns.js';
import {
  columnsOf,
  idsOf,
  type JoinPlan,
  mapExpressions,
  mapInputs,
  type Plan,
  planOf,
} from './plan.js';
import type { Answer } from './query-plan.js';
import { planStatement } from './statement.js';

const bool: ExpressionType = { name: 'bool', modifier: -1 };

const noRules: ReadonlySet<string> = new Set();
const noColumns: Plan = { kind: 'values', columns: [], rows: [[]] };

export function hasSubquery(expression: Expression | undefined): boolean {
  let found = false;
  if (expression !== undefined) {
    walk(expression, (part) => {
      if (part.kind === 'subquery') found = true;
    });
  }
  return found;
}

export function liftSubqueries(plan: Plan, ids: NewColumns): Plan {
  const lifted = planTables(
    mapInputs(plan, (input) => liftSubqueries(input, ids)),
    ids,
  );
  let found = false;
  mapExpressions(lifted, (expression) => {
    found ||= hasSubquery(expression);
    return expression;
  });
  // Folding comes first: what a constant decides is never planned.
  return found ? liftNode(mapExpressions(lifted, fold), ids) : lifted;
}

/** Statements in WITH are planned as a whole. */
function planTables(plan: Plan, ids: NewColumns): Plan {
  if (plan.kind !== 'with') return plan;
  const tables = plan.tables.map((table) => {
    const { source } = table;
    if (source.kind !== 'statement') return table;
    return {
      ...table,
      source: { ...source, planned: planStatement(source.statement, undefined, noRules, ids) },
    };
  });
  return { ...plan, tables };
}

function liftNode(plan: Plan, ids: NewColumns): Plan {
  switch (plan.kind) {
    case 'filter': {
      const conditions = conjunctsOf(plan.condition);
      const plain = conditions.filter((condition) => !hasSubquery(condition));
      return filterLifted(
        filtered(plan.input, plain),
        conditions.filter((condition) => hasSubquery(condition)),
        ids,
      );
    }
    case 'join':
      return liftJoin(plan, ids);
    case 'values':
      return liftValues(plan, ids);
    case 'limit':
    case 'scan':
    case 'tableFunction':
      return liftFixed(plan, ids);
    case 'aggregate':
      return liftAggregate(plan, ids);
    case 'apply': {
      const lifter = new Lifter(plan.left, ids);
      const { condition } = { condition: undefined, ...plan.answer };
      if (hasSubquery(condition)) refuse('join condition');
      const lifted = mapExpressions(plan, (expression) => lifter.lift(expression));
      return keepColumns({ ...lifted, left: lifter.plan } as Plan, columnsOf(plan));
    }
    default: {
      if (!('input' in plan)) return plan;
      const lifter = new Lifter(plan.input, ids);
      const lifted = mapExpressions(plan, (expression) => lifter.lift(expression));
      return keepColumns({ ...lifted, input: lifter.plan } as Plan, columnsOf(plan));
    }
  }
}

/** Only these columns, where lifting has added others. */
function keepColumns(plan: Plan, wanted: readonly RelationColumn[]): Plan {
  if (columnsOf(plan).length === wanted.length) return plan;
  return { kind: 'project', input: plan, expressions: wanted.map(sameColumn) };
}

function sameColumn({ column, name, type }: RelationColumn): NamedExpression {
  return { column, name, expression: { kind: 'column', type, column } };
}

function filtered(input: Plan, conditions: readonly Expression[]): Plan {
  const condition = conjunction(conditions);
  return condition === undefined ? input : { kind: 'filter', input, condition };
}

/** One condition after the other: a row that one refuses is not asked the next. */
function filterLifted(input: Plan, conditions: readonly Expression[], ids: NewColumns): Plan {
  let plan = input;
  for (const condition of conditions) {
    const lifter = new Lifter(plan, ids);
    const lifted = lifter.lift(condition);
    plan = { kind: 'filter', input: lifter.plan, condition: lifted };
  }
  return keepColumns(plan, columnsOf(input));
}

function liftJoin(plan: JoinPlan, ids: NewColumns): Plan {
  const { join, left, right } = plan;
  if (join === 'inner') {
    const wanted = columnsOf(plan);
    const cross: Plan = { ...plan, condition: undefined };
    return keepColumns(
      liftNode(
        { kind: 'filter', input: cross, condition: must(plan.condition, 'it has a subquery') },
        ids,
      ),
      wanted,
    );
  }
  if (join === 'right') {
    const turned = liftJoin({ ...plan, join: 'left', left: right, right: left }, ids);
    return keepColumns(turned, columnsOf(plan));
  }
  const conditions = conjunctsOf(plan.condition);
  const rightColumns = idsOf(right);
  if (
    join === 'left' &&
    conditions.every((one) => !hasSubquery(one) || isSubset(columnsRead(one), rightColumns))
  ) {
    const own = conditions.filter(hasSubquery);
    const others = conditions.filter((one) => !hasSubquery(one));
    return { ...plan, right: filterLifted(right, own, ids), condition: conjunction(others) };
  }
  if (join === 'full') {
    return refuse('join condition');
  }
  return lateralLeft(left, right, conditions, ids);
}

/** Joins with a subquery over both sides: the right side is filtered anew for each left row. */
function lateralLeft(
  left: Plan,
  right: Plan,
  conditions: readonly Expression[],
  ids: NewColumns,
): Plan {
  const captures = new Map<ColumnId, Capture>();
  const leftColumns = idsOf(left);
  const captured = (expression: Expression): Expression => {
    if (expression.kind !== 'column' || !leftColumns.has(expression.column)) {
      return mapOperands(expression, captured);
    }
    const { column, type } = expression;
    const capture = captures.get(column) ?? { column: ids.next(), expression };
    captures.set(column, capture);
    return { kind: 'outer', type, column: capture.column };
  };
  const condition = must(conjunction(conditions.map(captured)), 'a join with a condition');
  return {
    kind: 'apply',
    left,
    right: liftNode({ kind: 'filter', input: right, condition }, ids),
    captures: [...captures.values()],
    guard: undefined,
    answer: { kind: 'left', condition: undefined },
  };
}

/** VALUES: each row with a subquery is a query of its own. */
function liftValues(plan: Extract<Plan, { readonly kind: 'values' }>, ids: NewColumns): Plan {
  const { columns, rows } = plan;
  const inputs = rows.map((row) => {
    const lifter = new Lifter(noColumns, ids);
    const expressions = row.map((value, i): NamedExpression => {
      const { name } = must(columns[i], 'a row is as wide as VALUES');
      return { column: ids.next(), name, expression: lifter.lift(value) };
    });
    const input: Plan = { kind: 'project', input: lifter.plan, expressions };
    return { plan: input, sources: expressions.map(({ column }) => column) };
  });
  return { kind: 'append', columns, inputs };
}

/** A node whose expressions see no row: they are computed first, and it takes them as captures. */
function liftFixed(plan: Plan, ids: NewColumns): Plan {
  const lifter = new Lifter(noColumns, ids);
  const captures: Capture[] = [];
  const right = mapExpressions(plan, (expression) => {
    if (!hasSubquery(expression)) return expression;
    const column = ids.next();
    captures.push({ column, expression: lifter.lift(expression) });
    return { kind: 'outer', type: expression.type, column };
  });
  return keepColumns(
    {
      kind: 'apply',
      left: lifter.plan,
      right,
      captures,
      guard: undefined,
      answer: { kind: 'inner', condition: undefined },
    },
    columnsOf(plan),
  );
}

function refuse(place: string): never {
  raise('feature_not_supported', `subquery in this ${place} is not supported`);
}

/** Direct arguments are evaluated over groups: their subqueries are answered before there are any. */
function liftAggregate(plan: Extract<Plan, { readonly kind: 'aggregate' }>, ids: NewColumns): Plan {
  const first = new Lifter(noColumns, ids);
  const captures: Capture[] = [];
  const fixed = (expression: Expression): Expression => {
    if (!hasSubquery(expression)) return expression;
    if (columnsRead(expression).size > 0) refuse('direct argument of an aggregate');
    const column = ids.next();
    captures.push({ column, expression: first.lift(expression) });
    return { kind: 'outer', type: expression.type, column };
  };
  const aggregates = plan.aggregates.map((call) => ({ ...call, direct: call.direct.map(fixed) }));
  const lifter = new Lifter(plan.input, ids);
  const lifted = mapExpressions({ ...plan, aggregates }, (expression) => lifter.lift(expression));
  const right = { ...lifted, input: lifter.plan } as Plan;
  if (captures.length === 0) return right;
  const answer = { kind: 'inner', condition: undefined } as const;
  const apply: Plan = {
    kind: 'apply',
    left: first.plan,
    right,
    captures,
    guard: undefined,
    answer,
  };
  return keepColumns(apply, columnsOf(plan));
}

/** Puts applies on top of a plan, in the order in which expressions are evaluated. */
export class Lifter {
  plan: Plan;
  readonly #lifted = new Set<ColumnId>();

  readonly #ids: NewColumns;

  constructor(plan: Plan, ids: NewColumns) {
    this.plan = plan;
    this.#ids = ids;
  }

  /** The expression over the columns of `plan` as it is then. */
  lift(expression: Expression, guards: readonly Expression[] = []): Expression {
    if (!hasSubquery(expression)) return expression;
    switch (expression.kind) {
      case 'subquery':
        return this.#answer(expression, guards);
      case 'and':
      case 'or': {
        const decisive = expression.kind === 'or';
        return {
          ...expression,
          operands: this.#inTurn(expression.operands, guards, (one) => isNot(one, decisive)),
        };
      }
      case 'coalesce': {
        const isNull = (operand: Expression): Expression => ({
          kind: 'isNull',
          type: bool,
          operand,
          negated: false,
        });
        return { ...expression, operands: this.#inTurn(expression.operands, guards, isNull) };
      }
      case 'case':
        return this.#case(expression, guards);
      default:
        return mapOperands(expression, (operand) => this.lift(operand, guards));
    }
  }

  /** Operands of which one is only read when `goesOn` is true of all before it. */
  #inTurn(
    operands: readonly Expression[],
    guards: readonly Expression[],
    goesOn: (operand: Expression) => Expression,
  ): readonly Expression[] {
    const inner = [...guards];
    return operands.map((operand, i) => {
      const isWatched = operands.slice(i + 1).some(hasSubquery);
      let lifted = this.lift(operand, inner);
      if (isWatched) {
        lifted = this.#fixed(lifted);
        inner.push(goesOn(lifted));
      }
      return lifted;
    });
  }

  #case(
    expression: Extract<Expression, { readonly kind: 'case' }>,
    guards: readonly Expression[],
  ): Expression {
    const inner = [...guards];
    const branches = expression.branches.map((branch) => {
      const when = this.#fixed(this.lift(branch.when, inner));
      const then = this.lift(branch.then, [...inner, when]);
      inner.push(isNot(when, true));
      return { when, then };
    });
    return { ...expression, branches, otherwise: this.lift(expression.otherwise, inner) };
  }

  /** What a guard looks at is evaluated twice: where that may differ, it is computed before. */
  #fixed(expression: Expression): Expression {
    if (!isVolatile(expression)) return expression;
    const column = this.#ids.next();
    const { type } = expression;
    const expressions = [...columnsOf(this.plan).map(sameColumn), { column, name: '', expression }];
    this.plan = { kind: 'project', input: this.plan, expressions };
    return { kind: 'column', type, column };
  }

  #answer(
    { type, subquery, index }: Extract<Expression, { readonly kind: 'subquery' }>,
    guards: readonly Expression[],
  ): Expression {
    const { question, relation } = subquery;
    const asked =
      question.kind === 'row'
        ? must(relation.columns[index], 'the row has the column').column
        : subquery.column;
    const answer: Expression = { kind: 'column', type, column: asked };
    if (this.#lifted.has(subquery.column)) return answer;
    this.#lifted.add(subquery.column);
    const lifted = (list: readonly Capture[]): readonly Capture[] =>
      list.map(({ column, expression }) => ({ column, expression: this.lift(expression, guards) }));
    const captures = lifted(subquery.captures);
    const operands = lifted(subquery.operands);
    this.plan = {
      kind: 'apply',
      left: this.plan,
      right: liftSubqueries(planOf(relation), this.#ids),
      captures,
      // A copy: the list grows while what follows is lifted.
      guard: conjunction([...guards]),
      answer: answerTo(subquery, operands),
    };
    return answer;
  }
}

function answerTo({ column, question, relation }: Subquery, operands: readonly Capture[]): Answer {
  switch (question.kind) {
    case 'exists':
      return { kind: 'exists', column };
    case 'row':
      return { kind: 'row', columns: relation.columns };
    case 'array': {
      const item = must(relation.columns[0], 'an array is made of a column').column;
      return { kind: 'array', column, type: question.type, item };
    }
    default:
      return { kind: question.kind, column, test: question.test, operands };
  }
}

/** `condition IS NOT value`. */
function isNot(operand: Expression, value: boolean): Expression {
  return { kind: 'isBoolean', type: bool, operand, value, negated: true };
}
