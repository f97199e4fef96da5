/**
 * One connection of a link after its handshake: it sends what its outbox holds as far as the peer keeps up,
 * and notices when the peer falls silent. Besides TCP's own it keeps a window: bytes that the peer has not
 * acknowledged lie in the buffers of the kernel, where nothing can overtake them. Critical messages
 * go beyond it, as they are small.
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { DatabaseError, raise } from '../../base/errors.js';
import type { NodeId } from '../../base/ids.js';
import type { Frame } from './frame.js';
import { type Arrived, Inbox } from './inbox.js';
import { helloBytesMax, type MeshLimits } from './limits.js';
import type { Meter } from './meter.js';
import type { Outbox } from './outbox.js';
import type { MeshSocket, SocketListener } from './socket.js';
import type { TokenBucket } from './token-bucket.js';
import { recordTypes } from './wire.js';

export interface ChannelParts {
  readonly own: NodeId;
  readonly peer: NodeId;
  readonly limits: MeshLimits;
  readonly meter: Meter;
  readonly nowMs: () => number;
  /** Of bulk. */
  readonly bucket: TokenBucket | undefined;
  readonly arrived: (parcel: Arrived, priority: number, sequence: number | undefined) => void;
  /** Reliable messages of the priority have arrived up to this sequence number. */
  readonly delivered: (sequence: number, priority: number) => void;
  /** The peer has come to belong to this cluster. */
  readonly identified: (clusterId: string) => void;
  /** A ping was answered. */
  readonly roundTrip: (ms: number) => void;
  readonly closed: (reason: string) => void;
}

export class Channel implements SocketListener {
  readonly socket: MeshSocket;
  readonly outbox: Outbox;
  readonly #parts: ChannelParts;
  readonly #inbox: Inbox;
  readonly #windowBytes: number;
  #sentBytes = 0;
  /** Of what was sent, what the peer has told to have received. */
  #ackedBytes = 0;
  #receivedBytes = 0;
  #toldBytes = 0;
  #readBytes: number;
  /** When bytes came last, in the time of `tick`. */
  #heardMs: number;
  #pingMs = 0;

  constructor(socket: MeshSocket, outbox: Outbox, parts: ChannelParts) {
    this.socket = socket;
    this.outbox = outbox;
    this.#parts = parts;
    const { limits, own, peer, bucket } = parts;
    this.#windowBytes = bucket === undefined ? limits.windowBytes : limits.bulkWindowBytes;
    this.#inbox = new Inbox(own, peer, limits.parcelBytesMax, {
      arrived: parts.arrived,
      control: (type, body) => this.#control(type, body),
    });
    this.#heardMs = parts.nowMs();
    this.#readBytes = socket.bytesRead;
  }

  /** Bytes sent that the peer has not acknowledged. */
  get unackedBytes(): number {
    return this.#sentBytes - this.#ackedBytes;
  }

  /** Sends what may be sent now, in one write. */
  pump(): void {
    if (this.socket.blocked) return;
    const { bucket, nowMs } = this.#parts;
    const frames: Frame[] = [];
    let bytes = 0;
    const allows = (priority: number, size: number): boolean => {
      // Beyond so much the kernel has taken enough for one turn, and what is urgent waits for less.
      if (bytes >= this.#windowBytes / 4) return false;
      if (priority === 0) return true;
      if (this.unackedBytes + size > this.#windowBytes) return false;
      return bucket === undefined || bucket.take(size, nowMs());
    };
    for (;;) {
      const frame = this.outbox.take(allows);
      if (frame === undefined) break;
      frames.push(frame);
      bytes += frame.payloadBytes;
      this.#sentBytes += frame.payloadBytes;
    }
    this.socket.write(frames);
  }

  /** `pausedMs`: this process itself stood still, which is no silence of the peer. */
  tick(nowMs: number, pausedMs: number): void {
    const { limits } = this.#parts;
    const readBytes = this.socket.bytesRead;
    this.#heardMs = readBytes === this.#readBytes ? this.#heardMs + pausedMs : nowMs;
    this.#readBytes = readBytes;
    if (nowMs - this.#heardMs > limits.silenceMs) {
      this.socket.cut('silent');
      return;
    }
    if (nowMs - this.#pingMs >= limits.pingMs) {
      this.#pingMs = nowMs;
      this.outbox.control(recordTypes.ping, new ByteWriter(8).float64(nowMs).finish());
      this.#acknowledge();
    }
    this.pump();
  }

  frame(payload: Buffer): void {
    this.#receivedBytes += payload.length;
    try {
      this.#inbox.take(payload);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      this.socket.cut(error.message, true);
      return;
    }
    if (this.#receivedBytes - this.#toldBytes >= this.#windowBytes / 4) {
      this.#acknowledge();
      this.pump();
    }
  }

  drained(): void {
    this.pump();
  }

  closed(reason: string, bad: boolean): void {
    if (bad) this.#parts.meter.badFrame();
    this.#parts.closed(reason);
  }

  /** The receiver's side of a reliable message. */
  tellDelivered(sequence: number, priority: number): void {
    const body = new ByteWriter(8).varint(sequence).varint(priority).finish();
    this.outbox.control(recordTypes.delivered, body);
  }

  #acknowledge(): void {
    if (this.#receivedBytes === this.#toldBytes) return;
    this.#toldBytes = this.#receivedBytes;
    const body = new ByteWriter(8).varint(this.#receivedBytes).finish();
    this.outbox.control(recordTypes.received, body);
  }

  #control(type: number, body: Buffer): void {
    const reader = new ByteReader(body);
    switch (type) {
      case recordTypes.ping:
        this.outbox.control(recordTypes.pong, body.subarray(0, 8));
        this.pump();
        break;
      case recordTypes.pong:
        this.#parts.roundTrip(this.#parts.nowMs() - reader.float64());
        break;
      case recordTypes.received: {
        const bytes = reader.varint();
        if (bytes > this.#sentBytes) this.socket.cut('acknowledges what was not sent', true);
        else if (bytes > this.#ackedBytes) {
          this.#ackedBytes = bytes;
          this.pump();
        }
        break;
      }
      case recordTypes.delivered:
        this.#parts.delivered(reader.varint(), reader.varint());
        break;
      case recordTypes.identity:
        if (body.length > helloBytesMax) raise('data_corrupted', 'the id of a cluster is too long');
        this.#parts.identified(reader.varText());
        break;
      default:
        // A record of a later version.
        break;
    }
  }
}
