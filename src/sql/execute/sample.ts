/** TABLESAMPLE: which rows of a table a sample takes. */
import { raise } from '../../base/errors.js';
import type { Sample } from '../plan/relation.js';
import type { Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { type Evaluate, scopeOf } from './scope.js';

/** Whether the row at a key is taken; asked for the rows of a scan in their order, once each. */
export type Sampler = (key: Uint8Array) => boolean;

/** SYSTEM takes or leaves this many neighbours together, as PostgreSQL takes or leaves a page. */
const rowsPerBlock = 64;

export function compileSample(sample: Sample): (context: ExecutionContext) => Sampler {
  const scope = scopeOf([], undefined);
  const percentOf = compileExpression(sample.percent, scope);
  const seedOf = sample.seed && compileExpression(sample.seed, scope);
  const isSystem = sample.method === 'system';
  return (context) => {
    const cutoff = cutoffOf(percentOf([], context));
    const seed =
      seedOf === undefined ? context.functions.random.uint32() : readSeed(seedOf, context);
    if (!isSystem) return (key) => hashBytes(key, seed) < cutoff;
    let row = 0;
    return () => {
      const block = Math.floor(row / rowsPerBlock);
      row += 1;
      return finish(Math.imul(seed ^ block, hashPrime)) < cutoff;
    };
  };
}

function cutoffOf(percent: Value): number {
  if (percent === null) {
    raise('invalid_tablesample_argument', 'TABLESAMPLE parameter cannot be null');
  }
  const share = percent as number;
  if (!(share >= 0 && share <= 100)) {
    raise('invalid_tablesample_argument', 'sample percentage must be between 0 and 100');
  }
  return Math.round((2 ** 32 * share) / 100);
}

function readSeed(seedOf: Evaluate, context: ExecutionContext): number {
  const seed = seedOf([], context);
  if (seed === null) {
    raise('invalid_tablesample_repeat', 'TABLESAMPLE REPEATABLE parameter cannot be null');
  }
  const bits = new DataView(new ArrayBuffer(8));
  // As PostgreSQL's hashfloat8(): -0 is 0, all NaN are one.
  bits.setFloat64(0, seed === 0 ? 0 : (seed as number));
  return finish(bits.getUint32(0) ^ Math.imul(bits.getUint32(4), hashPrime));
}

const hashPrime = 0x0100_0193;

/** FNV-1a over the seed and the bytes; `finish` mixes the high bits, which decide here. */
function hashBytes(bytes: Uint8Array, seed: number): number {
  let hash = seed ^ 0x811c_9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, hashPrime);
  return finish(hash);
}

/** The finalizer of MurmurHash3. */
function finish(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85eb_ca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
