/**
 * The fast path of SELECT of one row by its whole primary key: parameters to key bytes, one get,
 * wanted columns to a row. No streams, no plan.
 */
import { must } from '../../base/assert.js';
import type { ScanPlan, Plan } from '../rewrite/index.js';
import { columnsOf } from '../rewrite/index.js';
import { KeyEncoder, RowReader } from '../storage-format/index.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { keyFitter, keyTypes } from './key-values.js';
import { compileProjection, keepsRows } from './row-operators.js';
import { compileReadRow, type ReadRow } from './scan.js';
import { scopeOf } from './scope.js';

export type Point = (context: ExecutionContext) => Row | undefined;

/** Undefined when the plan is none of one row by its whole key. */
export function compilePoint(plan: Plan): Point | undefined {
  const scan = plan.kind === 'project' ? plan.input : plan;
  if (scan.kind !== 'scan' || scan.access.kind !== 'keys') return undefined;
  const key: ((context: ExecutionContext) => Value | undefined)[] = [];
  const types = keyTypes(scan.table);
  const scope = scopeOf([], scan.table.database);
  for (const [i, values] of scan.access.values.entries()) {
    const [value] = values;
    if (value === undefined || values.length > 1) return undefined;
    const fit = keyFitter(value.type.name, must(types[i], 'more values than key columns'));
    const evaluate = compileExpression(value, scope);
    key.push((context) => {
      const given = evaluate([], context);
      const fitted = given === null ? 'below' : fit(given);
      return typeof fitted === 'string' ? undefined : fitted.value;
    });
  }
  const encoder = new KeyEncoder(scan.table);
  const read = compileRead(plan, scan);
  return (context) => {
    encoder.begin();
    for (let i = 0; i < key.length; i += 1) {
      const value = (key[i] as (typeof key)[number])(context);
      if (value === undefined) return undefined;
      encoder.add(value);
    }
    const found = encoder.view();
    const bytes = context.buffer.get(found);
    return bytes && read(found, bytes, context);
  };
}

/** Decodes straight into the result's columns where they are the table's. */
function compileRead(plan: Plan, scan: ScanPlan): ReadRow {
  const readRow = compileReadRow(scan, scan.filter);
  if (plan.kind !== 'project' || keepsRows(plan.expressions, columnsOf(scan))) return readRow;
  const positions: number[] = [];
  for (const { expression } of plan.expressions) {
    const slot =
      expression.kind === 'column'
        ? scan.columns.findIndex(({ column }) => column === expression.column)
        : -1;
    if (slot >= 0) positions.push(must(scan.positions[slot], 'each column has a position'));
  }
  if (scan.filter === undefined && positions.length === plan.expressions.length) {
    const reader = new RowReader(scan.table, positions, [...positions.keys()]);
    return (_, value) => {
      const row: Value[] = new Array(positions.length);
      reader.read(value, row);
      return row;
    };
  }
  const project = compileProjection(plan.expressions, scopeOf(scan.columns, scan.table.database));
  return (key, value, context) => {
    const row = readRow(key, value, context);
    return row && project(row, context);
  };
}
