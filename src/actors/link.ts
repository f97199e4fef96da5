import { assert } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import type { PlaceId, Ref } from './actor.js';
import type { Dispatcher } from './dispatcher.js';
import { nameLengthMax } from './limits.js';

/** Stands for "no sender". */
const noPlace = 0xffff;

const headBytesMax = 4 + 3 * (nameLengthMax + 1);

/**
 * Addresses before a message that goes to another thread:
 *
 *     to.place:2 from.place:2 length:1 kind length:1 to.name length:1 from.name
 */
export class LinkCodec {
  readonly #node: NodeId;
  readonly #head = Buffer.allocUnsafeSlow(headBytesMax);

  constructor(node: NodeId) {
    this.#node = node;
  }

  /** The head of a message, valid until the next call. */
  encode(to: Ref<never>, from: Ref<never> | undefined, kind: string): Uint8Array {
    const head = this.#head;
    head.writeUInt16LE(to.place, 0);
    head.writeUInt16LE(from?.place ?? noPlace, 2);
    let at = this.#text(kind, 4);
    at = this.#text(to.name, at);
    at = this.#text(from?.name ?? '', at);
    return head.subarray(0, at);
  }

  /** Hands the message that lies in `bytes` from `start` to `end` to the dispatcher. */
  deliver(dispatcher: Dispatcher, bytes: Buffer, start: number, end: number): void {
    const toPlace = bytes.readUInt16LE(start) as PlaceId;
    const fromPlace = bytes.readUInt16LE(start + 2);
    const kindAt = start + 4;
    const toAt = kindAt + 1 + bytes.readUInt8(kindAt);
    const fromAt = toAt + 1 + bytes.readUInt8(toAt);
    const bodyAt = fromAt + 1 + bytes.readUInt8(fromAt);
    assert(bodyAt <= end, 'addresses are longer than their record');
    const to: Ref<never> = {
      node: this.#node,
      place: toPlace,
      name: bytes.toString('latin1', toAt + 1, fromAt),
    };
    const from: Ref<never> | undefined =
      fromPlace === noPlace
        ? undefined
        : {
            node: this.#node,
            place: fromPlace as PlaceId,
            name: bytes.toString('latin1', fromAt + 1, bodyAt),
          };
    const kind = bytes.toString('latin1', kindAt + 1, toAt);
    dispatcher.deliverBytes(to, from, kind, bytes.subarray(bodyAt, end));
  }

  #text(text: string, at: number): number {
    assert(text.length <= nameLengthMax, 'name is too long', text);
    // For texts as short as these a loop is several times faster than a call of Buffer.
    const head = this.#head;
    for (let i = 0; i < text.length; i += 1) head[at + 1 + i] = text.charCodeAt(i);
    head[at] = text.length;
    return at + 1 + text.length;
  }
}
