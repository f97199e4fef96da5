/**
 * What the replicas of a shard send each other, and how it is written. All of it may be lost: the Raft
 * core repeats what it needs, and who forwards asks again.
 *
 * Every message carries the identity of the cluster that its sender belongs to; a replica drops those
 * of another. The bytes come from another process: decoding validates them, and what does not decode is
 * dropped and counted by the runtime.
 */
import type { Codec, Message, MessageType } from '../actors/actor.js';
import { unreachable } from '../base/assert.js';
import { ByteReader, ByteWriter } from '../base/bytes.js';
import { type ErrorName, errorCatalogue, raise } from '../base/errors.js';
import type { LogIndex, NodeId, Term, Timestamp } from '../base/ids.js';
import type { RaftMessage } from '../raft/index.js';
import { decodeProposal, encodeProposal, type Proposal } from '../txn/index.js';
import type { RefusedMessage } from './protocol.js';
import { readRaftMessage, writeRaftMessage } from './raft-codec.js';

/** All that comes from another replica. */
export interface PeerMessage extends Message {
  /** {@link clusterHash} of the sender's cluster. */
  readonly cluster: number;
}

/** Purpose: a message of the Raft core. `shard.append` brings entries; whatever elects and keeps alive goes first. */
export interface RaftPeerMessage extends PeerMessage {
  readonly kind: 'shard.heartbeat' | 'shard.append';
  readonly message: RaftMessage;
}

/** What only the leader can do. */
export type LeaderWork =
  | { readonly work: 'propose'; readonly proposal: Proposal }
  | {
      readonly work: 'takeNumbers';
      readonly key: Uint8Array;
      readonly start: bigint;
      readonly increment: bigint;
      readonly count: number;
    }
  /** A number for the asker's transaction ids, at least `floor`. */
  | { readonly work: 'takeEpoch'; readonly floor: number }
  /** What snapshots open at the asker need: `at` and later. It gets no answer. */
  | { readonly work: 'retain'; readonly at: Timestamp };

/**
 * Purpose: has the leader do what was asked of the replica of another node. From any replica to the leader's.
 * Loss: sent again after a while and to each new leader; transaction ids see to it that it happens once.
 */
export interface ForwardMessage extends PeerMessage {
  readonly kind: 'shard.forward';
  readonly from: NodeId;
  /** The asker's own number: a transaction id, or a small one. */
  readonly token: number;
  readonly work: LeaderWork;
}

export type ForwardOutcome =
  | { readonly outcome: 'committed'; readonly timestamp: Timestamp }
  | { readonly outcome: 'numbers'; readonly last: bigint; readonly term: Term }
  | { readonly outcome: 'epoch'; readonly epoch: number }
  | {
      readonly outcome: 'refused';
      readonly reason: RefusedMessage['reason'];
      readonly text: string;
      /** Whoever has applied so much sees the cause. */
      readonly index: LogIndex;
    }
  /** The receiver does not lead, or not yet: nothing was done, ask the leader. */
  | { readonly outcome: 'notLeader' };

/** Purpose: the answer to {@link ForwardMessage}. Loss: asked again, and answered alike. */
export interface ForwardedMessage extends PeerMessage {
  readonly kind: 'shard.forwarded';
  readonly token: number;
  readonly answer: ForwardOutcome;
}

/** A 53-bit number that stands for the cluster's UUID. */
export function clusterHash(clusterId: string): number {
  // FNV-1a (Fowler, Noll, Vo), twice with different bases.
  let low = 0x811c_9dc5;
  let high = 0x1234_5678;
  for (let i = 0; i < clusterId.length; i += 1) {
    const code = clusterId.charCodeAt(i);
    low = Math.imul(low ^ code, 0x0100_0193);
    high = Math.imul(high ^ code, 0x0100_0193);
  }
  return (high >>> 11) * 0x1_0000_0000 + (low >>> 0);
}

const format = 1;
const writer = new ByteWriter(64 * 1024);

/** A codec that leaves format, cluster and the end of the bytes to this one. */
export function peerCodec<M extends PeerMessage>(
  write: (writer: ByteWriter, message: M) => void,
  read: (reader: ByteReader, cluster: number) => M,
): Codec<M> {
  return {
    encode(message) {
      writer.clear().uint8(format).uint53(message.cluster);
      write(writer, message);
      return writer.finish();
    },
    decode(bytes) {
      const reader = new ByteReader(bytes);
      const version = reader.uint8();
      if (version !== format) raise('data_corrupted', `a message of unknown format ${version}`);
      const message = read(reader, reader.uint53());
      if (reader.remaining !== 0) raise('data_corrupted', 'a message with bytes left over');
      return message;
    },
  };
}

function raftCodec(kind: RaftPeerMessage['kind']): Codec<RaftPeerMessage> {
  return peerCodec(
    (bytes, { message }) => writeRaftMessage(bytes, message),
    (reader, cluster) => ({ kind, cluster, message: readRaftMessage(reader) }),
  );
}

const works = ['propose', 'takeNumbers', 'takeEpoch', 'retain'] as const;

const forwardCodec = peerCodec<ForwardMessage>(
  (bytes, { from, token, work }) => {
    bytes.uint32(from).uint53(token).uint8(works.indexOf(work.work));
    switch (work.work) {
      case 'propose':
        bytes.bytes(encodeProposal(work.proposal));
        return;
      case 'takeNumbers':
        bytes.bytes(work.key).int64(work.start).int64(work.increment).uint32(work.count);
        return;
      case 'takeEpoch':
        bytes.uint53(work.floor);
        return;
      case 'retain':
        bytes.uint53(work.at);
        return;
      default:
        unreachable(work);
    }
  },
  (reader, cluster) => {
    const from = reader.uint32() as NodeId;
    const token = reader.uint53();
    return { kind: 'shard.forward', cluster, from, token, work: readWork(reader) };
  },
);

function readWork(reader: ByteReader): LeaderWork {
  const work = works[reader.uint8()];
  switch (work) {
    case 'propose':
      return { work, proposal: decodeProposal(reader.bytes()) };
    case 'takeNumbers': {
      const key = reader.bytes();
      const start = reader.int64();
      const increment = reader.int64();
      return { work, key, start, increment, count: reader.uint32() };
    }
    case 'takeEpoch':
      return { work, floor: reader.uint53() };
    case 'retain':
      return { work, at: reader.uint53() as Timestamp };
    case undefined:
      return raise('data_corrupted', 'unknown work for a leader');
    default:
      return unreachable(work);
  }
}

const outcomes = ['committed', 'numbers', 'epoch', 'refused', 'notLeader'] as const;

const forwardedCodec = peerCodec<ForwardedMessage>(
  (bytes, { token, answer }) => {
    bytes.uint53(token).uint8(outcomes.indexOf(answer.outcome));
    switch (answer.outcome) {
      case 'committed':
        bytes.uint53(answer.timestamp);
        return;
      case 'numbers':
        bytes.int64(answer.last).uint53(answer.term);
        return;
      case 'epoch':
        bytes.uint53(answer.epoch);
        return;
      case 'refused':
        bytes.text(answer.reason).text(answer.text).uint53(answer.index);
        return;
      case 'notLeader':
        return;
      default:
        unreachable(answer);
    }
  },
  (reader, cluster) => {
    const token = reader.uint53();
    return { kind: 'shard.forwarded', cluster, token, answer: readOutcome(reader) };
  },
);

function readOutcome(reader: ByteReader): ForwardOutcome {
  const outcome = outcomes[reader.uint8()];
  switch (outcome) {
    case 'committed':
      return { outcome, timestamp: reader.uint53() as Timestamp };
    case 'numbers':
      return { outcome, last: reader.int64(), term: reader.uint53() as Term };
    case 'epoch':
      return { outcome, epoch: reader.uint53() };
    case 'refused': {
      const reason = readReason(reader.text());
      return { outcome, reason, text: reader.text(), index: reader.uint53() as LogIndex };
    }
    case 'notLeader':
      return { outcome };
    case undefined:
      return raise('data_corrupted', 'unknown outcome of forwarded work');
    default:
      return unreachable(outcome);
  }
}

/** A newer version's error is reported as an outcome that nobody knows. */
function readReason(text: string): RefusedMessage['reason'] {
  if (text === 'conflict' || text === 'staleObject') return text;
  return Object.hasOwn(errorCatalogue, text) ? (text as ErrorName) : 'statement_completion_unknown';
}

/** All are repeated by who needs them, so they may be dropped, and overtake what waits for the disk. */
export const raftPeerMessages: readonly MessageType[] = [
  peerType('shard.heartbeat', 'critical', raftCodec('shard.heartbeat')),
  peerType('shard.append', 'high', raftCodec('shard.append')),
  peerType('shard.forward', 'normal', forwardCodec),
  peerType('shard.forwarded', 'normal', forwardedCodec),
];

export function peerType<M extends Message>(
  kind: M['kind'],
  priority: MessageType['priority'],
  codec: Codec<M>,
): MessageType {
  const type: MessageType<M> = { kind, priority, flow: 'droppable', unordered: true, codec };
  return type as unknown as MessageType;
}
