/** What docs/operations.md says of names that other systems use holds: each query there gives what it is named after. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { type Database, open } from '#src/embedded.js';

const rows = [
  ...readFileSync('docs/operations.md', 'utf8').matchAll(
    /^\| `(\w+)` \| `([\w.]+)` of `(SELECT [^`]+)` \|$/gm,
  ),
].map(([, name = '', path = '', sql = '']) => ({ name, path: path.split('.'), sql }));

async function ask(database: Database, name: string): Promise<unknown> {
  const row = rows.find((each) => each.name === name);
  const { path, sql } = must(row, name);
  const [answer] = await database.query(sql);
  let value: unknown = Object.values(answer ?? {})[0];
  for (const part of path) value = (value as Record<string, unknown>)[part];
  return value;
}

t.test('an embedded database tells of its consensus by plain queries', async (t) => {
  const database = await open();
  t.teardown(() => database.close());
  t.equal(await ask(database, 'getLeader'), 1);
  t.equal(await ask(database, 'getNodeState'), 'leader');
  t.ok(Number(await ask(database, 'getCurrentTerm')) >= 1);
  const before = Number(await ask(database, 'getCommitIndex'));
  await database.query('create table names (key text primary key, value text)');
  const replicate = 'insert into names values ($1, $2) on conflict (key) do update set value = $2';
  for (const value of ['one', 'two']) await database.query(replicate, ['a', value]);
  const commit = Number(await ask(database, 'getCommitIndex'));
  t.ok(commit >= before + 3, 'three commits more');
  t.equal(Number(await ask(database, 'getLastApplied')), commit);
  const members = (await ask(database, 'getReplicationStatus')) as readonly object[];
  t.match(members, [{ node: 1, alive: true, leads: true }]);
  t.equal(rows.length, 6, 'and no query there is left untried');
});
