/**
 * Random statements: PGlite and a session answer alike, whatever was once answered wrongly stays right,
 * conditions cut tables into parts that make the whole, and indexes change no answer. More of them:
 * `npm run sqlfuzz`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import t from 'tap';
import { TestNode } from './sql/session-client.js';
import { askPostgres, askSession, isAlike, showAnswer } from './sqlfuzz/compare.js';
import { metamorphicFailures } from './sqlfuzz/metamorphic.js';
import { runSeed } from './sqlfuzz/run.js';

const directory = 'test/sqlfuzz/regressions/';
const seeds = 50;
const statementsPerSeed = 200;

t.test('statements that were once answered wrongly', async (t) => {
  const postgres = await PGlite.create();
  for (const file of readdirSync(directory).sort()) {
    await postgres.exec("DROP SCHEMA public CASCADE; CREATE SCHEMA public; SET TimeZone = 'UTC'");
    const client = (await TestNode.start()).connect();
    const statements = readFileSync(directory + file, 'utf8')
      .split(/;\n/)
      .filter((text) => text.trim() !== '');
    for (const text of statements) {
      const expected = await askPostgres(postgres, text);
      const found = await askSession(client, text);
      t.ok(isAlike(expected, found, text), `${file}: ${text.trim().slice(0, 60)}`, {
        statement: text,
        postgres: showAnswer(expected),
        session: showAnswer(found),
      });
    }
  }
  await postgres.close();
});

t.test('random statements are answered as PostgreSQL answers them', async (t) => {
  const postgres = await PGlite.create();
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { differences } = await runSeed(postgres, seed, statementsPerSeed);
    const shown = differences.map(
      ({ statement, postgres: expected, session }) =>
        `${statement}\n${showAnswer(expected)}\n${showAnswer(session)}`,
    );
    t.same(shown, [], `${statementsPerSeed} statements of seed ${seed}`);
  }
  await postgres.close();
});

t.test('conditions divide tables and indexes change no answer', async (t) => {
  for (let seed = 1; seed <= 20; seed += 1) {
    t.same(await metamorphicFailures(seed, 25), [], `seed ${seed}`);
  }
});
