import type { Mailbox } from '../mailbox/index.js';
import type { Dispatcher } from './dispatcher.js';
import type { Clock, Schedule } from './host.js';
import { readBytesMax } from './limits.js';

/** The clocks of the process. */
export const processClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
};

/** Node does not wait longer than this in one timer. */
const timerDelayMsMax = 0x7fff_ffff;

/**
 * While messages from other threads follow each other within `busyGapMs`, the loop looks for the
 * next one for `spinMs` before it sleeps: a wake-up costs 50 us, which such a conversation would pay
 * at every step. A single message does not make it spin, and I/O is served all the time. Without a
 * core for every thread and one to spare nobody spins, as that takes the core from whom it waits for.
 */
const busyGapMs = 0.2;
const spinMs = 0.05;

/** What the loop serves. */
export interface LoopParts {
  readonly dispatcher: Dispatcher;
  readonly mailbox: Mailbox | undefined;
  /** Takes a record that another thread wrote. */
  readonly arrive: (bytes: Buffer, start: number, end: number) => void;
}

/**
 * The event loop of a thread as a schedule. Turns run in `setImmediate`, after the I/O callbacks of
 * the loop, so that everything which arrived together is served together: first what came from other
 * threads, then the turns, then what they wrote leaves for other threads at once.
 */
export class ThreadLoop implements Schedule {
  #parts: LoopParts | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #scheduled = false;
  #stopped = false;
  #records = 0;
  #recordsMs = 0;
  #busy = false;
  readonly #spins: boolean;

  /** `spins`: there are more cores than threads. */
  constructor(spins: boolean) {
    this.#spins = spins;
  }

  /** Names what is to be served; nothing runs before. */
  attach(parts: LoopParts): void {
    this.#parts = parts;
  }

  soon(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(this.#onImmediate);
  }

  at(dueMs: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const delayMs = Math.max(0, Math.ceil(dueMs - performance.now()));
    this.#timer = setTimeout(
      () => {
        // Timers of Node may fire early, by a fraction of a millisecond or by timerDelayMsMax.
        if (performance.now() < dueMs) this.at(dueMs);
        else this.run();
      },
      Math.min(delayMs, timerDelayMsMax),
    );
  }

  /** Something was written to another thread: it leaves at the end of the loop's turn. */
  written(): void {
    if (!this.#running) this.soon();
  }

  /** Nothing runs any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** One turn of the loop. */
  readonly run = (): void => {
    const parts = this.#parts;
    if (this.#stopped || parts === undefined) return;
    const { dispatcher, mailbox } = parts;
    this.#running = true;
    const more = mailbox !== undefined && this.#read(parts, mailbox);
    dispatcher.drain();
    mailbox?.flush();
    this.#running = false;
    if (more || (mailbox !== undefined && !this.#scheduled && !this.#rest(mailbox))) this.soon();
  };

  readonly #onImmediate = (): void => {
    this.#scheduled = false;
    this.run();
  };

  #read({ arrive }: LoopParts, mailbox: Mailbox): boolean {
    mailbox.wake();
    const before = this.#records;
    const more = mailbox.read(readBytesMax, (_thread, bytes, start, end) => {
      this.#records += 1;
      arrive(bytes, start, end);
    });
    if (this.#records > before) {
      const nowMs = performance.now();
      this.#busy = this.#spins && nowMs - this.#recordsMs < busyGapMs;
      this.#recordsMs = nowMs;
    }
    return more;
  }

  /** True when the thread may wait for its bell; false when it is to look again. */
  #rest(mailbox: Mailbox): boolean {
    if (this.#busy && performance.now() - this.#recordsMs < spinMs) return false;
    return mailbox.sleep();
  }
}
