/**
 * Runs files of sqllogictest on PGlite and on a session: every record that PGlite answers as recorded
 * a session must answer so too.
 */
import { readFileSync } from 'node:fs';
import type { PGlite } from '@electric-sql/pglite';
import { failureOf, printed, resultsOf, TestNode } from '../sql/session-client.js';
import { isAsRecorded, readRecords, type SltRecord } from './script.js';

export interface SltDifference {
  readonly file: string;
  readonly line: number;
  readonly sql: string;
  readonly found: string;
}

export interface SltResult {
  /** Records that PGlite answers as recorded. */
  readonly records: number;
  /** Records that PGlite itself answers otherwise. */
  readonly passedOver: number;
  readonly differences: readonly SltDifference[];
}

type Answer =
  | { readonly kind: 'rows'; readonly rows: readonly (readonly (string | null)[])[] }
  | { readonly kind: 'error'; readonly message: string };

type Ask = (sql: string) => Promise<Answer>;

/** Runs the first `most` records of a file; `postgres` loses all its tables first. */
export async function runSltFile(
  file: string,
  postgres: PGlite,
  most = Number.POSITIVE_INFINITY,
): Promise<SltResult> {
  const records = readRecords(readFileSync(file, 'utf8'), 'postgresql').slice(0, most);
  await postgres.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  const askPostgres = postgresAsker(postgres);
  const node = await TestNode.start();
  const askSession = sessionAsker(node);
  const differences: SltDifference[] = [];
  let compared = 0;
  for (const record of records) {
    const ofPostgres = await askPostgres(record.sql);
    const ofSession = await askSession(record.sql);
    if (!holds(record, ofPostgres)) continue;
    compared += 1;
    if (holds(record, ofSession)) continue;
    differences.push({ file, line: record.line, sql: record.sql, found: shown(ofSession) });
  }
  return { records: compared, passedOver: records.length - compared, differences };
}

function holds(record: SltRecord, answer: Answer): boolean {
  if (record.kind === 'statement') return (answer.kind !== 'error') === record.succeeds;
  return answer.kind === 'rows' && isAsRecorded(record, answer.rows);
}

function shown(answer: Answer): string {
  if (answer.kind === 'error') return answer.message;
  const rows = answer.rows.slice(0, 10).map((row) => row.join(' | '));
  return `${answer.rows.length} rows\n${rows.join('\n')}`;
}

/** PGlite gives texts of all types that the corpus meets. */
const asText = Object.fromEntries(
  [16, 20, 21, 23, 25, 700, 701, 1043, 1700].map((oid) => [oid, (value: string) => value]),
);

function postgresAsker(postgres: PGlite): Ask {
  return async (sql) => {
    try {
      const results = await postgres.exec(sql, { rowMode: 'array', parsers: asText });
      const rows = (results.at(-1)?.rows ?? []) as unknown as (string | null)[][];
      return { kind: 'rows', rows };
    } catch (error) {
      return { kind: 'error', message: String(error) };
    }
  };
}

function sessionAsker(node: TestNode): Ask {
  const client = node.connect();
  return async (sql) => {
    const answers = await client.execute(sql);
    const failed = failureOf(answers);
    if (failed !== undefined)
      return { kind: 'error', message: `${failed.kind}: ${failed.message}` };
    const result = resultsOf(answers).at(-1);
    return { kind: 'rows', rows: result === undefined ? [] : printed(result) };
  };
}
