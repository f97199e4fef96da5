/** Compiles bound statements: rewrites their relations and makes operators of the plans. */
import { assert, unreachable } from '../../base/assert.js';
import { DatabaseError } from '../../base/errors.js';
import type { DatabaseId } from '../../base/ids.js';
import type { BoundStatement, DataStatement } from '../plan/statement.js';
import { columnsOf, type Plan, type PlannedStatement, planStatement } from '../rewrite/index.js';
import type { Row } from '../types/index.js';
import { compileAggregate, compileDistinct } from './aggregate.js';
import type { CompiledStatement, Execution, ExecutionContext, Step } from './execution.js';
import { explain } from './explain.js';
import { compileInsert, compileInsertRow } from './insert.js';
import { compileJoin } from './join.js';
import { compilePoint } from './point.js';
import { evaluateRow } from './row-operators.js';
import { compileFilter, compileLimit, compileProject, compileValues } from './row-operators.js';
import { compileScan } from './scan.js';
import { scopeOf } from './scope.js';
import { compileSort } from './sort.js';
import { compileExpression } from './expression.js';
import { pause, type Source, type Stream } from './stream.js';
import { compileDelete, compileUpdate } from './update.js';
import type { Tally, Write } from './write.js';

/**
 * Compiles a statement that reads or writes rows, or EXPLAIN of one. Errors of constant expressions
 * (`SELECT 1/0`) come with the first step of an execution, as PostgreSQL plans then.
 */
export function compileStatement(bound: BoundStatement): CompiledStatement {
  const { statement } = bound;
  try {
    switch (statement.kind) {
      case 'query':
      case 'insert':
      case 'update':
      case 'delete':
        return compilePlanned(planStatement(statement));
      case 'explain':
        return explaining(planStatement(statement.statement));
      default:
        assert(false, 'the session performs this statement itself', statement.kind);
    }
  } catch (error) {
    if (error instanceof DatabaseError) return failing(error);
    throw error;
  }
}

/** What a compiled statement holds beside its plan, bytes, and what a node of its plan does. */
const statementBytes = 2000;
const nodeBytes = 1500;

/** Compiles a statement with the plan that was made for it. */
export function compilePlanned({ statement, plan }: PlannedStatement): CompiledStatement {
  const bytes = statementBytes + nodeBytes * countNodes(plan);
  switch (statement.kind) {
    case 'query': {
      const source = compilePlan(plan, undefined);
      return {
        start: (context) => new Running(source(context), undefined),
        point: compilePoint(plan),
        bytes,
      };
    }
    case 'insert': {
      const one = compileInsertOne(statement, plan);
      if (one !== undefined) return { start: one, point: undefined, bytes };
      return writing(compileInsert(statement, compilePlan(plan, statement.table.database)), bytes);
    }
    case 'update':
    case 'delete': {
      const source = compilePlan(plan, statement.table.database);
      const columns = columnsOf(plan);
      return writing(
        statement.kind === 'update'
          ? compileUpdate(statement, source, columns)
          : compileDelete(statement, source, columns),
        bytes,
      );
    }
    default:
      return unreachable(statement);
  }
}

function writing(write: Write, bytes: number): CompiledStatement {
  return {
    start(context): Execution {
      const tally = { count: 0 };
      return new Running(write(context, tally), tally);
    },
    point: undefined,
    bytes,
  };
}

/** INSERT of one row of VALUES: no streams. */
function compileInsertOne(
  statement: Extract<DataStatement, { readonly kind: 'insert' }>,
  plan: Plan,
): ((context: ExecutionContext) => Execution) | undefined {
  const values = plan.kind === 'values' && plan.rows.length === 1 ? plan.rows[0] : undefined;
  if (values === undefined) return undefined;
  const { table } = statement;
  const scope = scopeOf([], table.database);
  const row = values.map((value) => compileExpression(value, scope));
  const insertRow = compileInsertRow(statement);
  return (context) =>
    new Once((tally) => {
      context.buffer.touch(table.object, table.version);
      return insertRow(evaluateRow(row, [], context), context, tally);
    });
}

/** Makes a source of a plan. `database` is that of the statement's sequences. */
export function compilePlan(plan: Plan, database: DatabaseId | undefined): Source {
  switch (plan.kind) {
    case 'scan':
      return compileScan(plan);
    case 'values':
      return compileValues(plan.rows, database);
    case 'join': {
      const isLookup = plan.strategy.kind === 'lookup';
      const left = compilePlan(plan.left, database);
      const right = isLookup ? undefined : compilePlan(plan.right, database);
      return compileJoin(plan, { left, right, database });
    }
    case 'filter':
    case 'project':
    case 'aggregate':
    case 'distinct':
    case 'sort':
    case 'limit':
      return compileOverInput(plan, database);
    default:
      return unreachable(plan);
  }
}

function compileOverInput(
  plan: Extract<Plan, { readonly input: Plan }>,
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
      return compileAggregate(input, plan.groups, plan.aggregates, scope);
    case 'distinct':
      return compileDistinct(input, columns);
    case 'sort':
      return compileSort(input, plan.keys, plan.top, columns);
    case 'limit':
      return compileLimit(input, plan);
    default:
      return unreachable(plan);
  }
}

function countNodes(plan: Plan): number {
  if (plan.kind === 'join') return 1 + countNodes(plan.left) + countNodes(plan.right);
  return 'input' in plan ? 1 + countNodes(plan.input) : 1;
}

function explaining(planned: PlannedStatement): CompiledStatement {
  return {
    start: (context) =>
      new Running(
        (function* lines(): Stream {
          yield explain(planned, context.functions).map((line) => [line]);
        })(),
        undefined,
      ),
    point: undefined,
    bytes: statementBytes,
  };
}

function failing(error: DatabaseError): CompiledStatement {
  return {
    start: () =>
      new Once(() => {
        throw new DatabaseError(error.kind, error.message, error.details);
      }),
    point: undefined,
    bytes: statementBytes,
  };
}

/** Steps through a stream. */
class Running implements Execution {
  readonly #stream: Stream;
  /** What a writing statement counts; a query counts its rows. */
  readonly #tally: Tally | undefined;
  #rows = 0;

  constructor(stream: Stream, tally: Tally | undefined) {
    this.#stream = stream;
    this.#tally = tally;
  }

  step(): Step {
    const next = this.#stream.next();
    if (next.done === true) return { kind: 'done', count: this.#tally?.count ?? this.#rows };
    if (next.value === pause) return { kind: 'pause' };
    this.#rows += next.value.length;
    return { kind: 'rows', rows: next.value };
  }

  close(): void {
    this.#stream.return();
  }
}

/** Does all at the first step. */
class Once implements Execution {
  readonly #act: (tally: Tally) => Row | undefined;
  #tally: Tally | undefined;

  constructor(act: (tally: Tally) => Row | undefined) {
    this.#act = act;
  }

  step(): Step {
    if (this.#tally !== undefined) return { kind: 'done', count: this.#tally.count };
    this.#tally = { count: 0 };
    const row = this.#act(this.#tally);
    if (row !== undefined) return { kind: 'rows', rows: [row] };
    return { kind: 'done', count: this.#tally.count };
  }

  close(): void {}
}
