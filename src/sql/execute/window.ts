/**
 * Window functions. The input comes sorted by PARTITION BY and ORDER BY; a partition is kept while its
 * rows are answered (https://www.postgresql.org/docs/15/sql-expressions.html#SYNTAX-WINDOW-FUNCTIONS).
 */
import type { Expression, SortKey } from '../plan/expression.js';
import type { RelationColumn, Windowed } from '../plan/relation.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { rowBufferShape } from './row-buffer.js';
import { compileRowKey } from './row-key.js';
import { evaluateRow } from './row-operators.js';
import type { Scope } from './scope.js';
import { compileOrder } from './sort.js';
import { batchRows, pause, type Source, type Stream } from './stream.js';
import { compileWindowCall, type OpenCall } from './window-call.js';
import { Partition, type WindowKeys } from './window-partition.js';

export function compileWindow(
  input: Source,
  plan: Windowed,
  columns: readonly RelationColumn[],
  scope: Scope,
): Source {
  const keyOf = compilePartitionKey(plan.partition, scope);
  const keys = compileKeys(plan.order, scope);
  const calls = plan.calls.map((call) => compileWindowCall(call, plan.order, scope));
  const shape = rowBufferShape(columns);
  return function* window(context): Stream {
    const open = calls.map((call) => call(context));
    let partition = new Partition(keys, shape, context);
    let key: unknown;
    try {
      for (const batch of input(context)) {
        if (batch === pause) {
          yield pause;
          continue;
        }
        for (const row of batch) {
          const next = keyOf(row, context);
          if (partition.rowCount > 0 && next !== key) {
            yield* answer(partition, open, context);
            partition.close();
            partition = new Partition(keys, shape, context);
          }
          key = next;
          partition.add(row);
        }
        if (context.turnIsOver()) yield pause;
      }
      if (partition.rowCount > 0) yield* answer(partition, open, context);
    } finally {
      partition.close();
      for (const call of open) call.close();
    }
  };
}

function compilePartitionKey(
  partition: readonly Expression[],
  scope: Scope,
): (row: Row, context: ExecutionContext) => unknown {
  if (partition.length === 0) return () => undefined;
  const values = partition.map((expression) => compileExpression(expression, scope));
  const keyOf = compileRowKey(partition.map(({ type }) => type));
  return (row, context) => keyOf(evaluateRow(values, row, context));
}

function compileKeys(order: readonly SortKey[], scope: Scope): WindowKeys {
  return {
    values: order.map(({ expression }) => compileExpression(expression, scope)),
    compare: compileOrder(order),
  };
}

/** The rows of a partition with the values of all calls. */
function* answer(
  partition: Partition,
  calls: readonly OpenCall[],
  context: ExecutionContext,
): Stream {
  for (const call of calls) call.begin(partition);
  let rows: Row[] = [];
  const { rowCount } = partition;
  for (let row = 0; row < rowCount; row += 1) {
    partition.moveTo(row);
    const values: Value[] = [...partition.rowAt(row)];
    for (const call of calls) {
      const work = call.catchUp();
      if (work !== undefined) yield* work;
      values.push(call.value());
    }
    rows.push(values);
    if (rows.length < batchRows) continue;
    yield rows;
    rows = [];
    if (context.turnIsOver()) yield pause;
  }
  if (rows.length > 0) yield rows;
}
