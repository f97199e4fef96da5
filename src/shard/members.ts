/**
 * What the cluster actor asks of a replica: how it stands, changes of the members, who shall lead, and the
 * rows by which nodes know each other.
 */
import type { Context, Ref } from '../actors/actor.js';
import { unreachable } from '../base/assert.js';
import { raise } from '../base/errors.js';
import type { LogIndex, NodeId, ShardId } from '../base/ids.js';
import { keySpace } from '../storage/keys.js';
import type { RaftLog, Span } from '../storage/index.js';
import { scanVersions, type ShardState, type VersionReader } from '../txn/index.js';
import type { Driver } from './driver.js';
import type { LockDesk } from './lock-desk.js';
import type { ReplicaMessage } from './messages.js';
import type {
  ChangeAnswer,
  FollowedMessage,
  FollowMessage,
  InspectMessage,
  PeerDownMessage,
  ReconfigureMessage,
  ReplicaStatus,
  TimingMessage,
  TransferMessage,
} from './protocol.js';
import type { Standing } from './standing.js';

type MembersMessage =
  | FollowMessage
  | InspectMessage
  | PeerDownMessage
  | TimingMessage
  | ReconfigureMessage
  | TransferMessage;

export interface MembersParts {
  readonly shard: ShardId;
  readonly node: NodeId;
  readonly driver: Driver;
  readonly log: RaftLog;
  readonly state: ShardState;
  readonly overlay: VersionReader;
  readonly standing: Standing;
  readonly locks: LockDesk;
  readonly snapshots: () => ReplicaStatus['snapshots'];
}

/** Somebody wants to know the rows of a span. */
interface Follow {
  readonly span: Span;
  readonly to: Ref<FollowedMessage>;
  /** The version of the catalogue that was told last; undefined: none yet. */
  told: number | undefined;
}

/** Somebody waits for a change of the members, or of the leader. */
interface Pending {
  readonly token: number;
  readonly replyTo: Ref<ChangeAnswer>;
  /** Undefined: a change of the leader. */
  readonly after: LogIndex | undefined;
  readonly term: number;
}

export class Members {
  readonly #parts: MembersParts;
  readonly #follows = new Map<string, Follow>();
  #pending: Pending[] = [];

  constructor(parts: MembersParts) {
    this.#parts = parts;
  }

  receive(message: MembersMessage, context: Context<ReplicaMessage>): void {
    const { driver } = this.#parts;
    switch (message.kind) {
      case 'shard.follow':
        this.#follow(message, context);
        return;
      case 'shard.inspect':
        this.#inspect(message, context);
        return;
      case 'shard.peerDown':
        driver.step({ kind: 'raft.peerDown', peer: message.node }, context);
        return;
      case 'shard.timing':
        driver.step({ kind: 'raft.timing', timing: message.timing }, context);
        return;
      case 'shard.reconfigure':
        this.#reconfigure(message, context);
        return;
      case 'shard.transfer':
        this.#transfer(message, context);
        return;
      default:
        unreachable(message);
    }
  }

  /** After any turn: tells who waits for what has changed. */
  look(context: Context<ReplicaMessage>): void {
    const { standing, driver, state } = this.#parts;
    standing.tell(driver, context);
    for (const follow of this.#follows.values()) {
      if (follow.told !== state.catalogueVersion) this.#tell(follow, context);
    }
    if (this.#pending.length > 0) this.#settle(context);
  }

  #follow({ span, replyTo }: FollowMessage, context: Context<ReplicaMessage>): void {
    // Changes are noticed by the version of the catalogue, which those of database 0 raise.
    const isSystem =
      span.from[0] === keySpace.data && span.from.subarray(1, 5).every((b) => b === 0);
    if (!isSystem) raise('feature_not_supported', 'only spans of the system database are followed');
    const follow: Follow = { span, to: replyTo, told: undefined };
    this.#follows.set(`${replyTo.node}/${replyTo.place}/${replyTo.name}`, follow);
    this.#tell(follow, context);
  }

  /** Who follows while a copy of the state comes is told when it is there. */
  #tell(follow: Follow, context: Context<ReplicaMessage>): void {
    const { standing, overlay, state } = this.#parts;
    if (!standing.isWhole) return;
    const { span, to } = follow;
    // Before anything is read: rows that are damaged are told with the next state, not tried at each turn.
    follow.told = state.catalogueVersion;
    const rows: { key: Uint8Array; value: Uint8Array }[] = [];
    scanVersions(overlay, span, state.timestamp, (key, value) => {
      rows.push({ key: Buffer.from(key), value: Buffer.from(value) });
      return true;
    });
    context.send(to, { kind: 'shard.followed', rows });
  }

  #inspect({ token, replyTo }: InspectMessage, context: Context<ReplicaMessage>): void {
    const { shard, driver, standing, log, snapshots } = this.#parts;
    context.send(replyTo, {
      kind: 'shard.status',
      token,
      shard,
      raft: driver.raft.status(context.nowMs),
      refusal: standing.refusal,
      snapshots: snapshots(),
      logEntries: log.lastIndex - log.firstIndex + 1,
    });
  }

  #reconfigure(message: ReconfigureMessage, context: Context<ReplicaMessage>): void {
    const { token, members, joint, replyTo } = message;
    const { raft } = this.#parts.driver;
    if (members === 'rollback') {
      const isJoint = raft.configuration.outgoing.length > 0;
      if (raft.role !== 'leader' || !isJoint) {
        this.#refuse(message, 'there is no joint change here to give up', context);
        return;
      }
      this.#parts.driver.step({ kind: 'raft.rollback' }, context);
    } else {
      const refusal = raft.refusalOf(members);
      if (refusal !== undefined) {
        this.#refuse(message, refusal, context);
        return;
      }
      this.#parts.locks.share(context);
      this.#parts.driver.step({ kind: 'raft.reconfigure', members, joint }, context);
    }
    this.#pending.push({ token, replyTo, after: raft.lastIndex, term: raft.term });
  }

  #transfer(message: TransferMessage, context: Context<ReplicaMessage>): void {
    const { token, to, replyTo } = message;
    const { driver } = this.#parts;
    const { raft } = driver;
    const refusal = raft.transferRefusal(to);
    if (refusal !== undefined) {
      this.#refuse(message, refusal, context);
      return;
    }
    driver.step({ kind: 'raft.transfer', to }, context);
    this.#pending.push({ token, replyTo, after: undefined, term: raft.term });
  }

  #settle(context: Context<ReplicaMessage>): void {
    const { log } = this.#parts;
    const { raft } = this.#parts.driver;
    const status = raft.status(context.nowMs);
    this.#pending = this.#pending.filter((pending) => {
      const { token, replyTo, after, term } = pending;
      const ended = raft.term !== term || raft.role !== 'leader';
      if (after === undefined) {
        if (ended && raft.leader === undefined) return true;
        if (!ended && status.transferTo !== undefined) return true;
        if (ended) context.send(replyTo, { kind: 'shard.changed', token });
        else this.#refuse(pending, 'the other node did not take over in time', context);
        return false;
      }
      if (ended) {
        this.#refuse(pending, 'the leader changed while the members were being changed', context);
        return false;
      }
      const isJoint = raft.configuration.outgoing.length > 0;
      if (isJoint || raft.commitIndex < (log.configurationAt(log.lastIndex)?.index ?? 0))
        return true;
      context.send(replyTo, { kind: 'shard.changed', token });
      return false;
    });
  }

  #refuse(
    { token, replyTo }: Pick<Pending, 'token' | 'replyTo'>,
    text: string,
    context: Context<ReplicaMessage>,
  ): void {
    context.send(replyTo, { kind: 'shard.refused', token, reason: 'cluster_change_refused', text });
  }
}
