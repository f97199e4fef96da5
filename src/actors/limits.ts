/** Limits of the runtime that no setting changes; docs/limits.md lists them. */

export interface ActorLimits {
  /** Messages at one actor above which new work is refused and what may be dropped is dropped. */
  readonly queueMessagesMax: number;
  /** Milliseconds after which a turn counts as long and is logged, one a second of each kind. */
  readonly longTurnMs: number;
  /** Milliseconds that turns take before the sockets of the thread are served. */
  readonly drainBudgetMs: number;
  /** Milliseconds before an actor that threw is started again; they double with each failure. */
  readonly restartDelayMs: number;
  /** The longest pause before an actor that threw is started again, milliseconds. */
  readonly restartDelayMaxMs: number;
  /** Milliseconds without a failure after which that pause is the first one again. */
  readonly restartForgiveMs: number;
}

export const defaultLimits: ActorLimits = {
  queueMessagesMax: 16_384,
  longTurnMs: 5,
  drainBudgetMs: 5,
  restartDelayMs: 10,
  restartDelayMaxMs: 5000,
  restartForgiveMs: 30_000,
};

/** Of so many turns one goes to the lowest priority that waits, so that none waits for ever. */
export const turnsPerLowest = 16;
/** Turns in one drain when the clock stands still, as virtual time does. */
export const turnsPerDrainMax = 10_000;
/** Bytes taken from other threads before the messages in them are served. */
export const readBytesMax = 262_144;
/** Milliseconds that a stop waits for messages under way. */
export const stopDrainMs = 5000;
/** The longest name of an actor or message kind, in ASCII characters. */
export const nameLengthMax = 255;
/** Threads that run jobs at once. */
export const jobThreadsMax = 1;
/** Jobs that wait for a thread; more are refused with 53400. */
export const jobQueueMax = 256;
/** Milliseconds after which a thread without jobs ends. */
export const jobIdleMs = 10_000;
