import type { ActorStarted, ActorStopped, ActorUnwatch, LogLevel, Message, Ref } from './actor.js';
import type { Cell } from './cell.js';
import type { ActorLimits } from './limits.js';

/** What the supervisor needs of the dispatcher. */
export interface SupervisorHost {
  readonly limits: ActorLimits;
  nowMs(): number;
  log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void;
  fatal(error: Error): void;
  /** Has {@link Supervisor.start} called at `dueMs`. */
  restartAt(cell: Cell, dueMs: number): void;
  cancelTimers(cell: Cell): void;
  /** Puts the message before all others of the actor. */
  enqueueFirst(cell: Cell, message: ActorStarted): void;
  /** Has the messages served that wait at the actor. */
  standAll(cell: Cell): void;
  send(from: Cell, to: Ref<never>, message: ActorStopped | ActorUnwatch): void;
}

/**
 * Starts, restarts and stops actors. An actor that throws loses its state and its timers, keeps its
 * queue, and is made anew by its kind after a pause that doubles with each failure in a row. A
 * failure in a kind marked `failStop` ends the process instead.
 */
export class Supervisor {
  readonly #host: SupervisorHost;

  constructor(host: SupervisorHost) {
    this.#host = host;
  }

  start(cell: Cell): void {
    try {
      cell.actor = cell.kind.kind.create(cell.args, cell.place, cell.self);
    } catch (error) {
      this.fail(cell, error, undefined);
      return;
    }
    if (cell.kind.takes.has('actor.started')) {
      this.#host.enqueueFirst(cell, { kind: 'actor.started', restarts: cell.restarts });
    }
    this.#host.standAll(cell);
  }

  restart(cell: Cell): void {
    cell.restarts += 1;
    cell.kind.restarts.value += 1;
    this.start(cell);
  }

  /** The actor threw in `message`, or when it was made. */
  fail(cell: Cell, error: unknown, message: Message | undefined): void {
    const host = this.#host;
    host.log('error', 'actor.failed', {
      actor: cell.self.name,
      place: cell.place.id,
      message: message?.kind,
      error,
    });
    if (cell.isDoor) return;
    if (cell.kind.kind.failStop === true) {
      cell.actor = undefined;
      host.fatal(asError(error));
      return;
    }
    this.#release(cell);
    const nowMs = host.nowMs();
    const forgiven = nowMs - cell.failedMs > host.limits.restartForgiveMs;
    cell.failures = forgiven ? 1 : cell.failures + 1;
    cell.failedMs = nowMs;
    const delayMs = host.limits.restartDelayMs * 2 ** (cell.failures - 1);
    host.restartAt(cell, nowMs + Math.min(delayMs, host.limits.restartDelayMaxMs));
    this.#tellWatchers(cell, 'failed');
  }

  /** Ends the actor for good; what waits at it is a dead letter. */
  stop(cell: Cell): void {
    if (cell.stopped) return;
    cell.stopped = true;
    cell.place.cells.delete(cell.self.name);
    cell.place.deadLetters.value += cell.depth;
    cell.kind.actors.value -= 1;
    for (const lane of cell.lanes) lane.clear();
    cell.depth = 0;
    this.#release(cell);
    this.#tellWatchers(cell, 'stopped');
    for (const watched of cell.watched.values()) {
      this.#host.send(cell, watched, { kind: 'actor.unwatch', watcher: cell.self });
    }
    cell.watched.clear();
  }

  #release(cell: Cell): void {
    const actor = cell.actor;
    cell.actor = undefined;
    this.#host.cancelTimers(cell);
    try {
      actor?.stopped?.();
    } catch (error) {
      this.#host.log('error', 'actor.stopFailed', { actor: cell.self.name, error });
    }
  }

  #tellWatchers(cell: Cell, reason: 'stopped' | 'failed'): void {
    for (const watcher of cell.watchers.values()) {
      this.#host.send(cell, watcher, { kind: 'actor.stopped', actor: cell.self, reason });
    }
  }
}

/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
