/**
 * The clocks of one process: a monotonic one of its own offset and rate, and a wall clock that jumps
 * when told to. Code takes time to run: a process may be ahead of its world, and whatever it does
 * next begins when it has caught up.
 */
import { assert } from '../base/assert.js';
import type { Clock } from '../actors/index.js';
import type { Random } from '../base/random.js';
import type { World } from './world.js';

const epochMs = 1_790_000_000_000;
/** A shorter time may add nothing to the world's: a timer would be due in no time for ever. */
const resolutionMs = 1e-6;

export interface ClockOptions {
  /** Clocks differ in rate by at most this share. */
  readonly drift: number;
  /** The wall clock is off by at most this at the start. */
  readonly wallOffsetMsMax: number;
  /** A read lets up to so much time pass, so that turns reach their budget. */
  readonly readMsMax: number;
}

export class SimulatedClock implements Clock {
  readonly #world: World;
  readonly #random: Random;
  readonly #readMsMax: number;
  readonly #rate: number;
  #offsetMs: number;
  #wallOffsetMs: number;
  /** The instant of the world up to which the process is busy. */
  #busyUntilMs = 0;

  constructor(world: World, random: Random, options: ClockOptions) {
    const { drift, wallOffsetMsMax, readMsMax } = options;
    this.#world = world;
    this.#random = random;
    this.#readMsMax = readMsMax;
    // Two clocks, each off by half, differ by the whole.
    this.#rate = 1 + (random.fraction() - 0.5) * drift;
    this.#offsetMs = random.fraction() * 1_000_000;
    this.#wallOffsetMs = epochMs + (random.fraction() - 0.5) * 2 * wallOffsetMsMax;
  }

  nowMs(): number {
    if (this.#readMsMax > 0) this.spend(this.#random.fraction() * this.#readMsMax);
    return this.#localMs;
  }

  /** What it shows, without taking the time of a read. */
  get shownMs(): number {
    return this.#localMs;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#hereMs;
  }

  /** How far the process is ahead of its world. */
  get aheadMs(): number {
    return Math.max(0, this.#busyUntilMs - this.#world.nowMs);
  }

  /** Milliseconds of the world until the monotonic clock shows `dueMs`. */
  untilMs(dueMs: number): number {
    const leftMs = dueMs - this.#localMs;
    return (leftMs > 0 ? Math.max(leftMs / this.#rate, resolutionMs) : 0) + this.aheadMs;
  }

  /** The code runs for so long. */
  spend(durationMs: number): void {
    assert(durationMs >= 0, 'time runs backwards', durationMs);
    this.#busyUntilMs = this.#hereMs + durationMs;
  }

  jumpWall(deltaMs: number): void {
    this.#wallOffsetMs += deltaMs;
  }

  /** The machine was suspended: its monotonic clock has stood still meanwhile. */
  stoodStill(durationMs: number): void {
    this.#offsetMs -= durationMs * this.#rate;
  }

  get #localMs(): number {
    return this.#offsetMs + this.#hereMs * this.#rate;
  }

  /** Where the process is in the time of the world. */
  get #hereMs(): number {
    return Math.max(this.#world.nowMs, this.#busyUntilMs);
  }
}
