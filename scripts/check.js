/** `npm run check`: format, lint, types and promises; each is run even when one before it failed. */
import { spawnSync } from 'node:child_process';

const checks = [
  ['format', 'node_modules/@biomejs/biome/bin/biome', 'format', '.'],
  ['lint', 'node_modules/@biomejs/biome/bin/biome', 'lint', '--error-on-warnings', '.'],
  ['types', 'node_modules/typescript/bin/tsc', '-b'],
  ['promises', 'node_modules/eslint/bin/eslint.js', 'src', 'test', 'bench'],
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
