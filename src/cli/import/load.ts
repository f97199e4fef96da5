/** Puts records into a table, batch by batch, and finds the lines that the node refuses. */
import { type Database, ShardForgeError } from '../../client/index.js';
import { batchAttemptsMax, batchParametersMax } from '../limits.js';
import type { CsvRecord } from './parse-job.js';
import type { BadLine } from './records.js';

/** Where records go. */
export interface Target {
  readonly database: Database;
  /** Quoted. */
  readonly table: string;
  /** Quoted, one for each field of a record. */
  readonly columns: readonly string[];
  readonly batchRows: number;
}

/** Each batch is one INSERT and so one transaction: all of it is there, or nothing. */
export class Loader {
  readonly #target: Target;
  readonly #batchRows: number;
  readonly #onBad: (bad: BadLine) => void;
  #records: CsvRecord[] = [];
  #lines: number[] = [];
  /** The batch under way, so that one is sent while the next is gathered. */
  #sent: Promise<void> = Promise.resolve();
  #inserted = 0;

  constructor(target: Target, onBad: (bad: BadLine) => void) {
    this.#target = target;
    this.#onBad = onBad;
    this.#batchRows = Math.min(
      target.batchRows,
      Math.max(1, Math.floor(batchParametersMax / target.columns.length)),
    );
  }

  /** Rows that the node has acknowledged. */
  get inserted(): number {
    return this.#inserted;
  }

  /** @throws ShardForgeError when the node refuses for a reason that is not in the data */
  async add(record: CsvRecord, line: number): Promise<void> {
    this.#records.push(record);
    this.#lines.push(line);
    if (this.#records.length >= this.#batchRows) await this.#flush();
  }

  /** Resolves when everything is there. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#sent;
  }

  async #flush(): Promise<void> {
    const records = this.#records;
    const lines = this.#lines;
    this.#records = [];
    this.#lines = [];
    await this.#sent;
    if (records.length === 0) return;
    this.#sent = this.#insert(records, lines);
    // Whoever awaits it next is told; until then it must not count as unhandled.
    this.#sent.catch(() => undefined);
  }

  /** Halves a batch that is refused until the mistaken rows are alone. */
  async #insert(records: readonly CsvRecord[], lines: readonly number[]): Promise<void> {
    try {
      await this.#send(records);
      this.#inserted += records.length;
    } catch (error) {
      if (!(error instanceof ShardForgeError) || !isInData(error)) throw error;
      if (records.length === 1) {
        const detail = error.detail === undefined ? '' : ` (${error.detail})`;
        this.#onBad({ line: lines[0] ?? 0, reason: `${error.message}${detail}` });
        return;
      }
      const half = records.length >>> 1;
      await this.#insert(records.slice(0, half), lines.slice(0, half));
      await this.#insert(records.slice(half), lines.slice(half));
    }
  }

  async #send(records: readonly CsvRecord[]): Promise<void> {
    const { database, table, columns } = this.#target;
    const width = columns.length;
    const rows = records.map((_, i) => {
      const places = columns.map((_column, j) => `$${i * width + j + 1}`);
      return `(${places.join(',')})`;
    });
    const text = `insert into ${table} (${columns.join(', ')}) values ${rows.join(',')}`;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await database.query(text, records.flat());
        return;
      } catch (error) {
        const again = error instanceof ShardForgeError && error.retry === 'transaction';
        if (!again || attempt >= batchAttemptsMax) throw error;
      }
    }
  }
}

/** Errors of values and constraints, and rows that are too large: another row may well be fine. */
function isInData(error: ShardForgeError): boolean {
  return ['22', '23', '54'].includes(error.sqlstate.slice(0, 2));
}
