/**
 * WebSocket text frames of a server (RFC 6455, section 5.2): a head of two to ten bytes, then UTF-8.
 * All frames of a turn are laid into one buffer: a socket that takes one buffer is much cheaper to
 * write to than one that takes two for each frame.
 */

/** FIN and the opcode of text. */
const textHead = 0x81;
const length16 = 126;
const length64 = 127;

/** One frame for each text, in order. */
export function textFrames(texts: readonly string[]): Buffer {
  const lengths = new Array<number>(texts.length);
  let size = 0;
  for (let i = 0; i < texts.length; i += 1) {
    const length = Buffer.byteLength(texts[i] as string);
    lengths[i] = length;
    size += headBytes(length) + length;
  }
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (let i = 0; i < texts.length; i += 1) {
    at = writeHead(bytes, at, lengths[i] as number);
    at += bytes.write(texts[i] as string, at);
  }
  return bytes;
}

function headBytes(length: number): number {
  if (length < length16) return 2;
  return length < 0x1_0000 ? 4 : 10;
}

function writeHead(bytes: Buffer, at: number, length: number): number {
  bytes[at] = textHead;
  if (length < length16) {
    bytes[at + 1] = length;
    return at + 2;
  }
  if (length < 0x1_0000) {
    bytes[at + 1] = length16;
    return bytes.writeUInt16BE(length, at + 2);
  }
  bytes[at + 1] = length64;
  return bytes.writeBigUInt64BE(BigInt(length), at + 2);
}
