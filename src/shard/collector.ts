/**
 * Decides when what no snapshot needs is removed. The removal itself is an entry of the log, so that
 * all replicas remove the same; one is under way at a time.
 */
import type { Context } from '../actors/actor.js';
import { assert } from '../base/assert.js';
import type { LogIndex, Timestamp } from '../base/ids.js';
import {
  encodeCollection,
  type GarbageQueue,
  nextCollection,
  type OpenSnapshots,
  type ShardState,
  Sweep,
  type VersionReader,
} from '../txn/index.js';
import type { ShardLimits } from './limits.js';
import type { ReplicaMessage } from './messages.js';
import type { Retention } from './retention.js';

export interface CollectorParts {
  readonly state: ShardState;
  readonly overlay: VersionReader;
  readonly garbage: GarbageQueue;
  readonly snapshots: OpenSnapshots;
  readonly limits: ShardLimits;
  readonly retention: Retention;
  /** Whether others have members of their own that read. */
  readonly hasOthers: () => boolean;
  /** Nothing may be removed while an image of the state is being sent. */
  readonly isHeld: () => boolean;
}

export class Collector {
  readonly #parts: CollectorParts;
  #sweep: Sweep | undefined;
  #scheduled = false;
  #underWay: LogIndex | undefined;
  #horizon = 0 as Timestamp;

  constructor(parts: CollectorParts) {
    this.#parts = parts;
  }

  /** Below it newer versions may be gone, or go with a collection under way. */
  get horizon(): Timestamp {
    return Math.max(this.#horizon, this.#parts.state.horizon) as Timestamp;
  }

  /** This replica begins or ceases to lead: of what another proposed it knows nothing. */
  reset(): void {
    this.#underWay = undefined;
    this.#horizon = 0 as Timestamp;
    this.#parts.retention.clear();
  }

  /** After entries were applied: sees to a collection when there is something to collect. */
  maybeSchedule(context: Context<ReplicaMessage>): void {
    if (this.#idle) return;
    this.#schedule(this.#parts.limits.collectDelayMs, context);
  }

  /** The timer went off where nothing is collected: another replica leads. */
  onTimer(): void {
    this.#scheduled = false;
  }

  /** The payload of the next collection, to be proposed as entry `index`. */
  next(context: Context<ReplicaMessage>, index: LogIndex): Uint8Array | undefined {
    this.#scheduled = false;
    if (this.#underWay !== undefined) return undefined;
    const { state, overlay, garbage, limits, isHeld } = this.#parts;
    const horizon = this.#nextHorizon(context.nowMs);
    assert(horizon <= state.timestamp, 'a snapshot of the future', horizon);
    if (isHeld()) {
      this.#schedule(limits.collectIdleDelayMs, context);
      return undefined;
    }
    const { discarded } = state;
    const found = nextCollection(overlay, garbage, discarded, horizon, limits.collectKeysMax);
    if (found !== undefined) {
      this.#underWay = index;
      this.#horizon = horizon;
      return encodeCollection(found);
    }
    if (this.#maybeSweep()) {
      context.probe('shard.garbageSwept');
      this.#schedule(limits.sweepDelayMs, context);
    } else if (!this.#idle) this.#schedule(limits.collectIdleDelayMs, context);
    return undefined;
  }

  /** The collection under way was applied: more of it may follow at once. */
  applied(index: LogIndex, context: Context<ReplicaMessage>): void {
    if (index !== this.#underWay) return;
    this.#underWay = undefined;
    if (this.#parts.garbage.size >= this.#parts.limits.collectKeysMax) {
      context.send(context.self, { kind: 'shard.collect' });
    }
  }

  /** What no snapshot needs lies below it. One that was overtaken while this replica followed holds nothing back. */
  #nextHorizon(nowMs: number): Timestamp {
    const { state, snapshots, retention, hasOthers } = this.#parts;
    const own = snapshots.oldest ?? state.timestamp;
    const all = hasOthers() ? Math.min(own, retention.horizon(state.timestamp, nowMs)) : own;
    return Math.max(all, this.horizon) as Timestamp;
  }

  get #idle(): boolean {
    const { state } = this.#parts;
    return state.garbage === 0 && state.discardedCount === 0;
  }

  #schedule(delayMs: number, context: Context<ReplicaMessage>): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    context.setTimer('shard.collect', delayMs, { kind: 'shard.collect' });
  }

  /** One step of the walk for garbage that the queue does not know; false when there is none to do. */
  #maybeSweep(): boolean {
    const { overlay, garbage, limits } = this.#parts;
    if (garbage.full) return false;
    if (this.#sweep === undefined) {
      if (garbage.complete) return false;
      garbage.beginSweep();
      this.#sweep = new Sweep();
    }
    this.#sweep.step(overlay, garbage, limits.sweepPairsMax);
    if (this.#sweep.done) this.#sweep = undefined;
    return true;
  }
}
