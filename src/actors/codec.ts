/**
 * Messages as bytes: by the codec of their type, otherwise as CBOR. That keeps bigint, Uint8Array,
 * undefined, Map, Set, Date and -0, and objects of classes made known by {@link registerClass}. A
 * type that needs more has a codec.
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
 * makes the object of it. `tag` is the CBOR tag, unique, from 40001 on.
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

/** Stands for -0, which cbor-x writes as 0. */
class NegativeZero {}

const negativeZero = new NegativeZero();

registerClass(
  NegativeZero,
  40_000,
  () => null,
  () => -0 as unknown as NegativeZero,
);

/** The bytes of a message; valid for good. */
export function encodeMessage(type: MessageType, message: Message): Uint8Array {
  if (type.codec !== undefined) return type.codec.encode(message);
  return cbor.encode(hasNegativeZero(message) ? withNegativeZeros(message) : message);
}

function hasNegativeZero(value: unknown): boolean {
  if (typeof value === 'number') return Object.is(value, -0);
  if (Array.isArray(value)) return value.some(hasNegativeZero);
  return isPlain(value) && Object.values(value).some(hasNegativeZero);
}

function withNegativeZeros(value: unknown): unknown {
  if (Object.is(value, -0)) return negativeZero;
  if (Array.isArray(value)) return value.map(withNegativeZeros);
  if (!isPlain(value)) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, withNegativeZeros(each)]);
  return Object.fromEntries(entries) as unknown;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

/** The message of the bytes, which the caller may use again. Throws what its codec throws. */
export function decodeMessage(type: MessageType, bytes: Uint8Array): Message {
  // Not slice(): of a Buffer that is a view, and what is decoded would change with the ring.
  const message: unknown =
    type.codec === undefined ? cbor.decode(bytes) : type.codec.decode(Buffer.from(bytes));
  if (typeof message !== 'object' || message === null) throw new TypeError('no message');
  if ((message as Message).kind !== type.kind) throw new TypeError('kind of message differs');
  return message as Message;
}
