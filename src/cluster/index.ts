/**
 * The cluster as a node sees it: how it comes about and who belongs to it, who lives, and the change
 * of its members (actor kind `cluster`, one per node at place 0).
 *
 * It guarantees: a node belongs to one cluster for life, and its replica starts only when that is
 * durable; two clusters cannot come about from one list of seeds; a node id with another directory is
 * refused; of changes of members one at a time is carried out, by the leader, and gone on with by the
 * next one.
 *
 * It must not know: sockets, files, processes (the composition has them), what a shard's data mean, how
 * Raft changes a configuration.
 */
import type { ActorKind } from '../actors/actor.js';
import type { Metrics } from '../base/metrics.js';
import { replicaAnswers } from '../shard/index.js';
import { ClusterActor } from './cluster.js';
import { defaultClusterLimits } from './limits.js';
import { type ClusterMessage, hostMessages, nodeMessages, peerMessages } from './messages.js';
import { clusterSeries } from './metrics.js';
import type { ClusterArguments } from './protocol.js';

/** The kind of the cluster actor; what it counts is counted in `metrics`. */
export function clusterKind(metrics: Metrics): ActorKind<ClusterMessage, ClusterArguments> {
  const series = clusterSeries(metrics);
  return {
    kind: 'cluster',
    messages: [...nodeMessages, ...peerMessages, ...replicaAnswers],
    create: (args) => new ClusterActor(args, { ...defaultClusterLimits, ...args.limits }, series),
  };
}

export { reliableMessages } from './codec.js';
export { formationOfRecord } from './formation.js';
export { replicaArguments } from './joining.js';
export { type ClusterLimits, defaultClusterLimits } from './limits.js';
export { type ClusterMessage, hostMessages };
export type {
  ClusterArguments,
  ClusterInput,
  Formation,
  Founder,
  FromHostMessage,
  HostMessage,
  Peer,
  ReplicaParts,
  Role,
  StateMessage,
} from './protocol.js';
