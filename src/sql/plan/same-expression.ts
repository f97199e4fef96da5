/** Whether expressions compute the same. */
import { typeNamed } from '../types/index.js';
import type { Expression } from './expression.js';

/** Whether two bound expressions are the same computation over the same columns. */
export function sameExpression(a: Expression, b: Expression): boolean {
  if (a.kind === 'constant' && b.kind === 'constant') return sameConstant(a, b);
  return sameData(a, b);
}

function sameConstant(
  a: Extract<Expression, { kind: 'constant' }>,
  b: Extract<Expression, { kind: 'constant' }>,
): boolean {
  if (!sameData(a.type, b.type)) return false;
  if (a.value === null || b.value === null) return a.value === b.value;
  return a.value === b.value || typeNamed(a.type.name).equals?.(a.value, b.value) === true;
}

export function sameData(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  // Casts with a length are made anew for each call; what they do is in their names and types.
  if ('implementation' in a && 'implementation' in b) return sameFunction(a, b);
  if (isConstant(a) && isConstant(b)) return sameConstant(a, b);
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => sameData(field(a, key), field(b, key)));
}

function isConstant(data: object): data is Extract<Expression, { kind: 'constant' }> {
  return field(data, 'kind') === 'constant';
}

function sameFunction(a: object, b: object): boolean {
  const described = ['name', 'form', 'modifier', 'result', 'parameters'];
  return described.every((key) => sameData(field(a, key), field(b, key)));
}

function field(data: object, key: string): unknown {
  return (data as Record<string, unknown>)[key];
}
