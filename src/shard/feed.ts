/**
 * Brings applied changes from the overlay to the engine, in large batches and late, and shortens the
 * log by what the engine has. The log makes applied changes durable; the engine's copy only bounds
 * the memory and the time of a restart.
 *
 * Invariants: one batch is under way at a time; the applied state goes with it; no entry is removed
 * from the log before the engine has durably what it changed.
 */
import type { Context } from '../actors/actor.js';
import { assert } from '../base/assert.js';
import type { LogIndex, ShardId } from '../base/ids.js';
import type { HistogramCell } from '../base/metrics.js';
import type { Overlay, RaftLog } from '../storage/index.js';
import { groupKey } from '../storage/keys.js';
import type { ShardState } from '../txn/index.js';
import type { ShardLimits } from './limits.js';
import type { FedMessage, ReplicaMessage } from './messages.js';

export interface FeedParts {
  readonly shard: ShardId;
  readonly overlay: Overlay;
  readonly log: RaftLog;
  readonly state: ShardState;
  readonly limits: ShardLimits;
  readonly applyBytes: HistogramCell;
}

export class Feed {
  readonly #parts: FeedParts;
  #underWay = false;
  #timed = false;
  /** Payload bytes applied since the start, and of those how many left the log again. */
  #logBytes = 0;
  #compactedBytes = 0;
  /** Applied states that the engine has durably, oldest first: where the log may be cut. */
  #cuts: { readonly index: LogIndex; readonly logBytes: number }[] = [];

  constructor(parts: FeedParts) {
    this.#parts = parts;
    const { log, state } = parts;
    if (state.index >= log.firstIndex) this.#cuts.push({ index: state.index, logBytes: 0 });
  }

  /** An entry with that much payload was applied. */
  applied(payloadBytes: number): void {
    this.#logBytes += payloadBytes;
  }

  /** After entries were applied: starts a batch when there is enough for one, or sees to a later one. */
  maybeFeed(context: Context<ReplicaMessage>): void {
    const { overlay, state, limits } = this.#parts;
    if (this.#underWay || state.isPartial) return;
    if (overlay.dirtyBytes >= limits.applyBatchBytes) this.#feed(context);
    else if (overlay.dirtyBytes > 0 && !this.#timed) {
      this.#timed = true;
      context.setTimer('shard.feed', limits.applyDelayMs, { kind: 'shard.feed' });
    }
  }

  onTimer(context: Context<ReplicaMessage>): void {
    this.#timed = false;
    const { overlay, state } = this.#parts;
    if (!this.#underWay && !state.isPartial && overlay.dirtyBytes > 0) this.#feed(context);
  }

  onFed(fed: FedMessage, context: Context<ReplicaMessage>): void {
    assert(this.#underWay, 'no batch was under way');
    this.#underWay = false;
    this.#parts.overlay.markDurable(fed.generation);
    this.#cuts.push({ index: fed.index, logBytes: fed.logBytes });
    this.#maybeCompact(context);
    this.maybeFeed(context);
  }

  #feed(context: Context<ReplicaMessage>): void {
    const { overlay, state, shard, applyBytes } = this.#parts;
    applyBytes.observe(overlay.dirtyBytes);
    const generation = overlay.takeGeneration();
    generation.puts.push({ key: groupKey('applied', shard), value: state.encode() });
    this.#underWay = true;
    context.sendDurable(context.persist(generation.puts), context.self, {
      kind: 'shard.fed',
      generation: generation.number,
      index: state.index,
      logBytes: this.#logBytes,
    });
  }

  #maybeCompact(context: Context<ReplicaMessage>): void {
    const { log, state, limits } = this.#parts;
    const long = this.#logBytes - this.#compactedBytes > limits.logTailBytes;
    const cut = this.#cuts.findLast(
      (at) => long || at.index + limits.logTailEntries <= state.index,
    );
    if (cut === undefined) return;
    this.#cuts = this.#cuts.filter((at) => at.index > cut.index);
    this.#compactedBytes = cut.logBytes;
    if (cut.index < log.firstIndex) return;
    context.probe('shard.logCompacted');
    context.persist(log.compact(cut.index).puts);
  }
}
