/** Calls with OVER. */
import { unreachable } from '../../base/assert.js';
import type { ResolvedCall } from '../functions/index.js';
import type { ast } from '../parse/index.js';
import type { Expression, SortKey, WindowCall } from '../plan/expression.js';
import type { Relation } from '../plan/relation.js';
import { bindFilter, type CallParts, coerceArguments } from './aggregate-call.js';
import { typeOf } from './coerce.js';
import {
  collect,
  type CollectedWindow,
  mergeCalls,
  sameOrder,
  sameWindow,
  type WindowOrder,
} from './collector.js';
import type { BindContext } from './context.js';
import { moveHint } from './set-call.js';
import { sameExpression } from './sort.js';
import { bindOver } from './window.js';

export function bindWindowCall(
  context: BindContext,
  call: CallParts,
  resolved: ResolvedCall,
  over: ast.WindowDef,
): Expression {
  const { clause, inner, at, read, name } = call;
  const chosen = windowed(context, call, resolved);
  if (clause.windows === undefined) {
    const text = `window functions are not allowed in ${clause.name}`;
    context.raise(at, 'windowing_error', text);
  }
  if (read.agg_distinct) {
    context.raise(at, 'feature_not_supported', 'DISTINCT is not implemented for window functions');
  }
  if (read.agg_order !== undefined) {
    const text = 'aggregate ORDER BY is not implemented for window functions';
    context.raise(at, 'feature_not_supported', text);
  }
  if (chosen.form === 'window' && read.agg_filter !== undefined) {
    const text = 'FILTER is not implemented for non-aggregate window functions';
    context.raise(at, 'feature_not_supported', text);
  }
  if ((inner.windows?.found ?? 0) > 0) {
    const text = 'window function calls cannot be nested';
    context.raise(inner.windows?.location, 'windowing_error', text);
  }
  if ((inner.sets?.found ?? 0) > 0) {
    const text = 'window function calls cannot contain set-returning function calls';
    context.raise(inner.sets?.location, 'feature_not_supported', text, { hint: moveHint });
  }
  if (chosen.form === 'window' && read.agg_star) {
    context.raise(
      at,
      'wrong_object_type',
      `${name}(*) specified, but ${name} is not an aggregate function`,
    );
  }
  mergeCalls(clause, inner);
  const window = bindOver(context, clause, over);
  const bound: WindowCall = {
    column: context.nextColumn(),
    function: chosen,
    type: typeOf(chosen.result),
    arguments: coerceArguments(context, call.arguments, chosen.parameters),
    filter: bindFilter(context, call, clause.aggregates),
    frame: window.frame,
  };
  const { partition, order } = window;
  context.witness?.noteArguments(call.read, bound.arguments);
  const taken = collect(
    clause.windows,
    { call: bound, over: { partition, order } },
    sameWindow,
    at,
  );
  const { column, type } = taken.call;
  return context.locate({ kind: 'column', type, column }, at);
}

/** The function, where it is one that OVER may follow. */
function windowed(
  context: BindContext,
  { name, at, within }: CallParts,
  resolved: ResolvedCall,
): WindowCall['function'] {
  switch (resolved.kind) {
    case 'window': {
      if (within === undefined) return resolved.function;
      const text = `window function ${name} cannot have WITHIN GROUP`;
      return context.raise(at, 'wrong_object_type', text);
    }
    case 'aggregate': {
      if (resolved.function.form === 'plain') return resolved.function;
      const text = `OVER is not supported for ordered-set aggregate ${name}`;
      return context.raise(at, 'feature_not_supported', text);
    }
    case 'scalar':
    case 'set':
    case 'cast': {
      const text = `OVER specified, but ${name} is not a window function nor an aggregate function`;
      return context.raise(at, 'wrong_object_type', text);
    }
    default:
      return unreachable(resolved);
  }
}

/**
 * Puts the calls over `input`, one relation for each window, each over rows sorted for it. `earlier`
 * are the expressions of ORDER BY and GROUP BY: windows whose keys are new come first, longer ones
 * before shorter ones, so that one sort may serve several (select_active_windows() of planner.c) and
 * the rows come out in the same order.
 */
export function windowRelations(
  input: Relation,
  collected: readonly CollectedWindow[],
  earlier: readonly Expression[],
): Relation {
  const windows: { readonly over: WindowOrder; readonly calls: WindowCall[] }[] = [];
  for (const { call, over } of collected) {
    const same = windows.find((window) => sameOrder(window.over, over));
    if (same === undefined) windows.push({ over, calls: [call] });
    else same.calls.push(call);
  }
  const known = [...earlier];
  const numbered = windows.map((window) => ({
    window,
    keys: keysOf(window.over).map((key) => ({ ...key, number: numberOf(known, key.expression) })),
  }));
  numbered.sort((a, b) => compareKeys(a.keys, b.keys));
  let relation = input;
  for (const { window, keys } of numbered) {
    if (keys.length > 0) {
      const sortKeys = keys.map(({ number: _, ...key }) => key);
      relation = { kind: 'sort', columns: relation.columns, input: relation, keys: sortKeys };
    }
    const { over, calls } = window;
    relation = {
      kind: 'window',
      columns: [
        ...relation.columns,
        ...calls.map(({ column, function: { name }, type }) => ({ column, name, type })),
      ],
      input: relation,
      partition: over.partition,
      order: over.order,
      calls,
    };
  }
  return relation;
}

function keysOf({ partition, order }: WindowOrder): readonly SortKey[] {
  const keys: SortKey[] = partition.map((expression) => ({
    expression,
    descending: false,
    nullsFirst: false,
  }));
  for (const { expression, descending, nullsFirst } of order) {
    keys.push({ expression, descending, nullsFirst });
  }
  return keys.filter(
    (key, i) => keys.findIndex((one) => sameExpression(one.expression, key.expression)) === i,
  );
}

/** The place of an expression among those that were named before it. */
function numberOf(known: Expression[], expression: Expression): number {
  const found = known.findIndex((one) => sameExpression(one, expression));
  return found >= 0 ? found : known.push(expression) - 1;
}

type NumberedKey = SortKey & { readonly number: number };

function compareKeys(a: readonly NumberedKey[], b: readonly NumberedKey[]): number {
  for (const [i, key] of a.entries()) {
    const other = b[i];
    if (other === undefined) break;
    if (key.number !== other.number) return other.number - key.number;
    if (key.descending !== other.descending) return key.descending ? -1 : 1;
    if (key.nullsFirst !== other.nullsFirst) return key.nullsFirst ? -1 : 1;
  }
  return b.length - a.length;
}
