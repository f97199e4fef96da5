/**
 * The engine in memory: for databases without a directory, for tests, and as the simulator's disk.
 *
 * It keeps the contract of a real one to the letter: what is committed cannot be read before its
 * flush ends; each of the two lanes has one flush in flight at a time and its own pace; a crash keeps a
 * prefix of the tickets of each.
 */
import { assert } from '../base/assert.js';
import { byteString, bytesOfString } from '../base/bytes.js';
import { DatabaseError, raise } from '../base/errors.js';
import { SortedMap } from '../base/sorted-map.js';
import type { Batch, Engine, EngineStats, Span, Ticket, Visit } from './engine.js';
import { type DurableListener, FlushQueue } from './flush-queue.js';
import { assertNotOfLog } from './live-records.js';
import { printKey } from './keys.js';

export interface MemoryEngineOptions {
  /** Calls `finish` when the flush that starts now shall end; by default after the current turn. */
  readonly schedule?: (finish: () => void) => void;
  /** What {@link MemoryEngine.crash} left of another engine. */
  readonly contents?: MemoryContents;
}

/** What lies on the simulated disk; opaque to others. */
export interface MemoryContents {
  readonly map: SortedMap<Uint8Array>;
  /** Keys whose values' checksums would not hold, were they on a disk. */
  readonly damaged: Set<string>;
  bytes: number;
}

export class MemoryEngine implements Engine {
  readonly #contents: MemoryContents;
  readonly #schedule: (finish: () => void) => void;
  /** Of `commit`, and of `commitLater`. */
  readonly #queue = new FlushQueue();
  readonly #later = new FlushQueue();
  #open = true;

  constructor(options: MemoryEngineOptions = {}) {
    this.#schedule = options.schedule ?? queueMicrotask;
    this.#contents = options.contents ?? {
      map: new SortedMap(),
      damaged: new Set(),
      bytes: 0,
    };
  }

  get durableTicket(): Ticket {
    return this.#queue.durableTicket;
  }

  /** Batches of `commit` that a crash now may lose. */
  get pending(): number {
    return this.#queue.pending.length;
  }

  /** As {@link pending}, of `commitLater`. */
  get pendingLater(): number {
    return this.#later.pending.length;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    assert(this.#open, 'the engine is closed');
    const name = byteString(key);
    const value = this.#contents.map.get(name);
    if (value !== undefined) this.#check(name);
    return value;
  }

  scan(span: Span, visit: Visit, reverse = false): void {
    assert(this.#open, 'the engine is closed');
    const from = byteString(span.from);
    const to = byteString(span.to);
    const { map } = this.#contents;
    const cursor = reverse ? map.descend(to) : map.ascend(from);
    for (let key = cursor.key; key !== undefined; key = cursor.key) {
      if (reverse ? key < from : key >= to) return;
      this.#check(key);
      if (!visit(bytesOfString(key), cursor.value)) return;
      cursor.next();
    }
  }

  commit(batch: Batch): Ticket {
    assert(this.#open, 'the engine is closed');
    return this.#give(this.#queue, batch);
  }

  get laterTicket(): Ticket {
    return this.#later.durableTicket;
  }

  commitLater(batch: Batch): Ticket {
    assert(this.#open, 'the engine is closed');
    assertNotOfLog(batch);
    return this.#give(this.#later, batch);
  }

  keys(span: Span, keysMax = Number.POSITIVE_INFINITY): readonly Uint8Array[] {
    const keys: Uint8Array[] = [];
    const cursor = this.#contents.map.ascend(byteString(span.from));
    const to = byteString(span.to);
    for (let key = cursor.key; key !== undefined && key < to; key = cursor.key) {
      if (keys.length >= keysMax) break;
      keys.push(bytesOfString(key));
      cursor.next();
    }
    return keys;
  }

  onDurable(listener: DurableListener): void {
    this.#queue.onDurable(listener);
    // The engine fails once, in both lanes.
    this.#later.onDurable((failure) => {
      if (failure === undefined) listener(undefined);
    });
  }

  stats(): EngineStats {
    return this.#queue.stats(this.#contents.bytes);
  }

  close(): Promise<void> {
    return Promise.all([this.#queue.settled(), this.#later.settled()]).then(() => {
      this.#open = false;
    });
  }

  /**
   * The process dies: of the pending batches the first `surviving` had reached the disk, and the first
   * `survivingLater` of the other lane; the others are lost. The engine is dead; what is left goes into
   * the next one.
   */
  crash(surviving: number, survivingLater = 0): MemoryContents {
    assert(surviving >= 0 && surviving <= this.pending, 'more survive than are pending', surviving);
    assert(
      survivingLater >= 0 && survivingLater <= this.pendingLater,
      'more survive than are pending',
      survivingLater,
    );
    assert(this.#open, 'the engine is closed');
    this.#open = false;
    for (const batch of this.#queue.pending.slice(0, surviving)) this.#apply(batch);
    for (const batch of this.#later.pending.slice(0, survivingLater)) this.#apply(batch);
    return this.#contents;
  }

  /** The disk fails now: nothing that is pending becomes durable. */
  fail(kind: 'disk_full' | 'io_error'): void {
    const failure = new DatabaseError(kind, 'the simulated disk failed');
    this.#later.fail(failure);
    this.#queue.fail(failure);
  }

  /** The value of `key` rots on the disk; reading it raises `data_corrupted` until it is set again. */
  damage(key: Uint8Array): void {
    assert(this.get(key) !== undefined, 'only a value that is there can rot');
    this.#contents.damaged.add(byteString(key));
  }

  #give(queue: FlushQueue, batch: Batch): Ticket {
    const ticket = queue.give(batch);
    if (queue.startable) this.#start(queue);
    return ticket;
  }

  #start(queue: FlushQueue): void {
    const { batches } = queue.take();
    this.#schedule(() => {
      // A crash or a failure overtook the flush.
      if (!this.#open || queue.failure !== undefined) return;
      for (const batch of batches) this.#apply(batch);
      queue.finish(0);
      if (this.#open && queue.startable) this.#start(queue);
    });
  }

  #apply(batch: Batch): void {
    const { map, damaged } = this.#contents;
    for (const { key, value } of batch) {
      const name = byteString(key);
      const old = map.get(name);
      if (old !== undefined) this.#contents.bytes -= key.length + old.length;
      damaged.delete(name);
      if (value === undefined) map.delete(name);
      else {
        // A copy, so that a short value does not keep the whole entry alive that it was cut from.
        map.set(name, Buffer.from(value));
        this.#contents.bytes += key.length + value.length;
      }
    }
  }

  #check(key: string): void {
    const { damaged } = this.#contents;
    if (damaged.size === 0 || !damaged.has(key)) return;
    raise('data_corrupted', `the value of ${printKey(bytesOfString(key))} fails its checksum`);
  }
}
