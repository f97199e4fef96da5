/**
 * Runs a file of PostgreSQL's regression tests against a session and compares, statement by
 * statement, values and errors with the expected output.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert } from '#src/base/assert.js';
import { serverFiles } from '#src/node/index.js';
import { type Client, failureOf, printed, resultsOf, TestNode } from '../sql/session-client.js';
import { alignOutput, type Outcome } from './expected.js';
import { readScript, type ScriptItem } from './script.js';

/** Where the suite lies; its files are not ours and not needed to pass. */
export const suite = '../shared/suites/postgres/regress';

/** Values that pg_regress gives every session. */
const settings = {
  TimeZone: 'PST8PDT',
  DateStyle: 'Postgres, MDY',
  IntervalStyle: 'postgres_verbose',
};

/** A statement takes at most this long before it is cancelled and counts as missed. */
const statementMs = 20_000;

export interface Missed {
  readonly statement: string;
  readonly expected: Outcome;
  readonly found: Outcome;
}

export interface FileResult {
  readonly file: string;
  readonly statements: number;
  readonly matched: number;
  readonly missed: readonly Missed[];
  /** Statements that broke something inside; each of them is a bug. */
  readonly internalErrors: readonly string[];
  readonly seconds: number;
}

/** Runs `file` on a node of its own, after test_setup. With several expected files the best counts. */
export async function runFile(file: string): Promise<FileResult> {
  const startMs = performance.now();
  const files = serverFiles([`${suite}/data`, tmpdir()]);
  const node = await TestNode.start({}, { files });
  const client = node.connect({}, { database: 'regression' });
  await giveSettings(client, 'all');
  const internalErrors: string[] = [];
  if (file !== 'test_setup') await new FileRun(client, internalErrors).run('test_setup');
  const found = await new FileRun(client, internalErrors).run(file);
  const alternatives = readdirSync(`${suite}/expected`)
    .filter((name) => name === `${file}.out` || new RegExp(`^${file}_\\d\\.out$`).test(name))
    .map((name) => compare(found, readFileSync(`${suite}/expected/${name}`, 'utf8')));
  const best = alternatives.reduce((a, b) => (b.missed.length < a.missed.length ? b : a));
  return { file, ...best, internalErrors, seconds: (performance.now() - startMs) / 1000 };
}

/** To pg_regress these are the values that RESET goes back to, so they are given again after it. */
async function giveSettings(client: Client, which: string): Promise<void> {
  for (const [name, value] of Object.entries(settings)) {
    if (which !== 'all' && which !== name.toLowerCase()) continue;
    await client.execute(`SET ${name} = '${value}'`);
  }
}

interface Ran {
  readonly item: ScriptItem;
  readonly outcome: Outcome;
  readonly nullText: string;
}

class FileRun {
  readonly #client: Client;
  readonly #internalErrors: string[];
  #nullText = '';

  constructor(client: Client, internalErrors: string[]) {
    this.#client = client;
    this.#internalErrors = internalErrors;
  }

  async run(
    file: string,
  ): Promise<{ readonly lines: ReturnType<typeof readScript>; readonly ran: Ran[][] }> {
    const variables = new Map([
      ['env.PG_ABS_SRCDIR', `${process.cwd()}/${suite}`],
      ['env.PG_ABS_BUILDDIR', tmpdir()],
      ['env.PG_LIBDIR', '/nonexistent'],
      ['env.PG_DLSUFFIX', '.so'],
    ]);
    const lines = readScript(readFileSync(`${suite}/sql/${file}.sql`, 'utf8'), variables);
    const ran: Ran[][] = [];
    for (const line of lines) {
      const ofLine: Ran[] = [];
      for (const item of line.items) {
        const outcome = await this.#perform(item);
        ofLine.push({ item, outcome, nullText: this.#nullText });
      }
      ran.push(ofLine);
    }
    return { lines, ran };
  }

  async #perform(item: ScriptItem): Promise<Outcome> {
    if (item.kind === 'statement') {
      this.#client.copyData.length = 0;
      if (item.copyData !== undefined) {
        this.#client.copyData.push(item.copyData.map((line) => `${line}\n`).join(''));
      }
      const outcome = await this.#execute(item.text);
      const reset = /^\s*reset\s+(.*)$/i.exec(item.text)?.[1];
      if (reset !== undefined) {
        await giveSettings(this.#client, reset.toLowerCase().replace(/\s/g, ''));
      }
      return outcome;
    }
    if (item.name === 'pset' && item.words[0] === 'null') this.#nullText = item.words[1] ?? '';
    return { kind: 'nothing' };
  }

  async #execute(text: string): Promise<Outcome> {
    const asked = this.#client.execute(text);
    const request = this.#client.lastRequest;
    const late = new AbortController();
    void sleep(statementMs, undefined, { signal: late.signal, ref: false }).then(
      () => this.#client.send({ kind: 'sql.cancel', request }),
      () => undefined,
    );
    const answers = await asked;
    late.abort();
    const failed = failureOf(answers);
    if (failed !== undefined) {
      if (failed.kind === 'internal_error') this.#internalErrors.push(`${failed.message}: ${text}`);
      return { kind: 'error', message: failed.message };
    }
    const result = resultsOf(answers).at(-1);
    if (result === undefined) return { kind: 'nothing' };
    const rows = printed(result).map((row) =>
      row.map((value) => (value === null ? this.#nullText : shown(value))),
    );
    return { kind: 'rows', columns: result.columns.map(({ name }) => name.trim()), rows };
  }
}

/** A cell as it reads after the padding of psql's table is gone. */
function shown(value: string): string {
  return value
    .replace(/[^\P{Cc}\n\r\t]/gu, (control) => `\\x${hexOf(control)}`)
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .trim();
}

/** As psql shows a control character. */
function hexOf(control: string): string {
  return control.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
}

/** Server-side noise, which does not count: plans. */
const uncounted = /^\s*explain\b/i;

function compare(
  {
    lines,
    ran,
  }: { readonly lines: ReturnType<typeof readScript>; readonly ran: readonly (readonly Ran[])[] },
  output: string,
): { readonly statements: number; readonly matched: number; readonly missed: readonly Missed[] } {
  const printedOutcomes = alignOutput(lines, output);
  const missed: Missed[] = [];
  let statements = 0;
  for (const [i, ofLine] of ran.entries()) {
    const left = [...(printedOutcomes[i] ?? [])];
    for (const [k, { item, outcome }] of ofLine.entries()) {
      if (item.kind !== 'statement') continue;
      const expected = takeExpected(left, outcome, ofLine.length - k === left.length);
      if (uncounted.test(item.text)) continue;
      statements += 1;
      if (!isSame(expected, outcome, item.text))
        missed.push({ statement: item.text, expected, found: outcome });
    }
  }
  assert(statements > 0, 'a script has statements');
  return { statements, matched: statements - missed.length, missed };
}

/** On a line of several statements not every one printed something: those that could are given it. */
function takeExpected(left: Outcome[], found: Outcome, eachPrinted: boolean): Outcome {
  const [first] = left;
  if (first === undefined) return { kind: 'nothing' };
  if (found.kind === 'nothing' && !eachPrinted) return { kind: 'nothing' };
  left.shift();
  return first;
}

function isSame(expected: Outcome, found: Outcome, text: string): boolean {
  if (expected.kind === 'error')
    return found.kind === 'error' && found.message.split('\n')[0] === expected.message;
  if (expected.kind === 'nothing') return found.kind === 'nothing';
  if (found.kind !== 'rows') return false;
  if (expected.columns.join('|') !== found.columns.join('|')) return false;
  const [a, b] = [expected.rows, found.rows].map((rows) => rows.map((row) => JSON.stringify(row)));
  assert(a !== undefined && b !== undefined, 'two lists');
  if (!/\border\s+by\b/i.test(text)) {
    a.sort();
    b.sort();
  }
  return a.length === b.length && a.every((row, i) => row === b[i]);
}
