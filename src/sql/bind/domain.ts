/** Checks of domains, which are kept as SQL over VALUE. */
import { must } from '../../base/assert.js';
import type { CatalogueLookup } from '../catalogue/index.js';
import { parseExpression, Source } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { baseTypeName, type FunctionContext, type TypeName } from '../types/index.js';
import { coerce, coerceToBool } from './coerce.js';
import { BindContext, ParameterTypes } from './context.js';
import { bindExpression, type Clause } from './expression.js';

/** The statement that made the check was bounded already. */
const checkLimits = { statementBytes: Number.MAX_SAFE_INTEGER };

/** The condition of a check, with `value` for VALUE. */
export function bindDomainCheck(context: BindContext, sql: string, value: Expression): Expression {
  const { source, node } = parseExpression(sql, checkLimits);
  const clause: Clause = {
    scope: { relations: [], visible: [{ name: 'value', expression: value }] },
    name: 'check constraint',
    aggregates: undefined,
  };
  const inner = context.within(source);
  return coerceToBool(inner, bindExpression(inner, clause, node), 'CHECK');
}

/** `$1`, a value of the base type or NULL, as a value of the domain. */
export function bindDomainValue(
  catalogue: CatalogueLookup,
  functions: FunctionContext,
  domain: TypeName,
): Expression {
  const base = baseTypeName(domain);
  const context = new BindContext(new Source(''), catalogue, functions, new ParameterTypes([base]));
  const given: Expression = {
    kind: 'parameter',
    type: { name: base, modifier: -1 },
    number: 1,
  };
  return must(coerce(context, given, { name: domain, modifier: -1 }, 'assignment'), 'its own base');
}
