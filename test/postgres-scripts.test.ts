/**
 * Stories of raw messages with us and, where a PostgreSQL 15 is installed, with it: both are to answer
 * as written. `RECORD=file` prints how PostgreSQL answers what that file sends.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { must } from '#src/base/assert.js';
import { member, start } from './mesh/members.js';
import { wireNode } from './postgres/nodes.js';
import { play, record, type Server } from './postgres/play.js';
import { noPostgres, startPostgres } from './postgres/real.js';
import { readScript } from './postgres/script.js';

t.setTimeout(240_000);

const folder = 'test/postgres/scripts';
const files = readdirSync(folder)
  .filter((file) => file.endsWith('.txt'))
  .sort();

async function playAll(t: Test, server: Server, wanted = files): Promise<void> {
  for (const file of wanted) {
    for (const story of readScript(readFileSync(join(folder, file), 'utf8'))) {
      const difference = await play(story, server);
      const where = `${folder}/${file}:${difference?.line ?? story.line}`;
      t.equal(difference?.came, difference?.expected, `${story.name} (${where})`);
    }
  }
}

t.test('stories with us', async (t) => {
  const { node, address } = await wireNode();
  t.teardown(() => node.stop());
  await playAll(t, { address, name: 'ours' });
});

t.test('stories with a node of two workers', async (t) => {
  const { node, address } = await wireNode({ workers: 2 });
  t.teardown(() => node.stop(0));
  await playAll(t, { address, name: 'ours' }, ['copy.txt', 'extended.txt']);
});

t.test('stories with a cluster of three, whoever leads', async (t) => {
  const members = [await member(t, 1), await member(t, 2), await member(t, 3)];
  const nodes = await Promise.all(members.map((one) => start(t, one, members)));
  await Promise.all(nodes.map(({ served }) => served));
  for (const [i, file] of ['simple.txt', 'extended.txt', 'copy.txt'].entries()) {
    const address = must(nodes[i]?.postgresAddress, 'it listens');
    await playAll(t, { address, name: 'ours' }, [file]);
  }
});

const skip = noPostgres() ?? false;
t.test('stories with PostgreSQL', { skip }, async (t) => {
  const { address, stop } = await startPostgres();
  t.teardown(stop);
  const recorded = process.env.RECORD;
  if (recorded !== undefined) {
    for (const story of readScript(readFileSync(join(folder, recorded), 'utf8'))) {
      const lines = await record(story, { address, name: 'postgres' });
      console.log(`${lines.join('\n')}\n`);
    }
    return;
  }
  await playAll(t, { address, name: 'postgres' });
});
