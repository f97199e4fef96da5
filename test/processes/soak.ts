/**
 * `npm run kill -- --kills 100 [--workers N] [--seed S] [--record]`: the long run of the kill -9
 * test; `--record` adds what it covered to bench/soak.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { killNine } from './kill-nine.js';
import { recordSoak } from './record.js';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    workers: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    record: { type: 'boolean', default: false },
  },
});
const [kills, workers, seed] = [Number(values.kills), Number(values.workers), Number(values.seed)];
const directory = mkdtempSync(join(tmpdir(), 'shardforge-soak-'));
const result = await killNine({ directory, kills, clients: 8, workers, seed });
rmSync(directory, { recursive: true, force: true });
console.log(JSON.stringify({ kills, workers, seed, ...result }, undefined, 2));
if (values.record) {
  const covered = `${result.acknowledged} rows acknowledged, ${result.unknown} unknown`;
  const runs = `seed ${seed}, ${kills} kills`;
  recordSoak(`kill -9, workers ${workers}`, runs, covered, result.failures.length);
}
process.exitCode = result.failures.length === 0 ? 0 : 1;
