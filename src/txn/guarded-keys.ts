/**
 * What committed transactions have relied on without changing it: a row that references another one
 * guards its key. Whoever takes such a key away must not commit beside it, in whichever order the two
 * come; the key's own version does not tell, as guarding writes nothing.
 *
 * Only the leader knows, in memory: of what was guarded before its time it knows nothing, and refuses
 * those who began then.
 */
import type { LogIndex, Timestamp } from '../base/ids.js';

interface Guarded {
  readonly timestamp: Timestamp;
  /** The entry of who guarded it. */
  readonly index: LogIndex;
}

/** Keys that are remembered; beyond them all are forgotten. */
const keysMax = 100_000;

export class GuardedKeys {
  readonly #keys = new Map<string, Guarded>();
  /** What was guarded up to here is not known. */
  #knownSince: Timestamp;

  constructor(knownSince: Timestamp) {
    this.#knownSince = knownSince;
  }

  /** The transaction of the entry guards these keys, as byte strings. */
  note(keys: readonly string[], { timestamp, index }: Guarded): void {
    if (this.#keys.size + keys.length > keysMax) {
      this.#keys.clear();
      this.#knownSince = timestamp;
      return;
    }
    for (const key of keys) this.#keys.set(key, { timestamp, index });
  }

  /** Whether the key may have been guarded after `snapshot`; by which entry where that is known. */
  guardedSince(key: string, snapshot: Timestamp): 'no' | 'unknown' | LogIndex {
    if (snapshot < this.#knownSince) return 'unknown';
    const found = this.#keys.get(key);
    return found !== undefined && found.timestamp > snapshot ? found.index : 'no';
  }
}
