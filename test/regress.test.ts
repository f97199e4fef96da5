/**
 * PostgreSQL's own regression files, statement by statement: what was answered as PostgreSQL answers
 * it stays so (test/regress/floors.ts). See what is missed: `npm run regress -- FILE --failures`, and of what
 * psql prints with `--psql`.
 */
import { existsSync } from 'node:fs';
import t from 'tap';
import { floors, psqlFloors } from './regress/floors.js';
import { noPsql, runByPsql } from './regress/psql.js';
import { runFile, suite } from './regress/run.js';

const skip = existsSync(suite) ? false : `${suite} is not there`;
t.test('regression files keep their floors', { skip }, async (t) => {
  for (const [file, floor] of Object.entries(floors)) {
    const { matched, statements, internalErrors } = await runFile(file);
    t.ok(matched >= floor, `${file}: ${matched} of ${statements}, the floor is ${floor}`);
    t.same(internalErrors, [], `${file}: nothing broke inside`);
  }
});

t.test('and so does what psql prints', { skip: skip || noPsql() }, async (t) => {
  for (const [file, floor] of Object.entries(psqlFloors)) {
    const { matched, lines } = await runByPsql(file);
    t.ok(matched >= floor, `${file}: ${matched} of ${lines}, the floor is ${floor}`);
  }
});
