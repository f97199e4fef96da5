/** sum, avg and the variances, with PostgreSQL's result types and scales. */
import { raise } from '../../base/errors.js';
import type { Value } from '../types/index.js';
import { addIntervals, type Interval, negateInterval } from '../types/interval.js';
import {
  addNumeric,
  divideNumeric,
  divisionScale,
  Numeric,
  numericOfInteger,
  powerOfTen,
  quotientAt,
} from '../types/numeric.js';
import { squareRootAt } from '../types/numeric-math.js';
import { type Accumulator, type AggregateDefinition, aggregate } from './aggregate-definition.js';
import { intervalDividedBy } from './datetime-arithmetic.js';
import { int8 } from './integer.js';

/** Whole numbers: added as doubles while that is exact, then carried over. */
interface WholeState {
  count: number;
  low: number;
  high: bigint;
}

const carryAt = 2 ** 52;

function wholeInit(): WholeState {
  return { count: 0, low: 0, high: 0n };
}

function wholeStep(state: WholeState, value: number): WholeState {
  state.count += 1;
  state.low += value;
  if (state.low > carryAt || state.low < -carryAt) {
    state.high += BigInt(state.low);
    state.low = 0;
  }
  return state;
}

function wholeTotal(state: WholeState): bigint {
  return state.high + BigInt(state.low);
}

interface BigintState {
  count: number;
  total: bigint;
}

function bigintInit(): BigintState {
  return { count: 0, total: 0n };
}

function bigintStep(state: BigintState, value: bigint): BigintState {
  state.count += 1;
  state.total += value;
  return state;
}

function bigintInverse(state: BigintState, value: bigint): BigintState {
  state.count -= 1;
  state.total -= value;
  return state;
}

/** Digits at the largest scale so far; a NaN or infinity met stands beside them. */
interface NumericState {
  count: number;
  digits: bigint;
  scale: number;
  special: Numeric | undefined;
}

function numericInit(): NumericState {
  return { count: 0, digits: 0n, scale: 0, special: undefined };
}

function numericStep(state: NumericState, value: Numeric): NumericState {
  state.count += 1;
  if (value.kind !== 'finite') {
    state.special = state.special === undefined ? value : addNumeric(state.special, value);
  } else if (value.scale === state.scale) {
    state.digits += value.digits;
  } else if (value.scale < state.scale) {
    state.digits += value.digits * powerOfTen(state.scale - value.scale);
  } else {
    state.digits = state.digits * powerOfTen(value.scale - state.scale) + value.digits;
    state.scale = value.scale;
  }
  return state;
}

/** Not where a special value or the largest scale may go with the value. */
function numericInverse(state: NumericState, value: Numeric): NumericState | undefined {
  if (state.special !== undefined || value.kind !== 'finite') return undefined;
  if (value.scale === state.scale && state.scale > 0) return undefined;
  state.count -= 1;
  state.digits -= value.digits * powerOfTen(state.scale - value.scale);
  return state;
}

function numericTotal(state: NumericState): Numeric {
  return state.special ?? new Numeric(state.digits, state.scale);
}

function average(total: Numeric, count: number): Value {
  return count === 0 ? null : divideNumeric(total, numericOfInteger(count));
}

interface FloatState {
  count: number;
  sum: number;
  squares: number;
}

/** Youngs and Cramer's update, as float8_accum() has it. */
function floatStep(state: FloatState, value: number): FloatState {
  const before = state.count;
  const sumBefore = state.sum;
  state.count += 1;
  state.sum += value;
  if (before === 0) {
    state.squares = Number.isFinite(value) ? 0 : Number.NaN;
    return state;
  }
  const difference = value * state.count - state.sum;
  state.squares += (difference * difference) / (state.count * before);
  if (!Number.isFinite(state.sum) || !Number.isFinite(state.squares)) {
    if (Number.isFinite(sumBefore) && Number.isFinite(value)) floatOverflow();
    state.squares = Number.NaN;
  }
  return state;
}

function floatOverflow(): never {
  raise('numeric_value_out_of_range', 'value out of range: overflow');
}

function floatInit(): FloatState {
  return { count: 0, sum: 0, squares: 0 };
}

function floatSum(round: (value: number) => number): Accumulator<number | null, number, Value> {
  return {
    init: () => null,
    step: (state, value) => {
      if (state === null) return value;
      const sum = round(state + value);
      if (!Number.isFinite(sum) && Number.isFinite(state) && Number.isFinite(value))
        floatOverflow();
      return sum;
    },
    final: (state) => state,
  };
}

type Spread = 'var_pop' | 'var_samp' | 'stddev_pop' | 'stddev_samp';

function floatSpread(spread: Spread): Accumulator<FloatState, number, Value> {
  return {
    init: floatInit,
    step: floatStep,
    final: ({ count, squares }) => {
      const divisor = spread.endsWith('pop') ? count : count - 1;
      if (divisor < 1) return null;
      return spread.startsWith('var') ? squares / divisor : Math.sqrt(squares / divisor);
    },
  };
}

/** Sums of the numbers and of their squares, exact. */
interface SquareState {
  readonly sum: NumericState;
  readonly squares: NumericState;
}

function squareStep(state: SquareState, value: Numeric): SquareState {
  numericStep(state.sum, value);
  if (value.kind === 'finite') {
    numericStep(state.squares, new Numeric(value.digits * value.digits, value.scale * 2));
  }
  return state;
}

/** As numeric_stddev_internal(): (N sum(x^2) - sum(x)^2) / (N (N or N - 1)). */
function numericSpread<A>(
  spread: Spread,
  convert: (value: A) => Numeric,
): Accumulator<SquareState, A, Value> {
  return {
    init: () => ({ sum: numericInit(), squares: numericInit() }),
    step: (state, value) => squareStep(state, convert(value)),
    final: ({ sum, squares }) => {
      const { count } = sum;
      const divisor = spread.endsWith('pop') ? count : count - 1;
      if (divisor < 1) return null;
      if (sum.special !== undefined) return Numeric.nan;
      const scale = sum.scale * 2;
      const digits = BigInt(count) * squares.digits - sum.digits * sum.digits;
      if (digits <= 0n) return Numeric.zero;
      const dividend = new Numeric(digits, scale);
      const product = new Numeric(BigInt(count) * BigInt(divisor), 0);
      const quotientScale = divisionScale(dividend, product);
      const variance = quotientAt(dividend, product, quotientScale);
      return spread.startsWith('var')
        ? new Numeric(variance, quotientScale)
        : new Numeric(squareRootAt(variance, quotientScale, quotientScale), quotientScale);
    },
    sizeOf: () => 192,
  };
}

const spreads: readonly (readonly [string, Spread])[] = [
  ['var_pop', 'var_pop'],
  ['var_samp', 'var_samp'],
  ['variance', 'var_samp'],
  ['stddev_pop', 'stddev_pop'],
  ['stddev_samp', 'stddev_samp'],
  ['stddev', 'stddev_samp'],
];

function spreadAggregates([name, spread]: readonly [string, Spread]): AggregateDefinition[] {
  const ofInteger = numericSpread(spread, numericOfInteger);
  return [
    aggregate(`${name}(int2): numeric`, ofInteger),
    aggregate(`${name}(int4): numeric`, ofInteger),
    aggregate(
      `${name}(int8): numeric`,
      numericSpread(spread, (value: bigint) => new Numeric(value, 0)),
    ),
    aggregate(
      `${name}(numeric): numeric`,
      numericSpread(spread, (value: Numeric) => value),
    ),
    aggregate(`${name}(float4): float8`, floatSpread(spread)),
    aggregate(`${name}(float8): float8`, floatSpread(spread)),
  ];
}

interface IntervalState {
  count: number;
  total: Interval | undefined;
}

function intervalInit(): IntervalState {
  return { count: 0, total: undefined };
}

function intervalStep(state: IntervalState, value: Interval): IntervalState {
  state.count += 1;
  state.total = state.total === undefined ? value : addIntervals(state.total, value);
  return state;
}

function intervalInverse(state: IntervalState, value: Interval): IntervalState {
  state.count -= 1;
  const total = state.total && addIntervals(state.total, negateInterval(value));
  state.total = state.count === 0 ? undefined : total;
  return state;
}

const wholeSum: Accumulator<WholeState, number, Value> = {
  init: wholeInit,
  step: wholeStep,
  inverse: (state, value) => {
    wholeStep(state, -value).count -= 2;
    return state;
  },
  final: (state) => (state.count === 0 ? null : int8(wholeTotal(state))),
  sizeOf: () => 64,
};

const wholeAverage: Accumulator<WholeState, number, Value> = {
  ...wholeSum,
  final: (state) => average(new Numeric(wholeTotal(state), 0), state.count),
};

const floatAverage: Accumulator<FloatState, number, Value> = {
  init: floatInit,
  step: floatStep,
  final: ({ count, sum }) => (count === 0 ? null : sum / count),
  sizeOf: () => 48,
};

export const sumAggregates: readonly AggregateDefinition[] = [
  aggregate('sum(int2): int8', wholeSum),
  aggregate('sum(int4): int8', wholeSum),
  aggregate('sum(int8): numeric', {
    init: bigintInit,
    step: bigintStep,
    inverse: bigintInverse,
    final: ({ count, total }) => (count === 0 ? null : new Numeric(total, 0)),
    sizeOf: () => 64,
  }),
  aggregate('sum(numeric): numeric', {
    init: numericInit,
    step: numericStep,
    inverse: numericInverse,
    final: (state) => (state.count === 0 ? null : numericTotal(state)),
    sizeOf: () => 96,
  }),
  aggregate('sum(float4): float4', floatSum(Math.fround)),
  aggregate(
    'sum(float8): float8',
    floatSum((value) => value),
  ),
  aggregate('avg(int2): numeric', wholeAverage),
  aggregate('avg(int4): numeric', wholeAverage),
  aggregate('avg(int8): numeric', {
    init: bigintInit,
    step: bigintStep,
    inverse: bigintInverse,
    final: ({ count, total }) => average(new Numeric(total, 0), count),
    sizeOf: () => 64,
  }),
  aggregate('avg(numeric): numeric', {
    init: numericInit,
    step: numericStep,
    inverse: numericInverse,
    final: (state) => average(numericTotal(state), state.count),
    sizeOf: () => 96,
  }),
  aggregate('avg(float4): float8', floatAverage),
  aggregate('avg(float8): float8', floatAverage),
  aggregate('sum(interval): interval', {
    init: intervalInit,
    step: intervalStep,
    inverse: intervalInverse,
    final: ({ total }) => total ?? null,
    sizeOf: () => 96,
  }),
  aggregate('avg(interval): interval', {
    init: intervalInit,
    step: intervalStep,
    inverse: intervalInverse,
    final: ({ total, count }) => (total === undefined ? null : intervalDividedBy(total, count)),
    sizeOf: () => 96,
  }),
  ...spreads.flatMap(spreadAggregates),
];
