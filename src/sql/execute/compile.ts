/** Compiles bound statements: plans what they read, and makes operators of the plan. */
import { assert } from '../../base/assert.js';
import { DatabaseError } from '../../base/errors.js';
import type { Expression } from '../plan/expression.js';
import type { BoundStatement, DataStatement } from '../plan/statement.js';
import {
  hasStatements,
  type Plan,
  type PlannedStatement,
  planStatement,
  readsBeside,
} from '../rewrite/index.js';
import type { Row } from '../types/index.js';
import { compileWhole } from './compile-query-plan.js';
import { compileWrite } from './compile-write.js';
import type { CompiledStatement, Execution, ExecutionContext } from './execution.js';
import { explain } from './explain.js';
import { compileExpression } from './expression.js';
import { compileInsertRow } from './insert.js';
import { sizeOfPlan } from './plan-size.js';
import { compilePoint } from './point.js';
import { evaluateRow } from './row-operators.js';
import { Later } from './row-program.js';
import { Once, Running } from './running.js';
import { scopeOf } from './scope.js';
import { StatementEnd } from './statement-end.js';
import type { Stream } from './stream.js';
import { withEnd, type Write } from './write.js';
import { Writers } from './writers.js';

/**
 * Compiles a statement that reads or writes rows, or EXPLAIN of one. Errors of constant expressions
 * (`SELECT 1/0`) come with the first step of an execution, as PostgreSQL plans then.
 */
export function compileStatement(bound: BoundStatement): CompiledStatement {
  const { statement } = bound;
  try {
    switch (statement.kind) {
      case 'query':
      case 'copyTo':
      case 'insert':
      case 'update':
      case 'delete':
      case 'merge':
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

/** The values of expressions without columns. */
export function evaluateAll(expressions: readonly Expression[], context: ExecutionContext): Row {
  return compileAll(expressions)(context);
}

/** As {@link evaluateAll}, for those who evaluate more than once. */
export function compileAll(expressions: readonly Expression[]): (context: ExecutionContext) => Row {
  const scope = scopeOf([], undefined);
  const compiled = expressions.map((expression) => compileExpression(expression, scope));
  return (context) => evaluateRow(compiled, [], context);
}

/** Compiles a statement with the plan that was made for it. */
export function compilePlanned({ statement, plan }: PlannedStatement): CompiledStatement {
  const bytes = sizeOfPlan(plan);
  if (statement.kind === 'query') {
    const source = compileWhole(plan, undefined);
    // Statements in WITH have something to do when the whole has ended.
    const whole = hasStatements(plan) ? withEnd(source) : source;
    return {
      start: (context) => new Running(whole(context, { count: 0 }), undefined),
      point: compilePoint(plan),
      bytes,
    };
  }
  const one = statement.kind === 'insert' ? compileInsertOne(statement, plan) : undefined;
  if (one !== undefined) return { start: one, point: undefined, bytes };
  return writing(withEnd(compileWrite({ statement, plan })), bytes);
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

/** INSERT of one row of VALUES: no streams, unless its end may ask for something. */
function compileInsertOne(
  statement: Extract<DataStatement, { readonly kind: 'insert' }>,
  plan: Plan,
): ((context: ExecutionContext) => Execution) | undefined {
  const values = plan.kind === 'values' && plan.rows.length === 1 ? plan.rows[0] : undefined;
  if (values === undefined) return undefined;
  const { table } = statement;
  const writers = new Writers(statement.rules);
  if (writers.hasEnd || readsBeside(statement)) return undefined;
  const scope = scopeOf([], table.database);
  const row = values.map((value) => compileExpression(value, scope));
  const insertRow = compileInsertRow(statement, writers);
  return (context) =>
    new Once((tally) => {
      context.buffer.touch(table.object, table.version);
      const end = new StatementEnd(writers, context);
      const result = insertRow(evaluateRow(row, [], context), context, tally, end);
      assert(!(result instanceof Later), 'nothing is read beside the row');
      return result;
    });
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
    bytes: sizeOfPlan(planned.plan),
  };
}

/** What a statement holds that only raises its error, bytes. */
const failingBytes = 1000;

function failing(error: DatabaseError): CompiledStatement {
  return {
    start: () =>
      new Once(() => {
        throw new DatabaseError(error.kind, error.message, error.details);
      }),
    point: undefined,
    bytes: failingBytes,
  };
}
