/** Proposals between their admission and their answer. */
import type { Ref } from '../actors/actor.js';
import { assert } from '../base/assert.js';
import type { LogIndex, TransactionId } from '../base/ids.js';
import type { CheckedVersions, Latches, Proposal } from '../txn/index.js';
import type { ProposeAnswer, RefusedMessage } from './protocol.js';

/** Who asked. */
export interface Asker {
  readonly token: number;
  readonly replyTo: Ref<ProposeAnswer>;
}

/** A proposal that is in the log and not applied yet. */
export interface Flight extends Asker {
  readonly index: LogIndex;
  readonly proposal: Proposal;
  readonly bytes: number;
  /** What it latches. */
  readonly keys: readonly string[];
  readonly checked: CheckedVersions;
}

/**
 * Somebody who is answered once an entry is applied: refused because of it, so that a second try sees
 * it; or the second asker of the same transaction (`reason` undefined).
 */
export interface Waiter extends Asker {
  readonly reason: RefusedMessage['reason'] | undefined;
}

/** Invariant: a flight holds its latches from `depart` until `land`. */
export class Flights {
  readonly #latches: Latches;
  readonly #flights = new Map<LogIndex, Flight>();
  readonly #transactions = new Map<TransactionId, LogIndex>();
  readonly #waiters = new Map<LogIndex, Waiter[]>();
  #waiting = 0;
  #bytes = 0;

  constructor(latches: Latches) {
    this.#latches = latches;
  }

  /** Proposals that await their answer: flights and those who wait for one. */
  get count(): number {
    return this.#flights.size + this.#waiting;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The entry with which the transaction is on its way. */
  entryOf(transaction: TransactionId): LogIndex | undefined {
    return this.#transactions.get(transaction);
  }

  depart(flight: Flight): void {
    const { index, proposal } = flight;
    assert(!this.#transactions.has(proposal.transaction), 'a transaction departs twice', index);
    this.#latches.acquire(index, flight.keys, proposal.fences ?? []);
    this.#flights.set(index, flight);
    this.#transactions.set(proposal.transaction, index);
    this.#bytes += flight.bytes;
  }

  join(index: LogIndex, waiter: Waiter): void {
    assert(this.#flights.has(index), 'nothing to wait for', index);
    this.#waiting += 1;
    const waiters = this.#waiters.get(index);
    if (waiters === undefined) this.#waiters.set(index, [waiter]);
    else waiters.push(waiter);
  }

  find(index: LogIndex): Flight | undefined {
    return this.#flights.get(index);
  }

  /** The flight's entry was applied. */
  land(flight: Flight): void {
    const { index, proposal } = flight;
    this.#latches.release(index, flight.keys, proposal.fences ?? []);
    this.#flights.delete(index);
    this.#transactions.delete(proposal.transaction);
    this.#bytes -= flight.bytes;
  }

  /** Those who wait for the entry; they leave. */
  takeWaiters(index: LogIndex): readonly Waiter[] {
    if (this.#waiters.size === 0) return [];
    const waiters = this.#waiters.get(index) ?? [];
    this.#waiters.delete(index);
    this.#waiting -= waiters.length;
    return waiters;
  }

  /** All flights; they and those who wait for them leave. */
  abandon(): readonly Asker[] {
    const askers: Asker[] = [];
    for (const flight of [...this.#flights.values()]) {
      askers.push(flight, ...this.takeWaiters(flight.index));
      this.land(flight);
    }
    return askers;
  }
}
