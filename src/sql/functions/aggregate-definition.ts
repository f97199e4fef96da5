/** How the table of aggregates is written down. */
import type { TypeName, Value } from '../types/index.js';
import type { FunctionContext } from '../types/index.js';
import type { ParameterType } from './definition.js';
import { define } from './definition.js';
import type { AggregateFunction } from './function.js';

export interface AggregateDefinition {
  readonly name: string;
  readonly parameters: readonly ParameterType[];
  readonly variadic: boolean;
  readonly result: ParameterType;
  /** `count(*)`. */
  readonly star: boolean;
  readonly make: (parameters: readonly TypeName[], result: TypeName) => AggregateFunction;
}

/** An aggregate over states S. */
export interface Accumulator<S, A = Value, B = Value> {
  /** Default true: rows with NULL are passed over. */
  readonly strict?: boolean;
  readonly init: () => S;
  readonly step: (state: S, first: A, second: B, context: FunctionContext) => S;
  readonly final: (state: S, context: FunctionContext, direct: readonly Value[]) => Value;
  readonly inverse?: (state: S, first: A, second: B) => S | undefined;
  /** Bytes that a state holds; default 32. */
  readonly sizeOf?: (state: S) => number;
  readonly ignoresDuplicates?: boolean;
}

const plain = { form: 'plain', direct: 0 } as const;

/** One line of the table, such as `sum(int4): int8`. */
export function aggregate<S, A, B>(
  signature: string,
  accumulator: Accumulator<S, A, B>,
): AggregateDefinition {
  return aggregateOf(signature, () => accumulator);
}

/**
 * As {@link aggregate} for one that depends on the types of its arguments. `within` says how many of
 * the arguments stand before WITHIN GROUP.
 */
export function aggregateOf<S, A, B>(
  signature: string,
  make: (parameters: readonly TypeName[], result: TypeName) => Accumulator<S, A, B>,
  within: { readonly form: AggregateFunction['form']; readonly direct: number } = plain,
): AggregateDefinition {
  const { name, parameters, variadic, result } = define(signature, () => null);
  return {
    name,
    parameters,
    variadic,
    result,
    star: false,
    make: (types, concrete) => {
      const accumulator = make(types, concrete);
      return {
        name,
        parameters: types.slice(within.direct),
        result: concrete,
        strict: accumulator.strict ?? true,
        form: within.form,
        direct: types.slice(0, within.direct),
        init: accumulator.init,
        step: accumulator.step as AggregateFunction['step'],
        final: accumulator.final as AggregateFunction['final'],
        sizeOf: (accumulator.sizeOf ?? (() => 32)) as AggregateFunction['sizeOf'],
        inverse: accumulator.inverse as AggregateFunction['inverse'],
        ignoresDuplicates: accumulator.ignoresDuplicates ?? false,
      };
    },
  };
}
