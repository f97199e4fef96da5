/** How the table of aggregates is written down. */
import type { TypeName, Value } from '../types/index.js';
import { arrayTypeName, type FunctionContext } from '../types/index.js';
import type { ParameterType } from './definition.js';
import { define, isPseudoType } from './definition.js';
import type { AggregateFunction } from './function.js';

export interface AggregateDefinition {
  readonly name: string;
  readonly parameters: readonly ParameterType[];
  readonly variadic: boolean;
  /** `count(*)`. */
  readonly star: boolean;
  readonly make: (parameters: readonly TypeName[]) => AggregateFunction;
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

/** One line of the table, such as `sum(int4): int8`. */
export function aggregate<S, A, B>(
  signature: string,
  accumulator: Accumulator<S, A, B>,
): AggregateDefinition {
  return aggregateOf(signature, () => accumulator);
}

/** As {@link aggregate} for one that depends on the types of its arguments. */
export function aggregateOf<S, A, B>(
  signature: string,
  make: (parameters: readonly TypeName[]) => Accumulator<S, A, B>,
): AggregateDefinition {
  const { name, parameters, variadic, result } = define(signature, () => null);
  return {
    name,
    parameters,
    variadic,
    star: false,
    make: (types) => {
      const accumulator = make(types);
      const concrete = resultOf(result, types[0]);
      return {
        name,
        parameters: types,
        result: concrete ?? 'text',
        strict: accumulator.strict ?? true,
        form: 'plain',
        direct: [],
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

function resultOf(result: ParameterType, first: TypeName | undefined): TypeName | undefined {
  if (!isPseudoType(result)) return result;
  return first !== undefined && result === 'anyarray' ? arrayTypeName(first) : first;
}
