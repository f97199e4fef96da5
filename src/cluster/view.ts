/** What a cluster actor knows: of its node, its replica, the other nodes and the members' rows. */
import type { Context, Message, PlaceId, Ref } from '../actors/actor.js';
import { must } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import type { RaftTiming } from '../raft/index.js';
import type { FollowedMessage, NewsMessage } from '../shard/protocol.js';
import type { AdminValue } from '../sql/session/protocol.js';
import type { Configuration } from '../storage/index.js';
import { fieldsOf } from './fields.js';
import type { ClusterLimits } from './limits.js';
import { Liveness } from './liveness.js';
import { decodeMember, isMemberKey, type MemberRow, settingsKey } from './members.js';
import type { ClusterMessage } from './messages.js';
import type { ClusterArguments, Formation, HelloMessage, PeerMessage } from './protocol.js';
import { changedTiming } from './timing.js';

/** The context of a turn of the actor. */
export type Turn = Context<ClusterMessage>;

/**
 * `starting`: what the node belongs to is not known yet, so nothing is said to anybody; `empty`: the node belongs to no cluster; `storing`: it has taken a formation, which is not durable
 * yet; `formed`: it belongs to a cluster and runs a replica.
 */
export type Phase = 'starting' | 'empty' | 'storing' | 'formed';

export class View {
  readonly args: ClusterArguments;
  readonly limits: ClusterLimits;
  readonly liveness = new Liveness();
  /** By node, the newest greeting of those that are linked. */
  readonly greeted = new Map<NodeId, HelloMessage>();
  /** By node, its instance: there is a link to it. */
  readonly linked = new Map<NodeId, string>();
  phase: Phase = 'starting';
  formation: Formation | undefined;
  /** A cluster has refused this node. */
  refused: string | undefined;
  /** Whom an empty node asks to be made a member. */
  join: readonly string[];
  http = '';
  rows: ReadonlyMap<NodeId, MemberRow> = new Map();
  /** The newest values of the rows, by `row.node`; 0 has the settings. */
  values: ReadonlyMap<number, Uint8Array> = new Map();
  news: Omit<NewsMessage, 'kind' | 'shard'> | undefined;
  timing: RaftTiming;
  /** The last comparison of the replicas that this node has made. */
  check: { readonly atMs: number; readonly value: AdminValue } | undefined;

  constructor(args: ClusterArguments, limits: ClusterLimits) {
    this.args = args;
    this.limits = limits;
    this.join = args.join;
    this.timing = args.replica.parts.timing;
  }

  get node(): NodeId {
    return this.args.node;
  }

  get clusterId(): string | undefined {
    return this.formation?.clusterId;
  }

  /** Whether the replica of this node leads and serves. */
  get leads(): boolean {
    return this.news?.role === 'leader' && this.news.refusal === undefined;
  }

  get leader(): NodeId | undefined {
    return this.news?.leader;
  }

  get configuration(): Configuration | undefined {
    return this.news?.configuration;
  }

  /** Nodes that live, this one among them. */
  get alive(): ReadonlySet<NodeId> {
    return new Set([this.node, ...this.liveness.alive]);
  }

  hello(): HelloMessage {
    const { node, instance, address = '', seeds, version } = this.args;
    return {
      kind: 'cluster.hello',
      from: node,
      instance,
      address,
      http: this.http,
      role: this.formation?.role ?? this.args.role,
      clusterId: this.clusterId,
      seeds,
      joins: this.phase === 'empty' && this.join.length > 0,
      asks: false,
      version,
    };
  }

  /** Sends to the cluster actor of another node. */
  toPeer(node: NodeId, message: PeerMessage, context: Turn): void {
    const to: Ref<PeerMessage> = { node, place: 0 as PlaceId, name: 'cluster' };
    context.send(to, message);
  }

  /** Sends to the replica of this node. */
  toReplica<M extends Message>(message: M, context: Turn): void {
    context.send(this.args.replica.ref as Ref<M>, message);
  }

  /** Takes the rows that the replica has; what cannot be read is logged and left out. */
  onFollowed({ rows }: FollowedMessage, context: Turn): void {
    const members = new Map<NodeId, MemberRow>();
    const values = new Map<number, Uint8Array>();
    let timing = this.args.replica.parts.timing;
    for (const { key, value } of rows) {
      try {
        if (isMemberKey(key)) {
          const row = decodeMember(value);
          members.set(row.node, row);
          values.set(row.node, value);
        } else if (Buffer.compare(key, settingsKey) === 0) {
          values.set(0, value);
          timing = changedTiming(timing, fieldsOf(value, 'settings').object('timing'));
        }
      } catch (error) {
        context.log('error', 'cluster.rowUnreadable', { error });
      }
    }
    this.rows = members;
    this.values = values;
    if (JSON.stringify(timing) === JSON.stringify(this.timing)) return;
    this.timing = timing;
    context.log('info', 'cluster.timing', { ...timing });
    this.toReplica({ kind: 'shard.timing', timing }, context);
  }

  /** The row of a member that is known to exist. */
  row(node: NodeId): MemberRow {
    return must(this.rows.get(node), 'a member has a row');
  }
}
