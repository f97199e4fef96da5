/** Proposals between their admission and their answer. */
import { assert } from '../base/assert.js';
import type { LogIndex, TransactionId } from '../base/ids.js';
import type { CheckedVersions, Latches } from '../txn/index.js';
import type { Ask, Reason } from './answers.js';

/** A proposal that is in the log and not applied yet. */
export interface Flight {
  readonly ask: Ask;
  readonly index: LogIndex;
  /** What it latches. */
  readonly keys: readonly string[];
  readonly checked: CheckedVersions;
}

/**
 * Somebody who is answered once an entry is applied: refused because of it, so that a second try sees
 * it; or the second asker of the same transaction (`reason` undefined).
 */
export interface Waiter {
  readonly ask: Ask;
  readonly reason: Reason | undefined;
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
    const { index } = flight;
    const { proposal, bytes } = flight.ask;
    assert(!this.#transactions.has(proposal.transaction), 'a transaction departs twice', index);
    this.#latches.acquire(index, flight.keys, proposal.fences ?? []);
    this.#flights.set(index, flight);
    this.#transactions.set(proposal.transaction, index);
    this.#bytes += bytes;
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
    const { index } = flight;
    const { proposal, bytes } = flight.ask;
    this.#latches.release(index, flight.keys, proposal.fences ?? []);
    this.#flights.delete(index);
    this.#transactions.delete(proposal.transaction);
    this.#bytes -= bytes;
  }

  /** Those who wait for the entry; they leave. */
  takeWaiters(index: LogIndex): readonly Waiter[] {
    if (this.#waiters.size === 0) return [];
    const waiters = this.#waiters.get(index) ?? [];
    this.#waiters.delete(index);
    this.#waiting -= waiters.length;
    return waiters;
  }

  /** All flights and those who wait for them; the fate of the flights is not known. */
  abandon(): { readonly flights: readonly Ask[]; readonly waiters: readonly Ask[] } {
    const flights = [...this.#flights.values()];
    const waiters: Ask[] = [];
    for (const flight of flights) {
      waiters.push(...this.takeWaiters(flight.index).map(({ ask }) => ask));
      this.land(flight);
    }
    assert(this.#waiting === 0 && this.#bytes === 0, 'somebody waits for nothing', this.#waiting);
    return { flights: flights.map(({ ask }) => ask), waiters };
  }
}
