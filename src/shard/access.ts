/** What the actors of a replica's place read through. */
import type { Ref } from '../actors/actor.js';
import { assert } from '../base/assert.js';
import { DatabaseError, raise } from '../base/errors.js';
import type { NodeId, ShardId, Term, Timestamp, TransactionId } from '../base/ids.js';
import type { Overlay, Span, Visit } from '../storage/index.js';
import {
  type AdvisoryOwner,
  type AdvisoryRow,
  getVersion,
  type OpenSnapshots,
  scanVersions,
  type Sequences,
  type ShardState,
} from '../txn/index.js';
import type { Driver } from './driver.js';
import type { Epochs } from './epochs.js';
import type { Listeners } from './listeners.js';
import type { LockDesk } from './lock-desk.js';
import type { ListenerMessage, Refusal, SessionRequest, ShardAccess } from './protocol.js';
import type { Standing } from './standing.js';

export interface AccessParts {
  readonly shard: ShardId;
  readonly replica: Ref<SessionRequest>;
  readonly overlay: Overlay;
  readonly state: ShardState;
  readonly driver: Driver;
  readonly snapshots: OpenSnapshots;
  readonly sequences: Sequences;
  readonly epochs: Epochs;
  readonly standing: Standing;
  readonly listeners: Listeners;
  readonly locks: LockDesk;
}

export class ReplicaAccess implements ShardAccess {
  readonly shard: ShardId;
  readonly replica: Ref<SessionRequest>;
  readonly #overlay: Overlay;
  readonly #state: ShardState;
  readonly #driver: Driver;
  readonly #snapshots: OpenSnapshots;
  readonly #sequences: Sequences;
  readonly #epochs: Epochs;
  readonly #standing: Standing;
  readonly #listeners: Listeners;
  readonly #locks: LockDesk;

  constructor(parts: AccessParts) {
    this.shard = parts.shard;
    this.replica = parts.replica;
    this.#overlay = parts.overlay;
    this.#state = parts.state;
    this.#driver = parts.driver;
    this.#snapshots = parts.snapshots;
    this.#sequences = parts.sequences;
    this.#epochs = parts.epochs;
    this.#standing = parts.standing;
    this.#listeners = parts.listeners;
    this.#locks = parts.locks;
  }

  get refusal(): Refusal | undefined {
    return this.#standing.refusal;
  }

  get readableStale(): boolean {
    return this.#standing.isWhole && this.#state.index > 0;
  }

  readable(nowMs: number, wallMs: number): boolean {
    const { raft } = this.#driver;
    // A follower may have applied, and shown, what this leader knows to be committed and has yet to apply.
    return (
      raft.leaseHolds(nowMs) &&
      this.#driver.clocksAgree(nowMs, wallMs) &&
      this.#state.index >= raft.commitIndex &&
      this.#standing.refusal === undefined
    );
  }

  get leader(): NodeId | undefined {
    return this.#driver.raft.leader;
  }

  get givesNumbers(): boolean {
    return this.#driver.raft.serves;
  }

  get term(): Term {
    return this.#driver.raft.term;
  }

  get appliedTimestamp(): Timestamp {
    return this.#state.timestamp;
  }

  get catalogueVersion(): number {
    return this.#state.catalogueVersion;
  }

  get(key: Uint8Array, at: Timestamp): Uint8Array | undefined {
    this.#mustKeep(at);
    try {
      return getVersion(this.#overlay, key, at);
    } catch (error) {
      this.#noteDamage(error);
      throw error;
    }
  }

  scan(span: Span, at: Timestamp, visit: Visit, reverse = false): void {
    this.#mustKeep(at);
    try {
      scanVersions(this.#overlay, span, at, visit, reverse);
    } catch (error) {
      this.#noteDamage(error);
      throw error;
    }
  }

  openSnapshot(): Timestamp {
    this.#mustBeWhole();
    const at = this.#state.timestamp;
    this.#snapshots.open(at);
    return at;
  }

  closeSnapshot(at: Timestamp): void {
    this.#snapshots.close(at);
  }

  nextTransactionId(): TransactionId {
    const id = this.#epochs.next();
    if (id !== undefined) return id;
    const { reason, text } = this.#standing.refusal ?? {
      reason: 'cannot_connect_now',
      text: 'the node waits for the leader to give it transaction ids',
    };
    return raise(reason, text);
  }

  advanceSequence(key: Uint8Array, start: bigint, increment: bigint, count: number): bigint {
    assert(this.givesNumbers, 'numbers are given by a leader');
    return this.#sequences.take(key, start, increment, count);
  }

  listen(session: Ref<ListenerMessage>, channels: readonly string[]): void {
    if (channels.length > 0) this.#mustBeWhole();
    this.#listeners.listen(session, channels);
  }

  locksHold(nowMs: number, wallMs: number): boolean {
    return this.#locks.holds(nowMs, wallMs);
  }

  lockHolder(session: string): AdvisoryOwner | undefined {
    return this.#locks.holder(session);
  }

  advisoryLocks(): Iterable<AdvisoryRow> {
    return this.#locks.rows();
  }

  /** All that the snapshot sees must be there. */
  #mustKeep(at: Timestamp): void {
    this.#mustBeWhole();
    if (at >= this.#state.horizon && at >= this.#standing.readableFrom) return;
    raise('snapshot_too_old', `the versions of snapshot ${at} are not kept any more`);
  }

  /** No newer snapshot helps a session whose state is gone; another node does. */
  #mustBeWhole(): void {
    if (!this.#standing.isWhole) raise('cannot_connect_now', 'the node has no whole state to read');
  }

  /** A value that rots is replaced from the other members; whoever read it is told. */
  #noteDamage(error: unknown): void {
    if (error instanceof DatabaseError && error.kind === 'data_corrupted') {
      this.#standing.noteDamage(error.message);
    }
  }
}
