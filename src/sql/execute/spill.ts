/**
 * Temporary files: where a statement puts rows that its memory does not hold. An operator goes over to
 * them when it holds more than its share, and closes them when it ends.
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import type { RelationColumn } from '../plan/relation.js';
import { type Row, typeNamed, type Value } from '../types/index.js';

/** Makes temporary files. What a crash leaves of them is removed at the next start. */
export interface SpillFiles {
  /** Raises `configuration_limit_exceeded` when all files together are over their quota. */
  create(): SpillFile;
}

/** A file that only its maker knows. All calls are synchronous. */
export interface SpillFile {
  /** Bytes written so far. */
  readonly length: number;
  /** Raises `configuration_limit_exceeded` over the quota, `disk_full` and `io_error`. */
  append(bytes: Uint8Array): void;
  read(offset: number, length: number): Uint8Array;
  /** Removes the file. */
  close(): void;
}

/** Writes rows of some columns as bytes and reads them again, losing nothing. */
export interface RowCodec {
  encode(rows: readonly Row[]): Uint8Array;
  decode(bytes: Uint8Array): Row[];
}

export function compileRowCodec(columns: readonly Pick<RelationColumn, 'type'>[]): RowCodec {
  // A literal that nothing has given a type is a text.
  const types = columns.map(({ type: { name } }) => typeNamed(name === 'unknown' ? 'text' : name));
  return {
    encode(rows) {
      const writer = new ByteWriter(4096);
      writer.varint(rows.length);
      for (const row of rows) {
        for (const [i, type] of types.entries()) {
          const value = row[i] as Value;
          writer.uint8(value === null ? 0 : 1);
          if (value !== null) type.encode(writer, value);
        }
      }
      return writer.finish();
    },
    decode(bytes) {
      const reader = new ByteReader(bytes);
      const rows: Row[] = [];
      for (let left = reader.varint(); left > 0; left -= 1) {
        rows.push(types.map((type) => (reader.uint8() === 0 ? null : type.decode(reader))));
      }
      return rows;
    },
  };
}

/** Rows in a temporary file, appended in blocks and read again from the first. */
export class SpilledRows {
  readonly #file: SpillFile;
  readonly #codec: RowCodec;
  /** Where each block begins. */
  readonly #offsets: number[] = [];
  #rowCount = 0;

  constructor(file: SpillFile, codec: RowCodec) {
    this.#file = file;
    this.#codec = codec;
  }

  get blockCount(): number {
    return this.#offsets.length;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  append(rows: readonly Row[]): void {
    this.#offsets.push(this.#file.length);
    this.#file.append(this.#codec.encode(rows));
    this.#rowCount += rows.length;
  }

  block(number: number): Row[] {
    const from = this.#offsets[number] ?? this.#file.length;
    const to = this.#offsets[number + 1] ?? this.#file.length;
    return this.#codec.decode(this.#file.read(from, to - from));
  }

  close(): void {
    this.#file.close();
  }
}
