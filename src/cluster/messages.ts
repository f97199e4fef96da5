/** All that a cluster actor takes. */
import type { ActorStarted, Message, MessageType } from '../actors/actor.js';
import type {
  ChangedMessage,
  CommittedMessage,
  FollowedMessage,
  HashedMessage,
  NewsMessage,
  RefusedMessage,
  ReplicaStatus,
} from '../shard/protocol.js';
import { peerMessages } from './codec.js';
import type { ClusterInput } from './protocol.js';

/** To itself, by timer. */
export interface TickMessage extends Message {
  readonly kind: 'cluster.tick';
}

/** To itself, by timer: it is time for a regular check. */
export interface CheckMessage extends Message {
  readonly kind: 'cluster.check';
}

/** From the replica of the node. */
export type FromReplica =
  | NewsMessage
  | FollowedMessage
  | ReplicaStatus
  | ChangedMessage
  | CommittedMessage
  | RefusedMessage
  | HashedMessage;

export type ClusterMessage = ActorStarted | TickMessage | CheckMessage | ClusterInput | FromReplica;

/** Those of the composition and the actor's own. */
export const nodeMessages: readonly MessageType[] = [
  { kind: 'actor.started', priority: 'critical', flow: 'reply' },
  { kind: 'cluster.tick', priority: 'critical', flow: 'reply' },
  { kind: 'cluster.check', priority: 'low', flow: 'reply' },
  { kind: 'cluster.given', priority: 'high', flow: 'reply' },
  { kind: 'cluster.stored', priority: 'high', flow: 'reply' },
  { kind: 'cluster.peerUp', priority: 'high', flow: 'reply' },
  { kind: 'cluster.peerDown', priority: 'high', flow: 'reply' },
  { kind: 'cluster.http', priority: 'high', flow: 'reply' },
  { kind: 'cluster.handOver', priority: 'high', flow: 'reply' },
  { kind: 'cluster.dump', priority: 'high', flow: 'reply' },
  // As the sessions, which send it, have it.
  { kind: 'sql.admin', priority: 'normal', flow: 'work' },
];

/** What it sends to the composition. */
export const hostMessages: readonly MessageType[] = [
  { kind: 'cluster.begin', priority: 'high', flow: 'reply' },
  { kind: 'cluster.connect', priority: 'high', flow: 'reply' },
  { kind: 'cluster.store', priority: 'high', flow: 'reply' },
  { kind: 'cluster.state', priority: 'high', flow: 'reply' },
  { kind: 'cluster.handedOver', priority: 'high', flow: 'reply' },
  { kind: 'cluster.control', priority: 'high', flow: 'reply' },
];

export { peerMessages };
