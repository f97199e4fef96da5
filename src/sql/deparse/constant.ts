/** Constants as get_const_expr() of ruleutils.c prints them. */
import { quoteLiteral } from '../functions/index.js';
import type { Expression } from '../plan/expression.js';
import { type FunctionContext, type NamedOid, typeNamed, type Value } from '../types/index.js';

export type Constant = Extract<Expression, { kind: 'constant' }>;

const registered = /^reg[a-z]+$/;

/** `label`: `always`, as the type needs it, or `never`. `typeText` prints a type. */
export function constantText(
  { type, value }: Constant,
  label: 'needed' | 'never',
  functions: FunctionContext,
  typeText: (name: string, modifier: number) => string,
): string {
  const shown = label === 'never' ? '' : `::${typeText(type.name, type.modifier)}`;
  if (value === null) return `NULL${shown}`;
  const text = textOf(type.name, value, functions);
  switch (type.name) {
    case 'bool':
      return value === true ? 'true' : 'false';
    case 'int4':
      return text.startsWith('-') ? `'${text}'${shown}` : text;
    case 'unknown':
      return quoteLiteral(text);
    case 'numeric':
      if (!/^\d[\d]*[.eE]/.test(text)) return `'${text}'${shown}`;
      return type.modifier >= 0 ? `${text}${shown}` : text;
    default:
      return `${quoteLiteral(text)}${shown}`;
  }
}

function textOf(type: string, value: Value, functions: FunctionContext): string {
  if (!registered.test(type)) return typeNamed(type).print(value, functions);
  const { oid, name } = value as NamedOid;
  return name ?? String(oid);
}
