/** A transaction of a session: one snapshot, one buffer, one view of the catalogue. */
import type { Timestamp } from '../../base/ids.js';
import type { ShardAccess } from '../../shard/protocol.js';
import type { Span, Visit } from '../../storage/engine.js';
import { type SnapshotReader, TransactionBuffer } from '../../txn/buffer.js';
import { type CatalogueCache, TransactionCatalogue } from '../catalogue/index.js';
import type { MemoryAccount } from '../memory.js';
import { DeferredConstraints } from './deferred.js';
import { isOfStatement, Numbers } from './numbers.js';
import type { SessionNotifications } from './notifications.js';
import type { Questions } from './questions.js';
import { isTemporaryKey, type TemporaryStore } from './temporary.js';

/** A shard at one snapshot, with what belongs to the session alone. */
class SnapshotOf implements SnapshotReader {
  readonly #access: ShardAccess;
  readonly #at: Timestamp;
  readonly #temporary: TemporaryStore;

  constructor(access: ShardAccess, at: Timestamp, temporary: TemporaryStore) {
    this.#access = access;
    this.#at = at;
    this.#temporary = temporary;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    if (isTemporaryKey(key)) return this.#temporary.get(key);
    return this.#access.get(key, this.#at);
  }

  scan(span: Span, visit: Visit, reverse?: boolean): void {
    if (isTemporaryKey(span.from)) this.#temporary.scan(span, visit, reverse);
    else this.#access.scan(span, this.#at, visit, reverse);
  }
}

/** What of its session goes with its transaction. */
interface Aside {
  readonly questions: Questions;
  readonly notifications: SessionNotifications;
}

/** A SAVEPOINT of a block. */
interface Savepoint {
  readonly name: string;
  /** The buffer's. */
  readonly mark: number;
  /** That of the checks that wait, of what is sent, of advisory locks. */
  readonly checks: number;
  readonly notifications: number;
  readonly locks: number;
  readonly readOnly: boolean;
}

/** A shard at its newest commit: for reads that begin and end within one turn. */
export class NewestOf implements SnapshotReader {
  readonly #access: ShardAccess;
  readonly #temporary: TemporaryStore;

  constructor(access: ShardAccess, temporary: TemporaryStore) {
    this.#access = access;
    this.#temporary = temporary;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    if (isTemporaryKey(key)) return this.#temporary.get(key);
    return this.#access.get(key, this.#access.appliedTimestamp);
  }

  scan(span: Span, visit: Visit, reverse?: boolean): void {
    if (isTemporaryKey(span.from)) this.#temporary.scan(span, visit, reverse);
    else this.#access.scan(span, this.#access.appliedTimestamp, visit, reverse);
  }
}

export class Transaction {
  readonly snapshot: Timestamp;
  readonly buffer: TransactionBuffer;
  readonly numbers: Numbers;
  readonly catalogue: TransactionCatalogue;
  readonly constraints: DeferredConstraints;
  /** Its snapshot may be older than what was committed when it was opened. */
  readonly stale: boolean;
  /** BEGIN was said: it ends by COMMIT or ROLLBACK, not with its statements. */
  explicit: boolean;
  readOnly: boolean;
  /** As BEGIN or SET TRANSACTION has said; undefined: as the settings say. */
  isolation: string | undefined;
  deferrable: boolean | undefined;
  /** A statement has read or written in it. */
  queried = false;
  /** The oldest first. */
  readonly savepoints: Savepoint[] = [];
  readonly #access: ShardAccess;
  readonly #memory: MemoryAccount;
  readonly #aside: Aside;
  #chargedBytes = 0;
  #open = true;
  /** Checks that waited before the statement that is executed. */
  #checksBefore = 0;
  /** And what was sent before it. */
  #sentBefore = 0;

  /** What the buffer holds is charged to `memory`, the session's account. */
  constructor(
    access: ShardAccess,
    cache: CatalogueCache,
    memory: MemoryAccount,
    temporary: TemporaryStore,
    aside: Aside,
    mode: { readonly explicit: boolean; readonly readOnly: boolean; readonly stale: boolean },
  ) {
    this.#access = access;
    this.#memory = memory;
    this.#aside = aside;
    this.explicit = mode.explicit;
    this.readOnly = mode.readOnly;
    this.stale = mode.stale;
    this.snapshot = access.openSnapshot();
    this.buffer = new TransactionBuffer(new SnapshotOf(access, this.snapshot, temporary));
    this.constraints = new DeferredConstraints(memory);
    this.numbers = new Numbers(access, temporary);
    const { buffer, numbers } = this;
    this.catalogue = new TransactionCatalogue(access, buffer, cache, numbers, temporary);
  }

  /** A statement is executed, for the first time or again because it was short of numbers. */
  beginExecution(): void {
    this.#checksBefore = this.constraints.mark;
    this.numbers.beginExecution();
    this.#aside.questions.beginExecution();
    this.#sentBefore = this.#aside.notifications.mark;
    this.buffer.beginStatement();
  }

  /**
   * The execution has ended, by `error` if that is given, which is thrown on when it counts. False
   * when it was done with provisional numbers or answers: nothing of it is left, and it is to be done again.
   */
  endExecution(error?: unknown): boolean {
    const isProvisional = this.numbers.isProvisional || this.#aside.questions.isProvisional;
    const again = isProvisional && (error === undefined || isOfStatement(error));
    if (again || error !== undefined) {
      this.buffer.abandonStatement();
      this.constraints.takeBack(this.#checksBefore);
      this.#aside.notifications.takeBack(this.#sentBefore);
    } else {
      this.buffer.endStatement();
    }
    this.account();
    if (again) return false;
    this.#aside.questions.endStatement();
    if (error !== undefined) throw error;
    this.numbers.endStatement();
    return true;
  }

  /** As `beginExecution` for DDL, which does several things after another: gives where to come back to. */
  beginDefinition(): number {
    const mark = this.buffer.savepoint();
    this.beginExecution();
    return mark;
  }

  /** As `endExecution`; nothing since `mark` is left when the execution does not count. */
  endDefinition(mark: number, error?: unknown): boolean {
    try {
      const counts = this.endExecution(error);
      if (!counts) this.#takeBack(mark);
      return counts;
    } catch (failure) {
      this.#takeBack(mark);
      throw failure;
    } finally {
      if (this.savepoints.length === 0) this.buffer.forgetSavepoints();
    }
  }

  /** SAVEPOINT; one of the same name is hidden by it. */
  addSavepoint(name: string, locks: number): void {
    const marks = { checks: this.constraints.mark, notifications: this.#aside.notifications.mark };
    const { readOnly } = this;
    this.savepoints.push({ name, mark: this.buffer.savepoint(), ...marks, locks, readOnly });
  }

  /** ROLLBACK TO, or RELEASE when `keep`. False when there is no such savepoint. */
  endSavepoint(name: string, keep: boolean): boolean {
    const index = this.savepoints.findLastIndex((one) => one.name === name);
    const savepoint = this.savepoints[index];
    if (savepoint === undefined) return false;
    // What SET TRANSACTION said within is over with it, either way.
    this.readOnly = savepoint.readOnly;
    this.savepoints.splice(keep ? index : index + 1);
    if (!keep) {
      this.#takeBack(savepoint.mark);
      this.constraints.takeBack(savepoint.checks);
      this.#aside.notifications.takeBack(savepoint.notifications);
    }
    if (this.savepoints.length === 0) this.buffer.forgetSavepoints();
    return true;
  }

  #takeBack(mark: number): void {
    this.buffer.rollbackTo(mark);
    this.catalogue.takenBack();
    this.numbers.endStatement();
    this.account();
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
    this.constraints.close();
    this.#memory.release(this.#chargedBytes);
    this.#chargedBytes = 0;
  }
}
