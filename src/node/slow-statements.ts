/** Slow statements of a node: in memory, and in a file of the data directory where there is one. */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SlowStatement, SlowStatements } from '../sql/index.js';

/** The most that are kept; beyond them the oldest go before their day is over. */
const keptMax = 10_000;
/** The file is written anew when it has so many lines more than are kept. */
const garbageMax = 10_000;

export function slowStatementsFile(directory: string): string {
  return join(directory, 'slow-statements.jsonl');
}

export class KeptSlowStatements implements SlowStatements {
  readonly #file: string | undefined;
  #kept: SlowStatement[];
  #lines: number;

  /** Without a file they are forgotten with the process. What cannot be read of it is left out. */
  constructor(file: string | undefined) {
    this.#file = file;
    this.#kept = file === undefined ? [] : readKept(file);
    this.#lines = this.#kept.length;
  }

  add(statement: SlowStatement): void {
    this.#kept.push(statement);
    if (this.#kept.length > keptMax) this.#kept.shift();
    if (this.#file === undefined) return;
    this.#lines += 1;
    try {
      if (this.#lines > keptMax + garbageMax) this.#rewrite(this.#file);
      else appendFileSync(this.#file, lineOf(statement));
    } catch {
      // A full disk must not fail the statement: the log has it.
    }
  }

  since(atMs: number): readonly SlowStatement[] {
    const first = this.#kept.findIndex((statement) => statement.atMs >= atMs);
    this.#kept = first < 0 ? [] : this.#kept.slice(first);
    return this.#kept;
  }

  #rewrite(file: string): void {
    writeFileSync(`${file}.new`, this.#kept.map(lineOf).join(''));
    renameSync(`${file}.new`, file);
    this.#lines = this.#kept.length;
  }
}

function lineOf(statement: SlowStatement): string {
  return `${JSON.stringify(statement)}\n`;
}

function readKept(file: string): SlowStatement[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap(readLine).slice(-keptMax);
}

/** A line that was cut by a crash, or is none of ours, gives nothing. */
function readLine(line: string): SlowStatement[] {
  try {
    // Lines of before had no ids.
    const { queryId = '', ...kept } = JSON.parse(line) as SlowStatement;
    const { atMs, durationMs, user, sqlstate, text } = kept;
    const isSound =
      typeof atMs === 'number' &&
      typeof durationMs === 'number' &&
      [user, queryId, sqlstate, text].every((field) => typeof field === 'string');
    return isSound ? [{ atMs, durationMs, user, queryId, sqlstate, text }] : [];
  } catch {
    return [];
  }
}
