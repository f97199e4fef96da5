/** Whether a value is one of a domain, for those who read values inside of others. */
import { raise } from '../../base/errors.js';
import type { FunctionContext, Type } from './type.js';
import type { Value } from './value.js';

/**
 * Raises 23502 or 23514 for a value, perhaps NULL, that is not one of `type` if that is a domain; and
 * 0A000 where checks cannot be evaluated.
 */
export function checkDomain(
  context: FunctionContext,
  { name, form }: Pick<Type, 'name' | 'form'>,
  value: Value,
): void {
  if (form?.kind !== 'domain' || (!form.notNull && form.checks.length === 0)) return;
  if (context.checkDomain === undefined) {
    raise('feature_not_supported', 'checks of domains are not supported in this place');
  }
  context.checkDomain(name, value);
}
