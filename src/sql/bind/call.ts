/** Calls of functions and aggregates, and the SQL value functions such as CURRENT_DATE. */
import { must } from '../../base/assert.js';
import { DatabaseError, raise } from '../../base/errors.js';
import {
  askingFunctions,
  type ResolvedCall,
  resolveFunction,
  resolveSqlValue,
  resolveVariadic,
} from '../functions/index.js';
import type { ScalarFunction } from '../functions/index.js';
import { type ast, fields, locationOf, notSupported, stringsOf } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { printType, type TypeName } from '../types/index.js';
import { adminSchema } from './limits.js';
import { bindAggregate, type CallParts } from './aggregate-call.js';
import { coerce, coerceTo, nameOf, typeOf } from './coerce.js';
import { innerClause, mergeCalls } from './collector.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause } from './expression.js';
import { bindSetCall } from './set-call.js';
import { bindSortKeys } from './sort.js';
import { bindSqlCall, findSqlFunction, type SqlCall } from './sql-function.js';
import { bindWindowCall } from './window-call.js';

export function bindCall(context: BindContext, clause: Clause, body: ast.FuncCall): Expression {
  const read = fields(context.source, 'FuncCall', body, [
    'funcname',
    'args',
    'agg_order',
    'agg_filter',
    'agg_star',
    'agg_distinct',
    'agg_within_group',
    'over',
    'func_variadic',
    // Whether it was written as `f(x)` or with a syntax of its own, such as EXTRACT.
    'funcformat',
  ]);
  const at = locationOf(body);
  const path = stringsOf(read.funcname);
  const name = path.at(-1) ?? '';
  checkSchema(context, path, at);
  // What the arguments of an aggregate may hold, their types decide: which function it is.
  const inner = innerClause(clause);
  const args = (read.args ?? []).map((node) => bindExpression(context, inner, node));
  const star = read.agg_star === true;
  const within = read.agg_within_group ? bindSortKeys(context, inner, read.agg_order) : undefined;
  const types = [...args, ...(within ?? []).map((key) => key.expression)].map(nameOf);
  const own = star ? undefined : sqlFunction(context, path, args, types, at);
  if (own !== undefined) {
    mergeCalls(clause, inner);
    refuseAggregateSyntax(context, name, read, at);
    return bindSqlCall(context, clause, own, at);
  }
  const spread = read.func_variadic === true ? bindVariadic(context, name, args) : undefined;
  const resolved = spread ?? context.at(at, () => resolve(name, types, star));
  const call: CallParts = { name, read, clause, inner, arguments: args, within, at };
  if (read.over !== undefined) return bindWindowCall(context, call, resolved, read.over);
  if (resolved.kind === 'aggregate') return bindAggregate(context, call, resolved.function);
  if (resolved.kind === 'window') {
    const text = `window function ${name} requires an OVER clause`;
    context.raise(at, 'wrong_object_type', text);
  }
  mergeCalls(clause, inner);
  refuseAggregateSyntax(context, name, read, at);
  if (resolved.kind === 'set') return bindSetCall(context, clause, resolved.function, args, at);
  if (resolved.kind === 'cast') {
    const argument = must(args[0], 'a cast has one argument');
    const cast = coerce(context, argument, typeOf(resolved.target), 'explicit');
    if (cast !== undefined) return context.locate(cast, at);
    const types = `${printType(argument.type.name, -1)} to ${printType(resolved.target, -1)}`;
    context.raise(at, 'cannot_coerce', `cannot cast type ${types}`);
  }
  return context.locate(scalar(context, resolved.function, args), at);
}

/** A function of the catalogue, where no function of the system fits better or the schema says so. */
function sqlFunction(
  context: BindContext,
  path: readonly string[],
  args: readonly Expression[],
  types: readonly TypeName[],
  at: number | undefined,
): SqlCall | undefined {
  const schema = path.at(-2);
  if (schema === 'pg_catalog' || schema === 'information_schema') return undefined;
  const name = path.at(-1) ?? '';
  if (schema === undefined && attempt(name, types, false) !== undefined) return undefined;
  const found = findSqlFunction(context, path, args, at);
  if (found !== undefined || schema === undefined) return found;
  const shown = `${path.join('.')}(${types.map((type) => printType(type, -1)).join(', ')})`;
  return context.raise(at, 'undefined_function', `function ${shown} does not exist`, {
    hint: 'No function matches the given name and argument types. You might need to add explicit type casts.',
  });
}

/** f(a, VARIADIC array); undefined where no variadic function has the name. */
function bindVariadic(
  context: BindContext,
  name: string,
  args: readonly Expression[],
): ResolvedCall | undefined {
  const last = args.at(-1);
  const chosen = context.at(last && context.locationOf(last), () =>
    resolveVariadic(name, args.map(nameOf)),
  );
  return chosen && { kind: 'scalar', function: chosen };
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
  if (chosen.name === 'nextval' || chosen.name === 'setval') context.noteNumbers();
  if (askingFunctions.has(chosen.name)) context.noteQuestion();
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
  if (schema === undefined || schema === 'pg_catalog' || schema === 'information_schema') return;
  if (schema === adminSchema) {
    const construct = `function of schema ${adminSchema} that is not the only item of a SELECT`;
    notSupported(context.source, construct, at);
  }
  if (!context.catalogue.hasSchema(schema)) {
    context.raise(at, 'invalid_schema_name', `schema "${schema}" does not exist`);
  }
}

function refuseAggregateSyntax(
  context: BindContext,
  name: string,
  read: CallParts['read'],
  at: number | undefined,
): void {
  const syntax =
    (read.agg_star && `${name}(*)`) ||
    (read.agg_distinct && 'DISTINCT') ||
    (read.agg_within_group && 'WITHIN GROUP') ||
    (read.agg_order && 'ORDER BY') ||
    (read.agg_filter && 'FILTER');
  if (!syntax) return;
  const text = `${syntax} specified, but ${name} is not an aggregate function`;
  context.raise(at, 'wrong_object_type', text);
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
