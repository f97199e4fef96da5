/** SQL/JSON: JSON_OBJECT, JSON_ARRAY, JSON_OBJECTAGG, JSON_ARRAYAGG and IS JSON. */
import { must } from '../../base/assert.js';
import {
  isJson,
  jsonBytes,
  jsonConstructor,
  type JsonItemKind,
  jsonOfBytes,
} from '../functions/index.js';
import { type ast, fields, locationOf } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { printType, typeNamed } from '../types/index.js';
import { bool, coerce, nameOf, typeOf } from './coerce.js';
import { newAggregates } from './collector.js';
import type { BindContext } from './context.js';
import { bindExpression, bindSettled, type Clause, isUnknown, nodeLocation } from './expression.js';
import { type BoundType, bindTypeName } from './type-name.js';

/** What a constructor gives: json or jsonb, cast to the type of RETURNING. */
interface Output {
  readonly base: 'json' | 'jsonb';
  readonly type: BoundType;
  readonly at: number | undefined;
}

export function bindJsonObject(
  context: BindContext,
  clause: Clause,
  body: ast.JsonObjectConstructor,
): Expression {
  const read = fields(context.source, 'JsonObjectConstructor', body, [
    'exprs',
    'output',
    'absent_on_null',
    'unique',
  ]);
  const members = (read.exprs ?? []).flatMap((node) => {
    const pair = must('JsonKeyValue' in node ? node.JsonKeyValue : undefined, 'members are pairs');
    const { key, value } = fields(context.source, 'JsonKeyValue', pair, ['key', 'value']);
    return [
      bindSettled(context, clause, must(key, 'a member has a key')),
      bindJsonValue(context, clause, must(value, 'a member has a value')),
    ];
  });
  return constructed(context, 'object', members, read);
}

/** What keys and values, or items, make. */
function constructed(
  context: BindContext,
  kind: 'object' | 'array',
  values: readonly Expression[],
  read: Pick<ast.JsonObjectConstructor, 'output' | 'absent_on_null' | 'unique'>,
): Expression {
  const clauses = { absent: read.absent_on_null === true, unique: read.unique === true };
  const output = outputOf(context, read.output, values);
  const types = values.map(nameOf);
  const made = jsonConstructor(kind, types, output.base, clauses);
  const call = {
    kind: 'call',
    type: typeOf(made.result),
    function: made,
    arguments: values,
  } as const;
  return returned(context, call, output);
}

export function bindJsonArray(
  context: BindContext,
  clause: Clause,
  body: ast.JsonArrayConstructor,
): Expression {
  const read = fields(context.source, 'JsonArrayConstructor', body, [
    'exprs',
    'output',
    'absent_on_null',
  ]);
  const items = (read.exprs ?? []).map((node) =>
    bindJsonValue(
      context,
      clause,
      must('JsonValueExpr' in node ? node.JsonValueExpr : undefined, 'items are values'),
    ),
  );
  return constructed(context, 'array', items, read);
}

/** JSON_ARRAY(query): JSON_ARRAYAGG over the rows of the query, as the standard defines it. */
export function bindJsonArrayQuery(
  context: BindContext,
  clause: Clause,
  body: ast.JsonArrayQueryConstructor,
): Expression {
  const read = fields(context.source, 'JsonArrayQueryConstructor', body, [
    'query',
    'output',
    'format',
    'absent_on_null',
  ]);
  const query = must(read.query, 'the constructor has a query');
  const column: ast.Node = {
    ColumnRef: { fields: [{ String: { sval: 'q' } }, { String: { sval: 'a' } }] },
  };
  const aggregate: ast.Node = {
    JsonArrayAgg: {
      constructor: {
        ...(read.output !== undefined && { output: read.output }),
        location: body.location ?? -1,
      },
      arg: { raw_expr: column, ...(read.format !== undefined && { format: read.format }) },
      absent_on_null: read.absent_on_null === true,
    },
  };
  checkOneColumn(context, query, locationOf(body));
  const subselect: ast.Node = {
    SelectStmt: {
      targetList: [{ ResTarget: { val: aggregate } }],
      fromClause: [
        {
          RangeSubselect: {
            subquery: query,
            alias: { aliasname: 'q', colnames: [{ String: { sval: 'a' } }] },
          },
        },
      ],
      limitOption: 'LIMIT_OPTION_DEFAULT',
      op: 'SETOP_NONE',
    },
  };
  const sublink = { subLinkType: 'EXPR_SUBLINK', subselect } as const;
  return bindExpression(context, clause, {
    SubLink: { ...sublink, location: body.location ?? -1 },
  });
}

/** A list that is written out tells its length; `*` is counted where it is bound. */
function checkOneColumn(context: BindContext, query: ast.Node, at: number | undefined): void {
  const { targetList, valuesLists } = 'SelectStmt' in query ? query.SelectStmt : {};
  if (valuesLists !== undefined) return;
  if (targetList?.length === 1) return;
  context.raise(at, 'syntax_error', 'subquery must return only one column');
}

export function bindJsonObjectAgg(
  context: BindContext,
  clause: Clause,
  body: ast.JsonObjectAgg,
): Expression {
  const read = fields(context.source, 'JsonObjectAgg', body, [
    'constructor',
    'arg',
    'absent_on_null',
    'unique',
  ]);
  const arg = must(read.arg, 'the aggregate has an argument');
  const key = must(arg.key, 'a member has a key');
  const value = aggregated(must(arg.value, 'a member has a value'));
  const suffix = `${read.unique === true ? '_unique' : ''}${read.absent_on_null === true ? '_strict' : ''}`;
  const rest = { name: 'object_agg', suffix, values: [key, value] };
  return bindAggregateCall(context, clause, read.constructor, rest);
}

export function bindJsonArrayAgg(
  context: BindContext,
  clause: Clause,
  body: ast.JsonArrayAgg,
): Expression {
  const read = fields(context.source, 'JsonArrayAgg', body, [
    'constructor',
    'arg',
    'absent_on_null',
  ]);
  const value = aggregated(must(read.arg, 'the aggregate has an argument'));
  const suffix = read.absent_on_null === true ? '_strict' : '';
  return bindAggregateCall(context, clause, read.constructor, {
    name: 'agg',
    suffix,
    values: [value],
  });
}

/** FORMAT JSON reads the text of an aggregate's argument. */
function aggregated({ raw_expr, format }: ast.JsonValueExpr): ast.Node {
  const value = must(raw_expr, 'a value has an expression');
  return format?.format_type === 'JS_FORMAT_JSON' ? castTo('json', value, format.location) : value;
}

function castTo(type: string, arg: ast.Node, location = -1): ast.Node {
  const typeName: ast.TypeName = { names: [{ String: { sval: type } }], typemod: -1 };
  return { TypeCast: { arg, typeName, location } };
}

function bindAggregateCall(
  context: BindContext,
  clause: Clause,
  body: ast.JsonAggConstructor | undefined,
  call: { readonly name: string; readonly suffix: string; readonly values: readonly ast.Node[] },
): Expression {
  const read = fields(context.source, 'JsonAggConstructor', must(body, 'it has clauses'), [
    'output',
    'agg_filter',
    'agg_order',
    'over',
  ]);
  // Only the type of the value is wanted here: what it finds is found again by the call.
  const last = must(call.values.at(-1), 'the aggregate has a value');
  const type = bindExpression(context, { ...clause, aggregates: newAggregates() }, last);
  const output = outputOf(context, read.output, [type]);
  const settledLast = isUnknown(type) ? castTo('text', last) : last;
  const location = body?.location ?? -1;
  const bound = bindExpression(context, clause, {
    FuncCall: {
      funcname: [
        { String: { sval: 'pg_catalog' } },
        { String: { sval: `${output.base}_${call.name}${call.suffix}` } },
      ],
      args: [...call.values.slice(0, -1), settledLast],
      ...(read.agg_filter !== undefined && { agg_filter: read.agg_filter }),
      ...(read.agg_order !== undefined && { agg_order: read.agg_order }),
      ...(read.over !== undefined && { over: read.over }),
      funcformat: 'COERCE_EXPLICIT_CALL',
      location,
    },
  });
  return returned(context, bound, output);
}

const itemKinds: Readonly<Record<string, JsonItemKind>> = {
  JS_TYPE_ANY: 'any',
  JS_TYPE_OBJECT: 'object',
  JS_TYPE_ARRAY: 'array',
  JS_TYPE_SCALAR: 'scalar',
};

export function bindIsJson(
  context: BindContext,
  clause: Clause,
  body: ast.JsonIsPredicate,
): Expression {
  const read = fields(context.source, 'JsonIsPredicate', body, [
    'expr',
    'format',
    'item_type',
    'unique_keys',
  ]);
  const operand = bindSettled(context, clause, must(read.expr, 'the predicate has an operand'));
  const { name } = operand.type;
  const isText = typeNamed(name).category === 'S';
  if (!isText && name !== 'bytea' && name !== 'json' && name !== 'jsonb') {
    const text = `cannot use type ${printType(name, -1)} in IS JSON predicate`;
    context.raise(undefined, 'datatype_mismatch', text);
  }
  const kind = itemKinds[read.item_type ?? 'JS_TYPE_ANY'] ?? 'any';
  const test = isJson(nameOf(operand), kind, read.unique_keys === true);
  return { kind: 'call', type: bool, function: test, arguments: [operand] };
}

/** A member or item; FORMAT JSON reads a text as JSON. */
function bindJsonValue(context: BindContext, clause: Clause, body: ast.JsonValueExpr): Expression {
  const { raw_expr, format } = fields(context.source, 'JsonValueExpr', body, [
    'raw_expr',
    'format',
  ]);
  const node = must(raw_expr, 'a value has an expression');
  const value = bindSettled(context, clause, node);
  if (format?.format_type !== 'JS_FORMAT_JSON') return value;
  const { name } = value.type;
  const at = locationOf(format);
  if (format.encoding !== 'JS_ENC_DEFAULT' && name !== 'bytea') {
    const text = 'JSON ENCODING clause is only allowed for bytea input type';
    context.raise(at, 'datatype_mismatch', text);
  }
  if (name === 'json' || name === 'jsonb') return value;
  if (typeNamed(name).category !== 'S' && name !== 'bytea') {
    const text = 'cannot use non-string types with explicit FORMAT JSON clause';
    context.raise(at ?? nodeLocation(node), 'datatype_mismatch', text);
  }
  if (name === 'bytea') {
    return { kind: 'call', type: typeOf('json'), function: jsonOfBytes, arguments: [value] };
  }
  return must(coerce(context, value, typeOf('json'), 'explicit'), 'texts become json');
}

function outputOf(
  context: BindContext,
  body: ast.JsonOutput | undefined,
  values: readonly Expression[],
): Output {
  if (body === undefined) {
    const base = values.some(({ type }) => type.name === 'jsonb') ? 'jsonb' : 'json';
    return { base, type: typeOf(base), at: undefined };
  }
  const { typeName, returning } = fields(context.source, 'JsonOutput', body, [
    'typeName',
    'returning',
  ]);
  const type = bindTypeName(context, typeName);
  checkEncoding(context, type, returning?.format);
  const base = type.name === 'jsonb' ? 'jsonb' : 'json';
  return { base, type, at: typeName?.location };
}

function checkEncoding(
  context: BindContext,
  type: BoundType,
  format: ast.JsonFormat | undefined,
): void {
  const encoding = format?.encoding ?? 'JS_ENC_DEFAULT';
  if (format === undefined || encoding === 'JS_ENC_DEFAULT') return;
  const at = locationOf(format);
  if (type.name !== 'bytea') {
    const text = 'cannot set JSON encoding for non-bytea output types';
    context.raise(at, 'datatype_mismatch', text);
  }
  if (encoding !== 'JS_ENC_UTF8') {
    const hint = 'Only UTF8 JSON encoding is supported.';
    context.raise(at, 'feature_not_supported', 'unsupported JSON encoding', { hint });
  }
}

/** The value in the type of RETURNING. */
function returned(context: BindContext, value: Expression, { base, type, at }: Output): Expression {
  if (type.name === base) return value;
  if (type.name === 'bytea') {
    return { kind: 'call', type, function: jsonBytes(base), arguments: [value] };
  }
  const text = must(coerce(context, value, typeOf('text'), 'explicit'), 'json becomes text');
  const cast = coerce(context, text, type, 'explicit', at);
  if (cast !== undefined) return cast;
  const shown = printType(type.name, -1);
  return context.raise(at, 'cannot_coerce', `cannot cast type ${base} to ${shown}`);
}
