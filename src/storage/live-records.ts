/**
 * Where the live records of the log file lie: of each group the records of its log, its hard state and
 * what is known to be damaged. In memory 24 bytes a record; made anew at each open.
 *
 * Invariants: the records of a group ascend by the index that they end with; what `of` counts for a
 * segment is what lies in it.
 */
import { assert, must } from '../base/assert.js';
import { compareBytes } from '../base/bytes.js';
import type { LogIndex, ShardId } from '../base/ids.js';
import type { Batch, Span } from './engine.js';
import { groupKey, keySpace, logKey, parseKey } from './keys.js';

/** Where checksum and value of a record lie. */
export interface RecordPlace {
  /** The number of the segment's file. */
  readonly segment: number;
  readonly at: number;
  readonly bytes: number;
}

interface GroupRecords {
  /** Of each record, ascending, the index of its last entry, its place and its length. */
  readonly lasts: number[];
  readonly places: number[];
  readonly lengths: number[];
  hardState: RecordPlace | undefined;
  damage: RecordPlace | undefined;
}

interface Usage {
  records: number;
  bytes: number;
}

const perSegment = 0x1_0000_0000;

/** Whether a key lies in the log file. */
export function isLogKey(key: Uint8Array): boolean {
  return key[0] === keySpace.log || key[0] === keySpace.hardState;
}

/** Keys of the log are given to `commit` alone: elsewhere they would have no place in its order. */
export function assertNotOfLog(batch: Batch): void {
  for (const { key } of batch) assert(!isLogKey(key), 'a key of the log is given to commit');
}

export class LiveRecords {
  readonly #groups = new Map<ShardId, GroupRecords>();
  /** The groups, ascending. */
  #order: ShardId[] = [];
  readonly #usage = new Map<number, Usage>();
  #bytes = 0;

  /** Bytes of all live records. */
  get bytes(): number {
    return this.#bytes;
  }

  get groups(): readonly ShardId[] {
    return this.#order;
  }

  /** How many live records lie in a segment. */
  recordsIn(segment: number): number {
    return this.#usage.get(segment)?.records ?? 0;
  }

  find(key: Uint8Array): RecordPlace | undefined {
    const parsed = parseKey(key);
    if (parsed.space === 'hardState') return this.#groups.get(parsed.group)?.hardState;
    if (parsed.space === 'damage') return this.#groups.get(parsed.group)?.damage;
    if (parsed.space !== 'log') return undefined;
    const records = this.#groups.get(parsed.group);
    if (records === undefined) return undefined;
    const at = lowerBound(records.lasts, parsed.last);
    return records.lasts[at] === parsed.last ? placeOf(records, at) : undefined;
  }

  /** Sets, or with undefined removes, the place of a key for which {@link isLogKey} holds. */
  set(key: Uint8Array, place: RecordPlace | undefined): void {
    const parsed = parseKey(key);
    const { space } = parsed;
    assert(space === 'log' || space === 'hardState' || space === 'damage', 'no key of the log');
    let records = this.#groups.get(parsed.group);
    if (records === undefined) {
      if (place === undefined) return;
      records = { lasts: [], places: [], lengths: [], hardState: undefined, damage: undefined };
      this.#groups.set(parsed.group, records);
      this.#order.splice(lowerBound(this.#order, parsed.group), 0, parsed.group);
    }
    if (place !== undefined) this.#count(place, 1);
    if (parsed.space === 'log') this.#setRecord(records, parsed.last, place);
    else {
      const slot = parsed.space === 'damage' ? 'damage' : 'hardState';
      const before = records[slot];
      if (before !== undefined) this.#count(before, -1);
      records[slot] = place;
    }
    const { lasts, hardState, damage } = records;
    if (lasts.length > 0 || hardState !== undefined || damage !== undefined) return;
    this.#groups.delete(parsed.group);
    this.#order = this.#order.filter((group) => group !== parsed.group);
  }

  /** Visits keys and places of `span` in order until `visit` returns false. */
  scan(
    span: Span,
    reverse: boolean,
    visit: (key: Uint8Array, place: RecordPlace) => boolean,
  ): boolean {
    const parts = [
      () => this.#scanLog(span, reverse, visit),
      () => this.#scanStates(span, reverse, visit),
    ];
    return (reverse ? parts.reverse() : parts).every((part) => part());
  }

  /** The keys whose records lie in a segment. */
  keysIn(segment: number): Uint8Array[] {
    const keys: Uint8Array[] = [];
    for (const [group, records] of this.#groups) {
      if (records.hardState?.segment === segment) keys.push(groupKey('hardState', group));
      if (records.damage?.segment === segment) keys.push(groupKey('damage', group));
      for (const [at, packed] of records.places.entries()) {
        if (Math.floor(packed / perSegment) !== segment) continue;
        keys.push(logKey(group, must(records.lasts[at], 'arrays are parallel') as LogIndex));
      }
    }
    return keys;
  }

  #setRecord(records: GroupRecords, last: LogIndex, place: RecordPlace | undefined): void {
    const { lasts, places, lengths } = records;
    const at = lowerBound(lasts, last);
    const there = lasts[at] === last;
    if (there) this.#count(placeOf(records, at), -1);
    if (place === undefined) {
      for (const array of there ? [lasts, places, lengths] : []) array.splice(at, 1);
      return;
    }
    const packed = place.segment * perSegment + place.at;
    const replaced = there ? 1 : 0;
    lasts.splice(at, replaced, last);
    places.splice(at, replaced, packed);
    lengths.splice(at, replaced, place.bytes);
  }

  #count({ segment, bytes }: RecordPlace, records: 1 | -1): void {
    let usage = this.#usage.get(segment);
    if (usage === undefined) {
      usage = { records: 0, bytes: 0 };
      this.#usage.set(segment, usage);
    }
    usage.records += records;
    usage.bytes += records * bytes;
    this.#bytes += records * bytes;
    assert(usage.records >= 0 && usage.bytes >= 0, 'a segment holds less than nothing', segment);
  }

  #scanLog(
    span: Span,
    reverse: boolean,
    visit: (key: Uint8Array, place: RecordPlace) => boolean,
  ): boolean {
    const from = logBound(span.from);
    const to = logBound(span.to);
    const inSpan = this.#order.slice(
      lowerBound(this.#order, from.group),
      lowerBound(this.#order, to.group) + 1,
    );
    for (const group of reverse ? inSpan.reverse() : inSpan) {
      const records = must(this.#groups.get(group), 'a group in order');
      const low = group === from.group ? lowerBound(records.lasts, from.last) : 0;
      const end = group < to.group ? records.lasts.length : 0;
      const high = group === to.group ? lowerBound(records.lasts, to.last) : end;
      const step = reverse ? -1 : 1;
      for (let at = reverse ? high - 1 : low; at >= low && at < high; at += step) {
        const last = must(records.lasts[at], 'a record in bounds') as LogIndex;
        if (!visit(logKey(group, last), placeOf(records, at))) return false;
      }
    }
    return true;
  }

  #scanStates(
    { from, to }: Span,
    reverse: boolean,
    visit: (key: Uint8Array, place: RecordPlace) => boolean,
  ): boolean {
    if (compareBytes(to, Buffer.of(keySpace.hardState)) <= 0) return true;
    const found: { readonly key: Uint8Array; readonly place: RecordPlace }[] = [];
    for (const group of this.#order) {
      for (const space of ['hardState', 'damage'] as const) {
        const place = this.#groups.get(group)?.[space];
        const key = groupKey(space, group);
        const within = compareBytes(from, key) <= 0 && compareBytes(key, to) < 0;
        if (place !== undefined && within) found.push({ key, place });
      }
    }
    return (reverse ? found.reverse() : found).every(({ key, place }) => visit(key, place));
  }
}

function placeOf(records: GroupRecords, at: number): RecordPlace {
  const packed = must(records.places[at], 'a record in bounds');
  const segment = Math.floor(packed / perSegment);
  return {
    segment,
    at: packed - segment * perSegment,
    bytes: must(records.lengths[at], 'arrays are parallel'),
  };
}

/** The first group and last index whose key of the log is not before `bytes`. */
function logBound(bytes: Uint8Array): { readonly group: number; readonly last: number } {
  const space = bytes[0] ?? 0;
  if (space < keySpace.log) return { group: 0, last: 0 };
  if (space > keySpace.log) return { group: Number.POSITIVE_INFINITY, last: 0 };
  const padded = Buffer.alloc(13);
  padded.set(bytes.subarray(0, 13));
  const last = padded.readUInt32BE(5) * 0x1_0000_0000 + padded.readUInt32BE(9);
  return { group: padded.readUInt32BE(1), last: bytes.length > 13 ? last + 1 : last };
}

/** How many of the ascending numbers are below `value`. */
function lowerBound(numbers: readonly number[], value: number): number {
  let low = 0;
  let high = numbers.length;
  // Most look for the newest.
  if (high > 0 && must(numbers[high - 1], 'a number in bounds') < value) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (must(numbers[middle], 'a number in bounds') < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
