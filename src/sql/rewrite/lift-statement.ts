/** Subqueries in what a statement computes beside its input: SET and RETURNING. */
import { assert } from '../../base/assert.js';
import type { ColumnId, Expression, NamedExpression } from '../plan/expression.js';
import type { Relation, RelationColumn } from '../plan/relation.js';
import type { DataStatement, Returning } from '../plan/statement.js';
import { substitute, walk } from './expressions.js';
import { hasSubquery, Lifter, liftSubqueries } from './lift-subqueries.js';
import type { NewColumns } from './new-columns.js';
import { type Plan, planOf } from './plan.js';

/** The statement without subqueries, over the plan of its input. */
export function liftStatement(
  statement: DataStatement,
  ids: NewColumns,
): { readonly statement: DataStatement; readonly plan: Plan } {
  const plan = liftSubqueries(planOf(statement.input), ids);
  if (statement.kind !== 'update') return { statement, plan };
  // What is assigned may name the tables of WITH, so that it is computed within.
  const lifter = new Lifter(plan.kind === 'with' ? plan.input : plan, ids);
  const assignments = statement.assignments.map((assignment) => ({
    ...assignment,
    expression: lifter.lift(assignment.expression),
  }));
  const input = lifter.plan;
  const whole: Plan = plan.kind === 'with' ? { ...plan, input } : input;
  return { statement: { ...statement, assignments }, plan: whole };
}

/**
 * `INSERT ... RETURNING (SELECT ...)` is a query over a table of WITH that returns what the
 * expressions read. The statement counts its rows, which are as many.
 */
export function returningAsQuery(statement: DataStatement, ids: NewColumns): DataStatement {
  const returning = 'returning' in statement ? statement.returning : undefined;
  if (returning === undefined) return statement;
  if (!returning.expressions.some(({ expression }) => hasSubquery(expression))) return statement;
  const read = columnsOfExpressions(returning);
  const raw: NamedExpression[] = [...read.values()].map((expression) => ({
    column: ids.next(),
    name: '',
    expression,
  }));
  const columns = raw.map(
    ({ column, expression }): RelationColumn => ({ column, name: '', type: expression.type }),
  );
  const table = ids.next();
  const scanned = columns.map((column) => ({ ...column, column: ids.next() }));
  const replacements = new Map<ColumnId, Expression>();
  for (const [i, column] of [...read.keys()].entries()) {
    const source = scanned[i];
    assert(source !== undefined, 'a scanned column per column that is read');
    replacements.set(column, { kind: 'column', type: source.type, column: source.column });
  }
  // RETURNING may name the tables of WITH: they stand around the whole.
  const around = statement.input.kind === 'with' ? statement.input : undefined;
  const changed = {
    ...statement,
    input: around?.input ?? statement.input,
    returning: { ...returning, expressions: raw, columns },
  };
  const scan: Relation = { kind: 'withScan', columns: scanned, table, name: '', working: false };
  const expressions = returning.expressions.map((item) => ({
    ...item,
    expression: substitute(item.expression, replacements),
  }));
  const input: Relation = { kind: 'project', columns: returning.columns, input: scan, expressions };
  return {
    kind: 'query',
    input: {
      kind: 'with',
      columns: returning.columns,
      tables: [
        ...(around?.tables ?? []),
        { id: table, name: '', columns, source: { kind: 'statement', statement: changed } },
      ],
      input,
    },
  };
}

function columnsOfExpressions({ expressions }: Returning): ReadonlyMap<ColumnId, Expression> {
  const columns = new Map<ColumnId, Expression>();
  for (const { expression } of expressions) {
    walk(expression, (part) => {
      if (part.kind === 'column') columns.set(part.column, part);
    });
  }
  return columns;
}
