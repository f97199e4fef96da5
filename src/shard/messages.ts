/** The messages that a replica takes; those that others send are in protocol.ts. */
import type { ActorStarted, Message, MessageType } from '../actors/actor.js';
import type { ErrorName } from '../base/errors.js';
import type { LogIndex } from '../base/ids.js';
import type { RaftMessage } from '../raft/index.js';
import type { ProposeMessage } from './protocol.js';

/** To itself: admit the proposals of this drain together. Sent with the first of them. */
export interface AdmitMessage extends Message {
  readonly kind: 'shard.admit';
}

/** To itself: go on applying committed entries. */
export interface ApplyMessage extends Message {
  readonly kind: 'shard.apply';
}

/** To itself: the log's batch is durable and allows this message of the Raft core. */
export interface RaftEnvelope extends Message {
  readonly kind: 'shard.raft';
  /** The generation of the log that is durable now. */
  readonly generation: number;
  readonly message: Extract<RaftMessage, { kind: 'raft.voteAnswer' | 'raft.appendAnswer' }>;
}

/** To itself: the engine has the applied state up to `index` durably. */
export interface FedMessage extends Message {
  readonly kind: 'shard.fed';
  readonly generation: number;
  readonly index: LogIndex;
  /** Payload bytes of the log up to `index`, as the feed counts them. */
  readonly logBytes: number;
}

/** To itself, by timer: hand applied changes to the engine. */
export interface FeedMessage extends Message {
  readonly kind: 'shard.feed';
}

/** To itself, by timer or at once: look for what can be collected. */
export interface CollectMessage extends Message {
  readonly kind: 'shard.collect';
}

/** From the composition root: the engine has stopped; nothing more becomes durable. */
export interface EngineFailedMessage extends Message {
  readonly kind: 'shard.engineFailed';
  readonly reason: ErrorName;
  readonly text: string;
}

export type ReplicaMessage =
  | ActorStarted
  | ProposeMessage
  | AdmitMessage
  | ApplyMessage
  | RaftEnvelope
  | FedMessage
  | FeedMessage
  | CollectMessage
  | EngineFailedMessage;

/** What a replica takes. Its messages to itself that wait for nothing overtake those that do. */
export const replicaMessages: readonly MessageType[] = [
  // The runtime's, as actors/actor.ts has it: the first message of every start.
  { kind: 'actor.started', priority: 'critical', flow: 'reply' },
  { kind: 'shard.propose', priority: 'normal', flow: 'work' },
  { kind: 'shard.admit', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.apply', priority: 'high', flow: 'reply', unordered: true },
  { kind: 'shard.raft', priority: 'high', flow: 'reply' },
  { kind: 'shard.fed', priority: 'normal', flow: 'reply' },
  { kind: 'shard.feed', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.collect', priority: 'low', flow: 'reply', unordered: true },
  { kind: 'shard.engineFailed', priority: 'critical', flow: 'reply' },
];

/** What a replica sends to those who propose. It is sent once it is true: it waits for no flush. */
export const proposeAnswers: readonly MessageType[] = [
  { kind: 'shard.committed', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.refused', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.readable', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.numbers', priority: 'normal', flow: 'reply', unordered: true },
];

/** What a replica tells the cluster actor of its node. */
export const replicaAnswers: readonly MessageType[] = [
  ...proposeAnswers,
  { kind: 'shard.followed', priority: 'normal', flow: 'reply' },
  { kind: 'shard.status', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.changed', priority: 'normal', flow: 'reply', unordered: true },
  { kind: 'shard.news', priority: 'high', flow: 'reply', unordered: true },
];
