/** Files of sqllogictest (https://www.sqlite.org/sqllogictest): records and how results are written. */
import { createHash } from 'node:crypto';
import { assert } from '#src/base/assert.js';

export type SltRecord =
  | {
      readonly kind: 'statement';
      readonly line: number;
      readonly sql: string;
      readonly succeeds: boolean;
    }
  | {
      readonly kind: 'query';
      readonly line: number;
      readonly sql: string;
      /** A letter per column: T text, I integer, R real. */
      readonly types: string;
      readonly sort: 'nosort' | 'rowsort' | 'valuesort';
      /** One value a line, or one line `N values hashing to MD5`. */
      readonly expected: readonly string[];
    };

/** The records that a database of this kind is to run, in order. */
export function readRecords(text: string, database: string): SltRecord[] {
  const lines = text.split(/\r?\n/);
  const records: SltRecord[] = [];
  let at = 0;
  while (at < lines.length) {
    let runs = true;
    while (/^(skipif|onlyif)\s/.test(lines[at] ?? '')) {
      const [condition, name] = (lines[at] ?? '').split(/\s+/);
      if ((condition === 'skipif') === (name === database)) runs = false;
      at += 1;
    }
    const line = lines[at] ?? '';
    if (line === 'halt' && runs) break;
    if (!/^(statement|query)\s/.test(line)) {
      at += 1;
      continue;
    }
    const end = endOfRecord(lines, at);
    if (runs) records.push(readRecord(lines, at, end));
    at = end;
  }
  return records;
}

function endOfRecord(lines: readonly string[], from: number): number {
  let end = from;
  while (end < lines.length && lines[end] !== '') end += 1;
  return end;
}

function readRecord(lines: readonly string[], at: number, end: number): SltRecord {
  const [kind, second = '', third = 'nosort'] = (lines[at] ?? '').split(/\s+/);
  const body = lines.slice(at + 1, end);
  const line = at + 1;
  if (kind === 'statement') {
    return { kind, line, sql: body.join('\n'), succeeds: second === 'ok' };
  }
  const bar = body.indexOf('----');
  const sql = (bar < 0 ? body : body.slice(0, bar)).join('\n');
  assert(third === 'nosort' || third === 'rowsort' || third === 'valuesort', 'no such sort', third);
  return {
    kind: 'query',
    line,
    sql,
    types: second,
    sort: third,
    expected: bar < 0 ? [] : body.slice(bar + 1),
  };
}

/** Texts of values by the letters of a query's columns. */
function formatValue(value: string | null, type: string): string {
  if (value === null) return 'NULL';
  switch (type) {
    case 'I':
      // What C's atoi makes of the text.
      return String(Number.parseInt(value, 10) || 0);
    case 'R':
      return Number(value).toFixed(3);
    default:
      return value === '' ? '(empty)' : value.replace(/[^ -~]/g, '@');
  }
}

/** Whether rows, as PostgreSQL's texts, are what a query's record says. */
export function isAsRecorded(
  record: Extract<SltRecord, { kind: 'query' }>,
  rows: readonly (readonly (string | null)[])[],
): boolean {
  const { types, sort, expected } = record;
  if (rows.some((row) => row.length !== types.length)) return false;
  const formatted = rows.map((row) => row.map((value, i) => formatValue(value, types[i] ?? 'T')));
  if (sort === 'rowsort') {
    formatted.sort((a, b) => {
      const different = a.findIndex((value, i) => value !== b[i]);
      return different < 0 ? 0 : (a[different] ?? '') < (b[different] ?? '') ? -1 : 1;
    });
  }
  const values = formatted.flat();
  if (sort === 'valuesort') values.sort();
  const hashing = /^(\d+) values hashing to ([0-9a-f]{32})$/.exec(expected[0] ?? '');
  if (hashing === null) {
    // Rows may be written one a line.
    const recorded = expected.length === rows.length && types.length > 1 ? undefined : expected;
    return recorded === undefined
      ? formatted.every((row, i) => row.join(' ') === expected[i]?.trim().split(/\s+/).join(' '))
      : values.length === recorded.length && values.every((value, i) => value === recorded[i]);
  }
  const hash = createHash('md5');
  for (const value of values) hash.update(`${value}\n`);
  return Number(hashing[1]) === values.length && hashing[2] === hash.digest('hex');
}
