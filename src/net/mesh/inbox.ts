/**
 * What comes in by a connection that is taken: it undoes what {@link Outbox} does. Everything is
 * checked; what does not fit raises `data_corrupted`, and the connection ends.
 */
import type { Parcel } from '../../actors/index.js';
import type { PlaceId, Ref } from '../../actors/actor.js';
import { raise } from '../../base/errors.js';
import type { NodeId } from '../../base/ids.js';
import { readFrame } from './frame.js';
import { kindsMax, streamsMax } from './limits.js';
import { recordTypes } from './wire.js';

export type Arrived = Omit<Parcel, 'priority' | 'flow'>;

export interface InboxHost {
  /** A parcel; `sequence` is undefined but for reliable ones. */
  arrived(parcel: Arrived, priority: number, sequence: number | undefined): void;
  /** A record for the connection itself, also of a type that nobody knows. */
  control(type: number, body: Buffer): void;
}

interface Stream {
  readonly toPlace: PlaceId;
  /** Undefined for messages from outside any actor. */
  readonly fromPlace: PlaceId | undefined;
}

export class Inbox {
  readonly #own: NodeId;
  readonly #peer: NodeId;
  readonly #parcelBytesMax: number;
  readonly #host: InboxHost;
  readonly #streams: Stream[] = [];
  readonly #kinds: string[] = [];
  /** By priority, pieces of a parcel that is not whole. */
  readonly #pieces: Buffer[][] = [[], [], [], []];
  readonly #pieceBytes = [0, 0, 0, 0];
  #at = 0;

  constructor(own: NodeId, peer: NodeId, parcelBytesMax: number, host: InboxHost) {
    this.#own = own;
    this.#peer = peer;
    this.#parcelBytesMax = parcelBytesMax;
    this.#host = host;
  }

  /** One frame. */
  take(payload: Buffer): void {
    readFrame(payload, (type, from, to) => {
      this.#record(type, payload, from, to);
      return true;
    });
  }

  #record(type: number, payload: Buffer, from: number, to: number): void {
    if (type >= recordTypes.parcel && type < recordTypes.parcel + 4) {
      this.#whole(type - recordTypes.parcel, payload, from, to, false);
    } else if (type >= recordTypes.piece && type < recordTypes.piece + 4) {
      this.#piece(type - recordTypes.piece, payload.subarray(from, to));
    } else if (type >= recordTypes.reliable && type < recordTypes.reliable + 4) {
      this.#whole(type - recordTypes.reliable, payload, from, to, true);
    } else if (type === recordTypes.stream) {
      this.#at = from;
      const id = this.#varint(payload, to);
      if (id !== this.#streams.length + 1 || id > streamsMax) raise('data_corrupted', 'bad stream');
      this.#streams.push(this.#places(payload, to));
    } else if (type === recordTypes.kind) {
      this.#at = from;
      const id = this.#varint(payload, to);
      if (id !== this.#kinds.length + 1 || id > kindsMax) raise('data_corrupted', 'bad kind');
      this.#kinds.push(this.#name(payload, to));
    } else this.#host.control(type, payload.subarray(from, to));
  }

  #piece(priority: number, piece: Buffer): void {
    this.#pieceBytes[priority] = (this.#pieceBytes[priority] ?? 0) + piece.length;
    if ((this.#pieceBytes[priority] ?? 0) > this.#parcelBytesMax + 0x1000) {
      raise('data_corrupted', 'a message is too large');
    }
    this.#pieces[priority]?.push(piece);
  }

  #whole(priority: number, payload: Buffer, from: number, to: number, reliable: boolean): void {
    const pieces = this.#pieces[priority];
    if (pieces === undefined || pieces.length === 0) {
      this.#parcel(priority, payload, from, to, reliable);
      return;
    }
    const body = Buffer.concat([...pieces, payload.subarray(from, to)]);
    this.#pieces[priority] = [];
    this.#pieceBytes[priority] = 0;
    this.#parcel(priority, body, 0, body.length, reliable);
  }

  #parcel(priority: number, bytes: Buffer, from: number, end: number, reliable: boolean): void {
    this.#at = from;
    const sequence = reliable ? this.#varint(bytes, end) : undefined;
    if (bytes[this.#at] !== 0 || this.#at >= end) raise('data_corrupted', 'a message has marks');
    this.#at += 1;
    const id = this.#varint(bytes, end);
    const stream = id === 0 ? this.#places(bytes, end) : this.#streams[id - 1];
    const kind = this.#kinds[this.#varint(bytes, end) - 1];
    if (stream === undefined || kind === undefined) raise('data_corrupted', 'unknown number');
    const { toPlace, fromPlace } = stream;
    const to: Ref<never> = { node: this.#own, place: toPlace, name: this.#name(bytes, end) };
    const sender: Ref<never> | undefined =
      fromPlace === undefined
        ? undefined
        : { node: this.#peer, place: fromPlace, name: this.#name(bytes, end) };
    const parcel = { to, from: sender, kind, bytes: bytes.subarray(this.#at, end) };
    this.#host.arrived(parcel, priority, sequence);
  }

  #places(bytes: Buffer, end: number): Stream {
    const toPlace = this.#varint(bytes, end) as PlaceId;
    const fromPlace = this.#varint(bytes, end);
    return { toPlace, fromPlace: fromPlace === 0 ? undefined : ((fromPlace - 1) as PlaceId) };
  }

  #name(bytes: Buffer, end: number): string {
    const length = bytes[this.#at];
    const from = this.#at + 1;
    if (length === undefined || from + length > end) raise('data_corrupted', 'a name is cut off');
    this.#at = from + length;
    return bytes.toString('latin1', from, from + length);
  }

  #varint(bytes: Buffer, end: number): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = bytes[this.#at];
      if (byte === undefined || this.#at >= end) break;
      this.#at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    raise('data_corrupted', 'a number is cut off');
  }
}
