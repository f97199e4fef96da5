/**
 * What is left to be done when a statement has written its rows: the actions of foreign keys, then
 * the checks of foreign keys and deferrable unique constraints. What a constraint defers goes to the
 * transaction instead.
 */
import { must } from '../../base/assert.js';
import type { ConstraintTiming, ForeignKeyAction } from '../catalogue/descriptor.js';
import type { Row, Value } from '../types/index.js';
import { byteString } from '../../base/bytes.js';
import type { ExecutionContext } from './execution.js';
import { type ForeignKey, WantedKeys } from './foreign-keys.js';
import type { IndexWriter } from './index-writer.js';
import { spanOfPrefix } from './table-rows.js';
import { Held, pause, rowsPerLook, type Stream } from './stream.js';
import type { TableWriter } from './table-writer.js';
import type { Reference, Writers } from './writers.js';

/** A constraint by the names that SET CONSTRAINTS knows. */
export interface ConstraintName {
  readonly schema: string;
  readonly name: string;
  readonly timing: ConstraintTiming;
}

/** A check that waits for the end of the transaction. */
export interface DeferredCheck {
  readonly constraint: ConstraintName;
  /** Approximate memory held. */
  readonly bytes: number;
  /** Raises what is broken. A statement of the buffer is open. */
  run(context: ExecutionContext): Stream;
}

/** The transaction's side of deferrable constraints. */
export interface Deferral {
  isDeferred(constraint: ConstraintName): boolean;
  add(check: DeferredCheck): void;
}

/** A row of a parent that is gone or has another key. */
interface KeyChange {
  readonly old: readonly Value[];
  /** Undefined when the row is gone. */
  readonly now: readonly Value[] | undefined;
}

/** An estimate of what a note holds, bytes. */
const noteBytes = 200;

export class StatementEnd {
  readonly #writers: Writers;
  readonly #held: Held;
  #wanted: Map<ForeignKey, WantedKeys> | undefined;
  #changes: Map<Reference, KeyChange[]> | undefined;
  /** Keys that must not be referenced any more, once all actions are done. */
  #released: Map<Reference, KeyChange[]> | undefined;
  /** By index, the groups of entries in which only one may stay. */
  #groups: Map<IndexWriter, Map<string, Group>> | undefined;

  constructor(writers: Writers, context: ExecutionContext) {
    this.#writers = writers;
    this.#held = new Held(context);
  }

  inserted(writer: TableWriter, row: Row, context: ExecutionContext): void {
    for (const key of this.#writers.foreignKeysOf(writer)) this.#want(key, row, context);
    this.#noteGroups(writer, row, context);
  }

  updated(writer: TableWriter, before: Row, row: Row, context: ExecutionContext): void {
    for (const key of this.#writers.foreignKeysOf(writer)) {
      if (differs(key.childSlots, before, row)) this.#want(key, row, context);
    }
    for (const reference of this.#writers.referencesTo(writer)) {
      const { parentSlots } = reference.key;
      if (differs(parentSlots, before, row)) this.#change(reference, before, row, context);
    }
    this.#noteGroups(writer, row, context);
  }

  deleted(writer: TableWriter, before: Row, context: ExecutionContext): void {
    for (const reference of this.#writers.referencesTo(writer)) {
      this.#change(reference, before, undefined, context);
    }
  }

  /** Does it all. Raises 23503, 23505 and what the actions raise. */
  *finish(context: ExecutionContext): Stream {
    try {
      yield* this.#act(context);
      yield* this.#checkReleased(context);
      yield* this.#checkWanted(context);
      yield* this.#checkGroups(context);
    } finally {
      this.#held.free();
    }
  }

  #want(key: ForeignKey, row: Row, context: ExecutionContext): void {
    const wanted = key.wantedBy(row, context);
    if (wanted === undefined) return;
    this.#wanted ??= new Map();
    let keys = this.#wanted.get(key);
    if (keys === undefined) {
      keys = new WantedKeys(key);
      this.#wanted.set(key, keys);
    }
    const bytes = keys.add(wanted);
    if (bytes > 0) this.#held.add(bytes);
  }

  #change(
    reference: Reference,
    before: Row,
    row: Row | undefined,
    context: ExecutionContext,
  ): void {
    const old = reference.key.keyOfParent(before);
    if (old === undefined) return;
    // Whoever references the key at the same time must not commit beside this.
    context.buffer.guard(reference.key.locate(old));
    const now = row && reference.key.parentSlots.map((slot) => row[slot] ?? null);
    this.#changes ??= new Map();
    listIn(this.#changes, reference).push({ old, now });
    this.#held.add(noteBytes);
  }

  #noteGroups(writer: TableWriter, row: Row, context: ExecutionContext): void {
    for (const index of writer.indexes) {
      if (!index.isDeferrable) continue;
      const prefix = index.group(row, context);
      if (prefix === undefined) continue;
      this.#groups ??= new Map();
      let groups = this.#groups.get(index);
      if (groups === undefined) {
        groups = new Map();
        this.#groups.set(index, groups);
      }
      groups.set(byteString(prefix), { prefix, row });
      this.#held.add(noteBytes);
    }
  }

  /** Actions change rows, which may lead to further actions. */
  *#act(context: ExecutionContext): Stream {
    while (this.#changes !== undefined) {
      const changes = this.#changes;
      this.#changes = undefined;
      for (const [reference, all] of changes) {
        context.buffer.nextCommand();
        const deletions = all.filter(({ now }) => now === undefined);
        const updates = all.filter(({ now }) => now !== undefined);
        const { onDelete, onUpdate } = reference.key.bound.key;
        if (deletions.length > 0) yield* this.#actOn(reference, onDelete, deletions, context);
        if (updates.length > 0) yield* this.#actOn(reference, onUpdate, updates, context);
      }
    }
  }

  *#actOn(
    reference: Reference,
    action: ForeignKeyAction,
    changes: readonly KeyChange[],
    context: ExecutionContext,
  ): Stream {
    // A default may be the very key that is gone.
    if (action === 'noAction' || action === 'setDefault') {
      this.#released ??= new Map();
      listIn(this.#released, reference).push(...changes);
      if (action === 'noAction') return;
    }
    const writer = this.#writers.of(reference.key.child.object);
    const keys = changes.map(({ old }) => old);
    for (const batch of reference.rows.find(keys, context)) {
      if (batch === pause) {
        yield pause;
        continue;
      }
      for (const { key, row, place } of batch) {
        const change = must(changes[place], 'a found key was looked for');
        if (action === 'restrict') reference.key.raiseReferenced(change.old, context);
        context.buffer.touch(writer.table.object, writer.table.version);
        if (action === 'cascade' && change.now === undefined) {
          writer.delete({ key, row }, context, this);
          continue;
        }
        const changed = [...row];
        reference.set(action, change.now, changed, context);
        writer.check(changed, context);
        writer.update({ key, row }, changed, context, this);
      }
    }
  }

  *#checkReleased(context: ExecutionContext): Stream {
    for (const [{ key, rows }, changes] of this.#released ?? []) {
      const run = function* (now: ExecutionContext): Stream {
        now.buffer.nextCommand();
        // Another row may have taken the place of the one that is gone.
        const gone = changes.map(({ old }) => old).filter((old) => !key.parentExists(old, now));
        for (const batch of gone.length === 0 ? [] : rows.find(gone, now)) {
          if (batch === pause) {
            yield pause;
            continue;
          }
          const place = batch[0]?.place ?? 0;
          key.raiseReferenced(must(gone[place], 'a found key was looked for'), now);
        }
      };
      yield* this.#runOrDefer(constraintOf(key), changes.length, run, context);
    }
  }

  *#checkWanted(context: ExecutionContext): Stream {
    for (const [key, wanted] of this.#wanted ?? []) {
      const rows = this.#writers.rowsOf(key);
      const run = function* (now: ExecutionContext): Stream {
        let looked = 0;
        for (const { values, at } of wanted.all()) {
          looked += 1;
          if (looked % rowsPerLook === 0 && now.turnIsOver()) yield pause;
          if (at !== undefined && now.buffer.getLatest(at) !== undefined) {
            now.buffer.guard(at);
            continue;
          }
          now.buffer.nextCommand();
          // The rows that referenced it may be gone or changed by now.
          for (const batch of rows.find([values], now)) {
            if (batch === pause) yield pause;
            else key.raiseMissing(values, now);
          }
        }
      };
      const { parent } = key.bound;
      context.buffer.touch(parent.object, parent.version);
      yield* this.#runOrDefer(constraintOf(key), 1, run, context);
    }
  }

  *#checkGroups(context: ExecutionContext): Stream {
    for (const [index, groups] of this.#groups ?? []) {
      const run = function* (now: ExecutionContext): Stream {
        now.buffer.nextCommand();
        for (const { prefix, row } of groups.values()) {
          let rows = 0;
          now.buffer.scan(spanOfPrefix(prefix), (_, value) => {
            if (value.length > 0) rows += 1;
            return rows < 2;
          });
          if (rows > 1) index.raiseDuplicateOf(row, now);
          if (now.turnIsOver()) yield pause;
        }
      };
      const { name, constraint } = index.bound.index;
      const named = { schema: index.schema, name, timing: constraint ?? 'immediate' };
      yield* this.#runOrDefer(named, groups.size, run, context);
    }
  }

  *#runOrDefer(
    constraint: ConstraintName,
    count: number,
    run: DeferredCheck['run'],
    context: ExecutionContext,
  ): Stream {
    if (context.deferral?.isDeferred(constraint) === true) {
      context.deferral.add({ constraint, bytes: count * noteBytes, run });
    } else {
      yield* run(context);
    }
  }
}

interface Group {
  readonly prefix: Uint8Array;
  readonly row: Row;
}

function constraintOf({ bound, child }: ForeignKey): ConstraintName {
  return { schema: child.schema, name: bound.key.name, timing: bound.key.timing };
}

function listIn<K, V>(map: Map<K, V[]>, key: K): V[] {
  const list = map.get(key);
  if (list !== undefined) return list;
  const made: V[] = [];
  map.set(key, made);
  return made;
}

function differs(slots: readonly number[], before: Row, row: Row): boolean {
  return slots.some((slot) => before[slot] !== row[slot]);
}
