/** What a leader knows of another member, and what it has under way to it. */
import { assert } from '../base/assert.js';
import type { LogIndex, NodeId } from '../base/ids.js';
import type { MemberProgress, RaftFlow } from './contract.js';
import type { AppendRequest } from './message.js';

interface InFlight {
  readonly lastIndex: LogIndex;
  readonly bytes: number;
  readonly sentMs: number;
}

/**
 * `probe`: where the logs agree is not known; one message with entries at a time. `replicate`: entries
 * flow within the bounds of {@link RaftFlow}. `snapshot`: the driver sends one; heartbeats only.
 *
 * Invariants: `countedIndex` <= `matchIndex` < `nextIndex`; in `replicate` all entries between the two are in flight,
 * otherwise none.
 */
export class Progress {
  readonly node: NodeId;
  state: MemberProgress['state'] = 'probe';
  /** The last entry that is on its disk as it is on the leader's. */
  matchIndex = 0 as LogIndex;
  /** `matchIndex` as far as commits may rest on it. */
  countedIndex = 0 as LogIndex;
  nextIndex: LogIndex;
  /** In `probe`: entries were sent and not answered. */
  probed = false;
  answeredMs: number;
  /** Somebody says that it cannot answer; until it does. */
  down = false;
  /** The newest round that it has answered, and when that was sent: for leases, -Infinity while it gives none. */
  round = 0;
  leaseFromMs = Number.NEGATIVE_INFINITY;
  /** As its newest answer has it: see {@link AppendRequest.recovery}. */
  recovery = 0;
  /** A message must go to it at the next occasion. */
  due = true;
  sentMs = Number.NEGATIVE_INFINITY;
  commitSent = 0 as LogIndex;
  #inFlight: InFlight[] = [];
  #inFlightBytes = 0;

  constructor(node: NodeId, nextIndex: LogIndex, answeredMs: number) {
    this.node = node;
    this.nextIndex = nextIndex;
    this.answeredMs = answeredMs;
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  isFull({ inFlightBytesMax, inFlightMessagesMax }: RaftFlow): boolean {
    return this.#inFlight.length >= inFlightMessagesMax || this.#inFlightBytes >= inFlightBytesMax;
  }

  /** Entries up to `lastIndex` have been sent. */
  sent(lastIndex: LogIndex, bytes: number, nowMs: number): void {
    assert(lastIndex >= this.nextIndex, 'sent what was sent', lastIndex, this.nextIndex);
    if (this.state === 'probe') {
      this.probed = true;
      return;
    }
    assert(this.state === 'replicate', 'entries beside a snapshot', this.node);
    this.nextIndex = (lastIndex + 1) as LogIndex;
    this.#inFlight.push({ lastIndex, bytes, sentMs: nowMs });
    this.#inFlightBytes += bytes;
  }

  /** Its disk has the entries up to `index`; whether that is news. */
  matched(index: LogIndex, counts: boolean): boolean {
    if (index > this.matchIndex) this.matchIndex = index;
    if (this.nextIndex <= index) this.nextIndex = (index + 1) as LogIndex;
    for (let [first] = this.#inFlight; first !== undefined; [first] = this.#inFlight) {
      if (first.lastIndex > index) break;
      this.#inFlight.shift();
      this.#inFlightBytes -= first.bytes;
    }
    const before = this.countedIndex;
    this.countedIndex = counts ? this.matchIndex : (0 as LogIndex);
    return this.countedIndex > before;
  }

  /** Whether entries sent before `ms` are not among those received up to `receivedIndex`. */
  hasLost(receivedIndex: LogIndex, ms: number): boolean {
    const missing = this.#inFlight.find(({ lastIndex }) => lastIndex > receivedIndex);
    return missing !== undefined && missing.sentMs <= ms;
  }

  toProbe(nextIndex: LogIndex): void {
    assert(nextIndex > this.matchIndex, 'probes what matches', nextIndex, this.matchIndex);
    this.#enter('probe');
    this.nextIndex = nextIndex;
  }

  /** It has received entries up to `receivedIndex`; those that are not on its disk yet may still get lost. */
  toReplicate(receivedIndex: LogIndex, nowMs: number): void {
    this.#enter('replicate');
    this.nextIndex = (Math.max(receivedIndex, this.matchIndex) + 1) as LogIndex;
    if (receivedIndex <= this.matchIndex) return;
    this.#inFlight.push({ lastIndex: receivedIndex, bytes: 0, sentMs: nowMs });
  }

  toSnapshot(): void {
    this.#enter('snapshot');
  }

  /** It has lost what it had: nothing that it said before holds. */
  forget(): void {
    this.matchIndex = 0 as LogIndex;
    this.countedIndex = 0 as LogIndex;
  }

  #enter(state: MemberProgress['state']): void {
    this.state = state;
    this.probed = false;
    this.#inFlight = [];
    this.#inFlightBytes = 0;
  }
}
