/** TABLESAMPLE (https://www.postgresql.org/docs/15/sql-select.html). */
import { type ast, fields, locationOf, stringsOf } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import type { Relation, Sample } from '../plan/relation.js';
import { printType, type TypeName } from '../types/index.js';
import { coerce, typeOf } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause } from './expression.js';
import { columnIn } from './group.js';
import { emptyScope } from './scope.js';

type TableRelation = Extract<Relation, { kind: 'table' }>;

/** The table with a sample; its scope stays the same. */
export function bindSample(
  context: BindContext,
  table: TableRelation,
  body: ast.RangeTableSample,
): TableRelation {
  const read = fields(context.source, 'RangeTableSample', body, [
    'relation',
    'method',
    'args',
    'repeatable',
  ]);
  const at = locationOf(body);
  const method = stringsOf(read.method).at(-1) ?? '';
  if (method !== 'system' && method !== 'bernoulli') {
    context.raise(at, 'undefined_object', `tablesample method ${method} does not exist`);
  }
  const args = read.args ?? [];
  const [percentage] = args;
  if (percentage === undefined || args.length > 1) {
    const text = `tablesample method ${method} requires 1 argument, not ${args.length}`;
    context.raise(at, 'invalid_tablesample_argument', text);
  }
  const value = (node: ast.Node, type: TypeName): Expression => bindNumber(context, node, type);
  const sample: Sample = {
    method,
    percent: value(percentage, 'float4'),
    seed: read.repeatable && value(read.repeatable, 'float8'),
  };
  return { ...table, sample };
}

function bindNumber(context: BindContext, node: ast.Node, type: TypeName): Expression {
  const clause: Clause = { scope: emptyScope, name: 'TABLESAMPLE', aggregates: undefined };
  const bound = bindExpression(context, clause, node);
  const variable = columnIn(bound);
  const at = context.locationOf(bound);
  if (variable !== undefined) {
    const text = 'argument of TABLESAMPLE must not contain variables';
    context.raise(at, 'invalid_column_reference', text);
  }
  const value = coerce(context, bound, typeOf(type), 'assignment');
  if (value !== undefined) return value;
  const shown = printType(bound.type.name, -1);
  const text = `argument of TABLESAMPLE must be type ${printType(type, -1)}, not type ${shown}`;
  return context.raise(at, 'datatype_mismatch', text);
}
