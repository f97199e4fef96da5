/** `shardforge import`: a CSV file into a table, in bounded memory. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Jobs } from '../../actors/index.js';
import type { Database } from '../../client/index.js';
import { pieceBytes, piecesAheadMax } from '../limits.js';
import { UsageError } from '../report.js';
import { anyType, type TypeSet, typeOfColumn } from './infer.js';
import { Loader } from './load.js';
import type { CsvForm, CsvRecord, ParseArgument, Parsed } from './parse-job.js';
import { type BadLine, type Piece, RecordSplitter } from './records.js';

export interface ImportOptions extends CsvForm {
  readonly file: string;
  readonly table: string;
  /** Makes the table, with types that take every value of the file. */
  readonly create: boolean;
  /** The columns of the primary key of a table that is made. */
  readonly primaryKey: readonly string[];
  /** Whether the first record names the columns. */
  readonly header: boolean;
  readonly batchRows: number;
  /** More bad lines than this end the import. */
  readonly errorsMax: number;
}

/** Hears how an import goes on. */
export interface ImportListener {
  /** Bytes of `total` in this pass over the file. */
  progress(phase: 'reading' | 'loading', bytes: number, total: number): void;
  bad(line: BadLine): void;
  /** Checked between pieces: true ends the import. */
  readonly interrupted: boolean;
}

export interface ImportOutcome {
  readonly rows: number;
  readonly badLines: number;
  /** Why not all of the file was read. */
  readonly stopped: string | undefined;
}

const jobModule = new URL('./parse-job.js', import.meta.url);

/**
 * Imports the file. Rows that are there when it ends early stay.
 * @throws UsageError, ShardForgeError
 */
export async function importCsv(
  database: Database,
  options: ImportOptions,
  listener: ImportListener,
): Promise<ImportOutcome> {
  const jobs = new Jobs({ threadsMax: 1 });
  try {
    return await new Import(database, options, listener, jobs).run();
  } finally {
    await jobs.close();
  }
}

class Import {
  readonly #database: Database;
  readonly #options: ImportOptions;
  readonly #listener: ImportListener;
  readonly #jobs: Jobs;
  #badLines = 0;

  constructor(database: Database, options: ImportOptions, listener: ImportListener, jobs: Jobs) {
    this.#database = database;
    this.#options = options;
    this.#listener = listener;
    this.#jobs = jobs;
  }

  async run(): Promise<ImportOutcome> {
    const options = this.#options;
    const total = await sizeOf(options.file);
    const first = await this.#firstRecord();
    if (first === undefined) throw new UsageError(`${options.file} holds no record`);
    const named = options.header ? headerNames(first) : undefined;
    if (options.create) await this.#createTable(named, first.length, total);
    const columns = await this.#columns(named, first.length);
    const table = quoteTable(options.table);
    const { batchRows } = options;
    const target = { database: this.#database, table, columns, batchRows };
    const loader = new Loader(target, (bad) => this.#bad(bad));
    let header = options.header;
    let stopped: string | undefined;
    for await (const { parsed, bytes } of this.#parsed(first.length)) {
      for (let i = header ? 1 : 0; i < parsed.records.length; i += 1) {
        await loader.add(parsed.records[i] ?? [], parsed.lines[i] ?? 0);
      }
      header = false;
      this.#listener.progress('loading', bytes, total);
      stopped = this.#reasonToStop();
      if (stopped !== undefined) break;
    }
    await loader.finish();
    stopped ??= this.#reasonToStop();
    return { rows: loader.inserted, badLines: this.#badLines, stopped };
  }

  #reasonToStop(): string | undefined {
    if (this.#listener.interrupted) return 'interrupted';
    const { errorsMax } = this.#options;
    return this.#badLines > errorsMax ? `more than ${errorsMax} bad lines` : undefined;
  }

  #bad(bad: BadLine): void {
    this.#badLines += 1;
    if (this.#badLines <= this.#options.errorsMax) this.#listener.bad(bad);
  }

  async #firstRecord(): Promise<CsvRecord | undefined> {
    for await (const { piece } of this.#pieces()) {
      const argument = { ...this.#form(), piece, fields: undefined };
      const { records } = await this.#jobs.run<ParseArgument, Parsed>(
        jobModule,
        'parsePiece',
        argument,
      );
      if (records[0] !== undefined) return records[0];
    }
    return undefined;
  }

  async #createTable(
    named: readonly string[] | undefined,
    fields: number,
    total: number,
  ): Promise<void> {
    const names = (named ?? numbered(fields)).map(columnName);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) throw new UsageError(`two columns would be named "${twice}"`);
    const types = await this.#inferTypes(fields, total);
    const definitions = names.map(
      (name, i) => `${quote(name)} ${typeOfColumn(types[i] ?? anyType)}`,
    );
    const { primaryKey } = this.#options;
    for (const key of primaryKey) {
      if (!names.includes(key)) throw noColumn(key, names);
    }
    if (primaryKey.length > 0) {
      definitions.push(`primary key (${primaryKey.map(quote).join(', ')})`);
    }
    const table = quoteTable(this.#options.table);
    await this.#database.query(`create table ${table} (${definitions.join(', ')})`);
  }

  /** Reads the whole file: a type that fits the first thousand lines may not fit the last. */
  async #inferTypes(fields: number, total: number): Promise<TypeSet[]> {
    const types = new Array<TypeSet>(fields).fill(anyType);
    let header = this.#options.header;
    for await (const { piece, bytes } of this.#pieces()) {
      const argument = { ...this.#form(), piece, fields, header };
      header = false;
      const sets = await this.#jobs.run<ParseArgument, TypeSet[]>(
        jobModule,
        'inferPiece',
        argument,
      );
      sets.forEach((set, i) => {
        types[i] = (types[i] ?? anyType) & set;
      });
      this.#listener.progress('reading', bytes, total);
      if (this.#listener.interrupted) break;
    }
    return types;
  }

  /** The columns that the fields go to, quoted. */
  async #columns(named: readonly string[] | undefined, fields: number): Promise<string[]> {
    const table = quoteTable(this.#options.table);
    const result = await this.#database.query(`select * from ${table} limit 0`);
    const known = result.columns.map((column) => column.name);
    if (named === undefined) {
      if (fields > known.length) {
        throw new UsageError(
          `the file has ${fields} fields, ${this.#options.table} has ${known.length} columns`,
        );
      }
      return known.slice(0, fields).map(quote);
    }
    return named.map((name) => {
      const found = known.includes(name) ? name : columnName(name);
      if (!known.includes(found)) throw noColumn(name, known);
      return quote(found);
    });
  }

  /** The pieces of the file, parsed in order, some ahead of the reader. */
  async *#parsed(fields: number): AsyncGenerator<{ parsed: Parsed; bytes: number }> {
    const ahead: Promise<{ parsed: Parsed; bytes: number }>[] = [];
    const parse = async (
      piece: Piece,
      bytes: number,
    ): Promise<{ parsed: Parsed; bytes: number }> => {
      const argument = { ...this.#form(), piece, fields };
      const parsed = await this.#jobs.run<ParseArgument, Parsed>(jobModule, 'parsePiece', argument);
      return { parsed, bytes };
    };
    const settle = async (
      next: Promise<{ parsed: Parsed; bytes: number }>,
    ): Promise<{ parsed: Parsed; bytes: number }> => {
      const done = await next;
      for (const bad of done.parsed.bad) this.#bad(bad);
      return done;
    };
    for await (const { piece, bytes } of this.#pieces((bad) => this.#bad(bad))) {
      const job = parse(piece, bytes);
      job.catch(() => undefined);
      ahead.push(job);
      const next = ahead.length > piecesAheadMax ? ahead.shift() : undefined;
      if (next !== undefined) yield await settle(next);
    }
    for (const next of ahead) yield await settle(next);
  }

  /** The pieces of the file, with the bytes read so far. */
  async *#pieces(
    onBad: (bad: BadLine) => void = () => undefined,
  ): AsyncGenerator<{ piece: Piece; bytes: number }> {
    const splitter = new RecordSplitter(this.#options.delimiter.charCodeAt(0));
    let bytes = 0;
    for await (const chunk of chunksOf(this.#options.file)) {
      bytes += chunk.length;
      for (const piece of splitter.push(chunk)) yield { piece, bytes };
      splitter.takeBad().forEach(onBad);
    }
    for (const piece of splitter.finish()) yield { piece, bytes };
    splitter.takeBad().forEach(onBad);
  }

  #form(): CsvForm {
    return { delimiter: this.#options.delimiter, nullText: this.#options.nullText };
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    const { size } = await stat(file);
    return size;
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  const stream: AsyncIterable<Buffer> = createReadStream(file, { highWaterMark: pieceBytes });
  const chunks = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      // Only reading can fail here: what fails in the loop of the caller is none of our errors.
      const next = await chunks.next().catch((error: unknown) => {
        throw unreadable(file, error);
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await chunks.return?.();
  }
}

function unreadable(file: string, error: unknown): UsageError {
  return new UsageError(`${file} cannot be read: ${(error as Error).message}`);
}

/** `Cost Total $` as `cost_total`: a name that needs no quotes in SQL. */
export function columnName(name: string): string {
  const words = name.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ['column'];
  const joined = words.join('_');
  return /^\p{N}/u.test(joined) ? `_${joined}` : joined;
}

function headerNames(record: CsvRecord): string[] {
  return record.map((name, i) => (name === null || name.trim() === '' ? `column${i + 1}` : name));
}

function numbered(fields: number): string[] {
  return Array.from({ length: fields }, (_, i) => `column${i + 1}`);
}

function noColumn(name: string, known: readonly string[]): UsageError {
  return new UsageError(`there is no column "${name}"; the columns are ${known.join(', ')}`);
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `schema.table` or `table`, as written. */
function quoteTable(name: string): string {
  return name.split('.').map(quote).join('.');
}
