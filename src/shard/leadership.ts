/**
 * What a replica does while it leads: it admits proposals in the order of their timestamps, latches what
 * they write until they are applied, and gives the numbers of sequences.
 *
 * Invariants:
 * - From its timestamp until it is applied a proposal holds its keys latched.
 * - Entries are admitted in the order of their timestamps.
 * - When the leadership ends nothing is answered: what was admitted may yet commit.
 */
import type { Context } from '../actors/actor.js';
import { assert } from '../base/assert.js';
import { byteString } from '../base/bytes.js';
import type { LogIndex, NodeId, Timestamp, TransactionId } from '../base/ids.js';
import type { EntryDraft } from '../raft/index.js';
import type { LogEntry, LogEntryKind, Overlay } from '../storage/index.js';
import {
  AdmissionCheck,
  type CommitClock,
  encodeChange,
  encodeEpochFloor,
  GuardedKeys,
  Latches,
  type Sequences,
  type ShardState,
} from '../txn/index.js';
import { type Answers, type Ask, textOf } from './answers.js';
import { type Arrival, Arrivals } from './arrivals.js';
import type { Driver } from './driver.js';
import { type Flight, Flights, type Waiter } from './flights.js';
import type { ShardLimits } from './limits.js';
import { lifeEndedText, type LockLeases } from './lock-leases.js';
import type { ReplicaMessage } from './messages.js';
import type { ShardSeries } from './metrics.js';

export interface LeadershipParts {
  readonly node: NodeId;
  readonly limits: ShardLimits;
  readonly series: ShardSeries;
  readonly driver: Driver;
  readonly state: ShardState;
  readonly overlay: Overlay;
  readonly answers: Answers;
  readonly clock: CommitClock;
  readonly sequences: Sequences;
  readonly leases: LockLeases;
  /** Below it newer versions may be gone, or go with a collection under way. */
  readonly horizon: () => Timestamp;
}

/** Who gets the epoch of an entry under way. */
export interface EpochAsker {
  /** Undefined: this replica itself. */
  readonly node: NodeId | undefined;
  readonly token: number;
}

export class Leadership {
  readonly #parts: LeadershipParts;
  readonly #latches = new Latches();
  readonly #flights = new Flights(this.#latches);
  /** Proposals of this drain, or held back because the overlay is full. */
  readonly #arrivals = new Arrivals();
  readonly #epochs = new Map<LogIndex, EpochAsker>();
  /** Made when it first admits something: by then all that others admitted is applied. */
  #guarded: GuardedKeys | undefined;
  #admitting = false;

  constructor(parts: LeadershipParts) {
    this.#parts = parts;
  }

  /** Proposals that await their answer. */
  get count(): number {
    return this.#arrivals.count + this.#flights.count;
  }

  get bytes(): number {
    return this.#arrivals.bytes + this.#flights.bytes;
  }

  /** Takes a proposal; all of a drain are admitted together. */
  take(ask: Ask, context: Context<ReplicaMessage>): void {
    this.#arrivals.add(ask);
    this.#admitSoon(context);
  }

  onAdmit(context: Context<ReplicaMessage>): void {
    this.#admitting = false;
    this.#admitArrived(context);
  }

  /** Something has changed that proposals may have waited for. */
  goOn(context: Context<ReplicaMessage>): void {
    if (this.#arrivals.count > 0) this.#admitSoon(context);
  }

  /** An entry that a transaction of this leader made; undefined for any other. */
  flight(index: LogIndex): Flight | undefined {
    return this.#flights.find(index);
  }

  /** The flight was applied: it is answered, and who waited for it. */
  land(flight: Flight, entry: LogEntry, context: Context<ReplicaMessage>): void {
    const { sequences, answers } = this.#parts;
    for (const write of flight.ask.proposal.writes) sequences.applied(write);
    this.#flights.land(flight);
    answers.commit(flight.ask, entry.timestamp, context);
    for (const waiter of this.#flights.takeWaiters(entry.index)) {
      this.#answerWaiter(waiter, entry.timestamp, context);
    }
  }

  /**
   * Nothing of the flight was applied: while it was on its way so many others got epochs that its own was
   * forgotten. When it departed it was known not to have happened, so it is refused and not unknown.
   */
  landForgotten(flight: Flight, context: Context<ReplicaMessage>): void {
    const { answers } = this.#parts;
    this.#flights.land(flight);
    context.probe('shard.flightForgotten');
    const waiters = this.#flights.takeWaiters(flight.index);
    for (const { ask, reason = 'conflict' } of [{ ask: flight.ask }, ...waiters]) {
      answers.refuse(ask, reason, textOf(reason), context);
    }
  }

  /** Writes an entry that gives the asker the next epoch. */
  giveEpoch(asker: EpochAsker, floor: number, context: Context<ReplicaMessage>): void {
    for (const one of this.#epochs.values()) if (one.node === asker.node) return;
    const index = this.#nextIndex;
    this.#epochs.set(index, asker);
    this.propose([this.draft('epoch', encodeEpochFloor(floor), context.wallMs)], context);
  }

  /** Who gets the epoch of the entry that was applied. */
  takeEpochAsker(index: LogIndex): EpochAsker | undefined {
    const asker = this.#epochs.get(index);
    this.#epochs.delete(index);
    return asker;
  }

  propose(drafts: readonly EntryDraft[], context: Context<ReplicaMessage>): void {
    this.#parts.driver.step({ kind: 'raft.propose', drafts }, context);
  }

  draft(kind: Exclude<LogEntryKind, 'write'>, payload: Uint8Array, wallMs: number): EntryDraft {
    return {
      kind,
      transaction: 0 as TransactionId,
      timestamp: this.#parts.clock.last,
      origin: this.#parts.node,
      wallMs,
      objects: [],
      client: undefined,
      request: undefined,
      payload,
    };
  }

  /** The index of the next entry proposed. */
  get #nextIndex(): LogIndex {
    return (this.#parts.driver.raft.lastIndex + 1) as LogIndex;
  }

  /**
   * This replica leads no more, or stops. What was not admitted, and what waited for another, did not
   * happen; `unknown` may have.
   */
  end(): { readonly unknown: readonly Ask[]; readonly untouched: readonly Ask[] } {
    const { flights, waiters } = this.#flights.abandon();
    this.#epochs.clear();
    this.#guarded = undefined;
    this.#parts.sequences.clear();
    this.#parts.leases.clear();
    assert(this.#latches.size === 0, 'a latch outlives its leader', this.#latches.size);
    return { unknown: flights, untouched: [...waiters, ...this.#arrivals.takeAll()] };
  }

  /** Takes what has arrived away again: a leader that hands over admits nothing new. */
  holdArrived(): readonly Ask[] {
    return this.#arrivals.takeAll();
  }

  #admitSoon(context: Context<ReplicaMessage>): void {
    if (this.#admitting) return;
    this.#admitting = true;
    context.send(context.self, { kind: 'shard.admit' });
  }

  /** Admits what has arrived, as one batch of the log. */
  #admitArrived(context: Context<ReplicaMessage>): void {
    const { driver, overlay, limits } = this.#parts;
    if (this.#arrivals.count === 0 || !driver.raft.serves) return;
    const { overlayBytesMax, turnEntriesMax, turnWritesMax } = limits;
    if (overlay.bytes > overlayBytesMax) {
      context.probe('shard.overlayFull');
      return;
    }
    const drafts: EntryDraft[] = [];
    const first = this.#nextIndex;
    let writesLeft = turnWritesMax;
    for (let left = turnEntriesMax; left > 0 && writesLeft > 0; left -= 1) {
      const arrival = this.#arrivals.first;
      if (arrival === undefined) break;
      const index = (first + drafts.length) as LogIndex;
      const admitted = this.#admitFirst(arrival, writesLeft, index, context);
      writesLeft -= arrival.ask.proposal.writes.length;
      if (admitted === 'partly') break;
      this.#arrivals.removeFirst();
      if (admitted !== undefined) drafts.push(admitted);
    }
    if (this.#arrivals.count > 0) this.#admitSoon(context);
    if (drafts.length > 0) this.propose(drafts, context);
  }

  /** Checks a proposal: its draft; undefined when it is answered already or waits for another. */
  #admitFirst(
    arrival: Arrival,
    keysMax: number,
    index: LogIndex,
    context: Context<ReplicaMessage>,
  ): EntryDraft | 'partly' | undefined {
    const { ask } = arrival;
    const { proposal } = ask;
    const { state, overlay, answers, series, horizon } = this.#parts;
    if (arrival.check === undefined) {
      if (this.#isSettled(ask, context)) return undefined;
      this.#guarded ??= new GuardedKeys(state.timestamp);
      const guarded = this.#guarded;
      arrival.check = new AdmissionCheck(proposal, state, overlay, this.#latches, guarded);
    }
    const admission = arrival.check.step(keysMax, horizon());
    if (admission === undefined) return 'partly';
    if (admission.kind === 'refused') {
      const { reason } = admission;
      const until = this.#underWay(admission.until);
      if (until === undefined) answers.refuse(ask, reason, textOf(reason), context);
      else {
        series.latchConflicts.value += 1;
        context.probe('shard.latchConflict');
        this.#flights.join(until, { ask, reason });
      }
      return undefined;
    }
    const { keys, checked } = admission;
    this.#flights.depart({ ask, index, keys, checked });
    const { writes, fences = [], notifications, locks } = proposal;
    const payload = encodeChange({ writes, fences, notifications, locks });
    const timestamp = this.#stamp(context);
    if (proposal.guards.length > 0) {
      this.#guarded?.note(proposal.guards.map(byteString), { timestamp, index });
    }
    return {
      kind: 'write',
      transaction: proposal.transaction,
      timestamp,
      origin: this.#parts.node,
      wallMs: context.wallMs,
      objects: proposal.objects,
      client: undefined,
      request: undefined,
      payload,
    };
  }

  /** Whether the proposal needs no check: it was made before, or rests on numbers of another leader. */
  #isSettled(ask: Ask, context: Context<ReplicaMessage>): boolean {
    const { state, answers, driver } = this.#parts;
    const { transaction, numbersTerm, holder, locks } = ask.proposal;
    const underWay = this.#flights.entryOf(transaction);
    if (underWay !== undefined) {
      this.#flights.join(underWay, { ask, reason: undefined });
      return true;
    }
    const familiarity = state.familiarity(transaction);
    if (familiarity === 'known') {
      context.probe('shard.transactionKnown');
      // Its own timestamp is not kept; whoever reads at the newest one sees its changes.
      answers.commit(ask, state.timestamp, context);
      return true;
    }
    if (familiarity === 'forgotten') {
      const text = 'the transaction is too old to tell whether it was committed before';
      answers.refuse(ask, 'statement_completion_unknown', text, context);
      return true;
    }
    const isOfLife = holder !== undefined || locks !== undefined;
    if (isOfLife && !this.#parts.leases.admit(ask.proposal, context.nowMs)) {
      context.probe('shard.lifeHasEnded');
      answers.refuse(ask, 'admin_shutdown', lifeEndedText, context);
      return true;
    }
    if (numbersTerm === undefined || numbersTerm === driver.raft.term) return false;
    context.probe('shard.numbersOfAnotherTerm');
    answers.refuse(ask, 'conflict', textOf('conflict'), context);
    return true;
  }

  /** The entry if it is still on its way. */
  #underWay(index: LogIndex | undefined): LogIndex | undefined {
    return index !== undefined && this.#flights.find(index) !== undefined ? index : undefined;
  }

  #stamp(context: Context<ReplicaMessage>): Timestamp {
    const { clock } = this.#parts;
    // Not the few milliseconds by which two turns may differ.
    if (context.wallMs * 4096 < clock.last - 4_096_000) context.probe('shard.clockWentBack');
    return clock.next(context.wallMs);
  }

  #answerWaiter(
    { ask, reason }: Waiter,
    timestamp: Timestamp,
    context: Context<ReplicaMessage>,
  ): void {
    const { answers } = this.#parts;
    if (reason === undefined) answers.commit(ask, timestamp, context);
    else answers.refuse(ask, reason, textOf(reason), context);
  }
}
