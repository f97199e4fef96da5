/**
 * Reads that wait until they are linearizable: for a leader's word on what is committed (ReadIndex, by way
 * of the Raft core), then until this replica has applied it. All that come in a turn share one question.
 */
import type { Context, Ref } from '../actors/actor.js';
import type { LogIndex } from '../base/ids.js';
import type { Ready } from '../raft/index.js';
import type { Driver } from './driver.js';
import type { ShardLimits } from './limits.js';
import type { ReplicaMessage } from './messages.js';
import type { ShardSeries } from './metrics.js';
import { noLeaderText } from './outbox.js';
import type { ReadAnswer, ReadMessage, RefusedMessage } from './protocol.js';

interface Waiting {
  readonly token: number;
  readonly replyTo: Ref<ReadAnswer>;
  readonly sinceMs: number;
}

export interface ReadsParts {
  readonly limits: ShardLimits;
  readonly series: ShardSeries;
  readonly driver: Driver;
  readonly appliedIndex: () => LogIndex;
}

export class Reads {
  readonly #parts: ReadsParts;
  /** Those that go into the next question. */
  #gathered: Waiting[] = [];
  #asking = false;
  readonly #asked = new Map<number, readonly Waiting[]>();
  #question = 0;
  /** They know what to wait for. */
  #waiting: { readonly index: LogIndex; readonly reads: readonly Waiting[] }[] = [];
  #timed = false;

  constructor(parts: ReadsParts) {
    this.#parts = parts;
  }

  add({ token, replyTo }: ReadMessage, context: Context<ReplicaMessage>): void {
    this.#gathered.push({ token, replyTo, sinceMs: context.nowMs });
    this.#askSoon(context);
  }

  answer({ token, replyTo }: Pick<Waiting, 'token' | 'replyTo'>, context: Context<ReplicaMessage>) {
    context.send(replyTo, { kind: 'shard.readable', token });
  }

  onAsk(context: Context<ReplicaMessage>): void {
    this.#asking = false;
    if (this.#gathered.length === 0) return;
    this.#question += 1;
    this.#asked.set(this.#question, this.#gathered);
    this.#gathered = [];
    this.#parts.driver.step({ kind: 'raft.read', read: this.#question }, context);
  }

  onAnswers(answers: Ready['reads'], context: Context<ReplicaMessage>): void {
    for (const { read, index } of answers) {
      const reads = this.#asked.get(read);
      if (reads === undefined) continue;
      this.#asked.delete(read);
      if (index === undefined) {
        context.probe('shard.readAskedAgain');
        this.#gathered.push(...reads);
        this.#setTimer(context);
      } else if (index <= this.#parts.appliedIndex()) this.#answerAll(reads, context);
      else {
        context.probe('shard.readWaits');
        this.#waiting.push({ index, reads });
      }
    }
  }

  /** Entries were applied. */
  onApplied(context: Context<ReplicaMessage>): void {
    if (this.#waiting.length === 0) return;
    const index = this.#parts.appliedIndex();
    const ready = this.#waiting.filter((one) => one.index <= index);
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter((one) => one.index > index);
    for (const { reads } of ready) this.#answerAll(reads, context);
  }

  /** There is a leader to ask. */
  onLeader(context: Context<ReplicaMessage>): void {
    if (this.#gathered.length > 0) this.#askSoon(context);
  }

  /** By timer: asks again, and gives up who has waited for too long. */
  onTimer(context: Context<ReplicaMessage>): void {
    this.#timed = false;
    const oldestMs = context.nowMs - this.#parts.limits.leaderWaitMs;
    const tooOld = this.#gathered.filter((one) => one.sinceMs <= oldestMs);
    this.#gathered = this.#gathered.filter((one) => one.sinceMs > oldestMs);
    this.#refuse(tooOld, 'no_quorum', noLeaderText, context);
    if (this.#gathered.length > 0) this.#askSoon(context);
  }

  /** Nobody waits any more. */
  refuseAll(
    reason: RefusedMessage['reason'],
    text: string,
    context: Context<ReplicaMessage>,
  ): void {
    const asked = [...this.#asked.values()].flat();
    const waiting = this.#waiting.flatMap(({ reads }) => reads);
    const all = [...this.#gathered, ...asked, ...waiting];
    this.#gathered = [];
    this.#asked.clear();
    this.#waiting = [];
    this.#refuse(all, reason, text, context);
  }

  #answerAll(reads: readonly Waiting[], context: Context<ReplicaMessage>): void {
    this.#parts.series.readsByIndex.value += reads.length;
    for (const read of reads) this.answer(read, context);
  }

  #refuse(
    reads: readonly Waiting[],
    reason: RefusedMessage['reason'],
    text: string,
    context: Context<ReplicaMessage>,
  ): void {
    for (const { token, replyTo } of reads) {
      context.send(replyTo, { kind: 'shard.refused', token, reason, text });
    }
  }

  #askSoon(context: Context<ReplicaMessage>): void {
    if (this.#asking) return;
    this.#asking = true;
    context.send(context.self, { kind: 'shard.ask' });
  }

  #setTimer(context: Context<ReplicaMessage>): void {
    if (this.#timed) return;
    this.#timed = true;
    // The core has waited before it said that it does not know.
    context.setTimer('shard.reread', 20, { kind: 'shard.reread' });
  }
}
