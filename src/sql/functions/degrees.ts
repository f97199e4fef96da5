/**
 * Trigonometry in degrees, exact at the multiples of 30 and 45 where the result is (float.c: a value is
 * divided by what the same computation gives for such an angle).
 */
import { type Definition, define } from './definition.js';
import { inputOutOfRange } from './float.js';

const perDegree = Math.PI / 180;
const sine30 = Math.sin(30 * perDegree);
const oneMinusCosine60 = 1 - Math.cos(60 * perDegree);
const arcSineOfHalf = Math.asin(0.5);
const arcCosineOfHalf = Math.acos(0.5);
const arcTangentOfOne = Math.atan(1);

/** Between 0 and 30 degrees. */
function lowSine(degrees: number): number {
  return Math.sin(degrees * perDegree) / sine30 / 2;
}

/** Between 0 and 60 degrees. */
function lowCosine(degrees: number): number {
  return 1 - (1 - Math.cos(degrees * perDegree)) / oneMinusCosine60 / 2;
}

/** Of the first quadrant. */
function quadrantSine(degrees: number): number {
  return degrees <= 30 ? lowSine(degrees) : lowCosine(90 - degrees);
}

function quadrantCosine(degrees: number): number {
  return degrees <= 60 ? lowCosine(degrees) : lowSine(90 - degrees);
}

const tangent45 = quadrantSine(45) / quadrantCosine(45);
const cotangent45 = quadrantCosine(45) / quadrantSine(45);

/** An angle of the first quadrant, and how often it was mirrored at an axis to come there. */
interface Folded {
  readonly degrees: number;
  readonly isNegative: boolean;
  readonly isOverHalf: boolean;
  readonly isOverQuarter: boolean;
}

function fold(value: number): Folded {
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) inputOutOfRange();
  const turned = value % 360;
  const isNegative = turned < 0;
  const positive = Math.abs(turned);
  const isOverHalf = positive > 180;
  const half = isOverHalf ? 360 - positive : positive;
  const isOverQuarter = half > 90;
  return { degrees: isOverQuarter ? 180 - half : half, isNegative, isOverHalf, isOverQuarter };
}

/** -1 for an odd number of changes of sign. */
function signOf(...changes: readonly boolean[]): 1 | -1 {
  return changes.filter(Boolean).length % 2 === 0 ? 1 : -1;
}

function sine(value: number): number {
  const { degrees, isNegative, isOverHalf } = fold(value);
  return signOf(isNegative, isOverHalf) * quadrantSine(degrees);
}

function cosine(value: number): number {
  const { degrees, isOverQuarter } = fold(value);
  return signOf(isOverQuarter) * quadrantCosine(degrees);
}

/** Adding 0 makes 0 of -0. */
function tangent(value: number): number {
  const { degrees, isNegative, isOverHalf, isOverQuarter } = fold(value);
  const ratio = quadrantSine(degrees) / quadrantCosine(degrees) / tangent45;
  return signOf(isNegative, isOverHalf, isOverQuarter) * ratio + 0;
}

function cotangent(value: number): number {
  const { degrees, isNegative, isOverHalf, isOverQuarter } = fold(value);
  const ratio = quadrantCosine(degrees) / quadrantSine(degrees) / cotangent45;
  return signOf(isNegative, isOverHalf, isOverQuarter) * ratio + 0;
}

/** Of a ratio between 0 and 1. */
function quadrantArcSine(ratio: number): number {
  if (ratio <= 0.5) return (Math.asin(ratio) / arcSineOfHalf) * 30;
  return 90 - (Math.acos(ratio) / arcCosineOfHalf) * 60;
}

function quadrantArcCosine(ratio: number): number {
  if (ratio <= 0.5) return 90 - (Math.asin(ratio) / arcSineOfHalf) * 30;
  return (Math.acos(ratio) / arcCosineOfHalf) * 60;
}

function arcSine(ratio: number): number {
  if (ratio < -1 || ratio > 1) inputOutOfRange();
  return ratio >= 0 ? quadrantArcSine(ratio) : -quadrantArcSine(-ratio);
}

function arcCosine(ratio: number): number {
  if (ratio < -1 || ratio > 1) inputOutOfRange();
  return ratio >= 0 ? quadrantArcCosine(ratio) : 90 + quadrantArcSine(-ratio);
}

export const degreeFunctions: readonly Definition[] = [
  define('sind(float8): float8', sine),
  define('cosd(float8): float8', cosine),
  define('tand(float8): float8', tangent),
  define('cotd(float8): float8', cotangent),
  define('asind(float8): float8', arcSine),
  define('acosd(float8): float8', arcCosine),
  define('atand(float8): float8', (ratio: number) => (Math.atan(ratio) / arcTangentOfOne) * 45),
  define(
    'atan2d(float8, float8): float8',
    (y: number, x: number) => (Math.atan2(y, x) / arcTangentOfOne) * 45,
  ),
];
