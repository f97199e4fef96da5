/**
 * Entries of indexes: `storage/keys` dataPrefix(database, storage of the index, index), then the key
 * columns, each
 *
 *     00 for a NULL that sorts first, 01 and the value's key bytes, 02 for a NULL that sorts last
 *
 * (those of a descending column inverted), then
 *
 *     00                    the only entry with these values: of a unique index, without NULLs unless
 *                           they are not distinct
 *     01 row key            an entry among others with these values
 *
 * where `row key` is the key of the row without its prefix. The value of every entry is that row key.
 * No entry is a prefix of another.
 */
import { assert, must } from '../../base/assert.js';
import { ByteWriter, prefixEnd } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { DatabaseId } from '../../base/ids.js';
import type { Span } from '../../storage/engine.js';
import { dataPrefix, dataPrefixBytes, keyKind, userKeyBytesMax } from '../../storage/keys.js';
import type { IndexDescriptor, TableDescriptor } from '../catalogue/descriptor.js';
import { type KeyCodec, typeNamed, type Value } from '../types/index.js';

const mark = { nullFirst: 0x00, value: 0x01, nullLast: 0x02, only: 0x00, among: 0x01 } as const;

/** The part of a row's key that entries keep. */
export function rowKeyPart(rowKey: Uint8Array): Uint8Array {
  return rowKey.subarray(dataPrefixBytes);
}

/** The key of the row that an entry of an index of `table` names. */
export function rowKeyOfEntry(table: TableDescriptor, value: Uint8Array): Uint8Array {
  const prefix = dataPrefix(table.database, table.storage, keyKind.row);
  return Buffer.concat([prefix, value]);
}

/** All entries of an index. */
export function indexSpan(database: DatabaseId, { storage }: IndexDescriptor): Span {
  const from = dataPrefix(database, storage, keyKind.index);
  return { from, to: must(prefixEnd(from), 'a data prefix has an end') };
}

/** True when two rows with equal values are refused at once, so that one entry stands for them. */
export function isImmediatelyUnique({ unique, constraint }: IndexDescriptor): boolean {
  return unique && (constraint === undefined || constraint === 'immediate');
}

/** Writes keys of one index. Use: `begin()`, `add` for each key column, then one of the others. */
export class IndexEncoder {
  readonly #index: IndexDescriptor;
  readonly #prefix: Uint8Array;
  readonly #codecs: readonly KeyCodec[];
  readonly #writer = new ByteWriter(64);
  readonly #isUnique: boolean;
  #next = 0;
  #hasNull = false;

  constructor(database: DatabaseId, index: IndexDescriptor) {
    this.#index = index;
    this.#prefix = dataPrefix(database, index.storage, keyKind.index);
    this.#codecs = index.keys.map(({ type }) =>
      must(typeNamed(type).key, 'the type cannot be part of a key'),
    );
    this.#isUnique = isImmediatelyUnique(index);
  }

  /** `given` is the beginning of a key, with its first `columns` columns. */
  begin(given: Uint8Array = this.#prefix, columns = 0): this {
    this.#writer.clear().raw(given);
    this.#next = columns;
    this.#hasNull = false;
    return this;
  }

  add(value: Value): this {
    const key = must(this.#index.keys[this.#next], 'more values than key columns');
    const codec = must(this.#codecs[this.#next], 'a codec for each key column');
    this.#next += 1;
    if (value === null) {
      this.#hasNull = true;
      this.#writer.uint8(key.nullsFirst ? mark.nullFirst : mark.nullLast);
      return this;
    }
    this.#writer.uint8(mark.value);
    const from = this.#writer.length;
    codec.encode(this.#writer, value);
    if (key.descending) invert(this.#writer.view(), from);
    return this;
  }

  /** Whether rows with these values exclude each other. */
  get isExclusive(): boolean {
    return this.#index.unique && (!this.#hasNull || this.#index.nullsNotDistinct);
  }

  /** The entry of the row with that key. Raises 54000 when it is too long. */
  entry(rowKey: Uint8Array): Uint8Array {
    assert(this.#next === this.#codecs.length, 'an entry has all key columns', this.#index.name);
    if (this.#isUnique && this.isExclusive) this.#writer.uint8(mark.only);
    else this.#writer.uint8(mark.among).raw(rowKeyPart(rowKey));
    const bytes = this.#writer.length - dataPrefixBytes;
    if (bytes <= userKeyBytesMax) return this.#writer.finish();
    raise(
      'program_limit_exceeded',
      `index row size ${bytes} exceeds the maximum of ${userKeyBytesMax} bytes ` +
        `for index "${this.#index.name}"`,
    );
  }

  /** The only entry that a row with these values may have; see {@link isExclusive}. */
  soleEntry(): Uint8Array {
    return this.#cut(this.#writer.uint8(mark.only).finish());
  }

  /** What the keys of all entries with the values added so far begin with. */
  search(): Uint8Array {
    return this.#cut(this.#writer.finish());
  }

  /** The entries with the values added so far whose next column is not NULL. */
  valueSpan(): Span {
    const from = this.#cut(this.#writer.uint8(mark.value).finish());
    return { from, to: must(prefixEnd(from), 'a data prefix has an end') };
  }

  /** No entry is longer; one that would be is found by none. */
  #cut(key: Uint8Array): Uint8Array {
    const most = dataPrefixBytes + userKeyBytesMax;
    return key.length <= most ? key : key.subarray(0, most);
  }
}

function invert(bytes: Uint8Array, from: number): void {
  for (let i = from; i < bytes.length; i += 1) bytes[i] = ~(bytes[i] ?? 0) & 0xff;
}
