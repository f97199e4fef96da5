/**
 * Numbers of sequences, given from memory: the stored value is raised when the transaction that took
 * them commits, and a number whose transaction never commits may be given again after a restart.
 */
import { byteString } from '../base/bytes.js';
import type { Write } from './transaction.js';
import { decodeCounter, isTombstone, payloadOf } from './version.js';
import type { VersionReader } from './read.js';

export class Sequences {
  readonly #reader: VersionReader;
  /**
   * One number for each sequence used since the start. None may be forgotten while advances are on
   * their way: the stored value does not count them yet.
   */
  readonly #last = new Map<string, bigint>();

  constructor(reader: VersionReader) {
    this.#reader = reader;
  }

  /** The last of the `count` numbers taken; see ShardAccess.advanceSequence. */
  take(key: Uint8Array, start: bigint, increment: bigint, count: number): bigint {
    const name = byteString(key);
    const before = this.#last.get(name) ?? this.#stored(key) ?? start - increment;
    const last = before + increment * BigInt(count);
    this.#last.set(name, last);
    return last;
  }

  /** This replica leads no more: what it gave and nobody committed is the next leader's to give. */
  clear(): void {
    this.#last.clear();
  }

  /** A commit was applied: a value that it set counts from now on. */
  applied(write: Write): void {
    if (this.#last.size === 0 || write.op === 'discard' || write.op === 'advance') return;
    // No value of a sequence: spares rows the look-up.
    if (write.op === 'put' && write.value.length !== 8) return;
    this.#last.delete(byteString(write.key));
  }

  #stored(key: Uint8Array): bigint | undefined {
    const version = this.#reader.get(key);
    if (version === undefined || isTombstone(version)) return undefined;
    return decodeCounter(payloadOf(version));
  }
}
