/** bit and varbit in their binary form: the number of bits before them (varbit.c's bit_send and bit_recv). */
import { raise } from '../../base/errors.js';
import { badBinary, type BinaryCodec, tooShort } from './binary-codec.js';

const headerBytes = 4;

export const bitCodec: BinaryCodec = {
  write(value) {
    const bits = value as string;
    const bytes = Buffer.alloc(headerBytes + Math.ceil(bits.length / 8));
    bytes.writeInt32BE(bits.length);
    for (let at = headerBytes; at < bytes.length; at += 1) {
      const from = (at - headerBytes) * 8;
      bytes[at] = Number.parseInt(bits.slice(from, from + 8).padEnd(8, '0'), 2);
    }
    return bytes;
  },
  read(bytes) {
    if (bytes.length < headerBytes) tooShort();
    const length = bytes.readInt32BE();
    if (length < 0) {
      raise('invalid_binary_representation', 'invalid length in external bit string');
    }
    const needed = headerBytes + Math.ceil(length / 8);
    if (bytes.length < needed) tooShort();
    if (bytes.length > needed) badBinary();
    const eights = [...bytes.subarray(headerBytes)].map((byte) =>
      byte.toString(2).padStart(8, '0'),
    );
    return eights.join('').slice(0, length);
  },
};
