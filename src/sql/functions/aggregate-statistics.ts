/** Statistics of pairs: corr, covar_* and regr_* (float8_regr_accum() of PostgreSQL's float.c). */
import { raise } from '../../base/errors.js';
import type { Value } from '../types/index.js';
import { type Accumulator, type AggregateDefinition, aggregate } from './aggregate-definition.js';

/** Sums after Youngs and Cramer: of x and y, of their squared deviations, and of the products. */
interface Pairs {
  count: number;
  sumX: number;
  squaresX: number;
  sumY: number;
  squaresY: number;
  products: number;
}

function step(state: Pairs, y: number, x: number): Pairs {
  const { sumX: xBefore, sumY: yBefore, count: before } = state;
  state.count += 1;
  state.sumX += x;
  state.sumY += y;
  if (before === 0) {
    if (!Number.isFinite(x)) state.squaresX = state.products = Number.NaN;
    if (!Number.isFinite(y)) state.squaresY = state.products = Number.NaN;
    return state;
  }
  const [fromX, fromY] = [x * state.count - state.sumX, y * state.count - state.sumY];
  const scale = 1 / (state.count * before);
  state.squaresX += fromX * fromX * scale;
  state.squaresY += fromY * fromY * scale;
  state.products += fromX * fromY * scale;
  const sums = [state.sumX, state.squaresX, state.sumY, state.squaresY, state.products];
  if (sums.some((sum) => !Number.isFinite(sum))) {
    checkOverflow(state, [xBefore, x, yBefore, y]);
  }
  return state;
}

/** Overflow of finite numbers is an error; an infinite input makes the deviations NaN. */
function checkOverflow(state: Pairs, [xBefore, x, yBefore, y]: readonly number[]): void {
  const wasFinite = [xBefore, x, yBefore, y].every(Number.isFinite);
  const { sumX, squaresX, sumY, squaresY, products } = state;
  const overflowed = [sumX, squaresX, sumY, squaresY, products].some(
    (sum) => sum === Number.POSITIVE_INFINITY || sum === Number.NEGATIVE_INFINITY,
  );
  if (wasFinite && overflowed) raise('numeric_value_out_of_range', 'value out of range: overflow');
  const settled = (sum: number): number => (Number.isFinite(sum) ? sum : Number.NaN);
  state.squaresX = settled(squaresX);
  state.squaresY = settled(squaresY);
  state.products = settled(products);
}

function pairs(final: (state: Pairs) => Value): Accumulator<Pairs, number, number> {
  return {
    init: () => ({ count: 0, sumX: 0, squaresX: 0, sumY: 0, squaresY: 0, products: 0 }),
    step,
    final,
    sizeOf: () => 80,
  };
}

/** NULL without rows. */
function some(final: (state: Pairs) => Value): Accumulator<Pairs, number, number> {
  return pairs((state) => (state.count < 1 ? null : final(state)));
}

const slope = ({ products, squaresX }: Pairs): Value =>
  squaresX === 0 ? null : products / squaresX;

const intercept = ({ count, sumX, sumY, squaresX, products }: Pairs): Value =>
  squaresX === 0 ? null : (sumY - (sumX * products) / squaresX) / count;

const correlation = ({ squaresX, squaresY, products }: Pairs): Value =>
  squaresX === 0 || squaresY === 0 ? null : products / Math.sqrt(squaresX * squaresY);

function determination({ squaresX, squaresY, products }: Pairs): Value {
  if (squaresX === 0) return null;
  return squaresY === 0 ? 1 : (products * products) / (squaresX * squaresY);
}

const definitions: Readonly<Record<string, Accumulator<Pairs, number, number>>> = {
  regr_sxx: some(({ squaresX }) => squaresX),
  regr_syy: some(({ squaresY }) => squaresY),
  regr_sxy: some(({ products }) => products),
  regr_avgx: some(({ sumX, count }) => sumX / count),
  regr_avgy: some(({ sumY, count }) => sumY / count),
  regr_r2: some(determination),
  regr_slope: some(slope),
  regr_intercept: some(intercept),
  covar_pop: some(({ products, count }) => products / count),
  covar_samp: pairs(({ products, count }) => (count < 2 ? null : products / (count - 1))),
  corr: some(correlation),
};

export const statisticsAggregates: readonly AggregateDefinition[] = [
  ...Object.entries(definitions).map(([name, accumulator]) =>
    aggregate(`${name}(float8, float8): float8`, accumulator),
  ),
  aggregate(
    'regr_count(float8, float8): int8',
    pairs(({ count }) => BigInt(count)),
  ),
];
