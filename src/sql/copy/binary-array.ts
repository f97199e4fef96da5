/** Arrays in their binary form (arrayfuncs.c's array_send and array_recv). */
import { raise } from '../../base/errors.js';
import {
  ArrayValue,
  countOf,
  printType,
  tooManyDimensions,
  type Type,
  type Value,
} from '../types/index.js';
import { badBinary, type BinaryCodec, tooShort } from './binary-codec.js';

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
      if (bytes.length < headerBytes) tooShort();
      const count = bytes.readInt32BE();
      if (count > dimensionsMax) tooManyDimensions(count);
      let at = headerBytes + dimensionBytes * count;
      if (count < 0) {
        raise('invalid_binary_representation', `invalid number of dimensions: ${count}`);
      }
      const flags = bytes.readInt32BE(4);
      if (flags !== 0 && flags !== 1) {
        raise('invalid_binary_representation', 'invalid array flags');
      }
      checkElement(bytes.readUInt32BE(8), element);
      if (bytes.length < at) tooShort();
      const at32 = (i: number): number => bytes.readInt32BE(headerBytes + lengthBytes * i);
      const dimensions = Array.from({ length: count }, (_, i) => at32(2 * i));
      const lowerBounds = Array.from({ length: count }, (_, i) => at32(2 * i + 1));
      const expected = countOf(dimensions);
      // Each element has its length at least: no more are read than there are bytes for.
      const room = (bytes.length - at) / lengthBytes;
      if (dimensions.some((length) => length < 0) || expected > room) badBinary();
      const elements: Value[] = [];
      while (elements.length < expected) {
        if (bytes.length - at < lengthBytes) tooShort();
        const length = bytes.readInt32BE(at);
        at += lengthBytes;
        if (length < -1 || bytes.length - at < length) tooShort();
        elements.push(length < 0 ? null : codec.read(bytes.subarray(at, at + length), context));
        at += Math.max(length, 0);
      }
      if (at !== bytes.length) badBinary();
      return expected === 0 ? ArrayValue.empty : new ArrayValue(dimensions, lowerBounds, elements);
    },
  };
}

function checkElement(oid: number, element: Type): void {
  if (oid === element.oid) return;
  const expected = `${element.oid} (${printType(element.name, -1)})`;
  const text = `binary data has array element type ${oid} instead of expected ${expected}`;
  raise('datatype_mismatch', text);
}
