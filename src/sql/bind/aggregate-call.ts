/** Calls of aggregates, and GROUPING(). */
import { must } from '../../base/assert.js';
import type { AggregateFunction } from '../functions/index.js';
import { resolveCommonType } from '../functions/index.js';
import { type ast, fields, locationOf } from '../parse/index.js';
import type { AggregateCall, Expression } from '../plan/expression.js';
import { printType, type TypeName } from '../types/index.js';
import { coerceTo, coerceToBool, nameOf, typeOf } from './coerce.js';
import { type AggregateCollector, collect, sameAggregate } from './collector.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause, nodeLocation, type SortItem } from './expression.js';
import { captured, homeOf } from './outer.js';
import { moveHint } from './set-call.js';
import { bindSortKeys, sameExpression } from './sort.js';

/** A call whose function is chosen. */
export interface CallParts {
  readonly name: string;
  readonly read: Pick<
    ast.FuncCall,
    'agg_order' | 'agg_filter' | 'agg_star' | 'agg_distinct' | 'agg_within_group'
  >;
  /** Where the call stands, and where its arguments were bound. */
  readonly clause: Clause;
  readonly inner: Clause;
  readonly arguments: readonly Expression[];
  /** ORDER BY of WITHIN GROUP. */
  readonly within: readonly SortItem[] | undefined;
  readonly at: number | undefined;
}

export function bindAggregate(
  context: BindContext,
  call: CallParts,
  chosen: AggregateFunction,
): Expression {
  const { at } = call;
  checkForm(context, call, chosen);
  checkArguments(context, call);
  if (call.clause.aggregates === undefined && context.outer === undefined)
    refuse(context, call.clause, at);
  const bound =
    call.within === undefined ? plainCall(context, call, chosen) : within(context, call, chosen);
  if (call.within === undefined) context.witness?.noteArguments(call.read, bound.arguments);
  const home = homeOf(context, expressionsOf(bound));
  if (home === undefined) {
    const { aggregates } = call.clause;
    if (aggregates === undefined) return refuse(context, call.clause, at);
    const { column, type } = collect(aggregates, bound, sameAggregate, at);
    return context.locate({ kind: 'column', type, column }, at);
  }
  const { aggregates } = home.clause;
  if (aggregates === undefined) return refuse(context, home.clause, at);
  const moved = mapCall(bound, home.translate);
  const { column, type } = collect(aggregates, moved, sameAggregate, at);
  return captured(context, home.crossed, { kind: 'column', type, column }, at);
}

function refuse(context: BindContext, clause: Clause, at: number | undefined): never {
  const text =
    clause.name === 'FILTER' || clause.name === 'ORDER BY of an aggregate'
      ? 'aggregate function calls cannot be nested'
      : `aggregate functions are not allowed in ${clause.name}`;
  return context.raise(at, 'grouping_error', text);
}

function expressionsOf(call: AggregateCall): readonly Expression[] {
  const { filter, orderBy } = call;
  const keys = orderBy.map(({ expression }) => expression);
  return [...call.arguments, ...call.direct, ...keys, ...(filter === undefined ? [] : [filter])];
}

function mapCall(
  call: AggregateCall,
  change: (expression: Expression) => Expression,
): AggregateCall {
  return {
    ...call,
    arguments: call.arguments.map(change),
    direct: call.direct.map(change),
    filter: call.filter && change(call.filter),
    orderBy: call.orderBy.map((key) => ({ ...key, expression: change(key.expression) })),
  };
}

/** With WITHIN GROUP exactly where the aggregate asks for it. */
function checkForm(context: BindContext, call: CallParts, chosen: AggregateFunction): void {
  const { name, at, within: keys } = call;
  const wrong = (text: string): never => context.raise(at, 'wrong_object_type', text);
  if (chosen.form === 'plain') {
    if (keys === undefined) return;
    wrong(`${name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP`);
  }
  if (keys === undefined) wrong(`WITHIN GROUP is required for ordered-set aggregate ${name}`);
  const direct = call.arguments.length;
  const ordered = keys?.length ?? 0;
  const isRight =
    chosen.form === 'hypothetical' ? direct === ordered : chosen.direct.length === direct;
  if (isRight) return;
  const types = [...call.arguments, ...(keys ?? []).map((key) => key.expression)];
  const shown = types.map((one) => printType(nameOf(one), -1)).join(', ');
  const hint =
    chosen.form === 'hypothetical'
      ? `To use the hypothetical-set aggregate ${name}, the number of hypothetical direct arguments ` +
        `(here ${direct}) must match the number of ordering columns (here ${ordered}).`
      : `There is an ordered-set aggregate ${name}, but it requires ${chosen.direct.length} direct ` +
        `arguments, not ${direct}.`;
  context.raise(at, 'undefined_function', `function ${name}(${shown}) does not exist`, { hint });
}

function checkArguments(context: BindContext, { inner }: CallParts): void {
  const { aggregates, windows, sets } = inner;
  if ((aggregates?.found ?? 0) > 0) {
    const text = 'aggregate function calls cannot be nested';
    context.raise(aggregates?.location, 'grouping_error', text);
  }
  if ((windows?.found ?? 0) > 0) {
    const text = 'aggregate function calls cannot contain window function calls';
    context.raise(windows?.location, 'grouping_error', text);
  }
  if ((sets?.found ?? 0) > 0) {
    const text = 'aggregate function calls cannot contain set-returning function calls';
    context.raise(sets?.location, 'feature_not_supported', text, { hint: moveHint });
  }
}

/** A clause within the call, which holds no calls of its own kind. */
function clauseOf(call: CallParts, name: string): Clause {
  return { ...call.clause, name, aggregates: undefined, windows: undefined, sets: undefined };
}

/** FILTER of a call with OVER may hold aggregates, which go to `aggregates`. */
export function bindFilter(
  context: BindContext,
  call: CallParts,
  aggregates: AggregateCollector | undefined,
): Expression | undefined {
  const { agg_filter: node } = call.read;
  if (node === undefined) return undefined;
  const clause = { ...clauseOf(call, 'FILTER'), aggregates };
  return coerceToBool(context, bindExpression(context, clause, node), 'FILTER');
}

export function coerceArguments(
  context: BindContext,
  values: readonly Expression[],
  types: readonly TypeName[],
): readonly Expression[] {
  return values.map((value, i) => {
    const type = must(types[i], 'a parameter per argument');
    return type === 'unknown' ? coerceTo(context, value, 'text') : coerceTo(context, value, type);
  });
}

function plainCall(
  context: BindContext,
  call: CallParts,
  chosen: AggregateFunction,
): AggregateCall {
  const { read, arguments: args, at } = call;
  const filter = bindFilter(context, call, undefined);
  const operands = coerceArguments(context, args, chosen.parameters);
  const clause = clauseOf(call, 'ORDER BY of an aggregate');
  const orderBy = bindSortKeys(context, clause, read.agg_order);
  const distinct = read.agg_distinct === true;
  if (distinct && args.length === 0) {
    context.raise(at, 'syntax_error', 'DISTINCT needs an argument');
  }
  for (const key of distinct ? orderBy : []) {
    const isArgument = (one: Expression): boolean => sameExpression(one, key.expression);
    if (operands.some(isArgument) || args.some(isArgument)) continue;
    const text = 'in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list';
    context.raise(key.location, 'invalid_column_reference', text);
  }
  return {
    column: context.nextColumn(),
    function: chosen,
    type: typeOf(chosen.result),
    arguments: operands,
    direct: [],
    distinct,
    filter,
    orderBy,
  };
}

/** An ordered-set aggregate: its arguments are the keys of WITHIN GROUP. */
function within(context: BindContext, call: CallParts, chosen: AggregateFunction): AggregateCall {
  const keys = must(call.within, 'WITHIN GROUP has keys');
  const filter = bindFilter(context, call, undefined);
  const { direct, sorted } =
    chosen.form === 'hypothetical'
      ? unified(context, call.arguments, keys)
      : {
          direct: coerceArguments(context, call.arguments, chosen.direct),
          sorted: coerceArguments(
            context,
            keys.map((key) => key.expression),
            chosen.parameters,
          ),
        };
  return {
    column: context.nextColumn(),
    function: chosen,
    type: typeOf(chosen.result),
    arguments: sorted,
    direct,
    distinct: false,
    filter,
    orderBy: keys.map((key, i) => ({
      ...key,
      expression: must(sorted[i], 'an argument per key'),
    })),
  };
}

/** Brings each direct argument and its key to one type. */
function unified(
  context: BindContext,
  values: readonly Expression[],
  keys: readonly SortItem[],
): { readonly direct: readonly Expression[]; readonly sorted: readonly Expression[] } {
  const pairs = keys.map((key, i) => {
    const value = must(values[i], 'a value per key');
    const common = context.at(context.locationOf(value), () =>
      resolveCommonType([nameOf(key.expression), nameOf(value)], 'WITHIN GROUP'),
    );
    return [coerceTo(context, value, common), coerceTo(context, key.expression, common)] as const;
  });
  return { direct: pairs.map(([value]) => value), sorted: pairs.map(([, key]) => key) };
}

/** GROUPING takes this many expressions: its result is an integer of as many bits. */
const groupingArgumentsMax = 31;

export function bindGrouping(
  context: BindContext,
  clause: Clause,
  body: ast.GroupingFunc,
): Expression {
  const { args = [] } = fields(context.source, 'GroupingFunc', body, ['args']);
  const at = locationOf(body);
  if (args.length > groupingArgumentsMax) {
    context.raise(at, 'too_many_arguments', 'GROUPING must have fewer than 32 arguments');
  }
  const inner: Clause = { ...clause, aggregates: undefined, windows: undefined, sets: undefined };
  const values = args.map((arg) => bindExpression(context, inner, arg));
  const home = homeOf(context, values);
  const { aggregates, name } = home?.clause ?? clause;
  if (aggregates === undefined) {
    const text = `grouping operations are not allowed in ${name}`;
    context.raise(at, 'grouping_error', text);
  }
  const column = context.nextColumn();
  aggregates.groupings.push({
    column,
    arguments: home === undefined ? values : values.map(home.translate),
    locations: args.map(nodeLocation),
  });
  const result = { kind: 'column', type: typeOf('int4'), column } as const;
  return home === undefined
    ? context.locate(result, at)
    : captured(context, home.crossed, result, at);
}
