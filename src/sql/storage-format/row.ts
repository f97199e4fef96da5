/**
 * The value of a row.
 *
 *     at  0  format version, one byte
 *         1  version of the table that wrote it, uint32
 *         5  count: positions 1..count are stored, uint16
 *         7  heap: where the variable parts begin, uint16
 *         9  one bit for each position, set for NULL, lowest bit first
 *            one slot for each position: the value when its type has a fixed width here, otherwise
 *            where its part of the heap ends, uint32 counted from the heap's beginning
 *      heap  the variable parts, one after the other
 *
 * A NULL has an empty slot and no part. So a column is found without looking at the others, and a
 * reader that knows fewer positions than the writer did still finds its own. A position that the
 * writer did not know reads as NULL. Key columns are stored like any other, since a key may not keep
 * the form of a value (numeric 1.0 and 1.00 have equal keys).
 *
 * A position is never given twice and its type never changes within a storage: the slots of known
 * positions are the same for all rows. The descriptor keeps the types of columns that were dropped, whose
 * slots stay.
 */
import { assert, must } from '../../base/assert.js';
import { ByteReader, ByteWriter, readInt64, writeInt64 } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import { type Row, type Type, typeNamed, type Value } from '../types/index.js';

export const rowFormatVersion = 1;

const headerBytes = 9;
const countAt = 5;
const heapAt = 7;

/** What a slot holds. `heap`: the type's own bytes; the others are written here, being hot. */
type SlotKind =
  | 'bool'
  | 'int2'
  | 'int4'
  | 'uint4'
  | 'int8'
  | 'date'
  | 'float4'
  | 'float8'
  | 'text'
  | 'heap';

const slotBytes: Readonly<Record<SlotKind, number>> = {
  bool: 1,
  int2: 2,
  int4: 4,
  uint4: 4,
  int8: 8,
  date: 4,
  float4: 4,
  float8: 8,
  text: 4,
  heap: 4,
};

const slotKinds: ReadonlyMap<string, SlotKind> = new Map<string, SlotKind>([
  ['bool', 'bool'],
  ['int2', 'int2'],
  ['int4', 'int4'],
  ['oid', 'uint4'],
  ['int8', 'int8'],
  ['timestamp', 'int8'],
  ['timestamptz', 'int8'],
  ['date', 'date'],
  ['float4', 'float4'],
  ['float8', 'float8'],
  ['text', 'text'],
  ['varchar', 'text'],
  ['bpchar', 'text'],
  ['name', 'text'],
]);

interface Slot {
  readonly position: number;
  /** The column's place in the descriptor; undefined for one that was dropped. */
  readonly column: number | undefined;
  readonly kind: SlotKind;
  readonly type: Type;
  /** From the beginning of the slots. */
  readonly at: number;
  /** Where the slot of the heap part before this one lies, from the beginning of the slots. */
  readonly previousAt: number | undefined;
}

function slotsOf(table: TableDescriptor): readonly Slot[] {
  const slots: Slot[] = [];
  let at = 0;
  let previousAt: number | undefined;
  const live = table.columns.map(({ position, type }, column) => ({ position, type, column }));
  const dropped = table.dropped.map((one) => ({ ...one, column: undefined }));
  const all = [...live, ...dropped].sort((a, b) => a.position - b.position);
  for (const [index, { position, type, column }] of all.entries()) {
    assert(position === index + 1, 'a position is missing in the table', table.name);
    const kind = slotKinds.get(type) ?? 'heap';
    slots.push({ position, column, kind, type: typeNamed(type), at, previousAt });
    if (kind === 'text' || kind === 'heap') previousAt = at;
    at += slotBytes[kind];
  }
  return slots;
}

/** A date's infinities have no day: the ends of the int4 stand for them. */
const dateInfinity = 0x7fff_ffff;
const dateMinusInfinity = -0x8000_0000;

/** Writes rows of one table. */
export class RowEncoder {
  readonly #slots: readonly Slot[];
  readonly #slotsAt: number;
  readonly #heapAt: number;
  readonly #writer = new ByteWriter(64);
  #bytes: Buffer;

  constructor(table: TableDescriptor) {
    const slots = slotsOf(table);
    const last = slots.at(-1);
    this.#slots = slots;
    this.#slotsAt = headerBytes + ((slots.length + 7) >> 3);
    this.#heapAt = this.#slotsAt + (last === undefined ? 0 : last.at + slotBytes[last.kind]);
    assert(this.#heapAt <= 0xffff, 'too many columns for a row', table.name);
    this.#bytes = Buffer.alloc(this.#heapAt + 256);
    this.#bytes[0] = rowFormatVersion;
    this.#bytes.writeUInt32BE(table.version, 1);
    this.#bytes.writeUInt16BE(slots.length, countAt);
    this.#bytes.writeUInt16BE(this.#heapAt, heapAt);
  }

  /** `values` are the table's columns in the order of its descriptor. */
  encode(values: Row): Uint8Array {
    this.#bytes.fill(0, headerBytes, this.#heapAt);
    let end = this.#heapAt;
    for (let i = 0; i < this.#slots.length; i += 1) {
      const slot = this.#slots[i] as Slot;
      const value = slot.column === undefined ? null : values[slot.column];
      assert(value !== undefined, 'a column has no value', slot.position);
      const at = this.#slotsAt + slot.at;
      if (value === null) {
        const byteAt = headerBytes + (i >> 3);
        this.#bytes[byteAt] = (this.#bytes[byteAt] ?? 0) | (1 << (i & 7));
        if (slot.kind === 'text' || slot.kind === 'heap') {
          this.#bytes.writeUInt32BE(end - this.#heapAt, at);
        }
      } else if (slot.kind === 'text') {
        end = this.#writeText(value as string, end);
        this.#bytes.writeUInt32BE(end - this.#heapAt, at);
      } else if (slot.kind === 'heap') {
        slot.type.encode(this.#writer.clear(), value);
        end = this.#writeHeap(this.#writer.view(), end);
        this.#bytes.writeUInt32BE(end - this.#heapAt, at);
      } else {
        writeFixed(this.#bytes, at, slot.kind, value);
      }
    }
    const row = Buffer.allocUnsafe(end);
    this.#bytes.copy(row, 0, 0, end);
    return row;
  }

  #writeText(text: string, at: number): number {
    // A UTF-16 unit takes at most three bytes.
    this.#room(at + text.length * 3);
    return at + this.#bytes.write(text, at, 'utf8');
  }

  #writeHeap(bytes: Uint8Array, at: number): number {
    this.#room(at + bytes.length);
    this.#bytes.set(bytes, at);
    return at + bytes.length;
  }

  #room(needed: number): void {
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown);
    this.#bytes = grown;
  }
}

function writeFixed(
  bytes: Buffer,
  at: number,
  kind: Exclude<SlotKind, 'text' | 'heap'>,
  value: Value,
): void {
  switch (kind) {
    case 'bool':
      bytes[at] = value === true ? 1 : 0;
      return;
    case 'int2':
      bytes.writeInt16BE(value as number, at);
      return;
    case 'int4':
      bytes.writeInt32BE(value as number, at);
      return;
    case 'uint4':
      bytes.writeUInt32BE(value as number, at);
      return;
    case 'int8':
      writeInt64(bytes, value as bigint, at);
      return;
    case 'date':
      bytes.writeInt32BE(dateDays(value as number), at);
      return;
    case 'float4':
      bytes.writeFloatBE(value as number, at);
      return;
    case 'float8':
      bytes.writeDoubleBE(value as number, at);
      return;
  }
}

function dateDays(value: number): number {
  if (value === Number.POSITIVE_INFINITY) return dateInfinity;
  return value === Number.NEGATIVE_INFINITY ? dateMinusInfinity : value;
}

/** Reads some columns of the rows of one table into given places of an array. */
export class RowReader {
  readonly #wanted: readonly { readonly slot: Slot; readonly place: number }[];
  readonly #table: string;

  /** The value of `positions[i]` goes to place `places[i]`. */
  constructor(table: TableDescriptor, positions: readonly number[], places: readonly number[]) {
    const slots = slotsOf(table);
    this.#table = table.name;
    this.#wanted = positions.map((position, i) => ({
      slot: must(slots[position - 1], 'the table has no such position'),
      place: must(places[i], 'a position has no place'),
    }));
  }

  /** Fills its places of `row`. Raises `data_corrupted`. */
  read(bytes: Uint8Array, row: Value[]): void {
    if (bytes.length < headerBytes || bytes[0] !== rowFormatVersion) this.#corrupted();
    const count = uint16(bytes, countAt);
    const heap = uint16(bytes, heapAt);
    const slotsAt = headerBytes + ((count + 7) >> 3);
    if (heap < slotsAt || heap > bytes.length) this.#corrupted();
    for (let i = 0; i < this.#wanted.length; i += 1) {
      const { slot, place } = this.#wanted[i] as { slot: Slot; place: number };
      const index = slot.position - 1;
      if (index >= count || (((bytes[headerBytes + (index >> 3)] ?? 0) >> (index & 7)) & 1) === 1) {
        row[place] = null;
      } else {
        const at = slotsAt + slot.at;
        if (at + slotBytes[slot.kind] > heap) this.#corrupted();
        row[place] = this.#column(bytes, slot, at, slotsAt, heap);
      }
    }
  }

  #column(bytes: Uint8Array, slot: Slot, at: number, slotsAt: number, heap: number): Value {
    switch (slot.kind) {
      case 'bool':
        return bytes[at] === 1;
      case 'int2':
        return (uint16(bytes, at) << 16) >> 16;
      case 'int4':
        return int32(bytes, at);
      case 'uint4':
        return int32(bytes, at) >>> 0;
      case 'int8':
        return readInt64(bytes, at);
      case 'date':
        return dateOf(int32(bytes, at));
      case 'float4':
        return float32(bytes, at);
      case 'float8':
        return float64(bytes, at);
      case 'text':
      case 'heap': {
        const from =
          heap + (slot.previousAt === undefined ? 0 : uint32(bytes, slotsAt + slot.previousAt));
        const to = heap + uint32(bytes, at);
        if (from > to || to > bytes.length) this.#corrupted();
        if (slot.kind === 'text') return this.#text(bytes, from, to);
        return slot.type.decode(new ByteReader(bytes.subarray(from, to)));
      }
    }
  }

  #text(bytes: Uint8Array, from: number, to: number): string {
    const text = utf8Slice.call(bytes, from, to);
    // The replacement character may stand for itself or for damaged bytes.
    if (text.includes('\ufffd') && !Buffer.from(text).equals(bytes.subarray(from, to))) {
      this.#corrupted();
    }
    return text;
  }

  #corrupted(): never {
    raise('data_corrupted', `a row of table "${this.#table}" is damaged`, { table: this.#table });
  }
}

/** Buffer's own slice as text: it takes any Uint8Array, and no Buffer is made for the row. */
const utf8Slice = (
  Buffer.prototype as unknown as {
    utf8Slice(this: Uint8Array, from: number, to: number): string;
  }
).utf8Slice;

const scratch = new DataView(new ArrayBuffer(8));

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function int32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}

function uint32(bytes: Uint8Array, at: number): number {
  return int32(bytes, at) >>> 0;
}

function float32(bytes: Uint8Array, at: number): number {
  scratch.setInt32(0, int32(bytes, at));
  return scratch.getFloat32(0);
}

function float64(bytes: Uint8Array, at: number): number {
  scratch.setInt32(0, int32(bytes, at));
  scratch.setInt32(4, int32(bytes, at + 4));
  return scratch.getFloat64(0);
}

function dateOf(days: number): number {
  if (days === dateInfinity) return Number.POSITIVE_INFINITY;
  return days === dateMinusInfinity ? Number.NEGATIVE_INFINITY : days;
}
