/** Functions and operators of arrays: chapter 9.19 of PostgreSQL's manual. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { FunctionContext, Type, TypeName, Value } from '../types/index.js';
import { ArrayValue, countOf, elementTypeName, typeNamed } from '../types/index.js';
import { slice } from './array-construct.js';
import { appendElement, concatenate, fillArray, prependElement } from './array-build.js';
import { define, specialised } from './definition.js';
import type { Definition } from './definition.js';

type Maybe = ArrayValue | null;

/** The type of the elements of an array type. */
export function elementOf(array: TypeName | undefined): Type {
  return typeNamed(must(elementTypeName(must(array, 'a parameter')), 'an array has elements'));
}

/** Whether two elements, which may be NULL, are the same. Raises 42883 for types without equality. */
function sameElement(array: TypeName | undefined): (a: Value, b: Value) => boolean {
  const { equals, sqlName } = elementOf(array);
  return (a, b) => {
    if (a === null || b === null) return a === b;
    if (equals !== undefined) return equals(a, b);
    raise('undefined_function', `could not identify an equality operator for type ${sqlName}`);
  };
}

function contains(array: TypeName | undefined) {
  const same = sameElement(array);
  return (whole: ArrayValue, part: ArrayValue): boolean =>
    part.elements.every(
      (wanted) => wanted !== null && whole.elements.some((one) => same(one, wanted)),
    );
}

function overlaps(array: TypeName | undefined) {
  const same = sameElement(array);
  return (a: ArrayValue, b: ArrayValue): boolean =>
    a.elements.some((one) => one !== null && b.elements.some((other) => same(one, other)));
}

function refuseDimensions({ dimensions }: ArrayValue, what: string): void {
  if (dimensions.length <= 1) return;
  raise('feature_not_supported', `${what} multidimensional arrays is not supported`);
}

/** Subscripts of the elements that are the wanted one, from `from` on. */
function* positions(
  array: ArrayValue,
  wanted: Value,
  same: (a: Value, b: Value) => boolean,
  from = Number.NEGATIVE_INFINITY,
): Generator<number, void, undefined> {
  refuseDimensions(array, 'searching for elements in');
  const lower = array.lowerBounds[0] ?? 1;
  for (const [i, element] of array.elements.entries()) {
    if (lower + i >= from && same(element, wanted)) yield lower + i;
  }
}

function position([array]: readonly TypeName[]) {
  const same = sameElement(array);
  return (value: Maybe, wanted: Value, from?: number | null): number | null => {
    if (value === null) return null;
    if (from === null) raise('null_value_not_allowed', 'initial position must not be null');
    for (const found of positions(value, wanted, same, from)) return found;
    return null;
  };
}

function remove([array]: readonly TypeName[]) {
  const same = sameElement(array);
  return (value: Maybe, unwanted: Value): Maybe => {
    if (value === null) return null;
    refuseDimensions(value, 'removing elements from');
    const kept = value.elements.filter((element) => !same(element, unwanted));
    if (kept.length === value.elements.length) return value;
    if (kept.length === 0) return ArrayValue.empty;
    return new ArrayValue([kept.length], value.lowerBounds, kept);
  };
}

function replace([array]: readonly TypeName[]) {
  const same = sameElement(array);
  return (value: Maybe, from: Value, to: Value): Maybe => {
    if (value === null) return null;
    const elements = value.elements.map((element) => (same(element, from) ? to : element));
    return new ArrayValue(value.dimensions, value.lowerBounds, elements);
  };
}

function join([array]: readonly TypeName[]) {
  const element = elementOf(array);
  return (
    context: FunctionContext,
    value: Maybe,
    separator: string | null,
    nullText: string | null = null,
  ): string | null => {
    if (value === null || separator === null) return null;
    const texts = value.elements.map((one) =>
      one === null ? nullText : element.print(one, context),
    );
    return texts.filter((text) => text !== null).join(separator);
  };
}

/** The parts of a text between separators; `nullText` stands for NULL. */
export function split(
  text: string,
  separator: string | null,
  nullText: string | null,
): (string | null)[] {
  if (text === '') return [];
  const parts = separator === null ? [...text] : separator === '' ? [text] : text.split(separator);
  return parts.map((part) => (part === nullText ? null : part));
}

function stringToArray(
  text: string | null,
  separator: string | null,
  nullText: string | null = null,
): Maybe {
  return text === null ? null : ArrayValue.of(split(text, separator, nullText));
}

function dimensionsText({ dimensions, lowerBounds }: ArrayValue): string | null {
  if (dimensions.length === 0) return null;
  return dimensions
    .map((length, i) => `[${lowerBounds[i]}:${(lowerBounds[i] ?? 1) + length - 1}]`)
    .join('');
}

function bound(upper: boolean) {
  return ({ dimensions, lowerBounds }: ArrayValue, dimension: number): number | null => {
    const lower = lowerBounds[dimension - 1];
    const length = dimensions[dimension - 1];
    if (lower === undefined || length === undefined) return null;
    return upper ? lower + length - 1 : lower;
  };
}

function trim(array: ArrayValue, count: number): ArrayValue {
  const length = array.dimensions[0] ?? 0;
  if (count < 0 || count > length) {
    const text = `number of elements to trim must be between 0 and ${length}`;
    raise('array_subscript_error', text);
  }
  const lower = array.lowerBounds[0] ?? 1;
  return slice(array, [{ from: lower, to: lower + length - count - 1 }]);
}

/** The parts along the first dimension in a random order, `count` of them. */
function shuffled({ random }: FunctionContext, array: ArrayValue, count?: number): ArrayValue {
  const length = array.dimensions[0] ?? 0;
  if (count !== undefined && (count < 0 || count > length)) {
    raise('invalid_parameter_value', `sample size must be between 0 and ${length}`);
  }
  const taken = count ?? length;
  if (taken === 0 || length === 0) return ArrayValue.empty;
  const order = Array.from({ length }, (_, i) => i);
  for (let i = 0; i < taken; i += 1) {
    const other = i + random.below(length - i);
    [order[i], order[other]] = [order[other] ?? 0, order[i] ?? 0];
  }
  const stride = countOf(array.dimensions) / length;
  const elements = order
    .slice(0, taken)
    .flatMap((i) => array.elements.slice(i * stride, (i + 1) * stride));
  const lower = count === undefined ? (array.lowerBounds[0] ?? 1) : 1;
  return new ArrayValue(
    [taken, ...array.dimensions.slice(1)],
    [lower, ...array.lowerBounds.slice(1)],
    elements,
  );
}

/** How many thresholds are at or below the operand. */
function bucket([operand, array]: readonly TypeName[]) {
  const { compare, sqlName } = typeNamed(must(operand, 'a parameter'));
  elementOf(array);
  return (value: Value, thresholds: ArrayValue): number => {
    if (thresholds.dimensions.length > 1) {
      raise('array_subscript_error', 'thresholds must be one-dimensional array');
    }
    if (thresholds.elements.includes(null)) {
      raise('null_value_not_allowed', 'thresholds array must not contain NULLs');
    }
    if (compare === undefined) {
      raise('undefined_function', `could not identify a comparison function for type ${sqlName}`);
    }
    let low = 0;
    let high = thresholds.elements.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(value, thresholds.elements[middle] ?? null) < 0) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

const lenient = { strict: false } as const;
const inContext = { strict: false, usesContext: true, volatility: 'stable' } as const;
const random = { usesContext: true, volatility: 'volatile' } as const;

export const arrayFunctions: readonly Definition[] = [
  specialised('anyarray @> anyarray: bool', ([array]) => contains(array), { commutator: '<@' }),
  specialised(
    'anyarray <@ anyarray: bool',
    ([array]) => {
      const holds = contains(array);
      return (part: ArrayValue, whole: ArrayValue) => holds(whole, part);
    },
    { commutator: '@>' },
  ),
  specialised('anyarray && anyarray: bool', ([array]) => overlaps(array), { commutator: '&&' }),
  define('anycompatiblearray || anycompatible: anycompatiblearray', appendElement, lenient),
  define('anycompatible || anycompatiblearray: anycompatiblearray', prependElement, lenient),
  define('anycompatiblearray || anycompatiblearray: anycompatiblearray', concatenate, lenient),
  define(
    'array_append(anycompatiblearray, anycompatible): anycompatiblearray',
    appendElement,
    lenient,
  ),
  define(
    'array_prepend(anycompatible, anycompatiblearray): anycompatiblearray',
    prependElement,
    lenient,
  ),
  define(
    'array_cat(anycompatiblearray, anycompatiblearray): anycompatiblearray',
    concatenate,
    lenient,
  ),
  define('array_dims(anyarray): text', dimensionsText),
  define('array_ndims(anyarray): int4', ({ dimensions }: ArrayValue) => dimensions.length || null),
  define(
    'array_length(anyarray, int4): int4',
    ({ dimensions }: ArrayValue, dimension: number) => dimensions[dimension - 1] ?? null,
  ),
  define('array_lower(anyarray, int4): int4', bound(false)),
  define('array_upper(anyarray, int4): int4', bound(true)),
  define('cardinality(anyarray): int4', ({ elements }: ArrayValue) => elements.length),
  define('array_fill(anyelement, _int4): anyarray', fillArray, lenient),
  define('array_fill(anyelement, _int4, _int4): anyarray', fillArray, lenient),
  specialised('array_position(anycompatiblearray, anycompatible): int4', position, lenient),
  specialised('array_position(anycompatiblearray, anycompatible, int4): int4', position, lenient),
  specialised(
    'array_positions(anycompatiblearray, anycompatible): _int4',
    ([array]) => {
      const same = sameElement(array);
      return (value: Maybe, wanted: Value) =>
        value === null ? null : ArrayValue.of([...positions(value, wanted, same)]);
    },
    lenient,
  ),
  specialised(
    'array_remove(anycompatiblearray, anycompatible): anycompatiblearray',
    remove,
    lenient,
  ),
  specialised(
    'array_replace(anycompatiblearray, anycompatible, anycompatible): anycompatiblearray',
    replace,
    lenient,
  ),
  specialised('array_to_string(anyarray, text): text', join, inContext),
  specialised('array_to_string(anyarray, text, text): text', join, inContext),
  define('string_to_array(text, text): _text', stringToArray, lenient),
  define('string_to_array(text, text, text): _text', stringToArray, lenient),
  define('trim_array(anyarray, int4): anyarray', trim),
  define('array_sample(anyarray, int4): anyarray', shuffled, random),
  define('array_shuffle(anyarray): anyarray', shuffled, random),
  specialised('width_bucket(anycompatible, anycompatiblearray): int4', bucket),
];
