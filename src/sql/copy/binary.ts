/** PostgreSQL's binary format of COPY (https://www.postgresql.org/docs/15/sql-copy.html). */
import { ByteWriter } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { FunctionContext, Row, Value } from '../types/index.js';
import type { BinaryCodec } from './binary-codec.js';
import { binaryCodec } from './binary-values.js';

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const headerBytes = signature.length + 8;
const oidsFlag = 0x10000;
/** Flags from this bit on say how the data are to be read. */
const criticalFlags = 0xffff_0000 | 0;

/** Rows of columns of these types as bytes. */
export class BinaryWriter {
  readonly #codecs: readonly BinaryCodec[];

  constructor(types: readonly string[]) {
    this.#codecs = types.map(binaryCodec);
  }

  header(): Uint8Array {
    return Buffer.concat([signature, Buffer.alloc(8)]);
  }

  row(values: Row, context: FunctionContext): Uint8Array {
    const bytes = new ByteWriter(64);
    bytes.uint16(values.length);
    for (const [i, codec] of this.#codecs.entries()) {
      const value = values[i] ?? null;
      if (value === null) {
        bytes.uint32(0xffff_ffff);
        continue;
      }
      const encoded = codec.write(value, context);
      bytes.uint32(encoded.length).raw(encoded);
    }
    return bytes.finish();
  }

  trailer(): Uint8Array {
    return Buffer.of(0xff, 0xff);
  }
}

/** Use: `push` bytes as they come, `end` after the last; `next` gives rows as long as there are whole ones. */
export class BinaryReader {
  readonly #codecs: readonly BinaryCodec[];
  #bytes = Buffer.alloc(0);
  #at = 0;
  #ended = false;
  #headerRead = false;
  #done = false;
  #row = 0;

  constructor(types: readonly string[]) {
    this.#codecs = types.map(binaryCodec);
  }

  /** The number of the row given last, or of the one that cannot be read. */
  get line(): number {
    return this.#row;
  }

  get held(): number {
    return this.#bytes.length - this.#at;
  }

  get done(): boolean {
    return this.#done;
  }

  push(bytes: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), bytes]);
    this.#at = 0;
  }

  end(): void {
    this.#ended = true;
  }

  next(context: FunctionContext): Row | undefined {
    if (this.#done || (!this.#headerRead && !this.#readHeader())) return undefined;
    const start = this.#at;
    const row = this.#readRow(context);
    if (row !== 'more') return row;
    if (this.#ended) raise('bad_copy_file_format', 'unexpected EOF in COPY data');
    this.#at = start;
    return undefined;
  }

  #readHeader(): boolean {
    if (this.held < headerBytes) {
      if (this.#ended) raise('bad_copy_file_format', 'COPY file signature not recognized');
      return false;
    }
    if (!this.#bytes.subarray(this.#at, this.#at + signature.length).equals(signature)) {
      raise('bad_copy_file_format', 'COPY file signature not recognized');
    }
    const flags = this.#bytes.readInt32BE(this.#at + signature.length);
    if ((flags & oidsFlag) !== 0) {
      raise('bad_copy_file_format', 'invalid COPY file header (WITH OIDS)');
    }
    if ((flags & criticalFlags) !== 0) {
      raise('bad_copy_file_format', 'unrecognized critical flags in COPY file header');
    }
    const extension = this.#bytes.readInt32BE(this.#at + signature.length + 4);
    if (extension < 0) {
      raise('bad_copy_file_format', 'invalid COPY file header (missing length)');
    }
    if (this.held < headerBytes + extension) {
      if (this.#ended) {
        raise('bad_copy_file_format', 'invalid COPY file header (wrong length)');
      }
      return false;
    }
    this.#at += headerBytes + extension;
    this.#headerRead = true;
    return true;
  }

  #readRow(context: FunctionContext): Row | 'more' | undefined {
    if (this.held < 2) {
      // Without a trailer the data end with the file.
      if (!this.#ended || this.held > 0) return 'more';
      this.#done = true;
      return undefined;
    }
    const count = this.#bytes.readInt16BE(this.#at);
    this.#at += 2;
    if (count === -1) {
      this.#done = true;
      return undefined;
    }
    if (count !== this.#codecs.length) {
      this.#row += 1;
      const text = `row field count is ${count}, expected ${this.#codecs.length}`;
      raise('bad_copy_file_format', text);
    }
    const row: Value[] = [];
    for (const codec of this.#codecs) {
      if (this.held < 4) return 'more';
      const length = this.#bytes.readInt32BE(this.#at);
      this.#at += 4;
      if (length === -1) {
        row.push(null);
        continue;
      }
      if (length < 0) raise('bad_copy_file_format', 'invalid field size');
      if (this.held < length) return 'more';
      row.push(codec.read(this.#bytes.subarray(this.#at, this.#at + length), context));
      this.#at += length;
    }
    this.#row += 1;
    return row;
  }
}
