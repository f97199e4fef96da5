/**
 * Shards: the replica actor that makes a Raft log durable and applies it, and what sessions read and
 * commit through (protocol.ts). So far one shard covers the whole key space; it has a replica on every
 * node of the cluster.
 *
 * It guarantees: a commit is answered when it is durable on a majority, committed and readable; nothing is
 * readable that a crash could take back; a linearizable read sees every commit answered before it
 * began, at whatever replica; a transaction id is applied once; a proposal is answered by what became of
 * it, also when leaders change meanwhile, or as unknown; after a crash the replica comes back to exactly the
 * committed state; memory is bounded by limits.ts.
 *
 * It must not know: SQL. What keys and values mean is decided by those who propose them.
 */
import type { ActorKind, Ref } from '../actors/actor.js';
import type { NodeId, ShardId } from '../base/ids.js';
import type { Members, RaftRules, RaftTiming } from '../raft/index.js';
import { defaultShardLimits, type ShardLimits } from './limits.js';
import { type ReplicaMessage, replicaMessages } from './messages.js';
import type { Packing } from './packing.js';
import type { NewsMessage } from './protocol.js';
import { Replica } from './replica.js';
import { shardDoor } from './resources.js';

/** How a replica (kind `replica`) is spawned at the place of its store. */
export interface ReplicaArguments {
  readonly shard: ShardId;
  readonly node: NodeId;
  /** 1 <= incarnation < 2^21; the epochs that the node takes for its transaction ids are not below it. */
  readonly incarnation: number;
  /** UUID of the cluster; data of another cluster is refused (`directory_foreign`). */
  readonly clusterId: string;
  /** The first members of a new group; undefined: the replica learns them from the leader. */
  readonly genesis?: Members | undefined;
  /** It keeps no data. */
  readonly witness?: boolean;
  readonly timing?: RaftTiming;
  /** How it compresses the chunks of snapshots that it sends; it takes them however they are. */
  readonly packing?: Packing;
  /** Who is told how the replica stands. */
  readonly observer?: Ref<NewsMessage> | undefined;
  /** Other than the defaults, for tests. */
  readonly limits?: Partial<ShardLimits>;
  /** Tests plant bugs by other rules; no plain data, so only where the replica is made on this thread. */
  readonly rules?: RaftRules;
}

export const defaultRaftTiming: RaftTiming = {
  heartbeatMs: 50,
  electionMsMin: 150,
  electionMsMax: 300,
  leaseMs: 120,
  clockDrift: 0.05,
  leaseReads: true,
  hibernateMs: 10_000,
};

/** The place has the resources `storeEngine`, `shardMetrics`, `chunkPacker` and `shardDoor`, where the replica attaches. */
export const replicaKind: ActorKind<ReplicaMessage, ReplicaArguments> = {
  kind: 'replica',
  messages: replicaMessages,
  failStop: true,
  create(given, place, self) {
    const { genesis, observer, rules, witness = false, timing = defaultRaftTiming } = given;
    const limits = { ...defaultShardLimits, ...given.limits };
    const door = place.resource(shardDoor);
    const { shard, node, incarnation, clusterId } = given;
    const identity = { shard, node, incarnation, clusterId };
    const { packing = 'none' } = given;
    const parts = { ...identity, genesis, witness, timing, observer, packing, limits, rules };
    const replica = new Replica(parts, place, self, () => door.detach());
    door.attach(replica.access);
    return replica;
  },
};

export { ShardDoor } from './door.js';
export { defaultShardLimits, type ShardLimits } from './limits.js';
export {
  type EngineFailedMessage,
  proposeAnswers,
  sessionNews,
  replicaAnswers,
  type ReplicaMessage,
} from './messages.js';
export { chunkPacker, type Packer, type Packing, packings } from './packing.js';
export type { ObservedReplica } from './replica.js';
export { shardDoor, shardMetrics, storeEngine } from './resources.js';
