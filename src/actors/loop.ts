import { must } from '../base/assert.js';
import type { Clock, Schedule } from './host.js';

/** The clocks of the process. */
export const processClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
};

/** Node does not wait longer than this in one timer. */
const timerDelayMsMax = 0x7fff_ffff;

/**
 * The event loop as a schedule: drains run in `setImmediate`, after the I/O callbacks of a loop turn,
 * so that everything which arrived in one turn is served together.
 */
export class LoopSchedule implements Schedule {
  #drain: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** Names the dispatcher to be drained; once, before anything is asked for. */
  attach(drain: () => void): void {
    this.#drain = drain;
  }

  soon(): void {
    setImmediate(this.#run);
  }

  at(dueMs: number): void {
    clearTimeout(this.#timer);
    const delayMs = Math.max(0, Math.ceil(dueMs - performance.now()));
    this.#timer = setTimeout(this.#run, Math.min(delayMs, timerDelayMsMax));
  }

  /** Nothing is drained any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  readonly #run = (): void => {
    if (!this.#stopped) must(this.#drain, 'schedule without a dispatcher')();
  };
}
