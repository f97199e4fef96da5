/**
 * Builds dist/ and build/ when they are absent or older than a source. As a command (`npm run build`)
 * it builds always.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const sources = ['src', 'test', 'bench'];
const settings = ['tsconfig.json', 'tsconfig.base.json', 'package-lock.json'];

function newest(root) {
  let latest = 0;
  for (const file of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || !/\.(ts|json)$/.test(file.name)) continue;
    latest = Math.max(latest, statSync(join(file.parentPath, file.name)).mtimeMs);
  }
  return latest;
}

/** `what` is `src` for the product alone, or `all`. Exits the process when the build fails. */
export function build(what) {
  const roots = what === 'src' ? ['src'] : sources;
  const changed = Math.max(
    ...roots.map(newest),
    ...settings.map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0),
  );
  const stamps = roots.map((root) => `build/${root}.tsbuildinfo`);
  const built = stamps.map((stamp) => statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  const entry = statSync('dist/main.js', { throwIfNoEntry: false });
  if (entry === undefined || Math.min(...built) < changed) compile(what);
  makeExecutable();
}

function compile(what) {
  const command = ['node_modules/typescript/bin/tsc', '-b'];
  if (what === 'src') command.push('src');
  const done = spawnSync(process.execPath, command, { stdio: 'inherit' });
  if (done.status !== 0) process.exit(done.status ?? 1);
}

/** tsc writes no mode, and npx links the command of a clone without setting it when it knows the clone. */
function makeExecutable() {
  chmodSync('dist/cli/bin.js', 0o755);
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  compile('all');
  makeExecutable();
}
