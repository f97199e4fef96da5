/**
 * `npm run sqlfuzz -- [--statements N] [--seed S] [--seconds T]`: random statements to PGlite and to a
 * session. Prints each difference with the tables it needs, made small; exit 1 when there are any.
 */
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { PGlite } from '@electric-sql/pglite';
import { showAnswer } from './compare.js';
import { runSeed } from './run.js';

const { values } = parseArgs({
  options: {
    statements: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: 'Infinity' },
    setup: { type: 'boolean', default: false },
    log: { type: 'string' },
  },
});

/** A long run says now and then how far it is. */
const progressStatements = 10_000;

/** Statements of one schema. */
const perSeed = 200;

const postgres = await PGlite.create();
const endMs = performance.now() + Number(values.seconds) * 1000;
let statements = 0;
let failedAlike = 0;
let differences = 0;
for (
  let seed = Number(values.seed);
  statements < Number(values.statements) && performance.now() < endMs;
  seed += 1
) {
  const result = await runSeed(postgres, seed, perSeed);
  statements += result.statements;
  failedAlike += result.failedAlike;
  if (statements % progressStatements < perSeed) console.log(`${statements} statements so far`);
  differences += result.differences.length;
  for (const { setup, statement, postgres: expected, session } of result.differences) {
    const lines = [
      `seed ${seed}: ${statement};`,
      `  PostgreSQL\n    ${showAnswer(expected)}`,
      `  ShardForge\n    ${showAnswer(session)}`,
      ...(values.setup ? [setup.join(';\n'), ''] : []),
    ];
    console.log(lines.join('\n'));
    if (values.log !== undefined) appendFileSync(values.log, `${lines.join('\n')}\n`);
  }
}
console.log(
  `${statements} statements, ${failedAlike} failed in both, ${differences} answered differently`,
);
await postgres.close();
process.exitCode = differences > 0 ? 1 : 0;
