/**
 * Seeded random numbers: xoshiro128** by Blackman and Vigna (https://prng.di.unimi.it), seeded by
 * splitmix32. The same seed gives the same numbers everywhere. Not for secrets.
 */
import { assert } from './assert.js';

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** `seed` is any safe integer. */
  constructor(seed: number) {
    assert(Number.isSafeInteger(seed), 'seed is no safe integer', seed);
    let state = (seed ^ Math.floor(seed / 0x1_0000_0000)) | 0;
    const next = (): number => {
      state = (state + 0x9e37_79b9) | 0;
      let mixed = state ^ (state >>> 16);
      mixed = Math.imul(mixed, 0x21f0_aaad);
      mixed ^= mixed >>> 15;
      mixed = Math.imul(mixed, 0x735a_2d97);
      return mixed ^ (mixed >>> 15);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1;
  }

  /** A whole number, 0 <= n < 2^32. */
  uint32(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** A fraction, 0 <= x < 1, of 53 random bits. */
  fraction(): number {
    return ((this.uint32() >>> 5) * 0x400_0000 + (this.uint32() >>> 6)) / 0x20_0000_0000_0000;
  }

  /** A whole number, 0 <= n < bound. */
  below(bound: number): number {
    assert(Number.isSafeInteger(bound) && bound > 0, 'bound out of range', bound);
    return Math.floor(this.fraction() * bound);
  }

  /** A whole number, low <= n <= high. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    assert(item !== undefined, 'pick met an absent item');
    return item;
  }

  /** An independent stream: drawing from it does not change what this one gives later. */
  split(): Random {
    return new Random(this.uint32() * 0x20_0000 + (this.uint32() >>> 11));
  }
}
