/** What the actors of a replica's place read through. */
import type { Ref } from '../actors/actor.js';
import { assert } from '../base/assert.js';
import type { NodeId, ShardId, Term, Timestamp, TransactionId } from '../base/ids.js';
import type { RaftNode } from '../raft/index.js';
import type { Overlay, Span, Visit } from '../storage/index.js';
import {
  getVersion,
  type OpenSnapshots,
  scanVersions,
  type Sequences,
  type ShardState,
} from '../txn/index.js';
import type { ProposeMessage, ShardAccess } from './protocol.js';

const counterRange = 0x1_0000_0000;

export interface AccessParts {
  readonly shard: ShardId;
  readonly replica: Ref<ProposeMessage>;
  /** A number that no earlier start of any node had. */
  readonly incarnation: number;
  readonly overlay: Overlay;
  readonly state: ShardState;
  readonly node: RaftNode;
  readonly snapshots: OpenSnapshots;
  readonly sequences: Sequences;
}

export class ReplicaAccess implements ShardAccess {
  readonly shard: ShardId;
  readonly replica: Ref<ProposeMessage>;
  readonly #incarnation: number;
  readonly #overlay: Overlay;
  readonly #state: ShardState;
  readonly #node: RaftNode;
  readonly #snapshots: OpenSnapshots;
  readonly #sequences: Sequences;
  #transactions = 0;

  constructor(parts: AccessParts) {
    const { incarnation } = parts;
    assert(incarnation >= 1 && incarnation < 2 ** 21, 'incarnation out of range', incarnation);
    this.shard = parts.shard;
    this.replica = parts.replica;
    this.#incarnation = incarnation;
    this.#overlay = parts.overlay;
    this.#state = parts.state;
    this.#node = parts.node;
    this.#snapshots = parts.snapshots;
    this.#sequences = parts.sequences;
  }

  get refusal(): ShardAccess['refusal'] {
    if (this.#node.serves) return undefined;
    return { reason: 'cannot_connect_now', text: 'the database system is starting up' };
  }

  get readableStale(): boolean {
    return this.#node.serves;
  }

  readable(): boolean {
    return this.#node.serves;
  }

  get leader(): NodeId | undefined {
    return this.#node.serves ? this.replica.node : undefined;
  }

  get givesNumbers(): boolean {
    return this.#node.serves;
  }

  get term(): Term {
    return this.#node.term;
  }

  get appliedTimestamp(): Timestamp {
    return this.#state.timestamp;
  }

  get catalogueVersion(): number {
    return this.#state.catalogueVersion;
  }

  get(key: Uint8Array, at: Timestamp): Uint8Array | undefined {
    assert(at >= this.#state.horizon, 'a snapshot that is not kept', at);
    return getVersion(this.#overlay, key, at);
  }

  scan(span: Span, at: Timestamp, visit: Visit, reverse = false): void {
    assert(at >= this.#state.horizon, 'a snapshot that is not kept', at);
    scanVersions(this.#overlay, span, at, visit, reverse);
  }

  openSnapshot(): Timestamp {
    assert(this.#node.serves, 'a snapshot of a replica that is not ready');
    const at = this.#state.timestamp;
    this.#snapshots.open(at);
    return at;
  }

  closeSnapshot(at: Timestamp): void {
    this.#snapshots.close(at);
  }

  nextTransactionId(): TransactionId {
    this.#transactions += 1;
    assert(this.#transactions < counterRange, 'transaction ids of this start are used up');
    return (this.#incarnation * counterRange + this.#transactions) as TransactionId;
  }

  advanceSequence(key: Uint8Array, start: bigint, increment: bigint, count: number): bigint {
    return this.#sequences.take(key, start, increment, count);
  }
}
