/**
 * Messages as bytes: by the codec of their type, otherwise as CBOR. CBOR keeps bigint, Uint8Array,
 * undefined, Map, Set and Date, and objects of classes made known by {@link registerClass}; it turns
 * -0 into 0. A type that needs more has a codec.
 */
import { addExtension, Encoder } from 'cbor-x';
import type { Message, MessageType } from './actor.js';

const cbor = new Encoder({
  useRecords: false,
  // What is decoded must not point into a ring's buffer, which is written again.
  copyBuffers: true,
} as ConstructorParameters<typeof Encoder>[0]);

/**
 * Lets objects of a class travel in messages without a codec: `toPlain` gives plain data, `fromPlain`
 * makes the object of it. `tag` is the CBOR tag, unique, from 40000 on.
 */
export function registerClass<T, P>(
  // biome-ignore lint/suspicious/noExplicitAny: a constructor's parameters do not matter here
  type: new (...parameters: any[]) => T,
  tag: number,
  toPlain: (value: T) => P,
  fromPlain: (plain: P) => T,
): void {
  addExtension({
    Class: type,
    tag,
    encode: (value: T, encode: (plain: P) => Uint8Array) => encode(toPlain(value)),
    decode: fromPlain,
  } as never);
}

/** The bytes of a message; valid for good. */
export function encodeMessage(type: MessageType, message: Message): Uint8Array {
  return type.codec === undefined ? cbor.encode(message) : type.codec.encode(message);
}

/** The message of the bytes, which the caller may use again. Throws what its codec throws. */
export function decodeMessage(type: MessageType, bytes: Uint8Array): Message {
  const message: unknown =
    type.codec === undefined ? cbor.decode(bytes) : type.codec.decode(bytes.slice());
  if (typeof message !== 'object' || message === null) throw new TypeError('no message');
  if ((message as Message).kind !== type.kind) throw new TypeError('kind of message differs');
  return message as Message;
}
