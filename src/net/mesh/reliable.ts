/**
 * Messages that are sent again until they are acknowledged or their retries are used up (G-05): what was
 * under way when a link broke is sent on the next one. The receiver takes each once, in order.
 */
import type { Parcel } from '../../actors/index.js';
import { Queue } from '../../base/queue.js';
import { type MeshLimits, reliableMessagesMax } from './limits.js';
import type { Meter } from './meter.js';

interface Waiting {
  readonly sequence: number;
  readonly parcel: Parcel;
  /** How often it was sent. */
  sent: number;
  sentMs: number;
}

/** What one process has sent reliably to one peer. Outlives their links. */
export class ReliableSender {
  readonly #limits: MeshLimits;
  readonly #meter: Meter;
  readonly #waiting = new Queue<Waiting>();
  #sequence = 0;

  constructor(limits: MeshLimits, meter: Meter) {
    this.#limits = limits;
    this.#meter = meter;
  }

  /** Keeps a copy; undefined when too many wait. */
  keep(parcel: Parcel, nowMs: number, connected: boolean): number | undefined {
    if (this.#waiting.length >= reliableMessagesMax) return undefined;
    this.#sequence += 1;
    const copy: Parcel = { ...parcel, bytes: Uint8Array.from(parcel.bytes) };
    this.#waiting.push({
      sequence: this.#sequence,
      parcel: copy,
      sent: connected ? 1 : 0,
      sentMs: nowMs,
    });
    return this.#sequence;
  }

  delivered(sequence: number): void {
    for (let first = this.#waiting.shift(); first !== undefined; first = this.#waiting.shift()) {
      if (first.sequence <= sequence) continue;
      this.#waiting.unshift(first);
      return;
    }
  }

  /** A link is there: all that waits is sent on it, in order. */
  connected(nowMs: number, send: (parcel: Parcel, sequence: number) => void): void {
    this.#each((waiting) => {
      this.#send(waiting, nowMs, send);
      return true;
    });
  }

  /** Gives up what has waited too long; without a link each pause counts as an attempt. */
  tick(nowMs: number, send: ((parcel: Parcel, sequence: number) => void) | undefined): void {
    this.#each((waiting) => {
      if (nowMs - waiting.sentMs < this.#limits.retryMs) return true;
      if (waiting.sent > this.#limits.retriesMax) {
        this.#meter.abandoned.value += 1;
        return false;
      }
      this.#send(waiting, nowMs, send);
      return true;
    });
  }

  #send(
    waiting: Waiting,
    nowMs: number,
    send: ((parcel: Parcel, sequence: number) => void) | undefined,
  ): void {
    if (waiting.sent > 0) this.#meter.retries.value += 1;
    waiting.sent += 1;
    waiting.sentMs = nowMs;
    send?.(waiting.parcel, waiting.sequence);
  }

  /** Keeps those for which `visit` gives true. */
  #each(visit: (waiting: Waiting) => boolean): void {
    for (let left = this.#waiting.length; left > 0; left -= 1) {
      const waiting = this.#waiting.shift();
      if (waiting !== undefined && visit(waiting)) this.#waiting.push(waiting);
    }
  }
}

/** What has come from one peer. Outlives links, and forgets when the peer's process is another one. */
export class ReliableReceiver {
  #boot = '';
  #sequence = 0;

  /** The highest sequence number that has arrived. */
  get sequence(): number {
    return this.#sequence;
  }

  /** True for a message that has not come before. */
  takes(boot: string, sequence: number): boolean {
    if (boot !== this.#boot) {
      this.#boot = boot;
      this.#sequence = 0;
    }
    if (sequence <= this.#sequence) return false;
    this.#sequence = sequence;
    return true;
  }
}
