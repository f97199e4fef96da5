/**
 * What a leader knows of the lives whose sessions have advisory locks. A life that is not heard of for a lease is
 * ended by an entry: its locks go to those who wait. Whatever names a life in a proposal counts as a sign of it.
 *
 * A node ends its sessions with locks before that, by its own clock, counted from when it sent the last sign that
 * was committed (lock-desk.ts). This leader counts from when it admitted that sign, or, of signs that older leaders
 * admitted, from when it came to serve: later in either case. So nobody acts in the name of a life that has ended,
 * as far as clocks agree in rate; what is on its way is refused here in any case.
 *
 * Invariant: from the moment that an entry which ends a life is proposed, nothing in its name is admitted.
 */
import type { Term } from '../base/ids.js';
import type { LifeId, Proposal, ShardState } from '../txn/index.js';

/** Why sessions of a life that has ended do. */
export const lifeEndedText =
  'terminating connection: its node was out of reach for so long that others may have got its advisory locks';

export interface LockLeasesParts {
  readonly state: ShardState;
  /** Milliseconds. */
  readonly lockLeaseMs: number;
}

export class LockLeases {
  readonly #parts: LockLeasesParts;
  readonly #heardMs = new Map<LifeId, number>();
  /** Entries under way that begin or end a life. */
  readonly #beginning = new Set<LifeId>();
  readonly #ending = new Map<LifeId, number>();
  #servesSinceMs = 0;
  #term: Term | undefined;

  constructor(parts: LockLeasesParts) {
    this.#parts = parts;
  }

  /** This replica leads and serves, or goes on to. */
  serve(term: Term, nowMs: number): void {
    if (this.#term === term) return;
    this.clear();
    this.#term = term;
    this.#servesSinceMs = nowMs;
  }

  /** It does not lead any more. */
  clear(): void {
    this.#heardMs.clear();
    this.#beginning.clear();
    this.#ending.clear();
    this.#term = undefined;
  }

  /** Whether a proposal that names a life, or is about locks, may be admitted; takes note of it. */
  admit({ life, locks }: Proposal, nowMs: number): boolean {
    const { state } = this.#parts;
    const isNew = locks?.some(({ op }) => op === 'begin') === true;
    const known = life === undefined || this.#beginning.has(life) || state.locks.has(life);
    if (!isNew && (!known || (life !== undefined && this.#ending.has(life)))) return false;
    for (const operation of locks ?? []) {
      if (operation.op === 'end') this.#end(operation.life, nowMs);
      else if (operation.op === 'begin') {
        this.#beginning.add(operation.life);
        for (const other of state.locks.lives()) {
          if (other.node === operation.node) this.#end(other.life, nowMs);
        }
      }
    }
    if (life !== undefined) this.#heardMs.set(life, nowMs);
    return true;
  }

  #end(life: LifeId, nowMs: number): void {
    this.#beginning.delete(life);
    this.#ending.set(life, nowMs);
  }

  /** Lives that have not been heard of for too long, and whose end is not under way. */
  expired(nowMs: number): readonly LifeId[] {
    const { state, lockLeaseMs } = this.#parts;
    const expired: LifeId[] = [];
    const lives = new Set<LifeId>();
    for (const { life } of state.locks.lives()) {
      lives.add(life);
      this.#beginning.delete(life);
      const sinceMs = Math.max(
        this.#heardMs.get(life) ?? this.#servesSinceMs,
        this.#ending.get(life) ?? 0,
      );
      if (nowMs > sinceMs + lockLeaseMs) expired.push(life);
    }
    for (const life of [...this.#ending.keys()]) if (!lives.has(life)) this.#forget(life);
    return expired;
  }

  #forget(life: LifeId): void {
    this.#ending.delete(life);
    this.#heardMs.delete(life);
  }
}
