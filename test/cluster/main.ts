/**
 * `npm run chaos -- --faults 60 [--seed S] [--fault-ms N] [--record]`: the long run of the test with
 * real processes; `--record` adds what it covered to bench/soak.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '#src/base/random.js';
import { recordSoak } from '../processes/record.js';
import { chaos, faults } from './chaos.js';

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    'fault-ms': { type: 'string', default: '3000' },
    record: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const random = new Random(seed);
const directory = mkdtempSync(join(tmpdir(), 'shardforge-chaos-'));
const result = await chaos({
  directory,
  seed,
  faults: Array.from({ length: Number(values.faults) }, () => random.pick(faults)),
  faultMs: Number(values['fault-ms']),
  pauseMs: 2000,
});
rmSync(directory, { recursive: true, force: true });
console.log(JSON.stringify({ seed, ...result }, undefined, 2));
if (values.record) {
  const covered = `${result.inserts} rows, ${result.operations} register operations acknowledged`;
  recordSoak(
    '3 processes',
    `seed ${seed}, ${values.faults} faults`,
    covered,
    result.failures.length,
  );
}
process.exitCode = result.failures.length === 0 ? 0 : 1;
