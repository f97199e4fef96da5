/**
 * From the type that an expression has to the one that its place wants, by PostgreSQL's rules
 * (chapter 10 of its manual): literals and parameters of unknown type take the type wanted.
 */
import { assert, must } from '../../base/assert.js';
import {
  type CastContext,
  findCoercion,
  readLiteral,
  resolveCommonType,
  rowConstructor,
} from '../functions/index.js';
import type { Expression, ExpressionType } from '../plan/expression.js';
import {
  baseTypeName,
  printType,
  type RecordShape,
  type TypeForm,
  typeNamed,
  type TypeName,
} from '../types/index.js';
import type { BindContext } from './context.js';
import { bindDomainCheck } from './domain.js';
import { isRegisteredType, registeredValue } from './registered.js';
import type { BoundType } from './type-name.js';

export const bool: ExpressionType = { name: 'bool', modifier: -1 };

/** The name of an expression's type. All types of bound expressions are names of the registry. */
export function nameOf(expression: Expression): TypeName {
  return expression.type.name as TypeName;
}

export function isUnknown(expression: Expression): boolean {
  return expression.type.name === 'unknown';
}

export function typeOf(name: TypeName): BoundType {
  return { name, modifier: -1 };
}

/**
 * `expression` as a value of `target`; undefined when there is no such cast in this context. Raises
 * what reading a literal raises.
 */
export function coerce(
  context: BindContext,
  expression: Expression,
  target: BoundType,
  how: CastContext,
  /** Where the cast stands, if it is written. */
  at?: number,
): Expression | undefined {
  if (isUnknown(expression)) {
    const { form } = typeNamed(target.name);
    if (form?.kind === 'domain') return toDomain(context, expression, target, form, how);
    if (expression.kind === 'constant') return literal(context, expression, target, how);
    if (expression.kind === 'parameter') return parameter(context, expression, target, how);
  }
  const same = expression.type.name === target.name;
  const { form } = typeNamed(target.name);
  if (form?.kind === 'domain' && !same) return toDomain(context, expression, target, form, how);
  if (form?.kind === 'composite' && isRow(expression)) {
    return rowAs(context, expression, target, { shape: form.shape, how, at });
  }
  if (same && (target.modifier === -1 || target.modifier === expression.type.modifier)) {
    return expression;
  }
  const coercion = findCoercion(nameOf(expression), target.name, target.modifier, how);
  if (coercion === undefined) return undefined;
  const relabelled = { ...expression, type: target } as Expression;
  if (coercion.kind === 'relabel') return context.relocate(relabelled, expression);
  return context.relocate(
    { kind: 'call', type: target, function: coercion.function, arguments: [expression] },
    expression,
  );
}

/** A value of the base type that is checked to be one of the domain. */
function toDomain(
  context: BindContext,
  expression: Expression,
  target: BoundType,
  form: Extract<TypeForm, { kind: 'domain' }>,
  how: CastContext,
): Expression | undefined {
  const { base, modifier, notNull } = form;
  const operand = coerce(context, expression, { name: base, modifier }, how);
  if (operand === undefined) return undefined;
  const column = context.nextColumn();
  const value: Expression = { kind: 'column', type: { name: base, modifier }, column };
  const checks = form.checks.map(({ name, sql }) => {
    const condition = bindDomainCheck(context, sql, value);
    return { name, condition };
  });
  return context.relocate(
    { kind: 'toDomain', type: target, operand, column, notNull, checks },
    expression,
  );
}

type RowCall = Extract<Expression, { kind: 'call' }>;

function isRow(expression: Expression): expression is RowCall {
  return (
    expression.kind === 'call' &&
    expression.type.name === 'record' &&
    expression.function.name.startsWith('row ')
  );
}

/** A row that is written out becomes one of a composite type field by field, literals too. */
function rowAs(
  context: BindContext,
  row: RowCall,
  target: BoundType,
  cast: { readonly shape: RecordShape; readonly how: CastContext; readonly at: number | undefined },
): Expression | undefined {
  const { shape, how } = cast;
  const at = cast.at ?? context.locationOf(row);
  if (row.arguments.length !== shape.fields.length) {
    const more = row.arguments.length > shape.fields.length;
    const text = `cannot cast type record to ${printType(target.name, -1)}`;
    context.raise(at, 'cannot_coerce', text, {
      detail: `Input has too ${more ? 'many' : 'few'} columns.`,
    });
  }
  const values = row.arguments.map((value, i) => {
    const { type, modifier } = must(shape.fields[i], 'as many fields');
    const coerced = coerce(context, value, { name: type, modifier }, how);
    if (coerced !== undefined) return coerced;
    const text = `cannot cast type record to ${printType(target.name, -1)}`;
    const types = `${printType(value.type.name, -1)} to type ${printType(type, -1)}`;
    return context.raise(at, 'cannot_coerce', text, {
      detail: `Cannot cast type ${types} in column ${i + 1}.`,
    });
  });
  const made = rowConstructor(shape, target.name);
  return context.relocate({ kind: 'call', type: target, function: made, arguments: values }, row);
}

function literal(
  context: BindContext,
  expression: Extract<Expression, { kind: 'constant' }>,
  target: BoundType,
  how: CastContext,
): Expression {
  if (target.name === 'unknown') return expression;
  const text = expression.value;
  if (text === null) return context.relocate({ ...expression, type: target }, expression);
  assert(typeof text === 'string', 'an unknown literal is a text');
  const { name } = target;
  if (isRegisteredType(name)) {
    const value = context.at(context.locationOf(expression), () =>
      registeredValue(context, name, text),
    );
    return context.relocate({ kind: 'constant', type: target, value }, expression);
  }
  const reading = how === 'explicit' ? 'explicit' : 'assignment';
  let value = context.at(context.locationOf(expression), () =>
    readLiteral(text, target.name, -1, reading, context.functions),
  );
  // What does not fit the length is the value's fault, not the text's: it has no position.
  if (target.modifier !== -1) {
    value = readLiteral(text, target.name, target.modifier, reading, context.functions);
  }
  return context.relocate({ kind: 'constant', type: target, value }, expression);
}

function parameter(
  context: BindContext,
  expression: Extract<Expression, { kind: 'parameter' }>,
  target: BoundType,
  how: CastContext,
): Expression | undefined {
  if (target.name === 'unknown') return expression;
  const { number } = expression;
  const decided = baseTypeName(target.name);
  context.at(context.locationOf(expression), () => context.parameters.decide(number, decided));
  const typed = context.relocate({ ...expression, type: typeOf(decided) }, expression);
  return coerce(context, typed, target, how);
}

/** As `coerce`, where the registry has said that the cast exists. */
export function coerceTo(
  context: BindContext,
  expression: Expression,
  target: TypeName,
): Expression {
  const coerced = coerce(context, expression, typeOf(target), 'implicit');
  assert(coerced !== undefined, 'an implicit cast is missing', expression.type.name, target);
  return coerced;
}

/** `construct` is the clause in PostgreSQL's words: `WHERE`, `AND`, `JOIN/ON`. */
export function coerceToBool(
  context: BindContext,
  expression: Expression,
  construct: string,
): Expression {
  const coerced = coerce(context, expression, typeOf('bool'), 'assignment');
  if (coerced !== undefined) return coerced;
  const type = printType(expression.type.name, expression.type.modifier);
  context.raise(
    context.locationOf(expression),
    'datatype_mismatch',
    `argument of ${construct} must be type boolean, not type ${type}`,
  );
}

/** Brings all to one type: that of UNION, CASE, VALUES and their like (chapter 10.5). */
export function coerceToCommon(
  context: BindContext,
  expressions: readonly Expression[],
  construct: string,
): { readonly type: BoundType; readonly expressions: readonly Expression[] } {
  const type = commonType(context, expressions, construct);
  const coerced = expressions.map((expression) => {
    const result = coerce(context, expression, type, 'implicit');
    if (result !== undefined) return result;
    const from = printType(expression.type.name, -1);
    return context.raise(
      context.locationOf(expression),
      'cannot_coerce',
      `${construct} could not convert type ${from} to ${printType(type.name, -1)}`,
    );
  });
  return { type, expressions: coerced };
}

/** The common type; an error is placed at the first expression that does not fit. */
export function commonType(
  context: BindContext,
  expressions: readonly Expression[],
  construct: string,
): BoundType {
  const types = expressions.map(nameOf);
  const name = context.at(undefined, () => {
    try {
      return resolveCommonType(types, construct);
    } catch (error) {
      for (let count = 2; count < types.length; count += 1) {
        const culprit = expressions[count - 1];
        const location = culprit === undefined ? undefined : context.locationOf(culprit);
        context.at(location, () => resolveCommonType(types.slice(0, count), construct));
      }
      const last = expressions.at(-1);
      return context.at(last && context.locationOf(last), (): never => {
        throw error;
      });
    }
  });
  const [first] = expressions;
  const same = expressions.every(
    (e) => e.type.name === first?.type.name && e.type.modifier === first.type.modifier,
  );
  return { name, modifier: same && first?.type.name === name ? first.type.modifier : -1 };
}

/** An output column of unknown type is text, as PostgreSQL's resolveTargetListUnknowns says. */
export function settled(context: BindContext, expression: Expression): Expression {
  return isUnknown(expression) ? coerceTo(context, expression, 'text') : expression;
}
