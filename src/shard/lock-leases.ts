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
import type { AdvisoryOwner, LifeId, Proposal, ShardState } from '../txn/index.js';

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
  /** Sessions that have asked for locks, or have ended, lately: the table may not say so yet. By when. */
  readonly #arriving = new Map<string, number>();
  readonly #leaving = new Map<string, number>();
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
    this.#arriving.clear();
    this.#leaving.clear();
    this.#term = undefined;
  }

  /** Whether a proposal of a holder, or one about locks, may be admitted; takes note of it. */
  admit({ holder, locks }: Proposal, nowMs: number): boolean {
    const isNew = locks?.some(({ op }) => op === 'begin') === true;
    if (holder !== undefined && !isNew && !this.#acts(holder)) return false;
    for (const operation of locks ?? []) {
      if (operation.op === 'end') this.#end(operation.life, nowMs);
      else if (operation.op === 'acquire') this.#arriving.set(keyOf(operation.owner), nowMs);
      else if (operation.op === 'leave') this.#leave(keyOf(operation.owner), nowMs);
      else if (operation.op === 'begin') {
        this.#beginning.add(operation.life);
        for (const other of this.#parts.state.locks.lives()) {
          if (other.node === operation.node) this.#end(other.life, nowMs);
        }
      }
    }
    if (holder !== undefined) this.#heardMs.set(holder.life, nowMs);
    return true;
  }

  /** Whether something may be done in the name of the holder. */
  #acts(holder: AdvisoryOwner): boolean {
    const { life, session } = holder;
    const { locks } = this.#parts.state;
    if (this.#ending.has(life) || this.#leaving.has(keyOf(holder))) return false;
    // What a life begins with is not applied yet.
    if (this.#beginning.has(life)) return true;
    if (session === 0) return locks.has(life);
    return locks.knows(holder) || this.#arriving.has(keyOf(holder));
  }

  #leave(key: string, nowMs: number): void {
    this.#arriving.delete(key);
    this.#leaving.set(key, nowMs);
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
      if (nowMs <= sinceMs + lockLeaseMs) continue;
      expired.push(life);
      // Proposed again if that does not come about.
      this.#end(life, nowMs);
    }
    for (const life of [...this.#ending.keys()]) if (!lives.has(life)) this.#forget(life);
    // By then the table says the same.
    for (const lately of [this.#arriving, this.#leaving]) {
      for (const [key, sinceMs] of lately) if (nowMs > sinceMs + lockLeaseMs) lately.delete(key);
    }
    return expired;
  }

  #forget(life: LifeId): void {
    this.#ending.delete(life);
    this.#heardMs.delete(life);
  }
}

function keyOf({ life, session }: AdvisoryOwner): string {
  return `${life}/${session}`;
}
