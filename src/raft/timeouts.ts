/**
 * How long to wait before an election: drawn anew each time, longer on slow links, longer after elections
 * that failed. Bounded, so that a group that can agree does so soon.
 */
import type { Random } from '../base/random.js';
import type { RaftTiming } from './contract.js';

/** How often the wait doubles at most while elections fail. */
const doublingsMax = 3;
/** Slow links stretch timeouts to so many times the configured minimum at most. */
const stretchMax = 8;
/** What a new sample leaves of a higher estimate. */
const decay = 0.98;

export class ElectionTimeouts {
  timing: RaftTiming;
  readonly #random: Random;
  #roundTripMs = 0;
  #failed = 0;

  constructor(timing: RaftTiming, random: Random) {
    this.timing = timing;
    this.#random = random;
  }

  /** The slowest of late, milliseconds: an estimate that rises at once and falls slowly. */
  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  get failed(): number {
    return this.#failed;
  }

  /** A round trip took so long, or a heartbeat was so late. */
  observe(ms: number): void {
    const sample = Math.max(0, ms);
    this.#roundTripMs = Math.max(sample, this.#roundTripMs * decay + sample * (1 - decay));
  }

  electionFailed(): void {
    this.#failed += 1;
  }

  /** A leader is there. */
  settled(): void {
    this.#failed = 0;
  }

  /** The time to wait for a leader from now on, milliseconds. */
  draw(): number {
    const { electionMsMin, electionMsMax } = this.timing;
    const base = Math.max(electionMsMin, this.#stretched);
    // Candidates must lie a round trip apart, or they split the votes.
    const spread = Math.max(electionMsMax - electionMsMin, this.#stretched / 2);
    return base + this.#random.fraction() * spread * 2 ** Math.min(this.#failed, doublingsMax);
  }

  /** A short wait before a member follows up what speaks for an election, milliseconds. */
  drawShort(): number {
    return this.#random.fraction() * this.timing.heartbeatMs;
  }

  /** A leader that a majority has not answered for so long leads no more, milliseconds. */
  get quorumMs(): number {
    return Math.max(this.timing.electionMsMax, this.#stretched);
  }

  get #stretched(): number {
    const { heartbeatMs, electionMsMin } = this.timing;
    return Math.min(heartbeatMs + 3 * this.#roundTripMs, stretchMax * electionMsMin);
  }
}
