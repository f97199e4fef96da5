/** Plans that the sessions of a place share, by the text that a client sent. */
import type { Cell } from '../../base/metrics.js';
import type { Found } from '../catalogue/index.js';
import type { CompiledStatement } from '../execute/index.js';
import type { BoundStatement } from '../plan/statement.js';
import type { Column } from './protocol.js';

/** A statement that reads or writes rows, ready to run. */
export interface Plan {
  readonly bound: BoundStatement;
  /** What its names meant: it is good while they mean the same. */
  readonly found: readonly Found[];
  readonly compiled: CompiledStatement;
  /** One object for all results, so that a door can keep what it makes of it. */
  readonly columns: readonly Column[] | undefined;
  /** The texts of result values depend on the session's time zone. */
  readonly readsTimeZone: boolean;
  readonly writes: boolean;
  /**
   * The version of the catalogue at which its names were last looked up by a session that sees nothing
   * of its own; 0 before.
   */
  catalogueVersion: number;
  /** The role that was found to have all rights that it needs, at that version; 0 before. */
  allowed: number;
  /** Set by each use, cleared when it is spared once. */
  used: boolean;
  readonly bytes: number;
}

export class PlanCache {
  readonly #plans = new Map<string, Plan>();
  readonly #limitBytes: number;
  readonly #bytes: Cell;

  /** `bytes` shows what the cache holds. */
  constructor(limitBytes: number, bytes: Cell) {
    this.#limitBytes = limitBytes;
    this.#bytes = bytes;
  }

  get(key: string): Plan | undefined {
    const plan = this.#plans.get(key);
    if (plan !== undefined) plan.used = true;
    return plan;
  }

  set(key: string, plan: Plan): void {
    this.delete(key);
    this.#plans.set(key, plan);
    this.#bytes.value += plan.bytes;
    this.#evict();
  }

  delete(key: string): void {
    const plan = this.#plans.get(key);
    if (plan === undefined) return;
    this.#plans.delete(key);
    this.#bytes.value -= plan.bytes;
  }

  /** The oldest go first; one that was used since it was last looked at is spared (CLOCK). */
  #evict(): void {
    for (const [key, plan] of this.#plans) {
      if (this.#bytes.value <= this.#limitBytes) return;
      this.delete(key);
      if (!plan.used) continue;
      plan.used = false;
      this.#plans.set(key, plan);
      this.#bytes.value += plan.bytes;
    }
  }
}
