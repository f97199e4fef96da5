/** array_agg (https://www.postgresql.org/docs/15/functions-aggregate.html). */
import { raise } from '../../base/errors.js';
import type { TypeName, Value } from '../types/index.js';
import { ArrayValue, typeNamed } from '../types/index.js';
import { type Accumulator, type AggregateDefinition, aggregateOf } from './aggregate-definition.js';

interface Elements {
  readonly values: Value[];
  bytes: number;
}

/** NULLs are elements like all others; without rows the result is NULL. */
function ofElements(type: TypeName): Accumulator<Elements, Value, Value> {
  const { sizeOf } = typeNamed(type === 'unknown' ? 'text' : type);
  return {
    strict: false,
    init: () => ({ values: [], bytes: 0 }),
    step: (state, value) => {
      state.values.push(value);
      state.bytes += value === null ? 8 : 8 + sizeOf(value);
      return state;
    },
    // A copy: a window goes on with the state.
    final: ({ values }) => (values.length === 0 ? null : ArrayValue.of([...values])),
    sizeOf: ({ bytes }) => 64 + bytes,
  };
}

interface Arrays {
  readonly elements: Value[];
  first: ArrayValue | undefined;
  count: number;
  bytes: number;
}

/** Arrays of the same dimensions become one of one dimension more. */
function ofArrays(type: TypeName): Accumulator<Arrays, Value, Value> {
  const { sizeOf } = typeNamed(type);
  return {
    strict: false,
    init: () => ({ elements: [], first: undefined, count: 0, bytes: 0 }),
    step: (state, value) => {
      if (value === null) raise('null_value_not_allowed', 'cannot accumulate null arrays');
      const array = value as ArrayValue;
      if (array.dimensions.length === 0) {
        raise('array_subscript_error', 'cannot accumulate empty arrays');
      }
      const first = state.first ?? array;
      const isSame =
        first.dimensions.length === array.dimensions.length &&
        first.dimensions.every((length, i) => length === array.dimensions[i]);
      if (!isSame) {
        const text = 'cannot accumulate arrays of different dimensionality';
        raise('array_subscript_error', text);
      }
      state.first = first;
      state.count += 1;
      for (const element of array.elements) state.elements.push(element);
      state.bytes += sizeOf(array);
      return state;
    },
    final: ({ elements, first, count }) =>
      first === undefined
        ? null
        : new ArrayValue([count, ...first.dimensions], [1, ...first.lowerBounds], [...elements]),
    sizeOf: ({ bytes }) => 64 + bytes,
  };
}

export const arrayAggregates: readonly AggregateDefinition[] = [
  aggregateOf('array_agg(anynonarray): anyarray', ([type = 'text']) => ofElements(type)),
  aggregateOf('array_agg(anyarray): anyarray', ([type = '_text']) => ofArrays(type)),
];
