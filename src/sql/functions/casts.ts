import type { FunctionContext, TypeName, Value } from '../types/index.js';
import type { CastContext, Coercion } from './function.js';

/**
 * How an expression of type `source` becomes a value of `target` with `modifier`; undefined when
 * there is no such cast in this context (the caller raises 42846 or 42804). The result's function
 * includes the length coercion: silent when explicit, 22001 on assignment. `unknown` expressions
 * (not literals) convert as text does.
 */
export declare function findCoercion(
  source: TypeName,
  target: TypeName,
  modifier: number,
  context: CastContext,
): Coercion | undefined;

/**
 * The value of an unknown literal as `target`, as the type's input function reads it, then fitted to
 * the modifier: silently when explicit. Raises the input's errors.
 */
export declare function readLiteral(
  text: string,
  target: TypeName,
  modifier: number,
  context: Exclude<CastContext, 'implicit'>,
  functions: FunctionContext,
): Value;
