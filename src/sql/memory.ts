/**
 * Memory accounts: a statement's within its session's within its node's (the place's). What is
 * charged to an account is charged to those above it.
 */
import { assert } from '../base/assert.js';
import { raise } from '../base/errors.js';

export class MemoryAccount {
  readonly #parent: MemoryAccount | undefined;
  /** The setting that limits the account, for errors. */
  readonly #limitName: string;
  readonly #limitBytes: number;
  #usedBytes = 0;

  constructor(limitName: string, limitBytes: number, parent?: MemoryAccount) {
    assert(limitBytes > 0, 'a memory limit is positive', limitName, limitBytes);
    this.#limitName = limitName;
    this.#limitBytes = limitBytes;
    this.#parent = parent;
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Takes memory; raises `out_of_memory` naming the limit, and then takes nothing anywhere. */
  charge(bytes: number): void {
    assert(bytes >= 0, 'a charge is not negative', bytes);
    if (this.#usedBytes + bytes > this.#limitBytes) {
      raise('out_of_memory', 'out of memory', {
        detail: `The limit ${this.#limitName} of ${this.#limitBytes} bytes is reached.`,
      });
    }
    this.#parent?.charge(bytes);
    this.#usedBytes += bytes;
  }

  release(bytes: number): void {
    assert(bytes >= 0 && bytes <= this.#usedBytes, 'released more than charged', bytes);
    this.#usedBytes -= bytes;
    this.#parent?.release(bytes);
  }

  /** Gives back all that is charged here: a statement has ended, however it did. */
  releaseAll(): void {
    this.release(this.#usedBytes);
  }
}
