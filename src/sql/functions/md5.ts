/** MD5 (RFC 1321): for md5(), not for secrets. */

const shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const sines = Int32Array.from({ length: 64 }, (_, i) =>
  Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32),
);

/** The digest of the bytes. */
export function md5(bytes: Uint8Array): Uint8Array {
  const padded = Buffer.alloc((((bytes.length + 8) >> 6) + 1) << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  padded.writeUInt32LE((bytes.length * 8) >>> 0, padded.length - 8);
  padded.writeUInt32LE(Math.floor(bytes.length / 0x2000_0000), padded.length - 4);
  const state = Int32Array.of(0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476);
  const words = new Int32Array(16);
  for (let at = 0; at < padded.length; at += 64) {
    for (let i = 0; i < 16; i += 1) words[i] = padded.readInt32LE(at + i * 4);
    addBlock(state, words);
  }
  const digest = Buffer.alloc(16);
  state.forEach((word, i) => {
    digest.writeInt32LE(word, i * 4);
  });
  return digest;
}

function addBlock(state: Int32Array, words: Int32Array): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (let i = 0; i < 64; i += 1) {
    const round = i >> 4;
    const mixed = mix(round, b, c, d);
    const word = words[wordIndex(round, i)] ?? 0;
    const sum = (a + mixed + (sines[i] ?? 0) + word) | 0;
    const shift = shifts[round * 4 + (i & 3)] ?? 0;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
  }
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
}

function mix(round: number, b: number, c: number, d: number): number {
  if (round === 0) return (b & c) | (~b & d);
  if (round === 1) return (d & b) | (~d & c);
  return round === 2 ? b ^ c ^ d : c ^ (b | ~d);
}

function wordIndex(round: number, i: number): number {
  if (round === 0) return i;
  if (round === 1) return (5 * i + 1) & 15;
  return round === 2 ? (3 * i + 5) & 15 : (7 * i) & 15;
}
