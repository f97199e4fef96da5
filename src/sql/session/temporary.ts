/**
 * What belongs to a session alone: temporary objects and their rows. They lie in memory under keys of
 * their own database, are read through the same buffers as all data and never become part of a proposal.
 */
import { byteString, bytesOfString, compareBytes } from '../../base/bytes.js';
import type { Span, Visit } from '../../storage/engine.js';
import { parseKey } from '../../storage/keys.js';
import { decodeCounter, encodeCounter, type Proposal, type Write } from '../../txn/index.js';
import { firstTemporaryId, temporaryDatabase, type TemporaryIds } from '../catalogue/index.js';
import type { MemoryAccount } from '../memory.js';

/** Bytes of an entry beside its key and value. An estimate. */
const entryBytes = 100;

/** Whether a key is one of temporary data. */
export function isTemporaryKey(key: Uint8Array): boolean {
  const parsed = key[4] === temporaryDatabase ? parseKey(key) : undefined;
  return parsed?.space === 'data' && parsed.database === temporaryDatabase;
}

export class TemporaryStore implements TemporaryIds {
  readonly #memory: MemoryAccount;
  readonly #pairs = new Map<string, Uint8Array>();
  readonly #counted = new Map<string, bigint>();
  #sorted: readonly string[] | undefined;
  #nextId = firstTemporaryId;
  #bytes = 0;

  /** What is kept is charged to `memory`. */
  constructor(memory: MemoryAccount) {
    this.#memory = memory;
  }

  get isEmpty(): boolean {
    return this.#pairs.size === 0;
  }

  next(): number {
    this.#nextId += 1;
    return this.#nextId - 1;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#pairs.get(byteString(key));
  }

  scan(span: Span, visit: Visit, reverse = false): void {
    this.#sorted ??= [...this.#pairs.keys()].sort((a, b) =>
      compareBytes(bytesOfString(a), bytesOfString(b)),
    );
    const from = lowerBound(this.#sorted, span.from);
    const to = lowerBound(this.#sorted, span.to);
    // What is visited may change the store: the order is that of the beginning.
    const names = this.#sorted.slice(from, to);
    if (reverse) names.reverse();
    for (const name of names) {
      const value = this.#pairs.get(name);
      if (value !== undefined && !visit(bytesOfString(name), value)) return;
    }
  }

  /** As the leader gives numbers: none twice, whatever becomes of the transaction. */
  take(key: Uint8Array, start: bigint, increment: bigint, count: number): bigint {
    const name = byteString(key);
    const stored = this.#pairs.get(name);
    const before =
      this.#counted.get(name) ?? (stored === undefined ? start - increment : decodeCounter(stored));
    const last = before + increment * BigInt(count);
    this.#counted.set(name, last);
    return last;
  }

  /** What a transaction wrote that has committed. */
  apply(writes: readonly Write[]): void {
    for (const write of writes) {
      switch (write.op) {
        case 'put':
          this.#put(byteString(write.key), write.value);
          break;
        case 'delete':
          this.#delete(byteString(write.key));
          break;
        case 'advance':
          this.#advance(write);
          break;
        case 'discard':
          this.#clear(write.storage);
          break;
        default:
          write satisfies never;
      }
    }
    this.#sorted = undefined;
  }

  /** Removes the rows of `span`. */
  clearSpan({ from, to }: Span): void {
    for (const name of [...this.#pairs.keys()]) {
      const key = bytesOfString(name);
      if (compareBytes(key, from) >= 0 && compareBytes(key, to) < 0) this.#delete(name);
    }
    this.#sorted = undefined;
  }

  /** Gives all back. */
  clear(): void {
    this.#pairs.clear();
    this.#counted.clear();
    this.#sorted = undefined;
    this.#memory.release(this.#bytes);
    this.#bytes = 0;
  }

  #clear(storage: number): void {
    for (const name of [...this.#pairs.keys()]) {
      const parsed = parseKey(bytesOfString(name));
      if (parsed.space === 'data' && parsed.storage === storage) this.#delete(name);
    }
  }

  #put(name: string, value: Uint8Array): void {
    this.#delete(name);
    const bytes = entryBytes + name.length + value.length;
    this.#memory.charge(bytes);
    this.#bytes += bytes;
    this.#pairs.set(name, value);
    this.#counted.delete(name);
  }

  #delete(name: string): void {
    const value = this.#pairs.get(name);
    if (value === undefined) return;
    const bytes = entryBytes + name.length + value.length;
    this.#memory.release(bytes);
    this.#bytes -= bytes;
    this.#pairs.delete(name);
  }

  #advance({ key, to, descending }: Extract<Write, { op: 'advance' }>): void {
    const name = byteString(key);
    const stored = this.#pairs.get(name);
    const counted = this.#counted.get(name);
    const before = stored && decodeCounter(stored);
    const further = before === undefined || (descending === true ? to < before : to > before);
    if (further) this.#put(name, encodeCounter(to));
    if (counted !== undefined) this.#counted.set(name, counted);
  }
}

function lowerBound(sorted: readonly string[], key: Uint8Array): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(bytesOfString(sorted[middle] ?? ''), key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A proposal without what belongs to the session, and that part of its writes. */
export function splitProposal(proposal: Proposal): {
  readonly lasting: Proposal;
  readonly own: readonly Write[];
} {
  const { writes, guards, objects, fences = [] } = proposal;
  const isTouched =
    writes.some(isOwn) ||
    guards.some(isTemporaryKey) ||
    !objects.every(lasts) ||
    !fences.every(lasts);
  if (!isTouched) return { lasting: proposal, own: nothing };
  const lasting = {
    ...proposal,
    writes: writes.filter((one) => !isOwn(one)),
    guards: guards.filter((key) => !isTemporaryKey(key)),
    objects: objects.filter(lasts),
    fences: fences.filter(lasts),
  };
  return { lasting, own: writes.filter(isOwn) };
}

const nothing: readonly Write[] = [];

function isOwn(write: Write): boolean {
  return write.op === 'discard' ? write.database === temporaryDatabase : isTemporaryKey(write.key);
}

function lasts({ object }: { readonly object: number }): boolean {
  return object < firstTemporaryId;
}
