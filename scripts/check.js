/** `npm run check`: format, lint, types and promises; each is run even when one before it failed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';

const tsc = 'node_modules/typescript/bin/tsc';

// The types of a newer Node in the place of those of the oldest that we support.
const newerTypes = 'build/newer-types';
mkdirSync(newerTypes, { recursive: true });
rmSync(`${newerTypes}/node`, { force: true });
symlinkSync('../../node_modules/node-types-newer', `${newerTypes}/node`, 'dir');

const checks = [
  ['format', 'node_modules/@biomejs/biome/bin/biome', 'format', '.'],
  ['lint', 'node_modules/@biomejs/biome/bin/biome', 'lint', '--error-on-warnings', '.'],
  ['types', tsc, '-b'],
  [
    'types, newer Node',
    tsc,
    '-p',
    'src',
    '--typeRoots',
    newerTypes,
    '--noEmit',
    '--composite',
    'false',
  ],
  [
    'promises',
    'node_modules/oxlint/bin/oxlint',
    '--type-aware',
    '--deny-warnings',
    'src',
    'test',
    'bench',
  ],
];

let failed = 0;
for (const [name, ...command] of checks) {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (status !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
