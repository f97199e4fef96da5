/** How chunks of snapshots are compressed; the composition brings the means, as this folder has none. */
import type { ResourceToken } from '../actors/actor.js';

/** By their number on the wire. */
export const packings = ['none', 'deflate', 'brotli'] as const;
export type Packing = (typeof packings)[number];

/** Compresses bytes that a turn can bear: a chunk. Each call takes about a millisecond for 256 KiB. */
export interface Packer {
  pack(packing: Exclude<Packing, 'none'>, bytes: Uint8Array): Uint8Array;
  /** Undefined when they do not become exactly so many bytes. */
  unpack(
    packing: Exclude<Packing, 'none'>,
    bytes: Uint8Array,
    unpackedBytes: number,
  ): Uint8Array | undefined;
}

/** Chunks of snapshots are compressed by it. */
export const chunkPacker: ResourceToken<Packer> = { name: 'shard.packer' };

/** A part of a message that may be compressed, with all that is needed to undo it. */
export interface Packed {
  readonly packing: Packing;
  readonly bytes: Uint8Array;
  readonly unpackedBytes: number;
}

/** Left as it is when that is no longer. */
export function pack(packer: Packer, packing: Packing, bytes: Uint8Array): Packed {
  const unpackedBytes = bytes.length;
  if (packing !== 'none') {
    const packed = packer.pack(packing, bytes);
    if (packed.length < bytes.length) return { packing, bytes: packed, unpackedBytes };
  }
  return { packing: 'none', bytes, unpackedBytes };
}

/** Undefined when it is not what {@link pack} made. */
export function unpack(packer: Packer, packed: Packed): Uint8Array | undefined {
  const { packing, bytes, unpackedBytes } = packed;
  if (packing !== 'none') return packer.unpack(packing, bytes, unpackedBytes);
  return bytes.length === unpackedBytes ? bytes : undefined;
}
