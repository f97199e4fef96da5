/**
 * The key of a row: `storage/keys` dataPrefix(database, storage, row), then the key columns in the
 * order of the primary key, each as its type's key bytes. A table without PRIMARY KEY has the row's
 * number as an int8 instead.
 */
import { assert, must } from '../../base/assert.js';
import { ByteReader, ByteWriter, prefixEnd } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { DatabaseId } from '../../base/ids.js';
import type { Span } from '../../storage/engine.js';
import { dataPrefix, dataPrefixBytes, keyKind, userKeyBytesMax } from '../../storage/keys.js';
import type { SequenceDescriptor, TableDescriptor } from '../catalogue/descriptor.js';
import { type KeyCodec, typeNamed, type Value } from '../types/index.js';

/** The key under which the last value of a sequence lies. */
export function sequenceKey(database: DatabaseId, sequence: SequenceDescriptor): Uint8Array {
  return dataPrefix(database, sequence.storage, keyKind.row);
}

/** All rows of a table. */
export function rowSpan(table: TableDescriptor): Span {
  const from = dataPrefix(table.database, table.storage, keyKind.row);
  return { from, to: must(prefixEnd(from), 'a data prefix has an end') };
}

/** The number of a row of a table without PRIMARY KEY. */
export function decodeRowNumber(key: Uint8Array): bigint {
  return keyCodecOf('int8').decode(new ByteReader(key.subarray(dataPrefixBytes))) as bigint;
}

/**
 * Writes keys of one table. Use: `begin()`, `add` for each key column in key order, then `finish` for
 * a row to write, `search` or `view` for rows to find. One encoder serves one key at a time.
 */
export class KeyEncoder {
  readonly #table: TableDescriptor;
  readonly #prefix: Uint8Array;
  readonly #codecs: readonly KeyCodec[];
  readonly #writer = new ByteWriter(64);
  #next = 0;

  constructor(table: TableDescriptor) {
    this.#table = table;
    this.#prefix = dataPrefix(table.database, table.storage, keyKind.row);
    this.#codecs =
      table.primaryKey.length === 0
        ? [keyCodecOf('int8')]
        : table.primaryKey.map((position) => keyCodecOf(typeAt(table, position)));
  }

  /** `given` is the beginning of a key, with its first `columns` columns. */
  begin(given = this.#prefix, columns = 0): this {
    this.#writer.clear().raw(given);
    this.#next = columns;
    return this;
  }

  /** Adds the next key column. */
  add(value: Value): this {
    assert(value !== null, 'a key column is NULL', this.#table.name);
    const codec = must(this.#codecs[this.#next], 'more values than key columns');
    codec.encode(this.#writer, value);
    this.#next += 1;
    return this;
  }

  /** The key of a row to be written. Raises 54000 when it is too long. */
  finish(): Uint8Array {
    const bytes = this.#writer.length - dataPrefixBytes;
    if (bytes <= userKeyBytesMax) return this.#writer.finish();
    raise(
      'program_limit_exceeded',
      `key of ${bytes} bytes exceeds the maximum of ${userKeyBytesMax} bytes ` +
        `for table "${this.#table.name}"`,
      { schema: this.#table.schema, table: this.#table.name },
    );
  }

  /**
   * What was written so far, to look up a key or the keys that begin so, in a copy. A key that is too
   * long is cut: no row has it then, as no key is a prefix of another, and it bounds the same rows.
   */
  search(): Uint8Array {
    return this.#cut(this.#writer.finish());
  }

  /** As `search`, without a copy: valid until the next `begin`. */
  view(): Uint8Array {
    return this.#cut(this.#writer.view());
  }

  #cut(key: Uint8Array): Uint8Array {
    const most = dataPrefixBytes + userKeyBytesMax;
    return key.length <= most ? key : key.subarray(0, most);
  }
}

function typeAt(table: TableDescriptor, position: number): string {
  const column = table.columns.find((candidate) => candidate.position === position);
  return must(column, 'a key column is no column of the table').type;
}

function keyCodecOf(type: string): KeyCodec {
  return must(typeNamed(type).key, 'the type cannot be part of a key');
}
