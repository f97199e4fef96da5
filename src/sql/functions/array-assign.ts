/** Assignment to elements and slices of arrays and to fields of records: each gives a new value. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { RecordShape, TypeName, Value } from '../types/index.js';
import { ArrayValue, countOf, elementTypeName, RecordValue } from '../types/index.js';
import { arrayTooLarge, tooManyDimensions } from '../types/array-text.js';
import { arrayDimensionsMax, arrayElementsMax } from '../types/limits.js';
import { positionOf, type SliceBounds } from './array-construct.js';
import { construct } from './construct.js';
import type { ScalarFunction } from './function.js';

/** `array[i][j] = value`. Operands are the array, the value and the subscripts. */
export function elementAssignment(array: TypeName, count: number): ScalarFunction {
  const element = must(elementTypeName(array), 'an array has elements');
  return construct(
    {
      name: 'element assignment',
      parameters: [array, element, ...new Array<TypeName>(count).fill('int4')],
      result: array,
      strict: false,
      print: ([value, part, ...rest]) => `${value}${rest.map((s) => `[${s}]`).join('')} = ${part}`,
    },
    (value, part, ...subscripts) => {
      const numbers = subscripts.map(given);
      return withElement((value as ArrayValue | null) ?? ArrayValue.empty, part ?? null, numbers);
    },
  );
}

/** `array[1:2][2:] = value`. Operands are the array, the new part and the bounds that are given. */
export function sliceAssignment(array: TypeName, bounds: readonly SliceBounds[]): ScalarFunction {
  const count = bounds.flatMap(({ lower, upper }) => [lower, upper]).filter(Boolean).length;
  const shape = bounds.map(({ lower, upper }) => `${lower ? 'l' : ''}:${upper ? 'u' : ''}`);
  return construct(
    {
      name: `slice assignment ${shape.join()}`,
      parameters: [array, array, ...new Array<TypeName>(count).fill('int4')],
      result: array,
      strict: false,
      print: ([value, part]) => `${value}[${shape.join('][')}] = ${part}`,
    },
    (value, part, ...rest) => {
      const numbers = rest.map(given);
      let next = 0;
      const take = (isGiven: boolean) => {
        if (!isGiven) return undefined;
        next += 1;
        return numbers[next - 1];
      };
      const ranges = bounds.map(({ lower, upper }) => ({ from: take(lower), to: take(upper) }));
      // A NULL part changes nothing.
      if (part === null) return value ?? null;
      const before = (value as ArrayValue | null) ?? ArrayValue.empty;
      return withSlice(before, part as ArrayValue, ranges);
    },
  );
}

/** `record.field = value`. Operands are the record and the value. */
export function fieldAssignment(
  record: TypeName,
  shape: RecordShape,
  index: number,
): ScalarFunction {
  const field = must(shape.fields[index], 'the shape has the field');
  return construct(
    {
      name: `field assignment ${index}`,
      parameters: [record, field.type],
      result: record,
      strict: false,
      print: ([value, part]) => `${value}.${field.name} = ${part}`,
    },
    (value, part) => {
      const before = (value as RecordValue | null)?.values ?? shape.fields.map(() => null);
      return new RecordValue(shape, before.with(index, part ?? null));
    },
  );
}

function given(subscript: Value): number {
  if (subscript !== null) return subscript as number;
  raise('null_value_not_allowed', 'array subscript in assignment must not be null');
}

function withElement(array: ArrayValue, value: Value, subscripts: readonly number[]): ArrayValue {
  const { dimensions, lowerBounds, elements } = array;
  if (subscripts.length > arrayDimensionsMax) tooManyDimensions(subscripts.length);
  if (dimensions.length === 0) {
    const ones = subscripts.map(() => 1);
    return new ArrayValue(ones, subscripts, [value]);
  }
  if (dimensions.length !== subscripts.length) wrongNumber();
  const [subscript = 1] = subscripts;
  if (dimensions.length === 1) {
    const wide = widened(array, subscript, subscript);
    const at = subscript - (wide.lowerBounds[0] ?? 1);
    return new ArrayValue(wide.dimensions, wide.lowerBounds, wide.elements.with(at, value));
  }
  const position = positionOf(array, subscripts);
  if (position === undefined) outOfRange();
  return new ArrayValue(dimensions, lowerBounds, elements.with(position, value));
}

/** An array of one dimension that reaches from at most `from` to at least `to`; NULLs come in. */
function widened(array: ArrayValue, from: number, to: number): ArrayValue {
  const [lower = 1] = array.lowerBounds;
  const length = array.elements.length;
  const before = Math.max(0, lower - from);
  const after = Math.max(0, to - (lower + length - 1));
  if (before === 0 && after === 0) return array;
  const wide = before + length + after;
  if (wide > arrayElementsMax) arrayTooLarge();
  const nulls = (count: number) => new Array<Value>(count).fill(null);
  const elements = [...nulls(before), ...array.elements, ...nulls(after)];
  return new ArrayValue([wide], [lower - before], elements);
}

interface Range {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

function withSlice(array: ArrayValue, part: ArrayValue, ranges: readonly Range[]): ArrayValue {
  if (ranges.length > arrayDimensionsMax) tooManyDimensions(ranges.length);
  if (array.dimensions.length === 0) return fromSlice(part, ranges);
  if (array.dimensions.length < ranges.length) wrongNumber();
  const [only] = ranges;
  const [lower = 1] = array.lowerBounds;
  const [length = 0] = array.dimensions;
  if (array.dimensions.length === 1 && only !== undefined) {
    const { from = lower, to = lower + length - 1 } = only;
    if (from > to) wrongOrder();
    if (part.elements.length < to - from + 1) tooSmall();
    const wide = widened(array, from, to);
    const at = from - (wide.lowerBounds[0] ?? 1);
    const elements = [...wide.elements];
    for (let i = 0; i <= to - from; i += 1) elements[at + i] = part.elements[i] ?? null;
    return new ArrayValue(wide.dimensions, wide.lowerBounds, elements);
  }
  return withInnerSlice(array, part, ranges);
}

/** The elements of a slice of several dimensions, which must lie within the bounds. */
function withInnerSlice(array: ArrayValue, part: ArrayValue, ranges: readonly Range[]): ArrayValue {
  const spans = array.dimensions.map((length, i) => {
    const lower = array.lowerBounds[i] ?? 1;
    const { from = lower, to = lower + length - 1 } = ranges[i] ?? {
      from: undefined,
      to: undefined,
    };
    if (from > to) wrongOrder();
    if (from < lower || to > lower + length - 1) outOfRange();
    return { from, length: to - from + 1 };
  });
  const count = countOf(spans.map(({ length }) => length));
  if (part.elements.length < count) tooSmall();
  const elements = [...array.elements];
  for (let i = 0; i < count; i += 1) {
    let rest = i;
    const subscripts: number[] = [];
    for (const span of spans.toReversed()) {
      subscripts.unshift(span.from + (rest % span.length));
      rest = Math.floor(rest / span.length);
    }
    const position = must(positionOf(array, subscripts), 'a slice within the bounds');
    elements[position] = part.elements[i] ?? null;
  }
  return new ArrayValue(array.dimensions, array.lowerBounds, elements);
}

/** What an empty array becomes by an assignment to a slice of it. */
function fromSlice(part: ArrayValue, ranges: readonly Range[]): ArrayValue {
  const bounds = ranges.map(({ from, to }) => {
    if (from !== undefined && to !== undefined) return { from, length: to - from + 1 };
    return raise('array_subscript_error', 'array slice subscript must provide both boundaries', {
      detail:
        'When assigning to a slice of an empty array value, slice boundaries must be fully specified.',
    });
  });
  if (bounds.some(({ length }) => length < 1)) wrongOrder();
  const lengths = bounds.map(({ length }) => length);
  const count = countOf(lengths);
  if (count > arrayElementsMax) arrayTooLarge();
  if (part.elements.length < count) tooSmall();
  return new ArrayValue(
    lengths,
    bounds.map(({ from }) => from),
    part.elements.slice(0, count),
  );
}

function wrongNumber(): never {
  raise('array_subscript_error', 'wrong number of array subscripts');
}

function outOfRange(): never {
  raise('array_subscript_error', 'array subscript out of range');
}

function wrongOrder(): never {
  raise('array_subscript_error', 'upper bound cannot be less than lower bound');
}

function tooSmall(): never {
  raise('array_subscript_error', 'source array too small');
}
