/** Functions and operators of bit strings: chapter 9.6 of PostgreSQL's manual. */
import { raise } from '../../base/errors.js';
import { type Definition, define } from './definition.js';

function combine(name: string, bit: (a: boolean, b: boolean) => boolean) {
  return (a: string, b: string): string => {
    if (a.length !== b.length) {
      raise('string_data_length_mismatch', `cannot ${name} bit strings of different sizes`);
    }
    let result = '';
    for (let i = 0; i < a.length; i += 1) result += bit(a[i] === '1', b[i] === '1') ? '1' : '0';
    return result;
  };
}

/** The bits moved by `count` to the left, or to the right when negative; zeros come in. */
function shifted(bits: string, count: number): string {
  if (count >= 0) return bits.slice(count).padEnd(bits.length, '0');
  return bits.slice(0, Math.max(bits.length + count, 0)).padStart(bits.length, '0');
}

function bitAt(bits: string, index: number): number {
  checkIndex(bits, index);
  return bits[index] === '1' ? 1 : 0;
}

function withBit(bits: string, index: number, bit: number): string {
  checkIndex(bits, index);
  if (bit !== 0 && bit !== 1) raise('invalid_parameter_value', 'new bit must be 0 or 1');
  return bits.slice(0, index) + bit + bits.slice(index + 1);
}

function checkIndex(bits: string, index: number): void {
  if (index >= 0 && index < bits.length) return;
  const text = `bit index ${index} out of valid range (0..${bits.length - 1})`;
  raise('array_subscript_error', text);
}

/** The bits from the position `from`, counted from 1, on. */
function substring(bits: string, from: number, count?: number): string {
  if (count !== undefined && count < 0) {
    raise('substring_error', 'negative substring length not allowed');
  }
  const start = from - 1;
  const end = count === undefined ? bits.length : start + count;
  return bits.slice(Math.max(start, 0), Math.max(end, 0));
}

function overlay(bits: string, part: string, from: number, count = part.length): string {
  if (from <= 0) raise('substring_error', 'negative substring length not allowed');
  return bits.slice(0, from - 1) + part + bits.slice(Math.max(from - 1 + count, 0));
}

export const bitStringFunctions: readonly Definition[] = [
  define(
    'bit & bit: bit',
    combine('AND', (a, b) => a && b),
  ),
  define(
    'bit | bit: bit',
    combine('OR', (a, b) => a || b),
  ),
  define(
    'bit # bit: bit',
    combine('XOR', (a, b) => a !== b),
  ),
  define('~ bit: bit', (bits: string) => bits.replace(/[01]/g, (bit) => (bit === '1' ? '0' : '1'))),
  define('bit << int4: bit', shifted),
  define('bit >> int4: bit', (bits: string, count: number) => shifted(bits, -count)),
  define('varbit || varbit: varbit', (a: string, b: string) => a + b),
  define('length(bit): int4', (bits: string) => bits.length),
  define('bit_length(bit): int4', (bits: string) => bits.length),
  define('octet_length(bit): int4', (bits: string) => (bits.length + 7) >> 3),
  define('bit_count(bit): int8', (bits: string) => BigInt(bits.replaceAll('0', '').length)),
  define('get_bit(bit, int4): int4', bitAt),
  define('set_bit(bit, int4, int4): bit', withBit),
  define('position(bit, bit): int4', (bits: string, part: string) => bits.indexOf(part) + 1),
  define('substring(bit, int4): bit', substring),
  define('substring(bit, int4, int4): bit', substring),
  define('overlay(bit, bit, int4): bit', overlay),
  define('overlay(bit, bit, int4, int4): bit', overlay),
];
