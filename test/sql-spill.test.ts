/**
 * Statements that hold more than their memory go over to temporary files: the answers are the same, and
 * no file stays when a statement has ended, however it did.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { removeTemporaryFiles, TemporaryFiles, temporaryDirectory } from '#src/node/index.js';
import { MemoryFiles } from '#src/sim/temporary-files.js';
import { type Client, failureOf, printed, resultsOf, TestNode } from './sql/session-client.js';

/** Less than the statements below hold, more than one operator's share of blocks. */
const fewBytes = 640 * 1024;
const rowCount = 12_000;
const rows = `(SELECT i, i * 7919 % ${rowCount} AS n, i % 1000 AS g, repeat('x', 20) || i AS t
  FROM generate_series(1, ${rowCount}) i) AS r`;

async function answer(client: Client, text: string): Promise<readonly (readonly unknown[])[]> {
  const answers = await client.execute(text);
  const failed = failureOf(answers);
  if (failed !== undefined) throw new Error(`${failed.kind}: ${failed.message}`);
  return resultsOf(answers).flatMap(printed);
}

const statements: readonly (readonly [string, string])[] = [
  ['sort', `SELECT i, t FROM ${rows} ORDER BY n DESC, t`],
  ['sort of ties', `SELECT i, g FROM ${rows} ORDER BY g, i`],
  ['groups', `SELECT n, t, count(*), sum(i) FROM ${rows} GROUP BY n, t ORDER BY n`],
  ['groups of few keys', `SELECT g, count(*), min(t) FROM ${rows} GROUP BY g ORDER BY g`],
  [
    'grouping sets',
    `SELECT n, g, count(*), sum(i), grouping(n, g) FROM ${rows} GROUP BY CUBE (n, g) ORDER BY n, g`,
  ],
  ['duplicates', `SELECT count(*), sum(n) FROM (SELECT DISTINCT n, t FROM ${rows}) d`],
  ['ordered aggregate', `SELECT length(string_agg(t, ',' ORDER BY n)) FROM ${rows}`],
  [
    'ordered aggregates',
    `SELECT n, string_agg(t, ',' ORDER BY i) FROM ${rows} GROUP BY n ORDER BY n`,
  ],
  ['percentile', `SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY n) FROM ${rows}`],
  [
    'window over one partition',
    `SELECT sum(s) FROM (SELECT sum(i) OVER (ORDER BY n ROWS 2 PRECEDING) - lag(i, 2, 0) OVER (ORDER BY n) AS s FROM ${rows}) w`,
  ],
  [
    'ends of a partition',
    `SELECT DISTINCT first_value(t) OVER w, last_value(t) OVER w FROM ${rows} WINDOW w AS ()`,
  ],
  [
    'hash join',
    `SELECT a.i, b.t FROM ${rows.replace('AS r', 'AS a')} JOIN ${rows.replace('AS r', 'AS b')} ON a.n = b.i ORDER BY a.i`,
  ],
  [
    'full join',
    `SELECT a.i, b.i FROM ${rows.replace('AS r', 'AS a')} FULL JOIN ${rows.replace('AS r', 'AS b')} ON a.n = b.i + 1000 ORDER BY 1, 2`,
  ],
  [
    'outer join with NULL keys',
    `SELECT a.i, b.i FROM ${rows.replace('AS r', 'AS a')} LEFT JOIN ${rows.replace('AS r', 'AS b')} ON nullif(a.g, 7) = b.n ORDER BY 1, 2`,
  ],
  [
    'table of WITH, read twice',
    `WITH m AS MATERIALIZED (SELECT * FROM ${rows}) SELECT count(*), sum(a.n) FROM m a, (SELECT max(i) AS most FROM m) b WHERE a.i < b.most`,
  ],
];

t.test('the same answers with little memory', async (t) => {
  const roomy = await TestNode.start();
  const wanted = roomy.connect();
  const files = new MemoryFiles();
  const tight = await TestNode.start({ statementMemoryBytes: fewBytes }, { spill: files });
  const client = tight.connect();
  for (const [name, text] of statements) {
    const before = files.made;
    const [found, expected] = [await answer(client, text), await answer(wanted, text)];
    // Not `same`, which takes a second for thousands of rows.
    t.ok(JSON.stringify(found) === JSON.stringify(expected), `${name}: ${expected.length} rows`);
    t.ok(expected.length > 0, `${name} has rows`);
    if (name !== 'groups of few keys') t.ok(files.made > before, `${name} goes over to files`);
    t.equal(files.open, 0, `${name} leaves none`);
  }
  t.same(tight.logged, [], 'nothing failed inside');
});

t.test('no file outlives its statement', async (t) => {
  const files = new MemoryFiles();
  const node = await TestNode.start({ statementMemoryBytes: fewBytes }, { spill: files });
  const client = node.connect();
  await answer(client, `SELECT i FROM ${rows} ORDER BY n, t OFFSET 3000 LIMIT 5`);
  t.ok(files.made > 0, 'files were needed');
  t.equal(files.open, 0, 'after rows that nobody asked for');
  const failed = failureOf(
    await client.execute(`SELECT 1 / (n - 6000) FROM (SELECT n FROM ${rows} ORDER BY n, t) s`),
  );
  t.equal(failed?.kind, 'division_by_zero');
  t.equal(files.open, 0, 'after an error');
});

t.test('the rows of a cursor lie in a file until it is closed', async (t) => {
  const files = new MemoryFiles();
  const node = await TestNode.start({ sessionMemoryBytes: fewBytes }, { spill: files });
  const client = node.connect();
  await answer(client, 'BEGIN');
  await answer(client, `DECLARE c CURSOR WITH HOLD FOR SELECT i, t FROM ${rows}`);
  t.equal(files.open, 1, 'its rows are more than the share of the session');
  t.same(await answer(client, 'FETCH ABSOLUTE 9999 FROM c'), [['9999', `${'x'.repeat(20)}9999`]]);
  await answer(client, 'COMMIT');
  t.same(await answer(client, 'FETCH PRIOR FROM c'), [['9998', `${'x'.repeat(20)}9998`]]);
  await answer(client, 'CLOSE c');
  t.equal(files.open, 0, 'none is left');
  await answer(client, 'BEGIN');
  await answer(client, `DECLARE c CURSOR FOR SELECT i, t FROM ${rows}`);
  await answer(client, 'ROLLBACK');
  t.equal(files.open, 0, 'nor by a transaction that is undone');
});

t.test('without files memory is the limit', async (t) => {
  const node = await TestNode.start({ statementMemoryBytes: fewBytes });
  const failed = failureOf(await node.connect().execute(statements[0]?.[1] ?? ''));
  t.equal(failed?.kind, 'out_of_memory');
});

t.test('files on disk have a quota and leave nothing', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'spill-'));
  t.teardown(() => rmSync(data, { recursive: true }));
  const directory = temporaryDirectory(data);
  const own = join(directory, '1');
  const files = new TemporaryFiles(own, 1024 * 1024);
  const node = await TestNode.start({ statementMemoryBytes: fewBytes }, { spill: files });
  const client = node.connect();
  t.same(
    await answer(client, `SELECT i FROM ${rows} WHERE i <= 5000 ORDER BY n OFFSET 4998`),
    await answer(client, `SELECT i FROM ${rows} WHERE i <= 5000 ORDER BY n DESC LIMIT 2`).then(
      (last) => last.toReversed(),
    ),
  );
  t.same(readdirSync(own), [], 'the sort has removed its files');
  const failed = failureOf(
    await client.execute(`SELECT i, repeat(t, 6) FROM ${rows} ORDER BY n, 2`),
  );
  t.equal(failed?.kind, 'configuration_limit_exceeded');
  t.equal(failed?.message, 'temporary file size exceeds limits.temporaryFileBytes (1024kB)');
  t.same(readdirSync(own), [], 'so has the one that failed');
  t.ok((await answer(client, 'SELECT 1')).length === 1, 'the session goes on');

  mkdirSync(join(directory, '2'), { recursive: true });
  writeFileSync(join(directory, '2', '7'), 'rows of a process that died');
  removeTemporaryFiles(directory);
  t.notOk(existsSync(directory), 'what a crash left goes at the next start');
});
