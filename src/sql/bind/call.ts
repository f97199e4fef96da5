/** Calls of functions and aggregates, and the SQL value functions such as CURRENT_DATE. */
import { must } from '../../base/assert.js';
import { DatabaseError, raise } from '../../base/errors.js';
import { type ResolvedCall, resolveFunction, resolveSqlValue } from '../functions/index.js';
import type { AggregateFunction, ScalarFunction } from '../functions/index.js';
import { type ast, fields, locationOf, notSupported, stringsOf } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { printType, type TypeName } from '../types/index.js';
import { adminSchema } from './limits.js';
import { coerce, coerceTo, coerceToBool, nameOf, typeOf } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause } from './expression.js';
import { bindSortKeys, sameExpression } from './sort.js';

export function bindCall(context: BindContext, clause: Clause, body: ast.FuncCall): Expression {
  const read = fields(context.source, 'FuncCall', body, [
    'funcname',
    'args',
    'agg_order',
    'agg_filter',
    'agg_star',
    'agg_distinct',
    // Whether it was written as `f(x)` or with a syntax of its own, such as EXTRACT.
    'funcformat',
  ]);
  const at = locationOf(body);
  const path = stringsOf(read.funcname);
  const name = path.at(-1) ?? '';
  checkSchema(context, path, at);
  // Arguments of an aggregate hold no aggregates; which it is, their types decide.
  const inner = clause.aggregates === undefined ? clause : { ...clause, aggregates: { calls: [] } };
  const args = (read.args ?? []).map((node) => bindExpression(context, inner, node));
  const star = read.agg_star === true;
  const resolved = context.at(at, () => resolve(name, args.map(nameOf), star));
  if (resolved.kind === 'aggregate') {
    const nested = inner.aggregates?.calls.length ?? 0;
    if (nested > 0) {
      context.raise(
        inner.aggregates?.location,
        'grouping_error',
        'aggregate function calls cannot be nested',
      );
    }
    return bindAggregate(context, clause, read, resolved.function, args, at);
  }
  if (clause.aggregates !== undefined && inner.aggregates !== undefined) {
    clause.aggregates.calls.push(...inner.aggregates.calls);
    clause.aggregates.location ??= inner.aggregates.location;
  }
  refuseAggregateSyntax(context, name, read, at);
  if (resolved.kind === 'cast') {
    const argument = must(args[0], 'a cast has one argument');
    const cast = coerce(context, argument, typeOf(resolved.target), 'explicit');
    if (cast !== undefined) return context.locate(cast, at);
    const types = `${printType(argument.type.name, -1)} to ${printType(resolved.target, -1)}`;
    context.raise(at, 'cannot_coerce', `cannot cast type ${types}`);
  }
  return context.locate(scalar(context, resolved.function, args), at);
}

/** As `resolveFunction`, with the error for `count()`. */
function resolve(name: string, types: readonly TypeName[], star: boolean): ResolvedCall {
  const resolved = attempt(name, types, star);
  if (resolved !== undefined && (!star || resolved.kind === 'aggregate')) return resolved;
  if (star) {
    raise('undefined_function', `function ${name}() does not exist`, {
      hint: 'No function matches the given name and argument types. You might need to add explicit type casts.',
    });
  }
  if (types.length === 0 && attempt(name, types, true)?.kind === 'aggregate') {
    const text = `${name}(*) must be used to call a parameterless aggregate function`;
    raise('wrong_object_type', text);
  }
  return resolveFunction(name, types, { star });
}

function attempt(
  name: string,
  types: readonly TypeName[],
  star: boolean,
): ResolvedCall | undefined {
  try {
    return resolveFunction(name, types, { star });
  } catch (error) {
    if (error instanceof DatabaseError) return undefined;
    throw error;
  }
}

function scalar(
  context: BindContext,
  chosen: ScalarFunction,
  args: readonly Expression[],
): Expression {
  return {
    kind: 'call',
    type: { name: chosen.result, modifier: chosen.modifier },
    function: chosen,
    arguments: args.map((argument, i) =>
      coerceTo(context, argument, must(chosen.parameters[i], 'a parameter per argument')),
    ),
  };
}

function checkSchema(context: BindContext, path: readonly string[], at: number | undefined): void {
  const schema = path.at(-2);
  if (schema === undefined || schema === 'pg_catalog') return;
  if (schema === adminSchema) {
    const construct = `function of schema ${adminSchema} that is not the only item of a SELECT`;
    notSupported(context.source, construct, at);
  }
  if (schema !== 'public') {
    context.raise(at, 'invalid_schema_name', `schema "${schema}" does not exist`);
  }
  notSupported(context.source, 'function in schema public', at);
}

function refuseAggregateSyntax(
  context: BindContext,
  name: string,
  read: Pick<ast.FuncCall, 'agg_order' | 'agg_filter' | 'agg_star' | 'agg_distinct'>,
  at: number | undefined,
): void {
  const syntax =
    (read.agg_star && `${name}(*)`) ||
    (read.agg_distinct && 'DISTINCT') ||
    (read.agg_order && 'ORDER BY') ||
    (read.agg_filter && 'FILTER');
  if (!syntax) return;
  const text = `${syntax} specified, but ${name} is not an aggregate function`;
  context.raise(at, 'wrong_object_type', text);
}

function bindAggregate(
  context: BindContext,
  clause: Clause,
  read: Pick<ast.FuncCall, 'agg_order' | 'agg_filter' | 'agg_distinct'>,
  chosen: AggregateFunction,
  args: readonly Expression[],
  at: number | undefined,
): Expression {
  if (clause.aggregates === undefined) {
    const text =
      clause.name === 'FILTER' || clause.name === 'ORDER BY of an aggregate'
        ? 'aggregate function calls cannot be nested'
        : `aggregate functions are not allowed in ${clause.name}`;
    context.raise(at, 'grouping_error', text);
  }
  const within = (name: string): Clause => ({ scope: clause.scope, name, aggregates: undefined });
  const filter =
    read.agg_filter === undefined
      ? undefined
      : coerceToBool(context, bindExpression(context, within('FILTER'), read.agg_filter), 'FILTER');
  const operands = args.map((argument, i) =>
    coerceTo(context, argument, must(chosen.parameters[i], 'a parameter per argument')),
  );
  const orderBy = bindSortKeys(context, within('ORDER BY of an aggregate'), read.agg_order);
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
  const column = context.nextColumn();
  const type = typeOf(chosen.result);
  clause.aggregates.location ??= at;
  clause.aggregates.calls.push({
    column,
    function: chosen,
    type,
    arguments: operands,
    direct: [],
    distinct,
    filter,
    orderBy,
  });
  return context.locate({ kind: 'column', type, column }, at);
}

/** `SVFOP_CURRENT_TIMESTAMP_N` and its like are the word with a precision. */
export function bindSqlValue(
  context: BindContext,
  _clause: Clause,
  body: ast.SQLValueFunction,
): Expression {
  const { op, typmod = 0 } = fields(context.source, 'SQLValueFunction', body, ['op', 'typmod']);
  const word = must(op, 'a value function has a name').replace('SVFOP_', '').toLowerCase();
  const withPrecision = word.endsWith('_n');
  const chosen = context.at(locationOf(body), () =>
    resolveSqlValue(word.replace(/_n$/, ''), withPrecision ? typmod : -1),
  );
  return scalar(context, chosen, []);
}
