/** SHA-2 (FIPS 180-4): for sha224() to sha512(), not for secrets. */

const primes = firstPrimes(80);

/** The first 64 bits of the fraction of a root, as two halves. */
type Fraction = readonly [number, number];

const cubeRoots = primes.map((prime) => fraction(BigInt(prime), 3n));
const squareRoots = primes.slice(0, 16).map((prime) => fraction(BigInt(prime), 2n));

function firstPrimes(count: number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n += 1) {
    if (found.every((prime) => n % prime !== 0)) found.push(n);
  }
  return found;
}

function fraction(value: bigint, degree: bigint): Fraction {
  const scaled = value << (64n * degree);
  let low = 0n;
  let high = 1n << 70n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** degree <= scaled) low = middle;
    else high = middle;
  }
  return [Number((low >> 32n) & 0xffff_ffffn) | 0, Number(low & 0xffff_ffffn) | 0];
}

const words256 = Int32Array.from(cubeRoots.slice(0, 64), ([high]) => high);
const words512 = Int32Array.from(cubeRoots.flat());

export function sha224(bytes: Uint8Array): Uint8Array {
  return short(
    bytes,
    squareRoots.slice(8, 16).map(([, low]) => low),
    28,
  );
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return short(bytes, initial256, 32);
}

export function sha384(bytes: Uint8Array): Uint8Array {
  return long(bytes, squareRoots.slice(8, 16).flat(), 48);
}

export function sha512(bytes: Uint8Array): Uint8Array {
  return long(bytes, squareRoots.slice(0, 8).flat(), 64);
}

/** The bytes with a bit after them and their length at the end of the last block. */
function padded(bytes: Uint8Array, blockSize: number): Buffer {
  const lengthSize = blockSize / 8;
  const blocks = Math.ceil((bytes.length + 1 + lengthSize) / blockSize);
  const whole = Buffer.alloc(blocks * blockSize);
  whole.set(bytes);
  whole[bytes.length] = 0x80;
  whole.writeUInt32BE((bytes.length * 8) >>> 0, whole.length - 4);
  whole.writeUInt32BE(Math.floor(bytes.length / 0x2000_0000), whole.length - 8);
  return whole;
}

function digestOf(state: Int32Array, size: number): Uint8Array {
  const digest = Buffer.alloc(state.length * 4);
  for (const [i, word] of state.entries()) digest.writeInt32BE(word, i * 4);
  return digest.subarray(0, size);
}

function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/** SHA-224 and SHA-256. */
function short(bytes: Uint8Array, initial: readonly number[], size: number): Uint8Array {
  const state = Int32Array.from(initial);
  const whole = padded(bytes, 64);
  const words = new Int32Array(64);
  for (let at = 0; at < whole.length; at += 64) {
    for (let i = 0; i < 16; i += 1) words[i] = whole.readInt32BE(at + i * 4);
    addShortBlock(state, words);
  }
  return digestOf(state, size);
}

/** Where SHA-256 begins. */
export const initial256: readonly number[] = squareRoots.slice(0, 8).map(([high]) => high);

/** Takes a block into the state of SHA-256: the first 16 of `words`, of which there are 64. */
export function addShortBlock(state: Int32Array, words: Int32Array): void {
  for (let i = 16; i < 64; i += 1) {
    const a = words[i - 15] ?? 0;
    const b = words[i - 2] ?? 0;
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    words[i] = (words[i - 16] ?? 0) + s0 + (words[i - 7] ?? 0) + s1;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i += 1) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choice = (e & f) ^ (~e & g);
    const first = (h + s1 + choice + (words256[i] ?? 0) + (words[i] ?? 0)) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + s0 + majority) | 0;
  }
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
  state[4] = (state[4] ?? 0) + e;
  state[5] = (state[5] ?? 0) + f;
  state[6] = (state[6] ?? 0) + g;
  state[7] = (state[7] ?? 0) + h;
}

/** The upper half of a pair of words turned to the right; with the halves exchanged, the lower one. */
function turn(high: number, low: number, by: number): number {
  return by < 32 ? (high >>> by) | (low << (32 - by)) : (low >>> (by - 32)) | (high << (64 - by));
}

/** SHA-384 and SHA-512: words of 64 bits lie as pairs, the upper half first. */
function long(bytes: Uint8Array, initial: readonly number[], size: number): Uint8Array {
  const state = Int32Array.from(initial);
  const whole = padded(bytes, 128);
  const words = new Int32Array(160);
  for (let at = 0; at < whole.length; at += 128) {
    for (let i = 0; i < 32; i += 1) words[i] = whole.readInt32BE(at + i * 4);
    for (let i = 32; i < 160; i += 2) extend(words, i);
    addLongBlock(state, words);
  }
  return digestOf(state, size);
}

function extend(words: Int32Array, i: number): void {
  const word = (at: number) => words[at] ?? 0;
  const [ah, al, bh, bl] = [word(i - 30), word(i - 29), word(i - 4), word(i - 3)];
  const s0High = turn(ah, al, 1) ^ turn(ah, al, 8) ^ (ah >>> 7);
  const s0Low = turn(al, ah, 1) ^ turn(al, ah, 8) ^ ((al >>> 7) | (ah << 25));
  const s1High = turn(bh, bl, 19) ^ turn(bh, bl, 61) ^ (bh >>> 6);
  const s1Low = turn(bl, bh, 19) ^ turn(bl, bh, 61) ^ ((bl >>> 6) | (bh << 26));
  const low = (s0Low >>> 0) + (s1Low >>> 0) + (word(i - 31) >>> 0) + (word(i - 13) >>> 0);
  words[i + 1] = low;
  words[i] = s0High + s1High + word(i - 32) + word(i - 14) + Math.floor(low / 2 ** 32);
}

function addLongBlock(state: Int32Array, words: Int32Array): void {
  const v = Int32Array.from(state);
  const at = (i: number) => v[i] ?? 0;
  for (let i = 0; i < 160; i += 2) {
    const [ah, al, bh, bl, ch, cl] = [at(0), at(1), at(2), at(3), at(4), at(5)];
    const [eh, el, fh, fl, gh, gl] = [at(8), at(9), at(10), at(11), at(12), at(13)];
    const s1High = turn(eh, el, 14) ^ turn(eh, el, 18) ^ turn(eh, el, 41);
    const s1Low = turn(el, eh, 14) ^ turn(el, eh, 18) ^ turn(el, eh, 41);
    const firstLow =
      (at(15) >>> 0) +
      (s1Low >>> 0) +
      (((el & fl) ^ (~el & gl)) >>> 0) +
      ((words512[i + 1] ?? 0) >>> 0) +
      ((words[i + 1] ?? 0) >>> 0);
    const firstHigh =
      (at(14) +
        s1High +
        ((eh & fh) ^ (~eh & gh)) +
        (words512[i] ?? 0) +
        (words[i] ?? 0) +
        Math.floor(firstLow / 2 ** 32)) |
      0;
    const s0High = turn(ah, al, 28) ^ turn(ah, al, 34) ^ turn(ah, al, 39);
    const s0Low = turn(al, ah, 28) ^ turn(al, ah, 34) ^ turn(al, ah, 39);
    const majorityHigh = (ah & bh) ^ (ah & ch) ^ (bh & ch);
    const majorityLow = (al & bl) ^ (al & cl) ^ (bl & cl);
    const [dh, dl] = [at(6), at(7)];
    v.copyWithin(2, 0, 14);
    const eLow = (dl >>> 0) + (firstLow >>> 0);
    v[9] = eLow;
    v[8] = dh + firstHigh + Math.floor(eLow / 2 ** 32);
    const aLow = (firstLow >>> 0) + (s0Low >>> 0) + (majorityLow >>> 0);
    v[1] = aLow;
    v[0] = firstHigh + s0High + majorityHigh + Math.floor(aLow / 2 ** 32);
  }
  for (let i = 0; i < 16; i += 2) {
    const low = ((state[i + 1] ?? 0) >>> 0) + (at(i + 1) >>> 0);
    state[i] = (state[i] ?? 0) + at(i) + Math.floor(low / 2 ** 32);
    state[i + 1] = low;
  }
}
