/** Reads rows of system relations: all, or those of the keys asked for. */
import type { DatabaseId } from '../../base/ids.js';
import type { SystemScanPlan } from '../rewrite/index.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression, compileTest } from './expression.js';
import { evaluateRow } from './row-operators.js';
import { scopeOf } from './scope.js';
import { batchRows, pause, rowsPerLook, type Source, type Stream } from './stream.js';

export function compileSystemScan(
  { relation, columns, places, key, filter }: SystemScanPlan,
  database: DatabaseId | undefined,
): Source {
  const keyScope = scopeOf([], database);
  const keys = key?.values.map((value) => compileExpression(value, keyScope));
  const test = filter && compileTest(filter, scopeOf(columns, database));
  const rowsOf = (context: ExecutionContext): Iterable<Row> => {
    if (key === undefined || keys === undefined) return relation.rows(context.functions, places);
    // Nothing equals NULL, and a value that is asked for twice is found once.
    const values = new Set(evaluateRow(keys, [], context).filter((value) => value !== null));
    return relation.find(context.functions, places, key.place, [...values] as Value[]);
  };
  return function* scanSystem(context): Stream {
    let rows: Row[] = [];
    let looked = 0;
    for (const row of rowsOf(context)) {
      if (test === undefined || test(row, context)) rows.push(row);
      looked += 1;
      const isOver = looked % rowsPerLook === 0 && context.turnIsOver();
      if (rows.length < batchRows && !isOver) continue;
      if (rows.length > 0) yield rows;
      if (isOver) yield pause;
      rows = [];
    }
    if (rows.length > 0) yield rows;
  };
}
