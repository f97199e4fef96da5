/**
 * The advisory locks of this node's sessions (pitfall 5; docs/decisions/0024). Sessions ask it; it proposes what is
 * to be done, hears what came of it when that is applied here, and tells them.
 *
 * Sessions have locks in the name of the node's *life*, which begins with the first lock and ends soon after the last.
 * The leader ends the life of a node that it does not hear of (lock-leases.ts). A node that is alone keeps the table
 * in memory instead: its sessions die with it, so nothing is to survive them.
 *
 * Invariants:
 * - A session is told that it has a lock only while the lease of the life holds; when that has run out, every session
 *   that has locks, or waits for some, is ended before another node's can get them.
 * - What a session does is proposed in its order: one proposal at a time, with all that has gathered.
 * - What is granted and nobody wants any more is given back.
 */
import type { ActorStopped, ActorWatch, Context, Message, Ref } from '../actors/actor.js';
import { unreachable } from '../base/assert.js';
import type { NodeId, Timestamp } from '../base/ids.js';
import {
  type AdvisoryEvent,
  AdvisoryLocks,
  type AdvisoryOperation,
  type AdvisoryOwner,
  type AdvisoryRow,
  type LifeId,
  type Proposal,
  type ShardState,
} from '../txn/index.js';
import type { Ask } from './answers.js';
import { proposalBytes } from './arrivals.js';
import type { Driver } from './driver.js';
import type { Epochs } from './epochs.js';
import type { ShardLimits } from './limits.js';
import { Client } from './lock-client.js';
import { lifeEndedText, type LockLeases } from './lock-leases.js';
import type { ReplicaMessage } from './messages.js';
import type {
  CommittedMessage,
  LockMessage,
  ProposeAnswer,
  Refusal,
  RefusedMessage,
  UnlockMessage,
} from './protocol.js';
import { membersOf, type Standing } from './standing.js';

export interface LockDeskParts {
  readonly node: NodeId;
  readonly limits: ShardLimits;
  readonly state: ShardState;
  readonly driver: Driver;
  readonly epochs: Epochs;
  readonly standing: Standing;
  readonly leases: LockLeases;
}

/** No key is written: nothing can have changed since. */
const noSnapshot = Number.MAX_SAFE_INTEGER as Timestamp;

/** What a proposal of the desk is about, until it is answered. */
type Sent =
  | { readonly about: 'begin' | 'sign'; readonly life: LifeId; readonly sentMs: number }
  | {
      readonly about: 'client';
      readonly life: LifeId;
      readonly sentMs: number;
      readonly client: Client;
      readonly operations: readonly AdvisoryOperation[];
    }
  /** Nobody waits for it; if it does not come about it is proposed again. */
  | { readonly about: 'other' };

export class LockDesk {
  readonly #parts: LockDeskParts;
  readonly #propose: (ask: Ask, context: Context<ReplicaMessage>) => void;
  readonly #clients = new Map<string, Client>();
  readonly #bySession = new Map<number, Client>();
  readonly #sent = new Map<number, Sent>();
  /** The table of a node that is alone. */
  #own: AdvisoryLocks | undefined;
  #life: LifeId | undefined;
  /** The life is in the table, or about to be: operations may be proposed. */
  #begun = false;
  /** When the last sign of life that was committed was sent; and the last one at all. */
  #confirmedMs = 0;
  #signMs = 0;
  #sessions = 0;
  #timed = false;
  #idleSinceMs: number | undefined;
  #endedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: LockDeskParts, propose: (ask: Ask, context: Context<ReplicaMessage>) => void) {
    this.#parts = parts;
    this.#propose = propose;
  }

  /** What goes into the proposals of a session with locks; undefined where the table is in memory. */
  holder(name: string): AdvisoryOwner | undefined {
    const client = this.#own === undefined ? this.#clients.get(name) : undefined;
    if (client === undefined || this.#life === undefined) return undefined;
    return { life: this.#life, session: client.session };
  }

  /** Whether sessions still have the locks that they were given. */
  holds(nowMs: number, wallMs: number): boolean {
    if (this.#life === undefined) return false;
    if (this.#own !== undefined) return true;
    const { limits, driver } = this.#parts;
    const stoodStillMs = driver.stoodStillMs(nowMs, wallMs);
    return nowMs + stoodStillMs < this.#confirmedMs + limits.lockLeaseMs * ownShare;
  }

  /** The clock by which the lease is counted did not run for so long. */
  stoodStill(forMs: number): void {
    this.#confirmedMs -= forMs;
  }

  rows(): Iterable<AdvisoryRow> {
    return (this.#own ?? this.#parts.state.locks).rows();
  }

  onLock(message: LockMessage, context: Context<ReplicaMessage>): void {
    const refusal = this.#live(context);
    if (refusal !== undefined) {
      const { reason, text } = refusal;
      const { token, replyTo } = message;
      context.send<RefusedMessage>(replyTo, { kind: 'shard.refused', token, reason, text });
      return;
    }
    const client = this.#clientOf(message.replyTo, context);
    client.ask(message);
    this.#flush(client, context);
  }

  onUnlock({ locks, replyTo }: UnlockMessage, context: Context<ReplicaMessage>): void {
    const client = this.#clients.get(replyTo.name);
    if (client === undefined) return;
    for (const lock of locks) client.giveUp(lock);
    this.#flush(client, context);
  }

  /** A session has ended, of itself or not. */
  onStopped({ actor }: ActorStopped, context: Context<ReplicaMessage>): void {
    const client = this.#clients.get(actor.name);
    if (client === undefined) return;
    this.#clients.delete(actor.name);
    client.leave();
    const life = this.#life;
    if (this.#own === undefined || life === undefined || client.isIdle) {
      this.#flush(client, context);
      this.#forgetIfDone(client);
      return;
    }
    // Behind what the session may have proposed: it has its locks until that is applied.
    const sentMs = context.nowMs;
    this.#send({ about: 'client', life, sentMs, client, operations: [] }, undefined, context);
  }

  /** The answer to a proposal of the desk. */
  onAnswer(answer: ProposeAnswer, context: Context<ReplicaMessage>): void {
    const sent = this.#sent.get(answer.token);
    if (sent === undefined) return;
    this.#sent.delete(answer.token);
    if (sent.about === 'other' || sent.life !== this.#life) return;
    if (answer.kind === 'shard.committed') this.#onCommitted(sent, context);
    else this.#onRefused(sent, answer, context);
  }

  #onCommitted(sent: Exclude<Sent, { about: 'other' }>, context: Context<ReplicaMessage>): void {
    this.#confirmedMs = Math.max(this.#confirmedMs, sent.sentMs);
    if (sent.about === 'begin') {
      this.#begun = true;
      for (const client of [...this.#bySession.values()]) this.#flush(client, context);
    } else if (sent.about === 'client') {
      sent.client.settled();
      this.#flush(sent.client, context);
      this.#forgetIfDone(sent.client);
    }
  }

  #onRefused(
    sent: Exclude<Sent, { about: 'other' }>,
    { reason, text }: Extract<ProposeAnswer, { kind: 'shard.refused' }>,
    context: Context<ReplicaMessage>,
  ): void {
    // The leader has given up this life.
    if (reason === 'admin_shutdown') {
      this.loseAll(lifeEndedText, context);
      return;
    }
    switch (sent.about) {
      case 'begin':
        // Nobody has a lock yet; whether the life begins after all is of no matter.
        this.#life = undefined;
        for (const client of this.#bySession.values()) client.fail({ reason, text }, context);
        return;
      case 'sign':
        return;
      case 'client':
        sent.client.refused(sent.operations, { reason, text }, context);
        return;
      default:
        unreachable(sent);
    }
  }

  /** What applied entries, or the table in memory, say of this life's requests. */
  onEvents(events: readonly AdvisoryEvent[], context: Context<ReplicaMessage>): void {
    for (const event of events) {
      if (event.kind === 'ended') {
        if (event.life === this.#life) this.loseAll(lifeEndedText, context);
        continue;
      }
      if (event.owner.life !== this.#life) continue;
      if (!this.holds(context.nowMs, context.wallMs)) {
        this.loseAll(lifeEndedText, context);
        return;
      }
      const client = this.#bySession.get(event.owner.session);
      if (client === undefined) {
        const { owner, request, name, mode } = event;
        const release = { op: 'release', owner, request, name, mode } as const;
        if (event.kind === 'granted' || event.kind === 'waits') {
          context.probe('shard.lockUnwanted');
          this.#send({ about: 'other' }, [release], context);
        }
        continue;
      }
      client.hear(event, context);
      this.#flush(client, context);
      this.#forgetIfDone(client);
    }
    this.#wake(context);
  }

  /** Every session with locks is ended: others may get them. */
  loseAll(text: string, context: Context<ReplicaMessage>): void {
    if (this.#life === undefined) return;
    context.probe('shard.locksLost');
    for (const client of this.#bySession.values()) client.lose(text, context);
    this.#clients.clear();
    this.#bySession.clear();
    this.#life = undefined;
    this.#begun = false;
    this.#own = undefined;
  }

  /** After a turn: whether there is something to look after. */
  look(context: Context<ReplicaMessage>): void {
    if (this.#timed || this.#parts.state.locks.isEmpty) return;
    this.#wake(context);
  }

  onTimer(context: Context<ReplicaMessage>): void {
    this.#timed = false;
    const { nowMs, wallMs } = context;
    const { state, driver, leases, standing } = this.#parts;
    if (this.#life !== undefined) {
      if (this.#begun && !this.holds(nowMs, wallMs)) this.loseAll(lifeEndedText, context);
      else this.#keepAlive(context);
    }
    if (standing.isWhole && !state.locks.isEmpty) {
      this.#endOwnLives(context);
      if (driver.raft.serves) {
        leases.serve(driver.raft.term, nowMs);
        for (const life of leases.expired(nowMs)) {
          context.probe('shard.lockLeaseExpired');
          this.#end(life, context);
        }
      }
    }
    if (this.#life !== undefined || !state.locks.isEmpty) this.#wake(context);
  }

  /** This node will not be alone any more: what is in memory goes into the log first. */
  share(context: Context<ReplicaMessage>): void {
    const own = this.#own;
    if (own === undefined) return;
    this.#own = undefined;
    const life = this.#life;
    if (life === undefined) return;
    context.probe('shard.locksShared');
    this.#begun = false;
    this.#confirmedMs = context.nowMs;
    this.#signMs = context.nowMs;
    this.#send({ about: 'begin', life, sentMs: context.nowMs }, own.rebuild(), context);
  }

  /** Sees to it that there is a life; otherwise why there cannot be one now. */
  #live(context: Context<ReplicaMessage>): Refusal | undefined {
    const { driver, state, epochs, node, standing } = this.#parts;
    if (standing.refusal !== undefined) return standing.refusal;
    if (this.#life !== undefined) return undefined;
    const life = epochs.next();
    if (life === undefined) return { reason: 'cannot_connect_now', text: 'not yet' };
    this.#life = life;
    this.#confirmedMs = context.nowMs;
    this.#signMs = context.nowMs;
    this.#idleSinceMs = undefined;
    const isAlone = membersOf(driver.raft.configuration).size === 1;
    if (isAlone && state.locks.isEmpty) {
      this.#own = new AdvisoryLocks();
      this.#begun = true;
      this.#own.apply([{ op: 'begin', life, node }]);
    } else {
      this.#begun = false;
      this.#send(
        { about: 'begin', life, sentMs: context.nowMs },
        [{ op: 'begin', life, node }],
        context,
      );
    }
    this.#wake(context);
    return undefined;
  }

  #clientOf(ref: LockMessage['replyTo'], context: Context<ReplicaMessage>): Client {
    let client = this.#clients.get(ref.name);
    if (client === undefined) {
      this.#sessions += 1;
      client = new Client(ref, this.#sessions);
      this.#clients.set(ref.name, client);
      this.#bySession.set(client.session, client);
      context.send<ActorWatch>(ref as Ref<Message>, { kind: 'actor.watch', watcher: context.self });
    }
    return client;
  }

  /** Proposes what the client wants done, unless a proposal of it is under way. */
  #flush(client: Client, context: Context<ReplicaMessage>): void {
    const life = this.#life;
    if (life === undefined || !this.#begun) return;
    const operations = client.take(life);
    if (operations.length === 0) return;
    this.#idleSinceMs = undefined;
    if (this.#own !== undefined) {
      client.settled();
      this.onEvents(this.#own.apply(operations), context);
      return;
    }
    const sent: Sent = { about: 'client', life, sentMs: context.nowMs, client, operations };
    this.#send(sent, operations, context);
  }

  #forgetIfDone(client: Client): void {
    if (client.isDone) this.#bySession.delete(client.session);
  }

  /** Signs of life while somebody has locks; the end of a life that nobody needs any more. */
  #keepAlive(context: Context<ReplicaMessage>): void {
    const { limits } = this.#parts;
    const { nowMs } = context;
    const life = this.#life;
    if (life === undefined || !this.#begun) return;
    for (const client of [...this.#bySession.values()]) {
      if (client.retries(nowMs)) this.#flush(client, context);
    }
    const isIdle = [...this.#bySession.values()].every((client) => client.isIdle);
    this.#idleSinceMs = isIdle ? (this.#idleSinceMs ?? nowMs) : undefined;
    if (this.#idleSinceMs !== undefined && nowMs >= this.#idleSinceMs + limits.lockLeaseMs) {
      this.#life = undefined;
      this.#begun = false;
      if (this.#own === undefined) this.#end(life, context);
      this.#own = undefined;
    } else if (this.#own === undefined && nowMs >= this.#signMs + limits.lockLeaseMs / 5) {
      this.#signMs = nowMs;
      this.#send({ about: 'sign', life, sentMs: nowMs }, undefined, context);
    }
  }

  /** Locks of an earlier life of this node are nobody's any more. */
  #endOwnLives(context: Context<ReplicaMessage>): void {
    const { state, node, limits } = this.#parts;
    if (context.nowMs < this.#endedMs + limits.lockLeaseMs / 5) return;
    for (const { life, node: its } of state.locks.lives()) {
      if (its !== node || life === this.#life) continue;
      this.#endedMs = context.nowMs;
      this.#end(life, context);
    }
  }

  #end(life: LifeId, context: Context<ReplicaMessage>): void {
    this.#send({ about: 'other' }, [{ op: 'end', life }], context);
  }

  #send(
    sent: Sent,
    locks: readonly AdvisoryOperation[] | undefined,
    context: Context<ReplicaMessage>,
  ): void {
    const transaction = this.#parts.epochs.next();
    if (transaction === undefined) {
      // It has ids again soon; who waits is told now.
      const text = 'the node waits for the leader to give it transaction ids';
      const refused = {
        kind: 'shard.refused',
        token: 0,
        reason: 'cannot_connect_now',
        text,
      } as const;
      if (sent.about !== 'other') this.#onRefused(sent, refused, context);
      return;
    }
    const isOfLife = sent.about !== 'other' && this.#own === undefined;
    const holder = isOfLife ? { life: sent.life, session: 0 } : undefined;
    const nothing = { snapshot: noSnapshot, writes: [], guards: [], objects: [] };
    const proposal: Proposal = { transaction, ...nothing, locks, holder };
    this.#sent.set(transaction, sent);
    this.#propose(askOf(proposal, context), context);
  }

  #wake(context: Context<ReplicaMessage>): void {
    if (this.#timed) return;
    this.#timed = true;
    const delayMs = this.#parts.limits.lockLeaseMs / 20;
    context.setTimer('shard.lockTimer', delayMs, { kind: 'shard.lockTimer' });
  }
}

/** The share of a lease after which a node ends its sessions; the leader waits for all of it. */
const ownShare = 0.75;

function askOf(proposal: Proposal, context: Context<ReplicaMessage>): Ask {
  return {
    proposal,
    bytes: proposalBytes(proposal),
    token: proposal.transaction,
    asker: context.self as Ref<CommittedMessage | RefusedMessage>,
    sinceMs: context.nowMs,
    handedOver: false,
  };
}
