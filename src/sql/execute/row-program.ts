/**
 * Expressions over one row that a statement computes beside its input: SET of ON CONFLICT, branches of
 * MERGE. With subqueries among them they are a plan over that row.
 */
import { must } from '../../base/assert.js';
import type { DatabaseId } from '../../base/ids.js';
import type { Expression } from '../plan/expression.js';
import type { Relation, RelationColumn } from '../plan/relation.js';
import { hasSubquery, planStatement } from '../rewrite/index.js';
import type { Row } from '../types/index.js';
import { compilePlan } from './compile-plan.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { nestedOf } from './nested.js';
import { evaluateRow } from './row-operators.js';
import { scopeOf } from './scope.js';
import { pause, type Pause, type Source, type Stream } from './stream.js';

/** A value that takes a generator to come by, as the turn may end before. */
export class Later<T> {
  readonly work: Generator<Pause, T, undefined>;

  constructor(work: Generator<Pause, T, undefined>) {
    this.work = work;
  }
}

/** The value, through its pauses where there may be some. */
export function* settled<T>(value: T | Later<T>): Generator<Pause, T, undefined> {
  return value instanceof Later ? yield* value.work : value;
}

/** The values of the expressions for a row. */
export type RowProgram = (row: Row, context: ExecutionContext) => Row | Later<Row>;

/** `columns` are those of the rows. */
export function compileRowProgram(
  expressions: readonly Expression[],
  columns: readonly RelationColumn[],
  database: DatabaseId | undefined,
): RowProgram {
  if (!expressions.some(hasSubquery)) {
    const scope = scopeOf(columns, database);
    const compiled = expressions.map((expression) => compileExpression(expression, scope));
    return (row, context) => evaluateRow(compiled, row, context);
  }
  const [first] = columns;
  // A number that no other table of the statement has: they count upwards from 1, as columns do.
  const table = -must(first, 'a row has columns').column;
  const given: Relation = { kind: 'withScan', columns, table, name: '', working: true };
  const named = expressions.map((expression, i) => ({
    column: table - 1 - i,
    name: '',
    expression,
  }));
  const results = named.map(({ column, name, expression }) => ({
    column,
    name,
    type: expression.type,
  }));
  const input: Relation = { kind: 'project', columns: results, input: given, expressions: named };
  const source = compilePlan(planStatement({ kind: 'query', input }).plan, database);
  return (row, context) => new Later(run(source, table, row, context));
}

function* run(
  source: Source,
  table: number,
  row: Row,
  context: ExecutionContext,
): Generator<Pause, Row, undefined> {
  nestedOf(context).working.set(table, {
    *read(): Stream {
      yield [row];
    },
  });
  let result: Row | undefined;
  for (const batch of source(context)) {
    if (batch === pause) yield pause;
    else result = batch[0];
  }
  return must(result, 'a row gives a row');
}
