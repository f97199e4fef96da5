/**
 * The overlay: what a replica has applied and the engine does not hold durably yet, in memory and in
 * key order. Every read of the replica goes through it and sees the newest applied state.
 *
 *     applied entries --set--> overlay --takeGeneration--> one engine batch
 *                                 ^                              |
 *                                 +------- markDurable ----------+   (leaves unless set again since)
 *
 * Invariants:
 * - A generation is everything set since the one before it. With the applied index among its puts
 *   it takes the engine from the state at one applied index to the state at another, whole: the
 *   engine never holds a state that the replica was not in.
 * - A key leaves the overlay only when the engine holds, durably, the value it has in the overlay.
 * - Generations become durable in order.
 */
import { assert, must } from '../base/assert.js';
import { byteString } from '../base/bytes.js';
import { SortedMap, type SortedMapCursor } from '../base/sorted-map.js';
import type { Engine, Put, Span, Visit } from './engine.js';

/** What is to be committed as (part of) one batch; `number` counts from 1. */
export interface Generation {
  readonly number: number;
  readonly puts: Put[];
}

interface Entry {
  /** The bytes of the key, so that scans and batches need not make them again. */
  readonly key: Uint8Array;
  /** Undefined hides the engine's value: the key is deleted. */
  value: Uint8Array | undefined;
  /** The generation that takes the value to the engine. */
  generation: number;
}

/** Measured: what an entry costs beside the length of its key, and a value beside its bytes. */
const entryBytes = 220;
const valueBytes = 100;

export class Overlay {
  readonly #engine: Engine;
  #entries = new SortedMap<Entry>();
  /** Keys of the generation being gathered. */
  #dirty: string[] = [];
  #dirtyBytes = 0;
  #bytes = 0;
  /** The number of the generation being gathered. */
  #gathering = 1;
  /** Generations that were taken and are not durable, oldest first. */
  readonly #taken: { readonly number: number; readonly keys: readonly string[] }[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Bytes held in memory: keys, values and bookkeeping. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The part of {@link bytes} that no generation has taken yet. */
  get dirtyBytes(): number {
    return this.#dirtyBytes;
  }

  /** Sets or (undefined) deletes `key`. The overlay owns both arrays from the call on. */
  set(key: Uint8Array, value: Uint8Array | undefined): void {
    const name = byteString(key);
    const entry = this.#entries.get(name);
    const bytes = sizeOf(name, value);
    if (entry === undefined) {
      this.#entries.set(name, { key, value, generation: this.#gathering });
      this.#bytes += bytes;
      this.#dirty.push(name);
      this.#dirtyBytes += bytes;
      return;
    }
    const before = sizeOf(name, entry.value);
    this.#bytes += bytes - before;
    if (entry.generation === this.#gathering) this.#dirtyBytes += bytes - before;
    else {
      this.#dirty.push(name);
      this.#dirtyBytes += bytes;
    }
    entry.value = value;
    entry.generation = this.#gathering;
  }

  /** The newest value, valid until the next call of overlay or engine. */
  get(key: Uint8Array): Uint8Array | undefined {
    if (this.#entries.size === 0) return this.#engine.get(key);
    const entry = this.#entries.get(byteString(key));
    return entry === undefined ? this.#engine.get(key) : entry.value;
  }

  /** As the engine's scan, over the newest state. */
  scan(span: Span, visit: Visit, reverse = false): void {
    const from = byteString(span.from);
    const to = byteString(span.to);
    const cursor = reverse ? this.#entries.descend(to) : this.#entries.ascend(from);
    const inSpan = (key: string): boolean => (reverse ? key >= from : key < to);
    if (cursor.key === undefined || !inSpan(cursor.key)) {
      this.#engine.scan(span, visit, reverse);
      return;
    }
    let stopped = false;
    this.#engine.scan(
      span,
      (key, value) => {
        const name = byteString(key);
        const before = (other: string): boolean => (reverse ? other > name : other < name);
        stopped = !visitWhile(cursor, before, visit);
        if (stopped) return false;
        if (cursor.key === name) {
          const own = cursor.value.value;
          cursor.next();
          stopped = own !== undefined && !visit(key, own);
        } else stopped = !visit(key, value);
        return !stopped;
      },
      reverse,
    );
    if (!stopped) visitWhile(cursor, inSpan, visit);
  }

  /**
   * Everything set since the last generation, each key once with its newest value. The caller adds
   * its applied index, commits the puts as one batch, and calls markDurable with the number.
   */
  takeGeneration(): Generation {
    const keys = this.#dirty;
    const number = this.#gathering;
    this.#taken.push({ number, keys });
    this.#dirty = [];
    this.#dirtyBytes = 0;
    this.#gathering += 1;
    const puts = keys.map((name) => {
      const entry = must(this.#entries.get(name), 'a dirty key is in the overlay');
      assert(entry.generation === number, 'a dirty key belongs to its generation');
      return { key: entry.key, value: entry.value };
    });
    return { number, puts };
  }

  /** Forgets everything: the state is to be another one. No generation may be on its way. */
  clear(): void {
    assert(this.#taken.length === 0, 'a generation is on its way', this.#taken.length);
    this.#entries = new SortedMap<Entry>();
    this.#dirty = [];
    this.#dirtyBytes = 0;
    this.#bytes = 0;
  }

  /** The generations up to `number` are durable in the engine. */
  markDurable(number: number): void {
    assert(number < this.#gathering, 'the generation was not taken', number);
    for (let oldest = this.#taken[0]; oldest !== undefined; oldest = this.#taken[0]) {
      if (oldest.number > number) return;
      this.#taken.shift();
      for (const name of oldest.keys) {
        const entry = this.#entries.get(name);
        if (entry === undefined || entry.generation !== oldest.number) continue;
        this.#entries.delete(name);
        this.#bytes -= sizeOf(name, entry.value);
      }
    }
    assert(this.#bytes >= this.#dirtyBytes, 'dirty bytes are part of all bytes');
  }
}

/** Visits the overlay's own pairs while `within` holds; false when `visit` ended the scan. */
function visitWhile(
  cursor: SortedMapCursor<Entry>,
  within: (key: string) => boolean,
  visit: Visit,
): boolean {
  for (let key = cursor.key; key !== undefined && within(key); key = cursor.key) {
    const { key: bytes, value } = cursor.value;
    cursor.next();
    if (value !== undefined && !visit(bytes, value)) return false;
  }
  return true;
}

function sizeOf(key: string, value: Uint8Array | undefined): number {
  return entryBytes + key.length + (value === undefined ? 0 : valueBytes + value.length);
}
