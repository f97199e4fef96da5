/**
 * Shards: the replica actor that makes a Raft log durable and applies it, and what sessions read and
 * commit through (protocol.ts). So far one shard covers the whole key space and has one replica.
 *
 * It guarantees: a commit is answered when it is durable, committed and readable; nothing is readable
 * that a crash could take back; a transaction id is applied once; after a crash the replica comes back
 * to exactly the committed state; memory is bounded by limits.ts.
 *
 * It must not know: SQL. What keys and values mean is decided by those who propose them.
 */
import type { ActorKind, Ref } from '../actors/actor.js';
import type { NodeId, ShardId } from '../base/ids.js';
import { defaultShardLimits, type ShardLimits } from './limits.js';
import type { Members, RaftTiming } from '../raft/index.js';
import { type ReplicaMessage, replicaMessages } from './messages.js';
import { type NewsMessage, shardAccess } from './protocol.js';
import { Replica } from './replica.js';

/** How a replica (kind `replica`) is spawned at the place of its store. */
export interface ReplicaArguments {
  readonly shard: ShardId;
  readonly node: NodeId;
  /** A number that no earlier start of any node had, 1 <= incarnation < 2^21. */
  readonly incarnation: number;
  /** UUID of the cluster; data of another cluster is refused (`directory_foreign`). */
  readonly clusterId: string;
  /** The first members of a new group; undefined: the replica learns them from the leader. */
  readonly genesis?: Members | undefined;
  /** It keeps no data. */
  readonly witness?: boolean;
  readonly timing?: RaftTiming;
  /** Who is told how the replica stands. */
  readonly observer?: Ref<NewsMessage> | undefined;
  /** Other than the defaults, for tests. */
  readonly limits?: Partial<ShardLimits>;
}

/** The place has the resources `storeEngine` and `shardMetrics`; the replica provides `shardAccess`. */
export const replicaKind: ActorKind<ReplicaMessage, ReplicaArguments> = {
  kind: 'replica',
  messages: replicaMessages,
  failStop: true,
  create({ shard, node, incarnation, clusterId, limits }, place, self) {
    const all = { ...defaultShardLimits, ...limits };
    const replica = new Replica({ shard, node, incarnation, clusterId, limits: all }, place, self);
    place.provide(shardAccess, replica.access);
    return replica;
  },
};

export { defaultShardLimits, type ShardLimits } from './limits.js';
export {
  type EngineFailedMessage,
  proposeAnswers,
  replicaAnswers,
  type ReplicaMessage,
} from './messages.js';
export { shardMetrics, storeEngine } from './resources.js';
