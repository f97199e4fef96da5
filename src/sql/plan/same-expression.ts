/** Whether expressions compute the same. */
import { typeNamed } from '../types/index.js';
import type { Expression } from './expression.js';
import type { Subquery } from './subquery.js';

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

/** Columns within one subquery and those that stand for them in another. */
type Renamed = Map<number, number>;

/** `renamed` is given within subqueries, which name their columns each for itself. */
export function sameData(a: unknown, b: unknown, renamed?: Renamed): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  // Casts with a length are made anew for each call; what they do is in their names and types.
  if ('implementation' in a && 'implementation' in b) return sameFunction(a, b);
  if (isConstant(a) && isConstant(b)) return sameConstant(a, b);
  if (isSubquery(a) && isSubquery(b)) return sameSubquery(a, b, renamed);
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => {
    const [own, other] = [field(a, key), field(b, key)];
    if (renamed === undefined || !naming.has(key)) return sameData(own, other, renamed);
    return sameName(own, other, renamed) ?? sameData(own, other, renamed);
  });
}

/** Fields that name columns and tables of WITH. */
const naming: ReadonlySet<string> = new Set(['column', 'table', 'id']);

function sameName(a: unknown, b: unknown, renamed: Renamed): boolean | undefined {
  if (typeof a !== 'number' || typeof b !== 'number') return undefined;
  const known = renamed.get(a);
  if (known === undefined) renamed.set(a, b);
  return known === undefined || known === b;
}

function isSubquery(data: object): data is Subquery {
  return 'question' in data && 'relation' in data && 'captures' in data;
}

/** The captures read the same, and the relations differ in the names of their columns only. */
function sameSubquery(a: Subquery, b: Subquery, around: Renamed | undefined): boolean {
  const renamed: Renamed = new Map(around);
  const captures = [...a.captures, ...a.operands];
  const others = [...b.captures, ...b.operands];
  const sameCaptures =
    a.captures.length === b.captures.length &&
    captures.length === others.length &&
    captures.every(({ column, expression }, i) => {
      const other = others[i];
      if (other === undefined || !sameData(expression, other.expression, around)) return false;
      renamed.set(column, other.column);
      return true;
    });
  return (
    sameCaptures &&
    sameData(a.relation, b.relation, renamed) &&
    sameData(a.question, b.question, renamed)
  );
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
