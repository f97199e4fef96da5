/**
 * `npm run regress -- [FILE ...] [--failures] [--suite DIR]`: PostgreSQL's regression tests against a
 * session; FILE is a name such as `select` or a path to its .sql file. Without a file all that
 * test/regress/floors.json names.
 */
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { floors } from './floors.js';
import type { Outcome } from './expected.js';
import { type FileResult, runFile } from './run.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { failures: { type: 'boolean', default: false } },
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

function print(result: FileResult): void {
  const { file, matched, statements, seconds, internalErrors } = result;
  const percent = ((100 * matched) / statements).toFixed(1);
  console.log(
    `${file.padEnd(18)} ${String(matched).padStart(5)} of ${String(statements).padStart(5)}  ${percent.padStart(5)} %  ${seconds.toFixed(1)} s`,
  );
  for (const error of internalErrors) console.log(`  INTERNAL ERROR ${error}`);
  if (!values.failures) return;
  for (const { statement, expected, found } of result.missed) {
    console.log(`\n${statement}\n  expected\n${show(expected)}\n  found\n${show(found)}`);
  }
}

const files =
  positionals.length > 0 ? positionals.map((path) => basename(path, '.sql')) : Object.keys(floors);
const results: FileResult[] = [];
for (const file of files) {
  const result = await runFile(file);
  results.push(result);
  print(result);
}
if (results.length > 1) {
  const total = results.reduce((sum, { statements }) => sum + statements, 0);
  const matched = results.reduce((sum, one) => sum + one.matched, 0);
  console.log(
    `${'all'.padEnd(18)} ${matched} of ${total}  ${((100 * matched) / total).toFixed(1)} %`,
  );
}
