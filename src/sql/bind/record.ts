/** Records in expressions: ROW(...), rows of tables, and chains of fields and subscripts. */
import { must } from '../../base/assert.js';
import { fieldOf, recordIsNull, rowConstructor, rowOrNull } from '../functions/index.js';
import { as, type ast, fields, locationOf, stringOf } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import {
  baseTypeName,
  printType,
  type RecordShape,
  typeNamed,
  type TypeName,
} from '../types/index.js';
import { bindSubscripts, leadingSubscripts } from './array.js';
import { bool, coerceTo, nameOf } from './coerce.js';
import type { BindContext } from './context.js';
import { bindExpression, type Clause } from './expression.js';
import { findRelation, type ScopeColumn, type ScopeRelation } from './scope.js';

/** ROW(a, b.*, c): a record with fields f1, f2, ... */
export function bindRowExpression(
  context: BindContext,
  clause: Clause,
  body: ast.RowExpr,
): Expression {
  const { args = [] } = fields(context.source, 'RowExpr', body, ['args', 'row_format']);
  const values = args.flatMap((node) => bindEntry(context, clause, node));
  return context.locate(rowOf(values), locationOf(body));
}

/** An entry of ROW(...): one expression, or the columns of `t.*`. */
export function bindEntry(context: BindContext, clause: Clause, node: ast.Node): Expression[] {
  const reference = as(node, 'ColumnRef');
  if (as(reference?.fields?.at(-1), 'A_Star') !== undefined && reference !== undefined) {
    const path = (reference.fields ?? []).slice(0, -1).map(stringOf);
    const table = path.at(-1);
    const at = locationOf(reference);
    const columns =
      table === undefined
        ? clause.scope.visible
        : findRelation(context, clause.scope, path.at(-2), table, at).columns;
    return columns
      .filter(({ unlisted }) => unlisted !== true)
      .map(({ expression }) => context.locate({ ...expression }, at));
  }
  const star = bindStarOf(context, clause, node);
  if (star !== undefined) return star.map(({ expression }) => expression);
  return [bindExpression(context, clause, node)];
}

/** A record of values; a literal that nothing gives a type stays of unknown type. */
export function rowOf(values: readonly Expression[]): Expression {
  const shape: RecordShape = {
    fields: values.map((value, i) => ({
      name: `f${i + 1}`,
      type: nameOf(value),
      modifier: value.type.modifier,
    })),
  };
  const type = { name: 'record', modifier: -1, shape };
  return { kind: 'call', type, function: rowConstructor(shape), arguments: values };
}

/** The row of a relation of FROM as one value: of its table's row type, or a record. */
export function wholeRow(relation: ScopeRelation): Expression {
  const { rowType, nullable } = relation;
  const columns = relation.columns.filter(({ unlisted }) => unlisted !== true);
  const shape: RecordShape = {
    fields: columns.map(({ name, expression }) => ({
      name,
      type: nameOf(expression),
      modifier: expression.type.modifier,
    })),
  };
  const made = rowConstructor(shape, rowType ?? 'record');
  return {
    kind: 'call',
    type: { name: rowType ?? 'record', modifier: -1, shape },
    function: nullable === true ? rowOrNull(made) : made,
    arguments: columns.map(({ expression }) => expression),
  };
}

/** `expression[1].field[2:3]`: a chain; a star at its end is for those who take several values. */
export function bindIndirection(
  context: BindContext,
  clause: Clause,
  body: ast.A_Indirection,
): Expression {
  const { arg, indirection = [] } = fields(context.source, 'A_Indirection', body, [
    'arg',
    'indirection',
  ]);
  const container = bindExpression(context, clause, must(arg, 'a chain begins with something'));
  return follow(context, clause, container, indirection);
}

/** Follows subscripts and fields from an expression. */
export function follow(
  context: BindContext,
  clause: Clause,
  container: Expression,
  nodes: readonly ast.Node[],
): Expression {
  const [first, ...rest] = nodes;
  if (first === undefined) return container;
  const at = context.locationOf(container);
  if (as(first, 'A_Star') !== undefined) {
    context.raise(at, 'syntax_error', 'row expansion via "*" is not supported here');
  }
  const subscripts = leadingSubscripts(nodes);
  if (subscripts.length > 0) {
    const part = bindSubscripts(context, clause, container, subscripts);
    return follow(context, clause, context.locate(part, at), nodes.slice(subscripts.length));
  }
  const field = bindField(context, container, stringOf(first));
  return follow(context, clause, context.locate(field, at), rest);
}

/** The fields of an expression of a record's type; undefined where they are not known. */
export function shapeOf(expression: Expression): RecordShape | undefined {
  const { form } = typeNamed(baseTypeName(nameOf(expression)));
  return form?.kind === 'composite' ? form.shape : expression.type.shape;
}

function bindField(context: BindContext, record: Expression, name: string): Expression {
  const shape = shapeOf(record);
  const index = shape?.fields.findIndex((field) => field.name === name) ?? -1;
  if (shape === undefined || index < 0) return noField(context, record, name);
  return fieldAt(context, record, shape, index);
}

function fieldAt(
  context: BindContext,
  record: Expression,
  shape: RecordShape,
  index: number,
): Expression {
  // The field of a row that is written out is what was written.
  const isRow = record.kind === 'call' && record.function.name.startsWith('row ');
  const direct = isRow ? record.arguments[index] : undefined;
  if (direct !== undefined && nameOf(direct) !== 'unknown' && !isOrNull(record)) return direct;
  const base = baseTypeName(nameOf(record));
  const made = fieldOf(base, shape, index);
  return {
    kind: 'call',
    type: { name: made.result, modifier: made.modifier },
    function: made,
    arguments: [coerceTo(context, record, base)],
  };
}

function isOrNull(record: Expression): boolean {
  return record.kind === 'call' && record.function.name.endsWith(' or null');
}

function noField(context: BindContext, record: Expression, name: string): never {
  const at = context.locationOf(record);
  const type = nameOf(record);
  if (type === 'record') {
    const text = `could not identify column "${name}" in record data type`;
    context.raise(at, 'undefined_column', text);
  }
  const shown = printType(type, -1);
  if (shapeOf(record) !== undefined) {
    const text = `column "${name}" not found in data type ${shown}`;
    context.raise(at, 'undefined_column', text);
  }
  const text = `column notation .${name} applied to type ${shown}, which is not a composite type`;
  context.raise(at, 'wrong_object_type', text);
}

/** The fields of `(record).*` as columns; undefined for a node that is no such expansion. */
export function bindStarOf(
  context: BindContext,
  clause: Clause,
  node: ast.Node,
): readonly ScopeColumn[] | undefined {
  const body = as(node, 'A_Indirection');
  if (body === undefined || as(body.indirection?.at(-1), 'A_Star') === undefined) return undefined;
  const inner: ast.Node = {
    A_Indirection: { ...body, indirection: body.indirection?.slice(0, -1) ?? [] },
  };
  const record = bindExpression(context, clause, inner);
  const shape = shapeOf(record);
  if (shape !== undefined) {
    return shape.fields.map(({ name }, i) => ({
      name,
      expression: context.relocate(fieldAt(context, record, shape, i), record),
    }));
  }
  const at = context.locationOf(record);
  if (nameOf(record) === 'record') {
    context.raise(at, 'wrong_object_type', 'record type has not been registered');
  }
  const text = `type ${printType(record.type.name, -1)} is not composite`;
  return context.raise(at, 'wrong_object_type', text);
}

/** IS [NOT] NULL of a record asks its fields; undefined for other types. */
export function bindRecordNullTest(operand: Expression, negated: boolean): Expression | undefined {
  const base: TypeName = baseTypeName(nameOf(operand));
  if (base !== 'record' && typeNamed(base).form?.kind !== 'composite') return undefined;
  const made = recordIsNull(base, negated);
  return { kind: 'call', type: bool, function: made, arguments: [operand] };
}
