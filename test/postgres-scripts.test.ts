/**
 * Stories of raw messages with us and, where a PostgreSQL 15 is installed, with it: both are to answer
 * as written. `RECORD=file` prints how PostgreSQL answers what that file sends.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { wireNode } from './postgres/nodes.js';
import { play, record, type Server } from './postgres/play.js';
import { noPostgres, startPostgres } from './postgres/real.js';
import { readScript } from './postgres/script.js';

t.setTimeout(240_000);

const folder = 'test/postgres/scripts';
const files = readdirSync(folder)
  .filter((file) => file.endsWith('.txt'))
  .sort();

async function playAll(t: Test, server: Server): Promise<void> {
  for (const file of files) {
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
