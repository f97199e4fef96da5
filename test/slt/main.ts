/**
 * `npm run slt -- [PATH ...] [--records N] [--failures N]`: files and folders of sqllogictest against
 * PGlite and a session. Without a path our own files and the shared suite, all of it.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PGlite } from '@electric-sql/pglite';
import { runSltFile } from './run.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    records: { type: 'string', default: 'Infinity' },
    failures: { type: 'string', default: '5' },
  },
});

function filesUnder(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test'))
    .sort()
    .map((name) => join(path, name));
}

const paths =
  positionals.length > 0 ? positionals : ['test/slt/files', '../shared/suites/sqllogictest'];
const postgres = await PGlite.create();
let records = 0;
let failed = 0;
let passedOver = 0;
for (const file of paths.filter((path) => existsSync(path)).flatMap(filesUnder)) {
  const startMs = performance.now();
  const result = await runSltFile(file, postgres, Number(values.records));
  records += result.records;
  passedOver += result.passedOver;
  failed += result.differences.length;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(
    `${file}: ${result.records - result.differences.length} of ${result.records} records, ${seconds} s`,
  );
  for (const { line, sql, found } of result.differences.slice(0, Number(values.failures))) {
    console.log(`  line ${line}: ${sql}\n  found ${found}\n`);
  }
}
console.log(
  `${records - failed} of ${records} records as PGlite answers them, ${passedOver} that it answers otherwise`,
);
await postgres.close();
process.exitCode = failed > 0 ? 1 : 0;
