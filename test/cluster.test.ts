/**
 * Three processes on loopback under load, one fault after the other: nothing acknowledged is lost and
 * clients go on. `npm run chaos` is the long form.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { chaos, type Fault } from './cluster/chaos.js';

t.setTimeout(180_000);

const shortForm: readonly (readonly Fault[])[] = [
  ['kill', 'cut', 'freeze'],
  ['cut in', 'disk full', 'cut out', 'restart all'],
];

for (const [seed, faults] of shortForm.entries()) {
  t.test(`a cluster under load survives: ${faults.join(', ')}`, { timeout: 90_000 }, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'shardforge-cluster-'));
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    const result = await chaos({ directory, seed, faults, faultMs: 2000, pauseMs: 700 });
    t.same(result.failures, []);
    t.ok(result.inserts >= 50, `${result.inserts} rows acknowledged`);
    t.ok(result.wireInserts >= 20, `${result.wireInserts} of them by node-postgres`);
    if (!faults.includes('restart all'))
      t.ok(result.wireErrorsInARow <= 1, 'and they go on at once');
    t.ok(result.operations >= 50, `${result.operations} operations on registers`);
    t.comment(JSON.stringify(result));
  });
}
