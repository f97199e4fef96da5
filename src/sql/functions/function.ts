/** What functions, operators, casts and aggregates are to those who call them. */
import type { FunctionContext, TypeName, Value } from '../types/index.js';

/**
 * `immutable`: the same result for the same arguments, for ever. `stable`: within a statement.
 * `volatile`: may differ from call to call, so each row needs its own call.
 */
export type Volatility = 'immutable' | 'stable' | 'volatile';

/** Calls with the context first if `usesContext` is set, then the arguments in their types. */
export type Implementation = (...args: (Value | FunctionContext)[]) => Value;

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=';

/** A function, operator or cast, chosen for the types of its arguments. */
export interface ScalarFunction {
  readonly name: string;
  readonly form: 'function' | 'operator' | 'cast';
  /** The types that the arguments must be coerced to, one for each argument of the call. */
  readonly parameters: readonly TypeName[];
  readonly result: TypeName;
  /** The modifier of the result; -1 without. */
  readonly modifier: number;
  /** A strict function is never called with NULL: its result is NULL then. */
  readonly strict: boolean;
  readonly volatility: Volatility;
  readonly usesContext: boolean;
  readonly implementation: Implementation;
  /** For operators: `a op b` equals `b commutator a`. */
  readonly commutator: string | undefined;
  /** For operators: `a op b` equals `not (a negator b)`. */
  readonly negator: string | undefined;
  /**
   * Set for the comparisons that agree with the order of the types. When both parameters are one
   * type they agree with its `compare`, `hashKey` and key bytes.
   */
  readonly comparison: Comparison | undefined;
}

/**
 * An aggregate, chosen for the types of its arguments. `step` gives the state after a row; a state
 * is owned by its group and may be changed in place.
 */
export interface AggregateFunction {
  readonly name: string;
  readonly parameters: readonly TypeName[];
  readonly result: TypeName;
  /** Rows with a NULL argument are passed over without a step. */
  readonly strict: boolean;
  init(): AggregateState;
  step(
    state: AggregateState,
    first: Value,
    second: Value,
    context: FunctionContext,
  ): AggregateState;
  final(state: AggregateState, context: FunctionContext): Value;
  /** Approximate bytes of memory that the state holds now. */
  sizeOf(state: AggregateState): number;
  /** True when DISTINCT changes nothing (min, max, bool_and, bool_or). */
  readonly ignoresDuplicates: boolean;
}

/** Opaque to those who call. */
export type AggregateState = unknown;

/** What a call by name stands for. */
export type ResolvedCall =
  | { readonly kind: 'scalar'; readonly function: ScalarFunction }
  | { readonly kind: 'aggregate'; readonly function: AggregateFunction }
  /** `int4('1')`: an explicit cast of the only argument. */
  | { readonly kind: 'cast'; readonly target: TypeName };

/** As pg_cast.castcontext: what a cast may be used for without being asked. */
export type CastContext = 'implicit' | 'assignment' | 'explicit';

/** How a value becomes a value of another type. */
export type Coercion =
  /** The value is one of the target already. */
  { readonly kind: 'relabel' } | { readonly kind: 'call'; readonly function: ScalarFunction };
