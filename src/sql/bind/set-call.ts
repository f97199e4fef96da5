/** Calls of set-returning functions in expressions: in select lists, ORDER BY and GROUP BY. */
import type { SetFunction } from '../functions/index.js';
import { notSupported } from '../parse/index.js';
import type { Expression, SetCall } from '../plan/expression.js';
import type { Relation } from '../plan/relation.js';
import { coerceArguments } from './aggregate-call.js';
import { typeOf } from './coerce.js';
import { collect, sameSet, type SetCollector } from './collector.js';
import type { BindContext } from './context.js';
import type { Clause } from './expression.js';
import { columnIn } from './group.js';

export const moveHint =
  'You might be able to move the set-returning function into a LATERAL FROM item.';

export function bindSetCall(
  context: BindContext,
  clause: Clause,
  chosen: SetFunction,
  values: readonly Expression[],
  at: number | undefined,
): Expression {
  if (clause.sets === undefined) {
    const text = `set-returning functions are not allowed in ${clause.name}`;
    context.raise(at, 'feature_not_supported', text);
  }
  const bound: SetCall = {
    column: context.nextColumn(),
    function: chosen,
    type:
      chosen.result === 'record' && chosen.columns !== undefined
        ? { ...typeOf('record'), shape: { fields: chosen.columns } }
        : typeOf(chosen.result),
    arguments: coerceArguments(context, values, chosen.parameters),
  };
  const { column, type } = collect(clause.sets, bound, sameSet, at);
  return context.locate({ kind: 'column', type, column }, at);
}

/** In CASE and COALESCE no rows may come and go: raises for a call that `bind` meets. */
export function refuseSets<T>(
  context: BindContext,
  clause: Clause,
  construct: string,
  bind: (inner: Clause) => T,
): T {
  if (clause.sets === undefined) return bind(clause);
  const sets: SetCollector = { calls: [], found: 0 };
  const bound = bind({ ...clause, sets });
  if (sets.found === 0) return bound;
  const text = `set-returning functions are not allowed in ${construct}`;
  context.raise(sets.location, 'feature_not_supported', text, { hint: moveHint });
}

/**
 * Puts calls over `input`: those whose arguments hold calls above the ones that they hold, all others
 * in lock step. `over` brings arguments to the columns of `input`.
 */
export function projectSets(
  context: BindContext,
  input: Relation,
  calls: readonly SetCall[],
  over: (expression: Expression) => Expression,
): Relation {
  let relation = input;
  let left = calls;
  while (left.length > 0) {
    const open = new Set(left.map(({ column }) => column));
    const waits = (call: SetCall): boolean =>
      call.arguments.some((one) => columnIn(one, (column) => open.has(column)) !== undefined);
    const ready = left.filter((call) => !waits(call));
    left = left.filter(waits);
    for (const { function: called } of ready) {
      if (called.columns !== undefined) continue;
      const text = 'function returning record called in context that cannot accept type record';
      notSupported(context.source, text, undefined);
    }
    relation = {
      kind: 'projectSet',
      columns: [
        ...relation.columns,
        ...ready.map(({ column, function: { name }, type }) => ({ column, name, type })),
      ],
      input: relation,
      calls: ready.map((call) => ({ ...call, arguments: call.arguments.map(over) })),
    };
  }
  return relation;
}

/** Takes the calls out of the collector that `expressions` read, with those in their arguments. */
export function takeSets(sets: SetCollector, expressions: readonly Expression[]): SetCall[] {
  const taken = new Set<SetCall>();
  let open: readonly Expression[] = expressions;
  while (open.length > 0) {
    const reads = open;
    const found = sets.calls.filter(
      (call) =>
        !taken.has(call) &&
        reads.some((one) => columnIn(one, (column) => column === call.column) !== undefined),
    );
    for (const call of found) taken.add(call);
    open = found.flatMap((call) => call.arguments);
  }
  const rest = sets.calls.filter((call) => !taken.has(call));
  sets.calls.splice(0, sets.calls.length, ...rest);
  return [...taken];
}
