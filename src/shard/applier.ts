/**
 * Applies committed entries, in order, as many as a turn takes, and tells those who wait for them.
 *
 * Invariant: what is applied here is committed; whoever proposed it is answered only then.
 */
import type { Context } from '../actors/actor.js';
import { assert } from '../base/assert.js';
import type { LogIndex } from '../base/ids.js';
import type { LogEntry, LogReader } from '../storage/index.js';
import type { CommitClock, GarbageQueue, News, ShardState, VersionReader } from '../txn/index.js';
import type { Answers } from './answers.js';
import type { Collector } from './collector.js';
import type { Driver } from './driver.js';
import type { Epochs } from './epochs.js';
import type { Feed } from './feed.js';
import type { Leadership } from './leadership.js';
import type { ShardLimits } from './limits.js';
import type { ReplicaMessage } from './messages.js';

export interface ApplierParts {
  readonly limits: ShardLimits;
  readonly log: LogReader;
  readonly driver: Driver;
  readonly state: ShardState;
  readonly overlay: VersionReader;
  readonly garbage: GarbageQueue;
  readonly clock: CommitClock;
  readonly leadership: Leadership;
  readonly answers: Answers;
  readonly epochs: Epochs;
  readonly feed: Feed;
  readonly collector: Collector;
  /** Told what sessions are to hear of an entry. */
  readonly onNews: (news: News, context: Context<ReplicaMessage>) => void;
  /** A witness takes note of entries and applies nothing. */
  readonly witness: boolean;
}

export class Applier {
  readonly #parts: ApplierParts;
  #scheduled = false;
  /** The entry that is applied in part. */
  #partial: readonly LogEntry[] | undefined;
  /** The state is being replaced: nothing can be applied to it. */
  frozen = false;

  constructor(parts: ApplierParts) {
    this.#parts = parts;
  }

  onApply(context: Context<ReplicaMessage>): void {
    this.#scheduled = false;
    this.apply(context);
  }

  /** The state is gone, and what was applied of an entry with it. */
  forget(): void {
    this.#partial = undefined;
  }

  /** Another state is there. */
  restart(): void {
    this.#partial = undefined;
    this.frozen = false;
  }

  apply(context: Context<ReplicaMessage>): void {
    const { limits, state, driver, log, feed, collector, witness } = this.#parts;
    const { committed, raft } = driver;
    if (this.#scheduled || this.frozen || state.index >= committed) return;
    const { turnEntriesMax, turnBytesMax, turnWritesMax } = limits;
    const from = (state.index + 1) as LogIndex;
    const to = Math.min(committed, from + turnEntriesMax - 1) as LogIndex;
    if (to > from && raft.leader === undefined) context.probe('shard.logReplayed');
    // An entry applied in part is at hand; the log may have to read it from the engine.
    const entries = this.#partial ?? log.read(from, to, turnBytesMax);
    this.#partial = undefined;
    let writesLeft = turnWritesMax;
    for (const entry of entries) {
      if (witness) state.skip(entry);
      else writesLeft -= this.#applyEntry(entry, writesLeft, context);
      feed.applied(state.isPartial ? 0 : entry.payload.length);
      if (state.isPartial) this.#partial = [entry];
      if (writesLeft <= 0) break;
    }
    raft.applied(state.index);
    if (state.index < committed) {
      this.#scheduled = true;
      context.send(context.self, { kind: 'shard.apply' });
    }
    feed.maybeFeed(context);
    if (raft.serves) collector.maybeSchedule(context);
  }

  /** Applies the entry, up to `writesMax` of its writes; returns about how many it took. */
  #applyEntry(entry: LogEntry, writesMax: number, context: Context<ReplicaMessage>): number {
    const { state, leadership, clock } = this.#parts;
    const flight = leadership.flight(entry.index);
    let took = 1;
    let happened = true;
    if (flight === undefined) {
      if (state.apply(entry, writesMax) === 'partly') return writesMax;
    } else {
      const { writes, fences = [], notifications, locks } = flight.ask.proposal;
      const change = { writes, fences, notifications, locks };
      const applied = state.apply(entry, writesMax, change, flight.checked);
      if (applied === 'partly') return writesMax;
      assert(applied !== 'known', 'a transaction was proposed twice', entry.transaction);
      happened = applied === 'applied';
      took += writes.length;
    }
    clock.observe(entry.timestamp);
    const news = state.takeNews();
    if (news !== undefined) this.#parts.onNews(news, context);
    if (flight !== undefined && happened) leadership.land(flight, entry, context);
    else if (flight !== undefined) leadership.landForgotten(flight, context);
    if (entry.kind === 'gc') this.#collected(entry, context);
    else if (entry.kind === 'epoch') this.#gaveEpoch(entry, context);
    return took;
  }

  #collected(entry: LogEntry, context: Context<ReplicaMessage>): void {
    const { collector, garbage, overlay, limits, driver } = this.#parts;
    collector.applied(entry.index, context);
    if (driver.raft.role !== 'leader') garbage.dropCollected(overlay, limits.collectKeysMax);
  }

  #gaveEpoch({ index }: LogEntry, context: Context<ReplicaMessage>): void {
    const { leadership, state, epochs, answers } = this.#parts;
    const asker = leadership.takeEpochAsker(index);
    if (asker !== undefined) {
      context.probe('shard.epochGiven');
      const { epoch } = state;
      if (asker.node === undefined) epochs.take(epoch);
      else answers.forwarded(asker.node, asker.token, { outcome: 'epoch', epoch }, context);
    }
    if (epochs.current !== undefined && !state.remembers(epochs.current)) {
      context.probe('shard.epochForgotten');
      epochs.forget();
    }
  }
}
