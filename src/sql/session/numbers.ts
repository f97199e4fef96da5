/**
 * Numbers of sequences for one transaction. The leader's memory knows the last one given. On a node
 * that does not lead a statement is executed first with numbers that are guessed and counted; then as
 * many are taken of the leader and the statement is executed again with those, so that each number
 * taken is used (decision 16).
 */
import { assert } from '../../base/assert.js';
import { byteString } from '../../base/bytes.js';
import { DatabaseError } from '../../base/errors.js';
import type { Term } from '../../base/ids.js';
import type { ShardAccess } from '../../shard/protocol.js';
import { decodeCounter } from '../../txn/index.js';
import type { NumberSource } from '../catalogue/index.js';
import { isTemporaryKey, type TemporaryStore } from './temporary.js';

/** Consecutive numbers that the leader gave. */
interface Range {
  readonly first: bigint;
  readonly count: number;
}

/** A sequence that the statement uses and that is advanced elsewhere. */
interface Sequence {
  readonly key: Uint8Array;
  readonly start: bigint;
  readonly increment: bigint;
  readonly ranges: Range[];
  /** The range that numbers are handed out of, and how many of it were. */
  range: number;
  used: number;
  /** Numbers that this execution was short of. */
  wanted: number;
  /** The last number handed out, given or guessed. */
  last: bigint | undefined;
}

export class Numbers implements NumberSource {
  readonly #access: ShardAccess;
  readonly #temporary: TemporaryStore;
  #sequences: Map<string, Sequence> | undefined;
  #isProvisional = false;
  #term: Term | undefined;

  constructor(access: ShardAccess, temporary: TemporaryStore) {
    this.#access = access;
    this.#temporary = temporary;
  }

  /**
   * The oldest term that a number of this transaction was taken in; undefined without numbers. A
   * leader of another term refuses the commit, as it may have given the same numbers to others.
   */
  get term(): Term | undefined {
    return this.#term;
  }

  /** Whether this execution has used numbers that nobody gave: nothing of it may leave or count. */
  get isProvisional(): boolean {
    return this.#isProvisional;
  }

  /** An execution begins, the first of its statement or another with the numbers taken since. */
  beginExecution(): void {
    this.#isProvisional = false;
    for (const sequence of this.#sequences?.values() ?? []) {
      sequence.range = 0;
      sequence.used = 0;
      sequence.wanted = 0;
    }
  }

  /** The statement has ended: what it did not use is lost. */
  endStatement(): void {
    for (const sequence of this.#sequences?.values() ?? []) sequence.ranges.length = 0;
  }

  take(key: Uint8Array, start: bigint, increment: bigint, count: number): bigint {
    if (isTemporaryKey(key)) return this.#temporary.take(key, start, increment, count);
    if (this.#sequences === undefined && this.#access.givesNumbers) {
      return this.#takeHere(key, start, increment, count);
    }
    const sequence = this.#sequenceOf(key, start, increment);
    const given = takeGiven(sequence, count);
    if (given !== undefined) return given;
    if (!this.#isProvisional && this.#access.givesNumbers) {
      sequence.last = this.#takeHere(key, start, increment, count);
      return sequence.last;
    }
    this.#isProvisional = true;
    sequence.wanted += count;
    const before = sequence.last ?? this.#stored(key) ?? start - increment;
    sequence.last = before + increment * BigInt(count);
    return sequence.last;
  }

  /** What the last execution was short of. */
  get wanted(): readonly Readonly<Sequence>[] {
    return [...(this.#sequences?.values() ?? [])].filter(({ wanted }) => wanted > 0);
  }

  /** The leader of `term` gave all numbers wanted of the sequence; `last` is the last of them. */
  given(wanted: Readonly<Sequence>, last: bigint, term: Term): void {
    const sequence = this.#sequenceOf(wanted.key, wanted.start, wanted.increment);
    const count = sequence.wanted;
    assert(count > 0, 'given numbers that nobody wanted');
    sequence.ranges.push({ first: last - sequence.increment * BigInt(count - 1), count });
    sequence.wanted = 0;
    this.#term ??= term;
  }

  #takeHere(key: Uint8Array, start: bigint, increment: bigint, count: number): bigint {
    this.#term ??= this.#access.term;
    return this.#access.advanceSequence(key, start, increment, count);
  }

  #sequenceOf(key: Uint8Array, start: bigint, increment: bigint): Sequence {
    this.#sequences ??= new Map();
    const name = byteString(key);
    let sequence = this.#sequences.get(name);
    if (sequence === undefined) {
      sequence = {
        key: key.slice(),
        ...{ start, increment, ranges: [], range: 0, used: 0, wanted: 0, last: undefined },
      };
      this.#sequences.set(name, sequence);
    }
    return sequence;
  }

  /** A guess that is right when nobody else uses the sequence: then errors are those to come. */
  #stored(key: Uint8Array): bigint | undefined {
    const bytes = this.#access.get(key, this.#access.appliedTimestamp);
    return bytes === undefined ? undefined : decodeCounter(bytes);
  }
}

function takeGiven(sequence: Sequence, count: number): bigint | undefined {
  for (; sequence.range < sequence.ranges.length; sequence.range += 1, sequence.used = 0) {
    const range = sequence.ranges[sequence.range];
    if (range === undefined || range.count - sequence.used < count) continue;
    sequence.used += count;
    sequence.last = range.first + sequence.increment * BigInt(sequence.used - 1);
    return sequence.last;
  }
  return undefined;
}

/** Whether the error is the statement's own, which with other numbers may not come. */
export function isOfStatement(error: unknown): boolean {
  return error instanceof DatabaseError && error.kind !== 'query_canceled';
}
