/** Arithmetic and bits of int2, int4 and int8. Overflow is 22003. */
import { raise } from '../../base/errors.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';

function outOfRange(name: string): never {
  raise('numeric_value_out_of_range', `${name} out of range`);
}

function divisionByZero(): never {
  raise('division_by_zero', 'division by zero');
}

/** `value` if it is an int2. */
export function int2(value: number): number {
  return value >= -0x8000 && value <= 0x7fff ? value : outOfRange('smallint');
}

/** `value` if it is an int4. */
export function int4(value: number): number {
  return value >= -0x8000_0000 && value <= 0x7fff_ffff ? value : outOfRange('integer');
}

/** `value` if it is an int8. */
export function int8(value: bigint): bigint {
  return BigInt.asIntN(64, value) === value ? value : outOfRange('bigint');
}

/** Without -0, which no integer is. */
function divide(a: number, b: number): number {
  return b === 0 ? divisionByZero() : Math.trunc(a / b) + 0;
}

function modulo(a: number, b: number): number {
  return b === 0 ? divisionByZero() : (a % b) + 0;
}

function divide8(a: bigint, b: bigint): bigint {
  return b === 0n ? divisionByZero() : int8(a / b);
}

function modulo8(a: bigint, b: bigint): bigint {
  return b === 0n ? divisionByZero() : a % b;
}

type Check = (value: number) => number;

/** Operators between integers of at most 32 bits; the result has the wider type. */
function small(left: string, right: string, check: Check): Definition[] {
  const result = left === 'int4' || right === 'int4' ? 'int4' : 'int2';
  const signature = (operator: string) => `${left} ${operator} ${right}: ${result}`;
  return [
    define(signature('+'), (a: number, b: number) => check(a + b), { commutator: '+' }),
    define(signature('-'), (a: number, b: number) => check(a - b)),
    // A product that a double rounds is far out of range.
    define(signature('*'), (a: number, b: number) => check(a * b + 0), { commutator: '*' }),
    define(signature('/'), (a: number, b: number) => check(divide(a, b))),
  ];
}

/** Operators with int8 on at least one side. */
function large(left: string, right: string): Definition[] {
  const signature = (operator: string) => `${left} ${operator} ${right}: int8`;
  type Operand = number | bigint;
  return [
    define(signature('+'), (a: Operand, b: Operand) => int8(BigInt(a) + BigInt(b)), {
      commutator: '+',
    }),
    define(signature('-'), (a: Operand, b: Operand) => int8(BigInt(a) - BigInt(b))),
    define(signature('*'), (a: Operand, b: Operand) => int8(BigInt(a) * BigInt(b)), {
      commutator: '*',
    }),
    define(signature('/'), (a: Operand, b: Operand) => divide8(BigInt(a), BigInt(b))),
  ];
}

function single(type: 'int2' | 'int4', check: Check): Definition[] {
  const signature = (operator: string) => `${type} ${operator} ${type}: ${type}`;
  const narrow =
    type === 'int2' ? (value: number) => (value << 16) >> 16 : (value: number) => value;
  return [
    define(signature('%'), modulo),
    define(signature('&'), (a: number, b: number) => a & b, { commutator: '&' }),
    define(signature('|'), (a: number, b: number) => a | b, { commutator: '|' }),
    define(signature('#'), (a: number, b: number) => a ^ b, { commutator: '#' }),
    define(`${type} << int4: ${type}`, (a: number, b: number) => narrow(a << b)),
    define(`${type} >> int4: ${type}`, (a: number, b: number) => a >> b),
    define(`~ ${type}: ${type}`, (a: number) => ~a),
    define(`+ ${type}: ${type}`, (a: number) => a),
    define(`- ${type}: ${type}`, (a: number) => check(0 - a)),
    define(`@ ${type}: ${type}`, (a: number) => check(Math.abs(a))),
    define(`abs(${type}): ${type}`, (a: number) => check(Math.abs(a))),
    define(`mod(${type}, ${type}): ${type}`, modulo),
  ];
}

function abs8(a: bigint): bigint {
  return int8(a < 0n ? -a : a);
}

function gcd(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a;
  let y = b < 0n ? -b : b;
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

function lcm(a: bigint, b: bigint): bigint {
  if (a === 0n || b === 0n) return 0n;
  const product = (a / gcd(a, b)) * b;
  return product < 0n ? -product : product;
}

/** To a base that is a power of two, as two's complement. */
function toBase(base: number, bits: 32 | 64): (value: number | bigint) => string {
  return (value) => BigInt.asUintN(bits, BigInt(value)).toString(base);
}

export const integerFunctions: readonly Definition[] = [
  ...small('int2', 'int2', int2),
  ...small('int2', 'int4', int4),
  ...small('int4', 'int2', int4),
  ...small('int4', 'int4', int4),
  ...large('int2', 'int8'),
  ...large('int4', 'int8'),
  ...large('int8', 'int2'),
  ...large('int8', 'int4'),
  ...large('int8', 'int8'),
  ...single('int2', int2),
  ...single('int4', int4),
  define('int8 % int8: int8', modulo8),
  define('int8 & int8: int8', (a: bigint, b: bigint) => a & b, { commutator: '&' }),
  define('int8 | int8: int8', (a: bigint, b: bigint) => a | b, { commutator: '|' }),
  define('int8 # int8: int8', (a: bigint, b: bigint) => a ^ b, { commutator: '#' }),
  define('int8 << int4: int8', (a: bigint, b: number) => BigInt.asIntN(64, a << BigInt(b & 63))),
  define('int8 >> int4: int8', (a: bigint, b: number) => a >> BigInt(b & 63)),
  define('~ int8: int8', (a: bigint) => ~a),
  define('+ int8: int8', (a: bigint) => a),
  define('- int8: int8', (a: bigint) => int8(-a)),
  define('@ int8: int8', abs8),
  define('abs(int8): int8', abs8),
  define('mod(int8, int8): int8', modulo8),
  define('gcd(int4, int4): int4', (a: number, b: number) =>
    int4(Number(gcd(BigInt(a), BigInt(b)))),
  ),
  define('gcd(int8, int8): int8', (a: bigint, b: bigint) => int8(gcd(a, b))),
  define('lcm(int4, int4): int4', (a: number, b: number) =>
    int4(Number(lcm(BigInt(a), BigInt(b)))),
  ),
  define('lcm(int8, int8): int8', (a: bigint, b: bigint) => int8(lcm(a, b))),
  define('to_hex(int4): text', toBase(16, 32)),
  define('to_hex(int8): text', toBase(16, 64)),
  define('to_oct(int4): text', toBase(8, 32)),
  define('to_oct(int8): text', toBase(8, 64)),
  define('to_bin(int4): text', toBase(2, 32)),
  define('to_bin(int8): text', toBase(2, 64)),
];
