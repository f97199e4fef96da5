import type { TypeName } from '../types/index.js';
import type { ResolvedCall, ScalarFunction } from './function.js';

/**
 * The operator for these argument types (chapter 10.2); `left` is undefined for a prefix operator.
 * Raises 42883 or 42725 with PostgreSQL's text and hint.
 */
export declare function resolveOperator(
  name: string,
  left: TypeName | undefined,
  right: TypeName,
): ScalarFunction;

/** How a function is called. */
export interface CallForm {
  /** `count(*)`. */
  readonly star?: boolean;
}

/**
 * The function or aggregate for these argument types (chapter 10.3); `name` in lower case as the
 * parser gives it. Raises 42883 or 42725 with PostgreSQL's text and hint.
 */
export declare function resolveFunction(
  name: string,
  argumentTypes: readonly TypeName[],
  form?: CallForm,
): ResolvedCall;

/**
 * CURRENT_DATE, CURRENT_TIMESTAMP, CURRENT_USER...: `name` is the SQL word in lower case without its
 * precision, such as `current_timestamp` or `localtime`; `precision` is -1 without.
 */
export declare function resolveSqlValue(name: string, precision: number): ScalarFunction;
