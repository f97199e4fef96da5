/**
 * The advisory locks of a shard: who holds what and who waits, in order. It changes only by operations, which come
 * by the log, so that all replicas have the same table and a new leader has nothing to rebuild (pitfall 5).
 *
 *     acquire -> granted | refused (would have to wait) | waits | deadlock | full | lost (its life has ended)
 *     release, end of a life -> those who waited are granted, the first first
 *
 * Invariants:
 * - Holders of a lock are one owner in whatever modes, or all hold it shared.
 * - Nobody waits who conflicts with no other holder and with nobody before him, and there is no cycle of waits.
 * - An owner waits for one lock at a time.
 */
import { assert, must, unreachable } from '../base/assert.js';
import type { ByteReader, ByteWriter } from '../base/bytes.js';
import type { NodeId } from '../base/ids.js';
import { type Claim, conflict, isFree, type Lock, type Owner } from './advisory-claims.js';
import { deadlockOf } from './advisory-deadlock.js';
import {
  type AdvisoryMode,
  type AdvisoryName,
  type AdvisoryOperation,
  type AdvisoryOwner,
  type AdvisoryRequest,
  type LifeId,
  readRequest,
  writeRequest,
} from './advisory-operations.js';
import { advisoryLocksMax } from './limits.js';

/** What became of a request, or of all of a life. */
export type AdvisoryEvent =
  | ({
      readonly kind: 'granted' | 'refused' | 'waits' | 'full' | 'lost';
    } & AdvisoryRequest)
  | ({
      readonly kind: 'deadlock';
      /** Who waits for whom, as PostgreSQL's DETAIL. */
      readonly detail: string;
    } & AdvisoryRequest)
  | { readonly kind: 'ended'; readonly life: LifeId };

/** A row of pg_locks. */
export interface AdvisoryRow {
  readonly name: AdvisoryName;
  readonly owner: AdvisoryOwner;
  readonly node: NodeId;
  readonly pid: number;
  readonly mode: AdvisoryMode;
  readonly granted: boolean;
}

interface Life {
  readonly node: NodeId;
  readonly owners: Map<number, Owner>;
}

export class AdvisoryLocks {
  readonly #lives = new Map<LifeId, Life>();
  readonly #locks = new Map<string, Lock>();
  /** Holds and waits. */
  #claims = 0;
  #events: AdvisoryEvent[] = [];

  get isEmpty(): boolean {
    return this.#lives.size === 0;
  }

  /** Lives that have not ended, with their nodes, in the order in which they began. */
  *lives(): Generator<{ readonly life: LifeId; readonly node: NodeId }> {
    for (const [life, { node }] of this.#lives) yield { life, node };
  }

  has(life: LifeId): boolean {
    return this.#lives.has(life);
  }

  /** Whether the session has a lock, or waits for one. */
  knows({ life, session }: AdvisoryOwner): boolean {
    return this.#lives.get(life)?.owners.has(session) === true;
  }

  /** Tells what the operations have brought about, in order. */
  apply(operations: readonly AdvisoryOperation[]): readonly AdvisoryEvent[] {
    this.#events = [];
    for (const operation of operations) this.#apply(operation);
    return this.#events;
  }

  /** For pg_locks: of each lock the holders first. */
  *rows(): Generator<AdvisoryRow & AdvisoryRequest> {
    for (const { name, holders, queue } of this.#locks.values()) {
      for (const claim of [...holders, ...queue]) {
        const { owner, mode, request } = claim;
        const { life, session, pid } = owner;
        const { node } = must(this.#lives.get(life), 'the life of an owner');
        const granted = owner.wait !== claim;
        yield { name, owner: { life, session }, node, pid, mode, granted, request };
      }
    }
  }

  /** The operations that make such a table of an empty one. */
  rebuild(): readonly AdvisoryOperation[] {
    const operations: AdvisoryOperation[] = [];
    for (const { life, node } of this.lives()) operations.push({ op: 'begin', life, node });
    // An owner that asks has given up what it waited for: waits come last.
    const rows = [...this.rows()].sort((a, b) => Number(b.granted) - Number(a.granted));
    for (const { owner, request, name, mode, pid } of rows) {
      operations.push({ op: 'acquire', owner, request, name, mode, pid, waits: true });
    }
    return operations;
  }

  encode(writer: ByteWriter): void {
    writer.uint32(this.#lives.size);
    for (const { life, node } of this.lives()) writer.uint53(life).uint32(node);
    writer.uint32(this.#claims);
    for (const row of this.rows()) {
      writeRequest(writer, row, !row.granted);
      writer.uint32(row.pid);
    }
  }

  static decode(reader: ByteReader): AdvisoryLocks {
    const locks = new AdvisoryLocks();
    for (let left = reader.uint32(); left > 0; left -= 1) {
      const life = reader.uint53() as LifeId;
      locks.#lives.set(life, { node: reader.uint32() as NodeId, owners: new Map() });
    }
    for (let left = reader.uint32(); left > 0; left -= 1) {
      const row = readRequest(reader);
      locks.#restore(row, reader.uint32());
    }
    return locks;
  }

  /** Puts a claim of an encoded table back, behind those of its lock that are there. */
  #restore(row: AdvisoryRequest & { readonly waits: boolean }, pid: number): void {
    const { owner: who, name, mode, request, waits } = row;
    const life = must(this.#lives.get(who.life), 'a claim of a life');
    const known = life.owners.get(who.session);
    const owner = known ?? { ...who, pid, holds: new Set(), wait: undefined };
    const key = keyOf(name);
    const lock = this.#locks.get(key) ?? { name, holders: [], queue: [] };
    this.#keep(owner, lock, life, key);
    const claim: Claim = { owner, lock, mode, request };
    this.#claims += 1;
    if (waits) {
      lock.queue.push(claim);
      owner.wait = claim;
    } else {
      lock.holders.push(claim);
      owner.holds.add(claim);
    }
  }

  #apply(operation: AdvisoryOperation): void {
    switch (operation.op) {
      case 'begin':
        this.#begin(operation.life, operation.node);
        return;
      case 'end':
        this.#end(operation.life);
        return;
      case 'acquire':
        this.#acquire(operation);
        return;
      case 'release':
        this.#release(operation);
        return;
      case 'leave':
        this.#leave(operation.owner);
        return;
      default:
        unreachable(operation);
    }
  }

  #begin(life: LifeId, node: NodeId): void {
    if (this.#lives.has(life)) return;
    for (const [other, { node: its }] of [...this.#lives]) if (its === node) this.#end(other);
    this.#lives.set(life, { node, owners: new Map() });
  }

  #leave({ life, session }: AdvisoryOwner): void {
    const owner = this.#lives.get(life)?.owners.get(session);
    if (owner === undefined) return;
    for (const lock of this.#dropAll(owner)) this.#wake(lock);
  }

  /** Gives the locks that have changed. */
  #dropAll(owner: Owner): readonly Lock[] {
    const touched: Lock[] = owner.wait === undefined ? [] : [this.#dropWait(owner.wait)];
    for (const hold of [...owner.holds]) touched.push(this.#dropHold(hold));
    return touched;
  }

  #end(life: LifeId): void {
    const ended = this.#lives.get(life);
    if (ended === undefined) return;
    const touched = new Set<Lock>();
    for (const owner of [...ended.owners.values()]) {
      for (const lock of this.#dropAll(owner)) touched.add(lock);
    }
    assert(ended.owners.size === 0, 'an owner outlives its life', ended.owners.size);
    this.#lives.delete(life);
    this.#events.push({ kind: 'ended', life });
    for (const lock of touched) this.#wake(lock);
  }

  #acquire(asked: Extract<AdvisoryOperation, { readonly op: 'acquire' }>): void {
    const { owner: who, mode, name, request, waits } = asked;
    const life = this.#lives.get(who.life);
    if (life === undefined) {
      this.#tell('lost', asked);
      return;
    }
    const known = life.owners.get(who.session);
    const owner = known ?? { ...who, pid: asked.pid, holds: new Set(), wait: undefined };
    // It was given up, and the word of that is late.
    if (owner.wait !== undefined) this.#wake(this.#dropWait(owner.wait));
    const key = keyOf(name);
    const lock = this.#locks.get(key) ?? { name, holders: [], queue: [] };
    const held = lock.holders.find((hold) => hold.owner === owner && hold.mode === mode);
    if (held !== undefined) {
      held.request = Math.max(held.request, request);
      this.#tell('granted', asked);
      return;
    }
    const claim: Claim = { owner, lock, mode, request };
    // Whoever has it already does not queue behind those who wait for him.
    const hasSome = lock.holders.some((hold) => hold.owner === owner);
    const isBehind = !hasSome && lock.queue.some((before) => conflict(before, claim));
    if (!isBehind && isFree(claim)) {
      if (this.#isFull(asked)) return;
      this.#keep(owner, lock, life, key);
      this.#grant(claim);
    } else if (!waits) this.#tell('refused', asked);
    else if (!this.#isFull(asked)) {
      this.#keep(owner, lock, life, key);
      const first = hasSome ? 0 : lock.queue.length;
      lock.queue.splice(first, 0, claim);
      owner.wait = claim;
      this.#claims += 1;
      this.#settle(claim, asked);
    }
  }

  #isFull(asked: AdvisoryRequest): boolean {
    if (this.#claims < advisoryLocksMax) return false;
    this.#tell('full', asked);
    return true;
  }

  #keep(owner: Owner, lock: Lock, life: Life, key: string): void {
    life.owners.set(owner.session, owner);
    this.#locks.set(key, lock);
  }

  /** The claim has come to wait: cycles that it closes are opened. */
  #settle(claim: Claim, asked: AdvisoryRequest): void {
    for (;;) {
      const found = deadlockOf(claim.owner);
      if (found === undefined) break;
      if (found.kind === 'jump') {
        // It waits for its turn only: letting it pass ends the cycle.
        removeFrom(found.claim.lock.queue, found.claim);
        found.claim.owner.wait = undefined;
        this.#claims -= 1;
        this.#grant(found.claim);
        if (found.claim === claim) return;
        continue;
      }
      const lock = this.#dropWait(claim);
      const { detail } = found;
      this.#events.push({ kind: 'deadlock', detail, ...requestOf(asked) });
      this.#wake(lock);
      return;
    }
    this.#tell('waits', asked);
  }

  #release({ owner: who, request, name, mode }: AdvisoryRequest): void {
    const owner = this.#lives.get(who.life)?.owners.get(who.session);
    const lock = this.#locks.get(keyOf(name));
    if (owner === undefined || lock === undefined) return;
    const isMeant = (claim: Claim): boolean =>
      claim.owner === owner && claim.mode === mode && claim.request <= request;
    const wait = lock.queue.find(isMeant);
    if (wait !== undefined) this.#dropWait(wait);
    const hold = lock.holders.find(isMeant);
    if (hold !== undefined) this.#dropHold(hold);
    this.#wake(lock);
  }

  #dropWait(claim: Claim): Lock {
    const { owner, lock } = claim;
    assert(owner.wait === claim, 'a wait of its owner', claim.request);
    removeFrom(lock.queue, claim);
    owner.wait = undefined;
    this.#forget(claim);
    return lock;
  }

  #dropHold(claim: Claim): Lock {
    const { owner, lock } = claim;
    removeFrom(lock.holders, claim);
    owner.holds.delete(claim);
    this.#forget(claim);
    return lock;
  }

  /** A claim is gone, and with it an owner and a lock that have no other. */
  #forget({ owner, lock }: Claim): void {
    this.#claims -= 1;
    assert(this.#claims >= 0, 'more claims are gone than there were', this.#claims);
    if (owner.holds.size === 0 && owner.wait === undefined) {
      this.#lives.get(owner.life)?.owners.delete(owner.session);
    }
    if (lock.holders.length + lock.queue.length === 0) this.#locks.delete(keyOf(lock.name));
  }

  /** Grants what can be had now, in order. */
  #wake(lock: Lock): void {
    let passed: Claim[] = [];
    for (const claim of [...lock.queue]) {
      if (!isFree(claim) || passed.some((before) => conflict(before, claim))) {
        passed = [...passed, claim];
        continue;
      }
      removeFrom(lock.queue, claim);
      claim.owner.wait = undefined;
      this.#claims -= 1;
      this.#grant(claim);
    }
  }

  #grant(claim: Claim): void {
    const { owner, lock, mode, request } = claim;
    assert(isFree(claim), 'a lock is granted against its holders', keyOf(lock.name));
    lock.holders.push(claim);
    owner.holds.add(claim);
    this.#claims += 1;
    const { life, session } = owner;
    const { name } = lock;
    this.#events.push({ kind: 'granted', owner: { life, session }, request, name, mode });
  }

  #tell(kind: 'granted' | 'refused' | 'waits' | 'full' | 'lost', asked: AdvisoryRequest): void {
    this.#events.push({ kind, ...requestOf(asked) });
  }
}

function requestOf({ owner, request, name, mode }: AdvisoryRequest): AdvisoryRequest {
  return { owner, request, name, mode };
}

function keyOf({ database, classId, objectId, isPair }: AdvisoryName): string {
  return `${database}/${classId}/${objectId}/${isPair ? 2 : 1}`;
}

function removeFrom(list: Claim[], claim: Claim): void {
  const at = list.indexOf(claim);
  assert(at >= 0, 'a claim is where it belongs', claim.request);
  list.splice(at, 1);
}
