/**
 * Compiles bound expressions to closures over a row. The shapes that filters of large scans have
 * (a column compared with a constant or a parameter) get closures without calls in them. No user
 * text is ever evaluated as code.
 */
import { assert, unreachable } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { SequenceDescriptor } from '../catalogue/descriptor.js';
import type { ScalarFunction } from '../functions/index.js';
import type { Expression } from '../plan/expression.js';
import { type HashKey, printType, typeNamed, type Value } from '../types/index.js';
import { compileCall } from './call.js';
import type { ExecutionContext } from './execution.js';
import { outerValue } from './nested.js';
import { type Evaluate, type Scope, slotOf, type Test } from './scope.js';
import { takeNumber } from './sequence.js';

type Of<Kind extends Expression['kind']> = Extract<Expression, { readonly kind: Kind }>;

export function compileExpression(expression: Expression, scope: Scope): Evaluate {
  switch (expression.kind) {
    case 'constant': {
      const { value } = expression;
      return () => value;
    }
    case 'parameter': {
      const index = expression.number - 1;
      return (_, context) => context.parameters[index] as Value;
    }
    case 'column': {
      const slot = slotOf(scope, expression.column);
      return (row) => row[slot] as Value;
    }
    case 'outer': {
      const { column } = expression;
      return (_, context) => outerValue(context, column);
    }
    case 'subquery':
      return assert(false, 'planning makes operators of subqueries') as never;
    case 'nextValue':
      return compileNextValue(expression.sequence, expression.type.name);
    case 'call':
      return compileCall(
        expression,
        expression.arguments.map((argument) => compileExpression(argument, scope)),
        scope,
      );
    case 'and':
      return compileConnective(expression.operands, false, scope);
    case 'or':
      return compileConnective(expression.operands, true, scope);
    case 'not': {
      const operand = compileExpression(expression.operand, scope);
      return (row, context) => {
        const value = operand(row, context);
        return value === null ? null : value === false;
      };
    }
    case 'isNull': {
      const operand = compileExpression(expression.operand, scope);
      const { negated } = expression;
      return (row, context) => (operand(row, context) === null) !== negated;
    }
    case 'isBoolean': {
      const operand = compileExpression(expression.operand, scope);
      const { value, negated } = expression;
      return (row, context) => (operand(row, context) === value) !== negated;
    }
    case 'isDistinct':
      return compileIsDistinct(expression, scope);
    case 'case':
      return compileCase(expression, scope);
    case 'toDomain':
      return compileToDomain(expression, scope);
    case 'coalesce':
      return compileCoalesce(expression.operands, scope);
    case 'extreme':
      return compileExtreme(expression, scope);
    case 'in':
      return compileIn(expression, scope);
    default:
      return unreachable(expression);
  }
}

/** Compiles a condition for those who only ask whether it is true. */
export function compileTest(condition: Expression, scope: Scope): Test {
  if (condition.kind === 'and') {
    const all = condition.operands.map((part) => compileTest(part, scope));
    const [first, second] = all;
    if (first !== undefined && second !== undefined && all.length === 2) {
      return (row, context) => first(row, context) && second(row, context);
    }
    return (row, context) => all.every((test) => test(row, context));
  }
  if (condition.kind === 'or') {
    const any = condition.operands.map((part) => compileTest(part, scope));
    return (row, context) => any.some((test) => test(row, context));
  }
  const evaluate = compileExpression(condition, scope);
  return (row, context) => evaluate(row, context) === true;
}

/** The function that compares two values of a bound equality. */
function compileEquals(
  equals: ScalarFunction,
): (a: Value, b: Value, context: ExecutionContext) => Value {
  const { implementation, usesContext } = equals;
  if (usesContext) return (a, b, context) => implementation(context.functions, a, b);
  return (a, b) => implementation(a, b);
}

/** AND (`decisive` is false) or OR (true): the decisive value decides, else NULL, else the other. */
function compileConnective(
  operands: readonly Expression[],
  decisive: boolean,
  scope: Scope,
): Evaluate {
  const compiled = operands.map((operand) => compileExpression(operand, scope));
  return (row, context) => {
    let result: Value = !decisive;
    for (const operand of compiled) {
      const value = operand(row, context);
      if (value === decisive) return decisive;
      if (value === null) result = null;
    }
    return result;
  };
}

function compileIsDistinct(expression: Of<'isDistinct'>, scope: Scope): Evaluate {
  const left = compileExpression(expression.left, scope);
  const right = compileExpression(expression.right, scope);
  const equals = compileEquals(expression.equals);
  const { negated } = expression;
  return (row, context) => {
    const a = left(row, context);
    const b = right(row, context);
    const distinct = a === null || b === null ? a !== b : equals(a, b, context) !== true;
    return distinct !== negated;
  };
}

function compileCase(expression: Of<'case'>, scope: Scope): Evaluate {
  const branches = expression.branches.map(({ when, then }) => ({
    when: compileTest(when, scope),
    // biome-ignore lint/suspicious/noThenProperty: a branch of CASE, never awaited
    then: compileExpression(then, scope),
  }));
  const otherwise = compileExpression(expression.otherwise, scope);
  return (row, context) => {
    for (const { when, then } of branches) if (when(row, context)) return then(row, context);
    return otherwise(row, context);
  };
}

function compileCoalesce(operands: readonly Expression[], scope: Scope): Evaluate {
  const compiled = operands.map((operand) => compileExpression(operand, scope));
  return (row, context) => {
    for (const operand of compiled) {
      const value = operand(row, context);
      if (value !== null) return value;
    }
    return null;
  };
}

function compileToDomain(expression: Of<'toDomain'>, scope: Scope): Evaluate {
  const operand = compileExpression(expression.operand, scope);
  const own: Scope = { ...scope, slots: new Map([[expression.column, 0]]) };
  const checks = expression.checks.map(({ name, condition }) => ({
    name,
    holds: compileExpression(condition, own),
  }));
  const { notNull } = expression;
  const domain = printType(expression.type.name, -1);
  return (row, context) => {
    const value = operand(row, context);
    if (value === null && notNull) {
      raise('not_null_violation', `domain ${domain} does not allow null values`);
    }
    for (const { name, holds } of checks) {
      if (holds([value], context) !== false) continue;
      const text = `value for domain ${domain} violates check constraint "${name}"`;
      raise('check_violation', text, { constraint: name });
    }
    return value;
  };
}

function compileExtreme(expression: Of<'extreme'>, scope: Scope): Evaluate {
  const operands = expression.operands.map((operand) => compileExpression(operand, scope));
  const less = compileEquals(expression.less);
  const { greatest } = expression;
  return (row, context) => {
    let extreme: Value = null;
    for (const operand of operands) {
      const value = operand(row, context);
      if (value === null) continue;
      const better =
        extreme === null ||
        (greatest ? less(extreme, value, context) : less(value, extreme, context)) === true;
      if (better) extreme = value;
    }
    return extreme;
  };
}

function compileIn(expression: Of<'in'>, scope: Scope): Evaluate {
  const byHash = compileInSet(expression, scope);
  if (byHash !== undefined) return byHash;
  const operand = compileExpression(expression.operand, scope);
  const list = expression.list.map((item) => compileExpression(item, scope));
  const equals = compileEquals(expression.equals);
  const { negated } = expression;
  return (row, context) => {
    const value = operand(row, context);
    if (value === null) return null;
    let found: Value = false;
    for (const item of list) {
      const candidate = item(row, context);
      if (candidate === null) found = null;
      else if (equals(value, candidate, context) === true) return !negated;
    }
    return found === null ? null : negated;
  };
}

/** A list of constants is a set. */
function compileInSet(expression: Of<'in'>, scope: Scope): Evaluate | undefined {
  const [left, right] = expression.equals.parameters;
  if (left === undefined || left !== right || expression.equals.comparison !== '=') {
    return undefined;
  }
  const { hashKey } = typeNamed(left);
  if (hashKey === undefined) return undefined;
  const set = new Set<HashKey>();
  let hasNull = false;
  for (const item of expression.list) {
    if (item.kind !== 'constant') return undefined;
    if (item.value === null) hasNull = true;
    else set.add(hashKey(item.value));
  }
  const operand = compileExpression(expression.operand, scope);
  const { negated } = expression;
  return (row, context) => {
    const value = operand(row, context);
    if (value === null) return null;
    if (set.has(hashKey(value))) return !negated;
    return hasNull ? null : negated;
  };
}

function compileNextValue(sequence: SequenceDescriptor, type: string): Evaluate {
  const asNumber = type !== 'int8';
  return (_, context) => {
    const value = nextValue(sequence, context);
    return asNumber ? Number(value) : value;
  };
}

/** Takes the next number of a sequence, as `nextval` does. Raises 2200H beyond its bound. */
function nextValue(sequence: SequenceDescriptor, context: ExecutionContext): bigint {
  const value = takeNumber(sequence, context);
  context.functions.sequences?.given(sequence.object, value);
  return value;
}
