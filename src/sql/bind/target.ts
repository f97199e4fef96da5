/** The select list and RETURNING: expressions with names. */
import { must } from '../../base/assert.js';
import {
  as,
  type ast,
  fields,
  kindOf,
  locationOf,
  stringOf,
  stringsOf,
  the,
} from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import type { BindContext } from './context.js';
import { bindExpression, bindSettled, type Clause } from './expression.js';
import { resultColumnsMax } from './limits.js';
import { bindStarOf } from './record.js';
import { findRelation } from './scope.js';

export interface Target {
  readonly name: string;
  expression: Expression;
  readonly location: number | undefined;
}

/** With `open` an expression may stay of unknown type. */
export function bindTargets(
  context: BindContext,
  clause: Clause,
  nodes: readonly ast.Node[] | undefined,
  open = false,
): Target[] {
  const targets: Target[] = [];
  for (const node of nodes ?? []) {
    const body = the(node, 'ResTarget');
    const { name, val } = fields(context.source, 'ResTarget', body, ['name', 'val']);
    const value = must(val, 'a target has a value');
    const star = starOf(value);
    if (star !== undefined) {
      const columns = expand(context, clause, star);
      context.witness?.noteTarget(body, clause.scope, columns, true);
      targets.push(...columns);
      continue;
    }
    const fieldsOfRecord = bindStarOf(context, clause, value);
    if (fieldsOfRecord !== undefined) {
      const location = locationOf(body);
      targets.push(...fieldsOfRecord.map((field) => ({ ...field, location })));
      continue;
    }
    const expression = (open ? bindExpression : bindSettled)(context, clause, value);
    const target = {
      name: name ?? nameOfNode(context, value)?.name ?? '?column?',
      expression,
      location: locationOf(body),
    };
    context.witness?.noteTarget(body, clause.scope, [target], false);
    targets.push(target);
  }
  if (targets.length > resultColumnsMax) {
    const text = `target lists can have at most ${resultColumnsMax} entries`;
    context.raise(undefined, 'too_many_columns', text);
  }
  return targets;
}

function starOf(node: ast.Node): ast.ColumnRef | undefined {
  const reference = as(node, 'ColumnRef');
  return as(reference?.fields?.at(-1), 'A_Star') === undefined ? undefined : reference;
}

/** `*`, `t.*` and `s.t.*`. */
function expand(context: BindContext, clause: Clause, star: ast.ColumnRef): Target[] {
  const path = stringsOf(star.fields?.slice(0, -1));
  const at = locationOf(star);
  const table = path.at(-1);
  const columns =
    table === undefined
      ? clause.scope.visible
      : findRelation(context, clause.scope, path.at(-2), table, at).columns;
  if (columns.length === 0 && table === undefined && clause.scope.relations.length === 0) {
    context.raise(at, 'syntax_error', 'SELECT * with no tables specified is not valid');
  }
  const listed = columns.filter(({ unlisted }) => unlisted !== true);
  return listed.map(({ name, expression }) => ({
    name,
    expression: context.locate({ ...expression }, at),
    location: at,
  }));
}

/** A name that a weak origin gives yields to a stronger one within it, as in PostgreSQL's FigureColname. */
interface Name {
  readonly name: string;
  readonly strong: boolean;
}

const valueFunctionNames: Readonly<Record<string, string>> = {
  SVFOP_CURRENT_DATE: 'current_date',
  SVFOP_CURRENT_TIME: 'current_time',
  SVFOP_CURRENT_TIME_N: 'current_time',
  SVFOP_CURRENT_TIMESTAMP: 'current_timestamp',
  SVFOP_CURRENT_TIMESTAMP_N: 'current_timestamp',
  SVFOP_LOCALTIME: 'localtime',
  SVFOP_LOCALTIME_N: 'localtime',
  SVFOP_LOCALTIMESTAMP: 'localtimestamp',
  SVFOP_LOCALTIMESTAMP_N: 'localtimestamp',
  SVFOP_CURRENT_ROLE: 'current_role',
  SVFOP_CURRENT_USER: 'current_user',
  SVFOP_USER: 'user',
  SVFOP_SESSION_USER: 'session_user',
  SVFOP_CURRENT_CATALOG: 'current_catalog',
  SVFOP_CURRENT_SCHEMA: 'current_schema',
};

const jsonNames: Readonly<Record<string, string>> = {
  JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonArrayAgg: 'json_arrayagg',
};

/** What PostgreSQL calls a column of this expression; undefined for `?column?`. */
export function nameOfNode(context: BindContext, node: ast.Node): Name | undefined {
  const strong = (name: string | undefined): Name | undefined =>
    name === undefined ? undefined : { name, strong: true };
  const column = as(node, 'ColumnRef');
  if (column !== undefined) {
    // Of `t.*` as one value, the table.
    return strong(stringOf(column.fields?.findLast((part) => as(part, 'String') !== undefined)));
  }
  const call = as(node, 'FuncCall');
  if (call !== undefined) return strong(stringsOf(call.funcname).at(-1));
  if (as(node, 'A_Expr')?.kind === 'AEXPR_NULLIF') return strong('nullif');
  if (as(node, 'CoalesceExpr') !== undefined) return strong('coalesce');
  if (as(node, 'GroupingFunc') !== undefined) return strong('grouping');
  if (as(node, 'RowExpr') !== undefined) return strong('row');
  if (as(node, 'A_ArrayExpr') !== undefined) return strong('array');
  const json = jsonNames[kindOf(node)];
  if (json !== undefined) return strong(json);
  const chain = as(node, 'A_Indirection');
  if (chain !== undefined) return nameOfChain(context, chain);
  const extreme = as(node, 'MinMaxExpr');
  if (extreme !== undefined) return strong(extreme.op === 'IS_GREATEST' ? 'greatest' : 'least');
  const valueFunction = as(node, 'SQLValueFunction');
  if (valueFunction !== undefined) return strong(valueFunctionNames[valueFunction.op ?? '']);
  const collate = as(node, 'CollateClause');
  if (collate?.arg !== undefined) return nameOfNode(context, collate.arg);
  const subquery = as(node, 'SubLink');
  if (subquery !== undefined) return strong(context.subqueryNames.get(subquery));
  return weakName(context, node);
}

/** The last field of a chain; of subscripts alone, what they are applied to. */
function nameOfChain(context: BindContext, chain: ast.A_Indirection): Name | undefined {
  const field = chain.indirection?.findLast((part) => as(part, 'String') !== undefined);
  if (field !== undefined) return { name: stringOf(field), strong: true };
  return chain.arg && nameOfNode(context, chain.arg);
}

function weakName(context: BindContext, node: ast.Node): Name | undefined {
  const cast = as(node, 'TypeCast');
  if (cast !== undefined) {
    const inner = cast.arg && nameOfNode(context, cast.arg);
    if (inner?.strong) return inner;
    const type = stringsOf(cast.typeName?.names).at(-1);
    return type === undefined ? inner : { name: type, strong: false };
  }
  const choice = as(node, 'CaseExpr');
  if (choice === undefined) return undefined;
  const inner = choice.defresult && nameOfNode(context, choice.defresult);
  return inner?.strong ? inner : { name: 'case', strong: false };
}
