/**
 * What only the leader can do and was asked of this replica, kept until it is done: handed to the leader,
 * again to the next one, again when no answer comes.
 *
 * Invariants:
 * - What a leader has got is answered by what a leader says became of it, or as unknown, never as undone.
 *   A refusal that could be otherwise the next time says nothing when the proposal was sent more than once.
 * - A refusal is passed on once this replica has applied what caused it, so that a second try sees it.
 */
import type { Context, Ref } from '../actors/actor.js';
import type { LogIndex, NodeId } from '../base/ids.js';
import type { Answers, Ask, Reason } from './answers.js';
import type { Driver } from './driver.js';
import type { ShardLimits } from './limits.js';
import type { ReplicaMessage } from './messages.js';
import type { ShardSeries } from './metrics.js';
import type { ForwardedMessage, ForwardOutcome, LeaderWork } from './peer.js';
import type { NumbersAnswer, TakeNumbersMessage } from './protocol.js';

interface Kept {
  /** Names it between the replicas: the transaction, or a small number. */
  readonly token: number;
  readonly work: LeaderWork;
  /** Those who proposed it; empty for other work. */
  readonly asks: Ask[];
  readonly numbers: { readonly token: number; readonly replyTo: Ref<NumbersAnswer> } | undefined;
  readonly sinceMs: number;
  readonly bytes: number;
  /** Whom it was sent to last, when, and how often it was sent in all. */
  sentTo: NodeId | undefined;
  sentMs: number;
  sends: number;
  /** The leader's refusal, which waits for its cause to be applied here. */
  refusal: Extract<ForwardOutcome, { readonly outcome: 'refused' }> | undefined;
}

export interface OutboxParts {
  readonly node: NodeId;
  readonly cluster: number;
  readonly incarnation: number;
  readonly limits: ShardLimits;
  readonly series: ShardSeries;
  readonly driver: Driver;
  readonly answers: Answers;
  readonly appliedIndex: () => LogIndex;
  /** An epoch has come; false when it is not a new one. */
  readonly onEpoch: (epoch: number) => boolean;
}

/** Above all transaction ids. */
const numbersTokens = 2 ** 52;

/** Refusals that stay true whenever the proposal is tried again. */
const lasting: ReadonlySet<Reason> = new Set<Reason>([
  'conflict',
  'staleObject',
  'program_limit_exceeded',
  'statement_completion_unknown',
  // Of a life that has ended.
  'admin_shutdown',
]);

export class Outbox {
  readonly #parts: OutboxParts;
  readonly #kept = new Map<number, Kept>();
  #bytes = 0;
  /** How many wait for what refused them. */
  #refused = 0;
  /**
   * The token of the request for an epoch, one at a time: the incarnation, so that an answer to an earlier life of
   * this node, which has used that epoch, is not taken for one to this life. Those for numbers hold it too.
   */
  readonly #epochToken: number;
  #numbersTaken = 0;
  #timed = false;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#epochToken = parts.incarnation;
  }

  get count(): number {
    return this.#kept.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  keep(ask: Ask, context: Context<ReplicaMessage>): void {
    const token = ask.proposal.transaction;
    const kept = this.#kept.get(token);
    if (kept !== undefined) {
      kept.asks.push(ask);
      return;
    }
    const work: LeaderWork = { work: 'propose', proposal: ask.proposal };
    this.#add(token, work, [ask], undefined, ask.bytes, ask.sinceMs, context);
  }

  keepNumbers(message: TakeNumbersMessage, context: Context<ReplicaMessage>): void {
    const { key, start, increment, count, token, replyTo } = message;
    this.#numbersTaken = (this.#numbersTaken + 1) % 0x1_0000_0000;
    const life = (this.#parts.incarnation % 2 ** 20) * 0x1_0000_0000;
    const own = numbersTokens + life + this.#numbersTaken;
    const work: LeaderWork = { work: 'takeNumbers', key, start, increment, count };
    const numbers = { token, replyTo };
    this.#add(own, work, [], numbers, key.length, context.nowMs, context);
  }

  keepEpoch(floor: number, context: Context<ReplicaMessage>): void {
    if (this.#kept.has(this.#epochToken)) return;
    this.#add(
      this.#epochToken,
      { work: 'takeEpoch', floor },
      [],
      undefined,
      0,
      Number.POSITIVE_INFINITY,
      context,
    );
  }

  /** Another leads now, or this leader serves again: it gets everything. */
  onLeader(context: Context<ReplicaMessage>): void {
    for (const kept of this.#kept.values()) {
      if (kept.refusal !== undefined) continue;
      if (kept.sends > 0) context.probe('shard.resent');
      this.#send(kept, context);
    }
  }

  /** This replica serves: it does itself what it has kept. */
  takeProposals(): readonly Ask[] {
    const asks: Ask[] = [];
    for (const kept of [...this.#kept.values()]) {
      if (kept.work.work !== 'propose' || kept.refusal !== undefined) continue;
      asks.push(...kept.asks);
      this.#remove(kept);
    }
    return asks;
  }

  /** As {@link takeProposals}; the requests for numbers. */
  takeNumbers(): readonly TakeNumbersMessage[] {
    const messages: TakeNumbersMessage[] = [];
    for (const kept of [...this.#kept.values()]) {
      const { work, numbers } = kept;
      if (work.work !== 'takeNumbers' || numbers === undefined) continue;
      const { key, start, increment, count } = work;
      messages.push({ kind: 'shard.takeNumbers', ...numbers, key, start, increment, count });
      this.#remove(kept);
    }
    return messages;
  }

  dropEpoch(): void {
    const kept = this.#kept.get(this.#epochToken);
    if (kept !== undefined) this.#remove(kept);
  }

  onForwarded({ token, answer }: ForwardedMessage, context: Context<ReplicaMessage>): void {
    const kept = this.#kept.get(token);
    // Answered before: this is the answer to a repeated request.
    if (kept === undefined || kept.refusal !== undefined) return;
    switch (answer.outcome) {
      case 'committed':
        this.#remove(kept);
        for (const ask of kept.asks) this.#parts.answers.commit(ask, answer.timestamp, context);
        return;
      case 'numbers': {
        this.#remove(kept);
        if (kept.numbers === undefined) return;
        const { last, term } = answer;
        const { replyTo, token: asked } = kept.numbers;
        context.send(replyTo, { kind: 'shard.numbers', token: asked, last, term });
        return;
      }
      case 'epoch':
        if (token === this.#epochToken && this.#parts.onEpoch(answer.epoch)) this.#remove(kept);
        return;
      case 'refused':
        this.#onRefused(kept, answer, context);
        return;
      case 'notLeader':
        context.probe('shard.notLeader');
        kept.sentTo = undefined;
        return;
    }
  }

  /** Entries were applied: refusals that waited for them are passed on. */
  onApplied(context: Context<ReplicaMessage>): void {
    if (this.#refused === 0) return;
    const index = this.#parts.appliedIndex();
    for (const kept of [...this.#kept.values()]) {
      if (kept.refusal !== undefined && kept.refusal.index <= index) this.#refuse(kept, context);
    }
  }

  /** By timer: sends again what has no answer, and gives up what is too old. */
  onTimer(context: Context<ReplicaMessage>): void {
    this.#timed = false;
    const { leaderWaitMs, forwardRetryMs } = this.#parts.limits;
    const { nowMs } = context;
    for (const kept of [...this.#kept.values()]) {
      if (nowMs >= kept.sinceMs + 2 * leaderWaitMs) this.#giveUp(kept, context);
      else if (kept.refusal !== undefined) continue;
      else if (kept.sentTo === undefined || nowMs >= kept.sentMs + forwardRetryMs) {
        this.#send(kept, context);
      }
    }
    this.#setTimer(context);
  }

  /** There has been no leader for long: nobody waits any more. Who asks for an epoch does. */
  giveUpAll(context: Context<ReplicaMessage>): void {
    for (const kept of [...this.#kept.values()]) {
      if (kept.token !== this.#epochToken) this.#giveUp(kept, context);
    }
  }

  #add(
    token: number,
    work: LeaderWork,
    asks: Ask[],
    numbers: Kept['numbers'],
    bytes: number,
    sinceMs: number,
    context: Context<ReplicaMessage>,
  ): void {
    const unsent = { sentTo: undefined, sentMs: 0, sends: 0, refusal: undefined };
    const kept: Kept = { token, work, asks, numbers, bytes, sinceMs, ...unsent };
    this.#kept.set(token, kept);
    this.#bytes += bytes;
    this.#send(kept, context);
    this.#setTimer(context);
  }

  #remove(kept: Kept): void {
    this.#kept.delete(kept.token);
    this.#bytes -= kept.bytes;
    if (kept.refusal !== undefined) this.#refused -= 1;
  }

  #send(kept: Kept, context: Context<ReplicaMessage>): void {
    const { driver, node, cluster, series } = this.#parts;
    const { leader } = driver.raft;
    if (leader === undefined || leader === node) return;
    kept.sentTo = leader;
    kept.sentMs = context.nowMs;
    kept.sends += 1;
    series.forwarded.value += 1;
    if (kept.sends === 1) context.probe('shard.forwarded');
    const { token, work } = kept;
    driver.sendPeer(leader, { kind: 'shard.forward', cluster, from: node, token, work }, context);
  }

  #onRefused(
    kept: Kept,
    refusal: NonNullable<Kept['refusal']>,
    context: Context<ReplicaMessage>,
  ): void {
    if (kept.token === this.#epochToken) return;
    const repeated = kept.sends > 1 || kept.asks.some((ask) => ask.handedOver);
    // The other copy may have been taken, or be on its way still.
    if (repeated && !lasting.has(refusal.reason)) return;
    kept.refusal = refusal;
    this.#refused += 1;
    const waits = refusal.reason === 'conflict' || refusal.reason === 'staleObject';
    if (!waits || refusal.index <= this.#parts.appliedIndex()) this.#refuse(kept, context);
    else context.probe('shard.refusalWaits');
  }

  #refuse(kept: Kept, context: Context<ReplicaMessage>): void {
    const { refusal } = kept;
    if (refusal === undefined) return;
    this.#remove(kept);
    this.#answerAll(kept, refusal.reason, refusal.text, context);
  }

  #giveUp(kept: Kept, context: Context<ReplicaMessage>): void {
    if (kept.refusal !== undefined) {
      this.#refuse(kept, context);
      return;
    }
    this.#remove(kept);
    const sent = kept.sends > 0 || kept.asks.some((ask) => ask.handedOver);
    if (sent && kept.asks.length > 0) {
      context.probe('shard.outcomeUnknown');
      const text = 'no leader has said whether the transaction was committed';
      this.#answerAll(kept, 'statement_completion_unknown', text, context);
    } else this.#answerAll(kept, 'no_quorum', noLeaderText, context);
  }

  #answerAll(kept: Kept, reason: Reason, text: string, context: Context<ReplicaMessage>): void {
    for (const ask of kept.asks) this.#parts.answers.refuse(ask, reason, text, context);
    if (kept.numbers === undefined) return;
    const { replyTo, token } = kept.numbers;
    context.send(replyTo, { kind: 'shard.refused', token, reason, text });
  }

  #setTimer(context: Context<ReplicaMessage>): void {
    if (this.#timed || this.#kept.size === 0) return;
    this.#timed = true;
    const delayMs = this.#parts.limits.forwardRetryMs / 2;
    context.setTimer('shard.retry', delayMs, { kind: 'shard.retry' });
  }
}

export const noLeaderText = 'the shard has no leader: a majority of its members is out of reach';
