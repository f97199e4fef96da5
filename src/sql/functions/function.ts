/** What functions, operators, casts and aggregates are to those who call them. */
import type { FunctionContext, Row, TypeName, Value } from '../types/index.js';

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
  readonly form: 'function' | 'operator' | 'cast' | 'syntax';
  /** How EXPLAIN shows a construct with a syntax of its own (form `syntax`), from its operands. */
  readonly print?: (operands: readonly string[]) => string;
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
  /**
   * `plain`; `orderedSet`: its arguments are the keys of WITHIN GROUP, and comes with direct arguments;
   * `hypothetical`: its direct arguments are a row that is ranked among the others.
   */
  readonly form: 'plain' | 'orderedSet' | 'hypothetical';
  /** Types of the arguments before WITHIN GROUP. */
  readonly direct: readonly TypeName[];
  init(): AggregateState;
  step(
    state: AggregateState,
    first: Value,
    second: Value,
    context: FunctionContext,
  ): AggregateState;
  final(state: AggregateState, context: FunctionContext, direct: readonly Value[]): Value;
  /**
   * Takes the row that was stepped with first out of the state again, for frames that move; undefined
   * where that is not exact. Gives undefined when this state must be made anew.
   */
  readonly inverse:
    | ((state: AggregateState, first: Value, second: Value) => AggregateState | undefined)
    | undefined;
  /** Approximate bytes of memory that the state holds now. */
  sizeOf(state: AggregateState): number;
  /** True when DISTINCT changes nothing (min, max, bool_and, bool_or). */
  readonly ignoresDuplicates: boolean;
}

/** Opaque to those who call. */
export type AggregateState = unknown;

/** A column of the rows of a set-returning function. */
export interface SetColumn {
  readonly name: string;
  readonly type: TypeName;
  readonly modifier: number;
}

/** A function that returns a set, chosen for the types of its arguments. */
export interface SetFunction {
  readonly name: string;
  readonly form: 'set';
  /** The types that the arguments must be coerced to, one for each argument of the call. */
  readonly parameters: readonly TypeName[];
  /** The type of a row as one value: that of the only column, `record` for several. */
  readonly result: TypeName;
  /** Columns of the rows; undefined where the column definition list of the call says them. */
  readonly columns: readonly SetColumn[] | undefined;
  /** A strict function gives no rows for a NULL among its arguments; it is not called then. */
  readonly strict: boolean;
  readonly volatility: Volatility;
  /** Rows in order, as they are asked for: the first of 10^9 rows costs no more than that of ten. */
  rows(
    values: readonly Value[],
    context: FunctionContext,
    columns: readonly SetColumn[],
  ): Iterable<Row>;
}

/** Where a window function stands: the rows of the partition in their order, and the frame. */
export interface WindowPlace {
  /** Rows of the partition. */
  readonly rowCount: number;
  /** Of the current row, from 0. */
  readonly row: number;
  /** First row equal to the current one in ORDER BY, and the one after the last. */
  readonly peersFrom: number;
  readonly peersTo: number;
  /** Groups of peers before the current one in the partition. */
  readonly groupsBefore: number;
  readonly argumentCount: number;
  /** An argument of the call at a row of the partition. */
  valueAt(row: number, argument: number): Value;
  /** Rows of the frame of the current row, counted after exclusion. */
  readonly frameCount: number;
  /** The row of the partition that is the n-th of the frame, from 0; undefined beyond. */
  frameRow(n: number): number | undefined;
}

/**
 * RANGE with an offset, for a type of order key and a type of offset: in_range() of PostgreSQL, whose
 * `less` asks for `value <= base -/+ offset` and its absence for `>=`. Raises 22013 for a negative offset.
 */
export type InRange = (
  value: Value,
  base: Value,
  offset: Value,
  subtract: boolean,
  less: boolean,
  context: FunctionContext,
) => boolean;

/** A window function that is not an aggregate. */
export interface WindowFunction {
  readonly name: string;
  readonly form: 'window';
  readonly parameters: readonly TypeName[];
  readonly result: TypeName;
  readonly usesFrame: boolean;
  value(place: WindowPlace): Value;
}

/** What a call by name stands for. */
export type ResolvedCall =
  | { readonly kind: 'scalar'; readonly function: ScalarFunction }
  | { readonly kind: 'aggregate'; readonly function: AggregateFunction }
  | { readonly kind: 'set'; readonly function: SetFunction }
  | { readonly kind: 'window'; readonly function: WindowFunction }
  /** `int4('1')`: an explicit cast of the only argument. */
  | { readonly kind: 'cast'; readonly target: TypeName };

/** As pg_cast.castcontext: what a cast may be used for without being asked. */
export type CastContext = 'implicit' | 'assignment' | 'explicit';

/** How a value becomes a value of another type. */
export type Coercion =
  /** The value is one of the target already. */
  { readonly kind: 'relabel' } | { readonly kind: 'call'; readonly function: ScalarFunction };
