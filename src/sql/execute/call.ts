/** Compiles calls of functions, operators and casts, with the hot shapes apart. */
import { unreachable } from '../../base/assert.js';
import type { Comparison, Implementation, ScalarFunction } from '../functions/index.js';
import type { Expression } from '../plan/expression.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { type Evaluate, type Scope, slotOf } from './scope.js';

type Call = Extract<Expression, { readonly kind: 'call' }>;

/** `operands` are the compiled arguments. */
export function compileCall(call: Call, operands: readonly Evaluate[], scope: Scope): Evaluate {
  const comparison = compileComparison(call, operands, scope);
  if (comparison !== undefined) return comparison;
  if (call.function.usesContext) return callWithContext(call.function, operands);
  const { implementation, strict } = call.function;
  const [first, second] = operands;
  if (strict && first !== undefined && operands.length === 1) {
    return (row, context) => {
      const value = first(row, context);
      return value === null ? null : implementation(value);
    };
  }
  if (strict && first !== undefined && second !== undefined && operands.length === 2) {
    return callOfTwo(implementation, first, second);
  }
  return (row, context) => {
    const values = evaluateAll(operands, row, context);
    return strict && values.includes(null) ? null : implementation(...values);
  };
}

/** All arguments are evaluated, also of a strict function: an error in one counts beside a NULL. */
function evaluateAll(operands: readonly Evaluate[], row: Row, context: ExecutionContext): Value[] {
  const values: Value[] = [];
  for (const operand of operands) values.push(operand(row, context));
  return values;
}

function callOfTwo(implementation: Implementation, first: Evaluate, second: Evaluate): Evaluate {
  return (row, context) => {
    const a = first(row, context);
    const b = second(row, context);
    return a === null || b === null ? null : implementation(a, b);
  };
}

function callWithContext(called: ScalarFunction, operands: readonly Evaluate[]): Evaluate {
  const { implementation, strict } = called;
  return (row, context) => {
    const values = evaluateAll(operands, row, context);
    if (strict && values.includes(null)) return null;
    return implementation(context.functions, ...values);
  };
}

/** Types whose values JavaScript's own operators compare as PostgreSQL does. Floats: NaN differs. */
const plainOrder: ReadonlySet<string> = new Set([
  'int2',
  'int4',
  'int8',
  'oid',
  'date',
  'timestamp',
  'timestamptz',
]);
/** Types whose equality is JavaScript's; their order is not (text sorts by UTF-8). */
const plainEquality: ReadonlySet<string> = new Set(['bool', 'text', 'varchar', 'name', 'uuid']);

function compileComparison(
  call: Call,
  operands: readonly Evaluate[],
  scope: Scope,
): Evaluate | undefined {
  const { comparison, parameters } = call.function;
  const [left, right] = parameters;
  if (comparison === undefined || left === undefined || left !== right) return undefined;
  const isEquality = comparison === '=' || comparison === '<>';
  if (!plainOrder.has(left) && !(isEquality && plainEquality.has(left))) return undefined;
  const [a, b] = call.arguments as readonly [Expression, Expression];
  if (a.kind === 'column' && b.kind === 'constant' && b.value !== null) {
    return compareColumnWithConstant(comparison, slotOf(scope, a.column), b.value);
  }
  const [first, second] = operands as readonly [Evaluate, Evaluate];
  return callOfTwo(plainComparisons[comparison] as Implementation, first, second);
}

/** Plain values: the casts below only tell the compiler so. */
type Plain = number;

function compareColumnWithConstant(comparison: Comparison, slot: number, value: Value): Evaluate {
  const constant = value as Plain;
  switch (comparison) {
    case '=':
      return (row) => (row[slot] === null ? null : row[slot] === constant);
    case '<>':
      return (row) => (row[slot] === null ? null : row[slot] !== constant);
    case '<':
      return (row) => (row[slot] === null ? null : (row[slot] as Plain) < constant);
    case '<=':
      return (row) => (row[slot] === null ? null : (row[slot] as Plain) <= constant);
    case '>':
      return (row) => (row[slot] === null ? null : (row[slot] as Plain) > constant);
    case '>=':
      return (row) => (row[slot] === null ? null : (row[slot] as Plain) >= constant);
    default:
      return unreachable(comparison);
  }
}

const plainComparisons: Readonly<Record<Comparison, (a: Plain, b: Plain) => boolean>> = {
  '=': (a, b) => a === b,
  '<>': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};
