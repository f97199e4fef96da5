/** Operators that take one row at a time: values, filter, project, limit. */
import { raise } from '../../base/errors.js';
import type { DatabaseId } from '../../base/ids.js';
import type { Expression, NamedExpression, SortKey } from '../plan/expression.js';
import type { RelationColumn } from '../plan/relation.js';
import type { RowCount } from '../rewrite/index.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression, compileTest } from './expression.js';
import { compileRowKey } from './row-key.js';
import { type Evaluate, type Scope, scopeOf, slotOf } from './scope.js';
import { batchRows, pause, type Source, type Stream } from './stream.js';

export function compileValues(
  rows: readonly (readonly Expression[])[],
  database: DatabaseId | undefined,
): Source {
  const scope = scopeOf([], database);
  const compiled = rows.map((row) => row.map((value) => compileExpression(value, scope)));
  return function* values(context): Stream {
    for (let from = 0; from < compiled.length; from += batchRows) {
      if (from > 0 && context.turnIsOver()) yield pause;
      yield compiled.slice(from, from + batchRows).map((row) => evaluateRow(row, [], context));
    }
  };
}

export function evaluateRow(
  expressions: readonly Evaluate[],
  row: Row,
  context: ExecutionContext,
): Value[] {
  const values: Value[] = new Array(expressions.length);
  for (let i = 0; i < expressions.length; i += 1) {
    values[i] = (expressions[i] as Evaluate)(row, context);
  }
  return values;
}

export function compileFilter(input: Source, condition: Expression, scope: Scope): Source {
  const test = compileTest(condition, scope);
  return function* filter(context): Stream {
    for (const batch of input(context)) {
      if (batch === pause) {
        yield pause;
        continue;
      }
      const rows = batch.filter((row) => test(row, context));
      if (rows.length > 0) yield rows;
      else if (context.turnIsOver()) yield pause;
    }
  };
}

export function compileProject(
  input: Source,
  expressions: readonly NamedExpression[],
  inputColumns: readonly RelationColumn[],
  scope: Scope,
): Source {
  if (keepsRows(expressions, inputColumns)) return input;
  const project = compileProjection(expressions, scope);
  return function* projection(context): Stream {
    for (const batch of input(context)) {
      yield batch === pause ? pause : batch.map((row) => project(row, context));
    }
  };
}

/** True when the expressions are the input's columns, all of them in their order. */
export function keepsRows(
  expressions: readonly NamedExpression[],
  inputColumns: readonly RelationColumn[],
): boolean {
  return (
    expressions.length === inputColumns.length &&
    expressions.every(
      ({ expression }, i) =>
        expression.kind === 'column' && expression.column === inputColumns[i]?.column,
    )
  );
}

/** Makes a row of expressions out of a row. */
export function compileProjection(
  expressions: readonly NamedExpression[],
  scope: Scope,
): (row: Row, context: ExecutionContext) => Row {
  const slots: number[] = [];
  for (const { expression } of expressions) {
    if (expression.kind === 'column') slots.push(slotOf(scope, expression.column));
  }
  if (slots.length === expressions.length) {
    return (row) => {
      const picked: Value[] = new Array(slots.length);
      for (let i = 0; i < slots.length; i += 1) picked[i] = row[slots[i] as number] as Value;
      return picked;
    };
  }
  const compiled = expressions.map(({ expression }) => compileExpression(expression, scope));
  return (row, context) => evaluateRow(compiled, row, context);
}

/** Values of LIMIT and OFFSET: numbers of rows. */
export interface Rows {
  readonly limit: number;
  readonly offset: number;
}

/** Raises 2201W and 2201X for negative numbers. */
export function compileRowCount({ limit, offset }: RowCount): (context: ExecutionContext) => Rows {
  const scope = scopeOf([], undefined);
  const limitValue = limit && compileExpression(limit, scope);
  const offsetValue = offset && compileExpression(offset, scope);
  return (context) => {
    const rows = (limitValue?.([], context) ?? null) as bigint | null;
    const skipped = (offsetValue?.([], context) ?? null) as bigint | null;
    if (rows !== null && rows < 0n) {
      raise('invalid_row_count_in_limit_clause', 'LIMIT must not be negative');
    }
    if (skipped !== null && skipped < 0n) {
      raise('invalid_row_count_in_result_offset_clause', 'OFFSET must not be negative');
    }
    return {
      limit: rows === null ? Number.POSITIVE_INFINITY : Number(rows),
      offset: skipped === null ? 0 : Number(skipped),
    };
  };
}

export function compileLimit(input: Source, count: RowCount, scope: Scope): Source {
  const rowCount = compileRowCount(count);
  if (count.ties !== undefined) return compileTies(input, rowCount, count.ties, scope);
  return function* limit(context): Stream {
    const { limit: wanted, offset } = rowCount(context);
    let skip = offset;
    let left = wanted;
    if (left === 0) return;
    for (const batch of input(context)) {
      if (batch === pause) {
        yield pause;
        continue;
      }
      const rows = batch.slice(skip, skip + left);
      skip = Math.max(0, skip - batch.length);
      left -= rows.length;
      if (rows.length > 0) yield rows;
      else if (context.turnIsOver()) yield pause;
      if (left === 0) return;
    }
  };
}

/** FETCH ... WITH TIES: after the last row those that equal it in the keys. */
function compileTies(
  input: Source,
  rowCount: (context: ExecutionContext) => Rows,
  ties: readonly SortKey[],
  scope: Scope,
): Source {
  const keys = ties.map(({ expression }) => compileExpression(expression, scope));
  const keyOf = compileRowKey(ties.map(({ expression }) => expression.type));
  return function* withTies(context): Stream {
    const { limit: wanted, offset } = rowCount(context);
    if (wanted === 0) return;
    const last = offset + wanted - 1;
    let number = 0;
    let lastKey: unknown;
    let ended = false;
    for (const batch of input(context)) {
      if (batch === pause) {
        yield pause;
        continue;
      }
      const rows = batch.filter((row) => {
        const at = number;
        number += 1;
        if (ended || at < offset) return false;
        if (at < last) return true;
        const key = keyOf(evaluateRow(keys, row, context));
        if (at === last) lastKey = key;
        else if (key !== lastKey) ended = true;
        return !ended;
      });
      if (rows.length > 0) yield rows;
      else if (context.turnIsOver()) yield pause;
      if (ended) return;
    }
  };
}
