import { assert } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import type { PlaceId, Ref } from './actor.js';
import { nameLengthMax } from './limits.js';

/** Stands for "no sender". */
const noPlace = 0xffff;

const headBytesMax = 8 + 3 * (nameLengthMax + 1);

/** What the bytes of a record hold. */
export interface Addressed {
  readonly to: Ref<never>;
  readonly from: Ref<never> | undefined;
  readonly kind: string;
  readonly body: Buffer;
}

/**
 * Addresses before a message that goes to another thread:
 *
 *     to.node:2 to.place:2 from.node:2 from.place:2 length:1 kind length:1 to.name length:1 from.name
 */
export class LinkCodec {
  readonly #head = Buffer.allocUnsafeSlow(headBytesMax);

  /** The head of a message, valid until the next call. */
  encode(to: Ref<never>, from: Ref<never> | undefined, kind: string): Uint8Array {
    const head = this.#head;
    head.writeUInt16LE(to.node, 0);
    head.writeUInt16LE(to.place, 2);
    head.writeUInt16LE(from?.node ?? 0, 4);
    head.writeUInt16LE(from?.place ?? noPlace, 6);
    let at = this.#text(kind, 8);
    at = this.#text(to.name, at);
    at = this.#text(from?.name ?? '', at);
    return head.subarray(0, at);
  }

  /** The message that lies in `bytes` from `start` to `end`, its body as a view of them. */
  decode(bytes: Buffer, start: number, end: number): Addressed {
    const fromPlace = bytes.readUInt16LE(start + 6);
    const kindAt = start + 8;
    const toAt = kindAt + 1 + bytes.readUInt8(kindAt);
    const fromAt = toAt + 1 + bytes.readUInt8(toAt);
    const bodyAt = fromAt + 1 + bytes.readUInt8(fromAt);
    assert(bodyAt <= end, 'addresses are longer than their record');
    const to: Ref<never> = {
      node: bytes.readUInt16LE(start) as NodeId,
      place: bytes.readUInt16LE(start + 2) as PlaceId,
      name: bytes.toString('latin1', toAt + 1, fromAt),
    };
    const from: Ref<never> | undefined =
      fromPlace === noPlace
        ? undefined
        : {
            node: bytes.readUInt16LE(start + 4) as NodeId,
            place: fromPlace as PlaceId,
            name: bytes.toString('latin1', fromAt + 1, bodyAt),
          };
    const kind = bytes.toString('latin1', kindAt + 1, toAt);
    return { to, from, kind, body: bytes.subarray(bodyAt, end) };
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
