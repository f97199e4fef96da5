/** generate_series (https://www.postgresql.org/docs/15/functions-srf.html). */
import { raise } from '../../base/errors.js';
import type { FunctionContext, Value } from '../types/index.js';
import { compareIntervals, type Interval, makeInterval } from '../types/interval.js';
import { addNumeric, compareNumeric, Numeric, signOf } from '../types/numeric.js';
import { timestampPlus, timestamptzPlus } from './datetime-arithmetic.js';
import { defineSet, type SetDefinition } from './set-definition.js';

function zeroStep(): never {
  raise('invalid_parameter_value', 'step size cannot equal zero');
}

/** Ends where the next number would be out of range, without an error. */
function* numbers(start: number, stop: number, step: number): Generator<number> {
  if (step === 0) zeroStep();
  for (let at = start; step > 0 ? at <= stop : at >= stop; at += step) yield at;
}

function* bigints(start: bigint, stop: bigint, step: bigint): Generator<bigint> {
  if (step === 0n) zeroStep();
  for (let at = start; step > 0n ? at <= stop : at >= stop; at += step) yield at;
}

function* numerics(start: Numeric, stop: Numeric, step: Numeric): Generator<Numeric> {
  checkFinite(start, 'start value');
  checkFinite(stop, 'stop value');
  checkFinite(step, 'step size');
  const sign = signOf(step);
  if (sign === 0) zeroStep();
  for (let at = start; compareNumeric(at, stop) * sign <= 0; at = addNumeric(at, step)) yield at;
}

function checkFinite({ kind }: Numeric, what: string): void {
  if (kind === 'finite') return;
  const shown = kind === 'NaN' ? 'NaN' : 'infinity';
  raise('invalid_parameter_value', `${what} cannot be ${shown}`);
}

const noTime = makeInterval(0, 0, 0n);

function* times(
  start: bigint,
  stop: bigint,
  step: Interval,
  plus: (at: bigint, step: Interval) => bigint,
): Generator<bigint> {
  const sign = compareIntervals(step, noTime);
  if (sign === 0) zeroStep();
  for (let at = start; sign > 0 ? at <= stop : at >= stop; at = plus(at, step)) yield at;
}

/** The three arguments as a series takes them; the step is `one` when there are two. */
function series<T>(
  give: (start: T, stop: T, step: T) => Iterable<Value>,
  one: T,
): (values: readonly Value[]) => Iterable<Value> {
  return ([start, stop, step]) => give(start as T, stop as T, (step ?? one) as T);
}

const oneNumeric = new Numeric(1n, 0);
const ofNumbers = series(numbers, 1);
const ofBigints = series(bigints, 1n);
const ofNumerics = series(numerics, oneNumeric);

export const seriesFunctions: readonly SetDefinition[] = [
  defineSet('generate_series(int4, int4): setof int4', ofNumbers),
  defineSet('generate_series(int4, int4, int4): setof int4', ofNumbers),
  defineSet('generate_series(int8, int8): setof int8', ofBigints),
  defineSet('generate_series(int8, int8, int8): setof int8', ofBigints),
  defineSet('generate_series(numeric, numeric): setof numeric', ofNumerics),
  defineSet('generate_series(numeric, numeric, numeric): setof numeric', ofNumerics),
  defineSet(
    'generate_series(timestamp, timestamp, interval): setof timestamp',
    ([start, stop, step]) =>
      times(start as bigint, stop as bigint, step as Interval, (at, by) => timestampPlus(at, by)),
  ),
  defineSet(
    'generate_series(timestamptz, timestamptz, interval): setof timestamptz',
    ([start, stop, step], context: FunctionContext) =>
      times(start as bigint, stop as bigint, step as Interval, (at, by) =>
        timestamptzPlus(context, at, by),
      ),
    { volatility: 'stable' },
  ),
];
