/** The messages that a replica takes; those that others send are in protocol.ts and peer.ts. */
import type { ActorStarted, ActorStopped, Message, MessageType } from '../actors/actor.js';
import type { ErrorName } from '../base/errors.js';
import type { LogIndex } from '../base/ids.js';
import type { RaftMessage } from '../raft/index.js';
import { type ImageMessage, imageMessages } from './image-messages.js';
import {
  type ForwardedMessage,
  type ForwardMessage,
  raftPeerMessages,
  type RaftPeerMessage,
} from './peer.js';
import type {
  FollowMessage,
  HashMessage,
  InspectMessage,
  PeerDownMessage,
  ProposeAnswer,
  ReconfigureMessage,
  SessionRequest,
  TimingMessage,
  TransferMessage,
  WriteMessage,
} from './protocol.js';

/** To itself: admit the proposals of this drain together. Sent with the first of them. */
export interface AdmitMessage extends Message {
  readonly kind: 'shard.admit';
}

/** To itself: ask for all reads of this drain together. Sent with the first of them. */
export interface AskMessage extends Message {
  readonly kind: 'shard.ask';
}

/** To itself: go on applying committed entries. */
export interface ApplyMessage extends Message {
  readonly kind: 'shard.apply';
}

/** To itself: a batch of the log is durable, and with it what the Raft core told itself. */
export interface PersistedMessage extends Message {
  readonly kind: 'shard.persisted';
  /** The generation of the log that is durable now. */
  readonly generation: number;
  readonly messages: readonly RaftMessage[];
}

/** To itself: the engine has the applied state up to `index` durably. */
export interface FedMessage extends Message {
  readonly kind: 'shard.fed';
  readonly generation: number;
  readonly index: LogIndex;
  /** Payload bytes of the log up to `index`, as the feed counts them. */
  readonly logBytes: number;
}

/**
 * To itself, by timer. `tick`: the Raft core has a deadline. `disk`: is a batch late? `feed`: hand applied
 * changes to the engine. `collect`: look for what can be collected. `retry`, `reread`: ask the leader
 * again. `leaderless`: there has been no leader for long. `retain`: tell the leader what is still read. `lockTimer`:
 * look after leases of advisory locks.
 */
export interface TimerMessage extends Message {
  readonly kind:
    | 'shard.tick'
    | 'shard.disk'
    | 'shard.feed'
    | 'shard.collect'
    | 'shard.retry'
    | 'shard.reread'
    | 'shard.leaderless'
    | 'shard.retain'
    | 'shard.lockTimer';
}

/** To itself: the next step of the hashes that were asked for. */
export interface HashStepMessage extends Message {
  readonly kind: 'shard.hashStep';
}

/** From the composition root: the engine has stopped; nothing more becomes durable. */
export interface EngineFailedMessage extends Message {
  readonly kind: 'shard.engineFailed';
  readonly reason: ErrorName;
  readonly text: string;
}

/** What a replica tells itself when its turn, or the disk, allows it to go on. */
export type OwnMessage = AdmitMessage | AskMessage | ApplyMessage | PersistedMessage | FedMessage;

export type ReplicaMessage =
  | ActorStarted
  | ActorStopped
  | ProposeAnswer
  | SessionRequest
  | OwnMessage
  | TimerMessage
  | HashStepMessage
  | EngineFailedMessage
  | RaftPeerMessage
  | ForwardMessage
  | ForwardedMessage
  | ImageMessage
  | WriteMessage
  | FollowMessage
  | InspectMessage
  | HashMessage
  | PeerDownMessage
  | TimingMessage
  | ReconfigureMessage
  | TransferMessage;

/** What a replica takes. Its messages to itself that wait for nothing overtake those that do. */
export const replicaMessages: readonly MessageType[] = [
  // The runtime's, as actors/actor.ts has it: the first message of every start.
  { kind: 'actor.started', priority: 'critical', flow: 'reply' },
  { kind: 'shard.propose', priority: 'normal', flow: 'work' },
  { kind: 'shard.read', priority: 'normal', flow: 'work' },
  { kind: 'shard.takeNumbers', priority: 'normal', flow: 'work' },
  { kind: 'shard.write', priority: 'normal', flow: 'work' },
  { kind: 'shard.lock', priority: 'normal', flow: 'work' },
  // Whoever has asked has room for it, and it is never refused.
  { kind: 'shard.unlock', priority: 'normal', flow: 'reply' },
  { kind: 'actor.stopped', priority: 'normal', flow: 'reply' },
  { kind: 'shard.admit', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.ask', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.apply', priority: 'high', flow: 'reply', unordered: true },
  { kind: 'shard.persisted', priority: 'high', flow: 'reply' },
  { kind: 'shard.fed', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.tick', priority: 'critical', flow: 'reply', unordered: true },
  { kind: 'shard.disk', priority: 'critical', flow: 'reply', unordered: true },
  { kind: 'shard.feed', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.collect', priority: 'low', flow: 'reply', unordered: true },
  { kind: 'shard.retry', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.reread', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.leaderless', priority: 'high', flow: 'reply', unordered: true },
  { kind: 'shard.retain', priority: 'low', flow: 'reply', unordered: true },
  { kind: 'shard.lockTimer', priority: 'high', flow: 'reply', unordered: true },
  { kind: 'shard.hashStep', priority: 'low', flow: 'reply', unordered: true },
  { kind: 'shard.engineFailed', priority: 'critical', flow: 'reply' },
  { kind: 'shard.follow', priority: 'normal', flow: 'reply' },
  { kind: 'shard.inspect', priority: 'high', flow: 'reply' },
  { kind: 'shard.hash', priority: 'low', flow: 'reply' },
  { kind: 'shard.peerDown', priority: 'critical', flow: 'reply' },
  { kind: 'shard.timing', priority: 'high', flow: 'reply' },
  { kind: 'shard.reconfigure', priority: 'high', flow: 'reply' },
  { kind: 'shard.transfer', priority: 'high', flow: 'reply' },
  { kind: 'shard.committed', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.refused', priority: 'normal', flow: 'reply', unordered: true },
  ...raftPeerMessages,
  ...imageMessages,
];

/** What a replica sends to those who propose. It is sent once it is true: it waits for no flush. */
export const proposeAnswers: readonly MessageType[] = [
  { kind: 'shard.committed', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.refused', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.readable', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.numbers', priority: 'normal', flow: 'reply', unordered: true },
];

/** What a replica tells sessions that have asked for locks or listen. */
export const sessionNews: readonly MessageType[] = [
  { kind: 'shard.locked', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.notified', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.lost', priority: 'high', flow: 'reply', unordered: true },
];

/** What a replica tells the cluster actor of its node. */
export const replicaAnswers: readonly MessageType[] = [
  ...proposeAnswers,
  { kind: 'shard.followed', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.status', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.hashed', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.changed', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.news', priority: 'high', flow: 'reply', unordered: true },
];
