/** Functions behind constructs with a syntax of their own: each is made for one place in a statement. */
import type { TypeName, Value } from '../types/index.js';
import type { Implementation, ScalarFunction } from './function.js';

export interface ConstructOptions {
  /** Says all that tells this function from others of the same types. */
  readonly name: string;
  readonly parameters: readonly TypeName[];
  readonly result: TypeName;
  readonly modifier?: number;
  readonly strict: boolean;
  readonly print: (operands: readonly string[]) => string;
}

export function construct(
  options: ConstructOptions,
  implementation: (...values: Value[]) => Value,
): ScalarFunction {
  return {
    ...options,
    form: 'syntax',
    modifier: options.modifier ?? -1,
    volatility: 'immutable',
    usesContext: false,
    implementation: implementation as Implementation,
    commutator: undefined,
    negator: undefined,
    comparison: undefined,
  };
}
