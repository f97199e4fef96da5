/**
 * How an image of the state travels from a leader to a member that needs one. All may be lost: a sender
 * that hears nothing asks where the receiver is, and goes on from there.
 */
import type { Message, MessageType } from '../actors/actor.js';
import { ByteReader, ByteWriter } from '../base/bytes.js';
import { raise } from '../base/errors.js';
import type { LogIndex, NodeId, Term, Timestamp } from '../base/ids.js';
import {
  checksum,
  type Configuration,
  decodeConfiguration,
  encodeConfiguration,
  type Put,
} from '../storage/index.js';
import { type Packed, packings } from './packing.js';
import { type PeerMessage, peerCodec, peerType } from './peer.js';

/** More than any chunk has: the largest transaction and what surrounds it. */
const chunkBytesMax = 64 * 1024 * 1024;

/** What an image is of. */
export interface ImageHead {
  /** The state after this entry; it names the image, as every replica's state after it is the same. */
  readonly index: LogIndex;
  readonly term: Term;
  readonly timestamp: Timestamp;
  readonly configuration: Configuration;
  /** What ShardState.encode gave for it. */
  readonly record: Uint8Array;
}

/** Purpose: begins an image, or asks how far it has come. Loss: asked again. */
export interface ImageBeginMessage extends PeerMessage {
  readonly kind: 'shard.image';
  readonly from: NodeId;
  readonly head: ImageHead;
  /** About, of keys and values. */
  readonly totalBytes: number;
}

/** Purpose: all pairs of the image with keys after `after`, up to `through`. Loss: sent again. */
export interface ImageChunkMessage extends PeerMessage {
  readonly kind: 'shard.imageChunk';
  readonly from: NodeId;
  readonly index: LogIndex;
  /** Where the chunk before ended; empty: nowhere. */
  readonly after: Uint8Array;
  /** Where this one ends; empty: at the end of the image. */
  readonly through: Uint8Array;
  /** What {@link encodePairs} made. */
  readonly pairs: Packed;
}

/**
 * Purpose: what the receiver has on its disk. Loss: the sender asks. `installed`: all of it, and the log
 * goes on from there. `refused`: it does not need it.
 */
export interface ImageAnswerMessage extends PeerMessage {
  readonly kind: 'shard.imageAnswer';
  readonly from: NodeId;
  readonly index: LogIndex;
  readonly state: 'taking' | 'installed' | 'refused';
  /** Where the last chunk ended that is durable. */
  readonly through: Uint8Array;
}

/** To itself: go on with an image, sent or received. */
export interface ImageStepMessage extends Message {
  readonly kind: 'shard.imageStep';
}

/** To itself, by timer: look after the images under way. */
export interface ImageTimerMessage extends Message {
  readonly kind: 'shard.imageTimer';
}

/** To itself: what was written of the image is durable. */
export interface ImageSavedMessage extends Message {
  readonly kind: 'shard.imageSaved';
  readonly index: LogIndex;
  readonly what: 'begun' | 'chunk' | 'installed';
  readonly through: Uint8Array;
}

export type ImageMessage =
  | ImageBeginMessage
  | ImageChunkMessage
  | ImageAnswerMessage
  | ImageStepMessage
  | ImageTimerMessage
  | ImageSavedMessage;

const states = ['taking', 'installed', 'refused'] as const;

const beginCodec = peerCodec<ImageBeginMessage>(
  (bytes, { from, head, totalBytes }) => {
    bytes.uint32(from).bytes(encodeImageHead(head)).uint53(totalBytes);
  },
  (reader, cluster) => {
    const from = reader.uint32() as NodeId;
    const head = readImageHead(new ByteReader(reader.bytes()));
    return { kind: 'shard.image', cluster, from, head, totalBytes: reader.uint53() };
  },
);

const chunkCodec = peerCodec<ImageChunkMessage>(
  (bytes, { from, index, after, through, pairs }) => {
    bytes.uint32(from).uint53(index).bytes(after).bytes(through).bytes(pairs.bytes);
    bytes.uint32(checksum(through, pairs.bytes, 0, pairs.bytes.length) >>> 0);
    bytes.uint8(packings.indexOf(pairs.packing)).uint53(pairs.unpackedBytes);
  },
  (reader, cluster) => {
    const from = reader.uint32() as NodeId;
    const index = reader.uint53() as LogIndex;
    const after = reader.bytes();
    const through = reader.bytes();
    const bytes = reader.bytes();
    if (reader.uint32() !== checksum(through, bytes, 0, bytes.length) >>> 0) {
      raise('data_corrupted', 'a chunk of a snapshot fails its checksum');
    }
    const packing = packings[reader.uint8()];
    const unpackedBytes = reader.uint53();
    if (packing === undefined || unpackedBytes > chunkBytesMax) {
      raise('data_corrupted', 'a chunk of a snapshot is compressed in an unknown way or too large');
    }
    const pairs: Packed = { packing, bytes, unpackedBytes };
    return { kind: 'shard.imageChunk', cluster, from, index, after, through, pairs };
  },
);

const answerCodec = peerCodec<ImageAnswerMessage>(
  (bytes, { from, index, state, through }) => {
    bytes.uint32(from).uint53(index).uint8(states.indexOf(state)).bytes(through);
  },
  (reader, cluster) => {
    const from = reader.uint32() as NodeId;
    const index = reader.uint53() as LogIndex;
    const state = states[reader.uint8()];
    if (state === undefined) raise('data_corrupted', 'an image in an unknown state');
    return { kind: 'shard.imageAnswer', cluster, from, index, state, through: reader.bytes() };
  },
);

export function encodeImageHead(head: ImageHead): Uint8Array {
  return new ByteWriter(head.record.length + 256)
    .uint53(head.index)
    .uint53(head.term)
    .uint53(head.timestamp)
    .bytes(encodeConfiguration(head.configuration))
    .bytes(head.record)
    .finish();
}

export function readImageHead(reader: ByteReader): ImageHead {
  const index = reader.uint53() as LogIndex;
  const term = reader.uint53() as Term;
  const timestamp = reader.uint53() as Timestamp;
  const configuration = decodeConfiguration(reader.bytes());
  return { index, term, timestamp, configuration, record: reader.bytes() };
}

/** Pairs with ascending keys; those of an image have values. */
export function encodePairs(pairs: readonly Put[], bytes: number): Uint8Array {
  const writer = new ByteWriter(bytes + pairs.length * 6 + 16);
  for (const { key, value } of pairs) {
    if (value !== undefined) writer.uint16(key.length).raw(key).bytes(value);
  }
  return writer.finish();
}

/** Raises `data_corrupted` for keys that do not ascend. Keys and values are views. */
export function decodePairs(reader: ByteReader): readonly { key: Uint8Array; value: Uint8Array }[] {
  const pairs: { key: Uint8Array; value: Uint8Array }[] = [];
  while (reader.remaining > 0) {
    const key = reader.raw(reader.uint16());
    const before = pairs.at(-1)?.key;
    if (before !== undefined && Buffer.compare(before, key) >= 0) {
      raise('data_corrupted', 'keys of a snapshot are out of order');
    }
    pairs.push({ key, value: reader.bytes() });
  }
  return pairs;
}

export const imageMessages: readonly MessageType[] = [
  peerType('shard.image', 'low', beginCodec),
  peerType('shard.imageChunk', 'low', chunkCodec),
  peerType('shard.imageAnswer', 'low', answerCodec),
  { kind: 'shard.imageStep', priority: 'low', flow: 'reply', unordered: true },
  { kind: 'shard.imageTimer', priority: 'low', flow: 'reply', unordered: true },
  { kind: 'shard.imageSaved', priority: 'normal', flow: 'reply', unordered: true },
];
