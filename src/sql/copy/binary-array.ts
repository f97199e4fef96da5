/** Arrays in their binary form (arrayfuncs.c's array_send and array_recv). */
import { ArrayValue, countOf, tooManyDimensions, type Type, type Value } from '../types/index.js';
import { badBinary, type BinaryCodec } from './binary-values.js';

const headerBytes = 12;
const dimensionBytes = 8;
const lengthBytes = 4;
const dimensionsMax = 6;

export function arrayCodec(element: Type, codec: BinaryCodec): BinaryCodec {
  return {
    write(value, context) {
      const { dimensions, lowerBounds, elements } = value as ArrayValue;
      const head = Buffer.alloc(headerBytes + dimensionBytes * dimensions.length);
      head.writeInt32BE(dimensions.length);
      head.writeInt32BE(elements.includes(null) ? 1 : 0, 4);
      head.writeUInt32BE(element.oid, 8);
      for (const [i, length] of dimensions.entries()) {
        head.writeInt32BE(length, headerBytes + dimensionBytes * i);
        head.writeInt32BE(lowerBounds[i] ?? 1, headerBytes + dimensionBytes * i + 4);
      }
      const parts: Uint8Array[] = [head];
      for (const one of elements) {
        const bytes = one === null ? undefined : codec.write(one, context);
        const length = Buffer.alloc(lengthBytes);
        length.writeInt32BE(bytes?.length ?? -1);
        parts.push(length);
        if (bytes !== undefined) parts.push(bytes);
      }
      return Buffer.concat(parts);
    },
    read(bytes, context) {
      if (bytes.length < headerBytes) badBinary();
      const count = bytes.readInt32BE();
      if (count > dimensionsMax) tooManyDimensions(count);
      let at = headerBytes + dimensionBytes * count;
      if (count < 0 || bytes.length < at || bytes.readUInt32BE(8) !== element.oid) badBinary();
      const at32 = (i: number): number => bytes.readInt32BE(headerBytes + lengthBytes * i);
      const dimensions = Array.from({ length: count }, (_, i) => at32(2 * i));
      const lowerBounds = Array.from({ length: count }, (_, i) => at32(2 * i + 1));
      const expected = countOf(dimensions);
      // Each element has its length at least: no more are read than there are bytes for.
      const room = (bytes.length - at) / lengthBytes;
      if (dimensions.some((length) => length < 0) || expected > room) badBinary();
      const elements: Value[] = [];
      while (elements.length < expected) {
        if (bytes.length - at < lengthBytes) badBinary();
        const length = bytes.readInt32BE(at);
        at += lengthBytes;
        if (length < -1 || bytes.length - at < length) badBinary();
        elements.push(length < 0 ? null : codec.read(bytes.subarray(at, at + length), context));
        at += Math.max(length, 0);
      }
      if (at !== bytes.length) badBinary();
      return expected === 0 ? ArrayValue.empty : new ArrayValue(dimensions, lowerBounds, elements);
    },
  };
}
