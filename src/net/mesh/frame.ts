/**
 * One frame of records, laid out in a buffer so that the head of the WebSocket message (RFC 6455,
 * section 5.2) and the checksum fit before them: what is queued is not copied again. A dialer must mask
 * what it sends; a mask of zeros does so for nothing.
 */
import { crc32 } from 'node:zlib';
import { assert } from '../../base/assert.js';
import { raise } from '../../base/errors.js';

const checksumBytes = 4;
/** The longest head: 2 bytes, 8 of length, 4 of mask. */
const headBytesMax = 14;
const start = headBytesMax + checksumBytes;
const firstBytes = 512;
/** FIN and the opcode of a binary message. */
const binaryHead = 0x82;
const maskBit = 0x80;
const length16 = 126;
const length64 = 127;

/** Bytes of a number as a varint. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

export class Frame {
  /** Where to write; it may be another one after `record`. */
  bytes = Buffer.allocUnsafe(firstBytes);
  /** Messages that it holds, for metrics. */
  messages = 0;
  #end = start;

  /** Bytes that the peer receives as the message. */
  get payloadBytes(): number {
    return this.#end - headBytesMax;
  }

  get empty(): boolean {
    return this.#end === start;
  }

  /** Begins a record; the caller writes `bodyBytes` bytes of body at the position returned. */
  record(type: number, bodyBytes: number): number {
    const needed = this.#end + 1 + varintBytes(bodyBytes) + bodyBytes;
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
      this.bytes.copy(grown, 0, start, start);
      this.bytes.copy(grown, start, start, this.#end);
      this.bytes = grown;
    }
    this.bytes[this.#end] = type;
    const at = writeVarint(this.bytes, this.#end + 1, bodyBytes);
    this.#end = at + bodyBytes;
    assert(this.#end === needed, 'a record has another length than planned');
    return at;
  }

  add(type: number, body: Uint8Array): this {
    const at = this.record(type, body.length);
    this.bytes.set(body, at);
    return this;
  }

  /** The whole WebSocket message; nothing may be added afterwards. */
  seal(masked: boolean): Buffer {
    const { bytes } = this;
    const payload = this.payloadBytes;
    bytes.writeUInt32BE(crc32(bytes.subarray(start, this.#end)), headBytesMax);
    const lengthBytes = payload < length16 ? 0 : payload < 0x1_0000 ? 2 : 8;
    const from = headBytesMax - 2 - lengthBytes - (masked ? 4 : 0);
    const mask = masked ? maskBit : 0;
    bytes[from] = binaryHead;
    if (lengthBytes === 0) bytes[from + 1] = mask | payload;
    else if (lengthBytes === 2) {
      bytes[from + 1] = mask | length16;
      bytes.writeUInt16BE(payload, from + 2);
    } else {
      bytes[from + 1] = mask | length64;
      bytes.writeBigUInt64BE(BigInt(payload), from + 2);
    }
    if (masked) bytes.writeUInt32BE(0, headBytesMax - 4);
    return bytes.subarray(from, this.#end);
  }
}

export function writeVarint(bytes: Buffer, at: number, value: number): number {
  let position = at;
  let rest = value;
  while (rest > 0x7f) {
    bytes[position] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
    position += 1;
  }
  bytes[position] = rest;
  return position + 1;
}

/**
 * Calls `visit` for each record of a frame with the bytes of its body; false from it ends the walk. Raises
 * `data_corrupted` when the checksum does not fit or a record is cut off.
 */
export function readFrame(
  payload: Buffer,
  visit: (type: number, from: number, to: number) => boolean,
): void {
  if (payload.length < checksumBytes) raise('data_corrupted', 'a frame is too short');
  if (crc32(payload.subarray(checksumBytes)) !== payload.readUInt32BE(0)) {
    raise('data_corrupted', 'a frame does not fit its checksum');
  }
  let at = checksumBytes;
  while (at < payload.length) {
    const type = payload[at] as number;
    let length = 0;
    let factor = 1;
    for (at += 1; ; at += 1, factor *= 0x80) {
      const byte = payload[at];
      if (byte === undefined || factor > 0x1000_0000)
        raise('data_corrupted', 'a record is cut off');
      length += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    at += 1;
    if (length > payload.length - at) raise('data_corrupted', 'a record is cut off');
    if (!visit(type, at, at + length)) return;
    at += length;
  }
}
