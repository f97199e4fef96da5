/** COPY FROM as a source of rows: from a file of the node's machine or from the client. */
import { DatabaseError, raise } from '../../base/errors.js';
import {
  BinaryReader,
  type CopyChunks,
  type CopyOptions,
  csvFields,
  defaultMarker,
  type Field,
  LineReader,
  type ServerFiles,
  textFields,
} from '../copy/index.js';
import { readLiteral } from '../functions/index.js';
import type { CopyEnd, CopyInput } from '../plan/copy.js';
import type { Row, TypeName, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { type Evaluate, scopeOf } from './scope.js';
import { batchRows, pause, rowsPerLook, type Source, type Stream } from './stream.js';

/** Bytes read from a file at a time. */
const fileChunkBytes = 65_536;
/** Memory for each byte or character that is held, bytes. */
const bytesPerHeld = 2;

/** What cuts chunks into rows. */
interface RowReader {
  push(bytes: Uint8Array): void;
  end(): void;
  next(context: ExecutionContext): Row | undefined;
  /** Bytes or characters that wait for the rest of their row. */
  readonly held: number;
  readonly done: boolean;
}

export function compileCopyInput(input: CopyInput): Source {
  const readerOf = compileReader(input);
  return function* copyInput(context): Stream {
    const chunks = openChunks(input.source, context);
    const reader = readerOf();
    let charged = 0;
    const charge = (): void => {
      const bytes = reader.held * bytesPerHeld;
      if (bytes > charged) context.memory.charge(bytes - charged);
      else context.memory.release(charged - bytes);
      charged = bytes;
    };
    try {
      while (!reader.done) {
        yield* rowsOf(reader, context);
        if (reader.done) break;
        const chunk = chunks.next();
        if (chunk === 'wait') yield pause;
        else if (chunk === undefined) reader.end();
        else reader.push(chunk);
        charge();
      }
    } finally {
      context.memory.release(charged);
      chunks.close();
    }
  };
}

/** The whole rows that the reader has. */
function* rowsOf(reader: RowReader, context: ExecutionContext): Stream {
  let rows: Row[] = [];
  for (let row = reader.next(context); row !== undefined; row = reader.next(context)) {
    rows.push(row);
    if (rows.length % rowsPerLook !== 0) continue;
    const over = context.turnIsOver();
    if (!over && rows.length < batchRows) continue;
    yield rows;
    rows = [];
    if (over) yield pause;
  }
  if (rows.length > 0) yield rows;
}

function openChunks(source: CopyEnd, { copyInput, files }: ExecutionContext): CopyChunks {
  if (source.kind === 'client') {
    return copyInput ?? raise('feature_not_supported', 'COPY FROM STDIN is not supported here');
  }
  const file = serverFiles(files).open(source.path);
  return {
    next: () => file.read(fileChunkBytes),
    close: () => file.close(),
  };
}

/** Raises 42501 where statements may read no files. */
export function serverFiles(files: ServerFiles | undefined): ServerFiles {
  if (files !== undefined) return files;
  raise('insufficient_privilege', 'permission denied to COPY to or from a file', {
    hint: 'Name its directory in copy.directories of the node, or COPY to STDOUT or from STDIN.',
  });
}

function compileReader(input: CopyInput): () => RowReader {
  const { options, columns, table } = input;
  const types = columns.map(({ type }) => type.name);
  if (options.format === 'binary') {
    return () => new BinaryRows(new BinaryReader(types), table);
  }
  const fit = compileFields(input);
  return () => new LineRows(input, fit);
}

/** The values of a line's fields. */
type Fit = (fields: readonly Field[], where: Where, context: ExecutionContext) => Row;

/** Where in the data an error lies, as PostgreSQL's CONTEXT says it. */
interface Where {
  readonly table: string;
  readonly line: number;
  readonly text: string;
}

function compileFields({ columns, defaults, table }: CopyInput): Fit {
  const scope = scopeOf([], undefined);
  const compiled = columns.map(({ name, type }, i) => {
    const given = defaults[i];
    const otherwise: Evaluate | undefined = given && compileExpression(given, scope);
    return { name, type: type.name as TypeName, modifier: type.modifier, otherwise };
  });
  return (fields, where, context) => {
    const row: Value[] = new Array(compiled.length);
    if (fields.length > compiled.length) {
      raise('bad_copy_file_format', 'extra data after last expected column', lineOf(where));
    }
    for (const [i, { name, type, modifier, otherwise }] of compiled.entries()) {
      const field = fields[i];
      if (field === undefined) {
        const text = `missing data for column "${name}"`;
        raise('bad_copy_file_format', text, lineOf(where));
      }
      if (field === defaultMarker) {
        row[i] = otherwise === undefined ? null : otherwise([], context);
      } else if (field === null) {
        row[i] = null;
      } else {
        row[i] = read(field, { type, modifier, name, table, line: where.line }, context);
      }
    }
    return row;
  };
}

interface FieldPlace {
  readonly type: TypeName;
  readonly modifier: number;
  readonly name: string;
  readonly table: string;
  readonly line: number;
}

function read(text: string, place: FieldPlace, context: ExecutionContext): Value {
  const { type, modifier, name, table, line } = place;
  try {
    return readLiteral(text, type, modifier, 'assignment', context.functions);
  } catch (error) {
    const where = `COPY ${table}, line ${line}, column ${name}: "${shown(text)}"`;
    throw withContext(error, where);
  }
}

function lineOf({ table, line, text }: Where): { readonly context: string } {
  return { context: `COPY ${table}, line ${line}: "${shown(text)}"` };
}

function withContext(error: unknown, context: string): unknown {
  if (!(error instanceof DatabaseError)) return error;
  return new DatabaseError(error.kind, error.message, { context, ...error.details });
}

/** PostgreSQL shows at most this many bytes of the data. */
const shownMax = 100;

function shown(text: string): string {
  return text.length <= shownMax ? text : `${text.slice(0, shownMax)}...`;
}

/** Rows of text and CSV. */
class LineRows implements RowReader {
  readonly #input: CopyInput;
  readonly #names: readonly string[];
  readonly #fit: Fit;
  readonly #lines: LineReader;
  /** Bytes of a character whose rest has not come. */
  #tail: Uint8Array = new Uint8Array(0);
  #headerRead: boolean;

  constructor(input: CopyInput, fit: Fit) {
    this.#input = input;
    this.#names = input.columns.map(({ name }) => name);
    this.#fit = fit;
    this.#lines = new LineReader(input.options);
    this.#headerRead = input.options.header === 'none';
  }

  get held(): number {
    return this.#lines.held;
  }

  get done(): boolean {
    return this.#lines.done;
  }

  push(bytes: Uint8Array): void {
    const all = this.#tail.length === 0 ? bytes : Buffer.concat([this.#tail, bytes]);
    const whole = wholeCharacters(all);
    this.#tail = all.slice(whole);
    this.#lines.push(this.#decode(all.subarray(0, whole)));
  }

  end(): void {
    if (this.#tail.length > 0) this.#lines.push(this.#decode(this.#tail));
    this.#lines.end();
  }

  next(context: ExecutionContext): Row | undefined {
    const line = this.#located('', () => this.#lines.next());
    if (line === undefined) return undefined;
    const { options, table } = this.#input;
    const fields = this.#located(line, () => this.#fields(line, options));
    if (!this.#headerRead) {
      this.#headerRead = true;
      if (options.header === 'match') this.#located(line, () => this.#checkHeader(fields));
      return this.next(context);
    }
    return this.#fit(fields, { table, line: this.#lines.line, text: line }, context);
  }

  #fields(line: string, options: CopyOptions): readonly Field[] {
    if (!this.#headerRead && options.header === 'present') return [];
    // A table without columns has lines without fields.
    if (line === '' && this.#names.length === 0) return [];
    if (options.format === 'csv') return csvFields(line, options, this.#names);
    return textFields(line, options);
  }

  #checkHeader(fields: readonly Field[]): void {
    const { options } = this.#input;
    const names = this.#names;
    if (fields.length !== names.length) {
      const text = `wrong number of fields in header line: got ${fields.length}, expected ${names.length}`;
      raise('bad_copy_file_format', text);
    }
    for (const [i, name] of names.entries()) {
      const field = fields[i];
      if (field === name) continue;
      const place = `column name mismatch in header line field ${i + 1}`;
      const got = typeof field === 'string' ? `"${field}"` : `null value ("${options.null}")`;
      raise('bad_copy_file_format', `${place}: got ${got}, expected "${name}"`);
    }
  }

  /** Errors of the data's form tell their line. */
  #located<T>(line: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      const { table } = this.#input;
      const text = line === '' ? '' : `: "${shown(line)}"`;
      throw withContext(error, `COPY ${table}, line ${this.#lines.line}${text}`);
    }
  }

  #decode(bytes: Uint8Array): string {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const text = buffer.toString('utf8');
    // The replacement character may stand for itself or for bytes that are no text.
    const isSound = !text.includes('\ufffd') || Buffer.from(text).equals(buffer);
    if (isSound && !text.includes('\0')) return text;
    const { table } = this.#input;
    raise('character_not_in_repertoire', 'invalid byte sequence for encoding "UTF8"', {
      context: `COPY ${table}, line ${this.#lines.line + 1}`,
    });
  }
}

/** Bytes up to the last character that is there in full. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    // The first byte of a character says how many it has.
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 0;
    if (length > 0) return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Rows of the binary format. */
class BinaryRows implements RowReader {
  readonly #reader: BinaryReader;
  readonly #table: string;

  constructor(reader: BinaryReader, table: string) {
    this.#reader = reader;
    this.#table = table;
  }

  get held(): number {
    return this.#reader.held;
  }

  get done(): boolean {
    return this.#reader.done;
  }

  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  end(): void {
    this.#reader.end();
  }

  next(context: ExecutionContext): Row | undefined {
    try {
      return this.#reader.next(context.functions);
    } catch (error) {
      throw withContext(error, `COPY ${this.#table}, line ${this.#reader.line + 1}`);
    }
  }
}
