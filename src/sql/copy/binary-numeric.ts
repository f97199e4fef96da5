/** numeric in its binary form: digits to the base 10,000 (numeric.c's numeric_send). */
import { Numeric } from '../types/index.js';
import { badBinary, tooShort } from './binary-codec.js';

const base = 10_000n;
const digitsPerPart = 4;
const headerBytes = 8;

const sign = {
  positive: 0,
  negative: 0x4000,
  NaN: 0xc000,
  Infinity: 0xd000,
  '-Infinity': 0xf000,
} as const;

/** What PostgreSQL sends as the scale of the infinite ones. */
const infiniteScale = 0x20;

export function writeNumeric(value: Numeric): Uint8Array {
  if (value.kind !== 'finite') {
    const scale = value.kind === 'NaN' ? 0 : infiniteScale;
    return withHeader(0, scale, sign[value.kind], 0, []);
  }
  const { scale } = value;
  // The point is to lie between two parts.
  const padding = (digitsPerPart - (scale % digitsPerPart)) % digitsPerPart;
  let rest = (value.digits < 0n ? -value.digits : value.digits) * 10n ** BigInt(padding);
  const parts: number[] = [];
  for (; rest > 0n; rest /= base) parts.unshift(Number(rest % base));
  const partsAfterPoint = (scale + padding) / digitsPerPart;
  const weight = parts.length === 0 ? 0 : parts.length - partsAfterPoint - 1;
  while (parts.at(-1) === 0) parts.pop();
  return withHeader(
    weight,
    scale,
    value.digits < 0n ? sign.negative : sign.positive,
    parts.length,
    parts,
  );
}

function withHeader(
  weight: number,
  scale: number,
  signCode: number,
  count: number,
  parts: readonly number[],
): Uint8Array {
  const bytes = Buffer.alloc(headerBytes + 2 * parts.length);
  bytes.writeUInt16BE(count);
  bytes.writeInt16BE(weight, 2);
  bytes.writeUInt16BE(signCode, 4);
  bytes.writeUInt16BE(scale, 6);
  for (const [i, part] of parts.entries()) bytes.writeUInt16BE(part, headerBytes + 2 * i);
  return bytes;
}

/** Raises 22P03. */
export function readNumeric(bytes: Buffer): Numeric {
  if (bytes.length < headerBytes) tooShort();
  const count = bytes.readUInt16BE();
  const weight = bytes.readInt16BE(2);
  const signCode = bytes.readUInt16BE(4);
  const scale = bytes.readUInt16BE(6);
  if (bytes.length < headerBytes + 2 * count) tooShort();
  if (bytes.length > headerBytes + 2 * count) badBinary();
  if (signCode === sign.NaN) return Numeric.nan;
  if (signCode === sign.Infinity) return Numeric.infinity;
  if (signCode === sign['-Infinity']) return Numeric.negativeInfinity;
  if ((signCode !== sign.positive && signCode !== sign.negative) || scale > scaleMax) badBinary();
  let digits = 0n;
  for (let i = 0; i < count; i += 1) {
    const part = bytes.readUInt16BE(headerBytes + 2 * i);
    if (part >= Number(base)) badBinary();
    digits = digits * base + BigInt(part);
  }
  // The last part stands for base^(weight - count + 1).
  const exponent = digitsPerPart * (weight - count + 1) + scale;
  digits = exponent >= 0 ? digits * 10n ** BigInt(exponent) : digits / 10n ** BigInt(-exponent);
  return new Numeric(signCode === sign.negative ? -digits : digits, scale);
}

/** Of any numeric, as its type has it. */
const scaleMax = 16_383;
