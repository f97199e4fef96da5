/**
 * A store's engine: what is waited for in the log file, everything else in LMDB.
 *
 *     commit ------> log file (01, 02) --- other keys of the batch ---> LMDB
 *     commitLater ----------------------------------------------------> LMDB (03 and on)
 *
 * Each lane has its order; between the lanes there is none: after a crash a prefix of each is there. A
 * batch of `commit` is whole also when it holds keys of both: it is in the log first, and done again
 * at open where LMDB had not got it. The keys of the log belong to `commit` alone.
 */
import { assert } from '../base/assert.js';
import { compareBytes } from '../base/bytes.js';
import type { Batch, Engine, EngineStats, Put, Span, Ticket, Visit } from './engine.js';
import type { DurableListener } from './flush-queue.js';
import { keySpace } from './keys.js';
import { assertNotOfLog, isLogKey } from './live-records.js';
import type { LmdbEngine } from './lmdb.js';
import { LogFile, type LogFileOptions } from './log-file.js';

/** Where LMDB keeps the number of the last frame whose other keys it got; below all key spaces. */
const redoneKey = Buffer.of(0, 1);
const firstOfLmdb = Buffer.of(keySpace.applied);

export class StoreEngine implements Engine {
  readonly #log: LogFile;
  readonly #lmdb: LmdbEngine;
  readonly #listeners: DurableListener[] = [];
  #told = 0;
  #toldLater = 0;
  #failed = false;

  /** `lmdb` is the engine's own from the call on. */
  static async open(
    lmdb: LmdbEngine,
    options: Omit<LogFileOptions, 'redo' | 'redone'>,
  ): Promise<StoreEngine> {
    const kept = lmdb.get(redoneKey);
    const redone = kept === undefined ? 0 : Number(Buffer.from(kept).readBigUInt64BE());
    const commit = committer(lmdb);
    const redo = (sequence: number, puts: readonly Put[]): Promise<void> => {
      const value = Buffer.alloc(8);
      value.writeBigUInt64BE(BigInt(sequence));
      return commit([...puts, { key: redoneKey, value }]);
    };
    return new StoreEngine(await LogFile.open({ ...options, redo, redone }), lmdb);
  }

  private constructor(log: LogFile, lmdb: LmdbEngine) {
    this.#log = log;
    this.#lmdb = lmdb;
    log.onDurable((failure) => this.#tell(failure));
    lmdb.onDurable((failure) => this.#tell(failure));
  }

  get durableTicket(): Ticket {
    return this.#log.durableTicket;
  }

  get laterTicket(): Ticket {
    return this.#lmdb.laterTicket;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return isLogKey(key) ? this.#log.get(key) : this.#lmdb.get(key);
  }

  scan(span: Span, visit: Visit, reverse = false): void {
    const parts: (() => boolean)[] = [];
    if (compareBytes(span.from, firstOfLmdb) < 0) {
      parts.push(() => this.#log.scan(span, visit, reverse));
    }
    if (compareBytes(span.to, firstOfLmdb) > 0) {
      const from = compareBytes(span.from, firstOfLmdb) < 0 ? firstOfLmdb : span.from;
      parts.push(() => this.#scanLmdb({ from, to: span.to }, visit, reverse));
    }
    (reverse ? parts.reverse() : parts).every((part) => part());
  }

  keys(span: Span, keysMax = Number.POSITIVE_INFINITY): readonly Uint8Array[] {
    const ofLog = this.#log.keys(span);
    if (ofLog.length >= keysMax) return ofLog.slice(0, keysMax);
    const left = keysMax === Number.POSITIVE_INFINITY ? undefined : keysMax - ofLog.length;
    return [...ofLog, ...this.#lmdb.keys(span, left)];
  }

  commit(batch: Batch): Ticket {
    return this.#log.commit(batch);
  }

  commitLater(batch: Batch): Ticket {
    assertNotOfLog(batch);
    return this.#lmdb.commitLater(batch);
  }

  onDurable(listener: DurableListener): void {
    this.#listeners.push(listener);
  }

  stats(): EngineStats {
    return { ...this.#log.stats(), usedBytes: this.#lmdb.stats().usedBytes };
  }

  async close(): Promise<void> {
    await this.#log.close();
    await this.#lmdb.close();
  }

  #scanLmdb(span: Span, visit: Visit, reverse: boolean): boolean {
    let more = true;
    this.#lmdb.scan(
      span,
      (key, value) => {
        more = visit(key, value);
        return more;
      },
      reverse,
    );
    return more;
  }

  #tell(failure: Error | undefined): void {
    if (failure !== undefined) {
      if (this.#failed) return;
      this.#failed = true;
      // Nothing more becomes durable in the other lane either.
      this.#log.fail(failure);
      this.#lmdb.fail(failure);
    } else if (this.durableTicket === this.#told && this.laterTicket === this.#toldLater) return;
    this.#told = this.durableTicket;
    this.#toldLater = this.laterTicket;
    for (const listener of this.#listeners) listener(failure);
  }
}

/** Commits one batch after the other; resolves when it is durable, rejects with the engine's failure. */
function committer(engine: LmdbEngine): (batch: Batch) => Promise<void> {
  let settle: ((failure: Error | undefined) => void) | undefined;
  engine.onDurable((failure) => settle?.(failure));
  return (batch) =>
    new Promise((resolve, reject) => {
      assert(settle === undefined, 'one batch is redone at a time');
      const ticket = engine.commit(batch);
      settle = (failure) => {
        if (failure === undefined && engine.durableTicket < ticket) return;
        settle = undefined;
        if (failure === undefined) resolve();
        else reject(failure);
      };
    });
}
