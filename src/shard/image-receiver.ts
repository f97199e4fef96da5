/**
 * Puts an image that the leader sends in the place of this replica's state.
 *
 *     mark, old state's record gone -> chunks: pairs in, others of their range out, mark moved
 *         -> log begun anew, record of the image in, mark gone (one batch)
 *
 * From the first to the last step the store holds a mark that says how far it has come; a replica that starts
 * with one has no whole state, asks for an image, and goes on with the same one if it is still offered.
 *
 * Invariants: while the mark is there nothing is applied and nothing is read; chunks are written in order,
 * one after the other; what is answered is durable.
 */
import type { Context } from '../actors/actor.js';
import { assert } from '../base/assert.js';
import { ByteReader, ByteWriter, byteString, compareBytes, successor } from '../base/bytes.js';
import { raise } from '../base/errors.js';
import type { LogIndex, NodeId, ShardId } from '../base/ids.js';
import type { Engine, Overlay, Put, RaftLog } from '../storage/index.js';
import { groupKey, isHistoryKey, keySpace } from '../storage/keys.js';
import { type CommitClock, type GarbageQueue, isTombstone, type ShardState } from '../txn/index.js';
import type { Applier } from './applier.js';
import type { Driver } from './driver.js';
import type { Feed } from './feed.js';
import {
  decodePairs,
  encodeImageHead,
  type ImageAnswerMessage,
  type ImageBeginMessage,
  type ImageChunkMessage,
  type ImageHead,
  type ImageSavedMessage,
  readImageHead,
} from './image-messages.js';
import { imageEnd, imageStart } from './image-source.js';
import type { ShardLimits } from './limits.js';
import type { ReplicaMessage } from './messages.js';
import type { ShardSeries } from './metrics.js';
import { type Packer, unpack } from './packing.js';
import type { ReplicaStatus } from './protocol.js';
import type { Standing } from './standing.js';

export interface ImageReceiverParts {
  readonly shard: ShardId;
  readonly node: NodeId;
  readonly cluster: number;
  readonly engine: Engine;
  readonly driver: Driver;
  readonly log: RaftLog;
  readonly state: ShardState;
  readonly overlay: Overlay;
  readonly garbage: GarbageQueue;
  readonly clock: CommitClock;
  readonly feed: Feed;
  readonly applier: Applier;
  readonly standing: Standing;
  /** The state that comes does not follow on what was applied here. */
  readonly onGap: (context: Context<ReplicaMessage>) => void;
  readonly limits: ShardLimits;
  readonly series: ShardSeries;
  readonly packer: Packer;
}

/** A chunk that is to be written. */
interface Chunk {
  readonly through: Uint8Array;
  readonly pairs: Uint8Array;
}

/** What the store says of an image that was not finished. */
export interface ImageMark {
  /** Undefined: the state is known to be damaged, and none has begun to replace it. */
  readonly head: ImageHead | undefined;
  readonly through: Uint8Array;
  /** Superseded versions and tombstones among what has come. */
  readonly garbage: number;
}

interface Install {
  readonly head: ImageHead;
  from: NodeId;
  totalBytes: number;
  bytes: number;
  /** Where the last chunk ends that was taken, the last one handed to the disk, the last one that is durable. */
  taken: Uint8Array;
  written: Uint8Array;
  durable: Uint8Array;
  /** Chunks that wait to be written. */
  readonly queue: Chunk[];
  /** Up to where the range of the first of them was cleared of what is not in it. */
  clearedTo: Uint8Array;
  /** Of what was handed to the disk. Not as the sender counts: it may have collected some since. */
  garbage: number;
  finishing: boolean;
}

const markFormat = 1;
const dataStart = Uint8Array.of(keySpace.data);

export class ImageReceiver {
  readonly #parts: ImageReceiverParts;
  #mark: ImageMark | undefined;
  /** The mark is to be written as soon as the feed is idle. */
  #preparing = false;
  #install: Install | undefined;
  #next: ImageBeginMessage | undefined;
  #installedIndex: LogIndex | undefined;
  /** Batches on their way to the disk. */
  #saving = 0;
  #stepping = false;

  constructor(parts: ImageReceiverParts, mark: ImageMark | undefined) {
    this.#parts = parts;
    this.#mark = mark;
    if (mark !== undefined) parts.applier.frozen = true;
  }

  /** The image that comes in. */
  status(): ReplicaStatus['snapshots'] {
    if (this.#install === undefined) return [];
    const { bytes, totalBytes } = this.#install;
    return [{ node: this.#parts.node, bytes, totalBytes: Math.max(bytes, totalBytes) }];
  }

  /** The state cannot be used any more: from now on it waits for an image. */
  abandonState(context: Context<ReplicaMessage>): void {
    const { applier, standing, driver } = this.#parts;
    if (!standing.isWhole) return;
    standing.isWhole = false;
    this.#parts.onGap(context);
    applier.frozen = true;
    this.#preparing = true;
    driver.step({ kind: 'raft.installing' }, context);
    this.look(context);
    this.seek(context);
  }

  /** Looks for a leader while the state is not whole: a group that sleeps would not miss this member. */
  seek(context: Context<ReplicaMessage>): void {
    const { standing, driver, limits } = this.#parts;
    if (standing.isWhole) return;
    if (this.#install === undefined && this.#next === undefined) driver.callMembers(context);
    context.setTimer('shard.imageTimer', limits.imageRetryMs, { kind: 'shard.imageTimer' });
  }

  onBegin(message: ImageBeginMessage, context: Context<ReplicaMessage>): void {
    const { driver, state, standing, shard } = this.#parts;
    const { head, from } = message;
    if (driver.raft.leader !== from) return;
    if (head.index === this.#installedIndex) {
      this.#answer(from, head.index, 'installed', imageEnd, context);
      return;
    }
    if (this.#install?.head.index === head.index) {
      this.#goOnWith(this.#install, message, context);
      return;
    }
    const { log } = this.#parts;
    if (head.index < log.firstIndex - 1 || (standing.isWhole && state.index >= head.index)) {
      this.#answer(from, head.index, 'refused', imageStart, context);
      return;
    }
    context.log('info', 'shard.snapshotComing', { shard, from, index: head.index });
    this.abandonState(context);
    this.#next = message;
    this.look(context);
  }

  onChunk(message: ImageChunkMessage, context: Context<ReplicaMessage>): void {
    const install = this.#install;
    if (install === undefined || install.head.index !== message.index || install.finishing) return;
    // A chunk before it was lost, or this one came before: the sender asks where this replica is.
    if (compareBytes(message.after, install.taken) !== 0) return;
    if (compareBytes(message.through, message.after) <= 0) return;
    if (install.queue.length > this.#parts.limits.imageWindowChunks) return;
    const { packer, series, shard } = this.#parts;
    const { through } = message;
    const pairs = unpack(packer, message.pairs);
    if (pairs === undefined) {
      // The sender will try again, and give up at last.
      context.log('error', 'shard.chunkUnreadable', { shard, from: message.from });
      return;
    }
    install.taken = through;
    install.queue.push({ through, pairs });
    install.bytes += pairs.length;
    series.imageReceivedBytes.value += pairs.length;
    this.#stepSoon(context);
  }

  onSaved(saved: ImageSavedMessage, context: Context<ReplicaMessage>): void {
    this.#saving -= 1;
    const install = this.#install;
    if (install !== undefined && install.head.index === saved.index) {
      install.durable = saved.through;
      if (saved.what === 'installed') this.#installed(install, context);
      else {
        this.#answer(install.from, saved.index, 'taking', saved.through, context);
        if (compareBytes(saved.through, imageEnd) === 0) this.#finish(install, context);
      }
    }
    this.look(context);
  }

  /** After what may have ended the last write to the old state, or to the image before. */
  look(context: Context<ReplicaMessage>): void {
    const { feed } = this.#parts;
    if (this.#preparing && feed.stop()) {
      this.#preparing = false;
      this.#forgetState();
      this.#save(undefined, imageStart, [], 'begun', context);
    }
    const next = this.#next;
    if (next === undefined || this.#preparing || this.#saving > 0) return;
    if (this.#install?.finishing === true) return;
    this.#next = undefined;
    this.#start(next, context);
  }

  /** Clears, and writes, a part of the chunk that is first in line. */
  step(context: Context<ReplicaMessage>): void {
    this.#stepping = false;
    const install = this.#install;
    const chunk = install?.queue[0];
    if (install === undefined || chunk === undefined) return;
    const { engine, limits } = this.#parts;
    const from = install.clearedTo.length === 0 ? dataStart : successor(install.clearedTo);
    const to = compareBytes(chunk.through, imageEnd) === 0 ? imageEnd : successor(chunk.through);
    const there = engine.keys({ from, to }, limits.imagePairsMax);
    const pairs = decodePairs(new ByteReader(chunk.pairs));
    const puts: Put[] = absentFrom(there, pairs);
    const last = there.at(-1);
    if (there.length === limits.imagePairsMax && last !== undefined) {
      install.clearedTo = last;
      if (puts.length > 0) this.#save(install, install.written, puts, 'chunk', context);
    } else {
      install.queue.shift();
      install.clearedTo = chunk.through;
      install.written = chunk.through;
      install.garbage += pairs.filter(isGarbage).length;
      // Copies: views would keep the whole chunk alive in what waits for the disk.
      for (const { key, value } of pairs) puts.push({ key, value });
      this.#save(install, chunk.through, puts, 'chunk', context);
    }
    if (install.queue.length > 0) this.#stepSoon(context);
  }

  #start(message: ImageBeginMessage, context: Context<ReplicaMessage>): void {
    const { head, from, totalBytes } = message;
    const mark = this.#mark;
    const resumed = mark?.head?.index === head.index;
    const through = resumed ? mark.through : imageStart;
    const garbage = resumed ? mark.garbage : 0;
    if (resumed) context.probe('shard.snapshotResumedAfterRestart');
    this.#install = {
      ...{ head, from, totalBytes, bytes: 0, taken: through, written: through, durable: through },
      ...{ queue: [], clearedTo: through, garbage, finishing: false },
    };
    if (resumed) this.#goOnWith(this.#install, message, context);
    else this.#save(this.#install, imageStart, [], 'begun', context);
  }

  /** The sender asks where this replica is: it begins anew after what is durable. */
  #goOnWith(install: Install, message: ImageBeginMessage, context: Context<ReplicaMessage>): void {
    if (install.finishing) return;
    install.from = message.from;
    install.totalBytes = message.totalBytes;
    // What is on its way to the disk counts when it is there; the sender asks again.
    if (this.#saving > 0 || install.queue.length > 0) return;
    install.taken = install.durable;
    this.#answer(install.from, install.head.index, 'taking', install.durable, context);
    if (compareBytes(install.durable, imageEnd) === 0) this.#finish(install, context);
  }

  #finish(install: Install, context: Context<ReplicaMessage>): void {
    const { log, driver, shard, state } = this.#parts;
    if (install.finishing) return;
    install.finishing = true;
    const { index, term, configuration, record } = install.head;
    state.replace(record);
    state.recount(install.garbage);
    assert(state.index === index, 'the record is that of the image', state.index, index);
    const { number, puts } = log.install({ index, term, configuration });
    const all: Put[] = [
      ...puts,
      { key: groupKey('applied', shard), value: state.encode() },
      { key: groupKey('image', shard), value: undefined },
    ];
    const persisted = driver.persistInstalled(number, all, context);
    this.#saving += 1;
    context.sendDurable(persisted, context.self, {
      ...{ kind: 'shard.imageSaved', index, what: 'installed', through: imageEnd },
    });
  }

  #installed(install: Install, context: Context<ReplicaMessage>): void {
    const { state, clock, feed, applier, driver, standing, garbage, shard } = this.#parts;
    const { index, term, configuration } = install.head;
    clock.observe(state.timestamp);
    garbage.clear();
    if (state.garbage > 0) garbage.forget();
    this.#install = undefined;
    this.#mark = undefined;
    this.#installedIndex = index;
    feed.restart();
    applier.restart();
    driver.installed(index);
    standing.isWhole = true;
    // What was collected since is missing already, before the entry that says so is applied.
    standing.readableFrom = install.head.timestamp;
    context.probe('shard.snapshotInstalled');
    context.log('info', 'shard.snapshotInstalled', { shard, index, bytes: install.bytes });
    driver.step({ kind: 'raft.installed', index, term, configuration }, context);
    this.#answer(install.from, index, 'installed', imageEnd, context);
  }

  #forgetState(): void {
    const { overlay, state, applier } = this.#parts;
    applier.forget();
    overlay.clear();
    state.replace(undefined);
  }

  /** Writes `puts` and how far the image has come with them. */
  #save(
    install: Install | undefined,
    through: Uint8Array,
    puts: Put[],
    what: ImageSavedMessage['what'],
    context: Context<ReplicaMessage>,
  ): void {
    const { shard } = this.#parts;
    this.#mark = { head: install?.head, through, garbage: install?.garbage ?? 0 };
    puts.push({ key: groupKey('image', shard), value: encodeMark(this.#mark) });
    if (what === 'begun') puts.push({ key: groupKey('applied', shard), value: undefined });
    this.#saving += 1;
    const index = install?.head.index ?? (0 as LogIndex);
    const saved = { kind: 'shard.imageSaved', index, what, through } as const;
    context.sendDurable(context.persistLater(puts), context.self, saved);
  }

  #answer(
    to: NodeId,
    index: LogIndex,
    state: ImageAnswerMessage['state'],
    through: Uint8Array,
    context: Context<ReplicaMessage>,
  ): void {
    const { driver, cluster, node } = this.#parts;
    const message = {
      kind: 'shard.imageAnswer',
      cluster,
      from: node,
      index,
      state,
      through,
    } as const;
    context.send(driver.peer(to), message);
  }

  #stepSoon(context: Context<ReplicaMessage>): void {
    if (this.#stepping) return;
    this.#stepping = true;
    context.send(context.self, { kind: 'shard.imageStep' });
  }
}

/** Removals of the keys that no pair has. */
function absentFrom(there: readonly Uint8Array[], pairs: readonly { key: Uint8Array }[]): Put[] {
  if (there.length === 0) return [];
  const kept = new Set(pairs.map(({ key }) => byteString(key)));
  return there
    .filter((key) => !kept.has(byteString(key)))
    .map((key) => ({ key, value: undefined }));
}

function isGarbage({ key, value }: { readonly key: Uint8Array; readonly value: Uint8Array }) {
  return isHistoryKey(key) || isTombstone(value);
}

function encodeMark({ head, through, garbage }: ImageMark): Uint8Array {
  const writer = new ByteWriter(head === undefined ? 64 : head.record.length + 512);
  writer.uint8(markFormat).uint8(head === undefined ? 0 : 1);
  if (head !== undefined) writer.bytes(encodeImageHead(head));
  return writer.bytes(through).uint53(garbage).finish();
}

export function decodeMark(bytes: Uint8Array): ImageMark {
  const reader = new ByteReader(bytes);
  const version = reader.uint8();
  if (version !== markFormat) raise('data_corrupted', `a snapshot of unknown format ${version}`);
  const head =
    reader.uint8() === 1 ? readImageHead(new ByteReader(Buffer.from(reader.bytes()))) : undefined;
  return { head, through: Buffer.from(reader.bytes()), garbage: reader.uint53() };
}
