/** Compression of chunks of snapshots by Node's zlib, at the levels that cost least for what they save. */
import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateRawSync,
  inflateRawSync,
} from 'node:zlib';
import type { Packer } from '../shard/index.js';

const brotliQuality = { [constants.BROTLI_PARAM_QUALITY]: 1 };

export const zlibPacker: Packer = {
  pack: (packing, bytes) =>
    packing === 'deflate'
      ? deflateRawSync(bytes, { level: 1 })
      : brotliCompressSync(bytes, { params: brotliQuality }),
  unpack: (packing, bytes, unpackedBytes) => {
    // zlib wants room for at least one byte.
    const options = { maxOutputLength: Math.max(1, unpackedBytes) };
    try {
      const whole =
        packing === 'deflate'
          ? inflateRawSync(bytes, options)
          : brotliDecompressSync(bytes, options);
      return whole.length === unpackedBytes ? whole : undefined;
    } catch {
      return undefined;
    }
  },
};
