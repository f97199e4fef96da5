/**
 * Sends images of the state to members whose entries have left the log, chunk by chunk: a few on their way
 * at a time, each read when it is sent, so that memory is bounded by the window. What is lost is read and sent
 * again from where the receiver says it is.
 *
 * While an image is being sent nothing is collected; an image without progress is given up.
 */
import type { Context } from '../actors/actor.js';
import { assert, must } from '../base/assert.js';
import { compareBytes } from '../base/bytes.js';
import type { LogIndex, NodeId, ShardId } from '../base/ids.js';
import type { RaftLog } from '../storage/index.js';
import { decodeCollection, type ShardState, type VersionReader } from '../txn/index.js';
import type { Driver } from './driver.js';
import { encodePairs, type ImageAnswerMessage, type ImageHead } from './image-messages.js';
import { imageEnd, ImageSource, imageStart } from './image-source.js';
import type { ShardLimits } from './limits.js';
import type { ReplicaMessage } from './messages.js';
import type { ShardSeries } from './metrics.js';
import { pack, type Packer, type Packing } from './packing.js';
import type { ReplicaStatus } from './protocol.js';

export interface ImageSenderParts {
  readonly shard: ShardId;
  readonly node: NodeId;
  readonly cluster: number;
  readonly driver: Driver;
  readonly log: RaftLog;
  readonly state: ShardState;
  readonly overlay: VersionReader;
  readonly limits: ShardLimits;
  readonly series: ShardSeries;
  readonly packer: Packer;
  /** How chunks are compressed. */
  readonly packing: Packing;
  /** Bytes of the whole store, about. */
  readonly storeBytes: () => number;
}

/** One image on its way. */
interface Send {
  readonly to: NodeId;
  readonly head: ImageHead;
  readonly source: ImageSource;
  /** A witness gets the state's record and no pairs. */
  readonly empty: boolean;
  readonly totalBytes: number;
  /** The receiver has said where it is. */
  known: boolean;
  /** Where the last chunk sent ends. */
  through: Uint8Array;
  /** Ends of the chunks that are on their way. */
  out: Uint8Array[];
  sentBytes: number;
  heardMs: number;
  progressMs: number;
}

export class ImageSender {
  readonly #parts: ImageSenderParts;
  readonly #sends = new Map<NodeId, Send>();
  /** Members that need an image which cannot be begun yet. */
  readonly #wanted = new Set<NodeId>();
  #stepping = false;
  #timed = false;

  constructor(parts: ImageSenderParts) {
    this.#parts = parts;
  }

  /** Nothing that an image needs may be collected. */
  get isBusy(): boolean {
    return this.#sends.size > 0 || this.#wanted.size > 0;
  }

  status(): ReplicaStatus['snapshots'] {
    return [...this.#sends.values()].map(({ to, sentBytes, totalBytes }) => ({
      node: to,
      bytes: sentBytes,
      totalBytes: Math.max(sentBytes, totalBytes),
    }));
  }

  /** The entries after it are needed by who gets an image. */
  indexOf(node: NodeId): LogIndex | undefined {
    return this.#sends.get(node)?.head.index;
  }

  want(nodes: readonly NodeId[]): void {
    for (const node of nodes) this.#wanted.add(node);
  }

  /** After any turn: begins what is wanted as soon as the state is one that everybody may have. */
  look(context: Context<ReplicaMessage>): void {
    if (this.#wanted.size === 0) return;
    const { state, driver } = this.#parts;
    const { raft } = driver;
    // A leader that serves gives all that is committed. One that does not yet may need the very member that waits.
    const isBehind = raft.serves && state.index < raft.commitIndex;
    if (raft.role !== 'leader' || state.isPartial || isBehind || this.#isOvertaken) return;
    for (const node of [...this.#wanted]) this.#begin(node, context);
    this.#wanted.clear();
  }

  /** Whether an entry to come removes versions that an image of the state now needs. */
  get #isOvertaken(): boolean {
    const { state, log } = this.#parts;
    const from = (state.index + 1) as LogIndex;
    if (from > log.lastIndex) return false;
    const entries = log.read(from, log.lastIndex, 1024 * 1024);
    return (
      entries.at(-1)?.index !== log.lastIndex ||
      entries.some(
        ({ kind, payload }) => kind === 'gc' && decodeCollection(payload).horizon > state.timestamp,
      )
    );
  }

  /** Another replica leads: it sends its own. */
  stopAll(): void {
    for (const { source } of this.#sends.values()) this.#parts.state.unwatch(source);
    this.#sends.clear();
    this.#wanted.clear();
  }

  onAnswer(answer: ImageAnswerMessage, context: Context<ReplicaMessage>): void {
    const send = this.#sends.get(answer.from);
    if (send === undefined || send.head.index !== answer.index) return;
    const { nowMs } = context;
    send.heardMs = nowMs;
    if (answer.state === 'installed') {
      context.log('info', 'shard.snapshotSent', {
        ...{ shard: this.#parts.shard, to: send.to, index: send.head.index },
        bytes: send.sentBytes,
      });
      this.#end(send, send.head.index, context);
      return;
    }
    if (answer.state === 'refused') {
      this.#end(send, undefined, context);
      return;
    }
    const { through } = answer;
    if (!send.known) {
      if (through.length > 0) context.probe('shard.snapshotResumed');
      send.known = true;
      send.through = Buffer.from(through);
      send.out = [];
      send.progressMs = nowMs;
    } else if (send.out.some((end) => compareBytes(end, through) <= 0)) {
      send.out = send.out.filter((end) => compareBytes(end, through) > 0);
      send.progressMs = nowMs;
    }
    this.#stepSoon(context);
  }

  /** Reads and sends one chunk for each image that has room for it. */
  step(context: Context<ReplicaMessage>): void {
    this.#stepping = false;
    let more = false;
    for (const send of this.#sends.values()) {
      if (!this.#hasRoom(send)) continue;
      this.#sendChunk(send, context);
      more ||= this.#hasRoom(send);
    }
    if (more) this.#stepSoon(context);
  }

  onTimer(context: Context<ReplicaMessage>): void {
    this.#timed = false;
    const { limits, shard } = this.#parts;
    const { nowMs } = context;
    for (const send of [...this.#sends.values()]) {
      if (nowMs >= send.progressMs + limits.imageStallMs) {
        context.probe('shard.snapshotGivenUp');
        context.log('warn', 'shard.snapshotGivenUp', { shard, to: send.to });
        this.#end(send, undefined, context);
      } else if (nowMs >= send.heardMs + limits.imageRetryMs) this.#sendBegin(send, context);
    }
    this.#setTimer(context);
  }

  #begin(to: NodeId, context: Context<ReplicaMessage>): void {
    const { state, log, overlay, shard, driver, storeBytes } = this.#parts;
    if (this.#sends.has(to)) return;
    const { index, term, timestamp } = state;
    const placed = must(log.configurationAt(index), 'a group has a configuration');
    const head: ImageHead = {
      index,
      term,
      timestamp,
      configuration: placed.configuration,
      record: state.encode(),
    };
    assert(log.termAt(index) === term, 'the applied state is that of the log', index, term);
    const source = new ImageSource(overlay, timestamp);
    const empty = driver.raft.configuration.witnesses.includes(to);
    const send: Send = {
      ...{ to, head, source, empty, known: false, through: imageStart, out: [], sentBytes: 0 },
      ...{ totalBytes: empty ? 0 : storeBytes(), heardMs: context.nowMs },
      progressMs: context.nowMs,
    };
    state.watch(source);
    this.#sends.set(to, send);
    context.probe('shard.snapshotBegun');
    context.log('info', 'shard.snapshotBegun', { shard, to, index });
    this.#sendBegin(send, context);
    this.#setTimer(context);
  }

  #sendBegin(send: Send, context: Context<ReplicaMessage>): void {
    const { driver, cluster, node } = this.#parts;
    const { to, head, totalBytes } = send;
    send.known = false;
    send.out = [];
    send.heardMs = context.nowMs;
    const message = { kind: 'shard.image', cluster, from: node, head, totalBytes } as const;
    context.send(driver.peer(to), message);
  }

  #hasRoom({ known, out, through }: Send): boolean {
    const { imageWindowChunks } = this.#parts.limits;
    return known && out.length < imageWindowChunks && compareBytes(through, imageEnd) < 0;
  }

  #sendChunk(send: Send, context: Context<ReplicaMessage>): void {
    const { driver, cluster, node, limits, series, packer, packing } = this.#parts;
    const { imageChunkBytes, imagePairsMax } = limits;
    const after = send.through;
    const piece = send.empty
      ? { pairs: [], bytes: 0, through: imageEnd }
      : send.source.next(after, imageChunkBytes, imagePairsMax);
    send.through = piece.through;
    send.out.push(piece.through);
    send.sentBytes += piece.bytes;
    series.imageSentBytes.value += piece.bytes;
    const pairs = pack(packer, packing, encodePairs(piece.pairs, piece.bytes));
    series.imageWireBytes.value += pairs.bytes.length;
    context.send(driver.peer(send.to), {
      kind: 'shard.imageChunk',
      cluster,
      from: node,
      index: send.head.index,
      after,
      through: piece.through,
      pairs,
    });
  }

  #end(send: Send, index: LogIndex | undefined, context: Context<ReplicaMessage>): void {
    const { state, driver } = this.#parts;
    state.unwatch(send.source);
    this.#sends.delete(send.to);
    driver.step({ kind: 'raft.snapshotSent', to: send.to, index }, context);
  }

  #stepSoon(context: Context<ReplicaMessage>): void {
    if (this.#stepping) return;
    this.#stepping = true;
    context.send(context.self, { kind: 'shard.imageStep' });
  }

  #setTimer(context: Context<ReplicaMessage>): void {
    if (this.#timed || this.#sends.size === 0) return;
    this.#timed = true;
    const delayMs = this.#parts.limits.imageRetryMs / 2;
    context.setTimer('shard.imageTimer', delayMs, { kind: 'shard.imageTimer' });
  }
}
