/** ARRAY[...], subscripts, slices, and comparisons with any or all elements of an array. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { ArrayValue, arrayTypeName, countOf, elementTypeName } from '../types/index.js';
import type { FunctionContext, TypeName, Value } from '../types/index.js';
import { tooManyDimensions } from '../types/array-text.js';
import { arrayDimensionsMax } from '../types/limits.js';
import { construct } from './construct.js';
import type { Implementation, ScalarFunction } from './function.js';

/** ARRAY[...] of `count` elements, which are arrays themselves if `nested`. */
export function arrayConstructor(array: TypeName, count: number, nested: boolean): ScalarFunction {
  const element = nested ? array : must(elementTypeName(array), 'an array has elements');
  return construct(
    {
      name: nested ? 'array of arrays' : 'array',
      parameters: new Array<TypeName>(count).fill(element),
      result: array,
      strict: false,
      print: (operands) => `ARRAY[${operands.join(', ')}]`,
    },
    nested
      ? (...parts) => joinArrays(parts as (ArrayValue | null)[])
      : (...elements) => ArrayValue.of(elements),
  );
}

/** Arrays of equal dimensions as the parts of one with one dimension more. */
function joinArrays(parts: readonly (ArrayValue | null)[]): ArrayValue {
  const filled = parts.filter(
    (part) => part !== null && part.dimensions.length > 0,
  ) as ArrayValue[];
  const [first] = filled;
  if (first === undefined) return ArrayValue.empty;
  const same = (one: ArrayValue) =>
    one.dimensions.join() === first.dimensions.join() &&
    one.lowerBounds.join() === first.lowerBounds.join();
  if (filled.length < parts.length || !filled.every(same)) {
    raise(
      'array_subscript_error',
      'multidimensional arrays must have array expressions with matching dimensions',
    );
  }
  const count = first.dimensions.length + 1;
  if (count > arrayDimensionsMax) tooManyDimensions(count);
  return new ArrayValue(
    [parts.length, ...first.dimensions],
    [1, ...first.lowerBounds],
    filled.flatMap(({ elements }) => elements),
  );
}

/** `array[i][j]`: NULL outside of the bounds and for another number of subscripts. */
export function arraySubscript(array: TypeName, count: number): ScalarFunction {
  return construct(
    {
      name: 'subscript',
      parameters: [array, ...new Array<TypeName>(count).fill('int4')],
      result: must(elementTypeName(array), 'an array has elements'),
      strict: true,
      print: ([value, ...subscripts]) => `(${value})${subscripts.map((s) => `[${s}]`).join('')}`,
    },
    (value, ...subscripts) => elementAt(value as ArrayValue, subscripts as number[]),
  );
}

/** Position of an element in row-major order; undefined outside of the bounds. */
export function positionOf(array: ArrayValue, subscripts: readonly number[]): number | undefined {
  if (subscripts.length !== array.dimensions.length) return undefined;
  let position = 0;
  for (const [i, subscript] of subscripts.entries()) {
    const length = array.dimensions[i] ?? 0;
    const offset = subscript - (array.lowerBounds[i] ?? 1);
    if (offset < 0 || offset >= length) return undefined;
    position = position * length + offset;
  }
  return position;
}

function elementAt(array: ArrayValue, subscripts: readonly number[]): Value {
  const position = positionOf(array, subscripts);
  return position === undefined ? null : (array.elements[position] ?? null);
}

/** Which bounds of a slice are given: `[1:2]`, `[:2]`, `[1:]`, `[:]`; `[2]` is `[1:2]`. */
export interface SliceBounds {
  readonly lower: boolean;
  readonly upper: boolean;
}

/** `array[1:2][2:]`. Operands are the array and the bounds that are given, in order. */
export function arraySlice(array: TypeName, bounds: readonly SliceBounds[]): ScalarFunction {
  const given = bounds.flatMap(({ lower, upper }) => [lower, upper]).filter(Boolean).length;
  const shape = bounds.map(({ lower, upper }) => `${lower ? 'l' : ''}:${upper ? 'u' : ''}`);
  return construct(
    {
      name: `slice ${shape.join()}`,
      parameters: [array, ...new Array<TypeName>(given).fill('int4')],
      result: array,
      strict: true,
      print: ([value, ...rest]) => {
        const shown = bounds.map(
          ({ lower, upper }) => `[${lower ? rest.shift() : ''}:${upper ? rest.shift() : ''}]`,
        );
        return `(${value})${shown.join('')}`;
      },
    },
    (value, ...rest) => {
      const numbers = rest as number[];
      let next = 0;
      const take = (isGiven: boolean) => {
        if (!isGiven) return undefined;
        next += 1;
        return numbers[next - 1];
      };
      const ranges = bounds.map(({ lower, upper }) => ({ from: take(lower), to: take(upper) }));
      return slice(value as ArrayValue, ranges);
    },
  );
}

interface Range {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** The part of an array within ranges, counted from 1. Nothing within gives the empty array. */
export function slice(array: ArrayValue, ranges: readonly Range[]): ArrayValue {
  const { dimensions, lowerBounds, elements } = array;
  if (ranges.length > dimensions.length) return ArrayValue.empty;
  const offsets: number[] = [];
  const lengths: number[] = [];
  for (const [i, length] of dimensions.entries()) {
    const lower = lowerBounds[i] ?? 1;
    const { from = lower, to = lower + length - 1 } = ranges[i] ?? {
      from: undefined,
      to: undefined,
    };
    const first = Math.max(from, lower);
    const last = Math.min(to, lower + length - 1);
    if (first > last) return ArrayValue.empty;
    offsets.push(first - lower);
    lengths.push(last - first + 1);
  }
  const picked: Value[] = [];
  for (let i = 0; i < countOf(lengths); i += 1) {
    let rest = i;
    let position = 0;
    let stride = 1;
    for (let d = lengths.length - 1; d >= 0; d -= 1) {
      const length = lengths[d] ?? 1;
      position += ((rest % length) + (offsets[d] ?? 0)) * stride;
      rest = Math.floor(rest / length);
      stride *= dimensions[d] ?? 1;
    }
    picked.push(elements[position] ?? null);
  }
  return new ArrayValue(
    lengths,
    lengths.map(() => 1),
    picked,
  );
}

/** `operand op ANY (array)` or, with `all`, `operand op ALL (array)`. */
export function overElements(operator: ScalarFunction, all: boolean): ScalarFunction {
  const [left, right] = operator.parameters;
  const { strict, usesContext, implementation } = operator;
  const decisive = !all;
  const compare = usesContext
    ? implementation
    : (_: unknown, ...values: Value[]) => implementation(...values);
  const evaluate = (context: FunctionContext | undefined, operand: Value, array: Value): Value => {
    if (array === null) return null;
    const { elements } = array as ArrayValue;
    if (elements.length === 0) return all;
    if (operand === null && strict) return null;
    let result: Value = all;
    for (const element of elements) {
      const answer =
        element === null && strict ? null : compare(context as FunctionContext, operand, element);
      if (answer === decisive) return decisive;
      if (answer === null) result = null;
    }
    return result;
  };
  const word = all ? 'ALL' : 'ANY';
  const made = construct(
    {
      name: `${operator.name} ${word}`,
      parameters: [
        must(left, 'an operator has two sides'),
        arrayTypeName(must(right, 'an operator has two sides')),
      ],
      result: 'bool',
      strict: false,
      print: ([a, b]) => `(${a} ${operator.name} ${word} (${b}))`,
    },
    (operand, array) => evaluate(undefined, operand ?? null, array ?? null),
  );
  if (!usesContext) return { ...made, volatility: operator.volatility };
  const withContext = (context: FunctionContext, operand: Value, array: Value) =>
    evaluate(context, operand, array);
  return {
    ...made,
    usesContext,
    volatility: operator.volatility,
    implementation: withContext as Implementation,
  };
}
