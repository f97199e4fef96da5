/** Window functions that are no aggregates (https://www.postgresql.org/docs/15/functions-window.html). */
import { raise } from '../../base/errors.js';
import type { TypeName, Value } from '../types/index.js';
import { define, type ParameterType } from './definition.js';
import type { WindowFunction, WindowPlace } from './function.js';

export interface WindowDefinition {
  readonly name: string;
  readonly parameters: readonly ParameterType[];
  readonly variadic: boolean;
  readonly result: ParameterType;
  readonly makeWindow: (parameters: readonly TypeName[], result: TypeName) => WindowFunction;
}

function windowFunction(
  signature: string,
  value: (place: WindowPlace) => Value,
  usesFrame = false,
): WindowDefinition {
  const { name, parameters, variadic, result } = define(signature, () => null);
  return {
    name,
    parameters,
    variadic,
    result,
    makeWindow: (types, concrete) => ({
      name,
      form: 'window',
      parameters: types,
      result: concrete,
      usesFrame,
      value,
    }),
  };
}

/** The n-th of `buckets` as equal as can be, the first ones longer by one. */
function ntile(place: WindowPlace): Value {
  const buckets = place.valueAt(0, 0) as number | null;
  if (buckets === null) return null;
  if (buckets <= 0) {
    const text = 'argument of ntile must be greater than zero';
    raise('invalid_argument_for_ntile_function', text);
  }
  const { rowCount, row } = place;
  const size = Math.floor(rowCount / buckets);
  const longer = rowCount % buckets;
  const inLonger = longer * (size + 1);
  if (row < inLonger) return Math.floor(row / (size + 1)) + 1;
  return longer + Math.floor((row - inLonger) / size) + 1;
}

/** lag (`sign` -1) and lead (1). */
function neighbour(sign: -1 | 1): (place: WindowPlace) => Value {
  return (place) => {
    const offset = place.argumentCount > 1 ? (place.valueAt(place.row, 1) as number | null) : 1;
    if (offset === null) return null;
    const row = place.row + sign * offset;
    if (row >= 0 && row < place.rowCount) return place.valueAt(row, 0);
    return place.argumentCount > 2 ? place.valueAt(place.row, 2) : null;
  };
}

function inFrame(place: WindowPlace, n: number): Value {
  const row = n < 0 ? undefined : place.frameRow(n);
  return row === undefined ? null : place.valueAt(row, 0);
}

function nthValue(place: WindowPlace): Value {
  const n = place.valueAt(place.row, 1) as number | null;
  if (n === null) return null;
  if (n <= 0) {
    const text = 'argument of nth_value must be greater than zero';
    raise('invalid_argument_for_nth_value_function', text);
  }
  return inFrame(place, n - 1);
}

export const allWindows: readonly WindowDefinition[] = [
  windowFunction('row_number(): int8', ({ row }) => BigInt(row + 1)),
  windowFunction('rank(): int8', ({ peersFrom }) => BigInt(peersFrom + 1)),
  windowFunction('dense_rank(): int8', ({ groupsBefore }) => BigInt(groupsBefore + 1)),
  windowFunction('percent_rank(): float8', ({ peersFrom, rowCount }) =>
    rowCount <= 1 ? 0 : peersFrom / (rowCount - 1),
  ),
  windowFunction('cume_dist(): float8', ({ peersTo, rowCount }) => peersTo / rowCount),
  windowFunction('ntile(int4): int4', ntile),
  windowFunction('lag(anyelement): anyelement', neighbour(-1)),
  windowFunction('lag(anyelement, int4): anyelement', neighbour(-1)),
  windowFunction('lag(anycompatible, int4, anycompatible): anycompatible', neighbour(-1)),
  windowFunction('lead(anyelement): anyelement', neighbour(1)),
  windowFunction('lead(anyelement, int4): anyelement', neighbour(1)),
  windowFunction('lead(anycompatible, int4, anycompatible): anycompatible', neighbour(1)),
  windowFunction('first_value(anyelement): anyelement', (place) => inFrame(place, 0), true),
  windowFunction(
    'last_value(anyelement): anyelement',
    (place) => inFrame(place, place.frameCount - 1),
    true,
  ),
  windowFunction('nth_value(anyelement, int4): anyelement', nthValue, true),
];

const windows = new Map<string, WindowDefinition[]>();
for (const definition of allWindows) {
  const list = windows.get(definition.name);
  if (list === undefined) windows.set(definition.name, [definition]);
  else list.push(definition);
}

export function windowsNamed(name: string): readonly WindowDefinition[] {
  return windows.get(name) ?? [];
}
