/** A transaction of a session: one snapshot, one buffer, one view of the catalogue. */
import type { Timestamp } from '../../base/ids.js';
import type { ShardAccess } from '../../shard/protocol.js';
import type { Span, Visit } from '../../storage/engine.js';
import { type SnapshotReader, TransactionBuffer } from '../../txn/buffer.js';
import { type CatalogueCache, TransactionCatalogue } from '../catalogue/index.js';
import type { MemoryAccount } from '../memory.js';
import { isOfStatement, Numbers } from './numbers.js';

/** A shard at one snapshot. */
class SnapshotOf implements SnapshotReader {
  readonly #access: ShardAccess;
  readonly #at: Timestamp;

  constructor(access: ShardAccess, at: Timestamp) {
    this.#access = access;
    this.#at = at;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#access.get(key, this.#at);
  }

  scan(span: Span, visit: Visit, reverse?: boolean): void {
    this.#access.scan(span, this.#at, visit, reverse);
  }
}

/** A shard at its newest commit: for reads that begin and end within one turn. */
export class NewestOf implements SnapshotReader {
  readonly #access: ShardAccess;

  constructor(access: ShardAccess) {
    this.#access = access;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#access.get(key, this.#access.appliedTimestamp);
  }

  scan(span: Span, visit: Visit, reverse?: boolean): void {
    this.#access.scan(span, this.#access.appliedTimestamp, visit, reverse);
  }
}

export class Transaction {
  readonly snapshot: Timestamp;
  readonly buffer: TransactionBuffer;
  readonly numbers: Numbers;
  readonly catalogue: TransactionCatalogue;
  /** Its snapshot may be older than what was committed when it was opened. */
  readonly stale: boolean;
  /** BEGIN was said: it ends by COMMIT or ROLLBACK, not with its statements. */
  explicit: boolean;
  readOnly: boolean;
  readonly #access: ShardAccess;
  readonly #memory: MemoryAccount;
  #chargedBytes = 0;
  #open = true;

  /** What the buffer holds is charged to `memory`, the session's account. */
  constructor(
    access: ShardAccess,
    cache: CatalogueCache,
    memory: MemoryAccount,
    mode: { readonly explicit: boolean; readonly readOnly: boolean; readonly stale: boolean },
  ) {
    this.#access = access;
    this.#memory = memory;
    this.explicit = mode.explicit;
    this.readOnly = mode.readOnly;
    this.stale = mode.stale;
    this.snapshot = access.openSnapshot();
    this.buffer = new TransactionBuffer(new SnapshotOf(access, this.snapshot));
    this.numbers = new Numbers(access);
    this.catalogue = new TransactionCatalogue(access, this.buffer, cache, this.numbers);
  }

  /** A statement is executed, for the first time or again because it was short of numbers. */
  beginExecution(): void {
    this.numbers.beginExecution();
    this.buffer.beginStatement();
  }

  /**
   * The execution has ended, by `error` if that is given, which is thrown on when it counts. False
   * when it was done with provisional numbers: nothing of it is left, and it is to be done again.
   */
  endExecution(error?: unknown): boolean {
    const again = this.numbers.isProvisional && (error === undefined || isOfStatement(error));
    if (again || error !== undefined) this.buffer.abandonStatement();
    else this.buffer.endStatement();
    this.account();
    if (again) return false;
    if (error !== undefined) throw error;
    this.numbers.endStatement();
    return true;
  }

  /** Charges what the buffer has grown by; raises out_of_memory. */
  account(): void {
    const { bytes } = this.buffer;
    if (bytes > this.#chargedBytes) {
      this.#memory.charge(bytes - this.#chargedBytes);
    } else {
      this.#memory.release(this.#chargedBytes - bytes);
    }
    this.#chargedBytes = bytes;
  }

  /** Gives back snapshot and memory; the second time does nothing. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#access.closeSnapshot(this.snapshot);
    this.#memory.release(this.#chargedBytes);
    this.#chargedBytes = 0;
  }
}
