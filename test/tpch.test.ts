/** The 22 queries of TPC-H are answered as PGlite answers them, at scale 0.01. */
import { PGlite } from '@electric-sql/pglite';
import t from 'tap';
import { tpchTables } from '#build/bench/tpch/generate.js';
import { loadStatements } from '#build/bench/tpch/load.js';
import { tpchQueries } from '#build/bench/tpch/queries.js';
import { TestNode } from './sql/session-client.js';
import { askPostgres, askSession } from './sqlfuzz/compare.js';

t.test('TPC-H', async (t) => {
  const postgres = await PGlite.create();
  const node = await TestNode.start({ statementMemoryBytes: 2 ** 30, sessionMemoryBytes: 2 ** 30 });
  const client = node.connect();
  for (const table of tpchTables(0.01)) {
    for (const statement of loadStatements(table)) {
      const answers = [await askPostgres(postgres, statement), await askSession(client, statement)];
      if (answers.some(({ kind }) => kind === 'error'))
        t.fail(`${table.name} is loaded`, { answers });
    }
  }
  for (const [i, query] of tpchQueries.entries()) {
    const expected = await askPostgres(postgres, query);
    t.equal(expected.kind, 'rows', `PGlite answers query ${i + 1}`);
    t.same(await askSession(client, query), expected, `query ${i + 1}`);
  }
  await postgres.close();
});
