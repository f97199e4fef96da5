/**
 * Hashes of the state, by which replicas are compared: of the live rows at a timestamp, piece by piece of the
 * key space and in steps, while writes go on; and of everything at once, for tests.
 */
import type { Context } from '../actors/actor.js';
import { compareBytes } from '../base/bytes.js';
import { DatabaseError } from '../base/errors.js';
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
  /** Where it goes on. */
  from: Uint8Array;
  /** The first key behind the piece; undefined while the replica is to choose it. */
  to: Uint8Array | undefined;
  turnsLeft: number;
}

type Refused = 'cannot_connect_now' | 'snapshot_too_old' | 'data_corrupted';

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
    const { state, standing, snapshots, limits } = this.#parts;
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
    this.#jobs.push({
      ...{ message, at, sum: new Sum(), turnsLeft: limits.hashTurnsMax },
      from: message.from.length === 0 ? dataStart : message.from,
      to: message.at === undefined ? undefined : (message.to ?? dataEnd),
    });
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
    } else this.#go(job, context);
    if (this.#jobs.length > 0) context.send(context.self, { kind: 'shard.hashStep' });
  }

  #go(job: Job, context: Context<ReplicaMessage>): void {
    let done: boolean;
    try {
      done = this.#walk(job);
    } catch (error) {
      if (!(error instanceof DatabaseError && error.kind === 'data_corrupted')) throw error;
      this.#parts.standing.noteDamage(error.message);
      this.#refuse(job.message, 'data_corrupted', error.message, context);
      this.#end(job);
      return;
    }
    if (!done) return;
    const { token, replyTo } = job.message;
    const { text: hash, rows } = job.sum;
    const to = job.to === undefined || compareBytes(job.to, dataEnd) >= 0 ? undefined : job.to;
    context.send(replyTo, { kind: 'shard.hashed', token, at: job.at, to, hash, rows });
    this.#end(job);
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

  /** Adds the next pairs; whether the piece is whole. */
  #walk(job: Job): boolean {
    const { overlay, limits } = this.#parts;
    const span: Span = { from: job.from, to: job.to ?? dataEnd };
    const changed: Uint8Array[] = [];
    let left = limits.hashPairsMax;
    let bytesLeft = limits.hashBytesMax;
    let last: Uint8Array | undefined;
    overlay.scan(span, (key, version) => {
      if (left === 0 || bytesLeft <= 0) {
        last = Buffer.from(key);
        return false;
      }
      left -= 1;
      bytesLeft -= key.length + version.length;
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
    job.turnsLeft -= 1;
    if (job.to !== undefined || job.turnsLeft > 0) return false;
    job.to = last;
    return true;
  }

  #end(job: Job): void {
    if (job.message.at === undefined) this.#parts.snapshots.close(job.at);
    this.#jobs.shift();
  }

  #refuse(
    { token, replyTo }: HashMessage,
    reason: Refused,
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
