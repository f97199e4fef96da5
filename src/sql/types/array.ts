/** Arrays: any number of elements in up to six dimensions, each counted from its own lower bound. */
import { assert } from '../../base/assert.js';
import type { Value } from './value.js';

/**
 * A value of an array type. It does not know the type of its elements: the expression does, so that
 * `varchar[]` becomes `text[]` without a copy.
 *
 * `elements` are in row-major order; their number is the product of `dimensions`. The empty array has
 * no dimensions.
 */
export class ArrayValue {
  readonly dimensions: readonly number[];
  readonly lowerBounds: readonly number[];
  readonly elements: readonly Value[];

  constructor(
    dimensions: readonly number[],
    lowerBounds: readonly number[],
    elements: readonly Value[],
  ) {
    assert(dimensions.length === lowerBounds.length, 'a lower bound per dimension');
    assert(elements.length === countOf(dimensions), 'an array has all its elements');
    this.dimensions = dimensions;
    this.lowerBounds = lowerBounds;
    this.elements = elements;
  }

  static readonly empty = new ArrayValue([], [], []);

  /** An array of one dimension, counted from 1. */
  static of(elements: readonly Value[]): ArrayValue {
    return elements.length === 0
      ? ArrayValue.empty
      : new ArrayValue([elements.length], [1], elements);
  }

  /** The same elements as values that `change` makes of them. NULL stays NULL. */
  map(change: (element: Value) => Value): ArrayValue {
    const changed = this.elements.map((element) => (element === null ? null : change(element)));
    return new ArrayValue(this.dimensions, this.lowerBounds, changed);
  }
}

/** The elements of an array of these dimensions. */
export function countOf(dimensions: readonly number[]): number {
  return dimensions.length === 0 ? 0 : dimensions.reduce((product, length) => product * length, 1);
}

/** The elements of an array of texts. */
export function textElements(array: ArrayValue): readonly (string | null)[] {
  return array.elements as readonly (string | null)[];
}
