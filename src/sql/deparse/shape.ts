/** Which expressions need parentheses in which others: isSimpleNode() of ruleutils.c. */

/** What an expression looks like to the one around it. */
export type Shape =
  /** Names, constants, calls, and whatever has brackets of its own. */
  | { readonly kind: 'simple' }
  /** An operator; `name` is undefined for a prefix one. */
  | { readonly kind: 'operator'; readonly name: string | undefined }
  | { readonly kind: 'bool'; readonly operator: 'and' | 'or' | 'not' }
  /** IS NULL and its like, subqueries. */
  | { readonly kind: 'test' }
  /** `x::type`, as what is cast. */
  | { readonly kind: 'cast'; readonly of: Shape }
  | { readonly kind: 'other' };

/** Where an expression stands. */
export type Around =
  /** Between the brackets of a call, CASE, ARRAY[] and their like. */
  | { readonly kind: 'call' }
  | { readonly kind: 'operator'; readonly name: string | undefined; readonly first: boolean }
  | { readonly kind: 'bool'; readonly operator: 'and' | 'or' | 'not' }
  | { readonly kind: 'test' }
  | { readonly kind: 'cast' }
  | { readonly kind: 'other' };

export const simple: Shape = { kind: 'simple' };

/** Whether pretty printing leaves the parentheses out. */
export function isSimple(shape: Shape, around: Around): boolean {
  switch (shape.kind) {
    case 'simple':
      return true;
    case 'cast':
      return isSimple(shape.of, { kind: 'cast' });
    case 'operator':
      return around.kind === 'operator' ? bindsTighter(shape, around) : standsApart(around);
    case 'test':
      return standsApart(around);
    case 'bool':
      if (around.kind !== 'bool') return around.kind === 'call';
      if (shape.operator === 'or') return around.operator === 'or';
      return around.operator === 'and' || around.operator === 'or';
    case 'other':
      return false;
  }
}

function standsApart({ kind }: Around): boolean {
  return kind === 'call' || kind === 'bool';
}

/** Only of + - * / % it is known which binds tighter. */
function bindsTighter(
  { name }: Extract<Shape, { kind: 'operator' }>,
  around: Extract<Around, { kind: 'operator' }>,
): boolean {
  const own = rankOf(name);
  const outer = rankOf(around.name);
  if (own === undefined || outer === undefined) return false;
  return own > outer || (own === outer && around.first);
}

function rankOf(name: string | undefined): number | undefined {
  if (name === '+' || name === '-') return 1;
  return name === '*' || name === '/' || name === '%' ? 2 : undefined;
}
