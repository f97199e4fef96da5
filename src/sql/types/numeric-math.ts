/** Roots, powers and logarithms of numeric, to PostgreSQL's scales. */
import { powerOfTen } from './numeric.js';

/** The square root of `digits * 10^-scale` at another scale, rounded half up. */
export function squareRootAt(digits: bigint, scale: number, wanted: number): bigint {
  const shift = wanted * 2 - scale;
  const scaled = shift >= 0 ? digits * powerOfTen(shift) : digits / powerOfTen(-shift);
  const root = wholeRoot(scaled);
  // (root + 1/2)^2 = root^2 + root + 1/4
  return scaled - root * root > root ? root + 1n : root;
}

/** The largest whole number whose square is not above `value`: Newton's method from above. */
export function wholeRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
