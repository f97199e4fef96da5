/**
 * The order of commits: gathers batches while one flush is in flight, hands them over together and
 * tells the listeners what has become durable. What a flush does is the engine's business.
 *
 * Invariants: durable + in flight + waiting = given; batches leave in the order they were given; after a
 * failure nothing more is handed over and nothing more becomes durable.
 */
import { assert } from '../base/assert.js';
import { HistogramCell, latencySeconds } from '../base/metrics.js';
import type { Batch, EngineStats, Ticket } from './engine.js';
import { keyBytesMax } from './keys.js';

/** Bounds of one flush, so that neither memory nor the time of one transaction grows without end. */
export interface FlushBounds {
  readonly putsMax: number;
  readonly bytesMax: number;
}

const boundsDefault: FlushBounds = { putsMax: 10_000, bytesMax: 16 * 1024 * 1024 };

/** What goes to the device at once. */
export interface Flush {
  readonly batches: readonly Batch[];
  readonly puts: number;
  /** Of keys and values. */
  readonly bytes: number;
}

export type DurableListener = (failure: Error | undefined) => void;

export class FlushQueue {
  readonly #bounds: FlushBounds;
  #inFlight: readonly Batch[] = [];
  readonly #waiting: Batch[] = [];
  /** Of each waiting batch, the bytes of its keys and values. */
  readonly #waitingBytes: number[] = [];
  readonly #listeners: DurableListener[] = [];
  readonly #latency = new HistogramCell(latencySeconds);
  /** Which of those pending were given by `giveLater`, in order. */
  readonly #lanes: boolean[] = [];
  #given = 0;
  #durable = 0;
  #laterGiven = 0;
  #laterDurable = 0;
  #flushes = 0;
  #failure: Error | undefined;

  constructor(bounds = boundsDefault) {
    this.#bounds = bounds;
  }

  get durableTicket(): Ticket {
    return this.#durable as Ticket;
  }

  get laterTicket(): Ticket {
    return this.#laterDurable as Ticket;
  }

  /** The batches that are not durable yet, in order. */
  get pending(): readonly Batch[] {
    return [...this.#inFlight, ...this.#waiting];
  }

  get idle(): boolean {
    return this.#lanes.length === 0;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** True when a flush should be started: batches wait, none is in flight, nothing has failed. */
  get startable(): boolean {
    return this.#waiting.length > 0 && this.#inFlight.length === 0 && this.#failure === undefined;
  }

  give(batch: Batch): Ticket {
    this.#add(batch, false);
    this.#given += 1;
    return this.#given as Ticket;
  }

  /** As {@link give}, with a ticket of the other count. */
  giveLater(batch: Batch): Ticket {
    this.#add(batch, true);
    this.#laterGiven += 1;
    return this.#laterGiven as Ticket;
  }

  #add(batch: Batch, later: boolean): void {
    let bytes = 0;
    for (const { key, value } of batch) {
      assert(key.length > 0 && key.length <= keyBytesMax, 'key length out of range');
      bytes += key.length;
      if (value !== undefined) bytes += value.length;
    }
    this.#waiting.push(batch);
    this.#waitingBytes.push(bytes);
    this.#lanes.push(later);
  }

  /** Begins the next flush: as many batches as its bounds allow, at least one. */
  take(): Flush {
    assert(this.startable, 'no flush can start');
    let puts = 0;
    let bytes = 0;
    let count = 0;
    for (const batch of this.#waiting) {
      const batchBytes = this.#waitingBytes[count] ?? 0;
      const { putsMax, bytesMax } = this.#bounds;
      const full = puts + batch.length > putsMax || bytes + batchBytes > bytesMax;
      if (count > 0 && full) break;
      puts += batch.length;
      bytes += batchBytes;
      count += 1;
    }
    this.#inFlight = this.#waiting.splice(0, count);
    this.#waitingBytes.splice(0, count);
    return { batches: this.#inFlight, puts, bytes };
  }

  /** The flush in flight is on stable storage. */
  finish(seconds: number): void {
    assert(this.#inFlight.length > 0, 'no flush is in flight');
    assert(this.#failure === undefined, 'the engine has failed');
    const lanes = this.#lanes.splice(0, this.#inFlight.length);
    const later = lanes.filter((lane) => lane).length;
    this.#laterDurable += later;
    this.#durable += lanes.length - later;
    this.#inFlight = [];
    assert(this.#durable <= this.#given, 'durable before it was given', this.#durable);
    assert(this.#laterDurable <= this.#laterGiven, 'durable before it was given', later);
    this.#flushes += 1;
    this.#latency.observe(seconds);
    for (const listener of this.#listeners) listener(undefined);
  }

  /** The device failed: what is pending never becomes durable. */
  fail(failure: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    for (const listener of this.#listeners) listener(failure);
  }

  onDurable(listener: DurableListener): void {
    this.#listeners.push(listener);
  }

  /** Resolves when all that was given is durable, or never will be. */
  settled(): Promise<void> {
    if (this.idle || this.#failure !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#listeners.push(() => {
        if (this.idle || this.#failure !== undefined) resolve();
      });
    });
  }

  stats(usedBytes: number, logBytes = 0): EngineStats {
    return {
      usedBytes,
      logBytes,
      flushes: this.#flushes,
      flushSeconds: this.#latency.sum,
      flushLatency: { bounds: latencySeconds, counts: [...this.#latency.buckets] },
    };
  }
}
