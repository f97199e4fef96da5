/**
 * TPC-H's 22 queries on ShardForge and on PGlite: answers and milliseconds.
 *
 *     node build/bench/tpch/main.js [--scale 0.01] [--queries 1,3,6] [--alone]
 *
 * Exit 1 when an answer differs; `--alone` runs ShardForge only.
 */
import { parseArgs } from 'node:util';
import { PGlite } from '@electric-sql/pglite';
import { open } from '#src/embedded.js';
import { tpchTables } from './generate.js';
import { loadStatements } from './load.js';
import { tpchQueries } from './queries.js';

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '0.01' },
    queries: { type: 'string' },
    alone: { type: 'boolean', default: false },
  },
});

/** A database that answers with rows of texts. */
interface Engine {
  readonly name: string;
  readonly run: (sql: string) => Promise<readonly (readonly unknown[])[]>;
  readonly close: () => Promise<void>;
}

async function shardForge(): Promise<Engine> {
  const database = await open({
    config: { limits: { statementMemoryBytes: 2 ** 30, sessionMemoryBytes: 2 ** 30 } },
  });
  return {
    name: 'ShardForge',
    run: async (sql) => (await database.query(sql)).map((row) => Object.values(row)),
    close: () => database.close(),
  };
}

async function pglite(): Promise<Engine> {
  const database = await PGlite.create();
  return {
    name: 'PGlite',
    run: async (sql) => (await database.query<unknown[]>(sql, [], { rowMode: 'array' })).rows,
    close: () => database.close(),
  };
}

/** Numbers without zeros at their end, dates by their day: both clients have their own forms. */
function shown(value: unknown): string {
  if (value instanceof Date) return value.toISOString().slice(0, 10);
  const text = String(value).trim();
  return /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text;
}

const engines = values.alone ? [await shardForge()] : [await shardForge(), await pglite()];
for (const engine of engines) {
  const startMs = performance.now();
  for (const table of tpchTables(Number(values.scale))) {
    for (const statement of loadStatements(table)) await engine.run(statement);
  }
  console.log(`${engine.name}: loaded in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
}
const chosen = values.queries?.split(',').map(Number) ?? tpchQueries.map((_, i) => i + 1);
let different = 0;
for (const number of chosen) {
  const sql = tpchQueries[number - 1] ?? '';
  const answers: string[] = [];
  const cells: string[] = [];
  for (const engine of engines) {
    const startMs = performance.now();
    try {
      const rows = await engine.run(sql);
      answers.push(rows.map((row) => row.map(shown).join('|')).join('\n'));
    } catch (error) {
      answers.push(`error: ${(error as Error).message}`);
    }
    cells.push(`${(performance.now() - startMs).toFixed(1).padStart(9)} ms`);
  }
  const same =
    answers.every((answer) => answer === answers[0]) && answers[0]?.startsWith('error:') !== true;
  if (!same) different += 1;
  console.log(
    `Q${String(number).padEnd(3)} ${cells.join('  ')}  ${same ? `${answers[0]?.split('\n').length} rows` : 'DIFFERENT'}`,
  );
  if (!same)
    for (const answer of answers)
      console.log(`  ${answer.slice(0, 300).replaceAll('\n', '\n  ')}\n`);
}
for (const engine of engines) await engine.close();
process.exitCode = different > 0 ? 1 : 0;
