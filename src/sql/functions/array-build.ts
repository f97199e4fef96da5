/** Arrays made of arrays and elements: concatenation and array_fill. */
import { raise } from '../../base/errors.js';
import { ArrayValue, countOf, type Value } from '../types/index.js';
import { arrayTooLarge, tooManyDimensions } from '../types/array-text.js';
import { arrayDimensionsMax, arrayElementsMax } from '../types/limits.js';

type Maybe = ArrayValue | null;

const int4Max = 2_147_483_647;

function oneDimensional(array: ArrayValue): void {
  if (array.dimensions.length <= 1) return;
  raise('data_exception', 'argument must be empty or one-dimensional array');
}

export function appendElement(array: Maybe, element: Value): ArrayValue {
  if (array === null || array.dimensions.length === 0) return ArrayValue.of([element]);
  oneDimensional(array);
  const [lower = 1] = array.lowerBounds;
  if (lower + array.elements.length > int4Max) outOfRange();
  return new ArrayValue([array.elements.length + 1], [lower], [...array.elements, element]);
}

/** The lower bound stays that of the array. */
export function prependElement(element: Value, array: Maybe): ArrayValue {
  if (array === null || array.dimensions.length === 0) return ArrayValue.of([element]);
  oneDimensional(array);
  const [lower = 1] = array.lowerBounds;
  if (lower - 1 < -int4Max - 1) outOfRange();
  return new ArrayValue([array.elements.length + 1], [lower], [element, ...array.elements]);
}

function outOfRange(): never {
  raise('numeric_value_out_of_range', 'integer out of range');
}

/** Arrays of equal dimensions end to end, or one as a part of the other along its first dimension. */
export function concatenate(a: Maybe, b: Maybe): Maybe {
  if (a === null || b === null) return a ?? b;
  const [left, right] = [a.dimensions.length, b.dimensions.length];
  if (left === 0) return b;
  if (right === 0) return a;
  if (Math.abs(left - right) > 1) {
    const text = `Arrays of ${left} and ${right} dimensions are not compatible for concatenation.`;
    incompatible(text);
  }
  const elements = [...a.elements, ...b.elements];
  if (elements.length > arrayElementsMax) arrayTooLarge();
  if (left === right) {
    if (!sameBounds(a, b, 1, 1)) {
      incompatible(
        'Arrays with differing element dimensions are not compatible for concatenation.',
      );
    }
    const [first = 0, ...rest] = a.dimensions;
    return new ArrayValue([first + (b.dimensions[0] ?? 0), ...rest], a.lowerBounds, elements);
  }
  const [whole, part] = left > right ? [a, b] : [b, a];
  if (!sameBounds(whole, part, 1, 0)) {
    incompatible('Arrays with differing dimensions are not compatible for concatenation.');
  }
  const [first = 0, ...rest] = whole.dimensions;
  return new ArrayValue([first + 1, ...rest], whole.lowerBounds, elements);
}

/** Whether the dimensions agree from `fromA` of one and `fromB` of the other on. */
function sameBounds(a: ArrayValue, b: ArrayValue, fromA: number, fromB: number): boolean {
  const shape = ({ dimensions, lowerBounds }: ArrayValue, from: number) =>
    `${dimensions.slice(from).join()};${lowerBounds.slice(from).join()}`;
  return shape(a, fromA) === shape(b, fromB);
}

function incompatible(detail: string): never {
  raise('array_subscript_error', 'cannot concatenate incompatible arrays', { detail });
}

export function fillArray(
  value: Value,
  dimensions: Maybe,
  lowerBounds: Maybe = ArrayValue.of(new Array(dimensions?.elements.length ?? 0).fill(1)),
): ArrayValue {
  if (dimensions === null || lowerBounds === null) {
    raise('null_value_not_allowed', 'dimension array or low bound array cannot be null');
  }
  if (dimensions.dimensions.length > 1) {
    wrongSubscripts('Dimension array must be one dimensional.');
  }
  const lengths = numbersOf(dimensions);
  if (lengths.length === 0) return ArrayValue.empty;
  if (lengths.length > arrayDimensionsMax) tooManyDimensions(lengths.length);
  if (lowerBounds.elements.length !== lengths.length) {
    wrongSubscripts('Low bound array has different size than dimensions array.');
  }
  const bounds = numbersOf(lowerBounds);
  if (lengths.some((length) => length < 0)) arrayTooLarge();
  const count = countOf(lengths);
  if (count > arrayElementsMax) arrayTooLarge();
  for (const [i, bound] of bounds.entries()) {
    if (bound + (lengths[i] ?? 0) > int4Max) {
      raise('program_limit_exceeded', `array lower bound is too large: ${bound}`);
    }
  }
  if (count === 0) return ArrayValue.empty;
  return new ArrayValue(lengths, bounds, new Array<Value>(count).fill(value));
}

function numbersOf({ elements }: ArrayValue): number[] {
  if (elements.includes(null)) {
    raise('null_value_not_allowed', 'dimension values cannot be null');
  }
  return elements as number[];
}

function wrongSubscripts(detail: string): never {
  raise('array_subscript_error', 'wrong number of array subscripts', { detail });
}
