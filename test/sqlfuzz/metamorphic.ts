/**
 * Checks that need no other database: a condition cuts a table into three parts (true, false, NULL)
 * that make the whole (ternary logic partitioning, Rigger and Su 2020), and an index changes no answer.
 */
import { Random } from '#src/base/random.js';
import { TestNode } from '../sql/session-client.js';
import { askSession, type FuzzAnswer, showAnswer } from './compare.js';
import { Queries } from './queries.js';
import { makeSchema } from './schema.js';
import { render } from './tree.js';

/** What went wrong with one seed's statements, in words. */
export async function metamorphicFailures(seed: number, statements: number): Promise<string[]> {
  const random = new Random(seed);
  const schema = makeSchema(random);
  const node = await TestNode.start();
  const client = node.connect();
  for (const text of schema.setup) await askSession(client, text);
  const queries = new Queries(random, schema);
  const failures: string[] = [];

  for (let i = 0; i < statements; i += 1) {
    const table = schema.tables[random.below(schema.tables.length)];
    if (table === undefined) continue;
    const condition = render(queries.conditionOn(table));
    const parts = [condition, `NOT (${condition})`, `(${condition}) IS NULL`].map(
      (part) => `SELECT * FROM ${table.name} WHERE ${part}`,
    );
    const whole = await askSession(client, `SELECT * FROM ${table.name}`);
    const divided = await askSession(client, parts.join(' UNION ALL '));
    // json has no equality, but UNION ALL wants none; a failing condition says nothing.
    if (divided.kind === 'rows' && !isEqual(whole, divided))
      failures.push(`seed ${seed}: ${condition} loses or doubles rows of ${table.name}`);
  }

  const texts = Array.from({ length: statements }, () => render(queries.query(1, []).text));
  const without: FuzzAnswer[] = [];
  for (const text of texts) without.push(await askSession(client, text));
  for (const text of schema.indexes) await askSession(client, text);
  for (const [i, text] of texts.entries()) {
    const answer = await askSession(client, text);
    const before = without[i];
    if (before === undefined || isEqual(before, answer)) continue;
    failures.push(
      `seed ${seed}: ${text}\n  without indexes ${showAnswer(before)}\n  with ${showAnswer(answer)}`,
    );
  }
  return failures;
}

function isEqual(a: FuzzAnswer, b: FuzzAnswer): boolean {
  if (a.kind === 'error' || b.kind === 'error') return a.kind === b.kind;
  return a.rows.length === b.rows.length && a.rows.every((row, i) => row === b.rows[i]);
}
