/**
 * Hashes of the state, by which replicas are compared: of the live rows at a timestamp, in steps, while
 * writes go on; and of everything at once, for tests.
 */
import type { Context } from '../actors/actor.js';
import type { Timestamp } from '../base/ids.js';
import { checksum, type Overlay, type Span } from '../storage/index.js';
import { isHistoryKey, keySpace } from '../storage/keys.js';
import {
  isCounter,
  isTombstone,
  type OpenSnapshots,
  payloadOf,
  type ShardState,
  timestampOf,
  versionAt,
} from '../txn/index.js';
import type { ShardLimits } from './limits.js';
import type { ReplicaMessage } from './messages.js';
import type { HashMessage } from './protocol.js';
import type { Standing } from './standing.js';

export interface HashesParts {
  readonly state: ShardState;
  readonly overlay: Overlay;
  readonly snapshots: OpenSnapshots;
  readonly standing: Standing;
  readonly limits: ShardLimits;
}

/** The sum of the hashes of all pairs does not depend on their order. */
class Sum {
  #low = 0;
  #high = 0;
  rows = 0;

  add(key: Uint8Array, value: Uint8Array): void {
    this.#low = (this.#low + checksum(key, value, 0, value.length)) | 0;
    this.#high = (this.#high + checksum(value, key, 0, key.length)) | 0;
    this.rows += 1;
  }

  get text(): string {
    const hex = (part: number): string => (part >>> 0).toString(16).padStart(8, '0');
    return `${hex(this.#high)}${hex(this.#low)}`;
  }
}

interface Job {
  readonly message: HashMessage;
  readonly at: Timestamp;
  readonly sum: Sum;
  from: Uint8Array;
}

const dataStart = Uint8Array.of(keySpace.data);
const dataEnd = Uint8Array.of(keySpace.data + 1);

export class Hashes {
  readonly #parts: HashesParts;
  /** Those whose timestamp is not applied yet. */
  #waiting: HashMessage[] = [];
  /** Under way, one after the other. */
  #jobs: Job[] = [];

  constructor(parts: HashesParts) {
    this.#parts = parts;
  }

  add(message: HashMessage, context: Context<ReplicaMessage>): void {
    const { state, standing, snapshots } = this.#parts;
    if (!standing.isWhole) {
      this.#refuse(message, 'cannot_connect_now', 'the node has no whole state', context);
      return;
    }
    if (message.at !== undefined && message.at > state.timestamp) {
      this.#waiting.push(message);
      return;
    }
    const at = message.at ?? state.timestamp;
    // What is open is kept from collection; an older state than any that is open cannot be.
    if (message.at === undefined) snapshots.open(at);
    this.#jobs.push({ message, at, sum: new Sum(), from: dataStart });
    if (this.#jobs.length === 1) context.send(context.self, { kind: 'shard.hashStep' });
  }

  onApplied(context: Context<ReplicaMessage>): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) this.add(message, context);
  }

  step(context: Context<ReplicaMessage>): void {
    const job = this.#jobs[0];
    if (job === undefined) return;
    const { standing, state } = this.#parts;
    if (!standing.isWhole || job.at < state.horizon) {
      const text = 'versions that the hash needs are not kept any more';
      this.#refuse(job.message, 'snapshot_too_old', text, context);
      this.#end(job);
    } else if (this.#walk(job)) {
      const { token, replyTo } = job.message;
      const { text: hash, rows } = job.sum;
      context.send(replyTo, { kind: 'shard.hashed', token, at: job.at, hash, rows });
      this.#end(job);
    }
    if (this.#jobs.length > 0) context.send(context.self, { kind: 'shard.hashStep' });
  }

  /** Of the whole key space, whatever it holds, and of the state beside it. */
  whole(): string {
    const { overlay, state } = this.#parts;
    const sum = new Sum();
    overlay.scan({ from: dataStart, to: dataEnd }, (key, value) => {
      sum.add(key, value);
      return true;
    });
    const record = state.isPartial ? new Uint8Array(0) : state.encode();
    return `${sum.text}/${sum.rows}/${checksum(record, record, 0, record.length) >>> 0}`;
  }

  /** Adds the next pairs; whether that was all. */
  #walk(job: Job): boolean {
    const { overlay, limits } = this.#parts;
    const span: Span = { from: job.from, to: dataEnd };
    const changed: Uint8Array[] = [];
    let left = limits.hashPairsMax;
    let last: Uint8Array | undefined;
    overlay.scan(span, (key, version) => {
      left -= 1;
      if (left < 0) {
        last = Buffer.from(key);
        return false;
      }
      if (isHistoryKey(key)) return true;
      if (timestampOf(version) > job.at) changed.push(Buffer.from(key));
      else if (counts(version)) job.sum.add(key, version);
      return true;
    });
    for (const key of changed) {
      const version = versionAt(overlay, key, job.at);
      if (version !== undefined && counts(version)) job.sum.add(key, version);
    }
    if (last === undefined) return true;
    job.from = last;
    return false;
  }

  #end(job: Job): void {
    if (job.message.at === undefined) this.#parts.snapshots.close(job.at);
    this.#jobs.shift();
  }

  #refuse(
    { token, replyTo }: HashMessage,
    reason: 'cannot_connect_now' | 'snapshot_too_old',
    text: string,
    context: Context<ReplicaMessage>,
  ): void {
    context.send(replyTo, { kind: 'shard.refused', token, reason, text });
  }
}

/** What a counter was at a timestamp is not kept, nor what stood under its key before: both have eight bytes. */
function counts(version: Uint8Array): boolean {
  return !isTombstone(version) && !isCounter(version) && payloadOf(version).length !== 8;
}
