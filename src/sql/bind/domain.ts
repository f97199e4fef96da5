/** Checks of domains, which are kept as SQL over VALUE. */
import { parseExpression } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { coerceToBool } from './coerce.js';
import type { BindContext } from './context.js';
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
