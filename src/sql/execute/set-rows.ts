/** Rows of set-returning functions, in FROM and in select lists, as they are asked for. */
import { must } from '../../base/assert.js';
import type { SetColumn, SetFunction } from '../functions/index.js';
import type { Expression, SetCall } from '../plan/expression.js';
import type { RelationColumn, TableCall } from '../plan/relation.js';
import type { DatabaseId } from '../../base/ids.js';
import { RecordValue, type Row, typeNamed, type Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { hasNull } from './row-key.js';
import { evaluateRow } from './row-operators.js';
import { type Scope, scopeOf } from './scope.js';
import { batchRows, pause, rowsPerLook, type Source, type Stream } from './stream.js';

/** The rows that a function gives for a row of its input. */
type Rows = (row: Row, context: ExecutionContext) => Iterator<Row>;

const noRows: readonly Row[] = [];

function compileSet(
  called: SetFunction,
  values: readonly Expression[],
  columns: readonly SetColumn[],
  scope: Scope,
): Rows {
  const compiled = values.map((value) => compileExpression(value, scope));
  return (row, context) => {
    const given = evaluateRow(compiled, row, context);
    const rows =
      called.strict && hasNull(given) ? noRows : called.rows(given, context.functions, columns);
    return rows[Symbol.iterator]();
  };
}

/** Functions of FROM. `scope` has the columns that they may name. */
export function compileTableFunction(
  plan: { readonly calls: readonly TableCall[]; readonly ordinality: boolean },
  database: DatabaseId | undefined,
): Source {
  const scope = scopeOf([], database);
  const parts = plan.calls.map((call) => ({
    rows: compileTableCall(call, scope),
    width: call.columns.length,
  }));
  return (context) => sideBySide(parts, plan.ordinality, context);
}

function compileTableCall(call: TableCall, scope: Scope): Rows {
  if (call.kind === 'set') {
    return compileSet(call.function, call.arguments, call.columns.map(setColumnOf), scope);
  }
  const value = compileExpression(call.expression, scope);
  const { name } = call.expression.type;
  const isRecord = name === 'record' || typeNamed(name).form?.kind === 'composite';
  return (row, context) => [spread(value(row, context), isRecord, call.columns)].values();
}

function setColumnOf({ name, type }: RelationColumn): SetColumn {
  return { name, type: type.name as SetColumn['type'], modifier: type.modifier };
}

/** A record lies over its columns; any other value is a row of one. */
function spread(value: Value, isRecord: boolean, columns: readonly RelationColumn[]): Row {
  if (!isRecord) return [value];
  return value instanceof RecordValue ? value.values : columns.map(() => null);
}

function* sideBySide(
  parts: readonly { readonly rows: Rows; readonly width: number }[],
  ordinality: boolean,
  context: ExecutionContext,
): Stream {
  const open = parts.map(({ rows, width }) => ({ iterator: rows([], context), width }));
  const done = new Set<number>();
  let rows: Row[] = [];
  for (let number = 1n; ; number += 1n) {
    const row: Value[] = [];
    for (const [i, { iterator, width }] of open.entries()) {
      const next = done.has(i) ? undefined : iterator.next();
      if (next?.done === true) done.add(i);
      const values = next === undefined || next.done === true ? undefined : next.value;
      for (let at = 0; at < width; at += 1) row.push(values?.[at] ?? null);
    }
    if (done.size === open.length) break;
    if (ordinality) row.push(number);
    rows.push(row);
    const looks = rows.length % rowsPerLook === 0 && context.turnIsOver();
    if (rows.length < batchRows && !looks) continue;
    yield rows;
    rows = [];
    if (context.turnIsOver()) yield pause;
  }
  if (rows.length > 0) yield rows;
}

/** Set-returning functions of a select list, in lock step. */
export function compileProjectSet(input: Source, calls: readonly SetCall[], scope: Scope): Source {
  const parts = calls.map((call) => ({
    rows: compileSet(call.function, call.arguments, call.function.columns ?? [], scope),
    value: readValue(call),
  }));
  return function* projectSet(context): Stream {
    for (const batch of input(context)) {
      if (batch === pause) yield pause;
      else yield* expand(batch, parts, context);
    }
  };
}

/** A row of a call as one value. */
function readValue({ function: called }: SetCall): (row: Row) => Value {
  const isComposite = typeNamed(called.result).form?.kind === 'composite';
  if (called.result !== 'record' && !isComposite) return (row) => row[0] ?? null;
  const columns = must(called.columns, 'the binder asks for columns');
  const shape = { fields: columns };
  return (row) => new RecordValue(shape, row);
}

function* expand(
  batch: readonly Row[],
  parts: readonly { readonly rows: Rows; readonly value: (row: Row) => Value }[],
  context: ExecutionContext,
): Stream {
  let rows: Row[] = [];
  let given = 0;
  for (const row of batch) {
    const open = parts.map(({ rows: start, value }) => ({ iterator: start(row, context), value }));
    for (;;) {
      let left = false;
      const values = open.map(({ iterator, value }) => {
        const next = iterator.next();
        if (next.done === true) return null;
        left = true;
        return value(next.value);
      });
      if (!left) break;
      rows.push([...row, ...values]);
      given += 1;
      const looks = given % rowsPerLook === 0 && context.turnIsOver();
      if (rows.length < batchRows && !looks) continue;
      yield rows;
      rows = [];
      if (context.turnIsOver()) yield pause;
    }
  }
  if (rows.length > 0) yield rows;
}
