/** Prints bound expressions as PostgreSQL's EXPLAIN does. */
import { quotedText } from '../functions/index.js';
import { unreachable } from '../../base/assert.js';
import type { ColumnId, Expression } from '../plan/expression.js';
import { type FunctionContext, printType, typeNamed } from '../types/index.js';

/** The name of a column. */
export type Names = (column: ColumnId) => string;

/** Constants are printed with the session's settings. */
export function printExpression(
  expression: Expression,
  names: Names,
  functions: FunctionContext,
): string {
  const show = (part: Expression): string => printExpression(part, names, functions);
  const list = (parts: readonly Expression[]): string => parts.map(show).join(', ');
  switch (expression.kind) {
    case 'constant':
      return printConstant(expression, functions);
    case 'parameter':
      return `$${expression.number}`;
    case 'column':
      return names(expression.column);
    case 'outer':
      return names(expression.column);
    case 'subquery':
      return '(SubPlan)';
    case 'nextValue':
      return `nextval('${expression.sequence.name}')`;
    case 'call':
      return printCall(expression, show);
    case 'and':
    case 'or':
      return `(${expression.operands.map(show).join(expression.kind === 'and' ? ' AND ' : ' OR ')})`;
    case 'not':
      return `(NOT ${show(expression.operand)})`;
    case 'isNull':
      return `(${show(expression.operand)} IS ${expression.negated ? 'NOT ' : ''}NULL)`;
    case 'isBoolean': {
      const value = expression.value ? 'TRUE' : 'FALSE';
      return `(${show(expression.operand)} IS ${expression.negated ? 'NOT ' : ''}${value})`;
    }
    case 'isDistinct': {
      const verb = expression.negated ? 'IS NOT DISTINCT FROM' : 'IS DISTINCT FROM';
      return `(${show(expression.left)} ${verb} ${show(expression.right)})`;
    }
    case 'case': {
      const branches = expression.branches.map(
        ({ when, then }) => `WHEN ${show(when)} THEN ${show(then)}`,
      );
      return `CASE ${branches.join(' ')} ELSE ${show(expression.otherwise)} END`;
    }
    case 'toDomain':
      return `(${show(expression.operand)})::${printType(expression.type.name, -1)}`;
    case 'coalesce':
      return `COALESCE(${list(expression.operands)})`;
    case 'extreme':
      return `${expression.greatest ? 'GREATEST' : 'LEAST'}(${list(expression.operands)})`;
    case 'in': {
      const verb = expression.negated ? 'NOT IN' : 'IN';
      return `(${show(expression.operand)} ${verb} (${list(expression.list)}))`;
    }
    default:
      return unreachable(expression);
  }
}

function printCall(
  { function: called, arguments: values, type }: Extract<Expression, { readonly kind: 'call' }>,
  show: (part: Expression) => string,
): string {
  const [first, second] = values;
  if (called.print !== undefined) return called.print(values.map(show));
  if (called.form === 'operator' && first !== undefined) {
    if (second === undefined) return `(${called.name} ${show(first)})`;
    return `(${show(first)} ${called.name} ${show(second)})`;
  }
  if (called.form === 'cast' && first !== undefined) {
    return `(${show(first)})::${printType(type.name, type.modifier)}`;
  }
  return `${called.name}(${values.map(show).join(', ')})`;
}

/** Types whose constants show without quotes. */
const bare: ReadonlySet<string> = new Set([
  'int2',
  'int4',
  'int8',
  'oid',
  'float4',
  'float8',
  'numeric',
  'bool',
]);

function printConstant(
  { type, value }: Extract<Expression, { readonly kind: 'constant' }>,
  functions: FunctionContext,
): string {
  const name = printType(type.name, type.modifier);
  if (value === null) return `NULL::${name}`;
  const text = typeNamed(type.name).print(value, functions);
  if (bare.has(type.name)) return text;
  return `${quotedText(text)}::${name}`;
}
