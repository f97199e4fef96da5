/**
 * What the actors of a place find as {@link ShardAccess}, whether there is a replica or not: it stays
 * one object while replicas come and go.
 */
import type { Ref } from '../actors/actor.js';
import { assert } from '../base/assert.js';
import { raise } from '../base/errors.js';
import type { NodeId, ShardId, Term, Timestamp, TransactionId } from '../base/ids.js';
import type { Span, Visit } from '../storage/engine.js';
import type { AdvisoryOwner, AdvisoryRow } from '../txn/index.js';
import type { ListenerMessage, Refusal, SessionRequest, ShardAccess } from './protocol.js';

export class ShardDoor implements ShardAccess {
  readonly shard: ShardId;
  readonly replica: Ref<SessionRequest>;
  #access: ShardAccess | undefined;
  #refusal: Refusal = {
    reason: 'cannot_connect_now',
    text: 'the database system is starting up',
  };
  /** What the catalogue's version of the replica attached is counted on. */
  #catalogueBase = 0;

  constructor(shard: ShardId, replica: Ref<SessionRequest>) {
    this.shard = shard;
    this.replica = replica;
  }

  /** Why there is no replica, for as long as there is none. */
  refuse(refusal: Refusal): void {
    this.#refusal = refusal;
  }

  get attached(): boolean {
    return this.#access !== undefined;
  }

  /** Of a replica, when it is made. */
  attach(access: ShardAccess): void {
    assert(this.#access === undefined, 'a place has one replica of a shard', this.shard);
    this.#access = access;
  }

  /** Of a replica, when it stops. */
  detach(): void {
    this.#catalogueBase = this.catalogueVersion + 1;
    this.#access = undefined;
  }

  get refusal(): Refusal | undefined {
    return this.#access === undefined ? this.#refusal : this.#access.refusal;
  }

  get readableStale(): boolean {
    return this.#access?.readableStale ?? false;
  }

  readable(nowMs: number, wallMs: number): boolean {
    return this.#access?.readable(nowMs, wallMs) ?? false;
  }

  get leader(): NodeId | undefined {
    return this.#access?.leader;
  }

  get givesNumbers(): boolean {
    return this.#access?.givesNumbers ?? false;
  }

  get term(): Term {
    return this.#access?.term ?? (0 as Term);
  }

  get appliedTimestamp(): Timestamp {
    return this.#access?.appliedTimestamp ?? (0 as Timestamp);
  }

  get catalogueVersion(): number {
    return this.#catalogueBase + (this.#access?.catalogueVersion ?? 0);
  }

  get(key: Uint8Array, at: Timestamp): Uint8Array | undefined {
    return this.#there.get(key, at);
  }

  scan(span: Span, at: Timestamp, visit: Visit, reverse = false): void {
    this.#there.scan(span, at, visit, reverse);
  }

  openSnapshot(): Timestamp {
    return this.#there.openSnapshot();
  }

  closeSnapshot(at: Timestamp): void {
    this.#access?.closeSnapshot(at);
  }

  nextTransactionId(): TransactionId {
    return this.#there.nextTransactionId();
  }

  advanceSequence(key: Uint8Array, start: bigint, increment: bigint, count: number): bigint {
    return this.#there.advanceSequence(key, start, increment, count);
  }

  listen(session: Ref<ListenerMessage>, channels: readonly string[]): void {
    if (channels.length === 0) this.#access?.listen(session, channels);
    else this.#there.listen(session, channels);
  }

  locksHold(nowMs: number, wallMs: number): boolean {
    return this.#access?.locksHold(nowMs, wallMs) ?? false;
  }

  lockHolder(session: string): AdvisoryOwner | undefined {
    return this.#access?.lockHolder(session);
  }

  advisoryLocks(): Iterable<AdvisoryRow> {
    return this.#there.advisoryLocks();
  }

  get #there(): ShardAccess {
    return this.#access ?? raise(this.#refusal.reason, this.#refusal.text);
  }
}
