/** Ordered-set and hypothetical-set aggregates (orderedsetaggs.c of PostgreSQL). */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { Value } from '../types/index.js';
import { ArrayValue, typeNamed } from '../types/index.js';
import { addIntervals, type Interval, negateInterval } from '../types/interval.js';
import { type Accumulator, type AggregateDefinition, aggregateOf } from './aggregate-definition.js';
import { intervalTimes } from './datetime-arithmetic.js';

/** The values in their order. */
interface Ordered {
  readonly values: Value[];
  bytes: number;
}

function gathering(
  type: string,
  final: (values: readonly Value[], direct: readonly Value[]) => Value,
): Accumulator<Ordered, Value, Value> {
  const { sizeOf } = typeNamed(type);
  return {
    init: () => ({ values: [], bytes: 0 }),
    step: (state, value) => {
      state.values.push(value);
      state.bytes += value === null ? 8 : 8 + sizeOf(value);
      return state;
    },
    final: ({ values }, _context, direct) => final(values, direct),
    sizeOf: ({ bytes }) => 64 + bytes,
  };
}

function fractionOf(value: Value): number {
  const fraction = value as number;
  if (fraction >= 0 && fraction <= 1) return fraction;
  // A double as PostgreSQL's %g prints it.
  const shown = Number.isNaN(fraction) ? 'nan' : String(Number(fraction.toPrecision(6)));
  return raise('numeric_value_out_of_range', `percentile value ${shown} is not between 0 and 1`);
}

/** The first value whose place is at or behind the fraction. */
function discrete(values: readonly Value[], fraction: Value): Value {
  if (fraction === null) return null;
  const place = Math.ceil(fractionOf(fraction) * values.length);
  return values[Math.max(0, place - 1)] ?? null;
}

type Between = (low: Value, high: Value, share: number) => Value;

const betweenFloats: Between = (low, high, share) =>
  (low as number) + share * ((high as number) - (low as number));

const betweenIntervals: Between = (low, high, share) => {
  const difference = addIntervals(high as Interval, negateInterval(low as Interval));
  return addIntervals(low as Interval, intervalTimes(difference, share));
};

/** What lies at the fraction, between two neighbours if need be. */
function continuous(values: readonly Value[], fraction: Value, between: Between): Value {
  if (fraction === null || values.length === 0) return null;
  const place = fractionOf(fraction) * (values.length - 1);
  const low = Math.floor(place);
  const high = Math.ceil(place);
  const first = must(values[low], 'a value');
  return low === high ? first : between(first, must(values[high], 'a value'), place - low);
}

/** The same for each fraction of an array. */
function each(fractions: Value, one: (fraction: Value) => Value): Value {
  if (fractions === null) return null;
  const { dimensions, lowerBounds, elements } = fractions as ArrayValue;
  return new ArrayValue(dimensions, lowerBounds, elements.map(one));
}

/** The most frequent value; of several the first. */
function mode(type: string): Accumulator<Ordered, Value, Value> {
  const { equals } = typeNamed(type);
  const isEqual = must(equals, 'sorted values are comparable');
  return gathering(type, (values) => {
    let best: Value = null;
    let most = 0;
    let from = 0;
    for (let at = 1; at <= values.length; at += 1) {
      const [first, next] = [values[from] ?? null, values[at] ?? null];
      if (at < values.length && first !== null && next !== null && isEqual(first, next)) continue;
      if (at - from > most) {
        most = at - from;
        best = first;
      }
      from = at;
    }
    return best;
  });
}

/** Where the hypothetical row stands: `position` is the sign of another row against it. */
interface Place {
  rows: number;
  before: number;
  beside: number;
  distinctBefore: number;
}

function hypothetical(final: (place: Place) => Value): Accumulator<Place, number, boolean> {
  return {
    strict: false,
    init: () => ({ rows: 0, before: 0, beside: 0, distinctBefore: 0 }),
    step: (state, position, isNew) => {
      state.rows += 1;
      if (position < 0) {
        state.before += 1;
        if (isNew) state.distinctBefore += 1;
      } else if (position === 0) {
        state.beside += 1;
      }
      return state;
    },
    final,
    sizeOf: () => 64,
  };
}

const oneDirect = { form: 'orderedSet', direct: 1 } as const;
const rankings: Readonly<Record<string, Accumulator<Place, number, boolean>>> = {
  'rank(variadic any): int8': hypothetical(({ before }) => BigInt(before + 1)),
  'dense_rank(variadic any): int8': hypothetical(({ distinctBefore }) =>
    BigInt(distinctBefore + 1),
  ),
  'percent_rank(variadic any): float8': hypothetical(({ before, rows }) =>
    rows === 0 ? 0 : before / rows,
  ),
  'cume_dist(variadic any): float8': hypothetical(
    ({ before, beside, rows }) => (before + beside + 1) / (rows + 1),
  ),
};

export const orderedAggregates: readonly AggregateDefinition[] = [
  aggregateOf('mode(anyelement): anyelement', ([type = 'text']) => mode(type), {
    form: 'orderedSet',
    direct: 0,
  }),
  aggregateOf(
    'percentile_disc(float8, anyelement): anyelement',
    ([, type = 'text']) =>
      gathering(type, (values, [fraction = null]) => discrete(values, fraction)),
    oneDirect,
  ),
  aggregateOf(
    'percentile_disc(_float8, anyelement): anyarray',
    ([, type = 'text']) =>
      gathering(type, (values, [fractions = null]) =>
        each(fractions, (fraction) => discrete(values, fraction)),
      ),
    oneDirect,
  ),
  ...(['float8', 'interval'] as const).flatMap((type) => {
    const between = type === 'float8' ? betweenFloats : betweenIntervals;
    return [
      aggregateOf(
        `percentile_cont(float8, ${type}): ${type}`,
        () => gathering(type, (values, [fraction = null]) => continuous(values, fraction, between)),
        oneDirect,
      ),
      aggregateOf(
        `percentile_cont(_float8, ${type}): _${type}`,
        () =>
          gathering(type, (values, [fractions = null]) =>
            values.length === 0
              ? null
              : each(fractions, (fraction) => continuous(values, fraction, between)),
          ),
        oneDirect,
      ),
    ];
  }),
  ...Object.entries(rankings).map(([signature, accumulator]) =>
    aggregateOf(signature, () => accumulator, { form: 'hypothetical', direct: 0 }),
  ),
];
