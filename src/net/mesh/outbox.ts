/**
 * What waits for a connection: frames by priority and, before all others, control records. Numbers for
 * streams and kinds are announced as control records, so that they always arrive before their use.
 */
import type { Parcel } from '../../actors/index.js';
import { assert } from '../../base/assert.js';
import { Queue } from '../../base/queue.js';
import { Frame, varintBytes, writeVarint } from './frame.js';
import { frameBytes, kindsMax, type MeshLimits, nameLengthMax, streamsMax } from './limits.js';
import { priorities, recordTypes } from './wire.js';

/** Places of the sender and the receiver in one number. */
const placeFactor = 0x1_0000;

interface Lane {
  readonly frames: Queue<Frame>;
  last: Frame | undefined;
  bytes: number;
}

/** `full`: refused; `overflow`: even a reply finds no room, and the link must be cut. */
export type Put = 'taken' | 'full' | 'overflow';

export class Outbox {
  readonly #limits: MeshLimits;
  readonly #lanes: readonly Lane[] = priorities.map(() => ({
    frames: new Queue<Frame>(),
    last: undefined,
    bytes: 0,
  }));
  readonly #kinds = new Map<string, number>();
  readonly #streams = new Map<number, number>();
  #control: Frame | undefined;
  #bytes = 0;

  constructor(limits: MeshLimits) {
    this.#limits = limits;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of one priority that wait. */
  laneBytes(priority: number): number {
    return this.#lanes[priority]?.bytes ?? 0;
  }

  control(type: number, body: Uint8Array): void {
    this.#control ??= new Frame();
    this.#control.add(type, body);
  }

  /** `sequence` marks a reliable parcel, which has room as a reply has. */
  put(parcel: Parcel, sequence?: number): Put {
    const priority = priorities.indexOf(parcel.priority);
    const lane = this.#lanes[priority];
    assert(lane !== undefined, 'a priority has its lane', parcel.priority);
    const size = parcel.bytes.length + parcel.to.name.length;
    if (size > this.#limits.parcelBytesMax) return 'full';
    const always = parcel.flow === 'reply' || sequence !== undefined;
    if (lane.bytes > 0 && lane.bytes + size > this.#limits.queueBytesMax && !always) return 'full';
    if (lane.bytes + size > this.#limits.replyBytesMax) return 'overflow';
    const { to, from } = parcel;
    const toName = to.name;
    const fromName = from?.name ?? '';
    assert(
      toName.length <= nameLengthMax && fromName.length <= nameLengthMax,
      'a name is too long',
    );
    const fromPlace = from === undefined ? 0 : from.place + 1;
    const stream = this.#stream(to.place, fromPlace);
    const kind = this.#kind(parcel.kind);
    const places = stream === 0 ? varintBytes(to.place) + varintBytes(fromPlace) : 0;
    const names = 1 + toName.length + (from === undefined ? 0 : 1 + fromName.length);
    const head = 1 + varintBytes(stream) + places + varintBytes(kind) + names;
    const marked = sequence === undefined ? 0 : varintBytes(sequence);
    const bodyBytes = marked + head + parcel.bytes.length;
    const write = (bytes: Buffer, start: number): void => {
      let at = sequence === undefined ? start : writeVarint(bytes, start, sequence);
      bytes[at] = 0;
      at = writeVarint(bytes, at + 1, stream);
      if (stream === 0) {
        at = writeVarint(bytes, at, to.place);
        at = writeVarint(bytes, at, fromPlace);
      }
      at = writeVarint(bytes, at, kind);
      at = writeName(bytes, at, toName);
      if (from !== undefined) at = writeName(bytes, at, fromName);
      bytes.set(parcel.bytes, at);
    };
    const base = sequence === undefined ? recordTypes.parcel : recordTypes.reliable;
    if (bodyBytes <= frameBytes / 2) {
      const frame = this.#frame(lane, bodyBytes);
      const at = frame.record(base + priority, bodyBytes);
      write(frame.bytes, at);
      frame.messages += 1;
    } else {
      const body = Buffer.allocUnsafe(bodyBytes);
      write(body, 0);
      this.#putPieces(lane, priority, base + priority, body);
    }
    lane.bytes += bodyBytes;
    this.#bytes += bodyBytes;
    return 'taken';
  }

  /**
   * The next frame to send: control, then the parcels of the highest priority that waits, if `allows` its
   * bytes.
   */
  take(allows: (priority: number, bytes: number) => boolean): Frame | undefined {
    if (this.#control !== undefined) {
      const control = this.#control;
      this.#control = undefined;
      return control;
    }
    for (let priority = 0; priority < this.#lanes.length; priority += 1) {
      const lane = this.#lanes[priority] as Lane;
      const frame = lane.frames.shift();
      if (frame === undefined) continue;
      if (!allows(priority, frame.payloadBytes)) {
        lane.frames.unshift(frame);
        // What is less urgent would go by the same window.
        return undefined;
      }
      if (lane.frames.length === 0) lane.last = undefined;
      const { length } = lane.frames;
      const bytes = length === 0 ? lane.bytes : Math.min(lane.bytes, frame.payloadBytes);
      lane.bytes -= bytes;
      this.#bytes -= bytes;
      return frame;
    }
    return undefined;
  }

  /** A frame of the lane with room for a record. */
  #frame(lane: Lane, bodyBytes: number): Frame {
    if (lane.last !== undefined && lane.last.payloadBytes + bodyBytes + 8 <= frameBytes) {
      return lane.last;
    }
    const frame = new Frame();
    lane.last = frame;
    lane.frames.push(frame);
    return frame;
  }

  #putPieces(lane: Lane, priority: number, type: number, body: Buffer): void {
    const pieceBytes = frameBytes - 64;
    for (let at = 0; at < body.length; at += pieceBytes) {
      const piece = body.subarray(at, at + pieceBytes);
      const final = at + pieceBytes >= body.length;
      const frame = this.#frame(lane, piece.length);
      frame.add(final ? type : recordTypes.piece + priority, piece);
      if (final) frame.messages += 1;
    }
  }

  #stream(toPlace: number, fromPlace: number): number {
    assert(toPlace < placeFactor && fromPlace < placeFactor, 'a place out of range', toPlace);
    const key = toPlace * placeFactor + fromPlace;
    const known = this.#streams.get(key);
    if (known !== undefined) return known;
    if (this.#streams.size >= streamsMax) return 0;
    const stream = this.#streams.size + 1;
    this.#streams.set(key, stream);
    const body = Buffer.allocUnsafe(
      varintBytes(stream) + varintBytes(toPlace) + varintBytes(fromPlace),
    );
    const at = writeVarint(body, 0, stream);
    writeVarint(body, writeVarint(body, at, toPlace), fromPlace);
    this.control(recordTypes.stream, body);
    return stream;
  }

  #kind(name: string): number {
    const known = this.#kinds.get(name);
    if (known !== undefined) return known;
    const kind = this.#kinds.size + 1;
    assert(kind <= kindsMax && name.length <= nameLengthMax, 'kinds are few and short', name);
    this.#kinds.set(name, kind);
    const body = Buffer.allocUnsafe(varintBytes(kind) + 1 + name.length);
    writeName(body, writeVarint(body, 0, kind), name);
    this.control(recordTypes.kind, body);
    return kind;
  }
}

/** Names are ASCII. */
function writeName(bytes: Buffer, at: number, name: string): number {
  bytes[at] = name.length;
  bytes.write(name, at + 1, 'latin1');
  return at + 1 + name.length;
}
