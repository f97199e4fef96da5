/**
 * An ordered map from byte strings (see `byteString` in bytes.ts) to values.
 *
 * Entries lie in blocks of at most 128, and the blocks in one array: a search is two binary searches,
 * an insert moves a few dozen references. Up to tens of millions of entries that is as fast as a
 * B+tree with more levels, and half its code.
 */
import { assert, must } from './assert.js';

const blockEntriesMax = 128;

interface Block<V> {
  readonly keys: string[];
  readonly values: V[];
}

/**
 * Invariants: keys ascend strictly within a block and from block to block; no block is empty;
 * `firsts[i]` is the first key of `blocks[i]`; `version` rises whenever entries move.
 */
interface Blocks<V> {
  readonly blocks: Block<V>[];
  readonly firsts: string[];
  version: number;
}

export class SortedMap<V> {
  readonly #state: Blocks<V> = { blocks: [], firsts: [], version: 0 };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    const block = this.#state.blocks[blockOf(this.#state.firsts, key)];
    if (block === undefined) return undefined;
    const at = lowerBound(block.keys, key);
    return block.keys[at] === key ? block.values[at] : undefined;
  }

  set(key: string, value: V): void {
    const { blocks, firsts } = this.#state;
    const index = blockOf(firsts, key);
    const block = blocks[index];
    if (block === undefined) {
      this.#insertBlock(0, { keys: [key], values: [value] });
      this.#size = 1;
      return;
    }
    const at = lowerBound(block.keys, key);
    if (block.keys[at] === key) {
      block.values[at] = value;
      return;
    }
    if (at === block.keys.length) {
      block.keys.push(key);
      block.values.push(value);
    } else {
      block.keys.splice(at, 0, key);
      block.values.splice(at, 0, value);
    }
    if (at === 0) firsts[index] = key;
    this.#size += 1;
    this.#state.version += 1;
    if (block.keys.length <= blockEntriesMax) return;
    // Keys that only ever ascend, the common load, leave full blocks behind.
    const appended = index === blocks.length - 1 && at === block.keys.length - 1;
    const cut = appended ? at : block.keys.length >>> 1;
    const keys = block.keys.splice(cut);
    const values = block.values.splice(cut);
    this.#insertBlock(index + 1, { keys, values });
  }

  /** Returns whether the key was there. */
  delete(key: string): boolean {
    const { blocks, firsts } = this.#state;
    const index = blockOf(firsts, key);
    const block = blocks[index];
    if (block === undefined) return false;
    const at = lowerBound(block.keys, key);
    if (block.keys[at] !== key) return false;
    if (at === 0) {
      // Entries often leave in the order of their keys, and a shift makes no array of what it takes.
      block.keys.shift();
      block.values.shift();
    } else {
      block.keys.splice(at, 1);
      block.values.splice(at, 1);
    }
    this.#size -= 1;
    this.#state.version += 1;
    if (block.keys.length === 0) {
      this.#removeBlock(index);
      return true;
    }
    if (at === 0) firsts[index] = must(block.keys[0], 'a block is never empty');
    const next = blocks[index + 1];
    if (next !== undefined && block.keys.length + next.keys.length <= blockEntriesMax / 2) {
      block.keys.push(...next.keys);
      block.values.push(...next.values);
      this.#removeBlock(index + 1);
    }
    return true;
  }

  /** At the first entry whose key is `from` or later, going up. */
  ascend(from: string): SortedMapCursor<V> {
    return new SortedMapCursor(this.#state, from, false);
  }

  /** At the last entry whose key is earlier than `before`, going down. */
  descend(before: string): SortedMapCursor<V> {
    return new SortedMapCursor(this.#state, before, true);
  }

  /** Throws unless the invariants hold. */
  checkInvariants(): void {
    const { blocks, firsts } = this.#state;
    let count = 0;
    let last: string | undefined;
    assert(blocks.length === firsts.length, 'one first key per block');
    for (const [index, block] of blocks.entries()) {
      assert(block.keys.length > 0, 'a block is never empty');
      assert(block.keys.length <= blockEntriesMax, 'a block is never overfull');
      assert(block.keys.length === block.values.length, 'one value per key');
      assert(block.keys[0] === firsts[index], 'first keys agree');
      for (const key of block.keys) {
        assert(last === undefined || last < key, 'keys ascend', last, key);
        last = key;
      }
      count += block.keys.length;
    }
    assert(count === this.#size, 'size agrees', count, this.#size);
  }

  #insertBlock(index: number, block: Block<V>): void {
    this.#state.blocks.splice(index, 0, block);
    this.#state.firsts.splice(index, 0, must(block.keys[0], 'a block is never empty'));
    this.#state.version += 1;
  }

  #removeBlock(index: number): void {
    this.#state.blocks.splice(index, 1);
    this.#state.firsts.splice(index, 1);
    this.#state.version += 1;
  }
}

/**
 * A place in a map that is read and then moved on. Changing the map in between is allowed: the cursor
 * goes on from the last key it showed.
 */
export class SortedMapCursor<V> {
  readonly #state: Blocks<V>;
  readonly #reverse: boolean;
  #version = 0;
  #block: Block<V> | undefined;
  #blockIndex = 0;
  #at = 0;
  #key: string | undefined;

  /** Made by {@link SortedMap.ascend} and {@link SortedMap.descend}. */
  constructor(state: Blocks<V>, bound: string, reverse: boolean) {
    this.#state = state;
    this.#reverse = reverse;
    this.#seek(bound, reverse);
  }

  /** The key here; undefined past the end. */
  get key(): string | undefined {
    return this.#key;
  }

  /** The value that was here when the cursor arrived or, if it was replaced in place, the new one. */
  get value(): V {
    return must(this.#block, 'the cursor is at an entry').values[this.#at] as V;
  }

  next(): void {
    const key = must(this.#key, 'the cursor is at an entry');
    if (this.#version !== this.#state.version) {
      this.#seek(key, this.#reverse);
      if (!this.#reverse && this.#key === key) this.next();
      return;
    }
    this.#at += this.#reverse ? -1 : 1;
    this.#settle();
  }

  /** To the first entry at or after `bound`, or with `before` the last one earlier than it. */
  #seek(bound: string, before: boolean): void {
    this.#version = this.#state.version;
    this.#blockIndex = blockOf(this.#state.firsts, bound);
    this.#block = this.#state.blocks[this.#blockIndex];
    this.#at = this.#block === undefined ? 0 : lowerBound(this.#block.keys, bound);
    if (before) this.#at -= 1;
    this.#settle();
  }

  /** Goes to the neighbouring block when the position has left this one. */
  #settle(): void {
    if (this.#block !== undefined && this.#at < 0) {
      this.#blockIndex -= 1;
      this.#block = this.#state.blocks[this.#blockIndex];
      this.#at = this.#block === undefined ? 0 : this.#block.keys.length - 1;
    } else if (this.#block !== undefined && this.#at >= this.#block.keys.length) {
      this.#blockIndex += 1;
      this.#block = this.#state.blocks[this.#blockIndex];
      this.#at = 0;
    }
    this.#key = this.#block?.keys[this.#at];
  }
}

/** The block that holds `key` or would take it. */
function blockOf(firsts: readonly string[], key: string): number {
  let low = 1;
  let high = firsts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((firsts[middle] as string) <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The position of the first key at or after `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
