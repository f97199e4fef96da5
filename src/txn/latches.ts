/**
 * The keys and objects that proposals in flight are about to change. From the choice of its timestamp
 * until it is applied or dropped a proposal holds them: whoever would have to see the change is
 * refused, and told so once it can read it (pitfall 4b).
 */
import { assert } from '../base/assert.js';
import type { LogIndex, ObjectId } from '../base/ids.js';
import type { ObjectVersion } from './transaction.js';

export class Latches {
  readonly #keys = new Map<string, LogIndex>();
  readonly #objects = new Map<ObjectId, { readonly index: LogIndex; readonly version: number }>();

  get size(): number {
    return this.#keys.size;
  }

  /** The entry that is about to change the key (as a byte string). */
  holder(key: string): LogIndex | undefined {
    return this.#keys.get(key);
  }

  /** The entry that is about to make the version old. */
  fencer({ object, version }: ObjectVersion): LogIndex | undefined {
    const held = this.#objects.get(object);
    return held !== undefined && held.version > version ? held.index : undefined;
  }

  acquire(index: LogIndex, keys: readonly string[], fences: readonly ObjectVersion[]): void {
    for (const key of keys) {
      assert(!this.#keys.has(key), 'a key is latched twice', index);
      this.#keys.set(key, index);
    }
    for (const { object, version } of fences) this.#objects.set(object, { index, version });
  }

  release(index: LogIndex, keys: readonly string[], fences: readonly ObjectVersion[]): void {
    for (const key of keys) {
      assert(this.#keys.get(key) === index, 'a latch of another entry', index);
      this.#keys.delete(key);
    }
    for (const { object } of fences) {
      if (this.#objects.get(object)?.index === index) this.#objects.delete(object);
    }
  }
}
