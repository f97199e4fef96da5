/**
 * A shard's group as cluster actors see it, without Raft: one state that all replicas share, a leader
 * while a majority of the voters lives, and refusals as the real one gives them.
 */
import type { Actor, ActorKind, Context, Message, MessageType, Ref } from '#src/actors/actor.js';
import { must } from '#src/base/assert.js';
import { compareBytes } from '#src/base/bytes.js';
import type { LogIndex, NodeId, ShardId, Term, Timestamp } from '#src/base/ids.js';
import { type Members, membersRefusal } from '#src/raft/index.js';
import { type ReplicaArguments, replicaAnswers } from '#src/shard/index.js';
import type {
  FollowedMessage,
  FollowMessage,
  HashMessage,
  InspectMessage,
  NewsMessage,
  PeerDownMessage,
  ReconfigureMessage,
  TimingMessage,
  TransferMessage,
  WriteMessage,
} from '#src/shard/protocol.js';
import type { Configuration } from '#src/storage/index.js';

type ReplicaMessage =
  | FollowMessage
  | WriteMessage
  | InspectMessage
  | ReconfigureMessage
  | TransferMessage
  | PeerDownMessage
  | TimingMessage
  | HashMessage;

const kinds = [
  'follow',
  'write',
  'inspect',
  'reconfigure',
  'transfer',
  'peerDown',
  'timing',
  'hash',
];
const messages: readonly MessageType[] = kinds.map((kind) => ({
  ...{ kind: `shard.${kind}`, priority: 'normal', flow: 'reply' },
}));

interface Member {
  readonly args: ReplicaArguments;
  readonly send: (to: Ref<Message>, message: Message) => void;
  follower: FollowMessage['replyTo'] | undefined;
}

/** What all replicas of a cluster id have in common. */
class Shared {
  configuration: Configuration | undefined;
  term = 0;
  leader: NodeId | undefined;
  readonly rows = new Map<string, { readonly key: Uint8Array; readonly value: Uint8Array }>();
}

export class FakeGroup {
  readonly #clusters = new Map<string, Shared>();
  readonly #alive = new Map<NodeId, Member>();
  /** What a joint change came from that does not end. */
  #before: Configuration | undefined;
  /** What cluster actors had their replicas told. */
  readonly told: string[] = [];
  /** Nodes whose replica has no state yet, and so no rows. */
  readonly stateless = new Set<NodeId>();
  /** How often a learner is still too far behind to be made a voter. */
  lags = 0;
  /** Into how many pieces replicas divide the key space for a comparison. */
  pieces = 1;
  /** `node:piece` where a replica holds something else, or something that fails its checksum. */
  readonly odd = new Set<string>();
  readonly rotten = new Set<string>();
  /** `node:piece` of what was hashed. */
  readonly hashed: string[] = [];
  /** Joint changes do not end: most of the new voters do not answer. */
  holdsJoint = false;
  /** Changes of the configuration, as texts; `joint` before those of several at once. */
  readonly changes: string[] = [];

  get clusterIds(): readonly string[] {
    return [...this.#clusters.keys()];
  }

  /** The leader of the only cluster. */
  get leader(): NodeId | undefined {
    return [...this.#clusters.values()][0]?.leader;
  }

  get configuration(): Configuration | undefined {
    return [...this.#clusters.values()][0]?.configuration;
  }

  readonly kind = (
    send: (to: Ref<Message>, message: Message) => void,
  ): ActorKind<ReplicaMessage, ReplicaArguments> => ({
    kind: 'replica',
    messages: [...messages, ...replicaAnswers],
    create: (args): Actor<ReplicaMessage> => {
      this.#start({ args, send, follower: undefined });
      return { receive: (message, context) => this.#receive(args.node, message, context) };
    },
  });

  /** The rows are told to all who follow them. */
  tellRows(): void {
    for (const node of this.#alive.keys()) this.#follow(node);
  }

  /** The process of the node is dead. */
  died(node: NodeId): void {
    const member = this.#alive.get(node);
    this.#alive.delete(node);
    if (member !== undefined) this.#elect(member.args.clusterId);
  }

  #start(member: Member): void {
    const { node, clusterId, genesis } = member.args;
    const shared = this.#clusters.get(clusterId) ?? new Shared();
    this.#clusters.set(clusterId, shared);
    if (genesis !== undefined) shared.configuration ??= { ...genesis, outgoing: [] };
    this.#alive.set(node, member);
    this.#elect(clusterId);
  }

  #shared(node: NodeId): Shared {
    const { clusterId } = must(this.#alive.get(node), 'a replica lives').args;
    return must(this.#clusters.get(clusterId), 'its cluster is known');
  }

  #membersOf(clusterId: string): readonly Member[] {
    return [...this.#alive.values()].filter(({ args }) => args.clusterId === clusterId);
  }

  #elect(clusterId: string, wanted?: NodeId): void {
    const shared = must(this.#clusters.get(clusterId), 'the cluster is known');
    const { voters = [], witnesses = [] } = shared.configuration ?? {};
    const living = voters.filter((voter) => this.#alive.get(voter)?.args.clusterId === clusterId);
    const able = living.filter((voter) => !witnesses.includes(voter));
    const quorum = living.length * 2 > voters.length;
    const before = shared.leader;
    if (!quorum) shared.leader = undefined;
    else if (wanted !== undefined) shared.leader = wanted;
    else if (before === undefined || !able.includes(before)) shared.leader = able[0];
    if (shared.leader !== before) shared.term += 1;
    this.#tellAll(clusterId);
  }

  #tellAll(clusterId: string): void {
    for (const member of this.#membersOf(clusterId)) {
      if (member.args.observer === undefined) continue;
      member.send(member.args.observer as Ref<Message>, this.#news(member.args.node));
    }
  }

  /** A node that no configuration names knows nothing of the group. */
  #news(node: NodeId): NewsMessage {
    const shared = this.#shared(node);
    const { configuration } = shared;
    const inGroup =
      configuration?.voters.includes(node) === true || configuration?.learners.includes(node);
    const { leader } = shared;
    const refusal =
      !inGroup || leader === undefined
        ? ({ reason: 'no_quorum', text: 'no leader' } as const)
        : undefined;
    return {
      ...{ kind: 'shard.news', shard: 1 as ShardId, term: shared.term as Term },
      role: leader === node ? 'leader' : 'follower',
      leader: inGroup ? leader : undefined,
      configuration: (inGroup ? configuration : undefined) ?? {
        ...{ voters: [], outgoing: [], learners: [], witnesses: [] },
      },
      refusal,
    };
  }

  #follow(node: NodeId): void {
    const { follower, send } = must(this.#alive.get(node), 'a replica lives');
    const { rows, configuration } = this.#shared(node);
    const { voters = [], learners = [] } = configuration ?? {};
    if (this.stateless.has(node)) return;
    if (follower === undefined || !(voters.includes(node) || learners.includes(node))) return;
    const followed: FollowedMessage = { kind: 'shard.followed', rows: [...rows.values()] };
    send(follower as Ref<Message>, followed);
  }

  #receive(node: NodeId, message: ReplicaMessage, context: Context<ReplicaMessage>): void {
    const answer = (to: Ref<Message>, reply: object): void => context.send(to, reply as Message);
    const refuse = (to: Ref<Message>, token: number, reason: string, text: string): void =>
      answer(to, { kind: 'shard.refused', token, reason, text });
    const shared = this.#shared(node);
    switch (message.kind) {
      case 'shard.follow':
        must(this.#alive.get(node), 'a replica lives').follower = message.replyTo;
        this.#follow(node);
        return;
      case 'shard.inspect':
        answer(message.replyTo as Ref<Message>, {
          ...{ kind: 'shard.status', token: message.token, shard: 1, snapshots: [], logEntries: 0 },
          refusal: this.#news(node).refusal,
          raft: {
            ...this.#news(node),
            ...{ vote: undefined, lastIndex: 1, commitIndex: 1, appliedIndex: 1 as LogIndex },
            ...{ progress: [], hibernating: false, leaseMs: 0, transferTo: undefined },
            ...{ failedElections: 0, roundTripMs: 1 },
          },
        });
        return;
      case 'shard.write': {
        if (shared.leader === undefined) {
          refuse(message.replyTo as Ref<Message>, message.token, 'no_quorum', 'no leader');
          return;
        }
        for (const { key, was } of message.writes) {
          const value = shared.rows.get(Buffer.from(key).toString('hex'))?.value;
          const same =
            value === undefined || was === undefined
              ? value === was
              : compareBytes(value, was) === 0;
          if (same) continue;
          refuse(message.replyTo as Ref<Message>, message.token, 'conflict', 'changed');
          return;
        }
        for (const { key, value } of message.writes) {
          if (value === 'kept') continue;
          const name = Buffer.from(key).toString('hex');
          if (value === undefined) shared.rows.delete(name);
          else shared.rows.set(name, { key, value });
        }
        this.tellRows();
        answer(message.replyTo as Ref<Message>, {
          ...{ kind: 'shard.committed', token: message.token, timestamp: 1 },
        });
        return;
      }
      case 'shard.reconfigure':
        this.#reconfigure(node, message, shared, refuse, answer);
        return;
      case 'shard.transfer': {
        const able = (shared.configuration?.voters ?? []).filter(
          (voter) => voter !== node && this.#alive.has(voter),
        );
        const to = message.to ?? able[0];
        if (shared.leader !== node || to === undefined || !able.includes(to)) {
          refuse(
            message.replyTo as Ref<Message>,
            message.token,
            'cluster_change_refused',
            'nobody',
          );
          return;
        }
        this.#elect(must(this.#alive.get(node), 'it lives').args.clusterId, to);
        answer(message.replyTo as Ref<Message>, { kind: 'shard.changed', token: message.token });
        return;
      }
      case 'shard.peerDown':
        this.told.push(`${node}: node ${message.node} is down`);
        return;
      case 'shard.timing':
        this.told.push(`${node}: heartbeat ${message.timing.heartbeatMs} ms`);
        return;
      case 'shard.hash':
        this.#hash(node, message, refuse, answer);
    }
  }

  #hash(
    node: NodeId,
    { token, replyTo, from, at, to }: HashMessage,
    refuse: (to: Ref<Message>, token: number, reason: string, text: string) => void,
    answer: (to: Ref<Message>, reply: object) => void,
  ): void {
    const piece = from.length;
    this.hashed.push(`${node}:${piece}`);
    if (this.rotten.has(`${node}:${piece}`)) {
      refuse(replyTo as Ref<Message>, token, 'data_corrupted', 'a value fails its checksum');
      return;
    }
    const last = piece + 1 === this.pieces;
    answer(replyTo as Ref<Message>, {
      ...{ kind: 'shard.hashed', token, rows: 10, at: at ?? (7 as Timestamp) },
      hash: this.odd.has(`${node}:${piece}`) ? 'odd' : 'abc',
      to: at === undefined ? (last ? undefined : new Uint8Array(piece + 1).fill(1)) : to,
    });
  }

  #reconfigure(
    node: NodeId,
    { members, joint, token, replyTo }: ReconfigureMessage,
    shared: Shared,
    refuse: (to: Ref<Message>, token: number, reason: string, text: string) => void,
    answer: (to: Ref<Message>, reply: object) => void,
  ): void {
    const to = replyTo as Ref<Message>;
    const promotes =
      members !== 'rollback' &&
      members.voters.some((voter) => shared.configuration?.learners.includes(voter));
    if (shared.leader !== node) {
      refuse(to, token, 'cluster_change_refused', 'it does not lead');
      return;
    }
    if (members === 'rollback') {
      shared.configuration = must(this.#before, 'a joint change is under way');
      this.changes.push('rollback');
      answer(to, { kind: 'shard.changed', token });
      this.#tellAll(must(this.#alive.get(node), 'it lives').args.clusterId);
      return;
    }
    const refusal = membersRefusal(members);
    if (refusal !== undefined) {
      refuse(to, token, 'cluster_change_refused', refusal);
      return;
    }
    if (promotes && this.lags > 0) {
      this.lags -= 1;
      refuse(to, token, 'cluster_change_refused', 'it lags behind');
      return;
    }
    this.changes.push(`${joint ? 'joint ' : ''}${shownMembers(members)}`);
    if (joint && this.holdsJoint) {
      this.#before = shared.configuration;
      shared.configuration = { ...members, outgoing: this.#before?.voters ?? [] };
      this.#tellAll(must(this.#alive.get(node), 'it lives').args.clusterId);
      return;
    }
    shared.configuration = { ...members, outgoing: [] };
    answer(to, { kind: 'shard.changed', token });
    this.#elect(must(this.#alive.get(node), 'it lives').args.clusterId);
    this.tellRows();
  }
}

function shownMembers({ voters, learners, witnesses }: Members): string {
  const shown = [...voters].sort().map((v) => (witnesses.includes(v) ? `${v}w` : `${v}`));
  return [...shown, ...[...learners].sort().map((learner) => `${learner}l`)].join(' ');
}
