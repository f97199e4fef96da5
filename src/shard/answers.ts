/** Proposals with those who asked, and how they are answered: sessions of this node, or replicas of others. */
import type { Context, Ref } from '../actors/actor.js';
import type { LogIndex, NodeId, Timestamp } from '../base/ids.js';
import type { Proposal } from '../txn/index.js';
import type { Driver } from './driver.js';
import type { ReplicaMessage } from './messages.js';
import type { ShardSeries } from './metrics.js';
import type { ForwardOutcome } from './peer.js';
import type { ProposeAnswer, RefusedMessage } from './protocol.js';

export type Reason = RefusedMessage['reason'];

/** A proposal that awaits its answer. */
export interface Ask {
  readonly proposal: Proposal;
  /** What its log entry takes, about. */
  readonly bytes: number;
  /** Comes back with the answer. */
  readonly token: number;
  /** A session of this node, or the node whose replica handed it on. */
  readonly asker: Ref<ProposeAnswer> | NodeId;
  readonly sinceMs: number;
  /** A leader has got it: until one says what became of it that is unknown. */
  handedOver: boolean;
}

export interface AnswersParts {
  readonly driver: Driver;
  readonly series: ShardSeries;
  readonly cluster: number;
  /** The last entry applied here. */
  readonly appliedIndex: () => LogIndex;
}

export class Answers {
  readonly #parts: AnswersParts;

  constructor(parts: AnswersParts) {
    this.#parts = parts;
  }

  commit({ token, asker }: Ask, timestamp: Timestamp, context: Context<ReplicaMessage>): void {
    this.#parts.series.proposals.committed.value += 1;
    if (typeof asker === 'number') {
      this.forwarded(asker, token, { outcome: 'committed', timestamp }, context);
    } else context.send(asker, { kind: 'shard.committed', token, timestamp });
  }

  /** Nothing of the proposal happened. What this replica has applied shows why. */
  refuse(
    { token, asker }: Pick<Ask, 'token' | 'asker'>,
    reason: Reason,
    text: string,
    context: Context<ReplicaMessage>,
  ): void {
    const { series, appliedIndex } = this.#parts;
    const outcome = reason === 'conflict' || reason === 'staleObject' ? reason : 'refused';
    series.proposals[reason === 'statement_completion_unknown' ? 'failed' : outcome].value += 1;
    if (typeof asker === 'number') {
      const answer = { outcome: 'refused', reason, text, index: appliedIndex() } as const;
      this.forwarded(asker, token, answer, context);
    } else context.send(asker, { kind: 'shard.refused', token, reason, text });
  }

  /** Answers the replica of another node. */
  forwarded(
    to: NodeId,
    token: number,
    answer: ForwardOutcome,
    context: Context<ReplicaMessage>,
  ): void {
    const { driver, cluster } = this.#parts;
    driver.sendPeer(to, { kind: 'shard.forwarded', cluster, token, answer }, context);
  }
}

/** What a session is told with a refusal. */
export function textOf(reason: Reason): string {
  return reason === 'staleObject'
    ? 'an object that the statement uses was changed'
    : 'could not serialize access due to concurrent update';
}
