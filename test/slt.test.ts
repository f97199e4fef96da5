/**
 * sqllogictest: every record that PGlite answers as recorded a session answers so too. Our own files
 * always; of the shared suite the first records of each file. All of it: `npm run slt`.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import t from 'tap';
import { runSltFile } from './slt/run.js';

const own = 'test/slt/files';
const suite = '../shared/suites/sqllogictest';
/** Of each file of the suite: about 30,000 together. */
const recordsPerFile = 800;

function filesUnder(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test'))
    .sort()
    .map((name) => join(path, name));
}

t.test('our own records', async (t) => {
  const postgres = await PGlite.create();
  for (const file of filesUnder(own)) {
    const { records, passedOver, differences } = await runSltFile(file, postgres);
    t.same(
      { passedOver, differences },
      { passedOver: 0, differences: [] },
      `${file}: ${records} records`,
    );
  }
  await postgres.close();
});

const skip = existsSync(suite) ? false : `${suite} is not there`;
t.test('the shared suite', { skip }, async (t) => {
  const postgres = await PGlite.create();
  for (const file of filesUnder(suite)) {
    const { records, differences } = await runSltFile(file, postgres, recordsPerFile);
    t.same(differences.slice(0, 3), [], `${file}: ${records} records`);
  }
  await postgres.close();
});
