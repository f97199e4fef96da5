/** The link to another node: a connection for what is urgent and one for bulk, and what waits for both. */
import type { Parcel } from '../../actors/index.js';
import { ByteWriter } from '../../base/bytes.js';
import type { NodeId } from '../../base/ids.js';
import { Channel, type ChannelParts } from './channel.js';
import type { Arrived } from './inbox.js';
import type { MeshLimits } from './limits.js';
import type { Meter } from './meter.js';
import { Outbox, type Put } from './outbox.js';
import { ReliableReceiver, ReliableSender } from './reliable.js';
import type { MeshSocket } from './socket.js';
import { TokenBucket } from './token-bucket.js';
import { type Hello, priorities, recordTypes } from './wire.js';

/** What outlives the links to one peer: reliable messages by priority, as each has an order of its own. */
export class Correspondence {
  readonly senders: readonly ReliableSender[];
  readonly receivers: readonly ReliableReceiver[];

  constructor(limits: MeshLimits, meter: Meter) {
    this.senders = priorities.map(() => new ReliableSender(limits, meter));
    this.receivers = priorities.map(() => new ReliableReceiver());
  }
}

export interface LinkParts {
  readonly own: NodeId;
  readonly limits: MeshLimits;
  readonly bulkBytesPerSecond: number;
  readonly meter: Meter;
  readonly nowMs: () => number;
  readonly correspondence: Correspondence;
  readonly deliver: (parcel: Arrived) => void;
  /** The urgent connection is gone, and with it the link. */
  readonly lost: (link: Link, reason: string) => void;
  /** The peer has come to belong to a cluster; the link may be cut during the call. */
  readonly identified: (link: Link) => void;
}

/** Longer than any connection is silent. */
const roundTripMsMax = 60_000;
/** Of priorities, what goes by the connection for bulk. */
const bulkPriority = priorities.indexOf('low');

export class Link {
  /** Given by the node with the lower id; a link replaces those of lower generations. */
  readonly generation: number;
  /** The address that this node dialed; undefined when the peer dialed. */
  readonly via: string | undefined;
  readonly sinceMs: number;
  roundTripMs: number | undefined;
  #peer: Hello;
  readonly #parts: LinkParts;
  readonly #main: Channel;
  readonly #bucket: TokenBucket;
  #bulk: Channel | undefined;
  #bulkOutbox: Outbox;
  #closed = false;

  constructor(
    socket: MeshSocket,
    peer: Hello,
    about: { readonly generation: number; readonly via: string | undefined },
    parts: LinkParts,
  ) {
    this.#peer = peer;
    this.generation = about.generation;
    this.via = about.via;
    this.#parts = parts;
    this.sinceMs = parts.nowMs();
    this.#bucket = new TokenBucket(parts.bulkBytesPerSecond, this.sinceMs);
    this.#bulkOutbox = new Outbox(parts.limits);
    this.#main = new Channel(
      socket,
      new Outbox(parts.limits),
      this.#channel(undefined, (reason) => this.#lose(reason)),
    );
  }

  /** What it has told of itself. */
  get peer(): Hello {
    return this.#peer;
  }

  /** Starts to hear the peer; the link may be lost during the call. */
  open(): void {
    const { correspondence, nowMs } = this.#parts;
    for (const sender of correspondence.senders) sender.connected(nowMs(), this.#resend);
    this.#main.socket.listener = this.#main;
    this.flush();
  }

  get hasBulk(): boolean {
    return this.#bulk !== undefined;
  }

  /** Bytes that wait, of one priority. */
  queuedBytes(priority: number): number {
    return (priority === bulkPriority ? this.#bulkOutbox : this.#main.outbox).laneBytes(priority);
  }

  /** Bytes of bulk that were sent and not acknowledged. */
  get unackedBulkBytes(): number {
    return this.#bulk?.unackedBytes ?? 0;
  }

  /** The peer's connection for bulk; it replaces the one before. */
  attachBulk(socket: MeshSocket): void {
    const before = this.#bulk;
    // Numbers for streams and kinds that the connection before has announced are not known on this one.
    if (before !== undefined) this.#bulkOutbox = new Outbox(this.#parts.limits);
    const channel: Channel = new Channel(
      socket,
      this.#bulkOutbox,
      this.#channel(this.#bucket, () => {
        if (this.#bulk !== channel) return;
        this.#bulk = undefined;
        this.#bulkOutbox = new Outbox(this.#parts.limits);
      }),
    );
    this.#bulk = channel;
    before?.socket.cut('replaced');
    socket.listener = channel;
    channel.pump();
  }

  put(parcel: Parcel, sequence?: number): Put {
    const outbox = parcel.priority === 'low' ? this.#bulkOutbox : this.#main.outbox;
    const put = outbox.put(parcel, sequence);
    if (put === 'taken') {
      this.#parts.meter.count('out', priorities.indexOf(parcel.priority), parcel.bytes.length);
    } else if (put === 'overflow') this.cut('too much waits for it');
    return put;
  }

  /** Sends what may be sent now. */
  flush(): void {
    this.#main.pump();
    this.#bulk?.pump();
  }

  /** Tells the peer that this node has come to belong to a cluster. */
  identify(clusterId: string): void {
    this.#main.outbox.control(recordTypes.identity, new ByteWriter().varText(clusterId).finish());
    this.#main.pump();
  }

  tick(nowMs: number, pausedMs: number): void {
    for (const sender of this.#parts.correspondence.senders) sender.tick(nowMs, this.#resend);
    this.#main.tick(nowMs, pausedMs);
    this.#bulk?.tick(nowMs, pausedMs);
  }

  cut(reason: string): void {
    this.#main.socket.cut(reason);
  }

  readonly #resend = (parcel: Parcel, sequence: number): void => {
    this.put(parcel, sequence);
  };

  #lose(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#bulk?.socket.cut('the link is gone');
    this.#parts.lost(this, reason);
  }

  #channel(bucket: TokenBucket | undefined, closed: (reason: string) => void): ChannelParts {
    const { own, limits, meter, nowMs, correspondence, deliver } = this.#parts;
    return {
      own,
      peer: this.peer.node,
      limits,
      meter,
      nowMs,
      bucket,
      closed,
      arrived: (parcel, priority, sequence) => {
        meter.count('in', priority, parcel.bytes.length);
        if (sequence !== undefined) {
          const first = correspondence.receivers[priority]?.takes(this.peer.boot, sequence);
          const channel = bucket === undefined ? this.#main : this.#bulk;
          channel?.tellDelivered(sequence, priority);
          if (first !== true) return;
        }
        deliver(parcel);
      },
      delivered: (sequence, priority) => correspondence.senders[priority]?.delivered(sequence),
      identified: (clusterId) => {
        this.#peer = { ...this.#peer, clusterId };
        this.#parts.identified(this);
      },
      roundTrip: (ms) => {
        // A peer may answer what it was not asked.
        if (bucket !== undefined || !(ms >= 0 && ms < roundTripMsMax)) return;
        this.roundTripMs = ms;
        meter.roundTrip.observe(ms / 1000);
      },
    };
  }
}
