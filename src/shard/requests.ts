/**
 * What sessions of this node, and replicas of others in the name of theirs, ask of the replica: to commit, to
 * read, to give numbers. While it leads and serves it does so itself; otherwise the leader shall.
 */
import type { ActorStopped, Context, Ref } from '../actors/actor.js';
import { assert, unreachable } from '../base/assert.js';
import type { Write } from '../txn/transaction.js';
import { type Ask, textOf } from './answers.js';
import { proposalBytes } from './arrivals.js';
import type { ReplicaMessage } from './messages.js';
import { noLeaderText } from './outbox.js';
import type { Parts } from './parts.js';
import type { ForwardMessage } from './peer.js';
import type {
  ProposeAnswer,
  ProposeMessage,
  ReadMessage,
  Refusal,
  RefusedMessage,
  SessionRequest,
  TakeNumbersMessage,
  UnlockMessage,
  WriteMessage,
} from './protocol.js';

type Request = SessionRequest | WriteMessage | ProposeAnswer | ActorStopped;

const requestKinds: ReadonlySet<ReplicaMessage['kind']> = new Set<Request['kind']>([
  ...(['shard.propose', 'shard.read', 'shard.takeNumbers', 'shard.write'] as const),
  ...(['shard.lock', 'shard.unlock', 'shard.committed', 'shard.refused', 'actor.stopped'] as const),
]);

/** Whether {@link Requests} take it. */
export function isRequest(message: ReplicaMessage): message is Request {
  return requestKinds.has(message.kind);
}

export class Requests {
  readonly #parts: Parts;
  /** Snapshots may be open here: the leader is told now and then. */
  #retaining = false;
  /** What other replicas asked of this leader while it did not serve. */
  #early: ForwardMessage[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  receive(message: Request, context: Context<ReplicaMessage>): void {
    const { locks, listeners } = this.#parts;
    switch (message.kind) {
      case 'shard.propose':
        this.#onPropose(message, context);
        return;
      case 'shard.read':
        this.#onRead(message, context);
        return;
      case 'shard.takeNumbers':
        this.#onTakeNumbers(message, context);
        return;
      case 'shard.write':
        this.#onWrite(message, context);
        return;
      case 'shard.lock':
        locks.onLock(message, context);
        return;
      case 'shard.unlock':
        locks.onUnlock(message, context);
        return;
      case 'shard.committed':
      case 'shard.refused':
        locks.onAnswer(message, context);
        return;
      case 'actor.stopped':
        listeners.forget(message.actor.name);
        locks.onStopped(message, context);
        return;
      default:
        unreachable(message);
    }
  }

  /** The store has failed: nothing is taken any more. */
  refuse(
    { token, replyTo }: Exclude<SessionRequest, UnlockMessage> | WriteMessage,
    { reason, text }: Refusal,
    context: Context<ReplicaMessage>,
  ): void {
    context.send(replyTo as Ref<RefusedMessage>, { kind: 'shard.refused', token, reason, text });
  }

  /** This replica serves: it does itself what has waited for a leader. */
  onServing(context: Context<ReplicaMessage>): void {
    const { outbox, leadership } = this.#parts;
    for (const ask of outbox.takeProposals()) leadership.take(ask, context);
    for (const message of outbox.takeNumbers()) this.#giveNumbers(message, context);
    for (const message of this.#early.splice(0)) this.onForward(message, context);
  }

  /** This replica leads no more: who asked from another node shall ask the next leader. */
  onDeposed(context: Context<ReplicaMessage>): void {
    for (const { from, token } of this.#early.splice(0)) {
      this.#parts.answers.forwarded(from, token, { outcome: 'notLeader' }, context);
    }
  }

  /** Keeps a proposal that this replica took as a leader for the next one. */
  hold(ask: Ask, context: Context<ReplicaMessage>): void {
    const { outbox, answers } = this.#parts;
    if (typeof ask.asker !== 'number') outbox.keep(ask, context);
    else answers.forwarded(ask.asker, ask.token, { outcome: 'notLeader' }, context);
  }

  #onPropose(message: ProposeMessage, context: Context<ReplicaMessage>): void {
    assert(message.shard === this.#parts.shard, 'a proposal for another shard', message.shard);
    const { proposal, token, replyTo } = message;
    const bytes = proposalBytes(proposal);
    const { nowMs } = context;
    this.take(
      { proposal, bytes, token, asker: replyTo, sinceMs: nowMs, handedOver: false },
      context,
    );
  }

  /** As leader, or by way of the leader. */
  take(ask: Ask, context: Context<ReplicaMessage>): void {
    const { driver, leadership, outbox, answers } = this.#parts;
    const refusal = this.#refusal(ask.bytes);
    if (refusal !== undefined) answers.refuse(ask, refusal.reason, refusal.text, context);
    else if (driver.raft.serves) leadership.take(ask, context);
    else outbox.keep(ask, context);
  }

  /** Why a proposal of that size is not taken now. */
  #refusal(bytes: number): Refusal | undefined {
    const { leadership, outbox, limits, standing, witness } = this.#parts;
    const { proposalsMax, proposalBytesMax, entryBytesMax } = limits;
    if (bytes > entryBytesMax) {
      const text = `changes of ${bytes} bytes in one transaction; the limit is ${entryBytesMax}`;
      return { reason: 'program_limit_exceeded', text };
    }
    const count = leadership.count + outbox.count;
    if (count >= proposalsMax || leadership.bytes + outbox.bytes > proposalBytesMax) {
      const text = `${count} transactions are committing; no more are taken`;
      return { reason: 'configuration_limit_exceeded', text };
    }
    if (standing.noQuorum) return { reason: 'no_quorum', text: noLeaderText };
    return witness ? standing.refusal : undefined;
  }

  #onRead(message: ReadMessage, context: Context<ReplicaMessage>): void {
    const { access, reads, series, standing, witness } = this.#parts;
    if (access.readable(context.nowMs, context.wallMs)) {
      series.readsByLease.value += 1;
      reads.answer(message, context);
    } else if (standing.noQuorum || !standing.isWhole || witness) {
      const { reason, text } = standing.refusal ?? { reason: 'no_quorum', text: noLeaderText };
      context.send(message.replyTo, { kind: 'shard.refused', token: message.token, reason, text });
    } else {
      this.#retainSoon(context);
      reads.add(message, context);
    }
  }

  #onTakeNumbers(message: TakeNumbersMessage, context: Context<ReplicaMessage>): void {
    const { driver, outbox, limits, standing } = this.#parts;
    const { token, replyTo } = message;
    if (driver.raft.serves) this.#giveNumbers(message, context);
    else if (standing.noQuorum) {
      const text = noLeaderText;
      context.send(replyTo, { kind: 'shard.refused', token, reason: 'no_quorum', text });
    } else if (outbox.count >= limits.proposalsMax) {
      const text = 'too many requests wait for the leader';
      const reason = 'configuration_limit_exceeded';
      context.send(replyTo, { kind: 'shard.refused', token, reason, text });
    } else outbox.keepNumbers(message, context);
  }

  #giveNumbers(message: TakeNumbersMessage, context: Context<ReplicaMessage>): void {
    const { key, start, increment, count, token, replyTo } = message;
    const last = this.#parts.access.advanceSequence(key, start, increment, count);
    const { term } = this.#parts.driver.raft;
    context.send(replyTo, { kind: 'shard.numbers', token, last, term });
  }

  /** A small write of this node itself becomes a proposal as any other. */
  #onWrite(message: WriteMessage, context: Context<ReplicaMessage>): void {
    const { state, epochs, standing, answers, shard } = this.#parts;
    const { token, replyTo } = message;
    const asker = { token, asker: replyTo };
    const transaction = standing.isWhole ? epochs.next() : undefined;
    if (transaction === undefined) {
      const { reason, text } = standing.refusal ?? {
        reason: 'cannot_connect_now',
        text: 'not yet',
      };
      answers.refuse(asker, reason, text, context);
      return;
    }
    const snapshot = state.timestamp;
    const writes: Write[] = [];
    for (const { key, was, value } of message.writes) {
      const is = this.#parts.access.get(key, snapshot);
      const same = is === undefined ? was === undefined : was !== undefined && equal(is, was);
      if (!same) {
        answers.refuse(asker, 'conflict', textOf('conflict'), context);
        return;
      }
      if (value === 'kept') continue;
      writes.push(value === undefined ? { op: 'delete', key } : { op: 'put', key, value });
    }
    const guards = message.writes.map(({ key }) => key);
    const proposal = { transaction, snapshot, writes, guards, objects: [], numbersTerm: undefined };
    this.#onPropose({ kind: 'shard.propose', shard, token, proposal, replyTo }, context);
  }

  onForward(message: ForwardMessage, context: Context<ReplicaMessage>): void {
    const { driver, answers, leadership, sequences, retention, node, limits } = this.#parts;
    const { from, token, work } = message;
    if (from === node) return;
    if (!driver.raft.serves) {
      // Elected and not serving yet, or handing over: one way or the other it is known soon.
      if (driver.raft.role !== 'leader') {
        answers.forwarded(from, token, { outcome: 'notLeader' }, context);
      } else if (this.#early.length < limits.proposalsMax) this.#early.push(message);
      return;
    }
    switch (work.work) {
      case 'propose': {
        const { proposal } = work;
        const bytes = proposalBytes(proposal);
        const sinceMs = context.nowMs;
        this.take({ proposal, bytes, token, asker: from, sinceMs, handedOver: false }, context);
        return;
      }
      case 'takeNumbers': {
        const { key, start, increment, count } = work;
        const last = sequences.take(key, start, increment, count);
        const { term } = driver.raft;
        answers.forwarded(from, token, { outcome: 'numbers', last, term }, context);
        return;
      }
      case 'takeEpoch':
        leadership.giveEpoch({ node: from, token }, work.floor, context);
        return;
      case 'retain':
        retention.report(from, work.at, context.nowMs);
        return;
      default:
        unreachable(work);
    }
  }

  /** While snapshots are open here the leader is told what they need. */
  #retainSoon(context: Context<ReplicaMessage>): void {
    if (this.#retaining) return;
    this.#retaining = true;
    context.setTimer('shard.retain', this.#parts.limits.retainReportMs, { kind: 'shard.retain' });
  }

  onRetainTimer(context: Context<ReplicaMessage>): void {
    const { snapshots, driver, node, cluster } = this.#parts;
    this.#retaining = false;
    const { oldest } = snapshots;
    const { leader } = driver.raft;
    if (oldest === undefined) return;
    if (leader !== undefined && leader !== node) {
      const work = { work: 'retain', at: oldest } as const;
      const message = { kind: 'shard.forward', cluster, from: node, token: 0, work } as const;
      driver.sendPeer(leader, message, context);
      context.probe('shard.snapshotReported');
    }
    this.#retainSoon(context);
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
