/**
 * `npm run regress -- [FILE ...] [--failures] [--psql]`: PostgreSQL's regression tests against a session, or
 * what psql prints of them against a node; FILE is a name such as `select` or a path to its .sql file. Without a
 * file all that test/regress/floors.ts names.
 */
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { floors, psqlFloors } from './floors.js';
import type { Outcome } from './expected.js';
import { type PsqlResult, runByPsql } from './psql.js';
import { type FileResult, runFile } from './run.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    failures: { type: 'boolean', default: false },
    psql: { type: 'boolean', default: false },
  },
});

function show(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'nothing':
      return '    (no rows)';
    case 'error':
      return `    ERROR:  ${outcome.message}`;
    case 'rows':
      return [outcome.columns, ...outcome.rows].map((row) => `    ${row.join(' | ')}`).join('\n');
  }
}

function printLine(file: string, matched: number, all: number, seconds: number): void {
  const percent = ((100 * matched) / all).toFixed(1);
  console.log(
    `${file.padEnd(18)} ${String(matched).padStart(5)} of ${String(all).padStart(5)}  ${percent.padStart(5)} %  ${seconds.toFixed(1)} s`,
  );
}

function print(result: FileResult): void {
  const { file, matched, statements, seconds, internalErrors } = result;
  printLine(file, matched, statements, seconds);
  for (const error of internalErrors) console.log(`  INTERNAL ERROR ${error}`);
  if (!values.failures) return;
  for (const { statement, expected, found } of result.missed) {
    console.log(`\n${statement}\n  expected\n${show(expected)}\n  found\n${show(found)}`);
  }
}

function printPsql({ file, matched, lines, seconds, missed }: PsqlResult): void {
  printLine(file, matched, lines, seconds);
  if (!values.failures) return;
  for (const { line, expected, found } of missed) {
    console.log(['', line, 'expected', ...expected, 'found', ...found].join('\n'));
  }
}

const named = positionals.map((path) => basename(path, '.sql'));
const files = named.length > 0 ? named : Object.keys(values.psql ? psqlFloors : floors);
let [all, matched, seconds] = [0, 0, 0];
for (const file of files) {
  if (values.psql) {
    const result = await runByPsql(file);
    printPsql(result);
    all += result.lines;
    matched += result.matched;
    seconds += result.seconds;
  } else {
    const result = await runFile(file);
    print(result);
    all += result.statements;
    matched += result.matched;
    seconds += result.seconds;
  }
}
if (files.length > 1) printLine('all', matched, all, seconds);
