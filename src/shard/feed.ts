/**
 * Brings applied changes from the overlay to the engine, in large batches and late, and shortens the
 * log by what the engine has. The log makes applied changes durable; the engine's copy only bounds
 * the memory and the time of a restart.
 *
 * Invariants: one batch is under way at a time; the applied state goes with it, when this member's own
 * log has all of it durably; no entry is removed from the log before the engine has durably what it
 * changed.
 */
import type { Context } from '../actors/actor.js';
import { assert } from '../base/assert.js';
import type { LogIndex, ShardId } from '../base/ids.js';
import type { Overlay, Put, RaftLog } from '../storage/index.js';
import { groupKey } from '../storage/keys.js';
import type { ShardState } from '../txn/index.js';
import type { Driver } from './driver.js';
import type { ShardLimits } from './limits.js';
import type { FedMessage, ReplicaMessage } from './messages.js';
import type { ShardSeries } from './metrics.js';

/** What the group's other members need of the log. */
export interface LogHolders {
  /** The entries after it; Infinity when nobody needs any. */
  readonly after: number;
  /** Bytes up to which the log is kept for them. */
  readonly bytesMax: number;
}

export interface FeedParts {
  readonly shard: ShardId;
  readonly overlay: Overlay;
  readonly log: RaftLog;
  readonly state: ShardState;
  readonly driver: Driver;
  readonly limits: ShardLimits;
  readonly series: ShardSeries;
  /** A witness applies nothing: only its log is to be shortened. */
  readonly witness: boolean;
  readonly holders: (nowMs: number) => LogHolders;
}

/** A batch that waits until the log has, durably, the entries that it comes from. */
interface Taken {
  readonly number: number;
  readonly puts: Put[];
  readonly index: LogIndex;
  readonly logBytes: number;
}

export class Feed {
  readonly #parts: FeedParts;
  #taken: Taken | undefined;
  #underWay = false;
  #timed = false;
  /** Payload bytes applied since the start, and of those how many left the log again. */
  #logBytes = 0;
  #compactedBytes = 0;
  /** Applied states that the engine has durably, oldest first: where the log may be cut. */
  #cuts: { readonly index: LogIndex; readonly logBytes: number }[] = [];
  #fedIndex: LogIndex;
  #stopped = false;

  constructor(parts: FeedParts) {
    this.#parts = parts;
    const { log, state } = parts;
    this.#fedIndex = state.index;
    if (state.index >= log.firstIndex) this.#cuts.push({ index: state.index, logBytes: 0 });
  }

  /** An entry with that much payload was applied. */
  applied(payloadBytes: number): void {
    this.#logBytes += payloadBytes;
  }

  /** After entries were applied: starts a batch when there is enough for one, or sees to a later one. */
  maybeFeed(context: Context<ReplicaMessage>): void {
    const { overlay, state, limits, witness } = this.#parts;
    if (this.#taken !== undefined) this.#persist(this.#taken, context);
    if (this.#underWay || this.#stopped || state.isPartial) return;
    const enough = witness
      ? state.index - this.#fedIndex >= limits.logTailEntries
      : overlay.dirtyBytes >= limits.applyBatchBytes;
    if (enough) this.#feed(context);
    else if (overlay.dirtyBytes > 0 && !this.#timed) {
      this.#timed = true;
      context.setTimer('shard.feed', limits.applyDelayMs, { kind: 'shard.feed' });
    }
  }

  onTimer(context: Context<ReplicaMessage>): void {
    this.#timed = false;
    const { overlay, state } = this.#parts;
    if (this.#underWay || this.#stopped || state.isPartial) return;
    if (overlay.dirtyBytes > 0) this.#feed(context);
  }

  /** More of the log is durable: a batch may have waited for that. */
  onDurable(context: Context<ReplicaMessage>): void {
    if (this.#taken !== undefined) this.#persist(this.#taken, context);
  }

  onFed(fed: FedMessage, context: Context<ReplicaMessage>): void {
    assert(this.#underWay, 'no batch was under way');
    this.#underWay = false;
    this.#parts.overlay.markDurable(fed.generation);
    this.#cuts.push({ index: fed.index, logBytes: fed.logBytes });
    if (this.#stopped) return;
    this.#maybeCompact(context);
    this.maybeFeed(context);
  }

  /** The state is to be forgotten: nothing more of it goes to the engine. False while a batch is on its way. */
  stop(): boolean {
    if (this.#taken !== undefined) {
      this.#parts.overlay.markDurable(this.#taken.number);
      this.#taken = undefined;
      this.#underWay = false;
    }
    this.#stopped = true;
    return !this.#underWay;
  }

  /** The state is another one now, whole in the engine, and the log begins after it. */
  restart(): void {
    assert(!this.#underWay, 'a batch of the state before is under way');
    this.#stopped = false;
    this.#fedIndex = this.#parts.state.index;
    this.#cuts = [];
    this.#compactedBytes = this.#logBytes;
  }

  #feed(context: Context<ReplicaMessage>): void {
    const { overlay, state, shard, series } = this.#parts;
    series.applyBytes.observe(overlay.dirtyBytes);
    const { number, puts } = overlay.takeGeneration();
    puts.push({ key: groupKey('applied', shard), value: state.encode() });
    this.#underWay = true;
    this.#fedIndex = state.index;
    this.#taken = { number, puts, index: state.index, logBytes: this.#logBytes };
    this.#persist(this.#taken, context);
  }

  /** The engine is never ahead of the log: entries may be committed by others before they are on this disk. */
  #persist(taken: Taken, context: Context<ReplicaMessage>): void {
    if (taken.index > this.#parts.driver.durableIndex) {
      context.probe('shard.feedWaitsForLog');
      return;
    }
    this.#taken = undefined;
    context.sendDurable(context.persistLater(taken.puts), context.self, {
      kind: 'shard.fed',
      generation: taken.number,
      index: taken.index,
      logBytes: taken.logBytes,
    });
  }

  #maybeCompact(context: Context<ReplicaMessage>): void {
    const { log, state, limits, holders } = this.#parts;
    const bytes = this.#logBytes - this.#compactedBytes;
    const long = bytes > limits.logTailBytes;
    const { after, bytesMax } = holders(context.nowMs);
    const free = this.#cuts.findLast(
      (at) => at.index <= after && (long || at.index + limits.logTailEntries <= state.index),
    );
    // Whoever still needs so much gets a copy of the state instead.
    const over =
      bytes > bytesMax
        ? this.#cuts.find((at) => this.#logBytes - at.logBytes <= bytesMax / 2)
        : undefined;
    const cut = over !== undefined && over.index > (free?.index ?? 0) ? over : free;
    if (cut === undefined) return;
    this.#cuts = this.#cuts.filter((at) => at.index > cut.index);
    this.#compactedBytes = cut.logBytes;
    if (cut.index < log.firstIndex) return;
    context.probe('shard.logCompacted');
    if (cut.index > after) context.probe('shard.logNotHeld');
    context.persist(log.compact(cut.index).puts);
  }
}
